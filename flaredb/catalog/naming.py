"""Names of rows by number, for what is shown to people."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Select, select

from flaredb.catalog import tables as t
from flaredb.catalog.standing import chunks


def labels(connection: Connection, numbers: Iterable[int]) -> list[str]:
    """`case@source@revision` of labels, sorted."""
    return sorted(label_names(connection, numbers).values())


def label_names(connection: Connection, numbers: Iterable[int]) -> dict[int, str]:
    """Number → `case@source@revision`."""
    query = (
        select(t.labels.c.id, t.cases.c.name.label("case"), t.sources.c.name.label("source"), t.labels.c.revision)
        .join(t.cases, t.cases.c.id == t.labels.c.case_id)
        .join(t.sources, t.sources.c.id == t.labels.c.source_id)
    )
    return {row.id: f"{row.case}@{row.source}@{row.revision}" for row in _chosen(connection, query, t.labels, numbers)}


def snapshots(connection: Connection, numbers: Iterable[int]) -> list[str]:
    """Names of snapshots, oldest first."""
    query = select(t.snapshots.c.id, t.snapshots.c.name)
    return [row.name for row in _chosen(connection, query, t.snapshots, numbers)]


def models(connection: Connection, numbers: Iterable[int]) -> list[str]:
    """Names of models, oldest first."""
    query = select(t.models.c.id, t.models.c.name)
    return [row.name for row in _chosen(connection, query, t.models, numbers)]


def rounds(connection: Connection, snapshots: Iterable[int], models: Iterable[int]) -> list[str]:
    """Rounds that trained from, were judged on, or trained one of these, oldest first."""
    held, made = set(snapshots), set(models)
    query = select(t.rounds).order_by(t.rounds.c.id)
    return [
        f"{row.task}/{row.number}"
        for row in connection.execute(query)
        if {row.snapshot_id, row.reference_id} & held or row.model_id in made
    ]


def _chosen(connection: Connection, query: Select[Any], table: Any, numbers: Iterable[int]) -> list[Any]:
    found: list[Any] = []
    for chunk in chunks(numbers):
        found += connection.execute(query.where(table.c.id.in_(chunk)).order_by(table.c.id)).all()
    return found
