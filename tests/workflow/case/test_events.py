"""What people say of a case: out of use and back, other names, whose it is."""

from __future__ import annotations

from typing import Any

import pytest

from flaredb.catalog import cases, labels
from flaredb.errors import ConflictError, InvalidDataError, NotFoundError, UsageError
from flaredb.workflow.case.events import case_distinct, case_exclude, case_include, case_rename, case_same
from flaredb.workflow.ingest.images import ImageOptions, ingest_images
from flaredb.workflow.ingest.labels import LabelOptions
from flaredb.workflow.integrity.fsck import fsck
from flaredb.workflow.provenance.current import label_current, label_explain
from flaredb.workflow.snapshot.create import snapshot_create, snapshot_show
from flaredb.workspace import Workspace
from tests.cohorts import add_case, add_label, blocks, flaredb

TRUTH = LabelOptions("truth", "ground-truth")


@pytest.fixture
def three(empty, tmp_path):
    """Cases a, b and c with a liver each; c is for validation."""
    for seed, (name, split) in enumerate([("a", "train"), ("b", "train"), ("c", "validation")]):
        add_case(empty, tmp_path, name, seed, split)
        add_label(empty, tmp_path / "l", name, blocks(1), "liver", TRUTH)
    return empty


def find(workspace: Workspace, name: str) -> cases.Case:
    with workspace.catalog.read() as connection:
        return cases.find(connection, name)


def current(workspace: Workspace) -> dict[str, str | None]:
    """Case → the label of its liver."""
    return {row["case"]: row["label"] for row in label_current(workspace) if row["structure"] == "liver"}


def frozen(workspace: Workspace) -> list[str]:
    """Cases of a fresh snapshot."""
    (name,) = snapshot_create(workspace, "organ").ids
    return [item["case"] for item in snapshot_show(workspace, name)["items"]]


def events(workspace: Workspace) -> list[tuple[Any, ...]]:
    rows = workspace.sql("SELECT event, detail, why FROM case_events ORDER BY id")
    return [tuple(row.values()) for row in rows]


def test_an_excluded_case_is_out_of_use(three):
    """No current labels, in no snapshot; its labels stay and are explained; including it gives all of it back."""
    before = current(three)
    done = case_exclude(three, "a", "wrong body part")
    assert (done.ids, done.added) == (("a",), 1)
    assert current(three) == {**before, "a": None}
    assert frozen(three) == ["b"]
    (candidate,) = label_explain(three, "a")[0]["candidates"]
    assert candidate["outcome"] == "excluded"
    assert case_exclude(three, "a", "again").unchanged == 1
    assert case_include(three, "a", "looked again").added == 1
    assert case_include(three, "a", "and again").unchanged == 1
    assert current(three) == before
    assert frozen(three) == ["a", "b"]
    assert events(three) == [("excluded", "", "wrong body part"), ("included", "", "looked again")]
    assert fsck(three, history=True).problems == ()


def test_a_label_that_comes_while_a_case_is_excluded_waits(three, tmp_path):
    """It is current once the case is included."""
    case_exclude(three, "a", "for now")
    add_label(three, tmp_path / "n", "a", blocks(0, 1), "liver", TRUTH)
    assert current(three)["a"] is None
    case_include(three, "a", "back")
    assert current(three)["a"] == "a@truth@2"


def test_a_renamed_case_is_found_under_every_name(three):
    """Case and labels, by old names and the new one; what is shown bears the new one."""
    digest = find(three, "a").image
    case_rename(three, "a", "anna", "its name")
    case_rename(three, "anna", "berta", "its other name")
    for name in ("a", "anna", "berta"):
        assert find(three, name).name == "berta"
        assert find(three, name).image == digest
        with three.catalog.read() as connection:
            assert labels.find(connection, f"{name}@truth").name == "berta@truth@1"
            assert labels.find(connection, f"{name}@truth@1").case == "berta"
        assert {row["case"] for row in label_current(three, name)} == {"berta"}
    assert sorted(current(three)) == ["b", "berta", "c"]
    assert events(three) == [("renamed", "a", "its name"), ("renamed", "anna", "its other name")]


def test_a_name_that_is_or_was_taken_is_refused(three):
    """Another case's name or former name; its own former name it can have again."""
    case_rename(three, "a", "anna", "")
    for taken in ("b", "c"):
        with pytest.raises(ConflictError, match=taken):
            case_rename(three, "anna", taken, "")
    with pytest.raises(ConflictError, match="was"):
        case_rename(three, "b", "a", "")
    assert case_rename(three, "a", "anna", "").unchanged == 1
    case_rename(three, "anna", "a", "back")
    assert find(three, "anna").name == "a"
    assert sorted(current(three)) == ["a", "b", "c"]


@pytest.mark.parametrize("name", ["", "a b", "../x", "a/b", "a@b", "é", "x" * 200, "a..b"])
def test_a_name_goes_into_paths(three, name):
    """What cannot be part of a path or of a label's name is refused."""
    with pytest.raises(InvalidDataError, match="name of a case"):
        case_rename(three, "a", name, "")
    assert find(three, "a").name == "a"


