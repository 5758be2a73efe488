"""Folder in, folder out: scans predicted with a model folder, without a workspace. Nothing here needs the catalogue."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from flaredb.errors import Finding, InvalidDataError, NotFoundError, StorageError
from flaredb.exchange.layouts import find_images
from flaredb.exchange.looking import Found
from flaredb.exchange.read import Scan, read_image
from flaredb.exchange.write import write_nifti
from flaredb.progress import Reporter
from flaredb.trainers.layers import ArrayScan
from flaredb.trainers.package import Package, read_package
from flaredb.trainers.predict import Prediction
from flaredb.workflow.executors import in_order
from flaredb.workflow.predict.plan import (
    Member,
    Plan,
    PredictOptions,
    check_members,
    finish_one,
    make_plan,
    make_predictor,
)
from flaredb.workflow.results import Result, Tally

RUNNER = "predict.sh"
_SCRIPT = """#!/bin/sh
# Predict the scans of a folder: predict.sh IN OUT [options of flaredb predict]. Needs flaredb, and no workspace.
set -e
[ $# -ge 2 ] || { echo "usage: predict.sh IN OUT [options]" >&2; exit 2; }
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
in=$1; out=$2; shift 2
exec flaredb predict --model "$here" "$@" "$in" "$out"
"""


def predict_files(
    models: Sequence[Path],
    scans: Path,
    destination: Path,
    options: PredictOptions = PredictOptions(),  # noqa: B008  frozen
    overwrite: bool = False,
    reporter: Reporter = Reporter(),  # noqa: B008  silent
) -> Result:
    """Predict a scan, or all in a folder, into `destination`/CASE.nii.gz, in the scan's own geometry.

    The logits of several models are averaged. What is there already is `unchanged` unless it is to be written over;
    what cannot be read is `failed`, with a finding. InvalidDataError for models that do not fit each other.
    """
    members = [_member(read_package(folder)) for folder in models]
    if options.postprocess == "auto":
        raise InvalidDataError("--postprocess auto needs a workspace with references; give the recipe it chose there")
    plan = make_plan(check_members(members), options)
    search = find_images(scans)
    _check_destination(scans, destination)
    _check_targets([found.path for found in search.found], destination)
    tally = Tally(search.findings)
    todo = []
    for found in search.found:
        if (destination / f"{found.case}.nii.gz").exists() and not overwrite:
            tally.count("unchanged", found.case)
        else:
            todo.append(found)
    if todo:
        destination.mkdir(parents=True, exist_ok=True)
        outcomes = _predicted(members, plan, todo, destination)
        for found, said in reporter.track(outcomes, "predicting", len(todo)):
            tally.count("failed" if said else "added", found.case, said)
    return tally.result(None)


def write_runner(folder: Path) -> None:
    """Beside an exported model: a script that predicts a folder with it."""
    path = folder / RUNNER
    path.write_text(_SCRIPT, encoding="utf-8")
    path.chmod(0o755)


def _member(package: Package) -> Member:
    return Member(package.name, package.config, package.structures, package.weights)


def _check_destination(scans: Path, destination: Path) -> None:
    if destination.exists() and not destination.is_dir():
        raise NotFoundError(f"{destination} is a file; give a folder for the predictions")
    if scans.is_dir() and destination.resolve().is_relative_to(scans.resolve()):
        raise InvalidDataError("the predictions would lie among the scans; give another folder")


def _check_targets(scans: Sequence[Path], destination: Path) -> None:
    """InvalidDataError where a prediction could take a scan's place, or be taken for one the next time."""
    if destination.resolve() in {scan.resolve().parent for scan in scans}:
        raise InvalidDataError("the predictions would lie among the scans; give another folder")


def _predicted(
    members: list[Member], plan: Plan, todo: Sequence[Found], destination: Path
) -> Iterator[tuple[Found, list[Finding]]]:
    """Each scan with what went wrong; the next is read and the last written while one computes."""
    predictor = make_predictor(members, plan.options)

    def read(found: Found) -> Scan:
        return read_image(found.path, part=found.part)

    with ThreadPoolExecutor(1) as behind:
        last: tuple[Found, Future[list[Finding]]] | None = None
        for found, coming in in_order(read, todo, workers=1):
            error = coming.exception()
            prediction = None
            if error is None:
                scan = coming.result()
                prediction = predictor.run(ArrayScan(scan.voxels, scan.grid))
            elif not isinstance(error, InvalidDataError | NotFoundError | StorageError | OSError):
                raise error
            if last is not None:
                yield last[0], last[1].result()
            last = found, behind.submit(_written, plan, found, coming, prediction, destination)
        if last is not None:
            yield last[0], last[1].result()


def _written(
    plan: Plan, found: Found, coming: Future[Scan], prediction: Prediction | None, destination: Path
) -> list[Finding]:
    """Write a prediction; what was wrong with the scan, if it is none."""
    if prediction is None:
        return _unreadable(found, coming.exception())
    scan = coming.result()
    codes, _ = finish_one(plan, prediction, scan.grid)
    write_nifti(destination / f"{found.case}.nii.gz", codes, replace(scan.space, dtype="uint8"))
    return []


def _unreadable(found: Found, error: BaseException | None) -> list[Finding]:
    told = list(getattr(error, "findings", ()))
    if not told:
        told = [Finding("error", found.case, "unreadable", str(error), found.called)]
    return [finding._replace(case=found.case) for finding in told]
