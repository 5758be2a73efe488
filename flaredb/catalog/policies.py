"""The policy in force, and every one that ever was."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select

from flaredb.catalog import tables as t
from flaredb.catalog.current import every_case
from flaredb.catalog.database import Write
from flaredb.labels.policy import Policy


def every(connection: Connection) -> list[dict[str, Any]]:
    """Every policy that was in force, oldest first."""
    query = (
        select(t.policies, t.operations.c.at)
        .join(t.operations, t.policies.c.operation_id == t.operations.c.id)
        .order_by(t.policies.c.id)
    )
    return [
        {"digest": row.digest, "why": row.why, "operation": row.operation_id, "at": row.at.isoformat()}
        for row in connection.execute(query)
    ]


def apply(write: Write, policy: Policy, why: str) -> None:
    """Put a policy in force."""
    values = {"digest": policy.digest, "text": policy.text, "why": why, "operation_id": write.operation}
    write.connection.execute(t.policies.insert().values(values))
    write.touched.update(every_case(write.connection))
