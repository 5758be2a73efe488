"""Resampling: identity, ramps, turns, and that slabs leave no seam."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from flaredb.trainers.resample import (
    coordinates,
    make_frame,
    native_box,
    resize_planes,
    resize_slices,
    resized_shape,
    rotation,
    sample_linear,
    sample_nearest,
)

CPU = torch.device("cpu")
SHAPE = (7, 9, 8)


def ramp(shape=SHAPE):
    """2z + 3y - 5x + 1: linear interpolation gives its value anywhere inside."""
    z, y, x = torch.meshgrid(*(torch.arange(n, dtype=torch.float32) for n in shape), indexing="ij")
    return 2 * z + 3 * y - 5 * x + 1


def patch(array, frame):
    """The patch a frame cuts out of an array, read through its native box as the feed does."""
    box = native_box(frame, tuple(array.shape))
    at = coordinates(frame, box, CPU)
    return sample_linear(array[box], at), sample_nearest(array[box], at)


def test_the_identity_changes_nothing():
    """A patch of the scan's own size and spacing is the scan."""
    array = torch.randn(SHAPE, generator=torch.Generator().manual_seed(0))
    centre = (np.asarray(SHAPE) - 1) / 2
    linear, (nearest, inside) = patch(array, make_frame(centre, (1, 1, 1), (1, 1, 1), SHAPE))
    torch.testing.assert_close(linear, array, atol=1e-5, rtol=0)
    assert torch.equal(nearest, array)
    assert inside.all()


@given(
    angles=st.tuples(*[st.floats(-0.6, 0.6)] * 3),
    spacing=st.tuples(*[st.floats(0.5, 4)] * 3),
    shift=st.tuples(*[st.floats(-1, 1)] * 3),
)
def test_a_ramp_is_exact_under_any_turn(angles, spacing, shift):
    """Rotated, scaled and moved, a linear ramp keeps its exact values inside the scan."""
    array = ramp((21, 20, 22))
    frame = make_frame(
        np.array([10.0, 9.5, 10.5]) + shift, spacing, (1.0, 1.2, 0.9), (4, 5, 6), rotation(np.array(angles))
    )
    linear, _ = patch(array, frame)
    steps = np.stack(np.meshgrid(*(np.arange(n) - (n - 1) / 2 for n in frame.patch), indexing="ij")).reshape(3, -1)
    z, y, x = (frame.matrix @ steps + frame.centre[:, None]).reshape(3, *frame.patch)
    inside = (z > 0) & (z < 20) & (y > 0) & (y < 19) & (x > 0) & (x < 21)
    np.testing.assert_allclose(linear.numpy()[inside], (2 * z + 3 * y - 5 * x + 1)[inside], atol=2e-3)


@given(angles=st.tuples(*[st.floats(-3.2, 3.2)] * 3))
def test_a_rotation_is_one(angles):
    """Any turn keeps lengths and handedness."""
    turn = rotation(np.array(angles))
    np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(turn) == pytest.approx(1)


@given(
    centre=st.tuples(*[st.floats(-3, 12)] * 3),
    angles=st.tuples(*[st.floats(-1, 1)] * 3),
    size=st.floats(0.3, 3),
)
def test_the_native_box_is_enough(centre, angles, size):
    """Reading only the box gives what reading the whole scan gives."""
    array = torch.randn(SHAPE, generator=torch.Generator().manual_seed(1))
    frame = make_frame(np.array(centre), (1, 2, 1.5), (size,) * 3, (4, 5, 3), rotation(np.array(angles)))
    whole = (slice(0, SHAPE[0]), slice(0, SHAPE[1]), slice(0, SHAPE[2]))
    at = coordinates(frame, whole, CPU)
    linear, (nearest, inside) = patch(array, frame)
    wanted, known = sample_nearest(array, at)
    close = (at - at.round()).abs().sub(0.5).abs().min(0).values > 1e-4  # not where float decides the rounding
    assert torch.equal(inside[close], known[close])
    assert torch.equal(nearest[inside & close], wanted[inside & close])
    deep = ((at >= 0) & (at <= torch.tensor(SHAPE).reshape(3, 1, 1, 1) - 1)).all(0)
    torch.testing.assert_close(linear[deep], sample_linear(array, at)[deep], atol=1e-4, rtol=0)


def test_outside_is_zero_and_marked():
    """Far outside the linear value is 0 and the nearest voxel is not inside."""
    frame = make_frame(np.array([100.0, 4, 4]), (1, 1, 1), (1, 1, 1), (2, 2, 2))
    linear, (_, inside) = patch(ramp(), frame)
    assert not linear.any()
    assert not inside.any()


def test_spacing_scales():
    """At half the spacing a patch covers half the extent: neighbours are half a native voxel apart."""
    frame = make_frame(np.array([3.0, 4.0, 4.0]), (2, 2, 2), (1, 1, 1), (3, 3, 3))
    linear, _ = patch(ramp(), frame)
    assert float(linear[2, 1, 1] - linear[0, 1, 1]) == pytest.approx(2.0)
    assert float(linear[1, 2, 1] - linear[1, 0, 1]) == pytest.approx(3.0)
    assert float(linear[1, 1, 2] - linear[1, 1, 0]) == pytest.approx(-5.0)


def test_resizing_to_the_same_size_changes_nothing():
    """Planes and slices resized to their own number are themselves."""
    array = torch.randn(SHAPE, generator=torch.Generator().manual_seed(2))
    torch.testing.assert_close(resize_planes(array, 9, 8), array)
    torch.testing.assert_close(resize_slices(array, 7), array)


@pytest.mark.parametrize("size", [3, 7, 13, 40])
def test_resizing_agrees_with_interpolate(size):
    """Planes then slices are the trilinear interpolation over the same extent."""
    array = torch.randn(SHAPE, generator=torch.Generator().manual_seed(3))
    wanted = torch.nn.functional.interpolate(array[None, None], (size, 11, 5), mode="trilinear")[0, 0]
    torch.testing.assert_close(resize_slices(resize_planes(array, 11, 5), size), wanted, atol=1e-5, rtol=1e-5)


def test_slabs_leave_no_seam():
    """Slices asked for in pieces are those asked for at once, also with leading axes."""
    array = torch.randn((3, *SHAPE), generator=torch.Generator().manual_seed(4))
    whole = resize_slices(array, 29)
    pieces = [resize_slices(array, 29, first, min(8, 29 - first)) for first in range(0, 29, 8)]
    assert torch.equal(torch.cat(pieces, 1), whole)


def test_resized_shape_covers_the_extent():
    """Voxels times spacing stay as near as they can, and never less than one voxel."""
    assert resized_shape((100, 512, 512), (2.5, 0.8, 0.8), (5.0, 1.6, 1.6)) == (50, 256, 256)
    assert resized_shape((1, 1, 1), (0.1, 0.1, 0.1), (10, 10, 10)) == (1, 1, 1)
