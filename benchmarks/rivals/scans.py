"""The scans that feeds and training are compared on: the files all sides read, and flaredb's training set of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from flaredb.exchange.read import read_image, read_label
from flaredb.exchange.write import write_nifti
from flaredb.geometry import FileSpace, Grid
from flaredb.labels.labelset import Mode, Trust
from flaredb.labels.mappings import identity
from flaredb.labels.structures import FLARE23
from flaredb.labels.tasks import find_task
from flaredb.phantom import Cohort, make_case
from flaredb.trainers.samples import CaseItem, LabelItem, TrainingSet
from flaredb.volumes.store import VolumeStore
from rivals.beside import DATA

IRCAD = ("liver", "right_kidney", "left_kidney", "spleen", "tumor")


class Scan(NamedTuple):
    """A CT and its label in FLARE23's values, as files and as arrays (z, y, x), and what the label speaks about."""

    name: str
    ct: Path
    label: Path
    voxels: NDArray[Any]
    codes: NDArray[np.uint8]
    grid: Grid
    annotated: tuple[str, ...]


def ircad(folder: Path) -> Scan:
    """The real scan, 512×512×129 at 1.6×0.57×0.57 mm; four organs and tumours."""
    home = DATA / "ircad_p01"
    scan, label = read_image(home / "ct.nii.gz"), read_label(home / "labels.nii.gz")
    meant = json.loads((home / "label_map.json").read_text())["to_FLARE23"]
    table = np.zeros(int(label.voxels.max()) + 1, np.uint8)
    for code, value in meant.items():
        table[int(code)] = value
    codes = table[label.voxels]
    file = folder / "ircad-label.nii.gz"
    write_nifti(file, codes, label.space)
    return Scan("ircad_p01", home / "ct.nii.gz", file, scan.voxels, codes, scan.grid, IRCAD)


def median_phantom(folder: Path) -> Scan:
    """A made-up scan of FLARE23's median size, 512×512×150 at 2.5×0.82×0.82 mm; all structures.

    The phantom's body fills some 90×340×340 of that: air is put around it, and its ends are mirrored.
    """
    made = make_case(Cohort(seed=0, training=0, validation=1, test=0, spacing=(2.5, 0.82, 0.82)), 0)
    z, y, x = ((size - have) // 2 for size, have in zip((150, 512, 512), made.image.shape, strict=True))
    rest = [(n, size - have - n) for n, size, have in zip((z, y, x), (150, 512, 512), made.image.shape, strict=True)]
    along, across = [rest[0], (0, 0), (0, 0)], [(0, 0), rest[1], rest[2]]
    voxels = np.pad(np.pad(made.image, along, "reflect"), across, constant_values=-1000)
    codes = np.pad(np.pad(made.truth, along, "reflect"), across)
    return written("phantom of median size", folder, voxels, codes, made.grid.spacing)


def small_phantom(folder: Path) -> Scan:
    """A made-up scan of some 40×60×60 voxels, to try a script with."""
    made = make_case(Cohort(seed=0, training=0, validation=1, test=0), 0)
    return written("small phantom", folder, made.image, made.truth, made.grid.spacing)


def written(name: str, folder: Path, voxels: Any, codes: Any, spacing: tuple[float, float, float]) -> Scan:
    """A complete scan as files, its axes along the patient's."""
    z, y, x = spacing
    affine = (-x, 0.0, 0.0, 0.0, 0.0, -y, 0.0, 0.0, 0.0, 0.0, z, 0.0, 0.0, 0.0, 0.0, 1.0)
    shape = (voxels.shape[2], voxels.shape[1], voxels.shape[0])
    folder.mkdir(parents=True, exist_ok=True)
    ct, label = folder / f"{name.split()[0]}-ct.nii.gz", folder / f"{name.split()[0]}-label.nii.gz"
    write_nifti(ct, voxels, FileSpace(shape, affine, "int16", (x, y, z)))
    write_nifti(label, codes, FileSpace(shape, affine, "uint8", (x, y, z)))
    structures = tuple(structure.name for structure in FLARE23.structures)
    return Scan(name, ct, label, voxels, codes, Grid(voxels.shape, spacing), structures)


def training_set(store: VolumeStore, scan: Scan, labels: int) -> TrainingSet:
    """The scan with its label, and beyond the first others that a model may have made: the same, moved a little."""
    image = store.put_image(scan.voxels, scan.grid).volume
    items = []
    for number in range(labels):
        codes = np.roll(scan.codes, (number, 2 * number, -number), (0, 1, 2))
        known = scan.annotated if number == 0 else tuple(structure.name for structure in FLARE23.structures)
        won = frozenset(known).difference(scan.annotated if number else ())
        items.append(LabelItem(store.put_label(codes, scan.grid).volume, _trust(number, known, won)))
    return TrainingSet("s-benchmark", FLARE23, find_task(FLARE23, "all"), (CaseItem("one", image, tuple(items)),))


def _trust(number: int, known: tuple[str, ...], won: frozenset[str]) -> Trust:
    about = frozenset(known) if number == 0 else (won or frozenset(known))
    name = "one@truth@1" if number == 0 else f"one@model{number}@1"
    return Trust(name, number == 0, identity(FLARE23), dict.fromkeys(known, Mode()), about, won)
