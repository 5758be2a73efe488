"""The structures of a workspace, chosen at `init`."""

from __future__ import annotations

from sqlalchemy import Connection, select

from flaredb.catalog import tables as t
from flaredb.catalog.database import Write
from flaredb.labels.structures import Structure, StructureSet


def store(write: Write, structures: StructureSet) -> None:
    """Record the structures of a new workspace."""
    write.connection.execute(t.structures.insert(), [s._asdict() for s in structures.structures])


def load(connection: Connection) -> StructureSet:
    """The structures in order of value."""
    rows = connection.execute(select(t.structures).order_by(t.structures.c.value))
    return StructureSet(tuple(Structure(r.value, r.name, r.kind, r.nsd_tolerance_mm, r.tubular) for r in rows))
