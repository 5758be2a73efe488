"""Rounds whose predictions are drawn by hand from the truth of a phantom: a model of another program that never ran."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flaredb.exchange.write import write_nifti
from flaredb.phantom import Cohort, PhantomCase, make_case
from flaredb.workflow.model.imports import model_import
from flaredb.workflow.rounds.advance import RoundOptions, advance, round_start, run_to_end
from flaredb.workflow.rounds.ingest import ingest_round
from flaredb.workflow.rounds.show import round_show
from flaredb.workflow.snapshot.create import snapshot_show
from flaredb.workspace import Workspace
from tests.cohorts import fill, tiny, write_files
from tests.nnunet_results import write_results

COHORT = Cohort(seed=0, training=4, validation=4, test=0, spacing=(12.0, 12.0, 12.0))
RIGHT, LEFT, LIVER, TUMOR = 2, 13, 1, 14
Codes = NDArray[Any]
Draw = Callable[[Codes], Codes]


def cohort(root: Path) -> None:
    """A workspace of the cohort with its external source."""
    files = write_files(root.parent / "files", COHORT)
    with Workspace.create(root) as workspace:
        fill(workspace, files)


def planted(
    workspace: Workspace,
    folder: Path,
    task: str,
    draw: Draw,
    gate: str = "auto",
    more: Mapping[str, Path] | None = None,
) -> dict[str, Any]:
    """Run a round to its end, or to its gate, whose predictions are `draw` of each case's truth; what it shows.

    `more`: predictions of other cases, as files.
    """
    name = round_start(workspace, task, RoundOptions(tiny(), gate=gate)).ids[0]
    snapshot = round_show(workspace, name)["snapshot"]
    shown = snapshot_show(workspace, snapshot)
    place = folder / name.replace("/", "-")
    learnt = {each: workspace.structures[each].value for each in _structures(workspace, task)}
    split = {"train": sorted({item["case"] for item in shown["items"]}), "val": []}
    trainer = write_results(place, [split], {"background": 0, **learnt}, name.encode())
    advance(workspace, name, model_import(workspace, trainer, snapshot=snapshot).ids[0])
    for index in range(len(COHORT)):
        case = make_case(COHORT, index)
        write_prediction(place / "predictions" / f"{case.name}.nii.gz", draw(case.truth), case, list(learnt.values()))
    for case, file in (more or {}).items():
        shutil.copy(file, place / "predictions" / f"{case}.nii.gz")
    ingest_round(workspace, place / "predictions", name)
    run_to_end(workspace, name)
    shutil.rmtree(place)
    return round_show(workspace, name)


def rough(truth: Codes) -> Codes:
    """What a first model might draw: everything a voxel off."""
    return np.roll(truth, 1, axis=2)


def exact(truth: Codes) -> Codes:
    """The truth."""
    return truth


def swapped(truth: Codes) -> Codes:
    """Kidneys swapped."""
    return np.where(truth == RIGHT, LEFT, np.where(truth == LEFT, RIGHT, truth))


def collapsed(truth: Codes) -> Codes:
    """No tumour anywhere: where one is, liver."""
    return np.where(truth == TUMOR, LIVER, truth)


def _structures(workspace: Workspace, task: str) -> tuple[str, ...]:
    return workspace.task(task).structures


def write_prediction(path: Path, codes: Codes, case: PhantomCase, kept: list[int]) -> None:
    """Codes of a case, less those that are not kept, as a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    array = np.where(np.isin(codes, kept), codes, 0).astype(np.uint8)
    space = case.space
    write_nifti(path, array, type(space)(space.shape, space.affine, "uint8", space.pixdim))
