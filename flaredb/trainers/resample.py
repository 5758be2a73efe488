"""One resampling: from a volume's own lattice to the network's, whatever spacing, rotation, size, flip or deformation.

A `Frame` says where the voxels of a patch lie in a volume: `index = centre + matrix @ (voxel - middle + displacement)`,
all in (z, y, x) voxel indices; the displacement is a `Warp`'s, or none. Images are interpolated linearly, labels take
the nearest voxel. Where a patch voxel is at least twice as long as the scan's along an axis, the scan is averaged over
the patch voxel first, or thin slices would alias. Beyond the scan the last voxels go on for interpolation, as when a
whole scan is resized; what lies there is told apart (`inside`).

A frame whose axes are the scan's own (`plain`) takes a faster way, axis by axis, to the same values; one whose slices
are the scan's (`level`) goes along z first, then through all its slices in one way.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from flaredb.geometry import Box
from flaredb.trainers.config import Shape, Triple
from flaredb.trainers.warp import Warp, displacement

_NEAR = 1e-6  # of a voxel: rounding, not distance
_SLICES = 8  # at a time on a CPU; measured


class Frame(NamedTuple):
    """Where a patch lies in a volume."""

    centre: NDArray[np.float64]
    matrix: NDArray[np.float64]
    patch: Shape
    warp: Warp | None = None

    @property
    def plain(self) -> bool:
        """Whether each axis of the patch runs along the same axis of the scan."""
        return self.warp is None and not np.any(self.matrix - np.diag(np.diag(self.matrix)))

    @property
    def level(self) -> bool:
        """Whether slices of the patch lie in slices of the scan, turned or not."""
        return self.warp is None and not self.matrix[0, 1:].any() and not self.matrix[1:, 0].any()

    @property
    def reach(self) -> NDArray[np.float64]:
        """How far from its centre the patch extends along each axis of the scan, native voxels."""
        most = np.zeros(3) if self.warp is None else self.warp.most
        reach: NDArray[np.float64] = np.abs(self.matrix) @ ((np.asarray(self.patch) - 1) / 2 + most)
        return reach

    def locate(self, voxels: NDArray[np.float64]) -> NDArray[np.float64]:
        """Native index of places in the patch, both (n, 3); in double precision, one by one."""
        moved = voxels - (np.asarray(self.patch) - 1) / 2
        if self.warp is not None:
            moved = moved + self.warp.at(voxels)
        return self.centre + moved @ self.matrix.T


class Cut(NamedTuple):
    """What a frame needs of a scan: `image` is the box of voxels to interpolate, `label` that of nearest voxels.

    `pool`: native voxels averaged along each axis. `within`: no part of the patch lies beyond the scan.
    """

    frame: Frame
    shape: Shape
    pool: Shape
    image: Box
    label: Box
    within: bool


def make_frame(
    centre: NDArray[np.float64],
    spacing: Triple,
    target: Triple,
    patch: Shape,
    turn: NDArray[np.float64] | None = None,
    warp: Warp | None = None,
) -> Frame:
    """A frame around a voxel index; `turn` (3×3) rotates, scales and flips in mm, `target` is the patch's spacing."""
    turn = np.eye(3) if turn is None else turn
    return Frame(centre, np.diag(1 / np.asarray(spacing)) @ turn @ np.diag(target), patch, warp)


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


def make_cut(frame: Frame, shape: Shape, pool: Shape | None = None) -> Cut:
    """The smallest boxes of a scan of that shape that a frame needs; at least one voxel each.

    `pool`: what to average, where that is decided already; else by the frame.
    """
    z, y, x = pool or averaged_voxels(_footprint(frame))
    image = [_needed(frame, shape, axis, pool) for axis, pool in enumerate((z, y, x))]
    low, high = np.rint(frame.centre - frame.reach), np.rint(frame.centre + frame.reach)
    label = [_side(a, b + 1, n) for a, b, n in zip(low, high, shape, strict=True)]
    within = bool((low >= 0).all() and (high < np.asarray(shape)).all())
    return Cut(frame, shape, (z, y, x), (image[0], image[1], image[2]), (label[0], label[1], label[2]), within)


