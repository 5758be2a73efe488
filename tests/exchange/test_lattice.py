"""Where one lattice lies on another, and voxels brought from one to the other."""

from dataclasses import replace
from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flaredb.exchange import lattice
from flaredb.geometry import FileSpace, Grid, Shape

IMAGE = Grid((30, 40, 50), (2.5, 0.8, 0.9), (-300.0, -150.0, -100.0))
shapes = st.tuples(*[st.integers(1, 7)] * 3)
offsets = st.tuples(*[st.integers(-9, 9)] * 3)


def turned(degrees: float) -> Grid:
    """`IMAGE` turned about z."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return replace(IMAGE, direction=((1.0, 0.0, 0.0), (0.0, float(c), float(s)), (0.0, float(-s), float(c))))


def part(grid: Grid, offset: Shape, shape: Shape) -> Grid:
    """The grid of a box of a grid, which may reach beyond it."""
    z, y, x = (grid.affine @ np.array([*offset, 1.0]))[:3]
    return replace(grid, shape=shape, origin=(float(z), float(y), float(x)))


@given(st.floats(-40, 40), offsets, shapes, st.floats(-0.03, 0.03))
def test_a_box_is_found_where_it_was_cut(degrees: float, offset: Shape, shape: Shape, off: float) -> None:
    """A box of a lattice, turned or not, is found at its place, a rounding error notwithstanding."""
    grid = turned(degrees)
    box = part(grid, offset, shape)
    moved = replace(box, origin=(box.origin[0], box.origin[1] + off, box.origin[2]))
    assert lattice.offset_on(moved, grid, 0.08) == offset


@pytest.mark.parametrize(
    "other",
    [
        replace(IMAGE, origin=(-300.0, -149.6, -100.0)),
        replace(IMAGE, spacing=(2.6, 0.8, 0.9)),
        turned(3),
        replace(IMAGE, origin=(1e300, 0.0, 0.0)),
    ],
)
def test_another_lattice_has_no_place(other: Grid) -> None:
    """Half a voxel off, other steps, another direction: no whole voxels apart."""
    assert lattice.offset_on(other, IMAGE, 0.08) is None


@given(offsets, shapes, shapes, st.integers(0, 2**32 - 1))
def test_embedding_loses_nothing_unsaid(offset: Shape, inner: Shape, outer: Shape, seed: int) -> None:
    """Every code is where its voxel lies, or counted as one that did not fit."""
    codes = np.random.default_rng(seed).integers(0, 3, inner).astype(np.uint8)
    result, lost = lattice.embedded(codes, offset, outer)
    plain = np.zeros(outer, np.uint8)
    missed = 0
    for place in np.argwhere(codes):
        there = place + offset
        if all(0 <= t < n for t, n in zip(there, outer, strict=True)):
            plain[tuple(there)] = codes[tuple(place)]
        else:
            missed += 1
    np.testing.assert_array_equal(result, plain)
    assert lost == missed


@pytest.mark.parametrize(
    ("offset", "axes"),
    [((29, 0, 0), (0,)), ((-29, 0, 49), (0, 2)), ((0, 0, 0), ()), ((29, 1, 0), ()), ((28, 0, 0), ()), ((30, 0, 0), ())],
)
def test_a_mirrored_axis_begins_at_the_far_end(offset: Shape, axes: tuple[int, ...]) -> None:
    """An offset of all voxels but one is an axis counted backwards; any other is just an offset."""
    assert lattice.mirrored_axes(offset, IMAGE.shape) == axes


def test_an_axis_of_one_voxel_is_never_mirrored() -> None:
    """One slice is its own mirror image."""
    assert lattice.mirrored_axes((0, 0, 0), (1, 1, 1)) == ()


@given(shapes, st.permutations(range(3)))
def test_the_order_of_axes_brings_the_shape(shape: Shape, order: list[int]) -> None:
    """An order is named if it makes another shape the wanted one; equal shapes need none."""
    wanted = (shape[order[0]], shape[order[1]], shape[order[2]])
    found = lattice.axis_order(shape, wanted)
    if shape == wanted:
        assert found is None
    else:
        assert found is not None
        assert tuple(shape[axis] for axis in found) == wanted
    assert lattice.axis_order((2, 3, 4), (2, 3, 5)) is None


@given(st.floats(-0.05, 0.05), st.floats(-0.05, 0.05))
def test_straightening_is_the_nearest_rotation(a: float, b: float) -> None:
    """Axes stand upright on each other afterwards, the centre stays, and what was upright is not touched."""
    rows = np.array([[1, a, b], [0, 1, a], [b, 0, 1]])
    rows /= np.linalg.norm(rows, axis=0)
    first, second, third = (tuple(map(float, row)) for row in rows)
    skewed = replace(IMAGE, direction=(first, second, third))
    straight = lattice.straightened(skewed)
    assert lattice.skew(straight).largest < 1e-12
    assert (straight.shape, straight.spacing) == (skewed.shape, skewed.spacing)
    middle = np.array([*((n - 1) / 2 for n in IMAGE.shape), 1.0])
    np.testing.assert_allclose(straight.affine @ middle, skewed.affine @ middle)
    assert lattice.straightened(turned(20)).distance(turned(20)) < 1e-9


@given(shapes, st.integers(0, 2**32 - 1))
def test_nearest_on_the_same_grid_is_the_same(shape: Shape, seed: int) -> None:
    """A grid resampled to itself, or to a box of itself, holds the same codes."""
    codes = np.random.default_rng(seed).integers(0, 9, shape).astype(np.uint16)
    grid = part(turned(15), (0, 0, 0), shape)
    np.testing.assert_array_equal(lattice.nearest(codes, grid, grid), codes)
    box = part(grid, (-1, 2, 0), (3, 4, 5))
    np.testing.assert_array_equal(lattice.nearest(codes, grid, box), lattice.embedded(codes, (1, -2, 0), (3, 4, 5))[0])


def test_nearest_keeps_a_ball_where_it_is() -> None:
    """From 2.5 × 0.8 × 0.9 mm, turned, to 1 mm and back a ball keeps its centre and its volume."""
    grid = turned(12)
    z, y, x = np.indices(grid.shape)
    world = np.stack([z, y, x, np.ones_like(z)], axis=-1) @ grid.affine.T
    centre = grid.affine @ np.array([15, 20, 25, 1.0])
    ball = (np.linalg.norm((world - centre)[..., :3], axis=-1) < 12).astype(np.uint8)
    fine = Grid((60, 60, 60), (1.0, 1.0, 1.0), (centre[0] - 30, centre[1] - 30, centre[2] - 30))
    there = lattice.nearest(ball, grid, fine)
    assert abs(there.sum() * fine.voxel_ml / (ball.sum() * grid.voxel_ml) - 1) < 0.02
    np.testing.assert_allclose(np.argwhere(there).mean(axis=0), [30, 30, 30], atol=0.2)
    back = lattice.nearest(there, fine, grid)
    assert 2 * (back & ball).sum() / (back.sum() + ball.sum()) > 0.95


@pytest.mark.parametrize("order", list(permutations(range(3))))
@pytest.mark.parametrize("signs", list(product((-1.0, 1.0), repeat=3)))
def test_a_file_on_another_grid_keeps_its_axes(order: tuple[int, ...], signs: tuple[float, ...]) -> None:
    """The space of a file on its own grid is its own; on a larger one it has that grid and the same orientation."""
    affine = np.eye(4)
    affine[:3, :3] = np.eye(3)[:, order] * signs * [2.0, 3.0, 4.0]
    affine[:3, 3] = (-7, 8, 9)
    space = FileSpace((5, 6, 7), tuple(affine.ravel()), "uint8", (2.0, 3.0, 4.0))
    assert lattice.filed_on(space, space.grid) == space
    larger = part(space.grid, (-1, -2, -3), (11, 12, 13))
    filed = lattice.filed_on(space, larger)
    assert filed.orientation == space.orientation
    assert filed.grid.shape == larger.shape
    assert filed.grid.distance(larger) < 1e-9
    assert filed.pixdim == space.pixdim
