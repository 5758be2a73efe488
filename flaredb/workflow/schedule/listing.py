"""The entries of the schedule: when each is due next, and what became of it last."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flaredb.catalog import leases, schedules
from flaredb.catalog.schedules import Known, Occurrence
from flaredb.catalog.types import now
from flaredb.workflow.schedule.entries import Entry, next_due, plan, read_entries, stamp
from flaredb.workflow.schedule.run import LEASE, span
from flaredb.workspace import Workspace


def schedule_list(workspace: Workspace, at: datetime | None = None) -> list[dict[str, Any]]:
    """Name, cron, zone, next and last occurrence of each entry; `overdue` since when one waits to be run, or None."""
    entries = read_entries(workspace.settings)
    if not entries:
        return []
    with workspace.catalog.read() as connection:
        known = schedules.known(connection)
        last = schedules.last(connection)
        ran = schedules.last_run(connection)
        counts = schedules.missed(connection)
    found = []
    for entry in entries:
        own = known.get(entry.name)
        row = _row(entry, last.get(own.id) if own else None, at or now())
        row["overdue"] = _overdue(entry, own, last, ran, at or now()) if own else None
        found.append(row | {"missed": counts.get(entry.name, 0)})
    return found


def neglected(workspace: Workspace, rows: Sequence[dict[str, Any]]) -> list[str]:
    """What is overdue while nobody takes turns, in words with the way out; `rows` as listed."""
    late = [row for row in rows if row["overdue"]]
    if not late or LEASE in {row["name"] for row in leases.held(workspace.catalog, workspace.root)}:
        return []
    way_out = "nothing runs the schedule: flaredb schedule run, or flaredb schedule print --systemd"
    return [f"schedule {row['name']} was due at {stamp(row['overdue'])}, and {way_out}" for row in late]


def _overdue(
    entry: Entry, own: Known, last: dict[int, Occurrence], ran: dict[int, Occurrence], at: datetime
) -> datetime | None:
    """When the occurrence that should have been begun by now was due."""
    since = max([own.since, *([last[own.id].due] if own.id in last else [])])
    noted, run = plan(entry, since, span(ran.get(own.id)), at)
    waiting = [verdict.due for verdict in noted if verdict.state == "missed"] + ([run.due] if run else [])
    return waiting[0] if waiting and at - waiting[0] > entry.grace else None


def _row(entry: Entry, latest: Occurrence | None, at: datetime) -> dict[str, Any]:
    return {
        "name": entry.name,
        "cron": entry.cron,
        "zone": entry.zone,
        "catch_up": entry.catch_up,
        "command": list(entry.command),
        "next": next_due(entry, at),
        "overdue": None,
        "last": latest.due if latest else None,
        "state": latest.state if latest else None,
        "why": latest.why if latest else None,
    }
