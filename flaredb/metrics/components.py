"""Connected components of a mask: voxels that touch each other, by face, edge or corner."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, find_objects, label

from flaredb.geometry import Box, Shape
from flaredb.metrics.masks import Mask, bounding_box

_TOUCHING = np.ones((3, 3, 3), bool)


class Components(NamedTuple):
    """The components of a mask within its bounding box: an array of their numbers (1, 2, …), and voxels by size."""

    box: Box
    numbers: NDArray[Any]
    sizes: NDArray[np.int64]
    """Largest first."""
    order: NDArray[np.int64]
    """The numbers, in the order of the sizes."""

    def boxes(self) -> dict[int, Box]:
        """Number → where that component lies within the bounding box."""
        return dict(enumerate(find_objects(self.numbers), 1))


def find_components(mask: Mask, offset: Shape = (0, 0, 0)) -> Components | None:
    """The components of a three-dimensional mask, which begins at a voxel of a larger one; None if it is empty."""
    box = bounding_box(mask)
    if box is None:
        return None
    numbers, _ = label(mask[box], _TOUCHING)
    z, y, x = (slice(side.start + o, side.stop + o) for side, o in zip(box, offset, strict=True))
    sizes = np.bincount(numbers.ravel())[1:]
    order = np.argsort(-sizes, kind="stable")
    return Components((z, y, x), numbers, sizes[order], order + 1)


def shell(mask: Mask, width: int = 2) -> Mask:
    """The voxels around a mask, up to `width` steps away."""
    around: Mask = binary_dilation(mask, _TOUCHING, iterations=width) & ~mask
    return around
