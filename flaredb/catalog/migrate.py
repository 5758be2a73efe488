"""The schema's version, and the way to the newest one: in one transaction, so that a crash leaves the old schema."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, select, text

from flaredb.catalog.derived import candidates
from flaredb.catalog.replay import rebuild
from flaredb.catalog.views import create_views, drop_views
from flaredb.errors import StorageError

HEAD = "head"
_MIGRATIONS = Path(__file__).parent / "migrations"


def revision(connection: Connection) -> str | None:
    """The revision of the schema; None in an empty database."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return None if found is None else str(found)


def revisions() -> list[str]:
    """Every revision, oldest first: the numbers that the files begin with."""
    return sorted(path.name.partition("_")[0] for path in (_MIGRATIONS / "versions").glob("[0-9]*.py"))


def state(connection: Connection) -> str:
    """`head`, `behind`, `ahead` or `none`."""
    current = revision(connection)
    known = revisions()
    if current is None:
        return "none"
    if current not in known:
        return "ahead"
    return HEAD if current == known[-1] else "behind"


def check(found: str) -> None:
    """Raise StorageError unless the state is the one this version speaks."""
    if found == "ahead":
        raise StorageError("the catalogue was made by a newer flaredb; install that version")
    if found != HEAD:
        raise StorageError(f"the catalogue's schema is {found}; run: flaredb upgrade")


def migrate(connection: Connection, target: str = HEAD) -> None:
    """Bring the schema to a revision inside the transaction at hand; views are made for the newest only."""
    from alembic import command  # slow to import, and only an upgrade needs it
    from alembic.config import Config

    found = state(connection)
    if found == "ahead":
        check(found)
    if found != "none":
        drop_views(connection)
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, target)
    if state(connection) == HEAD:
        create_views(connection)
        if connection.execute(select(candidates.c.id)).first() is None:
            rebuild(connection)  # a schema without them, or a catalogue without labels
    _check_references(connection)


def _check_references(connection: Connection) -> None:
    """SQLite rebuilds tables with references unchecked, so they are checked before the commit."""
    if connection.dialect.name != "sqlite":
        return
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    if broken:
        tables = ", ".join(sorted({row[0] for row in broken}))
        raise StorageError(f"rows of {tables} point at rows that are not there; restore a backup: flaredb restore FILE")
