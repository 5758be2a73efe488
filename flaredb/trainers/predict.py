"""Prediction: windows over a scan at the network's spacing, finished slab by slab on the scan's own lattice."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from flaredb.trainers.config import Config, Shape
from flaredb.trainers.feed import normalised
from flaredb.trainers.networks import Network, build_network
from flaredb.trainers.resample import resize_planes, resize_slices, resized_shape
from flaredb.trainers.runtime import autocast
from flaredb.volumes.reader import Volume

_WINDOWS = 4  # computed at once
_SLAB = 16  # native slices finished at once


class Predictor:
    """A trained network, ready to predict scans."""

    def __init__(self, config: Config, weights: dict[str, Tensor], classes: int, device: torch.device) -> None:
        self.config = config
        self.classes = classes
        self.device = device
        self.network: Network = build_network(config, classes).to(device)
        self.network.load_state_dict(weights)
        self.network.eval()

    @classmethod
    def of(cls, network: Network, config: Config, classes: int) -> Self:
        """A predictor that uses a network as it stands, while it is being trained; it is left in eval mode."""
        made = cls.__new__(cls)
        made.config, made.classes, made.network = config, classes, network
        made.device = next(network.parameters()).device
        network.eval()
        return made

    @torch.inference_mode()
    def predict(self, image: Volume, mirror: Sequence[int] = ()) -> NDArray[np.uint8]:
        """Class of every voxel, (z, y, x) on the scan's lattice; `mirror` lists axes to average flips over."""
        logits = self._logits(self._resampled(image), mirror)
        out = np.empty(image.shape, dtype=np.uint8)
        for first in range(0, image.shape[0], _SLAB):
            count = min(_SLAB, image.shape[0] - first)
            slab = resize_planes(resize_slices(logits, image.shape[0], first, count), *image.shape[1:])
            out[first : first + count] = slab.max(0).indices.to(torch.uint8).cpu().numpy()
        return out

    def _resampled(self, image: Volume) -> Tensor:
        """The scan at the network's spacing, normalised; slabs of native slices, so that memory stays small."""
        shape = resized_shape(image.shape, image.grid.spacing, self.config.spacing)
        box = (slice(None), slice(None))
        planes = []
        for first in range(0, image.shape[0], _SLAB):
            slab = torch.as_tensor(image.read((slice(first, min(first + _SLAB, image.shape[0])), *box)))
            slab = normalised(slab.to(self.device), self.config)
            planes.append(resize_planes(slab, *shape[1:]))
        floor = (self.config.hu_low - self.config.hu_mean) / self.config.hu_std
        return resize_slices(torch.cat(planes), shape[0]) + floor

    def _logits(self, scan: Tensor, mirror: Sequence[int]) -> Tensor:
        """Weighted mean of the windows' logits: (classes, z, y, x) at the network's spacing."""
        z, y, x = scan.shape
        patch = self.config.patch
        floor = (self.config.hu_low - self.config.hu_mean) / self.config.hu_std  # air, as the feed pads
        short = [max(0, n - have) for n, have in zip(patch, scan.shape, strict=True)]
        padding = [0, short[2], 0, short[1], 0, short[0]]
        padded = torch.nn.functional.pad(scan, padding, value=floor)
        total = torch.zeros((self.classes, *padded.shape), device=self.device)
        weight = torch.zeros(padded.shape, device=self.device)
        importance = _gaussian(patch).to(self.device)
        for corners in _batched(_corners(padded.shape, patch, self.config.overlap)):
            boxes = [_box(corner, patch) for corner in corners]
            windows = torch.stack([padded[box] for box in boxes])[:, None]
            for box, logits in zip(boxes, self._forward(windows, mirror), strict=True):
                total[(slice(None), *box)] += logits * importance
                weight[box] += importance
        return (total / weight)[:, :z, :y, :x]

    def _forward(self, windows: Tensor, mirror: Sequence[int]) -> Tensor:
        """Logits of (windows, 1, z, y, x), averaged over all combinations of flips."""
        flips = [f for n in range(len(mirror) + 1) for f in itertools.combinations([axis + 2 for axis in mirror], n)]
        with autocast(self.device, self.config.bf16):
            return torch.stack([self.network(windows.flip(f)).float().flip(f) for f in flips]).mean(0)


def _corners(shape: Sequence[int], patch: Shape, overlap: float) -> Iterator[Shape]:
    """First voxel of every window, evenly spread, neighbours overlapping by at least `overlap`."""
    axes = []
    for size, length in zip(shape, patch, strict=True):
        count = 1 + int(np.ceil((size - length) / max(1.0, length * (1 - overlap))))
        axes.append([round(i * (size - length) / max(1, count - 1)) for i in range(count)])
    yield from itertools.product(axes[0], axes[1], axes[2])


def _box(corner: Shape, patch: Shape) -> tuple[slice, slice, slice]:
    z, y, x = (slice(first, first + size) for first, size in zip(corner, patch, strict=True))
    return z, y, x


def _gaussian(patch: Shape) -> Tensor:
    """Importance of a window's voxels: a Gaussian of an eighth of its size, as nnU-Net weighs windows."""
    weights = torch.ones(())
    for size in patch:
        place = torch.arange(size) - (size - 1) / 2
        weights = weights[..., None] * torch.exp(-0.5 * (place / (size / 8)) ** 2)
    return weights.clamp(min=float(weights.max()) * 1e-4)


def _batched(corners: Iterator[Shape]) -> Iterator[list[Shape]]:
    while group := list(itertools.islice(corners, _WINDOWS)):
        yield group
