"""How tables are written here: integer keys, named constraints, states as checked text, references that restrict."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Column,
    ColumnElement,
    Connection,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    event,
)

from flaredb.catalog.types import Json

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def table(name: str, *items: Any) -> Table:
    """A strict table whose keys are never used again."""
    return Table(name, metadata, *items, sqlite_strict=True, sqlite_autoincrement=True)


def key() -> Column[int]:
    """The integer key."""
    return Column("id", Integer, primary_key=True)


def ref(name: str, target: str, nullable: bool = False, index: bool = False, unique: bool = False) -> Column[int]:
    """A reference to another table's row, which cannot go while this one is there."""
    target_key = ForeignKey(target, ondelete="RESTRICT")
    return Column(name, Integer, target_key, nullable=nullable, index=index, unique=unique)


def one_of(column: str, values: tuple[str, ...]) -> CheckConstraint:
    """A check that a text column holds one of these."""
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


def partial_index(name: str, *columns: Column[Any], where: ColumnElement[bool]) -> None:
    """A unique index of the rows for which `where` holds.

    PostgreSQL is told when the index is made there: to name one of its options loads its whole dialect, which every
    command on a SQLite catalogue would wait for.
    """
    index = Index(name, *columns, unique=True, sqlite_where=where)

    def tell_postgresql(_: Any, connection: Connection, **__: Any) -> None:
        if connection.dialect.name == "postgresql":
            index.dialect_kwargs["postgresql_where"] = where

    event.listen(index, "before_create", tell_postgresql)


def text(name: str, **options: Any) -> Column[str]:
    """A text column, not null unless told otherwise."""
    return Column(name, Text, **{"nullable": False, **options})


def file_columns() -> list[Column[Any]]:
    """Where an array came from and how its file held it."""
    return [
        text("file_name", nullable=True),
        text("file_sha256", nullable=True),
        Column("file_shape", Json, nullable=True),
        Column("file_affine", Json, nullable=True),
        text("file_orientation", nullable=True),
        text("file_dtype", nullable=True),
        Column("file_pixdim", Json, nullable=True),
    ]
