"""The structures of a workspace, chosen at `init`."""

from __future__ import annotations

from sqlalchemy import Connection, select

from flaredb.catalog import tables as t
from flaredb.labels.structures import Structure, StructureSet


def store(connection: Connection, structures: StructureSet) -> None:
    """Record the structures of a new workspace."""
    connection.execute(t.structures.insert(), [s._asdict() for s in structures.structures])


def structure_names(connection: Connection) -> dict[int, str]:
    """Value → name, in order of value."""
    c = t.structures.c
    return {row.value: row.name for row in connection.execute(select(c.value, c.name).order_by(c.value))}


def structure_values(connection: Connection) -> dict[str, int]:
    """Name → value, in order of value."""
    return {name: value for value, name in structure_names(connection).items()}


def load(connection: Connection) -> StructureSet:
    """The structures in order of value."""
    rows = connection.execute(select(t.structures).order_by(t.structures.c.value))
    return StructureSet(tuple(Structure(r.value, r.name, r.kind, r.nsd_tolerance_mm, r.tubular) for r in rows))
