"""The policy in force, and every one that ever was."""

from __future__ import annotations

from sqlalchemy import Connection, select

from flaredb.catalog import tables as t
from flaredb.catalog.database import Write
from flaredb.labels.policy import Policy


def current(connection: Connection) -> tuple[int, Policy]:
    """The policy applied last and its number."""
    row = connection.execute(select(t.policies).order_by(t.policies.c.id.desc()).limit(1)).one()
    return row.id, Policy.from_text(row.text)


def apply(write: Write, policy: Policy, why: str) -> None:
    """Put a policy in force."""
    values = {"digest": policy.digest, "text": policy.text, "why": why, "operation_id": write.operation}
    write.connection.execute(t.policies.insert().values(values))
