"""Write a made-up cohort as files, in the folders in which FLARE23 is distributed."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any, NamedTuple

from numpy.typing import NDArray

from flaredb.exchange.write import write_nifti
from flaredb.phantom import Cohort, PhantomCase, make_case
from flaredb.progress import Reporter

EXTERNAL = "flare21-pseudo-labels"
TABLE = "annotated.csv"


class Folders(NamedTuple):
    """Where a split's scans and human labels go."""

    images: str
    labels: str


_TRAIN = Folders("imagesTr2200", "labelsTr2200")
_UNLABELLED = Folders("unlabeledTr1800", "")
FOLDERS = {"validation": Folders("validation", "val-gt"), "test": Folders("test", "test-gt")}


def write_cohort(root: Path, cohort: Cohort, reporter: Reporter) -> None:
    """Write scans, labels, the external source and the tables of what is annotated; files that are there are kept."""
    root.mkdir(parents=True, exist_ok=True)
    annotated = []
    names = cohort.names
    for index in reporter.track(range(len(cohort)), "writing the cohort", len(cohort)):
        done = root / ".done" / names[index]
        case = make_case(cohort, index)
        annotated.append((case, " ".join(case.annotated)))
        if not done.exists():
            _write_case(root, case)
            done.parent.mkdir(exist_ok=True)
            done.touch()
    _write_table(root / TABLE, [(c.name, text) for c, text in annotated if c.label is not None])


def _write_case(root: Path, case: PhantomCase) -> None:
    folders = FOLDERS.get(case.split) or (_TRAIN if case.label is not None else _UNLABELLED)
    _write(root / folders.images / f"{case.name}_0000.nii.gz", case.image, case)
    if case.label is not None:
        _write(root / folders.labels / f"{case.name}.nii.gz", case.label, case)
    if case.external is not None:
        _write(root / EXTERNAL / f"{case.name}.nii.gz", case.external, case)


def _write(path: Path, array: NDArray[Any], case: PhantomCase) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    space = case.space
    write_nifti(path, array, type(space)(space.shape, space.affine, str(array.dtype), space.pixdim))


def _write_table(path: Path, rows: list[tuple[str, str]]) -> None:
    temporary = path.with_suffix(".part")
    with temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["case", "annotated"])
        writer.writerows(rows)
    temporary.replace(path)
