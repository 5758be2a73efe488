"""Normalised surface distance (NSD): the share of two surfaces that lies within a tolerance of the other.

The surface is DeepMind's: elements sit where eight voxels meet, the pattern of the eight (the neighbour code) says
how large the element is, and its weight is the area of its marching-cubes normals. See Nikolov et al., "Deep
learning to achieve clinically applicable segmentation of head and neck anatomy", arXiv:1809.04430, and
https://github.com/google-deepmind/surface-distance, whose table of normals is used from the package itself.
"""

from __future__ import annotations

from functools import lru_cache

import edt
import numpy as np
from numpy.typing import NDArray
from surface_distance import lookup_tables

from flaredb.geometry import Triple
from flaredb.metrics.masks import Mask, bounding_box, common_box, require_same_lattice

_DOUBT_MM = 0.01  # edt is float32: off by at most 0.0001 mm from scipy when measured; a hundredfold margin


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
    ours, theirs = _neighbour_codes(reference[box]), _neighbour_codes(prediction[box])
    our_area, our_share = _area_and_share_within(ours, theirs, spacing, tolerance_mm)
    their_area, their_share = _area_and_share_within(theirs, ours, spacing, tolerance_mm)
    return float((our_share + their_share) / (our_area + their_area))


def _neighbour_codes(mask: Mask) -> NDArray[np.uint8]:
    """Which of the eight voxels that meet at a corner are set, one bit each; each axis one longer than the mask's.

    The bits are those of the 2×2×2 kernel [[[128, 64], [32, 16]], [[8, 4], [2, 1]]], built axis by axis; corner i
    sees voxels i-1 and i, and there is nothing outside the mask. The result is C-contiguous.
    """
    bits = np.zeros([n + 2 for n in mask.shape], np.uint8)
    bits[1:-1, 1:-1, 1:-1] = mask
    bits = (bits[:, :, :-1] << np.uint8(1)) | bits[:, :, 1:]
    bits = (bits[:, :-1] << np.uint8(2)) | bits[:, 1:]
    return (bits[:-1] << np.uint8(4)) | bits[1:]


def _is_surface(codes: NDArray[np.uint8]) -> Mask:
    """Where some but not all of the eight voxels are set."""
    surface: Mask = (codes != 0) & (codes != 255)
    return surface


def _area_and_share_within(
    codes: NDArray[np.uint8], other: NDArray[np.uint8], spacing: Triple, tolerance_mm: float
) -> tuple[np.float64, np.float64]:
    """Area of one surface, and of the part within the tolerance of the other surface; both mm²."""
    surface, target = _is_surface(codes), _is_surface(other)
    areas = _element_areas(spacing)[codes[surface]]
    within = target[surface]
    if not within.all():
        within = _within_tolerance(surface, target, spacing, tolerance_mm)
    return areas.sum(), areas[within].sum()


@lru_cache(maxsize=64)
def _element_areas(spacing: Triple) -> NDArray[np.float64]:
    """Area in mm² of the surface element of each of the 256 neighbour codes."""
    areas: NDArray[np.float64] = lookup_tables.create_table_neighbour_code_to_surface_area(spacing)
    areas.flags.writeable = False  # because the cache hands out this very array
    return areas


def _within_tolerance(surface: Mask, target: Mask, spacing: Triple, tolerance_mm: float) -> Mask:
    """For each True of `surface`, in C order: is a True of `target` at most the tolerance away?

    The fast float32 distances decide all but those so near the tolerance that rounding could move them, often a
    whole slice at once where the slice distance equals the tolerance; these are looked up exactly.
    """
    distances = edt.edt(~target, anisotropy=spacing)[surface]
    within: Mask = distances <= tolerance_mm
    doubtful = np.flatnonzero(np.abs(distances - tolerance_mm) < _DOUBT_MM)
    if doubtful.size:
        points = np.argwhere(surface)[doubtful]
        within[doubtful] = _hits(points, target, _offsets_at(spacing, tolerance_mm, target.shape))
    return within


def _offsets_at(spacing: Triple, tolerance_mm: float, shape: tuple[int, ...]) -> NDArray[np.intp]:
    """Index offsets, shape (n, 3), whose float64 length is at most the tolerance and just about equal to it.

    Lengths are computed as scipy.ndimage.distance_transform_edt does, because the official figures come from it.
    None is longer than `shape`, beyond which there is nothing to meet.
    """
    reach = [min(int(tolerance_mm / size) + 1, n) for size, n in zip(spacing, shape, strict=True)]
    offsets: NDArray[np.intp] = np.argwhere(np.ones([2 * n + 1 for n in reach], bool)) - reach
    lengths = np.sqrt(((offsets * np.asarray(spacing)) ** 2).T.sum(axis=0))
    chosen: Mask = (lengths <= tolerance_mm) & (lengths > tolerance_mm - 2 * _DOUBT_MM)
    return offsets[chosen]


def _hits(points: NDArray[np.intp], target: Mask, offsets: NDArray[np.intp]) -> Mask:
    """Which of the points, shape (n, 3), meet a True of `target` when moved by any of the offsets."""
    found = np.zeros(len(points), bool)
    for offset in offsets:
        moved = points + offset
        inside = ((moved >= 0) & (moved < target.shape)).all(axis=1)
        found[inside] |= target[tuple(moved[inside].T)]
    return found
