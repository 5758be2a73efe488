from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from surface_distance import lookup_tables

from flaredb.errors import InvalidDataError
from flaredb.metrics import dice, surface, surface_dice
from tests.metrics.plain import package_surface_dice

SIZES = [0.4, 0.5, 0.7, 0.8, 1.0, 1.5, 2.0, 2.5, 3.0, 5.0]


def voxel(shape, *index):
    mask = np.zeros(shape, bool)
    mask[index] = True
    return mask


def ball(shape, centre, squared_radius):
    return sum((n - c) ** 2 for n, c in zip(np.indices(shape), centre, strict=True)) <= squared_radius


def slab(shape, stop):
    mask = np.zeros(shape, bool)
    mask[:stop] = True
    return mask


VOXELS = (voxel((128, 128, 128), 50, 60, 70), voxel((128, 128, 128), 50, 60, 72), (3, 2, 1))
SLABS = (slab((100, 100, 100), 50), slab((100, 100, 100), 51), (2, 1, 1))
BALLS = (ball((40, 40, 40), (18, 20, 20), 100), ball((40, 40, 40), (21, 20, 20), 100), (0.8, 0.8, 2.5))


@pytest.mark.parametrize(
    ("pair", "tolerance_mm", "nsd", "dsc"),
    [
        (VOXELS, 1, 0.5, 0.0),
        (VOXELS, 2, 1.0, 0.0),
        (SLABS, 1, 0.8361450084979621, 0.9900990099009901),
        (SLABS, 2, 1.0, 0.9900990099009901),
        (BALLS, 1, 0.4548857672793528, 0.7776445190693212),
        (BALLS, 2, 0.8727665476531411, 0.7776445190693212),
        (BALLS, 3, 1.0, 0.7776445190693212),
    ],
)
def test_golden_values(pair, tolerance_mm, nsd, dsc):
    """NSD and DSC are those of the official code on the pairs of the golden table."""
    reference, prediction, spacing = pair
    assert surface_dice(reference, prediction, spacing, tolerance_mm) == pytest.approx(nsd, abs=1e-13)
    assert dice(reference, prediction) == dsc


