"""What would be called into question if labels were not to be trusted: all that descends from them, by name."""

from __future__ import annotations

from collections.abc import Mapping

from flaredb.catalog import lineage, naming
from flaredb.catalog.database import Connection
from flaredb.catalog.lineage import Family

Tainted = dict[str, list[str]]
EMPTY: Tainted = {"labels": [], "snapshots": [], "models": [], "rounds": []}


def tainted(connection: Connection, labels: Mapping[int, frozenset[str]]) -> Tainted:
    """Labels, snapshots, models and rounds that descend from some labels' structures, by name."""
    family = lineage.descendants(connection, labels, labels)
    return {
        "labels": naming.labels(connection, family.labels),
        "snapshots": naming.snapshots(connection, family.snapshots),
        "models": naming.models(connection, family.models),
        "rounds": naming.rounds(connection, family.snapshots, family.models),
    }


def distrusted(connection: Connection) -> Family:
    """What descends from labels that are withdrawn now."""
    hidden = lineage.withdrawn(connection)
    return lineage.descendants(connection, hidden, hidden)
