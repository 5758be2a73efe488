"""What somebody drew in a viewer, brought to the scan's grid and to the structures' values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from flaredb.errors import Finding, InvalidDataError
from flaredb.exchange import lattice
from flaredb.exchange.compare import TOLERANCE
from flaredb.exchange.read import read_label
from flaredb.exchange.segments import read_segments
from flaredb.geometry import Grid
from flaredb.labels.structures import StructureSet

_APART = re.compile(r"[\s_-]+")


@dataclass(frozen=True, eq=False)
class Drawn:
    """A corrected label: codes (z, y, x), LPS, on the scan's grid.

    A code is a structure's value, or the next free value where something without a known name was drawn. `named` are
    the structures that the file holds; `marks` the viewer's own marks on them, such as `completed`.
    """

    codes: NDArray[np.uint8]
    sha256: str
    named: frozenset[str]
    marks: dict[str, str]
    findings: tuple[Finding, ...] = ()


def read_drawn(path: Path, case: str, grid: Grid, space: StructureSet, names: Mapping[int, str] | None) -> Drawn:
    """Read a label as 3D Slicer or, with `names` (value → name), as ITK-SNAP saved it.

    Segments are known by their names, whatever values and layers they have; what was cropped is padded. Raises
    InvalidDataError with rule `geometry-mismatch`, `label-outside-scan`, `segment-twice`, `segments-overlap`
    or one of the file's.
    """
    if names is None:
        return _from_slicer(path, case, grid, space)
    return _from_itksnap(path, case, grid, space, names)


def _from_slicer(path: Path, case: str, grid: Grid, space: StructureSet) -> Drawn:
    found = read_segments(path)
    known = _known(path, case, [segment.name for segment in found.segments], space)
    parts: list[NDArray[np.uint8]] = []
    strange: set[str] = set()
    for number, layer in enumerate(found.layers):
        here = {segment.value: segment.name for segment in found.segments if segment.layer == number}
        codes, unnamed = _recoded(layer, here, known, space)
        strange |= unnamed
        parts.append(np.zeros(grid.shape, np.uint8) if found.blank else _placed(path, case, codes, found.grid, grid))
    marks = {known[s.name]: s.status for s in found.segments if s.name in known}
    codes = _joined(path, case, parts, space)
    return Drawn(codes, found.sha256, frozenset(marks), marks, _strangers(path, case, strange))


def _from_itksnap(path: Path, case: str, grid: Grid, space: StructureSet, names: Mapping[int, str]) -> Drawn:
    scan = read_label(path)
    known = _known(path, case, names.values(), space)
    codes, strange = _recoded(scan.voxels, names, known, space)
    placed = _placed(path, case, codes, scan.grid, grid)
    present = np.unique(placed)
    named = frozenset(s.name for s in space.structures if s.value in present)
    return Drawn(placed, scan.sha256, named, {}, _strangers(path, case, strange))


def _known(path: Path, case: str, names: Iterable[str], space: StructureSet) -> dict[str, str]:
    """Name as written → structure; capitals, spaces, hyphens and underscores make no difference."""
    plain = {_plain(name): name for name in space.names}
    known = [(name, plain[_plain(name)]) for name in names if _plain(name) in plain]
    structures = [structure for _, structure in known]
    twice = [structure for structure in structures if structures.count(structure) > 1]
    if twice:
        raise _refusal(path, case, "segment-twice", f"two segments are called {twice[0]}; merge or rename one")
    return dict(known)


def _plain(name: str) -> str:
    return _APART.sub("_", name.strip()).casefold()


def _recoded(
    layer: NDArray[np.integer], names: Mapping[int, str], known: Mapping[str, str], space: StructureSet
) -> tuple[NDArray[np.uint8], set[str]]:
    """Values as the structures' own; what has no known name as the next free one, and what it is called."""
    top = int(layer.max()) + 1
    counts = sum(np.bincount(plane.ravel(), minlength=top) for plane in layer)
    table = np.zeros(top, np.uint8)
    strange = set()
    for value in np.flatnonzero(counts):
        name = names.get(int(value), f"value {value}")
        if name in known:
            table[value] = space[known[name]].value
        elif value:
            table[value] = len(space.names) + 1
            strange.add(name)
    recoded: NDArray[np.uint8] = table[layer]
    return recoded, strange


def _placed(path: Path, case: str, codes: NDArray[np.uint8], held: Grid, grid: Grid) -> NDArray[np.uint8]:
    """The codes on the scan's grid: as they are, or padded where the viewer cropped them."""
    offset = lattice.offset_on(held, grid, TOLERANCE * min(grid.spacing))
    if offset is None:
        message = "the voxels do not lie on those of the scan; draw on the exported scan, and save without resampling"
        raise _refusal(path, case, "geometry-mismatch", message)
    placed, outside = lattice.embedded(codes, offset, grid.shape)
    if outside:
        raise _refusal(path, case, "label-outside-scan", f"{outside} voxels are drawn outside the scan; erase them")
    return placed


def _joined(path: Path, case: str, layers: list[NDArray[np.uint8]], space: StructureSet) -> NDArray[np.uint8]:
    """One map of several layers: lesions lie on organs, and both on what has no name; no two organs share a voxel."""
    if len(layers) == 1:
        return layers[0]
    lesion = np.zeros(len(space.names) + 2, bool)
    lesion[[space[name].value for name in space.lesions]] = True
    unnamed = np.uint8(len(space.names) + 1)
    organs, lesions = np.zeros_like(layers[0]), np.zeros_like(layers[0])
    strange = np.zeros(layers[0].shape, bool)
    for layer in layers:
        strange |= layer == unnamed
        drawn = (layer > 0) & (layer != unnamed)
        for target, own in ((organs, drawn & ~lesion[layer]), (lesions, drawn & lesion[layer])):
            both = own & (target > 0) & (target != layer)
            if both.any():
                raise _overlap(path, case, space, (int(target[both][0]), int(layer[both][0])), int(both.sum()))
            target[own] = layer[own]
    joined: NDArray[np.uint8] = np.where(lesions > 0, lesions, organs)
    joined[strange & (joined == 0)] = unnamed
    return joined


def _overlap(path: Path, case: str, space: StructureSet, values: tuple[int, int], voxels: int) -> InvalidDataError:
    first, second = (space.names[value - 1] for value in values)
    message = f"{first} and {second} share {voxels} voxels or more; draw each voxel as one of them"
    return _refusal(path, case, "segments-overlap", message)


def _strangers(path: Path, case: str, names: Iterable[str]) -> tuple[Finding, ...]:
    return tuple(
        Finding(
            "warning",
            case,
            "unknown-segment",
            f"{name[:80]!r} is no structure of this workspace: left out, and nothing is taken as known where it is "
            "drawn; give it a structure's name, or delete it",
            path.name,
        )
        for name in sorted(names)
    )


def _refusal(path: Path, case: str, rule: str, message: str) -> InvalidDataError:
    return InvalidDataError(message, [Finding("error", case, rule, message, path.name)])
