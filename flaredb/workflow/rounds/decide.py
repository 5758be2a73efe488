"""Decisions on a round: promote, reject, roll back. Each is an event, and none is ever erased.

Whoever decides holds the round meanwhile, and moves it only from the state in which it was looked at: of two who decide
at once, one acts and the other is told who holds it or what has changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from flaredb.catalog import acceptances, labels, rounds, snapshots
from flaredb.catalog.database import Write
from flaredb.catalog.rounds import Round
from flaredb.errors import ConflictError, NeedsPeopleError, UsageError
from flaredb.workflow.results import Result
from flaredb.workflow.rounds.ancestry import descendants, learners, made_of
from flaredb.workflow.rounds.events import announced
from flaredb.workflow.rounds.promotion_filter import Filter, round_demands
from flaredb.workflow.rounds.show import round_show
from flaredb.workspace import Workspace

_DECIDED = ("evaluated", "rejected", "rolled-back")
_FORCED = ("predicted", "promoted", *_DECIDED)  # what has labels of every case


@announced()
def promote(
    workspace: Workspace,
    name: str,
    why: str,
    structures: Sequence[str] | None = None,
    force: bool = False,
    asked: Filter | None = None,
) -> Result:
    """Accept a round's predictions by hand: those the gate passed, or the named ones with `force`.

    `asked`: what each label's reliability must reach, else what the round was started with.
    """
    with _held(workspace, name) as turn:
        wanted = _wanted(workspace, turn, structures, force)
        if turn.state not in (_FORCED if force else _DECIDED):
            least = "a predicted" if force else "an evaluated"
            raise ConflictError(f"round {turn.name} is {turn.state}; only {least} round can be promoted")
        arguments = {"round": turn.name, "structures": wanted, "why": why, "force": force}
        with workspace.run("round promote", **arguments) as run, run.write() as write:
            accept(workspace, write, turn, wanted, why, force, asked)
    return Result(write.operation, (turn.name,), added=len(wanted))


@announced()
def reject(workspace: Workspace, name: str, why: str) -> Result:
    """Close an open round without accepting anything."""
    with _held(workspace, name) as turn:
        if turn.closed:
            raise ConflictError(f"round {turn.name} is {turn.state} already")
        with workspace.run("round reject", round=turn.name, why=why) as run, run.write() as write:
            rounds.move(write, turn, "rejected", why)
    return Result(write.operation, (turn.name,), added=1)


@announced()
def rollback(workspace: Workspace, name: str, why: str, cascade: bool = False) -> Result:
    """Undo a promotion. What descends from it and counts is listed first, and undone too with `cascade`.

    That is later rounds that trained on it, and other sources whose labels were made of it, such as fused ones.
    What the round was promoted for counts no more, and what was current before is current again.
    """
    with _held(workspace, name) as turn:
        if turn.state != "promoted":
            raise ConflictError(f"round {turn.name} is {turn.state}; only a promoted round can be rolled back")
        with workspace.catalog.read() as connection:
            later = [each.name for each in descendants(connection, turn)]
            made = sorted(made_of(connection, turn))
        if (later or made) and not cascade:
            would = {"rollback": [turn.name], "trained on it": later, "made of it": made, "then": "--cascade"}
            return Result(None, would=would)
        arguments = {"round": turn.name, "why": why, "cascade": cascade}
        with workspace.run("round rollback", **arguments) as run, run.write() as write:
            moved = _undo(write, turn, why, cascade)
    return Result(write.operation, moved, added=len(moved))


@contextmanager
def _held(workspace: Workspace, name: str) -> Iterator[Round]:
    """A round as it is while nobody else works on it; ConflictError names who does."""
    with workspace.catalog.read() as connection:
        own = rounds.find(connection, name).name
    with workspace.lock(f"round {own}"):
        with workspace.catalog.read() as connection:
            turn = rounds.find(connection, own)
        yield turn


def _wanted(workspace: Workspace, turn: Round, structures: Sequence[str] | None, force: bool) -> list[str]:
    """The structures to promote: those the gate passed, or the named ones; ConflictError for what it did not pass."""
    with workspace.catalog.read() as connection:
        learnt = snapshots.find(connection, turn.snapshot).structures
    report = round_show(workspace, turn.name)["gate"] or {"structures": {}}
    passed = [s for s, row in report["structures"].items() if row["decision"] == "promote"]
    wanted = list(workspace.structures.check(structures)) if structures else passed
    if foreign := [s for s in wanted if s not in learnt]:
        raise UsageError(f"{turn.name} has no labels of {' '.join(foreign)}; it learnt {' '.join(learnt)}")
    refused = [s for s in wanted if s not in passed]
    if refused and not force:
        shown = f"flaredb round show {turn.name} says why; or --force"
        raise ConflictError(f"the gate did not pass {' '.join(refused)}; {shown}")
    if not wanted:
        raise ConflictError(f"the gate passed nothing of {turn.name}; name --structures and --force")
    return wanted


def _refuse_stale(write: Write, turn: Round, structures: Sequence[str], source: int) -> None:
    """NeedsPeopleError if others were decided on since the gate looked, or what this one learnt from was undone."""
    way_on = f"flaredb round promote {turn.name} --force --why …, or reject it and run another round"
    judged = [event for event in rounds.events(write.connection, turn) if event.state == "evaluated"]
    if judged:
        looked = (judged[-1].report or {}).get("compared_at", judged[-1].operation)
        if changed := acceptances.newer(write.connection, looked, structures, source):
            raise NeedsPeopleError(
                f"since {turn.name} was judged, other labels of {' '.join(changed)} were accepted or revoked; {way_on}"
            )
    undone = [other for other in rounds.every(write.connection) if other.state == "rolled-back"]
    behind = [r.name for r in undone if r.id != turn.id and turn.name in learners(write.connection, r)]
    if behind:
        raise NeedsPeopleError(f"{turn.name} learnt from {' '.join(behind)}, since rolled back; {way_on}")


def _undo(write: Write, turn: Round, why: str, cascade: bool) -> tuple[str, ...]:
    """Revoke what a round, and those that trained on it, were promoted for; names of the rounds that were moved."""
    later, made = descendants(write.connection, turn), made_of(write.connection, turn)
    if (later or made) and not cascade:
        first = f"{later[0].name} has begun to learn from" if later else f"{min(made)} counts and was made of"
        raise ConflictError(f"{first} {turn.name}; look again, or --cascade")
    undone = [turn, *(r for r in later if r.state == "promoted")]
    unfinished = [r for r in later if not r.closed]
    for each in undone:
        source = labels.source_number(write.connection, each.name)
        promoted = acceptances.accepted(write, source, each.id)
        acceptances.record(write, ("source", source), sorted(promoted), "revoked", why)
        rounds.move(write, each, "rolled-back", why)
    for source in made.values():
        told = f"made of {turn.name}, which was rolled back: {why}"
        acceptances.record(write, ("source", source), sorted(acceptances.accepted(write, source)), "revoked", told)
    for each in unfinished:
        rounds.move(write, each, "rejected", f"it trained on {turn.name}, which was rolled back: {why}")
    return tuple(each.name for each in [*undone, *unfinished])


def accept(
    workspace: Workspace,
    write: Write,
    turn: Round,
    structures: Sequence[str],
    why: str,
    force: bool = False,
    asked: Filter | None = None,
) -> None:
    """Accept structures of a round, unless others were accepted since the gate compared.

    `asked`: what their labels' reliability must reach, else what the round was started with.
    """
    source = labels.source_number(write.connection, turn.name)
    if not force:
        _refuse_stale(write, turn, structures, source)
    setting = turn.settings.get("reliability")
    thresholds, condition = round_demands(write.connection, turn.name, structures, asked, setting)
    decided = acceptances.Decided(turn.id, thresholds)
    acceptances.record(write, ("source", source), workspace.structures.check(structures), "accepted", why, decided)
    rounds.move(write, turn, "promoted", f"{' '.join(structures)}: {why}{condition}")
