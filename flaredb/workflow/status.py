"""The state of a workspace at a glance."""

from __future__ import annotations

from typing import Any

from flaredb.catalog import history, rounds
from flaredb.catalog.coverage import counts, coverage
from flaredb.workspace import Workspace


def status(workspace: Workspace) -> dict[str, Any]:
    """Counts, coverage by kind, annotated patterns, rounds and health."""
    with workspace.catalog.read() as connection:
        counted = counts(connection)
        covered = coverage(connection)
        turns = [{"round": turn.name, "state": turn.state} for turn in rounds.every(connection)]
        errors = history.open_errors(connection)
    staged = workspace.volumes.stale()
    problems = [f"{len(staged)} interrupted writes; flaredb gc"] if staged else []
    if errors:
        problems.append(f"{errors} findings of errors nobody acknowledged; flaredb finding list --open")
    return {
        **counted,
        "rounds": turns,
        "coverage": covered.cases,
        "patterns": [{"structures": list(names), "cases": cases} for names, cases in covered.patterns],
        "schema": workspace.catalog.schema_state(),
        "problems": problems,
    }
