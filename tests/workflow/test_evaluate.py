"""Scores of labels against references: what is scored, and that it is FLARE's own figure."""

from __future__ import annotations

import pytest

from flaredb.errors import InvalidDataError, NotFoundError
from flaredb.workflow.cohort import EXTERNAL
from flaredb.workflow.evaluate import evaluate, score_files
from flaredb.workflow.export_nifti import export_nifti
from flaredb.workflow.ingest_labels import LabelOptions
from tests.cohorts import add_case, add_label, blocks, codes, flaredb

TRUTH = LabelOptions("flare23", "ground-truth")
PSEUDO = LabelOptions("p", "pseudo", accepted=False)


def test_only_exhaustive_truth_is_scored(empty, tmp_path):
    """A structure whose truth is positive-only or missing is absent from the scores, whatever was predicted."""
    add_case(empty, tmp_path, "a", split="validation")
    add_label(empty, tmp_path / "1", "a", blocks(1, 3, 14), "liver,spleen", TRUTH, positive_only="tumor")
    add_label(empty, tmp_path / "2", "a", blocks(1, 2, 3), "all", PSEUDO)
    found = evaluate(empty, "p")
    (row,) = found.cases
    assert set(row["structures"]) == {"liver", "spleen"}
    assert row["structures"]["liver"] == {"dsc": 1.0, "nsd": 1.0}
    assert row["structures"]["spleen"]["dsc"] == 0.0
    assert set(found.mean) == {"liver", "spleen"}
    assert found.tumor is None
    assert found.organ_mean is not None
    assert found.organ_mean["dsc"] == pytest.approx(0.5)


def test_only_what_was_predicted_is_scored(empty, tmp_path):
    """A label is not scored on structures it does not speak about."""
    add_case(empty, tmp_path, "a", split="validation")
    add_label(empty, tmp_path / "1", "a", blocks(1, 3), "liver,spleen", TRUTH)
    add_label(empty, tmp_path / "2", "a", blocks(1), "liver", PSEUDO)
    assert set(evaluate(empty, "p").mean) == {"liver"}


def test_a_missed_structure_scores_zero_and_an_absent_one_one(empty, tmp_path):
    """An empty prediction of what is there is 0, an empty one of what is absent 1."""
    add_case(empty, tmp_path, "a", split="validation")
    add_label(empty, tmp_path / "1", "a", blocks(1), "liver,gallbladder", TRUTH)
    add_label(empty, tmp_path / "2", "a", blocks(0), "liver,gallbladder", PSEUDO)
    (row,) = evaluate(empty, "p").cases
    assert row["structures"] == {"liver": {"dsc": 0.0, "nsd": 0.0}, "gallbladder": {"dsc": 1.0, "nsd": 1.0}}


def test_scores_are_kept_and_not_made_twice(empty, tmp_path):
    """A second evaluation gives the same figures from the same rows."""
    add_case(empty, tmp_path, "a", split="validation")
    add_label(empty, tmp_path / "1", "a", blocks(1, 3), "liver,spleen", TRUTH)
    add_label(empty, tmp_path / "2", "a", blocks(1), "liver,spleen", PSEUDO)
    first = evaluate(empty, "p")
    rows = empty.sql("SELECT * FROM scores")
    assert evaluate(empty, "p") == first
    assert empty.sql("SELECT * FROM scores") == rows
    assert {row["metric"] for row in rows} == {"dsc", "nsd", "present"}


def test_the_catalogue_scores_as_files_do(after_round, tmp_path):
    """Scores in the catalogue equal those of the exported files, in whatever axes the files have."""
    found = evaluate(after_round, "organ/1")
    export_nifti(after_round, tmp_path / "out")
    folder = tmp_path / "out" / "labels"
    validation = [row["case"] for row in found.cases]
    assert validation == ["FLARE23Ts_0001", "FLARE23Ts_0002"]
    for row in found.cases:
        name = f"{row['case']}.nii.gz"
        files = score_files(folder / "organ" / "1" / "1" / name, folder / "flare23" / "1" / name)
        (other,) = files.cases
        assert row["structures"] == {key: other["structures"][key] for key in row["structures"]}


def test_the_catalogue_scores_an_external_source_by_its_mapping(workspace):
    """Labels with codes of their own are scored by what the codes mean; a superset is not scored as its member."""
    found = evaluate(workspace, "flare21")
    assert found.mean["liver"]["dsc"] > 0.5
    assert set(found.mean) == {"liver", "spleen", "pancreas"}


def test_score_of_files_against_themselves(files):
    """Truth against truth is 1 everywhere, and the command prints what the function gives."""
    found = score_files(files / "val-gt", files / "val-gt")
    assert all(means["dsc"] == means["nsd"] == 1.0 for means in found.mean.values())
    done = flaredb("score", files / "val-gt", files / "val-gt")
    assert done.json["mean"] == found.mean
    assert set(done.json) >= {"protocol", "cases", "mean", "organ_mean", "tumor"}


def test_a_missing_prediction_is_refused(files, tmp_path):
    """Every reference must have a prediction, and the one that lacks it is named."""
    path = codes(tmp_path / "FLARE23Ts_0001.nii.gz", 0).parent
    with pytest.raises(InvalidDataError, match="FLARE23Ts_0002"):
        score_files(path, files / "val-gt")


def test_other_shapes_are_refused(files, tmp_path):
    """Files of different shape are not compared."""
    (truth,) = list((files / "val-gt").glob("*_0001.nii.gz"))
    with pytest.raises(InvalidDataError):
        score_files(codes(tmp_path / truth.name, 0), truth)


def test_nothing_to_score_is_said(workspace):
    """An unknown source or protocol is not found; a split without labels is refused with a way on."""
    with pytest.raises(NotFoundError, match="flare21"):
        evaluate(workspace, "nobody")
    with pytest.raises(NotFoundError, match="flare23"):
        evaluate(workspace, "flare21", protocol="flare99")
    with pytest.raises(InvalidDataError, match="flaredb predict"):
        evaluate(workspace, "flare21", split="test")


def test_against_another_source(workspace):
    """`--against` takes that source's labels as references instead of people's."""
    found = evaluate(workspace, "flare23", against="flare21")
    assert set(found.mean) == {"liver", "spleen", "pancreas"}


def test_external_files_of_the_cohort_are_scored_as_flare21(files):
    """The older protocol has four structures and no tumour."""
    found = score_files(files / EXTERNAL, files / EXTERNAL, "flare21")
    assert set(found.mean) == {"liver", "kidneys", "spleen", "pancreas"}
    assert found.tumor is None
