"""Do catalogue and volumes agree? `fsck` finds what is wrong and says what mends it.

At a look: every volume is there, whole as far as its metadata and the index of its chunks tell, bears its own name and
lies where the catalogue says; nothing else is there; lineage runs one way; the log of what is current is what the
policy says. With `voxels` every chunk is read and every digest computed again.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, NamedTuple

from flaredb.catalog import current, cycles, labels, models, policy_sql, replay
from flaredb.catalog.database import Connection
from flaredb.catalog.holdings import Holding, holdings
from flaredb.errors import StorageError
from flaredb.geometry import Grid
from flaredb.volumes.integrity import Look, Trouble
from flaredb.volumes.layout import placed
from flaredb.workflow.executors import in_order
from flaredb.workspace import Workspace

TOLERANCE_MM = 1e-3  # of a corner voxel; digests round the lattice to 1e-6
REPAIR = "flaredb fsck --repair --yes"
REPAIR_VOXELS = "flaredb fsck --voxels --repair --yes"
SWEEP = "flaredb gc --yes"
HARMLESS = {"orphan-volume", "stale-staging"}
Problem = dict[str, Any]


class Check(NamedTuple):
    """How many objects were checked, and what is wrong with which."""

    checked: int
    problems: tuple[Problem, ...]


def fsck(workspace: Workspace, voxels: bool = False, history: bool = False) -> Check:
    """Compare the catalogue with the files, and what it says is current with the policy as one query.

    `voxels`: read every volume and recompute its digest. `history`: tell the whole history again from the events and
    compare all that was current at any time.
    """
    oldest = workspace.volumes.pins.oldest()  # asked first: who begins later enters what is not listed below
    stored = set(workspace.volumes.digests())
    wanted = held(workspace)
    problems = [*_missing(workspace, wanted, stored), *_orphans(workspace, stored - set(wanted), oldest)]
    problems += [
        problem("stale-staging", place.name, "left by an interrupted write", SWEEP)
        for place in workspace.volumes.stale()
    ]
    problems += _volumes(workspace, {digest: wanted[digest] for digest in sorted(stored & set(wanted))}, voxels)
    problems += _models(workspace)
    with workspace.catalog.read() as connection:
        circles = list(_cycles(connection))
        problems += circles or _current(connection, history)  # the policy cannot be asked while sources go in a circle
    return Check(len(set(wanted) | stored), tuple(problems))


def held(workspace: Workspace) -> dict[str, list[Holding]]:
    """Digest → who points at it, cases first."""
    wanted: dict[str, list[Holding]] = defaultdict(list)
    with workspace.catalog.read() as connection:
        for holding in holdings(connection):
            wanted[holding.volume].append(holding)
    return wanted


def problem(kind: str, thing: str, message: str, repair: str) -> Problem:
    """One of the problems that `fsck` lists."""
    return {"kind": kind, "object": thing, "message": message, "repair": repair}


def source_of(workspace: Workspace, holding: Holding) -> str:
    """How a volume can be had again: the command that imports its file, or where a copy of it belongs."""
    suffix = "images/{0:.2}/{0}.zarr" if holding.what == "case" else "labels/{0:.2}/{0}.zarr.zip"
    copy = f"copy {suffix.format(holding.volume)} from a backup of the folder of volumes"
    if holding.file is None:
        return copy
    if holding.what == "case":
        return f"flaredb ingest images FOLDER/{holding.file} --case {holding.case}; or {copy}"
    with workspace.catalog.read() as connection:
        label = labels.by_ids(connection, [holding.number])[holding.number]
    exhaustive = ",".join(name for name, mode in label.annotated.items() if mode.exhaustive)
    partly = ",".join(name for name, mode in label.annotated.items() if not mode.exhaustive)
    kind = "ground-truth" if label.kind == "tumor-only" else label.kind
    words = [f"flaredb ingest labels FOLDER/{holding.file} --case {holding.case} --source {label.source} --kind {kind}"]
    words += [f"--mapping {label.codes.name}"] if label.codes.name != "identity" else []
    words += [f"--annotated {exhaustive}"] if exhaustive else []
    words += [f"--positive-only {partly}"] if partly else []
    return f"{' '.join(words)}; or {copy}"


def _missing(workspace: Workspace, wanted: dict[str, list[Holding]], stored: set[str]) -> Iterator[Problem]:
    trashed = workspace.volumes.trashed()
    for digest, holders in wanted.items():
        if digest in stored or workspace.volumes.has(digest):  # it may have come after the listing
            continue
        message = f"{_owners(holders)} points at a volume that is missing"
        if digest in trashed:
            yield problem("row-without-volume", digest, f"{message}; it is in the trash", REPAIR)
        else:
            yield problem("row-without-volume", digest, message, source_of(workspace, holders[0]))


def _orphans(workspace: Workspace, orphans: set[str], oldest: float | None) -> Iterator[Problem]:
    """Volumes that nobody points at, and that nobody who is still writing may be about to point at."""
    for digest in sorted(orphans):
        if not workspace.volumes.has(digest):
            continue
        if oldest is None or workspace.volumes.path(digest).stat().st_mtime < oldest:
            yield problem("orphan-volume", digest, "no case and no label points at this volume", SWEEP)


def _volumes(workspace: Workspace, present: dict[str, list[Holding]], voxels: bool) -> Iterator[Problem]:
    """What is wrong with volumes that are there, by themselves or against the catalogue."""
    grids: dict[str, Grid] = {}
    altered: dict[str, Problem] = {}

    def examine(digest: str) -> tuple[Look, Trouble | None]:
        try:
            found = workspace.volumes.look(digest)
            return found, found.trouble or (workspace.volumes.examine(digest) if voxels else None)
        except StorageError as error:  # gone since it was listed
            return Look(None, None), Trouble("unreadable-volume", str(error))

    done = in_order(examine, present, os.cpu_count() or 1)
    for digest, future in workspace.reporter.track(done, "volumes", len(present)):
        found, trouble = future.result()
        holders = present[digest]
        if trouble and trouble.kind == "altered-voxels":
            kind = "swapped-volume" if trouble.actual in present else trouble.kind
            altered[digest] = _damage(workspace, digest, holders, trouble._replace(kind=kind))
        elif trouble:
            yield _damage(workspace, digest, holders, trouble)
        if found.grid:
            grids[digest] = found.grid
    misplaced = list(_places(present, grids))
    placed_wrong = {problem["object"] for problem in misplaced}
    yield from misplaced
    yield from (problem for digest, problem in altered.items() if digest not in placed_wrong)


def _damage(workspace: Workspace, digest: str, holders: list[Holding], trouble: Trouble) -> Problem:
    """Some damage can be made good from what is left; `fsck --repair` tries, and sets the volume aside."""
    again = REPAIR_VOXELS if trouble.actual or trouble.kind in ("damaged-voxels", "damaged-index") else REPAIR
    if trouble.kind not in ("wrong-metadata", "swapped-volume", "damaged-index"):
        again = f"{again}, which sets it aside; then {source_of(workspace, holders[0])}"
    return problem(trouble.kind, digest, f"{_owners(holders)}: {trouble.message}", again)


def _places(present: dict[str, list[Holding]], grids: dict[str, Grid]) -> Iterator[Problem]:
    """Volumes against the lattices that the catalogue says their cases have.

    The catalogue is wrong where the case's scan lies elsewhere, or, without a scan, all of its labels; unless the
    digests of the scan say that its metadata were altered.
    """
    wrong: dict[str, list[Holding]] = defaultdict(list)
    right: set[str] = set()
    for digest, grid in grids.items():
        for holding in present[digest]:
            fits = holding.grid is not None and apart(holding.grid, grid) <= TOLERANCE_MM
            if fits:
                right.add(holding.case)
                yield from _file_space(holding)
            else:
                wrong[holding.case].append(holding)
    for case, holders in wrong.items():
        image = next((holding for holding in holders if holding.what == "case"), None)
        if (image is None and case in right) or (image and image.grid and _is_named(image, image.grid)):
            for holding in holders:
                message = f"{holding.owner}: it lies on another lattice than its case"
                yield problem("wrong-metadata", holding.volume, message, REPAIR)
        else:
            message = "spacing, origin or direction in the catalogue are not those of its volumes"
            yield problem("geometry-differs", f"case {case}", message, REPAIR)


def _file_space(holding: Holding) -> Iterator[Problem]:
    """The affine that a scan's file had must give the lattice that its volume has."""
    if holding.what != "case" or holding.grid is None or holding.file is None:
        return
    if holding.space is None or apart(holding.space.grid, holding.grid) > TOLERANCE_MM:
        message = "the affine of its file in the catalogue does not give the lattice of its volume"
        yield problem("geometry-differs", f"case {holding.case}", message, REPAIR)


