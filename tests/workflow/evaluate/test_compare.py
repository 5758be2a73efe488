"""Two sides beside each other: what they are, what differs, and how paired scores moved."""

from __future__ import annotations

import pytest

from flaredb.errors import NotFoundError
from flaredb.workflow.evaluate.compare import compare
from flaredb.workflow.evaluate.labels import evaluate
from flaredb.workflow.ingest.labels import LabelOptions
from flaredb.workflow.snapshot.create import snapshot_create
from tests.cohorts import add_case, add_label, blocks, flaredb

TRUTH = LabelOptions("truth", "ground-truth")


def generated(source):
    return LabelOptions(source, "pseudo", accepted=False)


@pytest.fixture
def two(empty, tmp_path):
    """Three cases; source p misses the spleen of a and b, q that of b alone and has no label of c."""
    for seed, name in enumerate("abc"):
        add_case(empty, tmp_path, name, seed, split="validation")
        add_label(empty, tmp_path / "t", name, blocks(1, 3), "liver,spleen", TRUTH)
    for name, values in (("a", (1,)), ("b", (1,)), ("c", (1, 3))):
        add_label(empty, tmp_path / "p", name, blocks(*values), "liver,spleen", generated("p"))
    for name, values in (("a", (1, 3)), ("b", (1,))):
        add_label(empty, tmp_path / "q", name, blocks(*values), "liver,spleen", generated("q"))
    return empty


def test_changes_are_paired_by_case(two):
    """Only cases that both have labelled count, on both sides; the change is the second less the first."""
    found = compare(two, "p", "q")
    assert found.cases == 2
    spleen = found.structures["spleen"]
    assert (spleen["first"]["dsc"], spleen["second"]["dsc"], spleen["dsc"]) == (0.0, 0.5, 0.5)
    assert spleen["n"] == 2
    assert spleen["dsc_interval"] == [0.0, 1.0]
    assert found.structures["liver"]["dsc_interval"] == [0.0, 0.0]
    back = compare(two, "q", "p").structures["spleen"]
    assert (back["dsc"], back["dsc_interval"]) == (-0.5, [-1.0, 0.0])


def test_cases_that_moved_most_are_named(two):
    """A case comes with its mean change and the structure that moved most; one that did not move is left out."""
    assert compare(two, "p", "q").moved == [
        {"case": "a", "change": 0.5, "structure": "spleen", "structure_change": 1.0}
    ]


def test_scores_are_those_of_evaluate(two):
    """Comparing a source with itself gives evaluate's means, and no change."""
    found = compare(two, "p", "p")
    means = evaluate(two, "p").mean
    assert {name: row["first"]["dsc"] for name, row in found.structures.items()} == {
        name: row["dsc"] for name, row in means.items()
    }
    assert all(row["dsc"] == row["nsd"] == 0.0 for row in found.structures.values())
    assert found.moved == []


def test_sources_without_models_have_no_settings(two):
    """What cannot be told is null, and a note says why."""
    found = compare(two, "p", "q")
    assert (found.settings, found.data) == (None, None)
    assert any("no data" in note for note in found.notes)
    assert (found.first.type, found.first.source, found.first.model) == ("source", "p", None)


def test_snapshots_are_compared_by_what_they_hold(workspace):
    """Two snapshots have data and no scores."""
    (one,) = snapshot_create(workspace, "organ").ids
    (two,) = snapshot_create(workspace, "organ", "\"case\" <> 'FLARE23_0001'").ids
    found = compare(workspace, one, two)
    assert found.data is not None
    assert (found.data["removed"], found.data["same"]) == (["FLARE23_0001"], False)
    assert (found.first.type, found.structures, found.settings) == ("snapshot", {}, None)
    assert any("no labels to score" in note for note in found.notes)


def test_a_round_against_its_model_and_a_source(after_round):
    """A round knows its source, model and snapshot; its model is the same thing by another name."""
    turn = compare(after_round, "organ/1", "latest:organ")
    assert (turn.first.type, turn.second.type) == ("round", "model")
    assert turn.first[2:] == turn.second[2:]
    assert (turn.settings, turn.data["same"], turn.moved) == ([], True, [])
    done = flaredb("compare", "organ/1", "flare21", workspace=after_round.root)
    assert done.code == 0
    assert set(done.json["structures"]) == {"liver", "spleen", "pancreas"}


def test_unknown_names_and_empty_splits(two):
    """A name that is nothing is not found, with what there is; a split without pairs gives a note."""
    with pytest.raises(NotFoundError, match=r"nobody.*p q truth"):
        compare(two, "p", "nobody")
    found = compare(two, "p", "q", split="test")
    assert (found.structures, found.cases) == ({}, 0)
    assert any("no test case" in note for note in found.notes)
