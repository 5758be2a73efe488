"""Scores of labels against references: what is scored, and that it is FLARE's own figure."""

from __future__ import annotations

import pytest

from flaredb.errors import InvalidDataError, NotFoundError
from flaredb.workflow.case.events import case_same
from flaredb.workflow.evaluate.files import score_files
from flaredb.workflow.evaluate.labels import evaluate
from flaredb.workflow.export.nifti import export_nifti
from flaredb.workflow.ingest.labels import LabelOptions
from tests.cohorts import add_case, add_label, blocks, flaredb

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


def test_measures_on_request_are_stored_and_averaged(workspace):
    """Distance and volume come beside DSC and NSD, as rows too; asking again gives the same."""
    plain = evaluate(workspace, "flare21")
    found = evaluate(workspace, "flare21", measures=("hd95", "volume"))
    liver = found.mean["liver"]
    assert (liver["dsc"], liver["nsd"]) == (plain.mean["liver"]["dsc"], plain.mean["liver"]["nsd"])
    assert liver["more"]["hd95"] > 0
    assert {"hd95", "volume_error", "reference_ml"} <= set(found.cases[0]["structures"]["liver"])
    assert evaluate(workspace, "flare21", measures=("hd95", "volume")) == found
    assert {row["metric"] for row in workspace.sql("SELECT metric FROM score_summary")} >= {"dsc", "hd95"}
    with pytest.raises(NotFoundError, match="hd95 volume detection"):
        evaluate(workspace, "flare21", measures=("beauty",))


def test_intervals_resample_patients(empty, tmp_path):
    """Two cases of one patient are one draw: there is no interval, though there is a deviation."""
    for seed, name in enumerate("ab"):
        add_case(empty, tmp_path, name, seed, split="validation")
        add_label(empty, tmp_path / f"1{name}", name, blocks(1, 3), "liver,spleen", TRUTH)
        add_label(empty, tmp_path / f"2{name}", name, blocks(1), "liver,spleen", PSEUDO)
    apart = evaluate(empty, "p").mean["spleen"]
    assert apart["dsc_std"] == 0.0
    assert apart["dsc_interval"] == (0.0, 0.0)
    case_same(empty, "a", "b", "one person")
    together = evaluate(empty, "p").mean["spleen"]
    assert (together["n"], together["dsc_interval"]) == (2, None)


def test_references_without_a_prediction_are_named(empty, tmp_path):
    """They are counted, named and make the exit code 1; a reference about other structures does not count."""
    for seed, name in enumerate("abcd"):
        add_case(empty, tmp_path, name, seed, split="validation")
    for name in "abc":
        add_label(empty, tmp_path / "1", name, blocks(1, 3), "liver,spleen", TRUTH)
    add_label(empty, tmp_path / "1", "d", blocks(2), "right_kidney", TRUTH)
    add_label(empty, tmp_path / "2", "b", blocks(1), "liver", PSEUDO)
    found = evaluate(empty, "p")
    (finding,) = found.findings
    assert (finding.severity, finding.rule, found.failed) == ("error", "missing-prediction", 2)
    assert finding.message.startswith("2 references have no label of p and are not in the means: a c;")
    done = flaredb("evaluate", "--source", "p", workspace=empty.root)
    assert (done.code, done.json["failed"], [row["case"] for row in done.json["cases"]]) == (1, 2, ["b"])
    for name in "ac":
        add_label(empty, tmp_path / "2", name, blocks(1), "liver", PSEUDO)
    assert (evaluate(empty, "p").failed, evaluate(empty, "p").findings) == (0, ())
