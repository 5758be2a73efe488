"""Lists of cases: what is read from them, and what is said about a list that is wrong."""

import json
from pathlib import Path
from typing import Any

import pytest

from flaredb.errors import InvalidDataError, NotFoundError
from flaredb.exchange.manifests import Entry, Reviewed, choose_split, read_manifest, review
from tests.builders import REAL_DATA

MANIFESTS = REAL_DATA / "manifests"
real = pytest.mark.skipif(not MANIFESTS.is_dir(), reason="needs the manifests of the real data")


def pair(name: str) -> dict[str, str]:
    """An entry as nnU-Net writes it."""
    return {"image": f"./imagesTr/{name}.nii.gz", "label": f"./labelsTr/{name}.nii.gz"}


def write(folder: Path, document: Any) -> Path:
    """A manifest as a file; text and bytes go in as they are."""
    path = folder / "dataset.json"
    if isinstance(document, bytes):
        path.write_bytes(document)
    else:
        path.write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
    return path


def reviewed(folder: Path, document: Any, split: str = "train") -> Reviewed:
    """One list of a manifest."""
    path = write(folder, document)
    return review(path, read_manifest(path), split)


def said(found: Reviewed) -> list[tuple[str, str, str | None]]:
    """Severity, rule and case of the findings."""
    return [(finding.severity, finding.rule, finding.case) for finding in found.findings]


@real
@pytest.mark.parametrize(("name", "listed", "announced"), [("2200", 2199, 2200), ("organ", 222, 223)])
def test_the_authors_lists(name: str, listed: int, announced: int) -> None:
    """Each real list announces one case more than it lists; the long one names the one that is missing."""
    path = MANIFESTS / f"dataset_{name}.json"
    manifest = read_manifest(path)
    assert manifest.title == "FLARE23"
    assert {split: len(entries) for split, entries in manifest.lists.items()} == {"train": listed, "test": 100}
    assert manifest.announced == {"train": announced, "test": 100}
    found = review(path, manifest, "train")
    assert len(found.entries) == listed
    assert found.entries[0] == Entry("FLARE23_0001", "./imagesTr/FLARE23_0001.nii.gz", "./labelsTr/FLARE23_0001.nii.gz")
    gap = ("warning", "numbering-gap", "FLARE23_0874") if name == "2200" else ("info", "numbering-gap", None)
    assert said(found) == [("warning", "count-differs", None), gap]
    assert str(announced) in found.findings[0].message
    assert str(listed) in found.findings[0].message
    assert name == "organ" or "FLARE23_0874" in found.findings[1].message
    assert len(found.findings[1].message) < 500


def test_entries_come_in_several_shapes(tmp_path: Path) -> None:
    """Pairs, bare paths, one-element lists, nnU-Net v2's `dataset`; the channel is no part of the name."""
    first = {"training": [pair("a_1"), "./imagesTr/a_2_0000.nii.gz", {"image": ["a_3.nii.gz"]}], "validation": []}
    found = reviewed(tmp_path, first)
    assert [entry.case for entry in found.entries] == ["a_1", "a_2", "a_3"]
    assert [entry.label is None for entry in found.entries] == [False, True, True]
    assert found.findings == ()
    second = {"dataset": {"b_1": {"images": ["x/b_0000.nii.gz"], "label": "y/b.nii.gz"}}, "numTraining": 1}
    assert reviewed(tmp_path, second) == Reviewed((Entry("b_1", "x/b_0000.nii.gz", "y/b.nii.gz"),), ())


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    """Editors on Windows put one first."""
    assert len(reviewed(tmp_path, b"\xef\xbb\xbf" + json.dumps({"training": [pair("a")]}).encode()).entries) == 1


@pytest.mark.parametrize(
    ("document", "rule"),
    [
        ("", "not-json"),
        ("case,annotated\n", "not-json"),
        ('{"training": [], "numTraining": NaN}', "not-json"),
        ("[" * 100_000, "not-json"),
        (b"\xff\xfe\x00", "not-json"),
        ("[]", "not-a-manifest"),
        ('"text"', "not-a-manifest"),
        ({"training": {"image": "a.nii"}}, "not-a-manifest"),
        ({"channel_names": {"0": "CT"}, "numTraining": 50, "file_ending": ".nii.gz"}, "no-list"),
        ({}, "no-list"),
    ],
)
def test_what_is_no_list_is_refused(tmp_path: Path, document: Any, rule: str) -> None:
    """A file that lists no cases is an error that carries one finding; it says how nnU-Net v2 is brought in."""
    path = write(tmp_path, document)
    with pytest.raises(InvalidDataError) as refused:
        read_manifest(path)
    assert [finding.rule for finding in refused.value.findings] == [rule]
    assert rule != "no-list" or "flaredb ingest images imagesTr" in str(refused.value)


