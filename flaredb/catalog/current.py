"""What is current, and what was: the log of intervals that every event keeps.

A label is current for a structure of a case from one operation to another. After an operation the cases it touched
are decided anew and the differences are written: intervals end, others begin. Nothing else writes the log.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from itertools import groupby
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, select

from flaredb.catalog import tables as t
from flaredb.catalog.derived import candidates, current_history
from flaredb.catalog.standing import (
    chunks,
    label_rows,
    make_chooser,
    own_acceptances,
    policy_in_force,
)
from flaredb.catalog.structures import structure_names
from flaredb.labels.choose import Chooser, LabelRow
from flaredb.labels.policy import Current, Policy, Voice

_FEW = 500
_WON = 10**6  # after every contributor
SILENT = "no label speaks about it"
EXCLUDED = "the case is excluded"
UNCOUNTED = "labels annotate it and none counts; flaredb label explain says why"
WITHOUT_WINNER = "no label says where it is absent; what is marked is known"


class Interval(NamedTuple):
    """What an open interval says: row numbers, the structure's value, the place (0 won) and why."""

    case: int
    structure: int
    place: int
    label: int
    reason: str


def refresh(connection: Connection, operation: int, cases: Collection[int]) -> int:
    """Decide cases anew and log what changed under an operation; how many intervals began."""
    if not cases:
        return 0
    number, policy = policy_in_force(connection)
    chooser = make_chooser(connection, policy)
    return sum(_refresh(connection, operation, chunk, number, policy, chooser) for chunk in chunks(cases))


def decided(connection: Connection, cases: list[int], policy: Policy, chooser: Chooser) -> set[Interval]:
    """What the rules say now of at most a chunk of cases."""
    rows = label_rows(connection, cases, policy)
    singled_out = any(row.accepted for listed in rows.values() for row in listed)
    own = own_acceptances(connection, cases) if singled_out else {}
    return {
        Interval(case, choice.structure, choice.place, choice.label, choice.reason)
        for case, listed in rows.items()
        for choice in chooser.choose(listed, own)
    }


def logged(connection: Connection, cases: list[int]) -> dict[Interval, int]:
    """Open intervals of at most a chunk of cases, and their row numbers."""
    h = current_history.c
    query = select(h.case_id, h.structure, h.place, h.label_id, h.reason, h.id)
    # Every structure is above 0; saying so leads SQLite to the index of open intervals, not to that of all there were.
    standing = (h.case_id.in_(cases), h.structure > 0, h.to_operation.is_(None))
    rows = connection.execute(query.where(*standing))
    return {Interval(*facts): number for *facts, number in rows}


def now(
    connection: Connection, names: Iterable[str] | None = None, as_of: int | None = None
) -> dict[str, list[Current]]:
    """Case → what is current for each structure that some label speaks about, now or just after an operation."""
    query = _voices(as_of)
    kept = None if names is None else set(names)
    if kept is not None and len(kept) <= _FEW:
        query = query.where(t.cases.c.name.in_(kept))
    found: dict[str, list[Current]] = defaultdict(list)
    rows = connection.execute(query.order_by(t.cases.c.name, current_history.c.structure, current_history.c.place))
    for (case, structure), group in groupby(rows, key=lambda row: (row.case, row.structure)):
        if kept is None or case in kept:
            found[case].append(_current(structure, list(group)))
    return dict(found)


def _current(structure: str, rows: list[Any]) -> Current:
    voices = [_voice(row.case, row) for row in rows]
    won = rows[0].place == 0
    return Current(
        structure,
        voices[0] if won else None,
        tuple(voices[1:] if won else voices),
        rows[0].reason if won else WITHOUT_WINNER,
    )


def _voices(as_of: int | None) -> Select[Any]:
    h = current_history.c
    standing: Any = h.to_operation.is_(None)
    if as_of is not None:
        standing = (h.from_operation <= as_of) & (h.to_operation.is_(None) | (h.to_operation > as_of))
    return (
        select(
            t.cases.c.name.label("case"),
            t.structures.c.name.label("structure"),
            h.place,
            h.label_id.label("id"),
            h.reason,
            t.sources.c.name.label("source"),
            t.labels.c.kind,
            t.labels.c.revision,
        )
        .join(t.cases, t.cases.c.id == h.case_id)
        .join(t.structures, t.structures.c.value == h.structure)
        .join(t.labels, t.labels.c.id == h.label_id)
        .join(t.sources, t.sources.c.id == t.labels.c.source_id)
        .where(standing)
    )


def _refresh(
    connection: Connection, operation: int, cases: list[int], number: int, policy: Policy, chooser: Chooser
) -> int:
    old = logged(connection, cases)
    new = decided(connection, cases, policy, chooser)
    ended = [row for interval, row in old.items() if interval not in new]
    for chunk in chunks(ended):
        closing = current_history.update().where(current_history.c.id.in_(chunk))
        connection.execute(closing.values(to_operation=operation))
    begun = [interval for interval in new if interval not in old]
    if begun:
        connection.execute(
            current_history.insert(),
            [
                {
                    "case_id": interval.case,
                    "structure": interval.structure,
                    "label_id": interval.label,
                    "place": interval.place,
                    "reason": interval.reason,
                    "policy_id": number,
                    "from_operation": operation,
                }
                for interval in begun
            ],
        )
    return len(begun)


