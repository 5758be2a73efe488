"""How much of every code there is in an array, and where."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import find_objects

from flaredb.geometry import Shape


class Extent(NamedTuple):
    """Voxels of a code, and the first and last index (z, y, x) at which it stands."""

    voxels: int
    first: Shape
    last: Shape


def find_extents(codes: NDArray[np.unsignedinteger]) -> dict[int, Extent]:
    """Code → where it is, for every code but 0 in an array (z, y, x)."""
    values, numbers = _numbered(codes)
    counts = np.sum([np.bincount(plane.ravel(), minlength=len(values)) for plane in numbers], axis=0)
    found = {}
    for number, box in enumerate(find_objects(numbers), start=1):
        if box is not None:
            z, y, x = box
            first, last = (z.start, y.start, x.start), (z.stop - 1, y.stop - 1, x.stop - 1)
            found[int(values[number])] = Extent(int(counts[number]), first, last)
    return found


def _numbered(codes: NDArray[np.unsignedinteger]) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """Codes as numbers small enough to count by, and the code of each number; those of 16 bits are so already."""
    if codes.dtype.itemsize <= np.dtype(np.uint16).itemsize:
        return np.arange(int(codes.max(initial=0)) + 1), codes
    values, numbers = np.unique(codes, return_inverse=True)
    return np.concatenate([[0], values]), np.where(codes == 0, 0, numbers.reshape(codes.shape) + 1)