@st.composite
def mask_pairs(draw):
    """Two small non-empty masks: noise, or a block and the same block moved; C or Fortran order."""
    shape = draw(st.tuples(*[st.integers(1, 9)] * 3))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    reference, prediction = (random.random(shape) < draw(st.sampled_from([0.05, 0.3, 0.9])) for _ in range(2))
    if draw(st.booleans()):
        reference = ball(shape, [n // 2 for n in shape], draw(st.integers(0, 16)))
        prediction = np.roll(reference, draw(st.integers(-4, 4)), axis=draw(st.integers(0, 2)))
    reference[tuple(n // 2 for n in shape)] = True
    prediction[tuple(n // 3 for n in shape)] = True
    return (reference, np.asfortranarray(prediction)) if draw(st.booleans()) else (reference, prediction)


@settings(max_examples=300, deadline=None)
@given(
    pair=mask_pairs(),
    spacing=st.tuples(*[st.sampled_from(SIZES)] * 3),
    header=st.booleans(),
    tolerance_mm=st.sampled_from([1, 2, 3, 5, 7, 2.4, 2.5]),
    near=st.sampled_from([1, 20, surface._NEAR]),
)
def test_same_as_the_package(pair, spacing, header, tolerance_mm, near):
    """NSD is that of DeepMind's package, for spacings that divide the tolerance too, float32 or not.

    It is so however few places are looked up before a distance transform is made.
    """
    size = tuple(float(np.float32(n)) for n in spacing) if header else spacing
    expected = package_surface_dice(*pair, size, tolerance_mm)
    with patch.object(surface, "_NEAR", near):
        assert surface_dice(*pair, size, tolerance_mm) == pytest.approx(expected, abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(tolerance_mm=st.sampled_from([2, 3, 5]), ulps=st.integers(-3, 3), swap=st.booleans())
@example(tolerance_mm=2, ulps=0, swap=False)
@example(tolerance_mm=2, ulps=1, swap=False)
def test_slice_distance_at_the_tolerance(tolerance_mm, ulps, swap):
    """A slice distance equal to the tolerance is within it; a float32 step more is not."""
    size = np.float32(tolerance_mm)
    for _ in range(abs(ulps)):
        size = np.nextafter(size, np.float32(np.inf if ulps > 0 else 0))
    low, high = np.zeros((2, 12, 12, 6), bool)
    low[3:9, 3:9, 1:3] = True
    high[3:9, 3:9, 1:4] = True
    pair = (high, low) if swap else (low, high)
    nsd = surface_dice(*pair, (0.8, 0.8, float(size)), tolerance_mm)
    with patch.object(surface, "_NEAR", 1):
        assert surface_dice(*pair, (0.8, 0.8, float(size)), tolerance_mm) == nsd
    assert nsd == pytest.approx(package_surface_dice(*pair, (0.8, 0.8, float(size)), tolerance_mm), abs=1e-12)
    assert (nsd == 1.0) == (ulps <= 0)


@settings(max_examples=50, deadline=None)
@given(pair=mask_pairs(), spacing=st.tuples(*[st.sampled_from(SIZES)] * 3))
def test_symmetric_and_bounded(pair, spacing):
    """Swapping the masks changes nothing, a mask agrees fully with itself, and NSD lies in [0, 1]."""
    reference, prediction = pair
    there = surface_dice(reference, prediction, spacing, 2)
    assert there == pytest.approx(surface_dice(prediction, reference, spacing, 2), abs=1e-12)
    assert 0.0 <= there <= 1.0
    assert surface_dice(reference, reference, spacing, 1) == 1.0


def test_far_apart_in_a_large_field():
    """Two voxels farther apart than the tolerance share nothing, however far they are."""
    near, far = voxel((200, 40, 300), 0, 0, 0), voxel((200, 40, 300), 199, 39, 299)
    assert surface_dice(near, far, (0.7, 0.7, 5.0), 7) == 0.0


def test_memory_order_changes_nothing():
    """The figure is that of the axes as named, in whatever order or direction they lie in memory."""
    random = np.random.default_rng(5)
    reference, prediction = (random.random((7, 9, 8)) < 0.4 for _ in range(2))
    expected = surface_dice(reference, prediction, (0.7, 1.3, 2.5), 2)
    for axes in ((2, 1, 0), (1, 2, 0), (0, 2, 1)):
        laid = [np.ascontiguousarray(m.transpose(axes)).transpose(np.argsort(axes)) for m in (reference, prediction)]
        assert surface_dice(*laid, (0.7, 1.3, 2.5), 2) == expected
    backwards = [np.ascontiguousarray(m[:, ::-1])[:, ::-1] for m in (reference, prediction)]
    assert surface_dice(*backwards, (0.7, 1.3, 2.5), 2) == expected


def test_nothing_on_both_sides():
    """Two empty masks agree fully, one empty mask not at all."""
    empty, one = np.zeros((4, 4, 4), bool), voxel((4, 4, 4), 1, 1, 1)
    assert surface_dice(empty, empty, (1, 1, 1), 1) == 1.0
    assert surface_dice(one, empty, (1, 1, 1), 1) == 0.0
    assert surface_dice(empty, one, (1, 1, 1), 1) == 0.0


def test_shapes_must_match():
    """A prediction of another shape is refused."""
    with pytest.raises(InvalidDataError):
        surface_dice(np.ones((2, 2, 2), bool), np.ones((2, 2, 1), bool), (1, 1, 1), 1)


def test_neighbour_codes_follow_the_kernel():
    """The code of a corner is the correlation with the package's kernel: a lone voxel shows each bit once."""
    codes = surface._neighbour_codes(np.ones((1, 1, 1), bool))
    assert np.array_equal(codes, lookup_tables.ENCODE_NEIGHBOURHOOD_3D_KERNEL[::-1, ::-1, ::-1])


def test_nothing_is_met_outside_the_box():
    """A move beyond the first or last index meets nothing, rather than the far side of the array."""
    target = voxel((4, 1, 1), 3, 0, 0) | voxel((4, 1, 1), 0, 0, 0)
    points = np.array([[0, 0, 0], [3, 0, 0]])
    assert not surface._hits(points, target, np.array([[-1, 0, 0], [1, 0, 0]])).any()
