"""A loop runs so many rounds in all: interrupted, failed or waiting at a gate, the same call goes on."""

from __future__ import annotations

import pytest

from flaredb.catalog import rounds
from flaredb.errors import ConflictError
from flaredb.workflow.rounds import loop as module
from flaredb.workflow.rounds.advance import RoundOptions, round_start, run_to_end
from flaredb.workflow.rounds.decide import reject
from flaredb.workflow.rounds.loop import loop
from flaredb.workflow.schedule.entries import OCCURRENCE
from flaredb.workspace import Workspace
from tests.cohorts import tiny

OPTIONS = RoundOptions(tiny(steps=1), device="cpu")


def names(rows: list[dict]) -> list[str]:
    """The rounds of a loop."""
    return [row["round"] for row in rows]


class Killed(BaseException):
    """As if the process had ended."""


def test_an_interrupted_loop_goes_on(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Interrupted in its second round of two it runs that one to its end, and no third."""

    def interrupted(opened: Workspace, name: str) -> object:
        if name == "tumor/2":
            raise Killed
        return run_to_end(opened, name)

    monkeypatch.setattr(module, "run_to_end", interrupted)
    with pytest.raises(Killed):
        loop(workspace, "tumor", OPTIONS, 2)
    monkeypatch.undo()
    assert names(loop(workspace, "tumor", OPTIONS, 2)) == ["tumor/1", "tumor/2"]
    assert names(loop(workspace, "tumor", OPTIONS, 1)) == ["tumor/3"]
    assert len(workspace.sql("SELECT * FROM rounds")) == 3


def test_a_loop_killed_at_its_very_end_is_done(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its rounds were closed and only its own end was not recorded: the same call makes no more; `anew` does."""

    def killed(*_: object) -> object:
        raise Killed

    monkeypatch.setattr(module, "round_show", killed)
    with pytest.raises(Killed):
        loop(workspace, "tumor", OPTIONS, 1)
    monkeypatch.undo()
    assert names(loop(workspace, "tumor", OPTIONS, 1)) == ["tumor/1"]
    assert names(loop(workspace, "tumor", OPTIONS, 1, anew=True)) == ["tumor/2"]


def test_an_occurrence_of_the_schedule_is_one_loop(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run again for the same occurrence, an ended loop is what it was; the next occurrence's is another."""
    monkeypatch.setenv(OCCURRENCE, "nightly 2026-11-02 22:00 UTC")
    assert names(loop(workspace, "tumor", OPTIONS, 1)) == ["tumor/1"]
    monkeypatch.delenv(OCCURRENCE)
    assert names(loop(workspace, "tumor", OPTIONS, 1)) == ["tumor/2"]
    monkeypatch.setenv(OCCURRENCE, "nightly 2026-11-02 22:00 UTC")
    again = loop(workspace, "tumor", OPTIONS, 1)
    assert len(workspace.sql("SELECT * FROM rounds")) == 2
    assert names(again)[0] == "tumor/1"
    monkeypatch.setenv(OCCURRENCE, "nightly 2026-11-03 22:00 UTC")
    assert names(loop(workspace, "tumor", OPTIONS, 1)) == ["tumor/3"]


def test_a_loop_waits_for_people(workspace: Workspace) -> None:
    """At a gate that asks it stops; decided by hand, that round counts and the same call runs the next."""
    asking = OPTIONS._replace(gate="ask")
    (waiting,) = loop(workspace, "tumor", asking, 2)
    assert (waiting["round"], waiting["state"]) == ("tumor/1", "evaluated")
    assert names(loop(workspace, "tumor", asking, 2)) == ["tumor/1"]
    reject(workspace, "tumor/1", "no good")
    done = loop(workspace, "tumor", asking, 2)
    assert [(row["round"], row["state"]) for row in done] == [("tumor/1", "rejected"), ("tumor/2", "evaluated")]


def test_another_number_is_another_loop(workspace: Workspace) -> None:
    """What was begun with another number does not count; an open round is finished first."""
    asking = OPTIONS._replace(gate="ask")
    loop(workspace, "tumor", asking, 3)
    reject(workspace, "tumor/1", "no good")
    round_start(workspace, "tumor", OPTIONS)
    assert names(loop(workspace, "tumor", OPTIONS, 1)) == ["tumor/2"]


def test_one_loop_a_task(workspace: Workspace) -> None:
    """A second one is told who loops; nothing of it is recorded."""
    with workspace.lock("loop tumor"), pytest.raises(ConflictError, match="loop tumor is being worked on by process"):
        loop(workspace, "tumor", OPTIONS, 1)
    assert workspace.sql("SELECT * FROM operations WHERE command = 'loop'") == []


def test_every_round_of_a_loop_starts_from_the_one_before(workspace: Workspace) -> None:
    """`latest` is the newest model when each round starts: none before the first, its model before the second."""
    loop(workspace, "tumor", OPTIONS._replace(warm="latest"), 2)
    with workspace.catalog.read() as connection:
        first, second = (rounds.find(connection, f"tumor/{number}") for number in (1, 2))
    assert (first.settings["warm"], second.settings["warm"]) == (None, first.model)