def silences(connection: Connection, names: Collection[str], as_of: int | None = None) -> dict[tuple[str, str], str]:
    """(case, structure) → why no label is current or contributes, where some label annotates the structure."""
    structures = structure_names(connection)
    bits = candidates.c.strong.bitwise_or(candidates.c.weak)
    query = select(t.cases.c.id, t.cases.c.name, bits).join(t.cases, t.cases.c.id == candidates.c.case_id)
    if len(names) <= _FEW:
        query = query.where(t.cases.c.name.in_(names))
    if as_of is not None:
        query = query.join(t.labels, t.labels.c.id == candidates.c.label_id).where(t.labels.c.operation_id <= as_of)
    out = _excluded(connection, as_of)
    return {
        (case, name): EXCLUDED if number in out else UNCOUNTED
        for number, case, annotated in connection.execute(query.distinct())
        for value, name in structures.items()
        if annotated >> value & 1
    }


def _excluded(connection: Connection, as_of: int | None) -> set[int]:
    """Cases kept out of use, now or just after an operation."""
    events = t.case_events.c
    query = select(events.case_id, events.event).where(events.event.in_(["excluded", "included"]))
    if as_of is not None:
        query = query.where(events.operation_id <= as_of)
    last = {row.case_id: row.event for row in connection.execute(query.order_by(events.id))}
    return {case for case, event in last.items() if event == "excluded"}


def open_places(connection: Connection) -> set[tuple[int, int, int, int]]:
    """(case, structure, label, place) of every open interval."""
    h = current_history.c
    query = select(h.case_id, h.structure, h.label_id, h.place).where(h.to_operation.is_(None))
    return {(row[0], row[1], row[2], row[3]) for row in connection.execute(query)}


def would_change(connection: Connection, policy: Policy) -> list[tuple[str, str | None, str | None]]:
    """(structure, source now, source then) for every winner that another policy would change; None: nobody."""
    chooser = make_chooser(connection, policy)
    structures = structure_names(connection)
    sources = _sources_of(connection)
    found = []
    for chunk in chunks(every_case(connection)):
        before = {(i.case, i.structure): i.label for i in logged(connection, chunk) if i.place == 0}
        after = {(i.case, i.structure): i.label for i in decided(connection, chunk, policy, chooser) if i.place == 0}
        for cell in sorted(before.keys() | after.keys()):
            was, becomes = before.get(cell), after.get(cell)
            if was != becomes:
                found.append((structures[cell[1]], sources.get(was), sources.get(becomes)))
    return found


def _sources_of(connection: Connection) -> dict[int | None, str]:
    query = select(candidates.c.label_id, t.sources.c.name).join(t.sources, t.sources.c.id == candidates.c.source_id)
    return {row[0]: row[1] for row in connection.execute(query)}


def without(
    connection: Connection, names: Iterable[str] | None, dropped: Callable[[LabelRow], bool]
) -> dict[tuple[str, str], Voice]:
    """(case, structure) → the label that would come first if some were not there; no superset: none can be measured.

    What a model left empty is positive-only and wins nothing, but it is what the model says, and counts here.
    """
    _, policy = policy_in_force(connection)
    chooser = make_chooser(connection, policy)
    known = {row.id: row.name for row in connection.execute(select(t.cases.c.id, t.cases.c.name))}
    kept = None if names is None else set(names)
    first: dict[tuple[int, int], int] = {}
    for chunk in chunks(number for number, name in known.items() if kept is None or name in kept):
        rows, own = label_rows(connection, chunk, policy), own_acceptances(connection, chunk)
        supersets = _supersets(connection, chunk)
        for case, listed in rows.items():
            chosen = chooser.choose([row for row in listed if not dropped(row)], own)
            for choice in sorted(chosen, key=lambda c: c.place or _WON):
                if (choice.label, choice.structure) not in supersets:
                    first.setdefault((case, choice.structure), choice.label)
    return _named(connection, known, first)


def _supersets(connection: Connection, cases: list[int]) -> set[tuple[int, int]]:
    """(label, structure) that a label knows only together with others."""
    part = t.label_structures.c
    query = select(part.label_id, part.structure).join(candidates, candidates.c.label_id == part.label_id)
    rows = connection.execute(query.where(part.superset != 0, candidates.c.case_id.in_(cases)))
    return {(label, structure) for label, structure in rows}


def _named(
    connection: Connection, cases: Mapping[int, str], chosen: Mapping[tuple[int, int], int]
) -> dict[tuple[str, str], Voice]:
    structures = structure_names(connection)
    query = select(t.labels.c.id, t.labels.c.kind, t.labels.c.revision, t.sources.c.name.label("source"))
    facts: dict[int, Any] = {}
    for chunk in chunks(set(chosen.values())):
        rows = connection.execute(query.join(t.sources).where(t.labels.c.id.in_(chunk)))
        facts |= {row.id: row for row in rows}
    return {
        (cases[case], structures[value]): _voice(cases[case], facts[label]) for (case, value), label in chosen.items()
    }


def _voice(case: str, row: Any) -> Voice:
    return Voice(f"{case}@{row.source}@{row.revision}", row.id, row.source, row.kind, row.revision)


def cases_of_source(connection: Connection, source: int) -> set[int]:
    """Cases that have a label of a source."""
    query = select(candidates.c.case_id).where(candidates.c.source_id == source)
    return set(connection.execute(query).scalars())


def cases_of_labels(connection: Connection, labels: Iterable[int]) -> set[int]:
    """Cases that labels are of."""
    found: set[int] = set()
    for chunk in chunks(labels):
        query = select(candidates.c.case_id).where(candidates.c.label_id.in_(chunk))
        found.update(connection.execute(query).scalars())
    return found


def every_case(connection: Connection) -> set[int]:
    """Cases that have a label."""
    return set(connection.execute(select(candidates.c.case_id).distinct()).scalars())
