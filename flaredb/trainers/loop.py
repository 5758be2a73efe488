"""The training loop, to be read from top to bottom."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from flaredb.errors import InvalidDataError
from flaredb.trainers import checkpoint
from flaredb.trainers.config import Config
from flaredb.trainers.feed import Feed
from flaredb.trainers.losses import label_set_loss
from flaredb.trainers.networks import Network, build_network
from flaredb.trainers.runtime import autocast
from flaredb.trainers.samples import TrainingSet
from flaredb.volumes.store import VolumeStore


class Training(NamedTuple):
    """A run: what to learn from, how, where checkpoints go, and whose weights to start from (None: from scratch)."""

    data: TrainingSet
    volumes: VolumeStore
    config: Config
    folder: Path
    device: torch.device
    warm: dict[str, Tensor] | None = None


def train(run: Training) -> Iterator[float]:
    """Train, from the folder's last checkpoint if there is one; yields the loss of every step of the whole run.

    Steps done before come first, from the checkpoint; so a resumed run yields what an undisturbed one would. Raises
    InvalidDataError when the loss is not finite, naming the step.
    """
    config = run.config
    network = build_network(config, classes=len(run.data.task.structures) + 1).to(run.device)
    optimiser = torch.optim.AdamW(network.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay)
    losses: list[float] = []
    resumed = checkpoint.load(run.folder)
    if resumed:
        _restore(network, optimiser, resumed)
        losses = list(resumed.losses)
        yield from losses
    elif run.warm:
        load_matching(network, run.warm)
    lesions = _lesion_classes(run.data)
    network.train()
    feed = iter(Feed(run.data, run.volumes, config, run.device, start=len(losses)))
    for step in range(len(losses), config.steps):
        rate = config.learning_rate * (1 - step / config.horizon) ** 0.9
        for group in optimiser.param_groups:
            group["lr"] = rate
        batch = next(feed)
        with autocast(run.device, config.bf16):
            logits = network(batch.image)
        loss = label_set_loss(logits, batch.allowed, lesions, config.lesion_prior)
        if not torch.isfinite(loss):
            raise InvalidDataError(f"the loss is {loss.item()} at step {step}; lower --set learning_rate")
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(network.parameters(), config.clip_gradient)
        optimiser.step()
        losses.append(loss.item())
        if len(losses) % config.checkpoint_every == 0 or len(losses) == config.steps:
            state = checkpoint.Checkpoint(len(losses), losses, _cpu(network), optimiser.state_dict())
            checkpoint.save(run.folder, state)
        yield losses[-1]


def load_matching(network: Network, weights: dict[str, Tensor]) -> None:
    """Start from another model's weights; layers whose shape differs (other classes) keep their own."""
    own = network.state_dict()
    fitting = {name: value for name, value in weights.items() if name in own and own[name].shape == value.shape}
    if not fitting:
        raise InvalidDataError("the model to start from has another network; no layer fits")
    network.load_state_dict({**own, **fitting})


def _restore(network: Network, optimiser: torch.optim.Optimizer, stage: checkpoint.Checkpoint) -> None:
    try:
        network.load_state_dict(stage.weights)
        optimiser.load_state_dict(stage.optimiser)
    except (RuntimeError, ValueError) as error:
        raise InvalidDataError("the checkpoint is of another network; go on with the settings it began with") from error


def _lesion_classes(data: TrainingSet) -> list[int]:
    names = data.task.structures
    return [i for i, name in enumerate(names, start=1) if name in data.space.lesions]


def _cpu(network: Network) -> dict[str, Tensor]:
    return {name: value.detach().cpu().contiguous().clone() for name, value in network.state_dict().items()}
