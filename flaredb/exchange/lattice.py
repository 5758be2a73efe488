"""Arithmetic on lattices: where one lies on another, and what it takes to bring voxels from one to the other.

Grids and arrays are in (z, y, x) order, LPS, millimetres. Nothing here judges: `compare` does.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from flaredb.geometry import Box, FileSpace, Grid, Shape

_SLAB_VOXELS = 1 << 21
_RAS_TO_LPS_ZYX = np.array([[0.0, 0, 1, 0], [0, -1, 0, 0], [-1, 0, 0, 0], [0, 0, 0, 1]])  # from (x, y, z)


class Skew(NamedTuple):
    """Cosines of the angles between the axes of a grid: 0 where they stand upright on each other."""

    zy: float
    zx: float
    yx: float

    @property
    def largest(self) -> float:
        """The largest of the three, without its sign."""
        return max(abs(cosine) for cosine in self)


def skew(grid: Grid) -> Skew:
    """How far the axes of a grid are from standing upright on each other."""
    z, y, x = np.asarray(grid.direction).T
    return Skew(float(z @ y), float(z @ x), float(y @ x))


def straightened(grid: Grid) -> Grid:
    """The grid with the nearest rotation for its directions: same shape, same spacing, the centre where it was."""
    left, _, right = np.linalg.svd(np.asarray(grid.direction))
    turned = grid.affine
    turned[:3, :3] = (left @ right) * np.asarray(grid.spacing)
    middle = np.array([*((n - 1) / 2 for n in grid.shape), 1.0])
    turned[:3, 3] += (grid.affine @ middle - turned @ middle)[:3]
    return replace(Grid.from_affine(turned, grid.shape), spacing=grid.spacing)


def offset_on(inner: Grid, outer: Grid, limit: float) -> Shape | None:
    """At which voxel of `outer` the first voxel of `inner` lies, if every other voxel lies on one, too.

    The numbers may be negative or beyond the shape: only the lattice counts, not how far it is filled. None where a
    corner lies more than `limit` mm off.
    """
    first = np.linalg.solve(outer.affine, np.array([*inner.origin, 1.0]))[:3]
    if not np.isfinite(first).all() or np.abs(first).max() > np.iinfo(np.int32).max:
        return None
    z, y, x = (int(place) for place in np.rint(first))
    return (z, y, x) if inner.distance(box_grid(outer, (z, y, x), inner.shape)) <= limit else None


def box_grid(outer: Grid, offset: Shape, shape: Shape) -> Grid:
    """The grid of an array of `shape` whose first voxel is that of `outer` at `offset`."""
    z, y, x = (float(place) for place in (outer.affine @ np.array([*offset, 1.0]))[:3])
    return replace(outer, shape=shape, origin=(z, y, x))


def mirrored_axes(offset: Shape, shape: Shape) -> tuple[int, ...]:
    """The axes along which an offset is the whole volume less one voxel; empty unless it is 0 along all others.

    So lies an array of equal shape whose header begins at the right corner and counts on from there the wrong way.
    """
    whole = [abs(o) == n - 1 and n > 1 for o, n in zip(offset, shape, strict=True)]
    fits = all(o == 0 or w for o, w in zip(offset, whole, strict=True))
    return tuple(axis for axis, o in enumerate(offset) if o) if fits else ()


def axis_order(shape: Shape, wanted: Shape) -> tuple[int, int, int] | None:
    """Which axis of an array of `shape` would have to be z, y and x to get the `wanted` shape; None if no order fits.

    None, too, where the shapes are equal as they are.
    """
    if shape == wanted:
        return None
    fitting = (o for o in itertools.permutations(range(3)) if tuple(shape[axis] for axis in o) == wanted)
    found = next(fitting, None)
    return (found[0], found[1], found[2]) if found else None


def common_box(offset: Shape, inner: Shape, outer: Shape) -> tuple[Box, Box] | None:
    """The part that an array at an offset shares with another: as a box of the inner one and of the outer one."""
    begins = [max(0, o) for o in offset]
    ends = [min(n, o + m) for o, m, n in zip(offset, inner, outer, strict=True)]
    if any(begin >= end for begin, end in zip(begins, ends, strict=True)):
        return None
    z, y, x = (slice(begin, end) for begin, end in zip(begins, ends, strict=True))
    a, b, c = (slice(begin - o, end - o) for begin, end, o in zip(begins, ends, offset, strict=True))
    return (a, b, c), (z, y, x)


def embedded(codes: NDArray[Any], offset: Shape, shape: Shape) -> tuple[NDArray[Any], int]:
    """Codes at an offset of an otherwise empty array of `shape`; and how many that are not 0 did not fit into it."""
    result = np.zeros(shape, codes.dtype)
    boxes = common_box(offset, (codes.shape[0], codes.shape[1], codes.shape[2]), shape)
    if boxes is None:
        return result, int(np.count_nonzero(codes))
    inner, outer = boxes
    result[outer] = codes[inner]
    return result, int(np.count_nonzero(codes)) - int(np.count_nonzero(result))


def nearest(codes: NDArray[Any], held: Grid, wanted: Grid) -> NDArray[Any]:
    """For every voxel of `wanted` the code of the voxel of `held` (the grid of `codes`) nearest to it; 0 outside.

    Nearest along each axis of `held`; half way between two voxels the even one is taken. Slab by slab, so that no more
    than a few million coordinates exist at a time.
    """
    matrix = np.linalg.solve(held.affine, wanted.affine)
    result = np.zeros(wanted.shape, codes.dtype)
    planes, rows, columns = wanted.shape
    thickness = max(1, _SLAB_VOXELS // (rows * columns))
    for start in range(0, planes, thickness):
        depth = min(thickness, planes - start)
        z, y, x = np.ogrid[start : start + depth, 0:rows, 0:columns]
        places = [np.rint(line[0] * z + line[1] * y + line[2] * x + line[3]) for line in matrix[:3]]
        inside = np.ones((depth, rows, columns), bool)
        for place, size in zip(places, codes.shape, strict=True):
            inside &= (place >= 0) & (place < size)
        a, b, c = (place[inside].astype(np.intp) for place in places)
        result[start : start + depth][inside] = codes[a, b, c]
    return result


def filed_on(space: FileSpace, grid: Grid) -> FileSpace:
    """How a file with the axes of `space` (their order and signs, its type) holds an array on `grid`."""
    world = _RAS_TO_LPS_ZYX @ space.matrix
    turn = np.rint(np.linalg.solve(space.grid.affine, world)[:3, :3]).astype(int)
    index = np.eye(4)
    index[:3, :3] = turn
    index[:3, 3] = [n - 1 if line.sum() < 0 else 0 for n, line in zip(grid.shape, turn, strict=True)]
    affine = np.linalg.solve(_RAS_TO_LPS_ZYX, grid.affine @ index) + 0.0
    i, j, k = (int(n) for n in abs(turn).T @ np.array(grid.shape))
    a, b, c = (float(np.float32(step)) for step in abs(turn).T @ np.array(grid.spacing))
    return FileSpace((i, j, k), tuple(float(v) for v in affine.ravel()), space.dtype, (a, b, c))
