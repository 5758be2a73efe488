"""The network that predictors are compared with: `small`, taught one real scan, so that its answers have the shape of
organs; noise from random weights would say nothing of how well outputs agree. First on small patches, which is quick,
then on windows as large as those it will predict, because instance normalisation makes answers depend on their size.

Made once, in half an hour or so, and kept beside the rivals (`.bench/`): that is no part of any figure.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor

from flaredb.exchange.read import read_image, read_label
from flaredb.trainers.config import Config
from flaredb.trainers.layers import ArrayScan, Layers, all_of
from flaredb.trainers.networks import build_network
from flaredb.trainers.presets import load_config
from rivals.beside import BENCH, DATA

FOLDER = DATA / "ircad_p01"
STAGES = ((400, (32, 64, 64)), (300, (32, 128, 192)))  # steps, patch
CLASSES = 15  # background and FLARE23's fourteen, five of which this scan knows
RECIPE = "-then-".join(f"{steps}-of-{'-'.join(map(str, patch))}" for steps, patch in STAGES)
KEPT = BENCH.parents[1] / f"organ-network-{RECIPE}.safetensors"


def settings() -> Config:
    """blackbean's deployed size: 4 × 1.2 × 1.2 mm, windows of 32 × 128 × 192, 5.6 million parameters."""
    return load_config("small")


def resampled(config: Config) -> tuple[list[Tensor], Tensor]:
    """The scan, normalised, and its label at the network's spacing: averaged as flaredb does, and interpolated as
    others do. A network that had seen one of them alone would favour it."""
    scan, label = read_image(FOLDER / "ct.nii.gz"), read_label(FOLDER / "labels.nii.gz")
    table = np.zeros(1 << 16, np.int64)
    for code, value in json.loads((FOLDER / "label_map.json").read_text())["to_FLARE23"].items():
        table[int(code)] = value
    axes = all_of(scan.grid, config)
    layers = Layers(ArrayScan(scan.voxels, scan.grid), axes, config, torch.device("cpu"))
    layers.ask(axes[0].length)
    averaged = torch.cat(list(layers.take()))
    hu = torch.as_tensor(scan.voxels).float().clamp(config.hu_low, config.hu_high)[None, None]
    image = (hu - config.hu_mean) / config.hu_std  # as feed and prediction show scans to a network
    interpolated = torch.nn.functional.interpolate(image, averaged.shape, mode="trilinear")[0, 0]
    codes = torch.as_tensor(table[label.voxels])[None, None]
    nearest = torch.nn.functional.interpolate(codes.float(), averaged.shape, mode="nearest")
    return [averaged, interpolated], nearest[0, 0].long()


def teach() -> dict[str, Tensor]:
    """Weights after some steps of cross-entropy and Dice on patches around organs; float32."""
    config = settings()
    images, codes = resampled(config)
    places = [torch.nonzero(codes == value) for value in codes.unique()]
    torch.manual_seed(0)
    network = build_network(config, CLASSES)
    network.train()
    optimiser = torch.optim.AdamW(network.parameters(), lr=2e-3)
    random = np.random.default_rng(0)
    begun = time.perf_counter()
    patches = [patch for count, patch in STAGES for _ in range(count)]
    for step, patch in enumerate(patches):
        for group in optimiser.param_groups:
            group["lr"] = 2e-3 * (1 - step / len(patches)) ** 0.9
        own = places[step % len(places)]
        centre = own[random.integers(len(own))].numpy() + random.integers(-20, 21, 3) * [0.3, 1, 1]
        corner = [int(min(max(c - p / 2, 0), n - p)) for c, p, n in zip(centre, patch, codes.shape, strict=True)]
        box = tuple(slice(c, c + p) for c, p in zip(corner, patch, strict=True))
        seen = images[random.integers(2)][box] * random.uniform(0.9, 1.1) + 0.05 * torch.randn(patch)
        logits = network(seen[None, None])
        loss = _loss(logits[0] if isinstance(logits, tuple) else logits, codes[box][None])
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 12)
        optimiser.step()
        if step % 20 == 0:
            print(f"step {step}: loss {loss.item():.3f}, {time.perf_counter() - begun:.0f} s", file=sys.stderr)
    return {name: value.detach().clone() for name, value in network.state_dict().items()}


def _loss(logits: Tensor, codes: Tensor) -> Tensor:
    logits = logits.float()
    chance = logits.softmax(1)
    wanted = torch.nn.functional.one_hot(codes, CLASSES).movedim(-1, 1).float()
    both, all_of = (chance * wanted).sum((0, 2, 3, 4)), (chance + wanted).sum((0, 2, 3, 4))
    there = wanted.sum((0, 2, 3, 4)) > 0
    dice = (2 * both + 1) / (all_of + 1)
    return torch.nn.functional.cross_entropy(logits, codes) + 1 - dice[there].mean()


def weights() -> Path:
    """The file of weights; made if it is not there."""
    if not KEPT.exists():
        print("teaching a network, half an hour or so; only once", file=sys.stderr)
        part = KEPT.with_suffix(".part")
        save_file(teach(), part)
        part.rename(KEPT)
    return KEPT