def averaged_voxels(footprint: NDArray[np.float64]) -> Shape:
    """Native voxels to average along each axis for patch voxels of so many native ones."""
    z, y, x = (max(1, int(k)) for k in np.floor(footprint + _NEAR))
    return z, y, x


def _footprint(frame: Frame) -> NDArray[np.float64]:
    """Length of a patch voxel along each axis of the scan, in the scan's voxels: of the edge that lies nearest to it.

    A tilt leaves it as it is: tilted thick slices would otherwise blur the planes, too.
    """
    squared_cosines = frame.matrix * np.linalg.inv(frame.matrix).T
    nearest = squared_cosines.argmax(1)[:, None]
    edge, cosine = (
        np.take_along_axis(m, nearest, 1)[:, 0] for m in (np.abs(frame.matrix), np.sqrt(np.abs(squared_cosines)))
    )
    footprint: NDArray[np.float64] = edge / cosine
    return footprint


def _needed(frame: Frame, shape: Shape, axis: int, pool: int) -> slice:
    """Native voxels to interpolate between along an axis; for averages, whole windows of `pool` + 1 from `pool` * n."""
    low, high = frame.centre[axis] - frame.reach[axis], frame.centre[axis] + frame.reach[axis]
    if pool == 1:
        return _side(np.floor(low + _NEAR), np.ceil(high - _NEAR) + 1, shape[axis])
    windows = max(1, -(-(shape[axis] - 1) // pool))
    of_windows = _side(np.floor(low / pool - 0.5), np.ceil(high / pool - 0.5) + 1, windows)
    return slice(of_windows.start * pool, min(of_windows.stop * pool + 1, shape[axis]))


def _side(low: float, high: float, size: int) -> slice:
    start = int(np.clip(low, 0, size - 1))
    return slice(start, int(np.clip(high, start + 1, size)))


def sample_image(voxels: Tensor, cut: Cut) -> Tensor:
    """The patch, float32 (z, y, x), from the voxels of `cut.image`; beyond the scan its last voxels go on."""
    for axis, pool in enumerate(cut.pool):
        if pool > 1:
            voxels = _averaged(voxels.float(), axis, pool)
    if cut.frame.plain:
        return _axis_by_axis(voxels, cut)
    if cut.frame.level:
        slices = _interpolated(voxels, 0, _places(cut, 0))
        return _gridded(slices[None], _plane(cut.frame, cut.image, voxels.device), cut.pool[1:])[0]
    return _gridded(voxels.float()[None, None], coordinates(cut.frame, cut.image, voxels.device), cut.pool)[0, 0]


def sample_codes(codes: list[Tensor], cut: Cut) -> tuple[list[Tensor], Tensor | None]:
    """The patch's codes from the voxels of `cut.label`, one array a label; and what is inside the scan (None: all)."""
    frame, device = cut.frame, codes[0].device
    if frame.plain:
        return _along_axes(codes, cut)
    if frame.level:
        return _in_slices(codes, cut)
    flat, known = _flattened(coordinates(frame, cut.label, device), cut, (0, 1, 2))
    return [own.reshape(-1)[flat] for own in codes], known


def coordinates(frame: Frame, box: Box, device: torch.device) -> Tensor:
    """Index within the box of every patch voxel: (3, z, y, x)."""
    steps = [torch.arange(n, device=device, dtype=torch.float32) - (n - 1) / 2 for n in frame.patch]
    z, y, x = steps[0][:, None, None], steps[1][:, None], steps[2]
    if frame.warp is not None:
        z, y, x = displacement(frame.warp, frame.patch, device) + torch.stack(torch.meshgrid(*steps, indexing="ij"))
    at = torch.empty((3, *frame.patch), device=device)
    for axis, (row, middle, side) in enumerate(zip(frame.matrix, frame.centre, box, strict=True)):
        torch.add(float(row[0]) * z + (float(row[1]) * y + float(middle - side.start)), float(row[2]) * x, out=at[axis])
    return at


def _axis_by_axis(voxels: Tensor, cut: Cut) -> Tensor:
    """`sample_image` of a plain frame; on a CPU a few slices at a time, which stay in its cache on their way."""
    z, y, x = (_places(cut, axis) for axis in range(3))
    several = _SLICES if voxels.device.type == "cpu" else len(z)
    made = torch.empty(cut.frame.patch, device=voxels.device)
    for first in range(0, len(z), several):
        slices = _interpolated(voxels, 0, z[first : first + several])
        made[first : first + several] = _interpolated(_interpolated(slices, 1, y), 2, x)
    return made


def _along_axes(codes: list[Tensor], cut: Cut) -> tuple[list[Tensor], Tensor | None]:
    """`sample_codes` of a plain frame."""
    index, inside = zip(*(_nearest(cut, axis, codes[0].device) for axis in range(3)), strict=True)
    for axis in range(3):
        codes = [_picked(own, axis, index[axis]) for own in codes]
    return codes, None if cut.within else inside[0][:, None, None] & inside[1][:, None] & inside[2]


def _in_slices(codes: list[Tensor], cut: Cut) -> tuple[list[Tensor], Tensor | None]:
    """`sample_codes` of a level frame."""
    device, patch = codes[0].device, cut.frame.patch
    index, in_stack = _nearest(cut, 0, device)
    flat, in_slice = _flattened(_plane(cut.frame, cut.label, device), cut, (1, 2))
    slices = [_picked(own, 0, index).reshape(len(index), -1) for own in codes]
    known = None if in_slice is None else in_stack[:, None, None] & in_slice
    return [_picked(own, 1, flat.reshape(-1)).reshape(patch) for own in slices], known


def _plane(frame: Frame, box: Box, device: torch.device) -> Tensor:
    """For a level frame: index within the box of the voxels of any slice, (2, y, x)."""
    rows, columns = (torch.arange(n, device=device, dtype=torch.float32) - (n - 1) / 2 for n in frame.patch[1:])
    at = torch.empty((2, *frame.patch[1:]), device=device)
    for axis in (1, 2):
        start = float(frame.centre[axis] - box[axis].start)
        across, along = float(frame.matrix[axis, 1]), float(frame.matrix[axis, 2])
        torch.add(across * rows[:, None] + start, along * columns, out=at[axis - 1])
    return at


def _gridded(voxels: Tensor, at: Tensor, pool: tuple[int, ...]) -> Tensor:
    """Linear interpolation of the last axes of (1, channels, …) at native indices (axes, …), which are written to."""
    for axis, averaged in enumerate(pool):
        if averaged > 1:
            at[axis].div_(averaged).sub_(0.5)
    grid = torch.empty((*at.shape[1:], len(at)), device=at.device)
    for axis, size in enumerate(voxels.shape[2:]):
        # grid_sample wants the last axis first, in [-1, 1] with the corners of the array at the corners of the voxels
        torch.add(at[axis] * (2 / size), 1 / size - 1, out=grid[..., len(at) - 1 - axis])
    return torch.nn.functional.grid_sample(voxels, grid[None], padding_mode="border", align_corners=False)


def _flattened(at: Tensor, cut: Cut, axes: tuple[int, ...]) -> tuple[Tensor, Tensor | None]:
    """Flat index, within the label's box along some axes, of the nearest voxels; what is inside the scan (None: all).

    `at`: native indices (axes, …), which are written to.
    """
    at.round_()
    flat = torch.zeros(at.shape[1:], dtype=torch.int64, device=at.device)
    known = None if cut.within else torch.ones(at.shape[1:], dtype=torch.bool, device=at.device)
    for place, axis in zip(at, axes, strict=True):
        side, size = cut.label[axis], cut.shape[axis]
        if known is not None:
            known &= (place >= -side.start) & (place < size - side.start)
        flat.mul_(side.stop - side.start).add_(place.clamp_(0, side.stop - side.start - 1).to(torch.int64))
    return flat, known


def _places(cut: Cut, axis: int) -> NDArray[np.float64]:
    """Where the patch's voxels lie along an axis that is the scan's own, in averaged voxels from the box's first."""
    at: NDArray[np.float64] = _along(cut.frame, axis) - cut.image[axis].start
    return at if cut.pool[axis] == 1 else np.asarray(at / cut.pool[axis] - 0.5)


def _along(frame: Frame, axis: int) -> NDArray[np.float64]:
    """Where the patch's voxels lie along an axis that is the scan's own."""
    steps = np.arange(frame.patch[axis], dtype=np.float64) - (frame.patch[axis] - 1) / 2
    along: NDArray[np.float64] = frame.centre[axis] + frame.matrix[axis, axis] * steps
    return along


def _interpolated(voxels: Tensor, axis: int, places: NDArray[np.float64]) -> Tensor:
    """Linear interpolation along one axis, float32."""
    last = voxels.shape[axis] - 1
    places = np.clip(places, 0, last)
    low = np.minimum(np.floor(places), max(0, last - 1))
    weight = torch.as_tensor(places - low, dtype=torch.float32).to(voxels.device)
    first = torch.as_tensor(low.astype(np.int64)).to(voxels.device)
    below = _picked(voxels, axis, first).float()
    above = _picked(voxels, axis, (first + 1).clamp_(max=last))
    return below.lerp_(above.float(), weight.reshape([-1 if a == axis else 1 for a in range(3)]))


def _picked(voxels: Tensor, axis: int, index: Tensor) -> Tensor:
    """Voxels at some indices of an axis; on a CPU by numpy, which takes a fifth of torch's time along the last one."""
    if voxels.device.type == "cpu":
        return torch.from_numpy(voxels.numpy().take(index.numpy(), axis))
    return voxels.index_select(axis, index)


def _nearest(cut: Cut, axis: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Index within the label's box along an axis that is the scan's own, and whether it is inside the scan."""
    side = cut.label[axis]
    nearest = np.rint(_along(cut.frame, axis)).astype(np.int64)
    inside = (nearest >= 0) & (nearest < cut.shape[axis])
    index = np.clip(nearest, side.start, side.stop - 1) - side.start
    return torch.as_tensor(index).to(device), torch.as_tensor(inside).to(device)


def _averaged(voxels: Tensor, axis: int, pool: int) -> Tensor:
    """Means of every `pool` + 1 voxels, the outer two at half weight: nothing is left of a pattern that alternates.

    Window n begins at voxel `pool` * n and has its middle at `pool` * (n + 1/2); the last may be cut short.
    """
    length = voxels.shape[axis]
    count = max(1, -(-(length - 1) // pool))
    total = torch.zeros([count if a == axis else n for a, n in enumerate(voxels.shape)], device=voxels.device)
    for step in range(pool + 1):
        every = voxels[tuple(slice(step, None, pool) if a == axis else slice(None) for a in range(3))]
        have = min(count, every.shape[axis])
        total.narrow(axis, 0, have).add_(every.narrow(axis, 0, have), alpha=0.5 if step in (0, pool) else 1.0)
    weights = [
        sum(0.5 if s in (0, pool) else 1.0 for s in range(pool + 1) if n * pool + s < length) for n in range(count)
    ]
    shares = torch.tensor(weights, device=voxels.device).reshape([-1 if a == axis else 1 for a in range(3)])
    return total.div_(shares)


def resized_shape(shape: Shape, spacing: Triple, target: Triple) -> Shape:
    """Voxels that cover the same extent at another spacing."""
    z, y, x = (max(1, round(n * s / t)) for n, s, t in zip(shape, spacing, target, strict=True))
    return z, y, x
