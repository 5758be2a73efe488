"""Column types that mean the same on SQLite (STRICT tables) and PostgreSQL."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import REAL, BigInteger, DateTime, Dialect, Double, Integer, Text
from sqlalchemy.types import TypeDecorator, TypeEngine

# Eight bytes on both; REAL has four on PostgreSQL, and a STRICT table knows no other name for eight.
Real: TypeEngine[float] = Double().with_variant(REAL(), "sqlite")
# A set of structures: bit k for the structure with value k.
Bits: TypeEngine[int] = BigInteger().with_variant(Integer(), "sqlite")


class UtcTime(TypeDecorator[datetime]):
    """A moment in UTC; ISO text that sorts by time on SQLite."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Timestamp with time zone where the database has one."""
        return dialect.type_descriptor(DateTime(timezone=True) if dialect.name == "postgresql" else Text())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Refuse naive times; they mean nothing on another machine."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone")
        moment = value.astimezone(UTC)
        return moment if dialect.name == "postgresql" else moment.isoformat(timespec="microseconds")

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Always with a zone."""
        if value is None:
            return None
        return (value if isinstance(value, datetime) else datetime.fromisoformat(value)).astimezone(UTC)


class Flag(TypeDecorator[bool]):
    """True or false, kept as 1 or 0."""

    impl = Integer
    cache_ok = True

    def process_bind_param(self, value: bool | None, dialect: Dialect) -> int | None:
        """To 0 or 1."""
        return None if value is None else int(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> bool | None:
        """From 0 or 1."""
        return None if value is None else bool(value)


class Json(TypeDecorator[Any]):
    """A document, kept as text with sorted keys; for what nobody filters on."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """To text."""
        return None if value is None else json.dumps(value, sort_keys=True)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        """From text."""
        return None if value is None else json.loads(value)


def now() -> datetime:
    """This moment, in UTC."""
    return datetime.now(UTC)
