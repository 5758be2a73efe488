"""What descends from what: labels are trained on through snapshots, models make labels, labels are made of labels."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, Table, select

from flaredb.catalog import naming
from flaredb.catalog import tables as t
from flaredb.catalog.derived import candidates
from flaredb.catalog.standing import chunks, source_standings
from flaredb.catalog.structures import structure_names


class Family(NamedTuple):
    """Row numbers of labels, snapshots and models."""

    labels: frozenset[int]
    snapshots: frozenset[int]
    models: frozenset[int]


def descendants(
    connection: Connection,
    labels: Iterable[int],
    structures: Mapping[int, frozenset[str]] | None = None,
    models: Iterable[int] = (),
) -> Family:
    """All that was made of some labels or models, directly or through others; they themselves are not part of it.

    `structures`: label → the structures in question, where it is not all of them: a snapshot that took another
    structure from the label does not descend from it.
    """
    start, seeds = set(labels), set(models)
    snapshots = _snapshots_of(connection, start, structures or {})
    found_models = seeds | _models_of(connection, snapshots, seeds)
    found_labels = set[int]()
    left = _children(connection, start) | _column(connection, t.labels, "id", "model_id", found_models)
    while left:
        left |= _children(connection, left)
        found_labels |= left
        fresh = _snapshots_of(connection, left, {}) - snapshots
        snapshots |= fresh
        new_models = _models_of(connection, fresh, found_models) - found_models
        found_models |= new_models
        left = _column(connection, t.labels, "id", "model_id", new_models) - found_labels
    return Family(frozenset(found_labels - start), frozenset(snapshots), frozenset(found_models - seeds))


def ancestors(connection: Connection, labels: Iterable[int] = (), models: Iterable[int] = ()) -> Family:
    """All that some labels or models were made of; they themselves are part of it."""
    found_labels, found_models, snapshots = set(labels), set(models), set[int]()
    new_labels, new_models = set(found_labels), set(found_models)
    while new_labels or new_models:
        new_models |= _column(connection, t.labels, "model_id", "id", new_labels) - found_models
        parents = _column(connection, t.models, "parent_id", "id", new_models)
        while parents - found_models - new_models:
            new_models |= parents
            parents = _column(connection, t.models, "parent_id", "id", new_models)
        found_models |= new_models
        fresh = _column(connection, t.models, "snapshot_id", "id", new_models) - snapshots
        snapshots |= fresh
        held = _column(connection, t.snapshot_items, "label_id", "snapshot_id", fresh)
        held |= _column(connection, t.label_parents, "parent_id", "child_id", new_labels)
        new_labels = held - found_labels
        found_labels |= new_labels
        new_models = set()
    return Family(frozenset(found_labels), frozenset(snapshots), frozenset(found_models))


def warm_starts(connection: Connection, models: Iterable[int]) -> set[int]:
    """Some models and all that they started from."""
    found, left = set[int](), set(models)
    while left:
        found |= left
        left = _column(connection, t.models, "parent_id", "id", left) - found
    return found


def makers(connection: Connection, labels: Iterable[int]) -> set[int]:
    """Models whose labels some labels were made of, directly or through other labels, and not by training."""
    found, left = set[int](), set(labels)
    while left:
        found |= left
        left = _column(connection, t.label_parents, "parent_id", "child_id", left) - found
    return _column(connection, t.labels, "model_id", "id", found)


def graph(connection: Connection, family: Family) -> dict[str, Any]:
    """Nodes with id, type and name, and edges between them, from what was used to what was made of it."""
    label_names = naming.label_names(connection, family.labels)
    snapshots = dict(zip(sorted(family.snapshots), naming.snapshots(connection, family.snapshots), strict=True))
    models = dict(zip(sorted(family.models), naming.models(connection, family.models), strict=True))
    sources = {number: name.split("@")[1] for number, name in label_names.items()}
    nodes = [_node(name, "label") for name in sorted(label_names.values())]
    nodes += [_node(name, "snapshot") for name in snapshots.values()]
    nodes += [_node(name, "model") for name in models.values()]
    nodes += [_node(name, "source") for name in sorted(set(sources.values()))]
    edges = {(sources[number], name) for number, name in label_names.items()}
    items, label, model, step = t.snapshot_items.c, t.labels.c, t.models.c, t.label_parents.c
    edges |= _pairs(connection, items.label_id, items.snapshot_id, label_names, snapshots)
    edges |= _pairs(connection, model.snapshot_id, model.id, snapshots, models)
    edges |= _pairs(connection, model.parent_id, model.id, models, models)
    edges |= _pairs(connection, label.model_id, label.id, models, label_names)
    edges |= _pairs(connection, step.parent_id, step.child_id, label_names, label_names)
    return {"nodes": nodes, "edges": [list(edge) for edge in sorted(edges)]}


def _node(name: str, kind: str) -> dict[str, str]:
    return {"id": name, "type": kind, "name": name}


def _pairs(
    connection: Connection, used: Any, made: Any, used_names: dict[int, str], made_names: dict[int, str]
) -> set[tuple[str, str]]:
    """Edges between rows that are both in the graph, by name."""
    found = set()
    for chunk in chunks(made_names):
        for a, b in connection.execute(select(used, made).where(made.in_(chunk), used.is_not(None)).distinct()):
            if a in used_names:
                found.add((used_names[a], made_names[b]))
    return found


def withdrawn(connection: Connection) -> dict[int, frozenset[str]]:
    """Label → the structures for which it is hidden now, by its own or its source's withdrawal."""
    names = structure_names(connection)
    hidden = {key: standing.withdrawn for key, standing in source_standings(connection).items() if standing.withdrawn}
    c = candidates.c
    query = select(c.label_id, c.source_id, c.strong, c.weak, c.withdrawn, c.restored)
    rows = connection.execute(query.where((c.withdrawn != 0) | c.source_id.in_(list(hidden))))
    found = {}
    for row in rows:
        bits = ((hidden.get(row.source_id, 0) & ~row.restored) | row.withdrawn) & (row.strong | row.weak)
        if bits:
            found[row.label_id] = frozenset(name for value, name in names.items() if bits >> value & 1)
    return found


