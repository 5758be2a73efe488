"""What must hold when all processes have ended: nothing that was written down is missing, and all fits together."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from itertools import pairwise
from typing import Any

from sqlalchemy import Connection, func, select, text

from flaredb.catalog import current, policy_sql, replay
from flaredb.catalog import tables as t
from flaredb.catalog.database import Catalog
from tests.torture.actions import Fact, found
from tests.torture.processes import NEVER

Notes = Sequence[dict[str, Any]]


def audit(url: str, prepared: int, writers: Sequence[Notes], kills: int = 0) -> list[str]:
    """What is wrong with a catalogue after its writers did what they noted; operations up to `prepared` are older.

    Each killed writer may have committed one operation that it could not write down.
    """
    problems = [*_order(writers), *(said["error"] for notes in writers for said in notes if "error" in said)]
    catalog = Catalog(url)
    with catalog.read() as connection:
        problems += _kept(connection, prepared, writers, kills)
        problems += _sound(connection)
        if not kills and (open_runs := _unended(connection)):
            problems.append(f"{open_runs} runs have no end")
    catalog.close()
    if catalog.on_sqlite:
        problems += check_file(str(catalog.url.database))
    return problems


def check_file(file: str) -> list[str]:
    """What SQLite itself finds wrong with a file."""
    with closing(sqlite3.connect(file)) as database:
        said = [row[0] for row in database.execute("PRAGMA integrity_check")]
        broken = database.execute("PRAGMA foreign_key_check").fetchall()
    return [line for line in said if line != "ok"] + [f"a reference to nothing: {row}" for row in broken]


def operations(notes: Notes) -> list[int]:
    """The operations that a writer wrote down, in order."""
    return [said["operation"] for said in notes if "operation" in said]


def _order(writers: Sequence[Notes]) -> Iterator[str]:
    for notes in writers:
        if any(later <= earlier for earlier, later in pairwise(operations(notes))):
            yield f"operation numbers do not increase: {operations(notes)}"
    counted = Counter(number for notes in writers for number in operations(notes))
    for number, times in counted.items():
        if times > 1:
            yield f"operation {number} was given out {times} times"


def _kept(connection: Connection, prepared: int, writers: Sequence[Notes], kills: int) -> Iterator[str]:
    """Every operation that was written down is there as it was, and hardly any other."""
    there = found(connection)
    for said in (said for notes in writers for said in notes if "operation" in said):
        number = said["operation"]
        if number not in there:
            yield f"operation {number} is lost: {said['did']}"
        elif _comparable(there[number]) != _comparable(said["facts"]):
            yield f"operation {number} is {there[number]}, and was {said['facts']}"
    noted = {number for notes in writers for number in operations(notes)}
    others = [number for number in there if number > prepared and number not in noted]
    if len(others) > kills:
        yield f"operations that nobody wrote down: {others}"
    volumes = {fact[3] for facts in there.values() for fact in facts if fact[0] == "label"}
    given_up = {volume for notes in writers for said in notes for volume in said.get("gave_up", ())}
    if stayed := volumes & given_up:
        yield f"labels of transactions that were given up: {stayed}"


def _comparable(facts: Iterable[Fact]) -> list[str]:
    return sorted(json.dumps(fact) for fact in facts)


def _sound(connection: Connection) -> Iterator[str]:
    difference = replay.compare(connection)
    if any(difference):
        yield f"told again, the history differs: {difference}"
    if current.open_places(connection) != policy_sql.winners(connection):
        yield "the log is not what the policy says"
    for what, query in NEVER.items():
        if number := connection.execute(text(query)).scalar():
            yield f"{number} {what}"


def _unended(connection: Connection) -> int:
    return int(
        connection.execute(select(func.count()).select_from(t.runs).where(t.runs.c.ended.is_(None))).scalar_one()
    )