def apart(one: Grid, other: Grid) -> float:
    """How far apart two lattices are, mm; infinite for other shapes."""
    return one.distance(other) if one.shape == other.shape else float("inf")


def _is_named(image: Holding, grid: Grid) -> bool:
    """Whether the scan's voxels on this lattice have the digest that names the volume."""
    return image.voxels_digest is not None and placed(image.voxels_digest, grid) == image.volume


def _models(workspace: Workspace) -> list[Problem]:
    with workspace.catalog.read() as connection:
        trained = [model for model in models.every(connection) if model.state == "trained"]
    return [
        problem("model-without-weights", model.name, "its weights are missing", "restore them from a backup")
        for model in trained
        if not all((workspace.model_folder(model.name) / name).is_file() for name in models.files_of(model))
    ]


def _cycles(connection: Connection) -> Iterator[Problem]:
    for circle in cycles.cycles(connection):
        message = f"descends from itself: {' ← '.join([*circle.names, circle.names[0]])}"
        repair = REPAIR if circle.step else "restore the catalogue from a backup: flaredb restore FILE"
        yield problem(
            "lineage-cycle", circle.names[0], f"{message}; {circle.step.words}" if circle.step else message, repair
        )


def _current(connection: Connection, history: bool) -> list[Problem]:
    """What the log says is current, against the policy; with `history`, all that it says, against the events."""
    said = current.open_places(connection)
    found = policy_sql.winners(connection)
    wrong = {case for case, *_ in said ^ found}
    message = "what is logged as current is not what the policy says"
    problems = [problem("log-not-policy", f"case {case}", message, REPAIR) for case in sorted(wrong)]
    if history:
        told = replay.compare(connection)
        spoilt = {logged.interval.case for logged in [*told.unfounded, *told.missing]}
        message = "the log of what was current is not what the events say"
        problems += [problem("log-not-events", f"case {case}", message, REPAIR) for case in sorted(spoilt)]
        message = "its standing is not what the events say"
        problems += [problem("candidate-not-events", f"label {n}", message, REPAIR) for n in told.candidates]
    return problems


def _owners(holders: list[Holding]) -> str:
    return holders[0].owner + (f" and {len(holders) - 1} more" if len(holders) > 1 else "")
