"""Do catalogue and volumes agree? `fsck` finds what is wrong, `gc` removes what nobody points at."""

from __future__ import annotations

import time
from typing import Any, NamedTuple

from flaredb.catalog import current, labels, models, policy_sql, purge, replay
from flaredb.workflow.results import Result
from flaredb.workspace import Workspace

AGE_FLOOR_S = 3600.0
REBUILD = "flaredb fsck --repair --yes"


class Check(NamedTuple):
    """How many objects were checked, and what is wrong with which."""

    checked: int
    problems: tuple[dict[str, Any], ...]


def fsck(workspace: Workspace, voxels: bool = False, history: bool = False) -> Check:
    """Compare the catalogue with the files, and what it says is current with the policy as one query.

    `voxels`: read every volume and recompute its digest. `history`: tell the whole history again from the events and
    compare all that was current at any time.
    """
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
    problems += _current(workspace, history)
    if voxels:
        present = sorted(stored & set(wanted))
        for digest in workspace.reporter.track(present, "volumes", len(present)):
            remark = workspace.volumes.verify(digest)
            if remark:
                place = workspace.volumes.path(digest).relative_to(workspace.volumes.root)
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
        purged = purge.any_tombstone(write.connection)
    if purged:  # an interrupted purge may have left what the rows held in the database's files
        purge.overwrite(workspace.catalog)
    return Result(write.operation, tuple(orphans), added=len(orphans) + len(staged))


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


def _current(workspace: Workspace, history: bool) -> list[dict[str, Any]]:
    """What the log says is current, against the policy; with `history`, all that it says, against the events."""
    with workspace.catalog.read() as connection:
        said = current.open_places(connection)
        found = policy_sql.winners(connection)
        wrong = {case for case, *_ in said ^ found}
        told = replay.compare(connection) if history else None
    problems = [
        _problem("log-not-policy", f"case {case}", "what is logged as current is not what the policy says", REBUILD)
        for case in sorted(wrong)
    ]
    if told:
        spoilt = {logged.interval.case for logged in [*told.unfounded, *told.missing]}
        problems += [
            _problem(
                "log-not-events", f"case {case}", "the log of what was current is not what the events say", REBUILD
            )
            for case in sorted(spoilt)
        ]
        problems += [
            _problem("candidate-not-events", f"label {number}", "its standing is not what the events say", REBUILD)
            for number in told.candidates
        ]
    return problems


def rebuild(workspace: Workspace) -> Result:
    """Make the log of what is and was current again from the events."""
    with workspace.run("fsck --repair") as run, run.write() as write:
        replay.rebuild(write.connection)
    return Result(write.operation, added=1)


def _problem(kind: str, thing: str, message: str, repair: str) -> dict[str, Any]:
    return {"kind": kind, "object": thing, "message": message, "repair": repair}
