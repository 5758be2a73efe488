"""Who holds what: one process at a time, and a process that ends, however it ends, has let go.

SQLite: a lock on a file of the workspace. PostgreSQL: a session lock of a connection of its own, which the server
takes back when the connection ends. The lock decides; the row of `leases` only tells people who has it since when.
"""

from __future__ import annotations

import fcntl
import os
import socket
import time
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import NullPool, inspect, select, text

from flaredb.catalog import tables as t
from flaredb.catalog.database import Catalog
from flaredb.catalog.engines import make_engine
from flaredb.catalog.types import now
from flaredb.errors import ConflictError

_OURS = 0x666C6172  # "flar": apart from other programs' locks of the same server


@contextmanager
def hold(catalog: Catalog, name: str, folder: Path, record: bool = True) -> Iterator[None]:
    """Hold a name for this process; ConflictError says who else has it. `folder` is where SQLite's locks are.

    Without `record` no row is written, for a catalogue that is about to be replaced.
    """
    with ExitStack() as locks:
        if not any(locks.enter_context(_lock(catalog, name, folder)) for _ in _tries()):
            raise ConflictError(f"{name} is being worked on by {_holder(catalog, name) or 'another process'}")
        holder = f"process {os.getpid()} on {socket.gethostname()}"
        recorded = record and _has_table(catalog)
        if recorded:
            _record(catalog, name, holder)
        try:
            yield
        finally:
            if recorded:
                _forget(catalog, name, holder)


def held(catalog: Catalog, folder: Path) -> list[dict[str, Any]]:
    """What is held now: name, holder, since. Rows that a killed process left are not listed."""
    if not _has_table(catalog):
        return []
    with catalog.read() as connection:
        rows = connection.execute(select(t.leases.c.name, t.leases.c.holder, t.leases.c.since)).mappings().all()
    found = []
    for row in rows:
        with _lock(catalog, row["name"], folder) as got:
            if not got:
                found.append(dict(row))
    return found


@contextmanager
def _lock(catalog: Catalog, name: str, folder: Path) -> Iterator[bool]:
    """Whether the lock could be had; it is kept as long as the block runs."""
    if catalog.on_sqlite:
        path = folder / "locks" / f"{quote(name, safe=' ').replace(' ', '-')}.lock"
        path.parent.mkdir(exist_ok=True)
        with path.open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True
        return
    engine = make_engine(catalog.url, "read", poolclass=NullPool)
    try:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            number = zlib.crc32(name.encode()) - 2**31
            asked = text("SELECT pg_try_advisory_lock(:ours, :number)")
            yield bool(connection.execute(asked, {"ours": _OURS, "number": number}).scalar())
    finally:
        engine.dispose()


def _tries() -> Iterator[None]:
    """A few, because `held` takes a lock for a moment in order to look."""
    yield
    for _ in range(10):
        time.sleep(0.02)
        yield


def _has_table(catalog: Catalog) -> bool:
    """A catalogue that is about to be upgraded may be older than the table."""
    with catalog.read() as connection:
        return inspect(connection).has_table(t.leases.name)


def _holder(catalog: Catalog, name: str) -> str | None:
    if not _has_table(catalog):
        return None
    with catalog.read() as connection:
        row = connection.execute(select(t.leases).where(t.leases.c.name == name)).first()
    return f"{row.holder} since {row.since:%Y-%m-%d %H:%M} UTC" if row else None


def _record(catalog: Catalog, name: str, holder: str) -> None:
    with catalog.writer() as connection:
        connection.execute(t.leases.delete().where(t.leases.c.name == name))  # a killed holder's
        connection.execute(t.leases.insert().values(name=name, holder=holder, since=now()))


def _forget(catalog: Catalog, name: str, holder: str) -> None:
    with catalog.writer() as connection:
        connection.execute(t.leases.delete().where(t.leases.c.name == name, t.leases.c.holder == holder))
