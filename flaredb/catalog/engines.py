"""How a catalogue's database is reached: its URL, and engines that read, write or rebuild.

SQLite has one writer at a time: a write transaction takes the lock when it begins. PostgreSQL is made to behave the
same by an advisory lock. Readers see the data as they were when their transaction began, and cannot write.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, NamedTuple

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, OperationalError

from flaredb.errors import ConflictError, StorageError, UsageError

Purpose = Literal["read", "write", "rebuild"]

BUSY_TIMEOUT_S = 30
_POLL_S = 0.003
_WRITE_LOCK = 0x666C617265  # one write lock a database, as SQLite has; "flare" in ASCII
_LOCK_NOT_AVAILABLE = "55P03"
_DISK_FULL = "53100"
_BUSY = "another process is writing to the catalogue; try again in a moment"


def located(url: str, root: Path | None = None) -> URL:
    """The URL of a catalogue; a relative SQLite path is under `root`, PostgreSQL is spoken to through psycopg 3."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise UsageError(f"{url!r} is no database URL; write sqlite:///catalog.db or postgresql://HOST/NAME") from error
    if is_sqlite(parsed):
        return parsed.set(database=str(root / parsed.database)) if root and parsed.database else parsed
    if parsed.get_backend_name() not in ("postgresql", "postgres"):
        raise UsageError(f"a catalogue is kept in SQLite or PostgreSQL, not in {parsed.get_backend_name()}")
    if parsed.password:
        raise UsageError("a password does not belong in the URL, which is stored; put it in ~/.pgpass or PGPASSWORD")
    return parsed.set(drivername="postgresql+psycopg")


def is_sqlite(url: URL) -> bool:
    """Whether the database is a file."""
    return url.get_backend_name() == "sqlite"


def make_engine(url: URL, purpose: Purpose, **options: Any) -> Engine:
    """Connections that read, write, or rebuild tables (write, with references checked at the end only)."""
    if is_sqlite(url):
        return _sqlite(url, purpose, options)
    if purpose == "read":
        options["execution_options"] = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    try:
        engine = create_engine(url, pool_pre_ping=True, **options)
    except ModuleNotFoundError as error:
        raise UsageError("a catalogue on PostgreSQL needs psycopg; pip install 'flaredb[postgres]'") from error
    if purpose != "read":
        event.listen(engine, "begin", _take_write_lock)
    return engine


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """A transaction; ConflictError if somebody else writes for too long, StorageError if nobody answers."""
    try:
        connection = engine.connect()
    except DatabaseError as error:  # SQLite says "file is not a database" as soon as it is asked anything
        raise _busy_or(error, StorageError(f"the catalogue cannot be reached: {_first_line(error)}")) from error
    try:
        with connection, connection.begin():
            yield connection
    except OperationalError as error:
        raise _busy_or(error, error) from error


class Described(NamedTuple):
    """A database's program and version; the role on a server, and whether it may do anything."""

    name: str
    role: str | None = None
    superuser: bool = False


def describe(connection: Connection) -> Described:
    """What a connection is connected to."""
    if connection.dialect.name == "sqlite":
        return Described(f"SQLite {sqlite3.sqlite_version}")
    asked = "SELECT current_setting('server_version'), rolname, rolsuper FROM pg_roles WHERE rolname = current_user"
    number, role, superuser = connection.exec_driver_sql(asked).one()
    return Described(f"PostgreSQL {number}", role, superuser)


def _busy_or(error: DatabaseError, other: Exception) -> Exception:
    """What to tell instead of a database's error, if it is one of those that come of the machine."""
    primary = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF
    if primary == sqlite3.SQLITE_FULL or getattr(error.orig, "sqlstate", None) == _DISK_FULL:
        return StorageError("the disk of the catalogue is full; nothing was half-written; make room, then run it again")
    busy = "database is locked" in str(error.orig) or getattr(error.orig, "sqlstate", None) == _LOCK_NOT_AVAILABLE
    return ConflictError(_BUSY) if busy else other


def _first_line(error: DatabaseError) -> str:
    return str(error.orig).partition("\n")[0]


def _take_write_lock(connection: Connection) -> None:
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{BUSY_TIMEOUT_S}s'")
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITE_LOCK})")


def _sqlite(url: URL, purpose: Purpose, options: dict[str, Any]) -> Engine:
    arguments = {"isolation_level": None, "timeout": BUSY_TIMEOUT_S}
    engine = create_engine(url, connect_args=arguments, **options)
    event.listen(engine, "connect", _pragmas(purpose))
    event.listen(engine, "begin", _begin_reading if purpose == "read" else _begin_writing)
    return engine


def _begin_reading(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")


def _begin_writing(connection: Connection) -> None:
    """Wait for the lock at a steady pace: SQLite's own waiting gets slower, so that who came last would be first."""
    until = time.monotonic() + BUSY_TIMEOUT_S
    raw: Any = connection.connection.dbapi_connection
    raw.execute("PRAGMA busy_timeout=0").close()
    try:
        while time.monotonic() < until:
            try:
                raw.execute("BEGIN IMMEDIATE").close()
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                    break
                time.sleep(_POLL_S)
            else:
                return
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # once more, so that its error is told as any other
    finally:
        raw.execute(f"PRAGMA busy_timeout={int(1000 * BUSY_TIMEOUT_S)}").close()


def _pragmas(purpose: Purpose) -> Any:
    """What every SQLite connection needs before its first transaction."""
    settings = [f"foreign_keys={'OFF' if purpose == 'rebuild' else 'ON'}", "journal_mode=WAL"]
    settings += ["query_only=ON"] if purpose == "read" else ["synchronous=FULL"]

    def connect(connection: Any, _record: Any) -> None:
        for setting in settings:
            connection.execute(f"PRAGMA {setting}").close()
        if purpose == "read":
            connection.set_authorizer(_authorize)

    return connect


def _authorize(action: int, first: str | None, second: str | None, *_rest: str | None) -> int:
    """What a reading connection may do: `query_only` alone could be switched off by a query."""
    asks = action == sqlite3.SQLITE_PRAGMA and first in _LOOKING
    reaches_out = action == sqlite3.SQLITE_FUNCTION and (second or "").lower() in _REACHING_OUT
    allowed = (action in _READING or asks) and not reaches_out
    return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY


_READING = {
    sqlite3.SQLITE_SELECT,
    sqlite3.SQLITE_READ,
    sqlite3.SQLITE_FUNCTION,
    sqlite3.SQLITE_RECURSIVE,
    sqlite3.SQLITE_TRANSACTION,
}
_REACHING_OUT = {"load_extension", "readfile", "writefile", "edit", "fts3_tokenizer"}
# What alembic and SQLAlchemy ask about tables; none of these changes anything.
_LOOKING = {"table_info", "table_xinfo", "table_list", "index_list", "index_info", "index_xinfo", "foreign_key_list"}
