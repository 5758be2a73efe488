"""Labels that lie on the lattice and are still wrong: flipped, of another patient, or another case's."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel
import numpy as np
import pytest

from flaredb.labels.structures import FLARE23
from tests.builders import REAL_DATA
from tests.cohorts import add_case, add_label, blocks, flaredb, rules
from tests.workflow.ingest.test_images_labels import OTHER, TRUTH

real = pytest.mark.skipif(not REAL_DATA.exists(), reason="needs the real data")
RULE = "label-not-of-this-scan"


def flipped(path: Path, axes: tuple[int, ...], out: Path) -> Path:
    """A label with its array flipped and its header left as it is."""
    image = nibabel.load(path)
    nibabel.save(nibabel.Nifti1Image(np.flip(np.asarray(image.dataobj), axes), image.affine), out)
    return out


def told(workspace, path: Path, case: str, mapping: object, source: str) -> list[str]:
    """The rules of what is said when a label comes in."""
    command = ("--source", source, "--kind", "external", "--annotated", "liver", "--mapping", mapping)
    done = flaredb("ingest", "labels", path, "--case", case, *command, workspace=workspace.root)
    assert (done.code, done.json["added"]) == (0, 1), done.err
    return [finding["rule"] for finding in done.json["findings"]]


@real
def test_a_flipped_label_of_a_patient_is_noticed(empty, tmp_path):
    """The experts' label raises no doubt; the same flipped from front to back, header untouched, does."""
    table = json.loads((REAL_DATA / "ircad_p01" / "label_map.json").read_text(encoding="utf-8"))["to_FLARE23"]
    lines = [f'{code} = "{FLARE23.names[value - 1]}"' for code, value in table.items()]
    mapping = tmp_path / "ircad.toml"
    mapping.write_text("\n".join(["range = 513", "[codes]", *lines]))
    flaredb("ingest", "images", REAL_DATA / "ircad_p01" / "ct.nii.gz", "--case", "p", workspace=empty.root)
    path = REAL_DATA / "ircad_p01" / "labels.nii.gz"
    assert told(empty, path, "p", mapping, "right") == []
    assert told(empty, flipped(path, (1,), tmp_path / "f.nii.gz"), "p", mapping, "wrong") == [RULE]


@real
def test_a_label_flipped_twice_is_noticed(empty, tmp_path):
    """The DICOM series' label, whose y axis is stored the other way, is right; flipped without its header it is not."""
    flaredb("ingest", "images", REAL_DATA / "dicom20" / "dicom", "--case", "d", workspace=empty.root)
    path = REAL_DATA / "dicom20" / "seg.nii.gz"
    assert told(empty, path, "d", "totalsegmentator-v2", "right") == []
    assert told(empty, flipped(path, (1,), tmp_path / "f.nii.gz"), "d", "totalsegmentator-v2", "wrong") == [RULE]


@real
def test_model_made_labels_raise_no_doubt(empty):
    """Labels of two class maps and six versions lie where they should."""
    folder = REAL_DATA / "totalseg"
    for case, version in (
        ("ct", "2022-08-04_v1"),
        ("ct", "2026_fast_v2"),
        ("ct_sm", "2023-08-29"),
        ("ct_sm", "2026_fast"),
    ):
        flaredb("ingest", "images", folder / f"{case}.nii.gz", workspace=empty.root)
        mapping = "totalsegmentator-v1" if "v1" in version else "totalsegmentator-v2"
        path = folder / f"{case}_labels" / f"{version}.nii.gz"
        assert told(empty, path, case, mapping, version.replace("_", "-")) == []


def test_phantoms_raise_no_doubt(workspace):
    """Nothing is said of a made-up cohort's labels."""
    assert workspace.sql(f"SELECT * FROM findings WHERE rule = '{RULE}'") == []


def test_another_cases_label_is_noticed(empty, tmp_path):
    """The same marked voxels on the same grid under another case are remarked; empty labels and revisions are not."""
    for name in "abc":
        add_case(empty, tmp_path / "images", name, ord(name))
    assert rules(add_label(empty, tmp_path / "a", "a", blocks(1, 2), "liver,right_kidney", TRUTH)) == []
    assert rules(add_label(empty, tmp_path / "a", "a", blocks(1, 2), "liver,right_kidney", OTHER)) == []
    done = add_label(empty, tmp_path / "b", "b", blocks(1, 2), "liver,right_kidney", TRUTH)
    assert (done.added, rules(done)) == (1, ["duplicate-label"])
    assert "a@flare23@1 and 1 more" in done.findings[0].message
    assert rules(add_label(empty, tmp_path / "b", "b", blocks(1, 2), "liver", TRUTH)) == ["duplicate-label"]
    for name in "bc":
        assert rules(add_label(empty, tmp_path / name, name, 0, "liver", OTHER)) == []


@real
def test_a_crop_whose_header_lies_is_noticed(empty, tmp_path):
    """The crop's header puts it at the scan's first slice; its voxels are of the last thirty, and there it fits."""
    flaredb("ingest", "images", REAL_DATA / "totalseg" / "ct.nii.gz", workspace=empty.root)
    path = REAL_DATA / "totalseg" / "ct_sm_labels" / "2026_fast.nii.gz"
    assert told(empty, path, "ct", "totalsegmentator-v2", "as-told") == ["label-cropped", RULE]
    image = nibabel.load(path)
    affine = image.affine.copy()
    affine[2, 3] += 82 * 3
    nibabel.save(nibabel.Nifti1Image(np.asarray(image.dataobj), affine), tmp_path / "right.nii.gz")
    assert told(empty, tmp_path / "right.nii.gz", "ct", "totalsegmentator-v2", "right") == ["label-cropped"]
