"""What a label, snapshot, model or source was made of, or what was made of it."""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

from flaredb.catalog import labels, lineage, models, snapshots
from flaredb.catalog.database import Connection
from flaredb.catalog.lineage import Family
from flaredb.errors import NotFoundError
from flaredb.workspace import Workspace


class _Start(NamedTuple):
    """Where to start from: row numbers."""

    labels: frozenset[int] = frozenset()
    snapshots: frozenset[int] = frozenset()
    models: frozenset[int] = frozenset()


def label_lineage(workspace: Workspace, name: str, down: bool = False) -> dict[str, Any]:
    """Nodes and edges, each edge from what was used to what was made of it; `name` may be any of the four."""
    with workspace.catalog.read() as connection:
        start = _find(connection, name)
        family = _down(connection, start) if down else _up(connection, start)
        return lineage.graph(connection, family)


def as_dot(found: dict[str, Any]) -> str:
    """The graph for Graphviz; labels of one source are one node, with how many they are."""
    shown = {node["id"]: _drawn(node) for node in found["nodes"]}
    counts = Counter(shown[node["id"]] for node in found["nodes"] if node["type"] == "label")
    lines = ["digraph lineage {", "  rankdir=LR; node [shape=box, fontname=Helvetica];"]
    for node in dict.fromkeys(shown.values()):
        note = f"\\n{counts[node]} labels" if node in counts else ""
        lines.append(f'  "{node}" [label="{node}{note}"];')
    edges = dict.fromkeys((shown[a], shown[b]) for a, b in found["edges"] if shown[a] != shown[b])
    lines += [f'  "{a}" -> "{b}";' for a, b in edges]
    return "\n".join([*lines, "}"])


def _drawn(node: dict[str, Any]) -> str:
    return str(node["name"]).split("@")[1] if node["type"] == "label" else str(node["name"])


def _find(connection: Connection, name: str) -> _Start:
    if "@" in name:
        return _Start(labels=frozenset({labels.find(connection, name).id}))
    if own := labels.numbers_of(connection, name):
        return _Start(labels=frozenset(own))
    if name.startswith("s-"):
        return _Start(snapshots=frozenset({snapshots.find(connection, name).id}))
    if name.startswith(("m-", "latest:")):
        return _Start(models=frozenset({models.find(connection, name).id}))
    raise NotFoundError(f"no label, snapshot, model or source {name!r}; flaredb source list shows the sources")


def _up(connection: Connection, start: _Start) -> Family:
    held = {item.label.id for number in start.snapshots for item in snapshots.held(connection, number)}
    family = lineage.ancestors(connection, start.labels | held, start.models)
    return family._replace(snapshots=family.snapshots | start.snapshots)


def _down(connection: Connection, start: _Start) -> Family:
    trained = snapshots.trained_on(connection, start.snapshots)
    family = lineage.descendants(connection, start.labels, models=start.models | trained)
    return Family(
        family.labels | start.labels,
        family.snapshots | start.snapshots,
        family.models | start.models | trained,
    )
