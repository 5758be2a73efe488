"""Doubts about what a label shows, whatever it lies on: organs in pieces, lesions beyond count, lesions in the lung.

Such labels come in as they are; the remarks are for somebody to look at (`flaredb review create`). What people drew
may well be so, therefore the first two are said of generated labels alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from flaredb.catalog.cases import Case
from flaredb.catalog.labels import Presence
from flaredb.errors import Finding
from flaredb.geometry import Box
from flaredb.labels.mappings import Mapping
from flaredb.labels.policy import HUMAN
from flaredb.labels.structures import StructureSet
from flaredb.metrics.components import Components, find_components, shell
from flaredb.workspace import Workspace

ENOUGH_ML = 0.5  # of a structure, or of a lesion; less is not judged
WHOLE_SHARE = 0.8  # of an organ in its largest piece
MOST_LESIONS = 6
LUNG_HU = -500
LUNG_SHARE = 0.5  # of what surrounds a lesion
_AROUND = 3  # voxels


class Shown(NamedTuple):
    """A label as it lies on its scan: codes (z, y, x), what they mean and where, kind, file, volume of a voxel."""

    codes: NDArray[Any]
    mapping: Mapping
    presence: dict[str, Presence]
    kind: str
    path: str
    voxel_ml: float

    def components(self, name: str) -> Components | None:
        """Those of a structure; None if there is too little of it to judge."""
        there = self.presence.get(name)
        if there is None or there.box is None or there.voxels * self.voxel_ml < ENOUGH_ML:
            return None
        first, last = there.box
        z, y, x = (slice(low, high + 1) for low, high in zip(first, last, strict=True))
        own = [code for code, names in self.mapping.meanings if set(names) == {name}]
        return find_components(np.isin(self.codes[z, y, x], own), first)


def find_implausible(workspace: Workspace, known: Case | None, shown: Shown, annotated: Sequence[str]) -> list[Finding]:
    """Remarks `organ-in-pieces`, `many-lesions` (both `info`) and `lesion-in-lung` (`warning`) on a label."""
    case = known.name if known else None
    return [Finding(*said) for said in _doubts(workspace, known, case, shown, annotated)]


def _doubts(
    workspace: Workspace, known: Case | None, case: str | None, shown: Shown, annotated: Sequence[str]
) -> Iterator[tuple[Any, ...]]:
    structures, generated = workspace.structures, shown.kind not in HUMAN
    for name in annotated:
        lesion = structures[name].kind == "lesion"
        found = shown.components(name) if generated or lesion else None
        if found is None:
            continue
        if lesion:
            if generated and len(found.sizes) > MOST_LESIONS:
                message = f"{len(found.sizes)} separate pieces of {name}, more than {MOST_LESIONS}; look at them"
                yield "info", case, "many-lesions", message, shown.path
            if inside := _in_lung(workspace, known, found, shown.voxel_ml):
                message = f"{inside} of {len(found.sizes)} pieces of {name} are surrounded by lung; look at them"
                yield "warning", case, "lesion-in-lung", message, shown.path
        elif _compact(structures, name) and found.sizes[0] < WHOLE_SHARE * found.sizes.sum():
            share = found.sizes[0] / found.sizes.sum()
            message = f"{name} is in {len(found.sizes)} pieces, the largest {share:.0%} of it; look at them"
            yield "info", case, "organ-in-pieces", message, shown.path


def _compact(structures: StructureSet, name: str) -> bool:
    """Whether an organ is one piece in any cut of the body: vessels and bowel are not."""
    return not structures[name].tubular and name not in ("duodenum", "stomach", "pancreas")


def _in_lung(workspace: Workspace, known: Case | None, found: Components, voxel_ml: float) -> int:
    """How many pieces, large enough to judge, have mostly lung or air around them in the scan."""
    if known is None or known.image is None or not workspace.volumes.has(known.image):
        return 0
    volume = workspace.volumes.open(known.image)
    inside = 0
    for number in found.order[found.sizes * voxel_ml >= ENOUGH_ML]:
        piece = np.argwhere(found.numbers == number) + [side.start for side in found.box]
        box = _widened(piece.min(axis=0), piece.max(axis=0), volume.shape)
        mask = np.zeros([side.stop - side.start for side in box], bool)
        mask[tuple((piece - [side.start for side in box]).T)] = True
        around = volume.read(box)[shell(mask)]
        inside += int(around.size > 0 and np.mean(around < LUNG_HU) > LUNG_SHARE)
    return inside


def _widened(first: NDArray[Any], last: NDArray[Any], shape: tuple[int, int, int]) -> Box:
    """The box from one voxel to another, some voxels wider where there is room."""
    z, y, x = (
        slice(max(0, int(low) - _AROUND), min(size, int(high) + 1 + _AROUND))
        for low, high, size in zip(first, last, shape, strict=True)
    )
    return z, y, x
