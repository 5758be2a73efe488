"""Many cases and announced labels at once, in a few statements for all; and what is said of cases later."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import func, select

from flaredb.catalog import tables as t
from flaredb.catalog.database import Connection, Write
from flaredb.catalog.labels import NewLabel, mapping_number, source_number, structure_rows
from flaredb.catalog.structures import structure_values


class NewCase(NamedTuple):
    """A case to register: no voxels yet; `facts` are further columns, the same ones for every case of a call."""

    name: str
    patient: str
    split: str
    facts: dict[str, Any]


def add_cases(write: Write, new: Sequence[NewCase]) -> None:
    """Add cases whose names are not taken."""
    patients = _patient_numbers(write, {case.patient for case in new})
    rows = [
        {
            "name": case.name,
            "patient_id": patients[case.patient],
            "split": case.split,
            "operation_id": write.operation,
            **case.facts,
        }
        for case in new
    ]
    if rows:
        write.connection.execute(t.cases.insert(), rows)


def announce(write: Write, new: Sequence[NewLabel]) -> None:
    """Add labels without voxels, each as the next revision of its source; their cases and sources are there."""
    if not new:
        return
    connection = write.connection
    case_numbers = {row.name: row.id for row in connection.execute(select(t.cases.c.name, t.cases.c.id))}
    sources = {name: source_number(connection, name) for name in {label.source for label in new}}
    mappings = {codes.digest: mapping_number(write, codes) for codes in {label.codes for label in new}}
    revisions = _last_revisions(write, sources.values())
    by_key: dict[tuple[int, int, int], NewLabel] = {}
    rows = []
    for label in new:
        own = case_numbers[label.case], sources[label.source]
        revisions[own] = revisions.get(own, 0) + 1
        by_key[*own, revisions[own]] = label
        rows.append(
            {
                "case_id": own[0],
                "source_id": own[1],
                "annotator": label.annotator,
                "revision": revisions[own],
                "kind": label.kind,
                "mapping_id": mappings[label.codes.digest],
                "annotated_at": label.annotated_at,
                "operation_id": write.operation,
            }
        )
    connection.execute(t.labels.insert(), rows)
    _add_structures(write, by_key)


def _add_structures(write: Write, by_key: dict[tuple[int, int, int], NewLabel]) -> None:
    """What each label of this operation annotates; labels by case, source and revision."""
    values = structure_values(write.connection)
    made = write.connection.execute(select(t.labels).where(t.labels.c.operation_id == write.operation)).all()
    rows = [
        part
        for row in made
        if (row.case_id, row.source_id, row.revision) in by_key
        for part in structure_rows(values, row.id, by_key[row.case_id, row.source_id, row.revision])
    ]
    write.connection.execute(t.label_structures.insert(), rows)


def _patient_numbers(write: Write, keys: set[str]) -> dict[str, int]:
    """Patient → number, made where new."""
    query = select(t.patients.c.key, t.patients.c.id)
    known = {row.key for row in write.connection.execute(query)}
    missing = sorted(keys - known)
    if missing:
        write.connection.execute(t.patients.insert(), [{"key": key} for key in missing])
    return {row.key: row.id for row in write.connection.execute(query)}


def _last_revisions(write: Write, sources: Iterable[int]) -> dict[tuple[int, int], int]:
    """(case, source) → its newest revision."""
    columns = (t.labels.c.case_id, t.labels.c.source_id)
    query = select(*columns, func.max(t.labels.c.revision)).where(t.labels.c.source_id.in_(list(sources)))
    return {(case, source): last for case, source, last in write.connection.execute(query.group_by(*columns))}


def described(connection: Connection) -> dict[int, dict[str, Any]]:
    """Case → its patient's key, split, source data set, licence and centre."""
    c = t.cases.c
    query = select(c.id, t.patients.c.key.label("patient"), c.split, c.source_dataset, c.licence, c.centre)
    return {row["id"]: dict(row) for row in connection.execute(query.join(t.patients)).mappings()}


def in_snapshots(connection: Connection) -> set[int]:
    """Cases that some snapshot used."""
    return set(connection.execute(select(t.snapshot_items.c.case_id).distinct()).scalars())
