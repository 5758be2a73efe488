"""Lineage that runs in a circle: a label made of itself, a model that descends from itself, sources before each other.

Everything is made of what was there before it, so a circle holds at least one step back in time; as there are hardly
ever any, all of lineage is only walked where one was found.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator
from graphlib import CycleError, TopologicalSorter
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, select

from flaredb.catalog import naming
from flaredb.catalog import tables as t
from flaredb.catalog.database import Write

_MADE = {"label": t.labels, "snapshot": t.snapshots, "model": t.models}
Node = tuple[str, int]


class Step(NamedTuple):
    """A row of the catalogue that says that something was made of what came later."""

    table: str  # label_parents, models or supersessions
    row: int
    words: str


class Cycle(NamedTuple):
    """What descends from itself, by name, and the step that cannot be; None if no single row says it."""

    names: tuple[str, ...]
    step: Step | None


def cycles(connection: Connection) -> list[Cycle]:
    """Circles of lineage, and of sources that supersede each other; of those that share steps, one."""
    found = []
    edges = _edges(connection) if _backwards(connection) else set()
    while circle := _circle(edges):
        pairs = list(zip(circle, circle[1:] + circle[:1], strict=True))
        step = next((step for pair in pairs if (step := _impossible(connection, *pair))), None)
        found.append(Cycle(tuple(_name(connection, node) for node in circle), step))
        edges -= set(pairs) if step is None else {_pair_of(pairs, step, connection)}
    return found + list(_supersessions(connection))


def cut(write: Write, step: Step) -> None:
    """Take back the row that closes a circle."""
    connection = write.connection
    if step.table == "models":
        connection.execute(t.models.update().where(t.models.c.id == step.row).values(parent_id=None))
        return
    table = {"label_parents": t.label_parents, "supersessions": t.supersessions}[step.table]
    connection.execute(table.delete().where(table.c.id == step.row))


def _steps() -> dict[tuple[str, str], Select[Any]]:
    """(child, parent) kinds → query of (child, parent, the row that says so)."""
    step, model, label, item = t.label_parents.c, t.models.c, t.labels.c, t.snapshot_items.c
    return {
        ("label", "label"): select(step.child_id, step.parent_id, step.id),
        ("label", "model"): select(label.id, label.model_id, label.id).where(label.model_id.is_not(None)),
        ("model", "model"): select(model.id, model.parent_id, model.id).where(model.parent_id.is_not(None)),
        ("model", "snapshot"): select(model.id, model.snapshot_id, model.id).where(model.snapshot_id.is_not(None)),
        ("snapshot", "label"): select(item.snapshot_id, item.label_id, item.snapshot_id).distinct(),
    }


def _backwards(connection: Connection) -> bool:
    """Whether anything was made of what is no older; rows of a table are numbered in the order they were made."""
    for (child, parent), query in _steps().items():
        one = query.subquery()
        made, of = _MADE[child].alias(), _MADE[parent].alias()
        child_column, parent_column = one.c[0], one.c[1]
        later = child_column <= parent_column if child == parent else made.c.operation_id < of.c.operation_id
        joined = select(child_column).join(made, made.c.id == child_column).join(of, of.c.id == parent_column)
        if connection.execute(joined.where(later).limit(1)).first():
            return True
    return False


def _edges(connection: Connection) -> set[tuple[Node, Node]]:
    return {
        ((child, row[0]), (parent, row[1]))
        for (child, parent), query in _steps().items()
        for row in connection.execute(query)
    }


def _circle(edges: Iterable[tuple[Any, Any]]) -> list[Any]:
    """One circle, each made of the next; empty if there is none."""
    graph: dict[Hashable, list[Hashable]] = defaultdict(list)
    for child, parent in sorted(edges):
        if child == parent:
            return [child]
        graph[child].append(parent)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        circle: list[Any] = error.args[1][:0:-1]  # it goes from parent to child, and its first is its last
        first = circle.index(min(circle))
        return circle[first:] + circle[:first]
    return []


def _impossible(connection: Connection, child: Node, parent: Node) -> Step | None:
    """The row that says that a label or model was made of one that is no older."""
    if child[0] != parent[0] or child[1] > parent[1]:
        return None
    words = f"{_name(connection, child)} was not made of {_name(connection, parent)}, which is no older"
    if child[0] == "model":
        return Step("models", child[1], words)
    c = t.label_parents.c
    row = connection.execute(select(c.id).where(c.child_id == child[1], c.parent_id == parent[1])).scalar_one()
    return Step("label_parents", row, words)


def _pair_of(pairs: list[tuple[Node, Node]], step: Step, connection: Connection) -> tuple[Node, Node]:
    return next(pair for pair in pairs if _impossible(connection, *pair) == step)


def _supersessions(connection: Connection) -> Iterator[Cycle]:
    """Circles of sources; the step that was entered last closed the circle."""
    rows = {(row.source_id, row.older_id): row.id for row in connection.execute(select(t.supersessions))}
    names = {row.id: row.name for row in connection.execute(select(t.sources.c.id, t.sources.c.name))}
    while circle := _circle(rows):
        pairs = list(zip(circle, circle[1:] + circle[:1], strict=True))
        last = max(pairs, key=lambda pair: rows[pair])
        words = f"{names[last[0]]} does not supersede {names[last[1]]}, which was said last"
        yield Cycle(tuple(names[number] for number in circle), Step("supersessions", rows.pop(last), words))


def _name(connection: Connection, node: Node) -> str:
    kind, number = node
    if kind == "label":
        return naming.label_names(connection, [number])[number]
    return (naming.models if kind == "model" else naming.snapshots)(connection, [number])[0]
