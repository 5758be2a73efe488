"""Copies of a catalogue: always a SQLite file, so that a copy from one database can be put into the other.

A copy is taken while others write. Putting one back is one transaction: others see the old catalogue or the new one.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import URL, Connection, DateTime, MetaData, NullPool, Table, create_engine, inspect, select, text
from sqlalchemy.exc import DatabaseError

from flaredb.catalog import migrate
from flaredb.catalog.database import Catalog
from flaredb.catalog.engines import make_engine, transaction
from flaredb.durable import to_disk
from flaredb.errors import ConflictError, InvalidDataError, NotFoundError, StorageError

_CHUNK = 1000
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_COUNTED = ("cases", "labels", "models", "rounds")


class Content(NamedTuple):
    """What a catalogue holds: its schema's revision, and rows by table."""

    revision: str | None
    rows: dict[str, int]


def save(catalog: Catalog, target: Path) -> None:
    """Write a copy, complete or not at all, its folder too if need be; ConflictError if the file exists."""
    if target.exists():
        raise ConflictError(f"{target.name} exists already; give another name")
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.part")
    part.unlink(missing_ok=True)
    try:
        if catalog.on_sqlite:
            _copy_file(Path(str(catalog.url.database)), part)
        else:
            _write_file(catalog, part)
        to_disk(part)
        part.rename(target)
        to_disk(target.parent)
    finally:
        part.unlink(missing_ok=True)


def check(file: Path) -> Content:
    """What a copy holds; InvalidDataError if it is damaged or no catalogue, StorageError if it is too new."""
    if not file.is_file():
        raise NotFoundError(f"there is no file {file}")
    try:
        with closing(_look_at(file)) as database:
            damage = [*database.execute("PRAGMA integrity_check(1)"), *database.execute("PRAGMA foreign_key_check")]
    except sqlite3.DatabaseError as error:
        raise InvalidDataError(f"{file.name} is no catalogue: {error}") from error
    if damage != [("ok",)]:
        raise InvalidDataError(f"{file.name} is damaged: {damage[0][0]}")
    engine = create_engine("sqlite://", creator=lambda: _look_at(file), poolclass=NullPool)
    with engine.connect() as connection:
        found = content(connection)
        if found.revision is None:
            raise InvalidDataError(f"{file.name} is no catalogue")
        if migrate.state(connection) == "ahead":
            migrate.check("ahead")
    return found


def content(connection: Connection) -> Content:
    """The revision and the number of rows of the tables people know."""
    there = set(inspect(connection).get_table_names())
    counted = [Table(name, MetaData(), autoload_with=connection) for name in _COUNTED if name in there]
    rows = {table.name: len(connection.execute(select(table.primary_key.columns[0])).all()) for table in counted}
    return Content(migrate.revision(connection), rows)


def present(catalog: Catalog) -> Content | None:
    """What a catalogue holds; None if it cannot be read."""
    try:
        with catalog.read() as connection:
            return content(connection)
    except (DatabaseError, StorageError):
        return None


def restore(catalog: Catalog, file: Path, folder: Path) -> None:
    """Put a checked copy in place of the catalogue, at the newest schema; `folder` is for a passing file.

    ConflictError while another process writes.
    """
    catalog.close()
    staged = folder / f".restore-{os.getpid()}.db"
    try:
        _copy_file(file, staged)
        with _opened(staged) as connection:
            migrate.migrate(connection)
        if catalog.on_sqlite:
            _into_sqlite(staged, Path(str(catalog.url.database)))
        else:
            with _opened(staged) as source, _rebuilding(catalog.url) as target:
                _into_postgresql(source, target)
    finally:
        for leftover in (staged, *_companions(staged)):
            leftover.unlink(missing_ok=True)


def moment() -> str:
    """This moment as part of a file's name."""
    return datetime.now(UTC).strftime("%Y%m%dT%H%M%S-%f")


@contextmanager
def _rebuilding(url: URL) -> Iterator[Connection]:
    engine = make_engine(url, "rebuild")
    try:
        with transaction(engine) as connection:
            yield connection
    finally:
        engine.dispose()


def _opened(file: Path) -> Any:
    return _rebuilding(URL.create("sqlite", database=str(file)))


