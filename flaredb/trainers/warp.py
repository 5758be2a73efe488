"""Elastic deformation: a smooth displacement of a patch's voxels, cubic B-splines over a coarse grid of control points.

No displacement exceeds the largest of a control point, and nothing folds while that is at most 0.4 of the distance of
the control points (Choi and Lee 2000: 1/2.48 for cubic B-splines in 3-D).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from flaredb.trainers.config import Shape, Triple


class Elastic(NamedTuple):
    """A deformation as it is drawn: which, how far at the most, and the distance of its control points, mm."""

    seed: int
    most: float
    distance: float


class Warp(NamedTuple):
    """A deformation of a patch: displacements of control points (3, z, y, x), and their distances, in patch voxels.

    The first control point lies one distance before the patch's first voxel.
    """

    controls: NDArray[np.float32]
    distance: Triple

    @property
    def most(self) -> NDArray[np.float64]:
        """The largest displacement along each axis of the patch, voxels."""
        most: NDArray[np.float64] = np.abs(self.controls).max((1, 2, 3)).astype(np.float64)
        return most

    def at(self, voxels: NDArray[np.float64]) -> NDArray[np.float64]:
        """Displacement at places in the patch, both (n, 3), in voxels."""
        axes = zip(voxels.T, self.distance, self.controls.shape[1:], strict=True)
        z, y, x = (_basis(places / distance, count) for places, distance, count in axes)
        moved: NDArray[np.float64] = np.einsum("cijk,ni,nj,nk->nc", self.controls.astype(float), z, y, x, optimize=True)
        return moved


def make_warp(elastic: Elastic, spacing: Triple, patch: Shape) -> Warp:
    """The deformation of a patch with this spacing; the same for the same seed."""
    z, y, x = (elastic.distance / step for step in spacing)
    shape = [3] + [math.floor((n - 1) / step) + 4 for n, step in zip(patch, (z, y, x), strict=True)]
    random = np.random.Generator(np.random.Philox(key=elastic.seed))
    controls = random.uniform(-elastic.most, elastic.most, shape) / np.asarray(spacing).reshape(3, 1, 1, 1)
    return Warp(controls.astype(np.float32), (z, y, x))


def displacement(warp: Warp, patch: Shape, device: torch.device) -> Tensor:
    """Displacement of every voxel of a patch, (3, z, y, x), voxels."""
    field = torch.as_tensor(warp.controls).to(device)
    z, y, x = (
        torch.as_tensor(_basis(np.arange(n) / distance, count), dtype=torch.float32).to(device)
        for n, distance, count in zip(patch, warp.distance, field.shape[1:], strict=True)
    )
    field = y @ (field @ x.T)
    return (z @ field.flatten(2)).reshape(3, *patch)


def _basis(places: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Weight of each control point at places from 0, in distances of control points: (n, count)."""
    cell = np.clip(np.floor(places), 0, count - 4).astype(int)
    u = places - cell
    weights = np.stack([(1 - u) ** 3, 3 * u**3 - 6 * u**2 + 4, -3 * u**3 + 3 * u**2 + 3 * u + 1, u**3]) / 6
    basis = np.zeros((len(places), count))
    for step, weight in enumerate(weights):
        basis[np.arange(len(places)), cell + step] = weight
    return basis
