"""Acceptances and withdrawals: events on a source or a label, one structure each; the narrower one wins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from sqlalchemy import Connection, bindparam, func, select

from flaredb.catalog import tables as t
from flaredb.catalog.current import cases_of_labels, cases_of_source
from flaredb.catalog.database import Write
from flaredb.catalog.derived import candidates
from flaredb.catalog.standing import chunks, source_standings
from flaredb.catalog.structures import structure_names, structure_values
from flaredb.labels.policy import HUMAN, Demand

Target = tuple[Literal["source", "label"], int]
Event = Literal["accepted", "revoked", "withdrawn", "restored"]


class Decided(NamedTuple):
    """The round whose gate decided, by number, and what it asks of the labels it accepts, by structure."""

    round: int | None
    demands: Mapping[str, Demand] = MappingProxyType({})

    def facts(self, structure: str) -> dict[str, Any]:
        """The columns of an acceptance that tell of it."""
        asked = self.demands.get(structure)
        told = {"measure": asked.measure, "threshold": asked.threshold} if asked else {}
        return {"round_id": self.round, "measure": None, "threshold": None} | told


_OPPOSITE = {"accepted": "revoked", "revoked": "accepted", "withdrawn": "restored", "restored": "withdrawn"}


def accept_at_import(write: Write, source: int, structures: Iterable[str]) -> None:
    """Accept a source for structures it was never judged on, as of time zero; later decisions are left alone."""
    judged = set(
        write.connection.execute(select(t.acceptances.c.structure).where(t.acceptances.c.source_id == source)).scalars()
    )
    values = structure_values(write.connection)
    rows = [
        {
            "source_id": source,
            "structure": values[name],
            "event": "accepted",
            "at_import": True,
            "why": "accepted at import",
            "operation_id": write.operation,
        }
        for name in structures
        if values[name] not in judged
    ]
    if rows:
        write.connection.execute(t.acceptances.insert(), rows)
        write.touched.update(cases_of_source(write.connection, source))


def accepted(write: Write, source: int, turn: int | None = None) -> set[str]:
    """Structures for which a source is accepted now; those by a round's promotion, where a round is given."""
    names = structure_names(write.connection)
    events = select(t.acceptances).where(t.acceptances.c.source_id == source).order_by(t.acceptances.c.id)
    last = {row.structure: row for row in write.connection.execute(events)}
    return {names[value] for value, row in last.items() if row.event == "accepted" and turn in (None, row.round_id)}


def newer(connection: Connection, operation: int, structures: Iterable[str], own: int) -> list[str]:
    """Those of some structures for which another generated source, or a label of one, was decided after an operation.

    Imports and labels by people do not count: neither is compared at a gate.
    """
    values = structure_values(connection)
    wanted = {values[name]: name for name in structures}
    c = t.acceptances.c
    query = (
        select(c.structure)
        .distinct()
        .join(t.labels, t.labels.c.id == c.label_id, isouter=True)
        .join(t.sources, t.sources.c.id == func.coalesce(c.source_id, t.labels.c.source_id))
        .where(c.operation_id > operation, c.structure.in_(list(wanted)), t.sources.c.id != own, c.at_import == 0)
        .where(func.coalesce(t.labels.c.kind, t.sources.c.default_kind).not_in(sorted(HUMAN)))
    )
    return [wanted[value] for value in sorted(connection.execute(query).scalars())]


def accepted_since(connection: Connection) -> dict[tuple[str, str], int]:
    """(source, structure) → the operation by which a source is accepted now; 0 where it was at import."""
    names = structure_names(connection)
    known = source_standings(connection).values()
    return {(each.name, names[value]): since for each in known for value, since in each.accepted.items()}


def counting(connection: Connection, labels: Iterable[int]) -> dict[str, int]:
    """Generated sources that have some of these labels and are accepted for a structure now: name → number."""
    accepted_now = {name for name, _ in accepted_since(connection)}
    found: dict[str, int] = {}
    c = t.sources.c
    for chunk in chunks(labels):
        query = select(c.name, c.id).distinct().join(t.labels, t.labels.c.source_id == c.id)
        query = query.where(t.labels.c.id.in_(chunk), t.labels.c.kind.not_in(sorted(HUMAN)))
        found |= {row.name: row.id for row in connection.execute(query) if row.name in accepted_now}
    return found


def record(
    write: Write,
    target: Target,
    structures: Iterable[str],
    event: Event,
    why: str,
    turn: Decided | None = None,
) -> None:
    """Append an event for each structure of a source or a label; `turn` is the round whose gate decided.

    What a promotion asks of each label's reliability goes with it, by structure; labels accepted by themselves are
    not asked.
    """
    kind, number = target
    if kind == "label":
        record_labels(write, {number: tuple(structures)}, event, why)
        return
    values = structure_values(write.connection)
    _append(
        write,
        [{"source_id": number, "structure": values[name], **(turn.facts(name) if turn else {})} for name in structures],
        event,
        why,
    )
    write.touched.update(cases_of_source(write.connection, number))


def record_labels(write: Write, labels: Mapping[int, Iterable[str]], event: Event, why: str) -> None:
    """Append an event for each label and structure."""
    values = structure_values(write.connection)
    own = {number: [values[name] for name in names] for number, names in labels.items()}
    _append(write, [{"label_id": number, "structure": value} for number in own for value in own[number]], event, why)
    changes = [
        {"number": number, "bits": bits, "others": ~bits}
        for number, listed in own.items()
        if (bits := sum(1 << value for value in set(listed)))
    ]
    if changes:
        c = candidates.c
        update = candidates.update().where(c.label_id == bindparam("number"))
        marks = {
            event: c[event].bitwise_or(bindparam("bits")),
            _OPPOSITE[event]: c[_OPPOSITE[event]].bitwise_and(bindparam("others")),
        }
        write.connection.execute(update.values(marks), changes)
    write.touched.update(cases_of_labels(write.connection, own))


def decisions(connection: Connection, source: int) -> list[dict[str, Any]]:
    """Every decision on a source, oldest first: what, for which structures, why, when."""
    names = structure_names(connection)
    grouped: dict[tuple[int, str, str, str], list[str]] = {}
    for table in (t.acceptances, t.withdrawals):
        query = select(table, t.operations.c.at).join(t.operations, t.operations.c.id == table.c.operation_id)
        for row in connection.execute(query.where(table.c.source_id == source).order_by(table.c.id)):
            key = (row.operation_id, row.event, row.why, row.at.isoformat())
            grouped.setdefault(key, []).append(names[row.structure])
    return [
        {"operation": operation, "event": event, "why": why, "at": at, "structures": listed}
        for (operation, event, why, at), listed in sorted(grouped.items())
    ]


def _append(write: Write, rows: list[dict[str, Any]], event: Event, why: str) -> None:
    table = t.acceptances if event in ("accepted", "revoked") else t.withdrawals
    facts = {"event": event, "why": why, "operation_id": write.operation}
    if rows:
        write.connection.execute(table.insert(), [row | facts for row in rows])
