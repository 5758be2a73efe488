"""Write a review as files for ITK-SNAP or 3D Slicer: scans, labels, names and colours, and a table for verdicts."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

from flaredb.catalog import cases, reviews
from flaredb.catalog.cases import Case
from flaredb.catalog.reviews import Item
from flaredb.errors import ConflictError, Finding, UsageError
from flaredb.exchange.colours import colour_of, itksnap_table, slicer_table
from flaredb.exchange.segments import SUFFIX, Segment, write_segments
from flaredb.exchange.stored import sha256_of
from flaredb.exchange.write import write_nifti
from flaredb.geometry import Grid
from flaredb.workflow.results import Outcome, Result, Tally
from flaredb.workflow.review_file import (
    FILE,
    PROGRAMS,
    TABLES,
    VERDICTS,
    Exported,
    ReviewFile,
    read_review_file,
    shown,
)
from flaredb.workflow.reviewed import by_case, map_space, names_of, shown_map
from flaredb.workspace import Workspace

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
    file = _prepare(folder, ReviewFile(review.name, program, names))
    tally, changed = Tally(), list[str]()
    with workspace.run("review export", review=name, folder=folder.name, program=program):
        for case, items in workspace.reporter.track(queue.items(), "cases", len(queue)):
            grid = known[case].grid
            if grid is None:
                tally.count("failed", case, [_no_grid(case)])
                continue
            outcome, findings = _export(workspace, folder, file, _Plan(known[case], grid, items), changed)
            tally.count(outcome, case, findings)
        _write_tables(folder, file, changed, list(queue))
    if changed:
        shown_names = ", ".join(changed[:6]) + (" …" if len(changed) > 6 else "")
        raise ConflictError(
            f"left as they are, because somebody changed them: {shown_names}; flaredb review import {folder.name}, "
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
    if folder.exists() and any(folder.iterdir()):
        raise ConflictError(f"{folder.name} is not empty; give a new folder")
    folder.mkdir(parents=True, exist_ok=True)
    fresh.write(folder)
    return fresh


def _export(
    workspace: Workspace, folder: Path, file: ReviewFile, plan: _Plan, changed: list[str]
) -> tuple[Outcome, list[Finding]]:
    """Write a case's files and enter them into `review.json`; `changed` gets those that somebody changed."""
    case, labels = plan.case, shown(plan.items)
    before = file.cases.get(case.name)
    if before and before.labels != labels:
        raise ConflictError(f"{FILE} of {folder.name} names other labels of {case.name}; give another folder")
    findings: list[Finding] = []
    made: dict[str, tuple[str, Make]] = {}
    if case.image and case.space:
        made["image"] = (f"{case.name}.nii.gz", partial(_write_image, workspace, case))
    else:
        findings.append(_no_image(case.name))
    label_file = f"{case.name}{SUFFIX}" if file.program == "slicer" else f"{case.name}_label.nii.gz"
    made["label"] = (label_file, partial(_write_label, workspace, file, plan))
    (folder / case.name).mkdir(exist_ok=True)
    files = dict(before.files) if before else {}
    written = False
    for role, (own_name, make) in made.items():
        path = folder / case.name / own_name
        recorded = files[role][1] if role in files else None
        outcome, sha256 = _put(path, recorded, make)
        written = written or outcome == "added"
        if outcome == "failed":
            changed.append(f"{case.name}/{own_name}")
        else:
            files[role] = (f"{case.name}/{own_name}", sha256)
    file.cases[case.name] = Exported(case.name, labels, files)
    file.write(folder)
    return ("added" if written else "unchanged"), findings


def _put(path: Path, recorded: str | None, make: Make) -> tuple[Outcome, str]:
    """Write a file unless it is there; `failed` if it is there with content that is not ours. And its sha256."""
    if not path.exists():
        make(path)
        return "added", sha256_of(path)
    there = sha256_of(path)
    if recorded is not None:
        return ("unchanged" if there == recorded else "failed"), recorded
    beside = path.with_name(f".part-{path.name}")  # an export that stopped between the file and its entry
    try:
        make(beside)
        ours = sha256_of(beside)
    finally:
        beside.unlink(missing_ok=True)
    return ("unchanged" if there == ours else "failed"), ours


def _write_image(workspace: Workspace, case: Case, path: Path) -> None:
    assert case.image  # noqa: S101  looked at before
    assert case.space  # noqa: S101
    write_nifti(path, workspace.volumes.open(case.image).read(), case.space)


def _write_label(workspace: Workspace, file: ReviewFile, plan: _Plan, path: Path) -> None:
    codes = shown_map(workspace, plan.items, plan.grid)
    if file.program == "itksnap":
        write_nifti(path, codes, map_space(plan.case, plan.grid))
        return
    names = names_of(workspace, plan.items)
    segments = [(Segment(name, value), colour_of(value)) for value, name in names.items()]
    write_segments(path, codes, plan.grid, segments)


def _write_tables(folder: Path, file: ReviewFile, changed: list[str], names: list[str]) -> None:
    """The colour table and an empty table of verdicts; a table of verdicts that is there is somebody's."""
    table = itksnap_table(file.structures) if file.program == "itksnap" else slicer_table(file.structures)
    name = TABLES[file.program]
    outcome, sha256 = _put(folder / name, file.tables.get(name), lambda path: _write_text(path, table))
    if outcome == "failed":
        changed.append(name)
    file.tables[name] = sha256
    file.write(folder)
    if not (folder / VERDICTS).exists():
        text = io.StringIO()
        rows = csv.writer(text, lineterminator="\n")
        rows.writerow(["case", "verdict", "structures", "comment"])
        rows.writerows([case, "", "", ""] for case in names)
        _write_text(folder / VERDICTS, text.getvalue())


def _write_text(path: Path, text: str) -> None:
    beside = path.with_name(f".{path.name}.part")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)


def _no_image(case: str) -> Finding:
    return Finding("info", case, "no-image", "the case has no voxels of its own; its label was written without a scan")


def _no_grid(case: str) -> Finding:
    return Finding("error", case, "no-grid", "the case has no voxels yet, so nothing can be shown; import its scan")
