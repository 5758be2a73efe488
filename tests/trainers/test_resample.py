"""Resampling: identity, ramps, turns, what is read, and that nothing aliases."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from flaredb.trainers.resample import (
    Frame,
    coordinates,
    make_cut,
    make_frame,
    resized_shape,
    rotation,
    sample_codes,
    sample_image,
)
from flaredb.trainers.warp import Elastic, Warp, displacement, make_warp

CPU = torch.device("cpu")
SHAPE = (7, 9, 8)


def ramp(shape=SHAPE):
    """2z + 3y - 5x + 1: linear interpolation gives its value anywhere inside."""
    z, y, x = torch.meshgrid(*(torch.arange(n, dtype=torch.float32) for n in shape), indexing="ij")
    return 2 * z + 3 * y - 5 * x + 1


def cut_out(array: torch.Tensor, frame: Frame) -> torch.Tensor:
    """The patch of a frame, from the box of it that is read."""
    cut = make_cut(frame, tuple(array.shape))
    return sample_image(array[cut.image], cut)


def nearest(array: torch.Tensor, frame: Frame) -> tuple[torch.Tensor, torch.Tensor]:
    """The nearest voxels of a frame, from the box that is read, and which of them are inside."""
    cut = make_cut(frame, tuple(array.shape))
    (codes,), inside = sample_codes([array[cut.label].contiguous()], cut)
    return codes, torch.ones(frame.patch, dtype=torch.bool) if inside is None else inside


def test_the_identity_changes_nothing():
    """A patch of the scan's own size and spacing is the scan."""
    array = torch.randn(SHAPE, generator=torch.Generator().manual_seed(0))
    frame = make_frame((np.asarray(SHAPE) - 1) / 2, (1, 1, 1), (1, 1, 1), SHAPE)
    torch.testing.assert_close(cut_out(array, frame), array, atol=1e-5, rtol=0)
    codes, inside = nearest(array, frame)
    assert torch.equal(codes, array)
    assert inside.all()


@given(
    angles=st.tuples(*[st.floats(-0.6, 0.6)] * 3),
    spacing=st.tuples(*[st.floats(0.7, 4)] * 3),
    shift=st.tuples(*[st.floats(-1, 1)] * 3),
)
def test_a_ramp_is_exact_under_any_turn(angles, spacing, shift):
    """Rotated, scaled and moved, a linear ramp keeps its exact values inside the scan."""
    array = ramp((21, 20, 22))
    frame = make_frame(
        np.array([10.0, 9.5, 10.5]) + shift, spacing, (1.0, 1.2, 0.9), (4, 5, 6), rotation(np.array(angles))
    )
    steps = np.stack(np.meshgrid(*(np.arange(n) - (n - 1) / 2 for n in frame.patch), indexing="ij")).reshape(3, -1)
    z, y, x = (frame.matrix @ steps + frame.centre[:, None]).reshape(3, *frame.patch)
    inside = (z > 0) & (z < 20) & (y > 0) & (y < 19) & (x > 0) & (x < 21)
    np.testing.assert_allclose(cut_out(array, frame).numpy()[inside], (2 * z + 3 * y - 5 * x + 1)[inside], atol=2e-3)


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
def test_the_boxes_are_enough(centre, angles, size):
    """Reading only the boxes gives what reading the whole scan gives, inside and outside."""
    array = torch.randn(SHAPE, generator=torch.Generator().manual_seed(1))
    frame = make_frame(np.array(centre), (1, 2, 1.5), (size,) * 3, (4, 5, 3), rotation(np.array(angles)))
    cut = make_cut(frame, SHAPE)
    everything = (slice(0, SHAPE[0]), slice(0, SHAPE[1]), slice(0, SHAPE[2]))
    at = coordinates(frame, everything, CPU)
    whole = cut._replace(image=everything, label=everything)
    torch.testing.assert_close(sample_image(array[cut.image], cut), sample_image(array, whole), atol=1e-4, rtol=0)
    (codes,), known = sample_codes([array], whole)
    own, inside = nearest(array, frame)
    close = (at - at.round()).abs().sub(0.5).abs().min(0).values > 1e-4  # not where float decides the rounding
    assert torch.equal(inside[close], (inside if known is None else known)[close])
    assert torch.equal(own[close], codes[close])
    size_of = torch.tensor(SHAPE).reshape(3, 1, 1, 1)
    assert torch.equal(inside[close], ((at.round() >= 0) & (at.round() < size_of)).all(0)[close])


def test_outside_is_marked():
    """Far outside, nothing is inside, and the last voxel goes on."""
    frame = make_frame(np.array([100.0, 4, 4]), (1, 1, 1), (1, 1, 1), (2, 2, 2))
    assert torch.equal(cut_out(ramp(), frame)[0], cut_out(ramp(), frame)[1])
    assert not nearest(ramp(), frame)[1].any()


