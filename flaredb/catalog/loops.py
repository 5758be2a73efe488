"""Loops: runs of several rounds of a task, known by the recorded runs of the command, so that the same one goes on."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, select

from flaredb.catalog import tables as t


class Loop(NamedTuple):
    """A loop: number of the run that began it, how many rounds it wanted, and whether its last run came to its end.

    `occurrence`: that of the schedule which began it.
    """

    since: int
    wanted: int
    ended: bool
    occurrence: str | None = None


def last(connection: Connection, task: str, occurrence: str | None = None) -> Loop | None:
    """The task's latest loop; with an occurrence of the schedule, the latest which that one ran."""
    query = select(t.runs).where(t.runs.c.command == "loop").order_by(t.runs.c.id.desc())
    for row in connection.execute(query):
        told = row.arguments
        if told.get("task") == task and (occurrence is None or told.get("occurrence") == occurrence):
            since = int(told.get("since") or row.id)
            return Loop(since, int(told["rounds"]), row.outcome == "done", told.get("occurrence"))
    return None


def closed_since(connection: Connection, task: str, run: int) -> list[str]:
    """Names of the task's rounds that were closed by this run or a later one, in order of number."""
    query = (
        select(t.rounds.c.number)
        .join(t.round_events, t.round_events.c.round_id == t.rounds.c.id)
        .join(t.operations, t.round_events.c.operation_id == t.operations.c.id)
        .where(t.rounds.c.task == task, t.round_events.c.state.in_(t.CLOSED_STATES), t.operations.c.run_id >= run)
        .distinct()
        .order_by(t.rounds.c.number)
    )
    return [f"{task}/{number}" for number in connection.execute(query).scalars()]
