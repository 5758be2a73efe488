"""What stands in an exported file: a volume's own voxels, or the classes that labels leave possible, as values."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from flaredb.errors import InvalidDataError, StorageError
from flaredb.geometry import FileSpace, Grid
from flaredb.labels.labelset import Trust
from flaredb.labels.lookup import Lookup, build_lookup
from flaredb.labels.structures import StructureSet
from flaredb.labels.tasks import Task
from flaredb.volumes.layout import digests
from flaredb.workspace import Workspace

_SLAB_VOXELS = 1 << 22
_SAME_PLACE = 0.01  # of a voxel; a label's lattice is its scan's to this much


class Values(NamedTuple):
    """Which value stands for what: `meanings` are (structures, value), one structure or those of a superset.

    A voxel that may be just these structures gets the value, sure background 0, anything else `undecided`.
    """

    task: Task
    meanings: tuple[tuple[tuple[str, ...], int], ...]
    undecided: int

    @property
    def names(self) -> dict[str, int]:
        """Name → value, by value; both sides of an organ are its plural, other supersets are joined by `+`."""
        return {_named(structures): value for structures, value in self.meanings}

    def of(self, classes: NDArray[np.int64]) -> NDArray[np.uint8]:
        """The values of class masks (bit 0 background, bit k the task's structure k)."""
        found = np.full(classes.shape, self.undecided, np.uint8)
        found[classes == 1] = 0
        for structures, value in self.meanings:
            found[classes == sum(1 << (self.task.structures.index(name) + 1) for name in structures)] = value
        return found

    def decided(self, classes: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Where a class mask has a value of its own."""
        masks = [sum(1 << (self.task.structures.index(name) + 1) for name in names) for names, _ in self.meanings]
        return np.isin(classes, [1, *masks])


class Part(NamedTuple):
    """A stored volume that a file is made of; `trust` says in what a label is believed, None for voxels as they are."""

    volume: str
    trust: Trust | None = None


class Recipe(NamedTuple):
    """How a file comes about: from which volumes, by which values, and on which axes it is written.

    With `codes` it is a mask: 1 where a label's volume holds one of them.
    """

    parts: tuple[Part, ...]
    space: FileSpace
    values: Values | None = None
    codes: tuple[int, ...] | None = None

    @property
    def key(self) -> str:
        """A digest of the recipe: equal keys make equal files, whatever the layout."""
        labels = {part.trust.label: None for part in self.parts if part.trust}
        voices = {label: number for number, label in enumerate(labels)}  # not the name, which changes with a case's
        parts = [[p.volume, p.trust and [voices[p.trust.label], *_plain_trust(p.trust)]] for p in self.parts]
        values = self.values and [self.values.task.structures, self.values.meanings, self.values.undecided]
        text = json.dumps([parts, dataclasses.asdict(self.space), values, self.codes], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


class Made(NamedTuple):
    """The voxels of a file, (z, y, x) LPS, the space to write them in, and how many are undecided.

    `regridded`: the file that came in had another lattice, which these voxels cannot go back to.
    """

    array: NDArray[Any]
    space: FileSpace
    undecided: int = 0
    regridded: bool = False


def make(workspace: Workspace, recipe: Recipe) -> Made:
    """Follow a recipe; StorageError if a volume is missing or does not hold what it was stored with."""
    if recipe.values is None:
        made = _as_it_came(workspace, recipe)
        return made if recipe.codes is None else made._replace(array=np.isin(made.array, recipe.codes).astype(np.uint8))
    trusts = [part.trust for part in recipe.parts if part.trust]
    lookup = build_lookup(workspace.structures, recipe.values.task, trusts)
    volumes = {part.trust.label: part.volume for part in recipe.parts if part.trust}
    arrays = [_read(workspace, volumes[name])[0] for name in lookup.names]
    if any(array.shape != recipe.space.grid.shape for array in arrays):
        raise InvalidDataError("the labels and the scan differ in shape; flaredb fsck says more")
    array, undecided = _classes(recipe.values, lookup, arrays)
    return Made(array, recipe.space, undecided)


def _as_it_came(workspace: Workspace, recipe: Recipe) -> Made:
    """A volume's own voxels, cut to the file's extent where it came in as a part of its scan's lattice."""
    array, grid = _read(workspace, recipe.parts[0].volume)
    wanted = recipe.space.grid
    if wanted.shape == array.shape:
        return Made(array, recipe.space)
    start = _offset(wanted, grid)
    if start is None or any(s < 0 or s + n > m for s, n, m in zip(start, wanted.shape, grid.shape, strict=True)):
        return Made(array, _axes_alone(recipe.space, grid), regridded=True)
    box = tuple(slice(s, s + n) for s, n in zip(start, wanted.shape, strict=True))
    return Made(array[box], recipe.space)


def _offset(part: Grid, whole: Grid) -> tuple[int, ...] | None:
    """The voxel of `whole` at which `part` begins; None if they are not one lattice."""
    far = np.asarray(part.shape) - 1
    corners = np.stack([part.affine @ [*index, 1.0] for index in ((0, 0, 0), tuple(far))], axis=1)
    places = np.linalg.solve(whole.affine, corners)[:3]
    start = np.rint(places[:, 0])
    off = np.abs(places - np.stack([start, start + far], axis=1)).max()
    return tuple(int(s) for s in start) if off < _SAME_PLACE else None


def _axes_alone(space: FileSpace, grid: Grid) -> FileSpace:
    """A space on the grid's lattice with axes along z, y, x turned to NIfTI's x, y, z, of the file's type."""
    affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ grid.affine[[2, 1, 0, 3]][:, [2, 1, 0, 3]]
    spacing = (grid.spacing[2], grid.spacing[1], grid.spacing[0])
    shape = (grid.shape[2], grid.shape[1], grid.shape[0])
    return FileSpace(shape, tuple(float(v) for v in affine.ravel()), space.dtype, spacing)


def _classes(values: Values, lookup: Lookup, arrays: list[NDArray[Any]]) -> tuple[NDArray[np.uint8], int]:
    """The values voxel by voxel, slab by slab, and how many voxels are undecided."""
    undecided = ~values.decided(lookup.classes)
    table = lookup._replace(classes=values.of(lookup.classes).astype(np.int64) + (undecided.astype(np.int64) << 8))
    shape = arrays[0].shape
    made = np.empty(shape, np.uint8)
    count = 0
    thickness = max(1, _SLAB_VOXELS // (shape[1] * shape[2]))
    for start in range(0, shape[0], thickness):
        slab = slice(start, start + thickness)
        found = table.look_up([array[slab] for array in arrays])
        made[slab] = found & 255
        count += int(np.count_nonzero(found >> 8))
    return made, count


def _read(workspace: Workspace, digest: str) -> tuple[NDArray[Any], Grid]:
    """The voxels of a volume, held against the digest that names it: nothing damaged leaves unnoticed."""
    volume = workspace.volumes.open(digest)
    array = volume.read()
    kinds: tuple[Any, ...] = ("image",) if volume.path.is_dir() else ("label",)
    if digests(kinds[0], array, volume.grid).volume != digest:
        raise StorageError(f"volume {digest[:12]} holds other voxels than it was written with; flaredb fsck --voxels")
    return array, volume.grid


def _plain_trust(trust: Trust) -> list[Any]:
    """What a trust says of voxels, as JSON."""
    modes = sorted((name, mode.exhaustive, list(mode.within)) for name, mode in trust.annotated.items())
    return [trust.human, trust.codes.text, modes, sorted(trust.structures), sorted(trust.won)]


def _named(structures: tuple[str, ...]) -> str:
    """A name for one structure or several; `kidneys` is what importing a `dataset.json` knows for both."""
    sides = {name.partition("_")[0]: name.partition("_")[2] for name in structures}
    both = len(structures) == 2 and set(sides) == {"right", "left"} and len(set(sides.values())) == 1
    return f"{sides['left']}s" if both else "+".join(structures)


def own_values(space: StructureSet, names: tuple[str, ...]) -> Values:
    """These structures by their own values, undecided as the next free one of the whole set."""
    meanings = tuple(((s.name,), s.value) for s in space.structures if s.name in names)
    return Values(Task("export", space.check(names)), meanings, len(space.names) + 1)
