"""What a writer does in one transaction: drawn at random, and told as facts that must be in the database afterwards.

A fact is a list that JSON can hold: what it is, then names, row numbers and values. `found` reads the same facts back.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Table, func, select

from flaredb.catalog import acceptances, case_events, cases, labels, policies, scores
from flaredb.catalog import tables as t
from flaredb.catalog.database import Catalog, Write
from flaredb.catalog.standing import RELIABILITY
from flaredb.errors import ConflictError, Finding
from flaredb.labels.policy import Policy
from flaredb.labels.structures import FLARE23
from tests.builders import add_case, add_label, modes

Fact = list[Any]
CASES = tuple(f"case{number}" for number in range(8))
HUMAN = tuple(f"people{number}" for number in range(4))
SOURCES = dict.fromkeys(HUMAN, "ground-truth") | {f"model{number}": "pseudo" for number in range(5)}
NAMES = FLARE23.names[:5]
VALUES = {structure.name: structure.value for structure in FLARE23.structures}
EVENTS: tuple[acceptances.Event, ...] = ("accepted", "accepted", "revoked", "withdrawn", "restored", "restored")
IMPORTED = "imported"  # the rule of the finding that says how many labels came with it


class Deliberate(Exception):  # noqa: N818  it is no error that a transaction is given up
    """A transaction that is given up: nothing of it may stay, least of all these volumes."""

    def __init__(self, volumes: list[str]) -> None:
        super().__init__(f"{len(volumes)} labels")
        self.volumes = volumes


def prepare(url: str) -> int:
    """Make the cases; the number of the last operation."""
    catalog = Catalog(url)
    with catalog.run("prepare", {}) as run, run.write() as write:
        for name in CASES:
            add_case(write, name)
    catalog.close()
    return write.operation


def import_labels(write: Write, rng: random.Random) -> list[Fact]:
    """One to three labels of a source, which is accepted for them, and a finding that says how many."""
    source = rng.choice(list(SOURCES))
    named: set[str] = set()
    facts: list[Fact] = []
    for case in rng.sample(CASES, rng.randint(1, 3)):
        drawn = rng.sample(NAMES, rng.randint(1, 4))
        annotated = modes(*drawn[:-1], positive=drawn[-1:]) if rng.random() < 0.2 else modes(*drawn)
        volume = None if rng.random() < 0.1 else f"{rng.getrandbits(256):064x}"
        at = datetime(2023, 1, 1, tzinfo=UTC) + timedelta(days=rng.randrange(30))
        kind = SOURCES[source]
        number, name = add_label(write, source, case, annotated, kind=kind, volume=volume, annotated_at=at)
        facts.append(["label", number, name, volume, sorted(drawn)])
        named |= set(drawn)
    write.add_findings([Finding("info", None, IMPORTED, str(len(facts)))])
    facts.append([IMPORTED, len(facts)])
    return facts + _accept(write, source, named)


def _accept(write: Write, source: str, names: set[str]) -> list[Fact]:
    number = labels.source_number(write.connection, source)
    events = t.acceptances.c
    judged = set(write.connection.execute(select(events.structure).where(events.source_id == number)).scalars())
    acceptances.accept_at_import(write, number, sorted(names))
    return [["at import", "source", number, VALUES[name]] for name in sorted(names) if VALUES[name] not in judged]


def decide(write: Write, rng: random.Random) -> list[Fact]:
    """Accept, revoke, withdraw or restore a source or a label."""
    of_source = rng.random() < 0.5
    number = _any(write.connection, t.sources if of_source else t.labels, rng)
    if number is None:
        return []
    target: acceptances.Target = ("source" if of_source else "label", number)
    event = rng.choice(EVENTS)
    names = rng.sample(NAMES, rng.randint(1, 3))
    acceptances.record(write, target, names, event, "torture")
    return [[event, *target, VALUES[name]] for name in names]


def score(write: Write, rng: random.Random) -> list[Fact]:
    """A label's reliability for a structure."""
    label, reference = _any(write.connection, t.labels, rng), _any(write.connection, t.labels, rng)
    if label is None or reference is None:
        return []
    new = scores.NewScore(label, reference, rng.choice(NAMES), "u", round(rng.random(), 3))
    fresh = scores.add(write, RELIABILITY, [new])
    return [["score", label, reference, VALUES[new.structure], new.value]] * fresh


