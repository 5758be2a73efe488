"""Collections of other shapes: nnU-Net, MSD, one folder a case, tables of names, masks; and what stops an import."""

from __future__ import annotations

import json
import os

import nibabel
import numpy as np
import pytest

from flaredb.errors import StorageError
from flaredb.workflow.ingest import room
from tests.cohorts import SPACE, Done, add_case, add_label, blocks, codes, flaredb, scan
from tests.workflow.ingest.test_images_labels import TRUTH, winners

LABELS = ("--source", "flare23", "--kind", "ground-truth", "--annotated", "liver,spleen")


def rules_of(done: Done) -> list[tuple[str, str]]:
    """Severity and rule of the findings."""
    return [(f["severity"], f["rule"]) for f in done.json["findings"]]


def splits(workspace) -> dict[str, str]:
    """Case → split."""
    return {row["name"]: row["split"] for row in workspace.sql("SELECT name, split FROM cases")}


@pytest.mark.parametrize("channel", ["_0000", ""])
def test_nnunet_and_msd_roots(empty, tmp_path, channel):
    """From one root each command takes its own; scans of imagesTs are test cases; the layout is told, and dataset.json
    says what the codes mean."""
    root = tmp_path / "Task"
    for number, (folder, name) in enumerate(
        [("imagesTr", "liver_1"), ("imagesTr", "liver_2"), ("imagesTs", "liver_3")]
    ):
        scan(root / folder / f"{name}{channel}.nii.gz", number)
    for name in ("liver_1", "liver_2"):
        codes(root / "labelsTr" / f"{name}.nii.gz", blocks(1, 3, 2 if name == "liver_1" else 0))
        (root / "labelsTr" / f"._{name}.nii.gz").write_bytes(b"junk")
    (root / "dataset.json").write_text(
        json.dumps({"labels": {"0": "background", "1": "liver", "2": "cancer", "3": "bone"}})
    )
    done = flaredb("ingest", "images", root, workspace=empty.root)
    assert (done.code, done.json["added"], rules_of(done)) == (0, 3, [])
    assert done.json["layout"] == ("nnunet" if channel else "msd")
    assert done.json["left"] == {"labelsTr": 2}
    assert splits(empty) == {"liver_1": "train", "liver_2": "train", "liver_3": "test"}
    own = ("--source", "msd", "--kind", "ground-truth", "--annotated", "liver,tumor")
    done = flaredb("ingest", "labels", root, *own, "--mapping", root / "dataset.json", workspace=empty.root)
    assert (done.code, done.json["added"], rules_of(done)) == (0, 2, [("info", "mapping-left-out")])
    assert "3 bone" in done.json["findings"][0]["message"]
    assert winners(empty, "liver_1") == {"liver": "liver_1@msd@1", "tumor": "liver_1@msd@1"}
    assert done.json["left"] == {"imagesTr": 2, "imagesTs": 1}


def test_a_second_channel_is_left_and_said(empty, tmp_path):
    """Of a scan with two channels the first is taken."""
    scan(tmp_path / "d" / "imagesTr" / "a_0000.nii.gz", 1)
    scan(tmp_path / "d" / "imagesTr" / "a_0001.nii.gz", 2)
    done = flaredb("ingest", "images", tmp_path / "d", workspace=empty.root)
    assert (done.json["ids"], rules_of(done)) == (["a"], [("warning", "extra-channel")])


