"""The schema's version, and the way to the newest one: in one transaction, so that a crash leaves the old schema."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, select

from flaredb.catalog.derived import candidates
from flaredb.catalog.replay import rebuild
from flaredb.catalog.views import create_views, drop_views
from flaredb.errors import StorageError

HEAD = "head"
_MIGRATIONS = Path(__file__).parent / "migrations"


def revision(connection: Connection) -> str | None:
    """The revision of the schema; None in an empty database."""
    return MigrationContext.configure(connection).get_current_revision()


def state(connection: Connection) -> str:
    """`head`, `behind`, `ahead` or `none`."""
    current = revision(connection)
    script = ScriptDirectory(str(_MIGRATIONS))
    if current is None:
        return "none"
    if current not in {known.revision for known in script.walk_revisions()}:
        return "ahead"
    return HEAD if current == script.get_current_head() else "behind"


def check(found: str) -> None:
    """Raise StorageError unless the state is the one this version speaks."""
    if found == "ahead":
        raise StorageError("the catalogue was made by a newer flaredb; install that version")
    if found != HEAD:
        raise StorageError(f"the catalogue's schema is {found}; run: flaredb upgrade")


def migrate(connection: Connection, target: str = HEAD) -> None:
    """Bring the schema to a revision inside the transaction at hand; views are made for the newest only."""
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
