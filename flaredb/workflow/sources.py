"""Decide by hand whether a source's or a single label's structures count, and whether they are used at all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from flaredb.catalog import acceptances, labels
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
