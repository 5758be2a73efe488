"""What was done and what was remarked: runs of commands, and findings."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select, text

from flaredb.catalog import tables as t


def runs(connection: Connection, limit: int = 50) -> list[dict[str, Any]]:
    """The last commands that changed something, newest first."""
    rows = connection.execute(text("SELECT * FROM run_log ORDER BY run DESC LIMIT :limit"), {"limit": limit})
    return [dict(row) for row in rows.mappings()]


def findings(connection: Connection) -> list[dict[str, Any]]:
    """Every finding, oldest first."""
    query = select(
        t.findings.c.id,
        t.findings.c.severity,
        t.findings.c.case_name.label("case"),
        t.findings.c.rule,
        t.findings.c.message,
        t.findings.c.path,
        t.findings.c.operation_id.label("operation"),
    ).order_by(t.findings.c.id)
    return [dict(row) for row in connection.execute(query).mappings()]


def operation_at(connection: Connection, at: datetime) -> int | None:
    """Number of the last operation by a moment; None before the first."""
    found = connection.execute(select(func.max(t.operations.c.id)).where(t.operations.c.at <= at)).scalar()
    return None if found is None else int(found)


def last_operation(connection: Connection) -> int:
    """Number of the last operation, 0 before the first."""
    return int(connection.execute(text("SELECT max(id) FROM operation_log")).scalar() or 0)
