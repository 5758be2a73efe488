"""Windows: where they lie in a scan at the network's spacing, and how much each of their voxels counts."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import TypeVar

import torch
from torch import Tensor

from flaredb.trainers.config import Shape

Item = TypeVar("Item")


def starts(size: int, length: int, overlap: float) -> list[int]:
    """First voxels along an axis of windows of a length, evenly spread, neighbours overlapping by at least `overlap`.

    One window at 0 where the axis is not longer than it.
    """
    step = max(1.0, length * (1 - overlap))
    count = 1 + max(0, math.ceil((size - length) / step))
    return [round(i * (size - length) / max(1, count - 1)) for i in range(count)]


def importance(patch: Shape) -> Tensor:
    """Weight of a window's voxels: a Gaussian of an eighth of its size, as nnU-Net weighs windows. (z, y, x)"""
    weights = torch.ones(())
    for size in patch:
        place = torch.arange(size) - (size - 1) / 2
        weights = weights[..., None] * torch.exp(-0.5 * (place / (size / 8)) ** 2)
    return weights.clamp(min=float(weights.max()) * 1e-4)


def flips(mirror: Sequence[int]) -> list[tuple[int, ...]]:
    """All combinations of axes (0 z, 1 y, 2 x) to flip, none first."""
    return [each for count in range(len(mirror) + 1) for each in itertools.combinations(sorted(set(mirror)), count)]


def corners(plane: tuple[int, int], patch: Shape, overlap: float) -> list[tuple[int, int]]:
    """First (y, x) of the windows of one layer."""
    rows, columns = (starts(size, length, overlap) for size, length in zip(plane, patch[1:], strict=True))
    return list(itertools.product(rows, columns))


def batched(items: Sequence[Item], count: int) -> Iterator[Sequence[Item]]:
    """So many at a time."""
    yield from (items[first : first + count] for first in range(0, len(items), count))
