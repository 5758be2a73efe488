"""Withdrawal: what would be tainted is said first, nothing trains from it unasked, and a restoration undoes it."""

from __future__ import annotations

from typing import Any

import pytest

from flaredb.errors import ConflictError, NotFoundError
from flaredb.workflow.integrity.purge import case_purge
from flaredb.workflow.label.sources import decide_label, decide_source, withdraw_label, withdraw_source
from flaredb.workflow.provenance.taint import refuse_tainted
from flaredb.workflow.rounds.advance import RoundOptions, advance, round_start
from flaredb.workflow.rounds.decide import reject
from flaredb.workflow.snapshot.create import snapshot_create
from flaredb.workspace import Workspace
from tests.cohorts import flaredb, sets, tiny
from tests.families import annotated, brute_taint, flat, three_rounds

TRAIN = ("train", "--task", "organ", "--preset", "tiny", *sets(steps=1), "--device", "cpu")


@pytest.fixture
def family(empty: Workspace) -> Workspace:
    """A workspace with three rounds that descend from each other."""
    three_rounds(empty.catalog)
    return empty


def rows(workspace: Workspace) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table and view but those that only say what was asked."""
    names = workspace.sql("SELECT name FROM sqlite_master WHERE type IN ('table', 'view') ORDER BY name")
    return {row["name"]: workspace.sql(f"SELECT * FROM {row['name']}") for row in names}


def refusal(workspace: Workspace, snapshot: str, warm: str | None = None) -> str | None:
    """Why training is refused; None if it is not."""
    try:
        with workspace.catalog.read() as connection:
            refuse_tainted(connection, snapshot, warm)
    except ConflictError as error:
        return str(error)
    return None


@pytest.mark.parametrize("source", ["truth", "external", "organ/1", "organ/2", "fused"])
@pytest.mark.parametrize("structures", [None, ["liver"], ["spleen"]], ids=str)
def test_what_would_be_tainted_is_said_and_nothing_changes(family, source, structures):
    """Without `--yes` the tainted are those a plain graph search finds, and no row of any table is another."""
    before = rows(family)
    shown = withdraw_source(family, source, "licence", structures)
    asked = set(structures or family.structures.names)
    hidden = {n: own & asked for n, own in annotated(family.catalog).items() if n.split("@")[1] == source}
    hidden = {name: own for name, own in hidden.items() if own}
    assert shown.operation is None
    assert shown.would["withdraw"] == len(hidden)
    assert flat(shown.would["tainted"]) == brute_taint(family.catalog, hidden)
    assert rows(family) == before


def test_one_label_taints_less_than_its_source(family):
    """The truth of `a` alone: what learnt from it, and not the model that learnt from `c` alone."""
    whole = withdraw_source(family, "truth", "licence").would["tainted"]
    one = withdraw_label(family, "a@truth@1", "wrong side").would["tainted"]
    assert flat(one) == brute_taint(family.catalog, {"a@truth@1": {"liver"}})
    assert flat(one) < flat(whole)


def test_with_yes_it_is_withdrawn_and_says_the_same(family):
    """The event is there, and the answer is what was said before."""
    shown = withdraw_source(family, "truth", "licence")
    done = withdraw_source(family, "truth", "licence", yes=True)
    assert done.operation is not None
    assert done.would == shown.would
    rows = family.sql("SELECT label FROM label_provenance WHERE withdrawn = 1 ORDER BY label")
    assert [row["label"] for row in rows] == ["a@truth@1", "b@truth@1", "c@truth@1"]


def test_what_is_tainted_is_not_trained_from(family):
    """Exactly the snapshots and models that were said to be tainted are refused, until the source is restored."""
    snapshots = [row["name"] for row in family.sql("SELECT name FROM snapshots")]
    models = [row["name"] for row in family.sql("SELECT name FROM models")]
    assert {refusal(family, name) for name in snapshots} == {None}
    tainted = withdraw_source(family, "external", "licence", ["spleen"], yes=True).would["tainted"]
    assert {name for name in snapshots if refusal(family, name)} == set(tainted["snapshots"])
    (clean, *_) = set(snapshots) - set(tainted["snapshots"])
    assert {name for name in models if refusal(family, clean, name)} == set(tainted["models"])
    decide_source(family, "external", "restored", "licence found", ["spleen"])
    assert {refusal(family, name) for name in snapshots} == {None}


def test_a_structure_not_taken_does_not_taint(family):
    """The external liver was never trained on: withdrawing it forbids nothing."""
    assert flat(withdraw_source(family, "external", "bad livers", ["liver"], yes=True).would["tainted"]) == set()
    for row in family.sql("SELECT name FROM snapshots"):
        assert refusal(family, row["name"]) is None


def test_a_labels_own_restoration_is_narrower(family):
    """A label restored by itself does not taint, though its source is withdrawn."""
    withdraw_source(family, "external", "licence", yes=True)
    assert refusal(family, "s-000000000002")
    decide_label(family, "b@external@1", "restored", "this one may be used")
    assert refusal(family, "s-000000000002") is None


def test_unknown_names_are_not_found(family):
    """A source, label or structure that is not there."""
    for wrong in (
        lambda: withdraw_source(family, "nobody", "x"),
        lambda: withdraw_label(family, "a@nobody@1", "x"),
        lambda: withdraw_source(family, "truth", "x", ["lever"]),
    ):
        with pytest.raises(NotFoundError):
            wrong()


def test_train_refuses_and_can_be_told(workspace):
    """`train` from a tainted snapshot is exit 4 and trains nothing; `--tainted` trains; so does a restored source."""
    (snapshot,) = snapshot_create(workspace, "organ").ids
    command = (*TRAIN, "--snapshot", snapshot)
    reason = ("--why", "licence", "--yes")
    shown = flaredb("source", "withdraw", "flare21", *reason[:2], workspace=workspace.root)
    assert (shown.code, shown.json["would"]["tainted"]["snapshots"]) == (0, [snapshot])
    assert set(shown.json["would"]["tainted"]) == {"labels", "snapshots", "models", "rounds"}
    assert shown.json["operation"] is None
    done = flaredb("source", "withdraw", "flare21", *reason, workspace=workspace.root)
    assert done.json["would"] == shown.json["would"]
    refused = flaredb(*command, workspace=workspace.root)
    assert refused.code == 4
    assert "--tainted" in refused.json["error"]
    assert workspace.sql("SELECT * FROM models") == []
    assert flaredb(*command, "--tainted", workspace=workspace.root).code == 0
    (model,) = (row["name"] for row in workspace.sql("SELECT name FROM models"))
    fresh = flaredb(*TRAIN, workspace=workspace.root)  # what is current now holds nothing withdrawn
    assert fresh.code == 0
    assert fresh.json["snapshot"] != snapshot
    warm = flaredb(*TRAIN, "--from", model, workspace=workspace.root)
    assert (warm.code, "withdrawn" in warm.json["error"]) == (4, True)
    more = ("train", "--resume", model, "--set", "steps=2", "--device", "cpu")
    resumed = flaredb(*more, workspace=workspace.root)
    assert (resumed.code, "--tainted" in resumed.json["error"]) == (4, True)
    assert flaredb(*more, "--tainted", workspace=workspace.root).code == 0
    restored = flaredb("source", "restore", "flare21", "--why", "licence found", workspace=workspace.root)
    assert restored.json["added"] == 1
    assert flaredb(*command, workspace=workspace.root).code == 0
    assert flaredb(*TRAIN, "--from", model, workspace=workspace.root).code == 0


def test_an_open_round_does_not_train_from_what_was_withdrawn(workspace):
    """What was withdrawn, or purged, between its start and its training stops it; rejected, another can start."""
    options = RoundOptions(tiny(steps=1), gate="ask", device="cpu")
    round_start(workspace, "organ", options)
    withdraw_source(workspace, "flare21", "licence", yes=True)
    with pytest.raises(ConflictError, match="round reject organ/1"):
        advance(workspace, "organ/1")
    decide_source(workspace, "flare21", "restored", "licence found")
    case_purge(workspace, "FLARE23_0001", "consent", yes=True)
    with pytest.raises(ConflictError, match="purged; flaredb round reject organ/1"):
        advance(workspace, "organ/1")
    assert workspace.sql("SELECT * FROM models") == []
    reject(workspace, "organ/1", "its labels went")
    round_start(workspace, "organ", options)
    advance(workspace, "organ/2")
    assert len(workspace.sql("SELECT * FROM models")) == 1
