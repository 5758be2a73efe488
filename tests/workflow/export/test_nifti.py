"""What leaves is what came in; current labels leave with what is undecided marked."""

from __future__ import annotations

import json

import nibabel
import numpy as np
import pytest

from flaredb.catalog import cases
from flaredb.errors import ConflictError, NotFoundError
from flaredb.workflow.demo.cohort import EXTERNAL
from flaredb.workflow.export.choice import ExportOptions
from flaredb.workflow.export.nifti import export_nifti
from flaredb.workflow.ingest.annotated import stated
from flaredb.workflow.ingest.labels import LabelOptions, ingest_labels
from tests.cohorts import add_case, add_label, blocks, codes


def array(path):
    return np.asarray(nibabel.load(path).dataobj)


def test_files_leave_as_they_came(workspace, files, tmp_path):
    """Every file of the cohort, whatever its axes, comes back with its voxels, affine and type."""
    export_nifti(workspace, tmp_path / "out")
    pairs = [(tmp_path / "out" / "labels" / "flare21" / "1" / f.name, f) for f in (files / EXTERNAL).glob("*.nii.gz")]
    for folder in ("imagesTr2200", "unlabeledTr1800", "validation", "test"):
        pairs += [(tmp_path / "out" / "images" / f.name, f) for f in (files / folder).glob("*.nii.gz")]
    for folder in ("labelsTr2200", "val-gt", "test-gt"):
        pairs += [
            (tmp_path / "out" / "labels" / "flare23" / "1" / f.name, f) for f in (files / folder).glob("*.nii.gz")
        ]
    assert len(pairs) == 11 + 10 + 8
    assert len({nibabel.aff2axcodes(nibabel.load(f).affine) for _, f in pairs}) > 1
    for out, original in pairs:
        one, other = nibabel.load(out), nibabel.load(original)
        np.testing.assert_array_equal(np.asarray(one.dataobj), np.asarray(other.dataobj))
        np.testing.assert_array_equal(one.affine, other.affine)
        assert one.get_data_dtype() == other.get_data_dtype()


@pytest.mark.parametrize(("undecided", "value"), [("ignore", 15), ("background", 0)])
def test_current_labels_mark_what_is_undecided(empty, tmp_path, undecided, value):
    """Current classes leave with the structures' values; where several are possible the next free value, or 0."""
    add_case(empty, tmp_path, "a")
    add_label(empty, tmp_path / "1", "a", blocks(1, 14), "all", LabelOptions("flare23", "ground-truth"))
    add_case(empty, tmp_path, "b", 3)
    add_label(empty, tmp_path / "1", "b", blocks(14), "tumor", LabelOptions("flare23", "ground-truth"))
    done = export_nifti(empty, tmp_path / "out", ExportOptions("current", undecided))
    assert "labels/current/a.nii.gz" in done.ids
    decided = array(tmp_path / "out" / "labels" / "current" / "a.nii.gz")
    assert [int(v) for v in decided[:, 0, 0]] == [1, 14, 0, 0, 0, 0]
    doubtful = array(tmp_path / "out" / "labels" / "current" / "b.nii.gz")
    assert [int(v) for v in doubtful[:, 0, 0]] == [14, *[value] * 5]


def test_current_labels_are_the_workspaces(workspace, tmp_path):
    """For every case of the cohort the file holds what `Workspace.current` says; a case without a label is named."""
    export_nifti(workspace, tmp_path / "out", ExportOptions("current"))
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text(encoding="utf-8"))
    undecided = {row["case"]: row["undecided_voxels"] for row in manifest["files"] if "undecided_voxels" in row}
    silent = set(manifest["left_out"].get("no-current-label", ()))
    names = {row["case"] for row in workspace.sql('SELECT "case" FROM case_facts')}
    assert set(undecided) == names - silent
    assert silent == names - {row["case"] for row in workspace.sql('SELECT DISTINCT "case" FROM label_provenance')}
    with workspace.catalog.read() as connection:
        known = {case.name: case for case in cases.every(connection)}
    for name, count in undecided.items():
        classes = workspace.current(name).array
        written = known[name].space.to_lps(array(tmp_path / "out" / "labels" / "current" / f"{name}.nii.gz"))
        np.testing.assert_array_equal(written, np.where(classes == 255, 15, classes))
        assert count == np.count_nonzero(classes == 255)


