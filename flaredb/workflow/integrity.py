"""Do catalogue and volumes agree? `fsck` finds what is wrong, `gc` removes what nobody points at."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any, NamedTuple

from flaredb.catalog import cases, labels, models
from flaredb.workflow.results import Result
from flaredb.workspace import Workspace

AGE_FLOOR_S = 3600.0


class Check(NamedTuple):
    """How many objects were checked, and what is wrong with which."""

    checked: int
    problems: tuple[dict[str, Any], ...]


def fsck(workspace: Workspace, voxels: bool = False) -> Check:
    """Compare the catalogue with the files; with `voxels`, read every volume and recompute its digest."""
    wanted = _referenced(workspace)
    stored = set(workspace.volumes.digests())
    problems = [
        _problem(
            "row-without-volume",
            digest,
            f"{owner} points at a volume that is missing",
            "restore it from a backup, or import the file again",
        )
        for digest, owner in wanted.items()
        if digest not in stored
    ]
    problems += [
        _problem("orphan-volume", digest, "no case and no label points at this volume", "flaredb gc --yes")
        for digest in sorted(stored - set(wanted))
    ]
    problems += [
        _problem("stale-staging", place.name, "left by an interrupted write (or one is running)", "flaredb gc --yes")
        for place in workspace.volumes.staged()
    ]
    problems += _models(workspace)
    if voxels:
        present = sorted(stored & set(wanted))
        for digest in workspace.reporter.track(present, "volumes", len(present)):
            remark = workspace.volumes.verify(digest)
            if remark:
                place = workspace.volumes.path(digest).relative_to(workspace.root)
                repair = f"restore it from a backup, or remove {place} and import the file again"
                problems.append(_problem("damaged-volume", digest, f"{wanted[digest]}: {remark}", repair))
    return Check(len(wanted) + len(stored - set(wanted)), tuple(problems))


def gc(workspace: Workspace, yes: bool = False, age_floor_s: float = AGE_FLOOR_S) -> Result:
    """Remove volumes and staged files nobody points at, older than the age floor; without `yes` only say which."""
    before = time.time() - age_floor_s
    orphans = [
        digest for digest in workspace.volumes.digests() if workspace.volumes.path(digest).stat().st_mtime < before
    ]
    wanted = _referenced(workspace)  # asked after listing: what was entered meanwhile is not an orphan
    orphans = [digest for digest in orphans if digest not in wanted]
    staged = [place.name for place in workspace.volumes.staged() if place.stat().st_mtime < before]
    if not yes:
        return Result(None, would={"remove": orphans, "staged": staged})
    with workspace.run("gc", volumes=len(orphans), staged=len(staged)) as run, run.write() as write:
        wanted = _referenced(workspace)  # nothing can be entered while the write lock is held
        for digest in orphans:
            if digest not in wanted and workspace.volumes.path(digest).stat().st_mtime < before:
                workspace.volumes.remove(digest)
        workspace.volumes.clear_staging(before)
    return Result(write.operation, tuple(orphans), added=len(orphans) + len(staged))


def status(workspace: Workspace) -> dict[str, Any]:
    """Counts, coverage, annotated patterns, open rounds and health."""
    with workspace.catalog.read() as connection:
        found = labels.every(connection)
        counts = {"cases": cases.count(connection), "labels": len(found), "models": len(models.every(connection))}
    rows = workspace.sql("SELECT structure, kind, cases FROM coverage")
    coverage: dict[str, dict[str, int]] = {name: {} for name in workspace.structures.names}
    for row in rows:
        coverage[row["structure"]][row["kind"]] = row["cases"]
    annotated: dict[str, set[str]] = {}
    for label in found:
        if label.kind in ("ground-truth", "tumor-only"):
            annotated.setdefault(label.case, set()).update(label.annotated)
    patterns = Counter(workspace.structures.check(names) for names in annotated.values())
    turns = workspace.sql("SELECT round, state FROM round_summary ORDER BY started")
    staged = workspace.volumes.staged()
    return {
        **counts,
        "rounds": turns,
        "coverage": coverage,
        "patterns": [{"structures": list(names), "cases": n} for names, n in patterns.most_common()],
        "schema": workspace.catalog.schema_state(),
        "problems": [f"{len(staged)} interrupted writes; flaredb gc"] if staged else [],
    }


def _referenced(workspace: Workspace) -> dict[str, str]:
    """Digest → who points at it."""
    rows = workspace.sql("SELECT image AS volume, name FROM cases WHERE image IS NOT NULL")
    with workspace.catalog.read() as connection:
        found = labels.every(connection)
    wanted = {row["volume"]: f"case {row['name']}" for row in rows}
    return wanted | {label.volume: f"label {label.name}" for label in found if label.volume}


def _models(workspace: Workspace) -> list[dict[str, Any]]:
    with workspace.catalog.read() as connection:
        trained = [model for model in models.every(connection) if model.state == "trained"]
    return [
        _problem("model-without-weights", model.name, "its weights are missing", "restore them from a backup")
        for model in trained
        if not (workspace.model_folder(model.name) / "weights.safetensors").is_file()
    ]


def _problem(kind: str, thing: str, message: str, repair: str) -> dict[str, Any]:
    return {"kind": kind, "object": thing, "message": message, "repair": repair}