def test_files_of_a_renamed_case_are_still_its_files(three, tmp_path):
    """Importing scan and label again by the old name is `unchanged`; a new label by the old name is its label."""
    case_rename(three, "a", "anna", "")
    again = ingest_images(three, tmp_path / "a_0000.nii.gz", options=ImageOptions("train"))
    assert (again.added, again.unchanged, again.failed) == (0, 1, 0)
    assert add_label(three, tmp_path / "l", "a", blocks(1), "liver", TRUTH).unchanged == 1
    done = add_label(three, tmp_path / "n", "a", blocks(0, 1), "liver", TRUTH)
    assert done.ids == ("anna@truth@2",)
    assert len(three.sql("SELECT name FROM cases")) == 3
    assert fsck(three, history=True).problems == ()


def test_a_snapshot_follows_the_name(three):
    """Snapshots hold cases, not names: the items are shown under the new name."""
    (name,) = snapshot_create(three, "organ").ids
    case_rename(three, "a", "anna", "")
    assert [item["case"] for item in snapshot_show(three, name)["items"]] == ["anna", "b"]


def test_two_cases_are_of_one_patient(three):
    """Said once, it holds for all cases of both patients, and can be taken back for one of them."""
    assert find(three, "a").patient != find(three, "b").patient
    done = case_same(three, "a", "b", "two phases")
    assert (done.ids, done.added) == (("a", "b"), 1)
    assert find(three, "a").patient == find(three, "b").patient
    assert case_same(three, "b", "a", "again").unchanged == 1
    apart = case_distinct(three, "a", "b", "no, brothers")
    assert (apart.ids, apart.added) == (("b",), 1)
    assert find(three, "a").patient != find(three, "b").patient
    assert case_distinct(three, "a", "b", "again").unchanged == 1
    assert case_same(three, "a", "b", "yes").added == 1
    assert case_distinct(three, "a", "b", "no").added == 1
    assert len({find(three, name).patient for name in "abc"}) == 3
    used = {row["patient"] for row in three.sql("SELECT patient FROM case_facts")}
    assert used <= {row["key"] for row in three.sql("SELECT key FROM patients")}


def test_a_patient_is_not_put_into_two_splits(three):
    """Neither at once nor by way of a third case."""
    with pytest.raises(ConflictError, match="two splits: train validation"):
        case_same(three, "a", "c", "two phases")
    case_same(three, "a", "b", "two phases")
    with pytest.raises(ConflictError, match="two splits"):
        case_same(three, "c", "b", "two phases")
    assert find(three, "a").patient == find(three, "b").patient != find(three, "c").patient


def test_equal_scans_can_be_told_apart(empty, tmp_path):
    """Equal voxels are one patient until somebody says otherwise; an import does not bring them together again."""
    for name in ("a", "twin"):
        add_case(empty, tmp_path, name, 5)
    assert find(empty, "a").patient == find(empty, "twin").patient
    case_distinct(empty, "a", "twin", "a phantom scanned twice")
    assert find(empty, "a").patient != find(empty, "twin").patient
    add_case(empty, tmp_path, "twin", 5)
    assert find(empty, "a").patient != find(empty, "twin").patient


def test_a_case_is_not_another_than_itself(three):
    """One case given twice, also by a former name."""
    case_rename(three, "a", "anna", "")
    for other in ("a", "anna"):
        with pytest.raises(UsageError, match="one case"):
            case_distinct(three, "anna", other, "")
        assert case_same(three, "anna", other, "").unchanged == 1


def test_unknown_cases_are_not_found(three):
    """Every verb says so, and nothing is changed."""
    verbs: list[Any] = [
        lambda: case_exclude(three, "nobody", "x"),
        lambda: case_include(three, "nobody", "x"),
        lambda: case_rename(three, "nobody", "n", "x"),
        lambda: case_same(three, "a", "nobody", "x"),
        lambda: case_distinct(three, "nobody", "a", "x"),
    ]
    for verb in verbs:
        with pytest.raises(NotFoundError, match="nobody"):
            verb()
    assert events(three) == []


def test_the_program_says_it(three):
    """The documents and exit codes of the five commands, and the log by case, by any of its names."""
    done = [
        flaredb("case", "exclude", "a", "--why", "x", workspace=three.root),
        flaredb("case", "include", "a", "--why", "x", workspace=three.root),
        flaredb("case", "rename", "a", "anna", workspace=three.root),
        flaredb("case", "same", "anna", "b", workspace=three.root),
        flaredb("case", "distinct", "a", "b", workspace=three.root),
    ]
    assert [(one.code, one.json["added"]) for one in done] == [(0, 1)] * 5
    assert flaredb("case", "exclude", "a", workspace=three.root).code == 2
    assert flaredb("case", "same", "a", "c", workspace=three.root).code == 4
    assert flaredb("case", "rename", "a", "b", workspace=three.root).code == 4
    assert flaredb("case", "rename", "a", "a b", workspace=three.root).code == 5
    assert flaredb("case", "show", "nobody", workspace=three.root).code == 3
    shown = flaredb("case", "show", "a", workspace=three.root).json
    assert (shown["name"], shown["labels"], shown["aliases"]) == ("anna", ["anna@truth@1"], ["a"])
    for name in ("a", "anna"):
        told = flaredb("log", "--case", name, workspace=three.root).json
        commands = [row["command"] for row in told if row["outcome"] == "done" and row["command"].startswith("case")]
        assert commands == ["case distinct", "case same", "case rename", "case include", "case exclude"]
    listed = flaredb("label", "list", "a", workspace=three.root)
    assert (listed.code, [row["name"] for row in listed.json]) == (0, ["anna@truth@1"])
