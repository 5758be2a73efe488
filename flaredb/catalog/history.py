"""What was done and what was remarked: runs of commands, and findings."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select, text

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


def last_operation(connection: Connection) -> int:
    """Number of the last operation, 0 before the first."""
    return int(connection.execute(text("SELECT max(id) FROM operations")).scalar() or 0)
