"""What every way to train has in common: who trains together, when to stop, and how to go on."""

from __future__ import annotations

import json
from collections import deque
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

from flaredb.errors import InvalidDataError, UnfinishedError
from flaredb.progress import Reporter
from flaredb.trainers import board, checkpoint, config, ranks, runtime, wire
from flaredb.trainers.checkpoint import Checkpoint
from flaredb.trainers.config import Config
from flaredb.trainers.loop import Training, train
from flaredb.trainers.stopping import Stop, seconds_of
from flaredb.volumes.store import VolumeStore

__all__ = ["TrainOptions", "check_team", "dismiss", "follow", "follows", "run_to_end", "seconds_of"]


class TrainOptions(NamedTuple):
    """Where and how long to train: `time_limit` in seconds, None for no limit.

    `tainted`: even from what descends from labels that are withdrawn now. `again`: the command that goes on after a
    stop, with `{model}` for the model's name.
    """

    device: str = "auto"
    tainted: bool = False
    time_limit: float | None = None
    again: str = "flaredb train --resume {model}"


def check_team(settings: Config) -> None:
    """InvalidDataError if a batch cannot be divided over the processes that torchrun started."""
    ranks.expected().check(settings.batch)


def run_to_end(reporter: Reporter, training: Training, name: str, options: TrainOptions) -> Checkpoint:
    """Train to the last step, from the last checkpoint if there is one.

    Under torchrun the other processes are told what to train. SIGTERM, or the time limit, ends it after the step in
    hand with a checkpoint and an UnfinishedError that says how to go on.
    """
    steps = training.config.steps
    if hint := board.missing():
        reporter.say(hint)
    with ranks.joined() as team, Stop(options.time_limit).on_signal() as stop:
        team.share(_order(training))
        run = training._replace(team=team, stop=stop, device=ranks.own_device(training.device))
        try:
            deque(reporter.track(train(run), f"training {name}", steps), maxlen=0)
        except UnfinishedError as error:
            again = options.again.format(model=name)
            raise UnfinishedError(f"{error}; nothing is lost; run me again: {again}") from error
    stage = checkpoint.load(training.folder)
    if stage is None:
        raise InvalidDataError(f"{name} has no checkpoint after training")
    return stage


def follows() -> bool:
    """Whether torchrun started this process to help another one, which alone sees catalogue and checkpoints."""
    return not ranks.expected().leads


def dismiss() -> None:
    """Tell the processes that wait to help that there is nothing to train."""
    with ranks.joined() as team:
        team.share()


def follow() -> None:
    """Help with the training that rank 0 was asked for; it says what to do, or that there is nothing."""
    with ranks.joined() as team, Stop().on_signal() as stop:
        told = team.share()
        if not told:
            return
        run = Training(
            wire.from_text(told["data"]),
            VolumeStore(Path(told["volumes"])),
            config.from_document(json.loads(told["config"])),
            Path(),
            ranks.own_device(runtime.find_device(told["device"])),
            stop=stop,
            team=team,
        )
        deque(train(run), maxlen=0)


def _order(training: Training) -> dict[str, str]:
    """What the other ranks must know."""
    return {
        "data": wire.to_text(training.data),
        "config": json.dumps(asdict(training.config)),
        "volumes": str(training.volumes.root.resolve()),
        "device": training.device.type,
    }
