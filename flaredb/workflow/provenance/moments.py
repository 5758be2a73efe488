"""A moment of the catalogue's past: a date, an operation, or what a round trained from."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

from flaredb.catalog import history, rounds
from flaredb.catalog.database import Connection
from flaredb.errors import InvalidDataError, NotFoundError, UsageError


def moment(connection: Connection, as_of: str | None = None, turn: str | None = None) -> int | None:
    """The operation just after which to look; None for now.

    `as_of` is an operation's number or an ISO date (its end, in UTC) or time; `turn` a round, which looks at what it
    trained from. InvalidDataError for text that is neither, NotFoundError for what was not yet.
    """
    if turn and as_of:
        raise UsageError("give --as-of or --round, not both")
    if turn:
        return rounds.started(connection, rounds.find(connection, turn))
    if as_of is None:
        return None
    if as_of.isdecimal() and len(as_of) < len("20230507"):
        last = history.last_operation(connection)
        if not 1 <= int(as_of) <= last:
            raise NotFoundError(f"no operation {as_of}; the last is {last}; flaredb log shows what happened when")
        return int(as_of)
    found = history.operation_at(connection, _time(as_of))
    if found is None:
        raise NotFoundError(f"nothing had happened by {as_of}; flaredb log shows what happened when")
    return found


def beginning(text: str) -> datetime:
    """A moment from an ISO date (its beginning, in UTC) or time."""
    found = _parsed(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _time(text: str) -> datetime:
    found = _parsed(text)
    if found.time() == time.min and _is_date(text):
        found = datetime.combine(found.date(), time.max)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _is_date(text: str) -> bool:
    """Whether a text names a day and no time, in any of the ISO forms."""
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _parsed(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidDataError(
            f"{text!r} is neither an operation's number nor a date such as 2023-05-07 or 2023-05-07T14:30"
        ) from error
