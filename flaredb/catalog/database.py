"""The catalogue's database: connections, transactions, operation numbers and the schema's version.

Readers get a stable snapshot and cannot write; writers queue for one lock, taken at the start of the transaction.
Inside it the next operation number is drawn, so the order of numbers is the order of events.
"""

from __future__ import annotations

import getpass
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection, func, inspect, select

from flaredb.catalog import current, migrate
from flaredb.catalog import tables as t
from flaredb.catalog.engines import is_sqlite, located, make_engine, transaction
from flaredb.catalog.types import now
from flaredb.errors import ConflictError, Finding
from flaredb.version import __version__

__all__ = ["Catalog", "Connection", "Run", "Write"]

_DIGITS = 10


@dataclass(frozen=True)
class Write:
    """An open write transaction and its operation number."""

    connection: Connection
    operation: int
    touched: set[int] = field(default_factory=set)
    """Cases whose current labels may have changed."""

    def add_findings(self, findings: list[Finding] | tuple[Finding, ...]) -> None:
        """Record remarks under this operation."""
        rows = [
            {
                "severity": f.severity,
                "case_name": f.case,
                "rule": f.rule,
                "message": _utf8(f.message),
                "path": f.path and _utf8(f.path),
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
            write = Write(connection, int(operation))
            yield write
            current.refresh(connection, write.operation, write.touched)


class Catalog:
    """A database of scans, labels and everything that happened to them."""

    def __init__(self, url: str, root: Path | None = None) -> None:
        """A database URL; a relative SQLite path is under `root`. UsageError for a URL that cannot be used."""
        self.url = located(url, root)
        self._writer = make_engine(self.url, "write")
        self._reader = make_engine(self.url, "read")

    @property
    def on_sqlite(self) -> bool:
        """Whether the catalogue is a file; else it is on a PostgreSQL server."""
        return is_sqlite(self.url)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A read-only transaction with a stable view of the data."""
        with transaction(self._reader) as connection:
            yield connection

    @contextmanager
    def writer(self) -> Iterator[Connection]:
        """A transaction that holds the write lock from its start; ConflictError if another holds it too long."""
        with transaction(self._writer) as connection:
            yield connection

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
            return migrate.state(connection)

    def check_schema(self) -> None:
        """Raise StorageError unless the schema is the one this version speaks."""
        migrate.check(self.schema_state())

    def check_free(self) -> None:
        """ConflictError if the database holds a catalogue, or something else, already.

        What an interrupted `init` left does not count.
        """
        with self.read() as connection:
            state = migrate.state(connection)
            if state == "none" and not inspect(connection).get_table_names():
                return
            if (
                state == migrate.HEAD
                and not connection.execute(select(func.count()).select_from(t.structures)).scalar()
            ):
                return
        raise ConflictError(
            "the database holds a catalogue or other tables already; make an empty one with createdb, "
            "or copy the flaredb.toml of the catalogue's workspace to open it from here"
        )

    def upgrade(self, target: str = migrate.HEAD) -> None:
        """Bring the schema to head (or, for tests, to an older revision): all of it or nothing."""
        engine = make_engine(self.url, "rebuild")
        try:
            with transaction(engine) as connection:
                migrate.migrate(connection, target)
        finally:
            engine.dispose()

    def close(self) -> None:
        """Give connections back."""
        self._writer.dispose()
        self._reader.dispose()

    def _end(self, run: int, outcome: str) -> None:
        with self.writer() as connection:
            connection.execute(t.runs.update().where(t.runs.c.id == run).values(ended=now(), outcome=outcome))


def number(text: str) -> int:
    """A number from a name such as `organ/2`; -1, which nothing has, for anything else."""
    return int(text) if text.isdecimal() and len(text) < _DIGITS else -1


def _utf8(text: str) -> str:
    """Text that can be stored: a file's name may hold bytes that are no UTF-8."""
    return text.encode("utf-8", "backslashreplace").decode()
