"""The state of a workspace at a glance."""

from __future__ import annotations

from typing import Any

from flaredb.catalog import history, rounds
from flaredb.catalog.coverage import counts, coverage
from flaredb.errors import InvalidDataError
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
    scheduled, late = _schedule(workspace)
    return {
        **counted,
        "rounds": turns,
        "coverage": covered.cases,
        "patterns": [{"structures": list(names), "cases": cases} for names, cases in covered.patterns],
        "schema": workspace.catalog.schema_state(),
        "schedule": scheduled,
        "problems": problems + late,
    }


def _schedule(workspace: Workspace) -> tuple[list[dict[str, Any]], list[str]]:
    """Each entry's next and last occurrence, and what is wrong with them."""
    if "schedule" not in workspace.settings:
        return [], []
    from flaredb.workflow.schedule.listing import neglected, schedule_list  # few workspaces have one

    try:
        rows = schedule_list(workspace)
    except InvalidDataError as error:
        return [], [str(error)]
    failed = [f"schedule {row['name']} failed last: {row['why']}" for row in rows if row["state"] == "failed"]
    shown = [{key: row[key] for key in ("name", "next", "last", "state", "missed")} for row in rows]
    return shown, [*neglected(workspace, rows), *failed]
