"""Mend what `fsck` found, as far as what is left allows: shown first, done with `yes`.

Damaged volumes are set aside in quarantine, so that importing their files again puts them anew; those whose voxels can
still be had (metadata spoilt, names swapped) are written again at once. Where catalogue and volume say different
lattices, the digest says who is right. Rows that make something descend from itself are taken back. Nothing that
anything points at is deleted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from flaredb.catalog import cycles, replay
from flaredb.catalog.database import Run
from flaredb.catalog.holdings import Holding
from flaredb.errors import Finding
from flaredb.geometry import Grid
from flaredb.volumes.integrity import kind_of, salvage
from flaredb.volumes.layout import digests
from flaredb.workflow.integrity.fsck import HARMLESS, Check, held
from flaredb.workflow.integrity.gc import gc
from flaredb.workflow.integrity.lattice import correct
from flaredb.workflow.results import Result
from flaredb.workspace import Workspace

DAMAGED = {
    "missing-chunk",
    "truncated-shard",
    "damaged-voxels",
    "altered-voxels",
    "swapped-volume",
    "wrong-metadata",
    "damaged-index",
    "unreadable-volume",
}
DERIVED = {"log-not-policy", "log-not-events", "candidate-not-events"}


def repair(workspace: Workspace, check: Check, yes: bool = False) -> Result:
    """Mend the problems of a check; without `yes` only say what would be done to which object.

    `would`: volumes to `rewrite` from what is left, to `set_aside`, to `bring_back` from the trash; cases whose lattice
    to `correct`; rows of lineage to `take_back`; whether to `rebuild_log`; and what `gc` would do.
    """
    found = {kind: [p["object"] for p in check.problems if p["kind"] == kind] for kind in _kinds(check)}
    wanted = held(workspace)
    damaged = sorted({thing for kind in DAMAGED for thing in found.get(kind, [])})
    thrown = [thing for thing in found.get("row-without-volume", []) if thing in workspace.volumes.trashed()]
    lattices = [thing.removeprefix("case ") for thing in found.get("geometry-differs", [])]
    if not yes:
        rescued = _rescuable(workspace, damaged, wanted)
        would: dict[str, Any] = {
            "rewrite": sorted(rescued),
            "set_aside": [digest for digest in damaged if digest not in rescued],
            "bring_back": thrown,
            "correct": lattices,
            "take_back": [p["message"] for p in check.problems if p["kind"] == "lineage-cycle"],
            "rebuild_log": bool(DERIVED & set(found)),
            "gc": gc(workspace).would if HARMLESS & set(found) else None,
        }
        return Result(None, would={key: said for key, said in would.items() if said})
    with workspace.run("fsck --repair", problems=len(check.problems)) as run:
        findings = [*_mend(workspace, damaged, wanted), *_bring_back(workspace, thrown)]
        operation = _mend_rows(workspace, run, lattices, findings)
    if HARMLESS & set(found):
        gc(workspace, yes=True)
    return Result(operation, tuple(damaged + thrown + lattices), added=len(findings), findings=tuple(findings))


def _kinds(check: Check) -> set[str]:
    return {problem["kind"] for problem in check.problems}


def _mend_rows(workspace: Workspace, run: Run, lattices: list[str], findings: list[Finding]) -> int:
    """Correct rows and make the log again from the events; the operation's number. Adds to the findings."""
    with run.write() as write:
        for case in lattices:
            findings += correct(workspace, write, case)
        circles = cycles.cycles(write.connection)
        for circle in circles:
            if circle.step:
                cycles.cut(write, circle.step)
                findings.append(Finding("warning", None, "lineage-cycle", f"taken back: {circle.step.words}"))
        write.add_findings(findings)
        replay.rebuild(write.connection)
    return write.operation


def _rescuable(workspace: Workspace, damaged: Iterable[str], wanted: Mapping[str, list[Holding]]) -> set[str]:
    """Volumes whose voxels can still be had, from their own files or from one another's."""
    places = [(workspace.volumes.path(digest), digest) for digest in damaged if workspace.volumes.has(digest)]
    return {named for path, digest in places for named, *_ in _left(path, digest, wanted)}


def _mend(workspace: Workspace, damaged: list[str], wanted: Mapping[str, list[Holding]]) -> Iterator[Finding]:
    """Set the damaged volumes aside, then write anew those whose voxels can still be had."""
    aside = [(place, digest) for digest in damaged if (place := workspace.volumes.quarantine(digest))]
    rescued = set()
    for place, digest in workspace.reporter.track(aside, "damaged volumes", len(aside)):
        for named, voxels, grid in _left(place, digest, wanted):
            if not workspace.volumes.has(named):
                if kind_of(place) == "image":
                    workspace.volumes.put_image(voxels, grid)
                else:
                    workspace.volumes.put_label(voxels, grid)
            rescued.add(named)
    for _, digest in aside:
        owner = wanted[digest][0]
        done = "written again from what was left of it" if digest in rescued else "set aside in quarantine"
        yield Finding("warning", owner.case, "volume-damaged", f"volume {digest[:12]} of {owner.owner}: {done}")


def _left(place: Path, digest: str, wanted: Mapping[str, list[Holding]]) -> Iterator[tuple[str, NDArray[Any], Grid]]:
    """What is left of a damaged volume and is a volume that somebody points at: its digest, voxels and lattice."""
    seen = set()
    for voxels, grid in salvage(place, wanted[digest][0].grid):
        named = digests(kind_of(place), voxels, grid).volume
        if named in wanted and named not in seen:
            seen.add(named)
            yield named, voxels, grid


def _bring_back(workspace: Workspace, thrown: list[str]) -> Iterator[Finding]:
    for digest in thrown:
        workspace.volumes.bring_back(digest)
        yield Finding("info", None, "volume-brought-back", f"volume {digest[:12]} was in the trash and is back")
