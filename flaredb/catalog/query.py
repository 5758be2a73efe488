"""People's SQL: one query, read-only by the database's own word, within a time limit.

SQLite: `query_only`, and an authorizer that knows reading only. PostgreSQL: a read-only transaction that is rolled
back, on a connection of its own; a server-side cursor, which takes one query and nothing else; no superuser; and no
function that the server itself calls volatile, because those are the ones with effects that no rollback undoes.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from difflib import get_close_matches
from typing import Any

from sqlalchemy import Connection, CursorResult, NullPool, RowMapping, bindparam, inspect, text
from sqlalchemy.exc import SQLAlchemyError

from flaredb.catalog import views
from flaredb.catalog.database import Catalog
from flaredb.catalog.engines import make_engine, transaction
from flaredb.errors import InvalidDataError

TIME_LIMIT_S = 60.0
_STEPS = 10_000  # of SQLite's machine between two looks at the clock
_HARMLESS = ["random", "clock_timestamp", "timeofday", "gen_random_uuid", "system", "bernoulli"]
_TABLE = re.compile(r'no such table: (?:main\.)?(\S+)|relation "([^"]+)" does not exist')
_COLUMN = re.compile(r'no such column: (\S+)|column "?([^"\s]+)"? does not exist')
_QUOTED = re.compile(r"""('(?:[^']|'')*'|"(?:[^"]|"")*")""")
_PARAMETER = re.compile(r"(?<![:\w]):([A-Za-z_]\w*)")
_QUERY = re.compile(r"[\s(]*(select|with|values|table|explain)\b", re.IGNORECASE)
_NOT_READING = ("not authorized", "readonly database", "25006")


def ask(
    catalog: Catalog, query: str, parameters: dict[str, Any], time_limit_s: float = TIME_LIMIT_S
) -> list[dict[str, Any]]:
    """Rows of a query; `:name` stands for a parameter. InvalidDataError for anything that is not one query."""
    engine = make_engine(catalog.url, "read", poolclass=NullPool)
    try:
        with transaction(engine) as connection:
            if not catalog.on_sqlite:
                _drop_privileges(connection, time_limit_s)
            found = rows(connection, query, parameters, time_limit_s)
            connection.rollback()
            return found
    except InvalidDataError as error:
        raise InvalidDataError(f"{error}{_advice(catalog, query, str(error.__cause__))}") from error
    finally:
        engine.dispose()


def rows(
    connection: Connection, query: str, parameters: dict[str, Any], time_limit_s: float = TIME_LIMIT_S
) -> list[dict[str, Any]]:
    """The same on a read connection at hand."""
    until = time.monotonic() + time_limit_s
    statement = text(_escaped(query, parameters))
    driver: Any = connection.connection.driver_connection
    try:
        if connection.dialect.name == "postgresql":
            _refuse_effects(connection, query)
        else:
            driver.set_progress_handler(lambda: time.monotonic() > until, _STEPS)
        with connection.execute(statement, parameters, execution_options={"stream_results": True}) as result:
            return [{name: _plain(value) for name, value in row.items()} for row in _before(until, result)]
    except SQLAlchemyError as error:
        raise InvalidDataError(f"SQL: {_reason(error, query)}") from error
    finally:
        if connection.dialect.name == "sqlite":
            driver.set_progress_handler(None, 0)


def values(catalog: Catalog, texts: dict[str, str]) -> dict[str, Any]:
    """Parameters given as text: PostgreSQL finds their types from the query, SQLite wants numbers as numbers."""
    return {name: _number(value) for name, value in texts.items()} if catalog.on_sqlite else dict(texts)


def schema(catalog: Catalog) -> list[dict[str, str]]:
    """A line on every column of every view: view, column, type, description."""
    with catalog.read() as connection:
        return [
            {
                "view": view,
                "column": column["name"],
                "type": str(column["type"]).lower().replace("null", ""),
                "description": views.DESCRIBED[view][column["name"]],
            }
            for view in sorted(views.VIEWS)
            for column in inspect(connection).get_columns(view)
        ]


_TOO_LONG = "the query took longer than its limit; narrow it down, or allow more with --time-limit"