def test_spacing_scales():
    """At half the spacing a patch covers half the extent: neighbours are half a native voxel apart."""
    frame = make_frame(np.array([3.0, 4.0, 4.0]), (2, 2, 2), (1, 1, 1), (3, 3, 3))
    linear = cut_out(ramp(), frame)
    assert float(linear[2, 1, 1] - linear[0, 1, 1]) == pytest.approx(2.0)
    assert float(linear[1, 2, 1] - linear[1, 0, 1]) == pytest.approx(3.0)
    assert float(linear[1, 1, 2] - linear[1, 1, 0]) == pytest.approx(-5.0)


def test_resized_shape_covers_the_extent():
    """Voxels times spacing stay as near as they can, and never less than one voxel."""
    assert resized_shape((100, 512, 512), (2.5, 0.8, 0.8), (5.0, 1.6, 1.6)) == (50, 256, 256)
    assert resized_shape((1, 1, 1), (0.1, 0.1, 0.1), (10, 10, 10)) == (1, 1, 1)


def still(frame: Frame) -> Frame:
    """The same frame by the general way: with a deformation that moves nothing."""
    return frame._replace(warp=Warp(np.zeros((3, 8, 8, 8), np.float32), (4.0, 4.0, 4.0)))


frames = st.builds(
    lambda centre, spacing, signs, patch: make_frame(
        np.array(centre), (1.0, 1.0, 1.0), spacing, patch, np.diag(np.array(signs, float))
    ),
    centre=st.tuples(*[st.floats(-6, 30)] * 3),
    spacing=st.tuples(*[st.floats(0.3, 6)] * 3),
    signs=st.tuples(*[st.sampled_from([1, -1])] * 3),
    patch=st.tuples(*[st.integers(1, 7)] * 3),
)
turned_in_plane = st.builds(
    lambda frame, angle: frame._replace(matrix=rotation(np.array([angle, 0, 0])) @ frame.matrix),
    frame=frames,
    angle=st.floats(-3.2, 3.2).filter(lambda angle: abs(np.sin(2 * angle)) > 1e-3),
)
shapes = st.tuples(*[st.integers(1, 24)] * 3)


@given(frame=frames | turned_in_plane, shape=shapes)
def test_the_fast_ways_are_the_general_one(frame, shape):
    """Axis by axis, slice by slice or all at once: images within 1e-4, the same labels, the same inside, whatever is
    averaged."""
    random = np.random.default_rng(0)
    array = torch.as_tensor(random.random(shape), dtype=torch.float32)
    codes = torch.as_tensor(random.integers(0, 200, shape).astype(np.uint8))
    fast, general = make_cut(frame, shape), make_cut(still(frame), shape)
    assert frame.level
    assert frame.plain != bool(frame.matrix[1, 2])
    assert not still(frame).level
    assert fast[1:] == general[1:]
    one, other = (sample_image(array[cut.image], cut) for cut in (fast, general))
    torch.testing.assert_close(one, other, atol=1e-4, rtol=0)
    (near,), inside = sample_codes([codes[fast.label]], fast)
    (far,), known = sample_codes([codes[fast.label]], general)
    everywhere = torch.ones(frame.patch, dtype=torch.bool)
    clear = ((coordinates(frame, fast.label, CPU) % 1 - 0.5).abs() > 1e-4).all(0)  # not where float32 decides
    clear &= everywhere if inside is None else inside
    assert torch.equal(near[clear], far[clear])
    if not torch.equal(inside if inside is not None else everywhere, known if known is not None else everywhere):
        at = np.stack([coordinates(frame, (slice(0), slice(0), slice(0)), CPU).numpy()[axis] for axis in range(3)])
        assert (np.abs(at % 1 - 0.5) < 1e-4).any()


@given(frame=frames, shape=shapes)
def test_no_voxel_is_read_without_need(frame, shape):
    """Along each axis the box begins and ends with voxels that the patch's first and last are interpolated from."""
    cut = make_cut(frame, shape)
    for axis, (read, size, pool) in enumerate(zip(cut.image, shape, cut.pool, strict=True)):
        steps = np.arange(frame.patch[axis]) - (frame.patch[axis] - 1) / 2
        at = frame.centre[axis] + frame.matrix[axis, axis] * steps
        first, last = np.clip([np.floor(at.min() + 1e-6), np.ceil(at.max() - 1e-6)], 0, size - 1)
        spare = 0 if pool == 1 else 2 * pool  # averages are over whole windows
        assert first - spare <= read.start <= first
        assert max(first, last) + 1 <= read.stop <= max(first, last) + 1 + spare
        assert cut.label[axis].start >= first
        assert cut.label[axis].stop <= max(first, last) + 1


@pytest.mark.parametrize("pool", [2, 3, 4, 5, 8])
@pytest.mark.parametrize("turn", [0.0, 0.2])
def test_thin_slices_do_not_alias(pool, turn):
    """What alternates from slice to slice vanishes when slices are averaged; what is even everywhere stays."""
    array = torch.ones((16 * pool, 12, 12)) * 3
    array[::2] += 1
    array[1::2] -= 1
    centre = (np.asarray(array.shape) - 1) / 2 + 0.23
    angles = np.array([turn, 0, 0])
    frame = make_frame(centre, (0.5, 1, 1), (0.5 * pool, 1, 1), (9, 7, 7), rotation(angles))
    assert make_cut(frame, tuple(array.shape)).pool == (pool, 1, 1)
    torch.testing.assert_close(cut_out(array, frame), torch.full((9, 7, 7), 3.0), atol=1e-4, rtol=0)