def test_one_source_and_some_cases(workspace, tmp_path):
    """`--labels SOURCE` and `--where` leave the others out, and the manifest says what each file is."""
    done = export_nifti(workspace, tmp_path / "out", ExportOptions("flare21", where="split = 'validation'"))
    assert sorted(done.ids) == [
        "images/FLARE23Ts_0001_0000.nii.gz",
        "images/FLARE23Ts_0002_0000.nii.gz",
        "labels/flare21/1/FLARE23Ts_0001.nii.gz",
        "labels/flare21/1/FLARE23Ts_0002.nii.gz",
    ]
    manifest = {
        row["file"]: row
        for row in json.loads((tmp_path / "out" / "manifest.json").read_text(encoding="utf-8"))["files"]
    }
    assert set(manifest) == set(done.ids)
    row = manifest["labels/flare21/1/FLARE23Ts_0001.nii.gz"]
    assert row["kind"] == "external"
    assert row["codes"]["2"] == ["left_kidney", "right_kidney"]
    assert all(item["volume"] in set(workspace.volumes.digests()) for item in manifest.values())


def test_an_export_is_not_overwritten(workspace, tmp_path):
    """A folder that holds another export is refused, and so is an unknown source."""
    export_nifti(workspace, tmp_path / "out", ExportOptions(where="split = 'test'"))
    with pytest.raises(ConflictError, match="holds another export"):
        export_nifti(workspace, tmp_path / "out")
    with pytest.raises(NotFoundError, match="flare21 flare23"):
        export_nifti(workspace, tmp_path / "other", ExportOptions("nobody"))


def test_predictions_leave_on_their_scans_axes(after_round, tmp_path):
    """A prediction is exported with the affine of its scan's file."""
    export_nifti(after_round, tmp_path / "out", ExportOptions("organ/1"))
    predictions = list((tmp_path / "out" / "labels" / "organ" / "1" / "1").glob("*.nii.gz"))
    assert len(predictions) == 11
    for path in predictions:
        scan = tmp_path / "out" / "images" / path.name.replace(".nii.gz", "_0000.nii.gz")
        np.testing.assert_array_equal(nibabel.load(path).affine, nibabel.load(scan).affine)
        assert array(path).shape == array(scan).shape


def test_masks_leave_as_masks(empty, tmp_path):
    """A label that came as one file a structure leaves so, each mask with the voxels it had, where they overlap too."""
    add_case(empty, tmp_path, "a")
    drawn = {"liver": blocks(1, 1, 1), "spleen": blocks(0, 0, 0, 1), "tumor": blocks(0, 1)}
    for name, mask in drawn.items():
        codes(tmp_path / "masks" / "a" / f"{name}.nii.gz", mask)
    said = stated("liver,spleen,tumor", None, None)
    done = ingest_labels(empty, tmp_path / "masks", said, LabelOptions("masks", "ground-truth"))
    assert (done.added, done.failed) == (1, 0)
    export_nifti(empty, tmp_path / "out", ExportOptions("masks"))
    folder = tmp_path / "out" / "labels" / "masks" / "1" / "a"
    assert {path.name.removesuffix(".nii.gz") for path in folder.iterdir()} == set(drawn)
    for name in drawn:
        came = nibabel.load(tmp_path / "masks" / "a" / f"{name}.nii.gz")
        left = nibabel.load(folder / f"{name}.nii.gz")
        np.testing.assert_array_equal(np.asarray(left.dataobj), np.asarray(came.dataobj))
        np.testing.assert_array_equal(left.affine, came.affine)