def test_no_file(tmp_path: Path) -> None:
    """A manifest that is not there, or is a folder, is not found."""
    for path in (tmp_path / "dataset.json", tmp_path):
        with pytest.raises(NotFoundError):
            read_manifest(path)


@pytest.mark.parametrize(
    ("entry", "rule"),
    [
        (None, "bad-entry"),
        (7, "bad-entry"),
        ({}, "bad-entry"),
        ({"image": ["a_0000.nii", "a_0001.nii"]}, "bad-entry"),
        ({"image": {"a": 1}}, "bad-entry"),
        ({"case": 5, "image": "a.nii"}, "bad-entry"),
        ("a b.nii.gz", "bad-name"),
        ("..nii.gz", "bad-name"),
        ({"case": "../evil", "image": "a.nii"}, "bad-name"),
        ({"case": "a/b", "image": "a.nii"}, "bad-name"),
        ("x" * 100_000 + ".nii.gz", "bad-name"),
        ("\ud800.nii.gz", "bad-name"),
        ("a\nb.nii.gz", "bad-name"),
    ],
)
def test_a_bad_entry_is_a_finding_and_the_others_are_taken(tmp_path: Path, entry: Any, rule: str) -> None:
    """An entry that names no single file or no possible case is said, with its place, and left out."""
    found = reviewed(tmp_path, {"training": [entry, pair("good")]})
    assert [entry.case for entry in found.entries] == ["good"]
    assert said(found) == [("error", rule, None)]
    assert "entry 1" in found.findings[0].message
    assert len(found.findings[0].message) < 400
    found.findings[0].message.encode()


def test_names_listed_twice(tmp_path: Path) -> None:
    """The same entry twice is taken once; one name for two files is taken from neither."""
    other = pair("b") | {"image": "./other/b.nii.gz"}
    found = reviewed(tmp_path, {"training": [pair("a"), pair("a"), pair("b"), other, pair("c")]})
    assert [entry.case for entry in found.entries] == ["a", "c"]
    assert sorted(said(found)) == [
        ("error", "duplicate-name", "b"),
        ("error", "duplicate-name", "b"),
        ("warning", "duplicate-name", "a"),
    ]


def test_a_case_in_two_lists(tmp_path: Path) -> None:
    """A case has one split: listed in two, it is taken from neither."""
    document = {"training": [pair("a"), pair("b")], "test": ["./imagesTs/b_0000.nii.gz", "./imagesTs/c.nii.gz"]}
    for split, taken in (("train", ["a"]), ("test", ["c"])):
        found = reviewed(tmp_path, document, split)
        assert [entry.case for entry in found.entries] == taken
        assert said(found) == [("error", "two-splits", "b")]


@pytest.mark.parametrize("count", ["2", 2.5, True, [2], -1])
def test_a_count_that_is_none(tmp_path: Path, count: Any) -> None:
    """An announced count that differs, or is no count, is said; the list counts."""
    found = reviewed(tmp_path, {"training": [pair("a"), pair("b")], "numTraining": count})
    assert len(found.entries) == 2
    assert said(found) == [("warning", "count-differs", None)]


def test_which_list_is_meant(tmp_path: Path) -> None:
    """Training unless told otherwise; the only list there is serves any split; else the choice is said."""
    both = write(tmp_path, {"training": [pair("a")], "test": ["b.nii"]})
    manifest = read_manifest(both)
    assert [choose_split(both, manifest, split) for split in (None, "train", "test")] == ["train", "train", "test"]
    with pytest.raises(InvalidDataError, match="--split test"):
        choose_split(both, manifest, "validation")
    one = write(tmp_path, {"training": [pair("a")], "test": []})
    assert choose_split(one, read_manifest(one), "validation") == "train"
    only_test = write(tmp_path, {"test": ["b.nii"]})
    with pytest.raises(InvalidDataError, match="--split test"):
        choose_split(only_test, read_manifest(only_test), None)