def test_one_folder_a_case(empty, tmp_path):
    """`--pattern` takes scans and masks from a tree that tells nothing by itself."""
    root = tmp_path / "tree"
    for number, case in enumerate(("s1", "s2")):
        scan(root / case / "ct.nii.gz", number)
        codes(root / case / "seg" / "liver.nii.gz", blocks(*[1] * (number + 1)))
        codes(root / case / "seg" / "spleen.nii.gz", blocks(0, 0, 7))
        codes(root / case / "seg" / "bone.nii.gz", blocks(0, 0, 0, 1))
    done = flaredb("ingest", "images", root, "--pattern", "{case}/ct.nii.gz", workspace=empty.root)
    assert (done.json["ids"], rules_of(done)) == (["s1", "s2"], [("info", "not-matched")])
    pattern = ("--pattern", "{case}/seg/{structure}.nii.gz")
    done = flaredb("ingest", "labels", root, *LABELS, *pattern, workspace=empty.root)
    assert done.json["ids"] == ["s1@flare23@1", "s2@flare23@1"]
    assert sorted(rules_of(done)) == [("info", "not-matched"), ("warning", "unknown-structure")]
    assert "bone" in next(f["message"] for f in done.json["findings"] if f["rule"] == "unknown-structure")
    again = flaredb("ingest", "labels", root, *LABELS, *pattern, workspace=empty.root)
    assert (again.json["added"], again.json["unchanged"]) == (0, 2)
    assert (empty.label("s2@flare23@1").array[0, 0] > 0).tolist() == [True] * 3 + [False] * 3


def test_a_folder_of_masks_needs_no_pattern(empty, tmp_path):
    """Files named after structures are one label of the case their folder is named after."""
    add_case(empty, tmp_path / "i", "s1")
    for name, column in (("liver", 0), ("spleen", 1)):
        codes(tmp_path / "t" / "s1" / "segmentations" / f"{name}.nii.gz", blocks(*[0] * column, 1))
    done = flaredb("ingest", "labels", tmp_path / "t", *LABELS, workspace=empty.root)
    assert (done.code, done.json["ids"]) == (0, ["s1@flare23@1"])


def test_masks_that_cannot_be_one_label_are_findings(empty, tmp_path):
    """A mask of several values, one on another lattice, and a structure said to be annotated without a file."""
    for name in ("values", "lattice", "missing"):
        add_case(empty, tmp_path / "i", name, ord(name[0]))
        codes(tmp_path / "t" / name / "liver.nii.gz", blocks(1))
        codes(tmp_path / "t" / name / "spleen.nii.gz", blocks(0, 1))
    codes(tmp_path / "t" / "values" / "spleen.nii.gz", blocks(0, 1, 2))
    image = nibabel.Nifti1Image(np.ones((6, 5, 3), np.uint8), SPACE.matrix)
    nibabel.save(image, tmp_path / "t" / "lattice" / "spleen.nii.gz")
    (tmp_path / "t" / "missing" / "spleen.nii.gz").rename(tmp_path / "t" / "missing" / "stomach.nii.gz")
    done = flaredb("ingest", "labels", tmp_path / "t", *LABELS, workspace=empty.root)
    assert (done.code, done.json["added"]) == (1, 0)
    found = {finding["case"]: finding["rule"] for finding in done.json["findings"]}
    assert found == {"values": "mask-not-binary", "lattice": "masks-differ", "missing": "mask-missing"}


def test_a_table_gives_names(empty, tmp_path):
    """`--names` says whose scan a file is; a name in it that no file bears is a finding."""
    scan(tmp_path / "i" / "x 1.nii.gz", 1)
    scan(tmp_path / "i" / "y.nii.gz", 2)
    table = tmp_path / "n.csv"
    table.write_text("file,case\nx 1.nii.gz,P1\nz.nii.gz,P3\n")
    done = flaredb("ingest", "images", tmp_path / "i", "--names", table, workspace=empty.root)
    assert (sorted(done.json["ids"]), rules_of(done)) == (["P1", "y"], [("warning", "name-unused")])


def test_labels_of_several_groups_are_not_mixed(empty, tmp_path):
    """A root with two groups' pseudo labels for one case brings in neither, and names the folders."""
    add_case(empty, tmp_path / "i", "a")
    for group in ("one-pseudo-labels", "two-pseudo-labels"):
        codes(tmp_path / "r" / group / "a.nii.gz", blocks(1))
    external = ("--source", "x", "--kind", "external", "--annotated", "liver")
    done = flaredb("ingest", "labels", tmp_path / "r", *external, workspace=empty.root)
    assert (done.code, rules_of(done)) == (1, [("error", "several-collections")])
    assert "one-pseudo-labels, two-pseudo-labels" in done.json["findings"][0]["message"]


