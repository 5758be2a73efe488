"""The documents of data sets say what their readers ask for, and import takes them for what they are."""

from __future__ import annotations

import json

import pytest

from flaredb.errors import UsageError
from flaredb.exchange.datasets import (
    Listing,
    Pair,
    monai_document,
    msd_document,
    nnunet_document,
    nnunet_folder,
    nnunet_splits,
)
from flaredb.exchange.manifests import read_manifest, review

TRAIN = [Pair("a", "imagesTr/a_0000.nii.gz", "labelsTr/a.nii.gz"), Pair("b", "imagesTr/b_0000.nii.gz", "x/b.nii.gz")]
VALIDATION = [Pair("v", "imagesTr/v_0000.nii.gz", "labelsTr/v.nii.gz")]
TEST = [Pair("t", "imagesTs/t_0000.nii.gz", None)]
LISTING = Listing("Made", {"liver": 1, "kidneys": 2}, 3, TRAIN, VALIDATION, TEST)


@pytest.mark.parametrize(
    ("given", "first", "folder"),
    [
        ("nnUNet_raw", False, "Dataset007_A"),
        ("Dataset012_Liver", False, None),
        ("Dataset12_Liver", False, "Dataset007_A"),
        ("Dataset012_Liver", True, "Task007_A"),
        ("Task012_Liver", True, None),
    ],
)
def test_nnunets_folder_names(given, first, folder):
    """A folder named as nnU-Net wants it is the data set; under any other one is made."""
    assert nnunet_folder(given, 7, "A", first) == folder


@pytest.mark.parametrize(("number", "title"), [(1000, "A"), (7, "a/b"), (7, "")])
def test_names_that_nnunet_refuses(number, title):
    """A number of four digits, or a name that is none, is refused before anything is made."""
    with pytest.raises(UsageError):
        nnunet_folder("raw", number, title)


def test_nnunet_is_told_the_ignore_label_only_where_there_is_one():
    """Version 2: the ignore label is the value after the last; validation cases count as training cases."""
    document = json.loads(nnunet_document(LISTING))
    assert document["labels"] == {"background": 0, "liver": 1, "kidneys": 2, "ignore": 3}
    assert document["numTraining"] == 3
    assert "overwrite_image_reader_writer" not in document
    assert "ignore" not in json.loads(nnunet_document(LISTING._replace(ignore=None)))["labels"]
    assert json.loads(nnunet_document(LISTING, "NibabelIO"))["overwrite_image_reader_writer"] == "NibabelIO"
    assert json.loads(nnunet_splits(LISTING)) == [{"train": ["a", "b"], "val": ["v"]}]


def test_the_lists_are_read_back_without_a_remark(tmp_path):
    """What MSD and MONAI lists hold is what import reads in them: every case in its split, counts as announced."""
    for document in (msd_document(LISTING), monai_document(LISTING), msd_document(LISTING, channel=True)):
        (tmp_path / "dataset.json").write_bytes(document)
        manifest = read_manifest(tmp_path / "dataset.json")
        assert manifest.findings == ()
        for split, pairs in (("train", TRAIN), ("validation", VALIDATION), ("test", TEST)):
            reviewed = review(tmp_path / "dataset.json", manifest, split)
            assert [entry.case for entry in reviewed.entries] == [pair.case for pair in pairs]
            assert not reviewed.findings
    listed = json.loads(msd_document(LISTING, channel=True))["training"][0]["image"]
    assert listed == "./imagesTr/a.nii.gz"  # version 1 adds the channel itself