def exclude(write: Write, rng: random.Random) -> list[Fact]:
    """Keep a case out of use, or take it back."""
    case = cases.find(write.connection, rng.choice(CASES))
    case_events.set_excluded(write, case, not case.excluded, "torture")
    return [["included" if case.excluded else "excluded", case.id]]


def change_policy(write: Write, rng: random.Random) -> list[Fact]:
    """Put another policy in force."""
    order = tuple(rng.sample(list(SOURCES), 3))
    policy = Policy(order, {"*": rng.choice([0.0, 0.3, 0.6])}, require_score=rng.random() < 0.3)
    policies.apply(write, policy, "torture")
    return [["policy", policy.digest]]


def supersede(write: Write, rng: random.Random) -> list[Fact]:
    """One source of people's labels comes before another, unless that one comes before it."""
    numbers = {name: labels.ensure_source(write, name, SOURCES[name]) for name in rng.sample(HUMAN, 2)}
    (newer, older), before = numbers, _count(write.connection, t.supersessions)
    try:
        labels.set_supersedes(write, numbers[newer], older)
    except ConflictError:
        return []
    added = _count(write.connection, t.supersessions) - before
    return [["supersedes", numbers[newer], numbers[older]]] * added


def give_up(write: Write, rng: random.Random) -> list[Fact]:
    """Import labels, and fail before the end."""
    facts = import_labels(write, rng)
    raise Deliberate([fact[3] for fact in facts if fact[0] == "label" and fact[3]])


ACTIONS: dict[Callable[[Write, random.Random], list[Fact]], int] = {
    import_labels: 35,
    decide: 35,
    score: 14,
    exclude: 8,
    give_up: 5,
    supersede: 2,
    change_policy: 1,
}


def _any(connection: Connection, table: Table, rng: random.Random) -> int | None:
    """The number of some row; None if there is none."""
    rows = _count(connection, table)
    if not rows:
        return None
    query = select(table.c.id).order_by(table.c.id).offset(rng.randrange(rows)).limit(1)
    return int(connection.execute(query).scalar_one())


def _count(connection: Connection, table: Table) -> int:
    return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def found(connection: Connection) -> dict[int, list[Fact]]:
    """Operation → its facts, as the tables have them."""
    facts: dict[int, list[Fact]] = {row: [] for row in connection.execute(select(t.operations.c.id)).scalars()}
    operation_of = {
        row.id: row.operation_id for row in connection.execute(select(t.labels.c.id, t.labels.c.operation_id))
    }
    for label in labels.every(connection):
        told = ["label", label.id, label.name, label.volume, sorted(label.annotated)]
        facts[operation_of[label.id]].append(told)
    for table in (t.acceptances, t.withdrawals):
        for row in connection.execute(select(table)):
            event = "at import" if table is t.acceptances and row.at_import else row.event
            target = ["label", row.label_id] if row.source_id is None else ["source", row.source_id]
            facts[row.operation_id].append([event, *target, row.structure])
    for row in connection.execute(select(t.scores)):
        facts[row.operation_id].append(["score", row.label_id, row.reference_id, row.structure, row.value])
    for row in connection.execute(select(t.case_events)):
        facts[row.operation_id].append([row.event, row.case_id])
    for row in connection.execute(select(t.policies)):
        facts[row.operation_id].append(["policy", row.digest])
    for row in connection.execute(select(t.supersessions)):
        facts[row.operation_id].append(["supersedes", row.source_id, row.older_id])
    for row in connection.execute(select(t.findings)):
        facts[row.operation_id].append([row.rule, int(row.message)])
    return facts
