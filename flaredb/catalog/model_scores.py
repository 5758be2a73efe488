"""Scores of models: those of the labels they made here, and those that a model of another program came with."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Select, func, null, select

from flaredb.catalog import cases
from flaredb.catalog import tables as t
from flaredb.catalog.database import Write
from flaredb.catalog.structures import structure_values


def add(write: Write, model: int, protocol: str, rows: Iterable[tuple[str, str, str, float]]) -> int:
    """Add (case, structure, metric, value) of a model by row number, as far as the cases are known; how many."""
    listed = list(rows)
    known = cases.by_any_names(write.connection, {case for case, *_ in listed})
    values = structure_values(write.connection)
    kept = {(known[c].id, values[name], metric): value for c, name, metric, value in listed if c in known}
    made = [
        {
            "model_id": model,
            "case_id": case,
            "structure": structure,
            "protocol": protocol,
            "metric": metric,
            "value": value,
            "operation_id": write.operation,
        }
        for (case, structure, metric), value in kept.items()
    ]
    if made:
        write.connection.execute(t.model_scores.insert(), made)
    return len(made)


def means(connection: Connection, model: int | None = None) -> dict[int, list[dict[str, Any]]]:
    """Model (row number) → mean scores by source, split, protocol, structure and metric; of all models, or of one.

    `source` is that of the labels the model made; None for scores that it came with.
    """
    found: dict[int, list[dict[str, Any]]] = {}
    for query in (_of_labels(model), _of_itself(model)):
        for row in connection.execute(query):
            entry = {"source": row.source, "split": row.split, "protocol": row.protocol, "structure": row.structure}
            entry |= {"metric": row.metric, "cases": row.cases, "mean": float(row.mean)}
            found.setdefault(row.model, []).append(entry)
    return found


def _of_labels(model: int | None) -> Select[Any]:
    c = t.scores.c
    by = (
        t.labels.c.model_id.label("model"),
        t.sources.c.name.label("source"),
        t.cases.c.split,
        c.protocol,
        c.structure.label("value"),
        t.structures.c.name.label("structure"),
        c.metric,
    )
    query = (
        select(*by, func.count().label("cases"), func.avg(c.value).label("mean"))
        .select_from(t.scores)
        .join(t.labels, t.labels.c.id == c.label_id)
        .join(t.sources, t.sources.c.id == t.labels.c.source_id)
        .join(t.cases, t.cases.c.id == t.labels.c.case_id)
        .join(t.structures, t.structures.c.value == c.structure)
        .where(t.labels.c.model_id.is_not(None), c.metric.in_(("dsc", "nsd")))
    )
    return _grouped(query, by, model)


def _of_itself(model: int | None) -> Select[Any]:
    c = t.model_scores.c
    by = (
        c.model_id.label("model"),
        null().label("source"),
        t.cases.c.split,
        c.protocol,
        c.structure.label("value"),
        t.structures.c.name.label("structure"),
        c.metric,
    )
    query = (
        select(*by, func.count().label("cases"), func.avg(c.value).label("mean"))
        .select_from(t.model_scores)
        .join(t.cases, t.cases.c.id == c.case_id)
        .join(t.structures, t.structures.c.value == c.structure)
    )
    return _grouped(query, tuple(column for column in by if column.name != "source"), model)


def _grouped(query: Select[Any], by: tuple[Any, ...], model: int | None) -> Select[Any]:
    plain = [column.element if hasattr(column, "element") else column for column in by]
    if model is not None:
        query = query.where(plain[0] == model)
    return query.group_by(*plain).order_by(*plain)