@pytest.mark.parametrize(("more", "code"), [(("--pattern", "{patient}"), 2), (("--layout", "bids"), 2)])
def test_a_way_of_looking_that_there_is_not(empty, tmp_path, more, code):
    """An unknown field or layout is a usage error, and nothing is changed."""
    scan(tmp_path / "a.nii.gz")
    assert flaredb("ingest", "images", tmp_path, *more, workspace=empty.root).code == code
    assert splits(empty) == {}


def test_another_image_after_labels_is_a_conflict(empty, tmp_path):
    """A case that has labels keeps the image they were drawn on: exit 4; other scans of the command come in."""
    add_case(empty, tmp_path / "one", "a", 1)
    add_label(empty, tmp_path / "l", "a", blocks(1), "liver", TRUTH)
    scan(tmp_path / "two" / "a.nii.gz", 2)
    scan(tmp_path / "two" / "b.nii.gz", 3)
    done = flaredb("ingest", "images", tmp_path / "two", workspace=empty.root)
    assert (done.code, done.json["ids"], done.json["failed"]) == (4, ["b"], 1)
    assert rules_of(done) == [("error", "image-replaced")]
    assert "a@flare23@1" in done.json["findings"][0]["message"]
    assert done.err == "" or "Traceback" not in done.err


def test_what_does_not_fit_is_not_begun(empty, tmp_path, monkeypatch):
    """With too little room an import is refused before anything is read, exit 6, and says how much is missing."""
    scan(tmp_path / "a.nii.gz")
    free = os.statvfs(tmp_path)
    full = os.statvfs_result((*free[:3], 0, 0, *free[5:]))
    monkeypatch.setattr(room.os, "statvfs", lambda _: full)
    done = flaredb("ingest", "images", tmp_path, workspace=empty.root)
    assert done.code == 6
    assert "missing" in done.json["error"]
    assert splits(empty) == {}
    would = flaredb("ingest", "images", tmp_path, "--dry-run", workspace=empty.root).json["would"]
    assert would["bytes"]["needed"] > would["bytes"]["free"] == 0


def test_room_is_counted_in_inodes_too():
    """Inodes that are missing are named as well; where a file system does not count them they are not looked at."""
    with pytest.raises(StorageError, match="5 inodes"):
        room.Room(0, 0, 9, 4).check()
    room.Room(0, 0, 9, None).check()


def test_an_annotator_is_kept(empty, tmp_path):
    """`--annotator` names who drew, and another annotator's equal label is a label of its own."""
    add_case(empty, tmp_path / "i", "a")
    path = codes(tmp_path / "a.nii.gz", blocks(1))
    for name in ("Ada", "Ada", "Bo"):
        done = flaredb("ingest", "labels", path, *LABELS, "--annotator", name, workspace=empty.root)
    assert done.json["ids"] == ["a@flare23@2"]
    rows = empty.sql("SELECT DISTINCT annotator FROM label_provenance ORDER BY 1")
    assert [row["annotator"] for row in rows] == ["Ada", "Bo"]


def test_names_that_are_no_utf8_are_findings(empty, tmp_path):
    """A file or folder whose name is no text comes in if its case has a name, else is a finding that can be stored."""
    scan(tmp_path / "i" / "a.nii.gz", 1)
    scan(tmp_path / "i" / os.fsdecode(b"\xff") / "b.nii.gz", 2)
    (tmp_path / "i" / "a.nii.gz").rename(tmp_path / "i" / os.fsdecode(b"a\xfe.nii.gz"))
    done = flaredb("ingest", "images", tmp_path / "i", workspace=empty.root)
    assert (done.code, done.json["ids"], rules_of(done)) == (1, ["b"], [("error", "bad-name")])
    named = flaredb(
        "ingest", "images", tmp_path / "i" / os.fsdecode(b"a\xfe.nii.gz"), "--case", "a", workspace=empty.root
    )
    assert named.json["ids"] == ["a"]
    path = codes(tmp_path / os.fsdecode(b"l\xfe.nii.gz"), blocks(1, 99))
    label = flaredb("ingest", "labels", path, "--case", "a", *LABELS, workspace=empty.root)
    assert (label.code, rules_of(label)) == (0, [("warning", "code-out-of-range")])
