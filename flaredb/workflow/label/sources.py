"""Decide by hand whether a source's or a single label's structures count, and whether they are used at all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from flaredb.catalog import acceptances, labels
from flaredb.catalog.database import Connection
from flaredb.workflow.provenance.taint import tainted
from flaredb.workflow.results import Result
from flaredb.workspace import Workspace

Event = Literal["accepted", "revoked", "withdrawn", "restored"]


def decide_source(
    workspace: Workspace, name: str, event: Event, why: str, structures: Sequence[str] | None = None
) -> Result:
    """Accept, revoke, withdraw or restore a source, for all structures or some."""
    names = workspace.structures.check(structures or workspace.structures.names)
    with workspace.run(f"source {event}", source=name, structures=names, why=why) as run, run.write() as write:
        number = labels.source_number(write.connection, name)
        acceptances.record(write, ("source", number), names, event, why)
    return Result(write.operation, (name,), added=1)


def decide_label(
    workspace: Workspace, name: str, event: Event, why: str, structures: Sequence[str] | None = None
) -> Result:
    """The same for one label; without structures, all that it annotates."""
    with workspace.run(f"label {event}", label=name, structures=structures, why=why) as run, run.write() as write:
        label = labels.find(write.connection, name)
        names = workspace.structures.check(structures or label.annotated)
        acceptances.record(write, ("label", label.id), names, event, why)
    return Result(write.operation, (label.name,), added=1)


def source_show(workspace: Workspace, name: str) -> dict[str, Any]:
    """A source: its labels by structure, where they are current, and every decision on it with its reason."""
    with workspace.catalog.read() as connection:
        number = labels.source_number(connection, name)
        decisions = acceptances.decisions(connection, number)
        kind = next(row["kind"] for row in labels.sources(connection) if row["name"] == name)
    usage = workspace.sql("SELECT structure, labels, current, snapshots FROM source_usage WHERE source = :s", s=name)
    order = {structure: place for place, structure in enumerate(workspace.structures.names)}
    return {
        "name": name,
        "kind": kind,
        "structures": sorted(usage, key=lambda row: order[row["structure"]]),
        "decisions": decisions,
    }


def withdraw_source(
    workspace: Workspace, name: str, why: str, structures: Sequence[str] | None = None, yes: bool = False
) -> Result:
    """Hide a source's labels from use; without `yes` only say what descends from them."""
    with workspace.catalog.read() as connection:
        own = labels.annotated_by(connection, labels.source_number(connection, name))
        would = _would(workspace, connection, own, structures)
    if not yes:
        return Result(None, would=would)
    return decide_source(workspace, name, "withdrawn", why, structures)._replace(would=would)


def withdraw_label(
    workspace: Workspace, name: str, why: str, structures: Sequence[str] | None = None, yes: bool = False
) -> Result:
    """Hide one label from use; without `yes` only say what descends from it."""
    with workspace.catalog.read() as connection:
        label = labels.find(connection, name)
        would = _would(workspace, connection, {label.id: frozenset(label.annotated)}, structures)
    if not yes:
        return Result(None, would=would)
    return decide_label(workspace, name, "withdrawn", why, structures)._replace(would=would)


def _would(
    workspace: Workspace, connection: Connection, own: dict[int, frozenset[str]], structures: Sequence[str] | None
) -> dict[str, object]:
    names = frozenset(workspace.structures.check(structures or workspace.structures.names))
    hidden = {number: annotated & names for number, annotated in own.items() if annotated & names}
    return {"withdraw": len(hidden), "tainted": tainted(connection, hidden)}
