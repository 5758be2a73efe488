"""The schedule's rows: entries as they were met, occurrences that ran, and those that did not, with the reason."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, func, select
from sqlalchemy.exc import IntegrityError

from flaredb.catalog.database import Write
from flaredb.catalog.scheduled import occurrences as o
from flaredb.catalog.scheduled import schedules as s
from flaredb.errors import ConflictError

OPEN = ("running", "unfinished")


class Known(NamedTuple):
    """An entry as it is in force: what it said when it was met, and since when it counts."""

    id: int
    name: str
    cron: str
    zone: str
    argv: tuple[str, ...]
    since: datetime


class Occurrence(NamedTuple):
    """A time at which an entry was due, and what became of it; `attempts` is 0 where nothing ran."""

    id: int
    schedule_id: int
    name: str
    due: datetime
    state: str
    started: datetime | None
    ended: datetime | None
    attempts: int
    exit_code: int | None
    why: str


def known(connection: Connection) -> dict[str, Known]:
    """The entries in force by name."""
    newest = select(func.max(s.c.id)).group_by(s.c.name)
    rows = connection.execute(select(s).where(s.c.id.in_(newest)).order_by(s.c.id))
    found = [Known(row.id, row.name, row.cron, row.zone, tuple(row.argv), row.since) for row in rows]
    return {entry.name: entry for entry in found if entry.argv}


def part(write: Write, name: str, at: datetime) -> None:
    """Note down that an entry is in flaredb.toml no longer: should it return, it is met anew."""
    meet(write, name, "", "UTC", (), at)


def meet(write: Write, name: str, cron: str, zone: str, argv: Sequence[str], since: datetime) -> None:
    """Note down a new or changed entry, which counts from a moment on."""
    values = {"name": name, "cron": cron, "zone": zone, "argv": list(argv), "since": since}
    write.connection.execute(s.insert().values(**values, operation_id=write.operation))


def last(connection: Connection) -> dict[int, Occurrence]:
    """Entry's number → its last occurrence of any state."""
    newest = select(o.c.schedule_id, func.max(o.c.due).label("due")).group_by(o.c.schedule_id).subquery()
    same = (newest.c.schedule_id == o.c.schedule_id) & (newest.c.due == o.c.due)
    return {row.schedule_id: _occurrence(row) for row in connection.execute(_select().join(newest, same))}


def last_run(connection: Connection) -> dict[int, Occurrence]:
    """Entry's number → the last of its occurrences that ran, or runs."""
    began = o.c.started.is_not(None)
    newest = select(o.c.schedule_id, func.max(o.c.due).label("due")).where(began).group_by(o.c.schedule_id).subquery()
    same = (newest.c.schedule_id == o.c.schedule_id) & (newest.c.due == o.c.due)
    return {row.schedule_id: _occurrence(row) for row in connection.execute(_select().join(newest, same))}


def open_occurrences(connection: Connection) -> list[Occurrence]:
    """Those that run, or have to go on, oldest first."""
    query = _select().where(o.c.state.in_(OPEN)).order_by(o.c.due, o.c.id)
    return [_occurrence(row) for row in connection.execute(query)]


def missed(connection: Connection) -> dict[str, int]:
    """Entry's name → how many of its occurrences did not run because nothing ran the schedule."""
    query = select(s.c.name, func.count()).join(o, o.c.schedule_id == s.c.id).where(o.c.state == "missed")
    return {name: int(count) for name, count in connection.execute(query.group_by(s.c.name))}


def of(connection: Connection, name: str) -> list[Occurrence]:
    """Every occurrence of an entry, whatever it said then, in the order they were due."""
    return [_occurrence(row) for row in connection.execute(_select().where(s.c.name == name).order_by(o.c.due))]


def note(write: Write, schedule: int, due: datetime, state: str, why: str) -> None:
    """An occurrence that does not run; one that is noted already stays as it is."""
    if write.connection.execute(select(o.c.id).where(o.c.schedule_id == schedule, o.c.due == due)).first() is None:
        _add(write, schedule, due, state, why)


def begin(write: Write, schedule: int, due: datetime, at: datetime, why: str) -> tuple[int, int]:
    """Start an occurrence, or go on with it; its number and how often it was begun. ConflictError if it is taken."""
    row = write.connection.execute(select(o).where(o.c.schedule_id == schedule, o.c.due == due)).first()
    if row is None:
        return _add(write, schedule, due, "running", why, started=at, attempts=1), 1
    values = {"state": "running", "attempts": row.attempts + 1, "ended": None, "exit_code": None}
    own = (o.c.id == row.id) & (o.c.state == "unfinished")
    if write.connection.execute(o.update().where(own).values(values)).rowcount != 1:
        raise ConflictError(f"the occurrence of {due:%Y-%m-%d %H:%M} UTC is {row.state}; flaredb schedule list")
    return int(row.id), int(row.attempts) + 1


def end(write: Write, number: int, state: str, at: datetime, exit_code: int | None, why: str) -> None:
    """What became of an occurrence that was begun."""
    values = {"state": state, "ended": at, "exit_code": exit_code, "why": why}
    write.connection.execute(o.update().where(o.c.id == number).values(values))


def _add(write: Write, schedule: int, due: datetime, state: str, why: str, **more: Any) -> int:
    values = {"schedule_id": schedule, "due": due, "state": state, "why": why, "attempts": 0} | more
    try:
        made = write.connection.execute(o.insert().values(**values, operation_id=write.operation))
    except IntegrityError as error:
        raise ConflictError(f"another process took the occurrence of {due:%Y-%m-%d %H:%M} UTC") from error
    (number,) = made.inserted_primary_key or (0,)
    return int(number)


def _select() -> Select[Any]:
    return select(o, s.c.name).join(s, o.c.schedule_id == s.c.id)


def _occurrence(row: Any) -> Occurrence:
    return Occurrence(*(getattr(row, field) for field in Occurrence._fields))
