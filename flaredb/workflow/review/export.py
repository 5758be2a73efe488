"""Write a review as files for ITK-SNAP or 3D Slicer: scans, labels, names and colours, and a table for verdicts."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple, Self

from flaredb.catalog import cases, reviews
from flaredb.catalog.cases import Case
from flaredb.catalog.reviews import Item
from flaredb.errors import ConflictError, Finding, StorageError, UsageError
from flaredb.exchange.colours import colour_of, itksnap_table, slicer_table
from flaredb.exchange.segments import SUFFIX, Segment, write_segments
from flaredb.exchange.stored import sha256_of
from flaredb.exchange.write import write_nifti
from flaredb.geometry import Grid
from flaredb.workflow.results import Outcome, Result, Tally
from flaredb.workflow.review.file import (
    FILE,
    PROGRAMS,
    TABLES,
    UNFINISHED,
    VERDICTS,
    Exported,
    Program,
    ReviewFile,
    read_review_file,
    shown,
)
from flaredb.workflow.review.reviewed import by_case, map_space, names_of, shown_map
from flaredb.workspace import Workspace

_PACKED = 1.1  # a scan as .nii.gz against its volume
Make = Callable[[Path], None]


class _Plan(NamedTuple):
    """A case to export; its grid is known."""

    case: Case
    grid: Grid
    items: list[Item]


def review_export(workspace: Workspace, name: str, folder: Path, wanted: str = "slicer") -> Result:
    """Write `CASE/CASE.nii.gz`, its label, a colour table, `verdicts.csv` and `review.json` into a folder.

    Again into the same folder writes what is missing. A file that somebody changed is left as it is, and the end is a
    ConflictError that names it; the same for a folder that holds something else.
    """
    program = next((known for known in PROGRAMS if known == wanted), None)
    if program is None:
        raise UsageError(f"--for {wanted}: one of {' '.join(PROGRAMS)}")
    with workspace.catalog.read() as connection:
        review = reviews.find(connection, name)
        queue = by_case(connection, review)
        known = cases.by_names(connection, queue)
    names = names_of(workspace, [item for items in queue.values() for item in items])
    with workspace.lock(f"review {name}"):
        file = _prepare(folder, ReviewFile(review.name, program, names))
        desk = _Desk(workspace, folder, file, [])
        _check_room(workspace, folder, [known[case] for case in queue if not (folder / case).exists()])
        tally = Tally()
        with workspace.run("review export", review=name, folder=folder.name, program=program), desk:
            for case, items in workspace.reporter.track(queue.items(), "cases", len(queue)):
                grid = known[case].grid
                if grid is None:
                    tally.count("failed", case, [_no_grid(case)])
                    continue
                outcome, findings = desk.export(_Plan(known[case], grid, items))
                tally.count(outcome, case, findings)
            desk.write_tables(list(queue))
    if desk.changed:
        left = ", ".join(desk.changed[:6]) + (" …" if len(desk.changed) > 6 else "")
        raise ConflictError(
            f"left as they are, because somebody changed them: {left}; flaredb review import {folder.name}, "
            "or export into another folder"
        )
    return tally.result(None)


def _prepare(folder: Path, fresh: ReviewFile) -> ReviewFile:
    """Make the folder, or take up an export of the same review; ConflictError for anything else that is there."""
    if folder.exists() and not folder.is_dir():
        raise ConflictError(f"{folder.name} is a file; give a folder")
    if (folder / FILE).exists():
        before = read_review_file(folder)
        if (before.review, before.program, before.structures) != (fresh.review, fresh.program, fresh.structures):
            raise ConflictError(f"{folder.name} holds review {before.review} for {before.program}; give another folder")
        return before
    if folder.exists() and {entry.name for entry in folder.iterdir()} - {UNFINISHED}:
        raise ConflictError(f"{folder.name} is not empty; give a new folder")
    folder.mkdir(parents=True, exist_ok=True)
    fresh.write(folder)
    return fresh


def _check_room(workspace: Workspace, folder: Path, missing: list[Case]) -> None:
    """StorageError if the scans that are still to be written would not fit; says what they take, roughly."""
    needed = sum(int(_PACKED * workspace.volumes.size(case.image)) for case in missing if case.image)
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise StorageError(
            f"the scans need about {needed:,} bytes, {free:,} are free; make room, or review fewer cases"
        )
    if missing:
        workspace.reporter.say(f"{len(missing)} scans, about {needed / 2**20:.0f} MiB")


@dataclass
class _Desk:
    """An export under way; as a context manager it clears away what it, or one that was killed, left half-written.

    Files are made under `.part` and get their name when they are whole. `changed` names those that somebody changed.
    """

    workspace: Workspace
    folder: Path
    file: ReviewFile
    changed: list[str]

    def __enter__(self) -> Self:
        shutil.rmtree(self._part, ignore_errors=True)
        self._part.mkdir()
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self._part, ignore_errors=True)

    @property
    def _part(self) -> Path:
        return self.folder / ".part"

    def export(self, plan: _Plan) -> tuple[Outcome, list[Finding]]:
        """Write a case's files and enter them into `review.json`."""
        name, labels = plan.case.name, shown(plan.items)
        before = self.file.cases.get(name)
        if before and before.labels != labels:
            raise ConflictError(f"{FILE} of {self.folder.name} names other labels of {name}; give another folder")
        files = dict(before.files) if before else {}
        (self.folder / name).mkdir(exist_ok=True)
        outcomes = set()
        for role, (own, make) in self._files(plan).items():
            outcome, sha256 = self._put(f"{name}/{own}", files[role][1] if role in files else None, make)
            outcomes.add(outcome)
            if outcome != "failed":
                files[role] = (f"{name}/{own}", sha256)
        self.file.cases[name] = Exported(name, labels, files)
        self.file.write(self.folder)
        findings = [] if plan.case.image else [_no_image(name)]
        return ("added" if "added" in outcomes else "unchanged"), findings

    def _files(self, plan: _Plan) -> dict[str, tuple[str, Make]]:
        """Role → the file's name in the case's folder, and how to make it."""
        name = plan.case.name
        made: dict[str, tuple[str, Make]] = {}
        if plan.case.image:
            made["image"] = (f"{name}.nii.gz", partial(_write_image, self.workspace, plan.case))
        own = f"{name}{SUFFIX}" if self.file.program == "slicer" else f"{name}_label.nii.gz"
        made["label"] = (own, partial(_write_label, self.workspace, self.file.program, plan))
        return made

    def _put(self, place: str, recorded: str | None, make: Make) -> tuple[Outcome, str]:
        """Write a file unless it is there; `failed` if it is there with content that is not ours. And its sha256."""
        path, beside = self.folder / place, self._part / Path(place).name
        there = sha256_of(path) if path.exists() else None
        if there is None or recorded is None:  # not there, or made by an export that stopped before its entry
            make(beside)
            recorded = sha256_of(beside)
        if there is None:
            beside.replace(path)
            return "added", recorded
        if there != recorded:
            self.changed.append(place)
            return "failed", recorded
        return "unchanged", recorded

    def write_tables(self, names: list[str]) -> None:
        """The colour table and an empty table of verdicts; a table of verdicts that is there is somebody's."""
        program, structures = self.file.program, self.file.structures
        table = itksnap_table(structures) if program == "itksnap" else slicer_table(structures)
        place = TABLES[program]
        _, self.file.tables[place] = self._put(place, self.file.tables.get(place), partial(_write_text, table))
        self.file.write(self.folder)
        if not (self.folder / VERDICTS).exists():
            text = io.StringIO()
            rows = csv.writer(text, lineterminator="\n")
            rows.writerow(["case", "verdict", "structures", "comment"])
            rows.writerows([case, "", "", ""] for case in names)
            self._put(VERDICTS, None, partial(_write_text, text.getvalue()))


def _write_image(workspace: Workspace, case: Case, path: Path) -> None:
    assert case.image  # noqa: S101  looked at before
    assert case.space  # noqa: S101
    write_nifti(path, workspace.volumes.open(case.image).read(), case.space)


def _write_label(workspace: Workspace, program: Program, plan: _Plan, path: Path) -> None:
    codes = shown_map(workspace, plan.items, plan.grid)
    if program == "itksnap":
        write_nifti(path, codes, map_space(plan.case, plan.grid))
        return
    names = names_of(workspace, plan.items)
    write_segments(path, codes, plan.grid, [(Segment(name, value), colour_of(value)) for value, name in names.items()])


def _write_text(text: str, path: Path) -> None:
    path.write_text(text, encoding="utf-8")


def _no_image(case: str) -> Finding:
    return Finding("info", case, "no-image", "the case has no voxels of its own; its label was written without a scan")


def _no_grid(case: str) -> Finding:
    return Finding("error", case, "no-grid", "the case has no voxels yet, so nothing can be shown; import its scan")
