"""What was done and what was remarked: runs of commands, and findings."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select, text

from flaredb.catalog import tables as t
from flaredb.catalog.database import Write
from flaredb.errors import NotFoundError


def runs(
    connection: Connection,
    limit: int | None = 50,
    since: datetime | None = None,
    case: str | None = None,
    commands: Sequence[str] = (),
) -> list[dict[str, Any]]:
    """The last commands that changed something, newest first; those since a moment, on a case, or of some names."""
    r, operation = t.runs.c, t.operations.c
    first = select(func.min(operation.id)).where(operation.run_id == r.id).scalar_subquery()
    last = select(func.max(operation.id)).where(operation.run_id == r.id).scalar_subquery()
    query = select(t.runs, first.label("first_operation"), last.label("last_operation")).order_by(r.id.desc())
    if since:
        query = query.where(r.started >= since)
    if case:
        query = query.where(r.id.in_(_runs_of_case(case)))
    if commands:
        query = query.where(r.command.in_(commands))
    names = ("command", "arguments", "actor", "host", "version", "outcome", "first_operation", "last_operation")
    return [
        {
            "run": row["id"],
            **{name: row[name] for name in names},
            "started": row["started"].isoformat(),
            "ended": row["ended"].isoformat() if row["ended"] else None,
        }
        for row in connection.execute(query.limit(limit)).mappings()
    ]


def _runs_of_case(case: str) -> Any:
    """Runs with an operation that added, labelled, decided on or remarked on a case."""
    number = select(t.cases.c.id).where(t.cases.c.name == case).scalar_subquery()
    own = select(t.labels.c.id).where(t.labels.c.case_id == number)
    former = select(t.case_aliases.c.alias).where(t.case_aliases.c.case_id == number)
    named = (t.findings.c.case_name == case) | t.findings.c.case_name.in_(former)
    touching = (
        select(t.cases.c.operation_id).where(t.cases.c.id == number),
        select(t.labels.c.operation_id).where(t.labels.c.case_id == number),
        select(t.case_events.c.operation_id).where(t.case_events.c.case_id == number),
        select(t.acceptances.c.operation_id).where(t.acceptances.c.label_id.in_(own)),
        select(t.withdrawals.c.operation_id).where(t.withdrawals.c.label_id.in_(own)),
        select(t.findings.c.operation_id).where(named),
    )
    operations = touching[0].union(*touching[1:])
    return select(t.operations.c.run_id).where(t.operations.c.id.in_(operations))


def findings(connection: Connection, only_open: bool = False) -> list[dict[str, Any]]:
    """Every finding, oldest first, or those nobody acknowledged."""
    rows = connection.execute(text("SELECT * FROM findings ORDER BY id")).mappings()
    return [dict(row) for row in rows if not only_open or row["acknowledged"] is None]


def open_errors(connection: Connection) -> int:
    """How many findings of errors nobody acknowledged."""
    seen = select(t.finding_events.c.finding_id)
    query = select(func.count()).where(t.findings.c.severity == "error", t.findings.c.id.not_in(seen))
    return int(connection.execute(query).scalar_one())


def acknowledge(write: Write, finding: int, why: str) -> None:
    """Record that somebody has seen to a finding."""
    if write.connection.execute(select(t.findings.c.id).where(t.findings.c.id == finding)).first() is None:
        raise NotFoundError(f"no finding {finding}; flaredb finding list shows their numbers")
    values = {"finding_id": finding, "event": "acknowledged", "why": why, "operation_id": write.operation}
    write.connection.execute(t.finding_events.insert().values(values))


def operation_at(connection: Connection, at: datetime) -> int | None:
    """Number of the last operation by a moment; None before the first."""
    found = connection.execute(select(func.max(t.operations.c.id)).where(t.operations.c.at <= at)).scalar()
    return None if found is None else int(found)


def last_operation(connection: Connection) -> int:
    """Number of the last operation, 0 before the first."""
    return int(connection.execute(select(func.max(t.operations.c.id))).scalar() or 0)
