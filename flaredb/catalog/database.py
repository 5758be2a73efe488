"""The catalogue's database: connections, transactions, operation numbers and the schema's version.

Readers get a stable snapshot and cannot write; writers queue for one lock, taken at the start of the transaction.
Inside it the next operation number is drawn, so the order of numbers is the order of events.
"""

from __future__ import annotations

import getpass
import re
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from flaredb.catalog import tables as t
from flaredb.catalog.types import now
from flaredb.catalog.views import create_views, drop_views
from flaredb.errors import ConflictError, Finding, InvalidDataError, StorageError
from flaredb.version import __version__

__all__ = ["Catalog", "Connection", "Run", "Write", "read_only_query"]

BUSY_TIMEOUT_MS = 30_000
_DIGITS = 10
_MIGRATIONS = Path(__file__).parent / "migrations"


class Write(NamedTuple):
    """An open write transaction and its operation number."""

    connection: Connection
    operation: int

    def add_findings(self, findings: list[Finding] | tuple[Finding, ...]) -> None:
        """Record remarks under this operation."""
        rows = [
            {
                "severity": f.severity,
                "case_name": f.case,
                "rule": f.rule,
                "message": f.message,
                "path": f.path,
                "operation_id": self.operation,
            }
            for f in findings
        ]
        if rows:
            self.connection.execute(t.findings.insert(), rows)


class Run(NamedTuple):
    """One invocation of a command; its writes are operations of this run."""

    catalog: Catalog
    number: int

    @contextmanager
    def write(self) -> Iterator[Write]:
        """A transaction: all of it or nothing."""
        with self.catalog.writer() as connection:
            row = connection.execute(t.operations.insert().values(run_id=self.number, at=now()))
            (operation,) = row.inserted_primary_key or (0,)
            yield Write(connection, int(operation))


class Catalog:
    """A database of scans, labels and everything that happened to them."""

    def __init__(self, url: str, root: Path | None = None) -> None:
        """A database URL; a relative SQLite path is under `root`."""
        self.url = make_url(url)
        if root and self.url.get_backend_name() == "sqlite" and self.url.database:
            self.url = self.url.set(database=str(root / self.url.database))
        self._writer = self._engine(read_only=False)
        self._reader = self._engine(read_only=True)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A read-only transaction with a stable view of the data."""
        with self._reader.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writer(self) -> Iterator[Connection]:
        """A transaction that holds the write lock from its start."""
        try:
            with self._writer.connect() as connection, connection.begin():
                yield connection
        except OperationalError as error:
            if "locked" in str(error):
                raise ConflictError("another process is writing to the catalogue; try again in a moment") from error
            raise

    @contextmanager
    def run(self, verb: str, arguments: dict[str, Any], actor: str | None = None) -> Iterator[Run]:
        """Record a command from its start to its outcome; nothing is recorded for a command that only reads."""
        values = {
            "command": verb,
            "arguments": arguments,
            "actor": actor or getpass.getuser(),
            "host": socket.gethostname(),
            "version": __version__,
            "started": now(),
        }
        with self.writer() as connection:
            (number,) = connection.execute(t.runs.insert().values(values)).inserted_primary_key or (0,)
        try:
            yield Run(self, int(number))
        except BaseException as error:
            self._end(int(number), f"{type(error).__name__}: {error}"[:2000])
            raise
        self._end(int(number), "done")

    def schema_state(self) -> str:
        """`head`, `behind`, `ahead` or `none`."""
        with self.read() as connection:
            current = MigrationContext.configure(connection).get_current_revision()
        script = ScriptDirectory(str(_MIGRATIONS))
        known = {revision.revision for revision in script.walk_revisions()}
        if current is None:
            return "none"
        if current not in known:
            return "ahead"
        return "head" if current == script.get_current_head() else "behind"

    def check_schema(self) -> None:
        """Raise StorageError unless the schema is the one this version speaks."""
        state = self.schema_state()
        if state == "ahead":
            raise StorageError("the catalogue was made by a newer flaredb; install that version")
        if state != "head":
            raise StorageError(f"the catalogue's schema is {state}; run: flaredb upgrade")

    def upgrade(self) -> None:
        """Bring the schema to head; views are dropped before and made again after."""
        if self.schema_state() == "ahead":
            self.check_schema()
        with self._writer.connect() as connection, connection.begin():
            drop_views(connection)
            config = Config()
            config.set_main_option("script_location", str(_MIGRATIONS))
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            create_views(connection)

    def close(self) -> None:
        """Give connections back."""
        self._writer.dispose()
        self._reader.dispose()

    def _end(self, run: int, outcome: str) -> None:
        with self.writer() as connection:
            connection.execute(t.runs.update().where(t.runs.c.id == run).values(ended=now(), outcome=outcome))

    def _engine(self, read_only: bool) -> Engine:
        sqlite = self.url.get_backend_name() == "sqlite"
        options: dict[str, Any] = {}
        if sqlite:
            options["connect_args"] = {"isolation_level": None, "timeout": BUSY_TIMEOUT_MS / 1000}
        engine = create_engine(self.url, **options)
        if sqlite:
            event.listen(engine, "connect", _pragmas(read_only))
            begin = "BEGIN" if read_only else "BEGIN IMMEDIATE"
        else:
            begin = "SET TRANSACTION READ ONLY" if read_only else f"SELECT pg_advisory_xact_lock({_LOCK})"
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
        return engine


_LOCK = 0x666C617265  # one write lock a database, as SQLite has; "flare" in ASCII


def _pragmas(read_only: bool) -> Any:
    """What every SQLite connection needs before its first transaction."""
    settings = ["foreign_keys=ON", "journal_mode=WAL"]
    settings += ["query_only=ON"] if read_only else ["synchronous=FULL"]

    def connect(connection: Any, _record: Any) -> None:
        for setting in settings:
            connection.execute(f"PRAGMA {setting}").close()
        if read_only:
            connection.set_authorizer(_authorize)

    return connect


def _escaped(query: str, parameters: dict[str, Any]) -> str:
    """Colons that begin no given parameter are colons."""
    return re.sub(r"(?<!:):(\w+)", lambda m: m[0] if m[1] in parameters else f"\\{m[0]}", query)


def _authorize(action: int, first: str | None, *_rest: str | None) -> int:
    """What a reading connection may do: `query_only` alone could be switched off by a query."""
    asks = action == sqlite3.SQLITE_PRAGMA and first in _LOOKING
    return sqlite3.SQLITE_OK if action in _READING or asks else sqlite3.SQLITE_DENY


_READING = {
    sqlite3.SQLITE_SELECT,
    sqlite3.SQLITE_READ,
    sqlite3.SQLITE_FUNCTION,
    sqlite3.SQLITE_RECURSIVE,
    sqlite3.SQLITE_TRANSACTION,
}
# What alembic and SQLAlchemy ask about tables; none of these changes anything.
_LOOKING = {"table_info", "table_xinfo", "table_list", "index_list", "index_info", "index_xinfo", "foreign_key_list"}


def number(text: str) -> int:
    """A number from a name such as `organ/2`; -1, which nothing has, for anything else."""
    return int(text) if text.isdecimal() and len(text) < _DIGITS else -1


def read_only_query(catalog: Catalog, query: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
    """Rows of a user's query; the connection cannot write."""
    try:
        with catalog.read() as connection:
            return [dict(row) for row in connection.execute(text(_escaped(query, parameters)), parameters).mappings()]
    except SQLAlchemyError as error:
        reason = getattr(error, "orig", None) or error
        raise InvalidDataError(f"SQL: {reason}; only queries are allowed here") from error
