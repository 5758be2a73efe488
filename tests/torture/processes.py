"""What runs in processes of its own: writers and readers, each with a file of notes that outlives it."""

from __future__ import annotations

import json
import os
import random
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, select, text

from flaredb.catalog import current, policy_sql
from flaredb.catalog import tables as t
from flaredb.catalog.database import Catalog
from tests.torture.actions import ACTIONS, IMPORTED, Deliberate

_PATIENCE_S = 120
_PAUSE_S = 0.05

# Each counts what must not be there, whatever the moment.
NEVER = {
    "labels without structures": "SELECT count(*) FROM labels l WHERE NOT EXISTS "
    "(SELECT 1 FROM label_structures p WHERE p.label_id = l.id)",
    "labels with voxels that are no candidates": "SELECT count(*) FROM labels l LEFT JOIN candidates c "
    "ON c.label_id = l.id WHERE l.volume IS NOT NULL AND c.id IS NULL",
    "imports of which a part is there": "SELECT count(*) FROM (SELECT f.operation_id FROM finding_log f LEFT JOIN "
    f"labels l ON l.operation_id = f.operation_id WHERE f.rule = '{IMPORTED}' GROUP BY f.operation_id, f.message "
    "HAVING count(l.id) <> CAST(f.message AS integer)) AS parts",
    "intervals that end before they begin": "SELECT count(*) FROM current_history WHERE to_operation <= from_operation",
    "current labels of excluded cases": "SELECT count(*) FROM current_history h JOIN cases c ON c.id = h.case_id "
    "WHERE h.to_operation IS NULL AND c.excluded <> 0",
    "winners that the view does not show": "SELECT (SELECT count(*) FROM current_history WHERE to_operation IS NULL "
    "AND place = 0) - (SELECT count(*) FROM current_labels)",
}


class Notes:
    """A file of one JSON object a line; a line is there once `add` returns, even if the process is killed then."""

    def __init__(self, file: Path) -> None:
        self.file = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def add(self, **said: Any) -> None:
        """Write a line."""
        os.write(self.file, json.dumps(said).encode() + b"\n")


def read_notes(file: Path) -> list[dict[str, Any]]:
    """What a process wrote down, in order."""
    return [json.loads(line) for line in file.read_bytes().splitlines()] if file.exists() else []


@dataclass(frozen=True)
class Job:
    """Where a process works, how long, its share of the seed, its notes, and what it waits for to begin."""

    url: str
    seconds: float
    seed: str
    notes: Path
    start: Barrier | None = None


@contextmanager
def _working(job: Job) -> Iterator[tuple[Catalog, Notes, random.Random]]:
    """A catalogue to work with; an error is written down and ends the process."""
    notes, catalog = Notes(job.notes), Catalog(job.url)
    try:
        catalog.check_schema()
        if job.start:
            job.start.wait(_PATIENCE_S)
        yield catalog, notes, random.Random(job.seed)
        catalog.close()
    except Exception:
        notes.add(error=traceback.format_exc())
        sys.exit(1)


def write_on(job: Job) -> None:
    """Do one thing after the other, and write down each after its commit."""
    with _working(job) as (catalog, notes, rng):
        until = time.monotonic() + job.seconds
        while time.monotonic() < until:
            _act(catalog, notes, rng)


def _act(catalog: Catalog, notes: Notes, rng: random.Random) -> None:
    (action,) = rng.choices(list(ACTIONS), list(ACTIONS.values()))
    begun = time.monotonic()
    try:
        with catalog.run(action.__name__, {}) as run:
            notes.add(begins=action.__name__)
            with run.write() as write:
                facts = action(write, rng)
            notes.add(operation=write.operation, did=action.__name__, facts=facts)
    except Deliberate as given_up:
        notes.add(gave_up=given_up.volumes)
    notes.add(seconds=round(time.monotonic() - begun, 4))


def read_on(job: Job) -> None:
    """Look at the catalogue again and again, and write down what each look found."""
    with _working(job) as (catalog, notes, rng):
        until = time.monotonic() + job.seconds
        seen = (0, 0)
        while time.monotonic() < until:
            with catalog.read() as connection:
                wrong = list(_look(connection, rng, seen))
                seen = _operations(connection)
            notes.add(read=seen[0], wrong=wrong)


def _operations(connection: Connection, until: int | None = None) -> tuple[int, int]:
    """How many operations there are (up to one), and the last."""
    query = select(func.count(), func.coalesce(func.max(t.operations.c.id), 0))
    if until is not None:
        query = query.where(t.operations.c.id <= until)
    count, last = connection.execute(query).one()
    return count, last


def _look(connection: Connection, rng: random.Random, seen: tuple[int, int]) -> Iterator[str]:
    """What contradicts itself within a transaction, or what was seen in the one before."""
    before, places = _operations(connection), current.open_places(connection)
    if _operations(connection, until=seen[1]) != seen:
        yield f"operations up to {seen[1]} were {seen[0]} and are others now"
    if places != policy_sql.winners(connection):
        yield f"the log is not what the policy says after operation {before[1]}"
    for what, query in NEVER.items():
        if number := connection.execute(text(query)).scalar():
            yield f"{number} {what}"
    time.sleep(rng.uniform(0, _PAUSE_S))
    if (_operations(connection), current.open_places(connection)) != (before, places):
        yield f"within a transaction something came after operation {before[1]}"
