"""Frozen answers: the same question gives the same snapshot, and only what may be trained on is in it."""

from __future__ import annotations

import pytest

from flaredb.catalog import cases, snapshots
from flaredb.errors import InvalidDataError, NotFoundError
from flaredb.labels.policy import HUMAN
from flaredb.workflow.ingest.labels import LabelOptions
from flaredb.workflow.snapshot.create import freeze, snapshot_create, snapshot_show, training_set
from flaredb.workspace import Workspace
from tests.cohorts import add_case, add_label, blocks, codes, flaredb, phantom

TRUTH = LabelOptions("flare23", "ground-truth")


def reference(workspace: Workspace, task: str) -> snapshots.Snapshot:
    """The reference snapshot of a task."""
    with workspace.run("test") as run, run.write() as write:
        name = freeze(workspace, write, task, "reference").name
    with workspace.catalog.read() as connection:
        return snapshots.find(connection, name)


def test_the_same_question_gives_the_same_snapshot(workspace):
    """Asked twice, the answer has one name; the second time nothing is added."""
    first = snapshot_create(workspace, "organ")
    second = snapshot_create(workspace, "organ")
    assert (first.added, second.added, second.unchanged) == (1, 0, 1)
    assert first.ids == second.ids
    assert snapshot_create(workspace, "tumor").ids != first.ids


def test_another_answer_is_another_snapshot(workspace, tmp_path):
    """A label more makes another snapshot; the old one still says what it said."""
    (name,) = snapshot_create(workspace, "organ").ids
    before = snapshot_show(workspace, name)
    truth = phantom(0).truth
    with workspace.catalog.read() as connection:
        grid = cases.find(connection, "FLARE23_0001").space
    path = codes(tmp_path / "FLARE23_0001.nii.gz", truth, grid)
    common = ("--source", "new", "--kind", "ground-truth", "--annotated", "all")
    assert flaredb("ingest", "labels", path, *common, workspace=workspace.root).json["added"] == 1
    (later,) = snapshot_create(workspace, "organ").ids
    assert later != name
    assert snapshot_show(workspace, name) == before


def test_only_training_cases_with_something_decided(workspace):
    """A training snapshot has no validation or test case, and no case that knows nothing of the task."""
    shown = snapshot_show(workspace, snapshot_create(workspace, "tumor").ids[0])
    names = {item["case"] for item in shown["items"]}
    with workspace.catalog.read() as connection:
        training = {case.name for case in cases.every(connection, "train")}
    annotated = {
        row["case"]
        for row in workspace.sql(
            "SELECT \"case\" FROM label_provenance WHERE structure = 'tumor' AND source = 'flare23'"
        )
    }
    assert names == training & annotated
    assert shown["cases"] == len(names) == 3


def test_show_says_what_is_trusted(workspace):
    """Each item names labels, structures and roles; kidneys of the external superset contribute and win nothing."""
    shown = snapshot_show(workspace, snapshot_create(workspace, "organ").ids[0])
    assert {"id", "digest", "task", "policy", "created", "cases", "items"} <= set(shown)
    for item in shown["items"]:
        assert len(item["image"]) == 64
        for row in item["labels"]:
            kidneys = {"right_kidney", "left_kidney"} & set(row["structures"])
            if "@flare21@" in row["label"]:
                assert (row["role"] == "contributes") == bool(kidneys)
            assert row["role"] in ("won", "contributes")


def test_where_narrows(workspace):
    """`--where` takes the cases for which it holds; a wrong one is refused with the reason."""
    where = "\"case\" = 'FLARE23_0001'"
    shown = snapshot_show(workspace, snapshot_create(workspace, "organ", where).ids[0])
    assert [item["case"] for item in shown["items"]] == ["FLARE23_0001"]
    with pytest.raises(InvalidDataError, match="--where"):
        snapshot_create(workspace, "organ", "no_such_column = 1")
    with pytest.raises(InvalidDataError, match="no train case"):
        snapshot_create(workspace, "organ", "1 = 0")


def test_references_are_human_and_exhaustive(workspace):
    """Reference snapshots hold validation cases, labels of people, and structures they won, without contributors."""
    found = reference(workspace, "organ")
    assert found.cases == ("FLARE23Ts_0001", "FLARE23Ts_0002")
    for item in found.items:
        assert item.label.kind in HUMAN
        assert item.role == "won"
        assert all(item.label.annotated[name].exhaustive for name in item.structures)


def test_a_positive_only_reference_is_none(empty, tmp_path):
    """A structure whose truth is positive-only is no reference; a pseudo label is none either."""
    add_case(empty, tmp_path, "a", split="validation")
    add_label(empty, tmp_path / "1", "a", blocks(1, 14), "liver", TRUTH, positive_only="tumor")
    add_label(empty, tmp_path / "2", "a", blocks(1, 3), "spleen", LabelOptions("p", "pseudo"))
    assert [item.structures for item in reference(empty, "all").items] == [("liver",)]
    with pytest.raises(InvalidDataError, match="no validation case"):
        reference(empty, "tumor")


def test_a_patient_who_is_judged_on_is_not_trained_on(empty, tmp_path):
    """A copy of a validation scan under another name in the training split stays out of training snapshots."""
    for name, seed, split in (("a", 1, "train"), ("b", 2, "validation"), ("copy", 2, "train")):
        add_case(empty, tmp_path, name, seed, split)
        add_label(empty, tmp_path / "l", name, blocks(1), "liver", TRUTH)
    shown = snapshot_show(empty, snapshot_create(empty, "organ").ids[0])
    assert [item["case"] for item in shown["items"]] == ["a"]


def test_a_snapshot_is_found_by_its_beginning(workspace):
    """The first digits name a snapshot; what names none or several is not found."""
    (name,) = snapshot_create(workspace, "organ").ids
    snapshot_create(workspace, "tumor")
    assert snapshot_show(workspace, name[:8])["id"] == name
    for wrong in ("s-", "s-nothing"):
        with pytest.raises(NotFoundError):
            snapshot_show(workspace, wrong)


def test_a_trainer_gets_digests_only(workspace):
    """What a trainer sees names volumes that are there, and trusts no label in what it does not annotate."""
    (name,) = snapshot_create(workspace, "all").ids
    with workspace.catalog.read() as connection:
        data = training_set(workspace, connection, name)
    stored = set(workspace.volumes.digests())
    assert {case.image for case in data.cases} <= stored
    for case in data.cases:
        for label in case.labels:
            assert label.volume in stored
            assert label.trust.won <= label.trust.structures <= set(label.trust.annotated)
