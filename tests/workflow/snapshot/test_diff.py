"""Two snapshots, or a snapshot and what is current now: what came, what went, what changed."""

from __future__ import annotations

import pytest

from flaredb.workflow.case.events import case_exclude, case_include
from flaredb.workflow.ingest.labels import LabelOptions
from flaredb.workflow.label.sources import decide_source, withdraw_source
from flaredb.workflow.snapshot.create import snapshot_create, snapshot_show
from flaredb.workflow.snapshot.diff import snapshot_diff
from flaredb.workspace import Workspace
from tests.cohorts import add_case, add_label, blocks, flaredb

TRUTH = LabelOptions("truth", "ground-truth")
P = LabelOptions("p", "external")


def freeze(workspace: Workspace, task: str = "organ", where: str | None = None) -> str:
    (name,) = snapshot_create(workspace, task, where).ids
    return name


def plain(workspace: Workspace, name: str) -> dict[tuple[str, str], set[tuple[str, str]]]:
    """(case, structure) → the labels that a snapshot holds for it, with their roles."""
    found: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for item in snapshot_show(workspace, name)["items"]:
        for held in item["labels"]:
            for structure in held["structures"]:
                found.setdefault((item["case"], structure), set()).add((held["label"], held["role"]))
    return found


@pytest.fixture
def two(empty, tmp_path):
    """Cases `a` with truth and an external label, `b` with an external one."""
    for seed, name in enumerate("ab"):
        add_case(empty, tmp_path, name, seed)
        add_label(empty, tmp_path / "p", name, blocks(1, 3), "liver,spleen", P)
    add_label(empty, tmp_path / "t", "a", blocks(1), "liver", TRUTH)
    return empty


def test_nothing_differs_from_itself_or_from_now(two):
    """A fresh snapshot is the same as itself and as what is current."""
    name = freeze(two)
    for other in (name, "current", name[:6]):
        found = snapshot_diff(two, name, other)
        assert found == {
            "from": name,
            "to": "current" if other == "current" else name,
            "same": True,
            "added": [],
            "removed": [],
            "changed": [],
        }


def test_what_is_stale_is_said(two, tmp_path):
    """A case more, a case less, and a structure whose winner is another label, from which to which."""
    name = freeze(two)
    add_case(two, tmp_path, "c", 3)
    add_label(two, tmp_path / "p", "c", blocks(1), "liver", P)
    case_exclude(two, "b", "wrong body part")
    add_label(two, tmp_path / "n", "a", blocks(0, 1), "liver", TRUTH)
    found = snapshot_diff(two, name, "current")
    assert (found["same"], found["added"], found["removed"]) == (False, ["c"], ["b"])
    assert found["changed"] == [
        {"case": "a", "structure": "liver", "from": ["a@truth@1"], "to": ["a@truth@2"]},
    ]
    later = freeze(two)
    assert snapshot_diff(two, name, later) == {**found, "to": later}
    back = snapshot_diff(two, later, name)
    assert (back["added"], back["removed"]) == (["b"], ["c"])
    assert back["changed"] == [{**found["changed"][0], "from": ["a@truth@2"], "to": ["a@truth@1"]}]


def test_what_is_undone_is_no_longer_stale(two):
    """Excluded and included, withdrawn and restored: the snapshot is fresh again, and the same one."""
    name = freeze(two)
    case_exclude(two, "b", "x")
    withdraw_source(two, "p", "licence", ["spleen"], yes=True)
    assert snapshot_diff(two, name, "current")["changed"] == [
        {"case": "a", "structure": "spleen", "from": ["a@p@1"], "to": []}
    ]
    case_include(two, "b", "x")
    decide_source(two, "p", "restored", "found", ["spleen"])
    assert snapshot_diff(two, name, "current")["same"]
    assert freeze(two) == name


def test_the_same_question_is_asked_again(two):
    """`current` is asked with the snapshot's own task and `--where`."""
    name = freeze(two, where="\"case\" = 'b'")
    assert snapshot_diff(two, name, "current")["same"]
    case_exclude(two, "a", "not in question")
    assert snapshot_diff(two, name, "current")["same"]
    case_exclude(two, "b", "in question")
    assert snapshot_diff(two, name, "current")["removed"] == ["b"]


def test_contributors_are_marked(two, tmp_path):
    """A label that only contributes is written with its role, so that winning later is a change."""
    name = freeze(two, "all")
    add_label(two, tmp_path / "x", "b", blocks(1, 14), "liver", P, positive_only="tumor")
    changed = snapshot_diff(two, name, "current")["changed"]
    assert {"case": "b", "structure": "tumor", "from": [], "to": ["b@p@2 (contributes)"]} in changed


def test_the_difference_is_that_of_the_items(workspace):
    """On a cohort: case by case and structure by structure, what a plain comparison of the items finds."""
    first = freeze(workspace, "all")
    decide_source(workspace, "flare21", "revoked", "for the test", ["liver", "spleen"])
    case_exclude(workspace, "FLARE23_0002", "for the test")
    second = freeze(workspace, "all")
    before, after = plain(workspace, first), plain(workspace, second)
    found = snapshot_diff(workspace, first, second)
    cases = {case for case, _ in before}, {case for case, _ in after}
    assert found["added"] == sorted(cases[1] - cases[0])
    assert found["removed"] == sorted(cases[0] - cases[1]) == ["FLARE23_0002"]
    differing = {
        key
        for key in before.keys() | after.keys()
        if before.get(key) != after.get(key) and key[0] in cases[0] & cases[1]
    }
    assert {(row["case"], row["structure"]) for row in found["changed"]} == differing
    assert differing


def test_the_program_compares(two):
    """As a document, and with its exit codes."""
    name = freeze(two)
    done = flaredb("snapshot", "diff", name, "current", workspace=two.root)
    assert (done.code, done.json["same"]) == (0, True)
    assert flaredb("snapshot", "diff", name, "s-nothing", workspace=two.root).code == 3
    assert flaredb("snapshot", "diff", "current", name, workspace=two.root).code == 3
