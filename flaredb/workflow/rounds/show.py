"""A round with its gate's report and its events."""

from __future__ import annotations

from typing import Any

from flaredb.catalog import rounds
from flaredb.workspace import Workspace


def round_show(workspace: Workspace, name: str) -> dict[str, Any]:
    """A round with its gate report and events."""
    with workspace.catalog.read() as connection:
        turn = rounds.find(connection, name)
        events = rounds.events(connection, turn)
    reports = [event.report for event in events if event.state == "evaluated" and event.report]
    return {
        "round": turn.name,
        "task": turn.task,
        "state": turn.state,
        "snapshot": turn.snapshot,
        "reference": turn.reference,
        "model": turn.model,
        "gate": reports[-1] if reports else None,
        "events": [{"state": e.state, "why": e.why, "operation": e.operation, "at": e.at} for e in events],
    }
