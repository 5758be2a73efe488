"""Grids and file spaces: every voxel keeps its place in the body, whatever a file's axes."""

from __future__ import annotations

import itertools

import nibabel
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flaredb.geometry import FileSpace, Grid

SIZES = st.tuples(*[st.integers(1, 4)] * 3)
LENGTHS = st.tuples(*[st.floats(0.3, 8)] * 3)
PLACES = st.tuples(*[st.floats(-500, 500)] * 3)
TILTS = st.tuples(*[st.floats(-0.3, 0.3)] * 3)  # radians, so that the nearest axis stays the nearest
TO_RAS = np.array([[0, 0, -1, 0], [0, -1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1.0]])  # from LPS written (z, y, x)


def rotation(angles: tuple[float, float, float]) -> np.ndarray:
    """A rotation about x, then y, then z."""
    turned = np.eye(3)
    for axis, angle in enumerate(angles):
        first, second = [i for i in range(3) if i != axis]
        step = np.eye(3)
        step[first, first] = step[second, second] = np.cos(angle)
        step[first, second], step[second, first] = -np.sin(angle), np.sin(angle)
        turned = step @ turned
    return turned


@st.composite
def spaces(draw: st.DrawFn) -> FileSpace:
    """A file with its axes in any order and direction, a little tilted."""
    axes = np.eye(3)[list(draw(st.permutations(range(3))))] * draw(st.tuples(*[st.sampled_from([-1, 1])] * 3))
    affine = np.eye(4)
    affine[:3, :3] = rotation(draw(TILTS)) @ axes * draw(LENGTHS)
    affine[:3, 3] = draw(PLACES)
    return FileSpace(draw(SIZES), tuple(affine.ravel().tolist()), "int16", (1.0, 1.0, 1.0))


def numbered(space: FileSpace) -> np.ndarray:
    """An array in file order that differs everywhere."""
    return np.arange(np.prod(space.shape)).reshape(space.shape)


@given(spaces())
def test_arrays_go_out_as_they_came_in(space: FileSpace) -> None:
    """`from_lps` undoes `to_lps`, and both only look at the array they are given."""
    array = numbered(space)
    turned = space.to_lps(array)
    assert turned.shape == space.grid.shape
    assert np.shares_memory(turned, array)
    np.testing.assert_array_equal(space.from_lps(turned), array)


@given(spaces())
def test_every_voxel_keeps_its_place(space: FileSpace) -> None:
    """A voxel lies at the same point of the body in the file and on the grid, and axes grow to head, back and left."""
    array, grid = space.to_lps(numbered(space)), space.grid
    for index in itertools.product(*(range(n) for n in space.shape)):
        (place,) = np.argwhere(array == numbered(space)[index])
        in_file = space.matrix @ [*index, 1]
        on_grid = TO_RAS @ grid.affine @ [*place, 1]
        np.testing.assert_allclose(on_grid, in_file, atol=1e-6)
    assert (np.diag(np.asarray(grid.direction)) > 0).all()


@given(spaces())
def test_the_orientation_is_nibabels(space: FileSpace) -> None:
    """Three letters as nibabel and the NIfTI world name them."""
    assert space.orientation == "".join(nibabel.aff2axcodes(space.matrix))


@given(SIZES, LENGTHS, PLACES, TILTS)
def test_a_grid_is_its_affine(shape: tuple, spacing: tuple, origin: tuple, tilt: tuple) -> None:
    """`from_affine` undoes `affine`, and the volume of a voxel is the product of its sides."""
    direction = tuple(tuple(row) for row in rotation(tilt).tolist())
    grid = Grid(shape, spacing, origin, direction)
    again = Grid.from_affine(grid.affine, shape)
    np.testing.assert_allclose(again.affine, grid.affine, atol=1e-9)
    np.testing.assert_allclose(again.spacing, spacing)
    assert grid.voxel_ml == pytest.approx(np.prod(spacing) / 1000)


@given(SIZES, LENGTHS, PLACES, PLACES)
def test_distance_is_how_far_the_farthest_corner_moves(shape: tuple, spacing: tuple, one: tuple, two: tuple) -> None:
    """Nothing for the same grid, the shift for a shifted one, whichever is asked."""
    here, there = Grid(shape, spacing, one), Grid(shape, spacing, two)
    assert here.distance(here) == 0
    assert here.distance(there) == pytest.approx(np.linalg.norm(np.subtract(one, two)), abs=1e-6)
    assert here.distance(there) == pytest.approx(there.distance(here))


def test_distance_grows_with_a_wrong_spacing() -> None:
    """Ten voxels at 1.1 instead of 1 mm end 0.9 mm off."""
    assert Grid((10, 1, 1), (1, 1, 1)).distance(Grid((10, 1, 1), (1.1, 1, 1))) == pytest.approx(0.9)


def test_zeros_have_no_sign() -> None:
    """A flipped axis leaves no -0.0 in a grid, because grids are written down and compared."""
    space = FileSpace((2, 2, 2), tuple(np.diag([1.0, 1.0, 1.0, 1.0]).ravel().tolist()), "int16", (1.0, 1.0, 1.0))
    numbers = [*space.grid.origin, *np.ravel(space.grid.direction)]
    assert not any(np.signbit(number) and number == 0 for number in numbers)
