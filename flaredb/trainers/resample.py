"""One resampling: from a volume's own lattice to the network's, whatever the spacing, rotation and size.

A `Frame` says where the voxels of a patch lie in a volume: `index = centre + matrix @ (patch voxel - patch centre)`,
all in (z, y, x) voxel indices. Images are interpolated linearly, labels take the nearest voxel.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from flaredb.geometry import Box
from flaredb.trainers.config import Shape, Triple


class Frame(NamedTuple):
    """Where a patch lies in a volume."""

    centre: NDArray[np.float64]
    matrix: NDArray[np.float64]
    patch: Shape


def make_frame(
    centre: NDArray[np.float64], spacing: Triple, target: Triple, patch: Shape, turn: NDArray[np.float64] | None = None
) -> Frame:
    """A frame around a voxel index; `turn` (3×3) rotates and scales in mm, `target` is the patch's spacing."""
    turn = np.eye(3) if turn is None else turn
    return Frame(centre, np.diag(1 / np.asarray(spacing)) @ turn @ np.diag(target), patch)


def rotation(angles: NDArray[np.float64]) -> NDArray[np.float64]:
    """3×3 rotation about the z, y and x axes in turn, radians."""
    matrix = np.eye(3)
    for axis, angle in enumerate(angles):
        first, second = [other for other in range(3) if other != axis]
        step = np.eye(3)
        step[[first, second], [first, second]] = np.cos(angle)
        step[first, second], step[second, first] = -np.sin(angle), np.sin(angle)
        matrix = matrix @ step
    return matrix


def native_box(frame: Frame, shape: Shape) -> Box:
    """The smallest box of the volume that holds all voxels the patch needs; at least one voxel."""
    half = (np.asarray(frame.patch) - 1) / 2
    reach = np.abs(frame.matrix) @ half
    low = np.clip(np.floor(frame.centre - reach), 0, np.asarray(shape) - 1).astype(int)
    high = np.clip(np.ceil(frame.centre + reach) + 1, low + 1, shape).astype(int)
    return (slice(low[0], high[0]), slice(low[1], high[1]), slice(low[2], high[2]))


def coordinates(frame: Frame, box: Box, device: torch.device) -> Tensor:
    """Index within the box of every patch voxel: (3, z, y, x)."""
    axes = [torch.arange(n, device=device, dtype=torch.float32) - (n - 1) / 2 for n in frame.patch]
    steps = torch.stack(torch.meshgrid(*axes, indexing="ij")).reshape(3, -1)
    matrix = torch.as_tensor(frame.matrix, dtype=torch.float32, device=device)
    start = torch.as_tensor(frame.centre - [side.start for side in box], dtype=torch.float32, device=device)
    return (matrix @ steps + start[:, None]).reshape(3, *frame.patch)


def sample_linear(array: Tensor, at: Tensor) -> Tensor:
    """Linear interpolation of (z, y, x) at coordinates (3, …); 0 outside."""
    size = torch.tensor(array.shape, device=at.device, dtype=at.dtype).reshape(3, 1, 1, 1)
    # grid_sample wants x, y, z in [-1, 1] with the corners of the array at the corners of the voxels
    grid = ((2 * at + 1) / size - 1).flip(0).movedim(0, -1)
    sampled = torch.nn.functional.grid_sample(array[None, None], grid[None], align_corners=False)
    return sampled[0, 0]


def sample_nearest(array: Tensor, at: Tensor) -> tuple[Tensor, Tensor]:
    """The nearest voxel of (z, y, x) at coordinates (3, …), and whether that lies inside."""
    size = torch.tensor(array.shape, device=at.device).reshape(3, 1, 1, 1)
    nearest = at.round().long()
    inside = ((nearest >= 0) & (nearest < size)).all(0)
    z, y, x = torch.minimum(nearest.clamp(min=0), size - 1)
    return array[z, y, x], inside


def resized_shape(shape: Shape, spacing: Triple, target: Triple) -> Shape:
    """Voxels that cover the same extent at another spacing."""
    z, y, x = (max(1, round(n * s / t)) for n, s, t in zip(shape, spacing, target, strict=True))
    return z, y, x


def resize_planes(array: Tensor, rows: int, columns: int) -> Tensor:
    """Linear interpolation of the last two axes of (…, z, y, x) over the same extent."""
    flat = array.reshape(1, -1, *array.shape[-2:])
    return torch.nn.functional.interpolate(flat, (rows, columns), mode="bilinear").reshape(
        *array.shape[:-2], rows, columns
    )


def resize_slices(array: Tensor, size: int, first: int = 0, count: int | None = None) -> Tensor:
    """Linear interpolation of axis -3 to `size` slices over the same extent, or `count` of them from `first`."""
    length = array.shape[-3]
    wanted = torch.arange(first, first + (size if count is None else count), device=array.device, dtype=torch.float32)
    place = ((wanted + 0.5) * (length / size) - 0.5).clamp(0, length - 1)
    low = place.floor().long()
    high = (low + 1).clamp(max=length - 1)
    return torch.lerp(array[..., low, :, :], array[..., high, :, :], (place - low)[:, None, None])