def _escaped(query: str, parameters: dict[str, Any]) -> str:
    """The query with `:name` outside quotes as a parameter, and every other colon as a colon."""
    parts = _QUOTED.split(query)
    wanted = {name for part in parts[::2] for name in _PARAMETER.findall(part)}
    missing = ", ".join(f"{name} (-p {name}=VALUE)" for name in sorted(wanted - set(parameters)))
    if missing:
        raise InvalidDataError(f"SQL: no value for {missing}")
    parts[1::2] = [part.replace(":", "\\:") for part in parts[1::2]]
    parts[::2] = [re.sub(r"(?<!:):(\w+)", _colon_unless(parameters), part) for part in parts[::2]]
    return "".join(parts)


def _colon_unless(parameters: dict[str, Any]) -> Callable[[re.Match[str]], str]:
    return lambda found: found[0] if found[1] in parameters else f"\\{found[0]}"


def _before(until: float, result: CursorResult[Any]) -> Iterator[RowMapping]:
    """Rows as they come; InvalidDataError when time is up: each fetch is quick, but they may never end."""
    for row in result.mappings():
        yield row
        if time.monotonic() > until:
            raise InvalidDataError(f"SQL: {_TOO_LONG}")


def _plain(value: Any) -> Any:
    """The same values from both databases: numbers, text, and times as SQLite keeps them."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    return bytes(value).hex() if isinstance(value, bytes | memoryview) else value


def _number(value: str) -> int | float | str:
    """A number if the text is how that number is written, else the text: `0042` is a name."""
    for kind in (int, float):
        try:
            if str(kind(value)) == value and value not in ("nan", "inf", "-inf"):
                return kind(value)
        except ValueError:
            continue
    return value


def _drop_privileges(connection: Connection, time_limit_s: float) -> None:
    connection.exec_driver_sql(f"SET LOCAL statement_timeout = {max(1, int(time_limit_s * 1000))}")
    if connection.exec_driver_sql("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").scalar():
        connection.exec_driver_sql("SET LOCAL ROLE pg_read_all_data")


def _refuse_effects(connection: Connection, query: str) -> None:
    """InvalidDataError if a word of the query, quoted or not, names a function that may have effects."""
    if re.search(r'u&"', query, re.IGNORECASE):
        raise InvalidDataError('SQL: names written U&"…" are refused; write the name itself')
    words = {word.lower() for word in re.findall(r"[^\W\d][\w$]*", query)}
    asked = text(
        "SELECT DISTINCT proname::text FROM pg_catalog.pg_proc WHERE lower(proname) = ANY(:words)"
        " AND proname <> ALL(:harmless) AND (provolatile = 'v' OR proname LIKE '%\\_to\\_xml%')"
    ).bindparams(bindparam("words", sorted(words)), bindparam("harmless", _HARMLESS))
    refused = sorted(connection.execute(asked).scalars())
    if refused:
        raise InvalidDataError(f"SQL: {', '.join(refused)}: functions that may have effects are refused")


def _reason(error: SQLAlchemyError, query: str) -> str:
    """One line on what is wrong."""
    cause = getattr(error, "orig", None)
    said = str(cause or error).partition("\n")[0]
    state = getattr(cause, "sqlstate", None)
    if said == "interrupted" or state == "57014":
        return _TOO_LONG
    asks = _QUERY.match(query) and not any(mark in f"{said} {state}" for mark in _NOT_READING)
    return said if asks else f"{said}; only queries are allowed here"


def _advice(catalog: Catalog, query: str, said: str) -> str:
    """What there is, where a query names a table or column that is not."""
    table, column = _TABLE.search(said), _COLUMN.search(said)
    known: dict[str, list[str]] = {}
    if table or column:
        for line in schema(catalog):
            known.setdefault(line["view"], []).append(line["column"])
    if table:
        return _hint(table[1] or table[2], list(known), "views")
    if column:
        name = (column[1] or column[2]).rpartition(".")[2]
        named = [view for view in known if re.search(rf"\b{view}\b", query)]
        return "".join(_hint(name, known[view], f"columns of {view}") for view in named)
    return ""


def _hint(name: str, there: list[str], what: str) -> str:
    close = get_close_matches(name, there, 1)
    guess = f"did you mean {close[0]}? " if close else ""
    return f"; {guess}{what}: {', '.join(there)}"
