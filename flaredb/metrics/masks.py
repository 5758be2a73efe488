"""Pairs of masks: the same lattice, and the box that holds them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from flaredb.errors import Finding, InvalidDataError
from flaredb.geometry import Box

Mask = NDArray[np.bool_]


def require_same_lattice(reference: NDArray[Any], prediction: NDArray[Any]) -> None:
    """Raise `InvalidDataError` unless both are three-dimensional arrays of one shape."""
    if reference.ndim == 3 and reference.shape == prediction.shape:
        return
    message = f"the prediction's shape {prediction.shape} is not the reference's three-axis {reference.shape}"
    if reference.ndim != 3:
        message = f"scores need arrays of three axes, not of shape {reference.shape}"
    raise InvalidDataError(message, [Finding("error", None, "score-shape", message)])


def bounding_box(mask: Mask) -> Box | None:
    """The smallest box that holds every True voxel of a three-dimensional mask; None if there is none."""
    box = [slice(None), slice(None), slice(None)]
    for axis in range(3):
        others = tuple(other for other in range(3) if other != axis)
        filled = np.flatnonzero(mask[tuple(box)].any(axis=others))
        if filled.size == 0:
            return None
        box[axis] = slice(int(filled[0]), int(filled[-1]) + 1)
    return box[0], box[1], box[2]


def slow_to_fast(array: NDArray[Any]) -> tuple[int, int, int]:
    """The axes of a three-dimensional array from the one with the longest stride in memory to the shortest.

    Work along the last of them is several times faster; files are stored in (x, y, z) with x the shortest.
    """
    first, second, third = sorted(range(3), key=lambda axis: -abs(array.strides[axis]))
    return first, second, third


def common_box(first: Box, second: Box) -> Box:
    """The smallest box that holds two boxes whose slices have both ends."""
    first_axis, second_axis, third_axis = (
        slice(min(one.start, two.start), max(one.stop, two.stop)) for one, two in zip(first, second, strict=True)
    )
    return first_axis, second_axis, third_axis
