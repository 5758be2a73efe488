"""Where voxels are: grids in (z, y, x) order and millimetres, and how a file's own axes map to them.

World coordinates are LPS (x to the patient's left, y to the back, z to the head), written here in (z, y, x) order
like everything else. A `Grid` describes an array whose axes already point along +z, +y, +x as nearly as the scan
allows; a `FileSpace` remembers how the file had them, so that export gives back exactly what came in.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Triple = tuple[float, float, float]
Shape = tuple[int, int, int]
Box = tuple[slice, slice, slice]

_RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
_LETTERS = (("L", "R"), ("P", "A"), ("I", "S"))  # of RAS world axes: negative end, positive end


@dataclass(frozen=True)
class Grid:
    """The lattice of a volume: shape, spacing (mm), origin (mm) and direction, all in (z, y, x) order.

    `direction[i][j]` is the world component i of the unit vector along array axis j; the identity for a scan whose
    axes lie along the patient's. Voxel index v lies at `origin + direction @ (spacing * v)`.
    """

    shape: Shape
    spacing: Triple
    origin: Triple = (0.0, 0.0, 0.0)
    direction: tuple[Triple, Triple, Triple] = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))

    @property
    def affine(self) -> NDArray[np.float64]:
        """4×4 matrix from voxel index (z, y, x, 1) to world mm (z, y, x, 1)."""
        matrix = np.eye(4)
        matrix[:3, :3] = np.asarray(self.direction) * np.asarray(self.spacing)
        matrix[:3, 3] = self.origin
        return matrix

    @classmethod
    def from_affine(cls, affine: NDArray[Any], shape: Shape) -> Grid:
        """Build from a 4×4 matrix in (z, y, x) order; the inverse of `affine`."""
        spacing = np.linalg.norm(affine[:3, :3], axis=0)
        direction = affine[:3, :3] / spacing
        return cls(
            shape=shape,
            spacing=_triple(spacing),
            origin=_triple(affine[:3, 3]),
            direction=(_triple(direction[0]), _triple(direction[1]), _triple(direction[2])),
        )

    def distance(self, other: Grid) -> float:
        """Largest displacement of a corner voxel between two grids of equal shape, mm."""
        corners = np.array([(*c, 1) for c in itertools.product(*((0, n - 1) for n in self.shape))], float)
        moved = corners @ (self.affine - other.affine).T
        return float(np.linalg.norm(moved[:, :3], axis=1).max())

    @property
    def voxel_ml(self) -> float:
        """Volume of one voxel in millilitres."""
        return float(abs(np.linalg.det(self.affine[:3, :3]))) / 1000.0


@dataclass(frozen=True)
class FileSpace:
    """How a file holds its array: shape in the file's own axis order, RAS affine, dtype, header pixdim.

    `affine` is the NIfTI one: 4×4, row by row, from file index (i, j, k, 1) to RAS mm. Other formats are converted to
    it when read. `pixdim` is the header's voxel size as stored (float32), which need not equal the affine's.
    """

    shape: Shape
    affine: tuple[float, ...]
    dtype: str
    pixdim: Triple

    @property
    def matrix(self) -> NDArray[np.float64]:
        """The affine as a 4×4 array."""
        return np.asarray(self.affine, dtype=np.float64).reshape(4, 4)

    @property
    def orientation(self) -> str:
        """Three letters: the end of the body towards which each file axis grows, such as `LPS`."""
        axes, signs = _closest_axes(self.matrix)
        return "".join(_LETTERS[world][int(sign > 0)] for world, sign in zip(axes, signs, strict=True))

    @property
    def grid(self) -> Grid:
        """The grid of the array that `to_lps` gives."""
        order, flips = self._to_zyx()
        affine = _RAS_TO_LPS @ self.matrix
        columns = affine[:, [*order, 3]].copy()
        for position, (axis, flip) in enumerate(zip(order, flips, strict=True)):
            if flip:
                columns[:, 3] += columns[:, position] * (self.shape[axis] - 1)
                columns[:, position] *= -1
        zyx = columns[[2, 1, 0, 3], :]
        return Grid.from_affine(zyx, (self.shape[order[0]], self.shape[order[1]], self.shape[order[2]]))

    def to_lps(self, array: NDArray[Any]) -> NDArray[Any]:
        """Turn an array in file order into (z, y, x) with axes growing to head, back and left. A view."""
        order, flips = self._to_zyx()
        return np.flip(array.transpose(order), tuple(i for i, flip in enumerate(flips) if flip))

    def from_lps(self, array: NDArray[Any]) -> NDArray[Any]:
        """Undo `to_lps`: back to the file's own axes. A view."""
        order, flips = self._to_zyx()
        unflipped = np.flip(array, tuple(i for i, flip in enumerate(flips) if flip))
        return unflipped.transpose(np.argsort(order))

    def _to_zyx(self) -> tuple[tuple[int, int, int], tuple[bool, bool, bool]]:
        """Which file axis becomes z, y and x, and whether each is flipped on the way."""
        axes, signs = _closest_axes(_RAS_TO_LPS @ self.matrix)
        order = tuple(axes.index(world) for world in (2, 1, 0))
        flips = tuple(signs[axis] < 0 for axis in order)
        return (order[0], order[1], order[2]), (flips[0], flips[1], flips[2])


def _closest_axes(affine: NDArray[np.float64]) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """For each array axis, the world axis (0 x, 1 y, 2 z) it lies nearest to, and its sign along it."""
    cosines = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    best = max(
        itertools.permutations(range(3)),
        key=lambda axes: sum(abs(cosines[world, axis]) for axis, world in enumerate(axes)),
    )
    return best, tuple(float(np.sign(cosines[world, axis])) for axis, world in enumerate(best))


def _triple(values: Any) -> Triple:
    first, second, third = (float(v) + 0.0 for v in values)  # + 0.0 turns -0.0 into 0.0
    return first, second, third
