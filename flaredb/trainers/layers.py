"""A scan as a network sees it, layer by layer along z: each native voxel is read and resampled once, and dropped.

The lattice at the network's spacing covers the scan's extent, with as many voxels as come nearest to the spacing. The
resampling is the feed's; voxels are on their way (tensorstore's threads) while the network works on the layer before.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from flaredb.geometry import Box, Grid
from flaredb.trainers.config import Config, Shape
from flaredb.trainers.feed import within
from flaredb.trainers.resample import Cut, Frame, averaged_voxels, make_cut, resized_shape, sample_image
from flaredb.trainers.slabs import Axis

Axes = tuple[Axis, Axis, Axis]

_TOGETHER = 8  # network slices resampled together
_SLAB = 16  # native slices looked at together
_BODY_HU = -500
_SHARE = 0.02  # of a slice, row or column that the body fills at least
_STRIDE = 4  # rows and columns looked at to find the body
_MARGIN_MM = 10.0


class Coming(Protocol):
    """Voxels on their way."""

    def result(self) -> NDArray[Any]:
        """Wait for them."""


class Scan(Protocol):
    """What can be predicted: a stored volume, or an array with its grid. HU, (z, y, x), LPS."""

    @property
    def grid(self) -> Grid:
        """Where its voxels are."""

    def read_async(self, box: Box | None = None) -> Coming:
        """Start reading a box."""


class _There(NamedTuple):
    voxels: NDArray[Any]

    def result(self) -> NDArray[Any]:
        """The voxels."""
        return self.voxels


class ArrayScan(NamedTuple):
    """A scan in memory: HU (z, y, x), LPS."""

    voxels: NDArray[Any]
    grid: Grid

    def read_async(self, box: Box | None = None) -> _There:
        """A box of it."""
        return _There(self.voxels if box is None else np.ascontiguousarray(self.voxels[box]))


def all_of(grid: Grid, config: Config) -> Axes:
    """The whole scan."""
    coarse = resized_shape(grid.shape, grid.spacing, config.spacing)
    z, y, x = (Axis(n, c, 0, c) for n, c in zip(grid.shape, coarse, strict=True))
    return z, y, x


def body_of(image: Scan, config: Config) -> Axes:
    """The box around the body and a margin, at least as large as a window where the scan is; all if none is found."""
    axes = all_of(image.grid, config)
    shape = image.grid.shape
    filled: list[list[NDArray[np.bool_]]] = [[], [], []]
    for first in range(0, shape[0], _SLAB):
        box = (slice(first, min(first + _SLAB, shape[0])), slice(None), slice(None))
        body = image.read_async(box).result()[:, ::_STRIDE, ::_STRIDE] > _BODY_HU
        filled[0].append(body.mean((1, 2)) > _SHARE)
        filled[1].append((body.mean(2) > _SHARE).any(0))
        filled[2].append((body.mean(1) > _SHARE).any(0))
    found = [np.concatenate(filled[0]), np.any(filled[1], 0), np.any(filled[2], 0)]
    if not all(axis.any() for axis in found):
        return axes
    margins = [_MARGIN_MM / spacing for spacing in image.grid.spacing]
    ends = [np.flatnonzero(axis)[[0, -1]] * step for axis, step in zip(found, (1, _STRIDE, _STRIDE), strict=True)]
    cut = [
        _cut(axis, low - margin, high + step + margin, length)
        for axis, (low, high), margin, step, length in zip(
            axes, ends, margins, (1, _STRIDE, _STRIDE), config.patch, strict=True
        )
    ]
    return cut[0], cut[1], cut[2]


def _cut(axis: Axis, low: float, high: float, length: int) -> Axis:
    """The part of an axis between two native places, made longer if a window is."""
    ratio = axis.coarse / axis.native
    first, last = max(0, int(np.floor(low * ratio))), min(axis.coarse, int(np.ceil(high * ratio)))
    short = min(length, axis.coarse) - (last - first)
    if short > 0:
        first = min(max(0, first - short // 2), axis.coarse - min(length, axis.coarse))
        last = first + min(length, axis.coarse)
    return axis._replace(first=first, length=last - first)


class Layers:
    """The predicted part of a scan at the network's spacing, from its first slice to its last."""

    def __init__(self, image: Scan, axes: Axes, config: Config, device: torch.device) -> None:
        self._image, self._axes, self._config, self._device = image, axes, config, device
        # By the spacing asked for, as in training: the lattice's own differs, so that it fits the scan's extent.
        self._pool = averaged_voxels(np.divide(config.spacing, image.grid.spacing))
        self._asked: list[tuple[Cut, Coming]] = []
        self._next = 0

    def ask(self, count: int) -> None:
        """Start reading what the next slices need."""
        last = min(self._next + count, self._axes[0].length)
        for first in range(self._next, last, _TOGETHER):
            frame = self._frame(first, min(_TOGETHER, last - first))
            cut = make_cut(frame, self._image.grid.shape, self._pool)
            self._asked.append((cut, self._image.read_async(cut.image)))
        self._next = max(self._next, last)

    def take(self) -> Iterator[Tensor]:
        """The slices last asked for, normalised, some at a time: (z, y, x)."""
        while self._asked:
            cut, coming = self._asked.pop(0)
            yield resampled(torch.as_tensor(coming.result()).to(self._device), cut, self._config)

    def _frame(self, first: int, count: int) -> Frame:
        """Where some network slices lie among the native voxels."""
        z, y, x = self._axes
        parts = ((z.first + first, count), (y.first, y.length), (x.first, x.length))
        steps = np.array([axis.native / axis.coarse for axis in self._axes])
        middle = np.array([start + (size - 1) / 2 for start, size in parts])
        patch: Shape = (count, y.length, x.length)
        return Frame((middle + 0.5) * steps - 0.5, np.diag(steps), patch)


def resampled(hu: Tensor, cut: Cut, config: Config) -> Tensor:
    """The patch of a cut from the voxels it needs, as the feed makes it before it changes intensities. (z, y, x)"""
    return sample_image(within(hu, config), cut).sub_(config.hu_mean).div_(config.hu_std)


def air(config: Config) -> float:
    """What a network sees of the lowest HU."""
    return (config.hu_low - config.hu_mean) / config.hu_std