def _children(connection: Connection, labels: set[int]) -> set[int]:
    """Labels made of labels, through any number of steps."""
    found = set[int]()
    left = set(labels)
    while left:
        left = _column(connection, t.label_parents, "child_id", "parent_id", left) - found
        found |= left
    return found


def _snapshots_of(connection: Connection, labels: set[int], structures: Mapping[int, frozenset[str]]) -> set[int]:
    """Snapshots that hold labels for structures in question."""
    items = t.snapshot_items.c
    found = set[int]()
    for chunk in chunks(labels):
        query = select(items.snapshot_id, items.label_id, items.structures).where(items.label_id.in_(chunk))
        for snapshot, label, names in connection.execute(query):
            if label not in structures or structures[label].intersection(names):
                found.add(snapshot)
    return found


def _models_of(connection: Connection, snapshots: set[int], known: set[int]) -> set[int]:
    """Models trained on snapshots, and all that started from them or from known ones."""
    found = _column(connection, t.models, "id", "snapshot_id", snapshots)
    children: dict[int, list[int]] = defaultdict(list)
    query = select(t.models.c.parent_id, t.models.c.id).where(t.models.c.parent_id.is_not(None))
    for parent, child in connection.execute(query):
        children[parent].append(child)
    left = [*found, *known]
    while left:
        for child in children[left.pop()]:
            if child not in found and child not in known:
                found.add(child)
                left.append(child)
    return found


def _column(connection: Connection, table: Table, wanted: str, given: str, numbers: Iterable[int]) -> set[int]:
    """Distinct values of a column where another is one of some numbers."""
    found: set[Any] = set()
    for chunk in chunks(numbers):
        query = select(table.c[wanted]).where(table.c[given].in_(chunk), table.c[wanted].is_not(None)).distinct()
        found.update(connection.execute(query).scalars())
    return found
