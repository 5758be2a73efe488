"""What would be called into question if labels were not to be trusted: all that descends from them, by name."""

from __future__ import annotations

from collections.abc import Mapping

from flaredb.catalog import lineage, models, naming, snapshots
from flaredb.catalog.database import Connection
from flaredb.catalog.lineage import Family
from flaredb.errors import ConflictError

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


def refuse_tainted(
    connection: Connection,
    snapshot: str,
    warm: str | None,
    way_on: str = "make another: flaredb snapshot create; or --tainted",
) -> None:
    """ConflictError if a snapshot or a model to start from descends from withdrawn labels, or lost cases to a purge.

    `way_on` is what the message advises.
    """
    found = snapshots.find(connection, snapshot)
    if missing := snapshots.lost(connection, found.id):
        raise ConflictError(f"{found.name} lost {missing} items with cases that were purged; {way_on}")
    family = distrusted(connection)
    if found.id in family.snapshots:
        raise ConflictError(f"{found.name} holds labels that are withdrawn now, or that descend from such; {way_on}")
    if warm and models.find(connection, warm).id in family.models:
        raise ConflictError(f"{warm} learnt from labels that are withdrawn now; start from another model; {way_on}")


def distrusted(connection: Connection) -> Family:
    """What descends from labels that are withdrawn now."""
    hidden = lineage.withdrawn(connection)
    return lineage.descendants(connection, hidden, hidden)
