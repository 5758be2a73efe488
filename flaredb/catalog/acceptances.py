"""Acceptances and withdrawals: events on a source or a label, one structure each; the narrower one wins."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from sqlalchemy import select

from flaredb.catalog import tables as t
from flaredb.catalog.database import Write

Target = tuple[Literal["source", "label"], int]


def accept_at_import(write: Write, source: int, structures: Iterable[str]) -> None:
    """Accept a source for structures it was never judged on, as of time zero; later decisions are left alone."""
    judged = set(
        write.connection.execute(select(t.acceptances.c.structure).where(t.acceptances.c.source_id == source)).scalars()
    )
    values = structure_values(write)
    rows = [
        {
            "source_id": source,
            "structure": values[name],
            "event": "accepted",
            "at_import": True,
            "why": "accepted at import",
            "operation_id": write.operation,
        }
        for name in structures
        if values[name] not in judged
    ]
    if rows:
        write.connection.execute(t.acceptances.insert(), rows)


def accepted(write: Write, source: int) -> set[str]:
    """Structures for which a source is accepted now."""
    names = {value: name for name, value in structure_values(write).items()}
    events = select(t.acceptances).where(t.acceptances.c.source_id == source).order_by(t.acceptances.c.id)
    last = {row.structure: row.event for row in write.connection.execute(events)}
    return {names[value] for value, event in last.items() if event == "accepted"}


def newer(write: Write, operation: int, structures: Iterable[str], own: int) -> bool:
    """Whether another source was accepted or revoked for one of the structures after an operation."""
    values = structure_values(write)
    later = (t.acceptances.c.operation_id > operation) & (t.acceptances.c.source_id != own)
    wanted = later & t.acceptances.c.structure.in_([values[name] for name in structures])
    return write.connection.execute(select(t.acceptances.c.id).where(wanted)).first() is not None


def record(
    write: Write,
    target: Target,
    structures: Iterable[str],
    event: Literal["accepted", "revoked", "withdrawn", "restored"],
    why: str,
) -> None:
    """Append an event for each structure."""
    table = t.acceptances if event in ("accepted", "revoked") else t.withdrawals
    values = structure_values(write)
    kind, number = target
    rows = [
        {
            f"{kind}_id": number,
            "structure": values[name],
            "event": event,
            "why": why,
            "operation_id": write.operation,
        }
        for name in structures
    ]
    if rows:
        write.connection.execute(table.insert(), rows)


def structure_values(write: Write) -> dict[str, int]:
    """Name → value of every structure."""
    rows = write.connection.execute(select(t.structures.c.name, t.structures.c.value))
    return {row.name: row.value for row in rows}
