"""Run several rounds of a task one after the other; interrupted, the same call goes on."""

from __future__ import annotations

import os
from typing import Any

from flaredb.catalog import loops, rounds
from flaredb.workflow.rounds.advance import RoundOptions, round_start, run_to_end
from flaredb.workflow.rounds.show import round_show
from flaredb.workflow.schedule.entries import OCCURRENCE
from flaredb.workspace import Workspace


def loop(
    workspace: Workspace, task: str, options: RoundOptions, number: int, anew: bool = False
) -> list[dict[str, Any]]:
    """Run rounds until `number` of the task are closed since the loop began; they, and one that waits for people.

    A loop that was interrupted, failed or waits at a gate is gone on with by the same task and number, unless `anew`;
    an open round is finished first. What an occurrence of the schedule ran to its end is not run again for it.
    ConflictError while another process loops over the task.
    """
    workspace.task(task)
    with workspace.lock(f"loop {task}"):
        occurrence = os.environ.get(OCCURRENCE)
        since = _of_occurrence(workspace, task, occurrence) or (None if anew else _unfinished(workspace, task, number))
        with workspace.run("loop", task=task, rounds=number, since=since, occurrence=occurrence) as run:
            began = since or run.number
            if since and (closed := _closed(workspace, task, began)):
                workspace.reporter.say(f"going on: {len(closed)} of {number} rounds are closed: {' '.join(closed)}")
            waiting: list[str] = []
            while len(_closed(workspace, task, began)) < number and not waiting:
                name = _open(workspace, task) or round_start(workspace, task, options).ids[0]
                if not run_to_end(workspace, name).closed:
                    waiting = [name]
            return [round_show(workspace, name) for name in [*_closed(workspace, task, began), *waiting]]


def _of_occurrence(workspace: Workspace, task: str, occurrence: str | None) -> int | None:
    """The run that began the loop of this occurrence, if the scheduler died before it could note down its end."""
    if occurrence is None:
        return None
    with workspace.catalog.read() as connection:
        found = loops.last(connection, task, occurrence)
    return found.since if found else None


def _unfinished(workspace: Workspace, task: str, number: int) -> int | None:
    """The run that began the same loop, if that did not come to its end."""
    with workspace.catalog.read() as connection:
        found = loops.last(connection, task)
        if found is None or found.wanted != number:
            return None
        closed = len(loops.closed_since(connection, task, found.since))
    return None if found.ended and closed >= number else found.since


def _closed(workspace: Workspace, task: str, since: int) -> list[str]:
    with workspace.catalog.read() as connection:
        return loops.closed_since(connection, task, since)


def _open(workspace: Workspace, task: str) -> str | None:
    with workspace.catalog.read() as connection:
        return next((turn.name for turn in rounds.open_rounds(connection) if turn.task == task), None)
