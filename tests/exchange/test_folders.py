"""Which layout a tree has, and which of its files each command takes."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flaredb.exchange.layouts import Ask, Search, find_images, find_labels
from tests.exchange.test_layouts import touch

AUTO = Ask(layout="auto")
TREES = {
    "flare21": (
        ["TrainingImg/train_000_0000.nii.gz", "TrainingImg/train_001_0000.nii.gz"],
        ["TrainingMask/train_000.nii.gz"],
    ),
    "flare22": (
        ["images/FLARE22_Tr_0001_0000.nii.gz", "unlabel/Case_00001_0000.nii.gz", "validation/FLARETs_0001_0000.nii.gz"],
        ["labels/FLARE22_Tr_0001.nii.gz"],
    ),
    "flare23": (
        ["imagesTr2200/1-500/FLARE23_0001_0000.nii.gz", "unlabeledTr1800/FLARE23_2201_0000.nii.gz"],
        ["labelsTr2200/FLARE23_0001.nii.gz", "val-gt-50cases-x/FLARE23Ts_0001.nii.gz"],
    ),
    "nnunet": (["imagesTr/a_0000.nii.gz", "imagesTs/b_0000.nii.gz"], ["labelsTr/a.nii.gz"]),
    "msd": (["imagesTr/liver_1.nii.gz", "imagesTs/liver_2.nii.gz"], ["labelsTr/liver_1.nii.gz"]),
    "flat": (["scans/a.nii.gz"], ["masks/a.nii.gz"]),
}


def paths(search: Search, root: Path) -> list[str]:
    """What was found, below the root."""
    return sorted(item.path.relative_to(root).as_posix() for item in search.found)


@pytest.mark.parametrize("layout", TREES)
def test_each_command_takes_its_own(tmp_path, layout):
    """From the root of a collection scans and labels are told apart, and the layout is recognised by both."""
    images, labels = TREES[layout]
    root = touch(tmp_path / "data", *images, *labels)
    for find, own, others in ((find_images, images, labels), (find_labels, labels, images)):
        search = find(root, ask=AUTO)
        assert paths(search, root) == sorted(own)
        assert (search.layout, search.findings) == (layout, ())
        assert sum(dict(search.left).values()) == len(others)


@pytest.mark.parametrize("layout", [name for name in TREES if name != "flat"])
def test_a_part_of_a_collection_is_enough(tmp_path, layout):
    """Given the folder of scans or of labels alone, that one comes in; a folder of labels never as scans."""
    images, labels = TREES[layout]
    root = touch(tmp_path / "data", *images, *labels)
    part = labels[0].split("/")[0]
    assert len(find_labels(root / part, ask=AUTO).found) == 1
    assert len(find_images(root / images[0].split("/")[0], ask=AUTO).found) >= 1
    if part.endswith(("2200", "Mask", "Tr")):
        refused = find_images(root / part, ask=AUTO)
        assert (refused.found, [f.rule for f in refused.findings]) == ((), ["nothing-found"])
        assert len(find_images(root / part, ask=Ask(layout="flat")).found) == 1


def test_splits_by_folder(tmp_path):
    """Scans in folders of validation and test cases are of those splits, also when the folder itself is given."""
    names = ["validation/a_0000.nii.gz", "imagesTs/b_0000.nii.gz", "imagesTr/c_0000.nii.gz"]
    root = touch(tmp_path / "data", *names)
    assert {f.case: f.split for f in find_images(root, ask=AUTO).found} == {"a": "validation", "b": "test", "c": None}
    assert find_images(root / "validation", ask=AUTO).found[0].split == "validation"


FOLDERS = st.sampled_from(
    ["imagesTr", "labelsTr", "imagesTs", "validation", "val-gt", "1-500", "x-pseudo-labels", "20230507-fix", "other"]
)
FILES = st.sampled_from(["a.nii.gz", "a_0000.nii.gz", "a_0001.nii.gz", "b.nii", "b c.nii.gz", "Case1.nii.gz"])
PLACES = st.lists(st.tuples(st.lists(FOLDERS, max_size=3), FILES), max_size=12, unique_by=str)


@settings(max_examples=150, deadline=None)
@given(PLACES, st.sampled_from([None, True, False]))
def test_no_file_is_passed_over_in_silence(places, generated):
    """Of every file is known that it was found, left for another import, or why it was not taken."""
    with tempfile.TemporaryDirectory() as folder:
        root = touch(Path(folder) / "data", "keep.txt", *("/".join([*parts, name]) for parts, name in places))
        for find in (find_images, find_labels):
            search = find(root, ask=Ask(layout="auto", generated=generated))
            about_root = [f for f in search.findings if f.path == str(root)]
            refused = {f.path for f in search.findings if f.severity != "info" and f.path != str(root)}
            assert not refused & {str(item.path) for item in search.found}
            counted = len(search.found) + sum(dict(search.left).values()) + len(refused)
            assert counted == len(places) or about_root
            assert len({(item.case, "fix" in str(item.path)) for item in search.found}) == len(search.found)
