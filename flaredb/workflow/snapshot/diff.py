"""What differs between two snapshots, or between a snapshot and what is current."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from flaredb.catalog import snapshots
from flaredb.catalog.database import Connection
from flaredb.catalog.snapshots import Snapshot
from flaredb.workflow.snapshot.create import choose
from flaredb.workspace import Workspace

Holdings = dict[str, dict[str, tuple[str, ...]]]
"""Case → structure → the labels that won it or contribute to it."""


def snapshot_diff(workspace: Workspace, first: str, second: str) -> dict[str, Any]:
    """Cases that came or went, and structures whose labels changed; `second` may be `current`, which asks anew."""
    with workspace.catalog.read() as connection:
        old = snapshots.find(connection, first)
        new = None if second == "current" else snapshots.find(connection, second)
        before = _held(old)
        after = _held(new) if new else _now(workspace, connection, old)
    changed = [
        {"case": case, "structure": name, "from": list(was), "to": list(becomes)}
        for case in sorted(before.keys() & after.keys())
        for name in workspace.structures.names
        if (was := before[case].get(name, ())) != (becomes := after[case].get(name, ()))
    ]
    added, removed = sorted(after.keys() - before.keys()), sorted(before.keys() - after.keys())
    return {
        "from": old.name,
        "to": new.name if new else "current",
        "same": not (added or removed or changed),
        "added": added,
        "removed": removed,
        "changed": changed,
    }


def _held(snapshot: Snapshot) -> Holdings:
    return _holdings((item.case, item.structures, item.role, item.label.name) for item in snapshot.items)


def _now(workspace: Workspace, connection: Connection, snapshot: Snapshot) -> Holdings:
    """What the snapshot would hold if it were made now, by the same question."""
    chosen = choose(workspace, connection, snapshot.task, snapshot.purpose, snapshot.condition)
    return _holdings(
        (case.name, entry.structures, entry.role, chosen.labels[entry.label].name) for case, entry in chosen.entries
    )


def _holdings(rows: Iterable[tuple[str, tuple[str, ...], str, str]]) -> Holdings:
    found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for case, structures, role, label in rows:
        for name in structures:
            found[case][name].append(label if role == "won" else f"{label} ({role})")
    return {case: {name: tuple(sorted(held)) for name, held in own.items()} for case, own in found.items()}