def test_a_tilt_does_not_blur_planes():
    """Thick patch slices over thin pixels: averaged along z alone, tilted or not, until z is another axis."""
    cuts = [
        make_cut(
            make_frame(np.full(3, 50.0), (0.8, 0.6, 0.6), (4, 0.8, 0.8), (5, 5, 5), rotation(np.array(a))), (99,) * 3
        )
        for a in ([0, 0, 0], [0.1, 0.6, 0.5], [0, 0, np.pi / 2])
    ]
    assert [cut.pool for cut in cuts] == [(5, 1, 1), (5, 1, 1), (1, 6, 1)]


@given(
    where=st.tuples(*[st.floats(-3, 3)] * 3),
    target=st.tuples(st.floats(1.0, 6), st.floats(1.0, 3), st.floats(1.0, 3)),
    turn=st.sampled_from([(0, 0, 0), (0.3, 0.0, 0.0), (0.2, -0.3, 0.1)]),
)
def test_averaging_does_not_move_anything(where, target, turn):
    """A soft spot keeps its centre of mass to a tenth of a patch voxel, at any spacing and turn."""
    shape = (64, 48, 48)
    place = (np.asarray(shape) - 1) / 2 + np.asarray(where)
    axes = np.meshgrid(*(np.arange(n) - p for n, p in zip(shape, place, strict=True)), indexing="ij")
    spot = torch.as_tensor(np.exp(-sum(a**2 for a in axes) / 2 / 4.5**2), dtype=torch.float32)
    patch = tuple(int(48 / t) | 1 for t in target)
    frame = make_frame((np.asarray(shape) - 1) / 2, (1, 1, 1), target, patch, rotation(np.array(turn, float)))
    made = cut_out(spot, frame).numpy()
    found = np.array([(np.indices(patch)[axis] * made).sum() / made.sum() for axis in range(3)])
    expected = np.linalg.solve(frame.matrix, place - frame.centre) + (np.asarray(patch) - 1) / 2
    np.testing.assert_allclose(found, expected, atol=0.1)


@given(
    angles=st.tuples(*[st.floats(-0.8, 0.8)] * 3),
    centre=st.tuples(st.floats(0, 9), st.floats(0, 40), st.floats(0, 40)),
    seed=st.integers(0, 9),
)
def test_thick_slices_turned_and_deformed(angles, centre, seed):
    """At 8 mm slices, turned and deformed, at any place of the scan: nearest codes are those the frame points at."""
    shape = (10, 41, 41)
    codes = torch.as_tensor(np.arange(np.prod(shape)).reshape(shape).astype(np.int32))
    warp = make_warp(Elastic(seed, 4.0, 12.0), (2.5, 0.8, 0.8), (6, 9, 7))
    frame = make_frame(np.array(centre), (8.0, 0.8, 0.8), (2.5, 0.8, 0.8), (6, 9, 7), rotation(np.array(angles)), warp)
    cut = make_cut(frame, shape)
    (patch,), inside = sample_codes([codes[cut.label]], cut)
    at = frame.locate(np.indices(frame.patch).reshape(3, -1).T.astype(float))
    clear = (np.abs(at % 1 - 0.5) > 1e-3).all(1)
    nearest = np.rint(at).astype(int)
    known = ((nearest >= 0) & (nearest < shape)).all(1)
    told = np.ones(len(at), bool) if inside is None else inside.numpy().ravel()
    np.testing.assert_array_equal(told[clear], known[clear])
    both = clear & known
    np.testing.assert_array_equal(patch.numpy().ravel()[both], codes.numpy()[tuple(nearest[both].T)])


@given(seed=st.integers(0, 1 << 62), far=st.floats(0, 16), patch=st.tuples(*[st.integers(1, 30)] * 3))
def test_a_deformation_is_smooth_and_bounded(seed, far, patch):
    """No voxel moves further than drawn, none overtakes its neighbour, and both ways of working it out agree."""
    warp = make_warp(Elastic(seed, far, 40.0), (2.5, 2.0, 3.0), patch)
    moved = displacement(warp, patch, CPU).numpy()
    assert (np.abs(moved).max((1, 2, 3)) * (2.5, 2.0, 3.0) <= far + 1e-4).all()
    places = np.indices(patch).reshape(3, -1).T.astype(float)
    np.testing.assert_allclose(warp.at(places), moved.reshape(3, -1).T, atol=1e-4)
    for axis, size in enumerate(patch):
        if size > 1:
            assert (np.diff(moved[axis], axis=axis) > -1).all()
    again = make_warp(Elastic(seed, far, 40.0), (2.5, 2.0, 3.0), patch)
    assert np.array_equal(again.controls, warp.controls)
