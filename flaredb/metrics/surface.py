"""Normalised surface distance (NSD): the share of two surfaces that lies within a tolerance of the other.

The surface is DeepMind's: elements sit where eight voxels meet, the pattern of the eight (the neighbour code) says
how large the element is, and its weight is the area of its marching-cubes normals. See Nikolov et al., "Deep
learning to achieve clinically applicable segmentation of head and neck anatomy", arXiv:1809.04430, and
https://github.com/google-deepmind/surface-distance, whose table of normals is used from the package itself.

Most elements have the other surface close by. So the nearest places are looked up one after the other, for those
elements alone that have not met it yet; a distance transform is made only around what is left of them.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import edt
import numpy as np
from numpy.typing import NDArray
from surface_distance import lookup_tables

from flaredb.geometry import Box, Triple
from flaredb.metrics.masks import Mask, bounding_box, common_box, require_same_lattice, slow_to_fast

_NEAR = 600  # places looked up one by one; beyond them a distance transform is cheaper
_DOUBT_MM = 0.01  # edt is float32: off by at most 0.0001 mm from scipy when measured; a hundredfold margin
_SHIFTS = (4, 2, 1)  # bits of the neighbour code that the two sides of an axis are apart


class Surface(NamedTuple):
    """Surface elements of two masks on one lattice, axes from slow to fast, and the spacing in that order, mm.

    `codes` are neighbour codes, 0 and 255 where there is no surface; `areas` mm² by code.
    """

    ours: NDArray[np.uint8]
    theirs: NDArray[np.uint8]
    areas: NDArray[np.float64]
    spacing: Triple


def surface_dice(reference: Mask, prediction: Mask, spacing: Triple, tolerance_mm: float) -> float:
    """Surface Dice (NSD) of two masks at a tolerance, between 0 and 1.

    Both masks are boolean and of one three-dimensional shape; `spacing` is the voxel size in mm in the same axis
    order. NSD = (area of the reference's surface within the tolerance of the prediction's + the reverse) / both
    areas; a distance equal to the tolerance is within it. Two empty masks agree (1.0), one empty mask gives 0.0.
    Raises `InvalidDataError` when the shapes differ.
    """
    require_same_lattice(reference, prediction)
    reference_box, prediction_box = bounding_box(reference), bounding_box(prediction)
    if reference_box is None or prediction_box is None:
        return 1.0 if reference_box is prediction_box else 0.0
    box = common_box(reference_box, prediction_box)
    pair = surfaces(reference[box], prediction[box], spacing)
    ours, theirs = is_surface(pair.ours), is_surface(pair.theirs)
    our_areas, their_areas = pair.areas[pair.ours[ours]], pair.areas[pair.theirs[theirs]]
    near = our_areas[_within(ours, theirs, pair.spacing, tolerance_mm)].sum()
    near += their_areas[_within(theirs, ours, pair.spacing, tolerance_mm)].sum()
    return float(near / (our_areas.sum() + their_areas.sum()))


def surfaces(reference: Mask, prediction: Mask, spacing: Triple) -> Surface:
    """The surface elements of two masks of one shape, as they lie in memory."""
    axes = slow_to_fast(reference)
    first, second, third = (spacing[axis] for axis in axes)
    shifts = tuple(_SHIFTS[axis] for axis in axes)
    return Surface(
        _neighbour_codes(reference.transpose(axes), shifts),
        _neighbour_codes(prediction.transpose(axes), shifts),
        _element_areas(spacing),
        (first, second, third),
    )


def is_surface(codes: NDArray[np.uint8]) -> Mask:
    """Where some but not all of the eight voxels are set."""
    surface: Mask = (codes + np.uint8(1)) > 1  # 255 turns to 0
    return surface


def _neighbour_codes(mask: Mask, shifts: tuple[int, ...] = _SHIFTS) -> NDArray[np.uint8]:
    """Which of the eight voxels that meet at a corner are set, one bit each; each axis one longer than the mask's.

    The bits are those of the 2×2×2 kernel [[[128, 64], [32, 16]], [[8, 4], [2, 1]]], built axis by axis; corner i
    sees voxels i-1 and i, and there is nothing outside the mask. `shifts` says which axis of the kernel each axis of
    the mask is. The result is C-contiguous.
    """
    first, second, third = (np.uint8(shift) for shift in shifts)
    bits = np.zeros([n + 2 for n in mask.shape], np.uint8)
    bits[1:-1, 1:-1, 1:-1] = mask
    bits = (bits[:, :, :-1] << third) | bits[:, :, 1:]
    bits = (bits[:, :-1] << second) | bits[:, 1:]
    return (bits[:-1] << first) | bits[1:]


@lru_cache(maxsize=64)
def _element_areas(spacing: Triple) -> NDArray[np.float64]:
    """Area in mm² of the surface element of each of the 256 neighbour codes."""
    areas: NDArray[np.float64] = lookup_tables.create_table_neighbour_code_to_surface_area(spacing)
    areas.flags.writeable = False  # because the cache hands out this very array
    return areas


def _within(surface: Mask, target: Mask, spacing: Triple, tolerance_mm: float) -> Mask:
    """For each True of `surface`, in C order: is a True of `target` at most the tolerance away?"""
    near_mm = min(tolerance_mm, float(np.cbrt(_NEAR * np.prod(spacing) * 3 / (4 * np.pi))))
    points = np.flatnonzero(surface)
    left = _unmet(points, surface.shape, target, _offsets(surface.shape, spacing, near_mm))
    within = np.ones(len(points), bool)
    within[left] = False
    if left.size and near_mm < tolerance_mm:
        places = np.stack(np.unravel_index(points[left], surface.shape), 1)
        within[left] = _farther(places, target, spacing, tolerance_mm)
    return within


def _unmet(
    points: NDArray[np.intp], shape: tuple[int, ...], target: Mask, offsets: NDArray[np.intp]
) -> NDArray[np.intp]:
    """Which of the points, flat indices into `shape`, meet no True of `target` at any of the offsets, nearest first."""
    reach = np.abs(offsets).max(axis=0)
    padded = np.pad(target, [(int(n), int(n)) for n in reach])
    flat, strides = padded.ravel(), np.asarray(padded.strides)
    here = (np.stack(np.unravel_index(points, shape), 1) + reach) @ strides
    left = np.arange(len(points))
    for step in offsets @ strides:
        missed = ~flat[here + step]
        left, here = left[missed], here[missed]
        if not left.size:
            break
    return left


def _offsets(shape: tuple[int, ...], spacing: Triple, most_mm: float, least_mm: float = 0.0) -> NDArray[np.intp]:
    """Index offsets, shape (n, 3), whose float64 length is between the two, the shortest first.

    Lengths are computed as scipy.ndimage.distance_transform_edt does, because the official figures come from it.
    None is longer than `shape`, beyond which there is nothing to meet.
    """
    reach = [min(int(most_mm / size) + 1, n) for size, n in zip(spacing, shape, strict=True)]
    offsets: NDArray[np.intp] = np.argwhere(np.ones([2 * n + 1 for n in reach], bool)) - reach
    lengths = np.sqrt(((offsets * np.asarray(spacing)) ** 2).T.sum(axis=0))
    order = np.argsort(lengths, kind="stable")
    chosen = order[(lengths[order] <= most_mm) & (lengths[order] >= least_mm)]
    found: NDArray[np.intp] = offsets[chosen]
    return found


def _farther(points: NDArray[np.intp], target: Mask, spacing: Triple, tolerance_mm: float) -> Mask:
    """Which of the points, shape (n, 3), have a True of `target` at most the tolerance away, however far that is.

    The fast float32 distances, made around the points alone, decide all but those so near the tolerance that rounding
    could move them, often a whole slice at once; these are looked up exactly.
    """
    box, begin = _around(points, target.shape, spacing, tolerance_mm)
    inside, moved = np.ascontiguousarray(target[box]), points - begin
    if not inside.any():
        return np.zeros(len(points), bool)
    distances = edt.edt(~inside, anisotropy=spacing)[tuple(moved.T)]
    within: Mask = distances <= tolerance_mm
    doubtful = np.flatnonzero(np.abs(distances - tolerance_mm) < _DOUBT_MM)
    if doubtful.size:
        ring = _offsets(inside.shape, spacing, tolerance_mm, tolerance_mm - 2 * _DOUBT_MM)
        within[doubtful] = _hits(moved[doubtful], inside, ring)
    return within


def _around(
    points: NDArray[np.intp], shape: tuple[int, ...], spacing: Triple, distance_mm: float
) -> tuple[Box, NDArray[np.intp]]:
    """The box that holds the points and all that is within a distance of them, and where it begins."""
    reach = np.array([int(distance_mm / size) + 1 for size in spacing])
    low = np.maximum(points.min(axis=0) - reach, 0)
    high = np.minimum(points.max(axis=0) + reach + 1, shape)
    first, second, third = (slice(int(start), int(stop)) for start, stop in zip(low, high, strict=True))
    return (first, second, third), low


def _hits(points: NDArray[np.intp], target: Mask, offsets: NDArray[np.intp]) -> Mask:
    """Which of the points, shape (n, 3), meet a True of `target` when moved by any of the offsets."""
    found = np.zeros(len(points), bool)
    for offset in offsets:
        moved = points + offset
        inside = ((moved >= 0) & (moved < target.shape)).all(axis=1)
        found[inside] |= target[tuple(moved[inside].T)]
    return found
