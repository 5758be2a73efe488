"""Give scans and labels back as NIfTI: the same voxels, codes and geometry as they came in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from flaredb.catalog import cases, labels
from flaredb.errors import ConflictError, NotFoundError
from flaredb.exchange.write import write_nifti
from flaredb.geometry import FileSpace
from flaredb.workflow.results import Result
from flaredb.workspace import Workspace

MANIFEST = "manifest.json"


class _Job(NamedTuple):
    """A file to write and the volume it comes from."""

    file: str
    volume: str | None
    space: FileSpace
    facts: dict[str, Any]


def export_nifti(
    workspace: Workspace,
    destination: Path,
    which: str = "all",
    where: str | None = None,
    undecided: str = "ignore",
) -> Result:
    """Write `images/CASE_0000.nii.gz`, `labels/SOURCE/REVISION/CASE.nii.gz` and `manifest.json`.

    `which` is `all`, a source, or `current`: then one file a case, `labels/current/CASE.nii.gz`, with the structures'
    values; voxels of several possible structures hold the next free value (`ignore`) or 0 (`background`).
    """
    if (destination / MANIFEST).exists():
        raise ConflictError(f"{destination} holds an export already; give another folder")
    with workspace.catalog.read() as connection:
        wanted = set(cases.matching(connection, where))
        known = [case for case in cases.every(connection) if case.name in wanted]
        found = [label for label in labels.every(connection) if label.case in wanted]
    sources = {label.source for label in found}
    if which not in {"all", "current", *sources}:
        raise NotFoundError(f"--labels {which}: give all, current or a source: {' '.join(sorted(sources))}")
    jobs = list(_images(known))
    if which == "current":
        jobs += [
            _Job(f"labels/current/{case.name}.nii.gz", None, case.space, {"case": case.name})
            for case in known
            if case.space
        ]
    else:
        jobs += _labels([label for label in found if which in ("all", label.source)])
    with workspace.run("export nifti", destination=destination.name, labels=which, where=where):
        _write(workspace, destination, jobs, undecided)
    return Result(None, tuple(job.file for job in jobs), added=len(jobs))


def _write(workspace: Workspace, destination: Path, jobs: list[_Job], undecided: str) -> None:
    for job in workspace.reporter.track(jobs, "files", len(jobs)):
        array = workspace.volumes.open(job.volume).read() if job.volume else _current(workspace, job, undecided)
        (destination / job.file).parent.mkdir(parents=True, exist_ok=True)
        write_nifti(destination / job.file, array, job.space)
    manifest = [{"file": job.file, "volume": job.volume, **job.facts} for job in jobs]
    destination.mkdir(parents=True, exist_ok=True)
    (destination / MANIFEST).write_text(json.dumps(manifest, indent=1), encoding="utf-8")


def _images(known: list[cases.Case]) -> Iterator[_Job]:
    for case in known:
        if case.image and case.space:
            yield _Job(f"images/{case.name}_0000.nii.gz", case.image, case.space, {"case": case.name})


def _labels(found: list[labels.Label]) -> Iterator[_Job]:
    for label in found:
        if label.volume and label.space:
            facts = {
                "case": label.case,
                "label": label.name,
                "kind": label.kind,
                "annotated": {
                    name: "exhaustive" if m.exhaustive else "positive-only" for name, m in label.annotated.items()
                },
                "codes": {str(code): sorted(names) for code, names in label.codes.meanings},
            }
            yield _Job(f"labels/{label.source}/{label.revision}/{label.case}.nii.gz", label.volume, label.space, facts)


def _current(workspace: Workspace, job: _Job, undecided: str) -> NDArray[np.uint8]:
    classes = workspace.current(job.facts["case"]).array
    value = len(workspace.structures.names) + 1 if undecided == "ignore" else 0
    return np.where(classes == 255, np.uint8(value), classes)