def _write_file(catalog: Catalog, part: Path) -> None:
    """A SQLite file with the same schema, whatever its revision, and the same rows."""
    with catalog.read() as source, _opened(part) as target:
        revision = migrate.revision(source)
        if revision is not None:
            migrate.migrate(target, revision)
            _copy(source, target)
    with closing(sqlite3.connect(part)) as database:  # one file, without a log beside it
        database.execute("PRAGMA journal_mode=DELETE")


def _look_at(file: Path) -> sqlite3.Connection:
    """A connection that writes nothing, neither into the file nor beside it."""
    return sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)


def _copy_file(file: Path, target: Path) -> None:
    """A SQLite file as it is at this moment, whoever writes to it."""
    with closing(_look_at(file)) as database:
        database.execute("VACUUM INTO ?", (str(target),))


def _into_sqlite(staged: Path, place: Path) -> None:
    """Page by page in one transaction, so that whoever has the catalogue open sees it change as by any write."""
    try:
        with closing(sqlite3.connect(staged)) as source, closing(sqlite3.connect(place)) as target:
            source.backup(target, progress=_refuse_when_busy)
    except sqlite3.DatabaseError:  # what is there is no database any more
        os.replace(staged, place)
        for companion in _companions(place):
            companion.unlink(missing_ok=True)
    to_disk(place)
    to_disk(place.parent)


def _refuse_when_busy(status: int, _remaining: int, _total: int) -> None:
    if status in _BUSY:
        raise ConflictError("another process is writing to the catalogue; stop it, then restore again")


def _into_postgresql(source: Connection, target: Connection) -> None:
    """Rows of a file in place of those of a database, which is empty or holds a catalogue."""
    if migrate.state(target) == "none":
        if inspect(target).get_table_names():
            raise ConflictError("the database holds other tables; restore into an empty one")
        migrate.migrate(target)
    migrate.check(migrate.state(target))
    names = ", ".join(f'"{table.name}"' for table in _tables(target))
    target.exec_driver_sql(f"TRUNCATE {names}")
    _copy(source, target)


def _copy(source: Connection, target: Connection) -> None:
    """Every row of every table, parents first, and the last key that was given in each."""
    last = _last_keys(source)
    for table in _tables(source):
        there = Table(table.name, MetaData(), autoload_with=target)
        times = [column.name for column in there.columns if isinstance(column.type, DateTime)]
        rows = source.execute(select(table).order_by(*table.primary_key.columns)).mappings()
        for chunk in rows.partitions(_CHUNK):
            target.execute(there.insert(), [_translated(dict(row), times) for row in chunk])
        if table.name in last:
            _set_last_key(target, table, last[table.name])


def _tables(connection: Connection) -> list[Table]:
    """Tables as they are in the database, those that others refer to first."""
    found = MetaData()
    found.reflect(connection)
    return [table for table in found.sorted_tables if table.name != "alembic_version"]


def _translated(row: dict[str, Any], times: list[str]) -> dict[str, Any]:
    """Times as the other database keeps them: see `UtcTime`."""
    for name, value in row.items():
        if isinstance(value, datetime):
            row[name] = value.astimezone(UTC).isoformat(timespec="microseconds")
        if name in times and isinstance(value, str):
            row[name] = datetime.fromisoformat(value)
    return row


def _last_keys(connection: Connection) -> dict[str, int]:
    """Table → the last key given, also to a row that is gone: keys are never used again."""
    if connection.dialect.name == "sqlite":
        return {row.name: row.seq for row in connection.exec_driver_sql("SELECT name, seq FROM sqlite_sequence")}
    asked = text("SELECT pg_sequence_last_value(CAST(pg_get_serial_sequence(:name, :key) AS regclass))")
    found = {}
    for table in _tables(connection):
        last = connection.execute(asked, {"name": table.name, "key": table.primary_key.columns[0].name}).scalar()
        if last is not None:
            found[table.name] = int(last)
    return found


def _set_last_key(connection: Connection, table: Table, last: int) -> None:
    values = {"name": table.name, "key": table.primary_key.columns[0].name, "last": last}
    if connection.dialect.name == "sqlite":
        connection.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), values)
        connection.execute(text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :last)"), values)
    elif last:
        connection.execute(text("SELECT setval(pg_get_serial_sequence(:name, :key), :last)"), values)


def _companions(file: Path) -> list[Path]:
    return [file.with_name(file.name + ending) for ending in ("-wal", "-shm")]
