"""Checkpoints: weights as safetensors, the optimiser's state, and how far training came; whole or not at all."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from pickle import UnpicklingError  # raised by torch for a file that is not plain tensors; nothing is unpickled
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from flaredb.durable import settle, to_disk
from flaredb.errors import StorageError

_DAMAGE = (OSError, ValueError, KeyError, TypeError, EOFError, RuntimeError, UnpicklingError, SafetensorError)


class Checkpoint(NamedTuple):
    """A stage of training: steps done, the loss of each, weights and the optimiser's state.

    `validation` has a document for each time whole cases were predicted; `seconds` is how long the steps took, `waited`
    how much of that was spent waiting for data.
    """

    steps: int
    losses: list[float]
    weights: dict[str, Tensor]
    optimiser: dict[str, Any]
    validation: list[dict[str, Any]] = []  # noqa: RUF012  read, never changed
    seconds: float = 0.0
    waited: float = 0.0


def save(folder: Path, checkpoint: Checkpoint) -> None:
    """Write beside, then switch over; the one before is removed last."""
    folder.mkdir(parents=True, exist_ok=True)
    stage = folder / f"step-{checkpoint.steps:08d}.part"
    shutil.rmtree(stage, ignore_errors=True)
    stage.mkdir()
    save_file(checkpoint.weights, stage / "weights.safetensors")
    torch.save(checkpoint.optimiser, stage / "optimiser.pt")
    kept = ("steps", "losses", "validation", "seconds", "waited")
    (stage / "progress.json").write_text(json.dumps({name: getattr(checkpoint, name) for name in kept}))
    for path in (*stage.iterdir(), stage):
        to_disk(path)
    final = stage.with_suffix("")
    shutil.rmtree(final, ignore_errors=True)
    stage.rename(final)
    to_disk(folder)
    for old in folder.glob("step-*"):
        if old != final:
            shutil.rmtree(old)


def load(folder: Path) -> Checkpoint | None:
    """The last checkpoint, or None before the first."""
    stages = sorted(stage for stage in folder.glob("step-*") if stage.suffix != ".part")
    if not stages:
        return None
    try:
        progress = json.loads((stages[-1] / "progress.json").read_text())
        weights = load_file(stages[-1] / "weights.safetensors")
        optimiser = torch.load(stages[-1] / "optimiser.pt", map_location="cpu", weights_only=True)
        later = {name: progress[name] for name in ("validation", "seconds", "waited") if name in progress}
        return Checkpoint(progress["steps"], progress["losses"], weights, optimiser, **later)
    except _DAMAGE as error:
        raise StorageError(f"checkpoint {stages[-1].name} of {folder.name} is damaged: {error}") from error


class Best(NamedTuple):
    """The weights that did best on the validation cases: after how many steps, with which mean DSC."""

    steps: int
    mean: float
    weights: dict[str, Tensor]


def save_best(folder: Path, best: Best) -> None:
    """Keep the best weights so far, in one file that replaces the one before."""
    folder.mkdir(parents=True, exist_ok=True)
    stage = folder / "best.safetensors.part"
    save_file(best.weights, stage, metadata={"steps": str(best.steps), "mean": repr(best.mean)})
    settle(stage, folder / "best.safetensors")


def load_best(folder: Path) -> Best | None:
    """The best weights so far, or None before the first validation."""
    path = folder / "best.safetensors"
    if not path.is_file():
        return None
    try:
        with safe_open(path, framework="pt") as file:
            said = file.metadata()
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  not a dictionary
        return Best(int(said["steps"]), float(said["mean"]), weights)
    except _DAMAGE as error:
        raise StorageError(f"{path.name} of {folder.name} is damaged: {error}; remove it and go on") from error


def final_weights(folder: Path, last: Checkpoint, which: str) -> dict[str, Tensor]:
    """The weights that become the model: the `last`, or the `best` by validation, if anything could be validated."""
    best = load_best(folder) if which == "best" else None
    return best.weights if best else last.weights


def publish(folder: Path, weights: dict[str, Tensor]) -> str:
    """Write a model's final weights; their SHA-256."""
    stage = folder / "weights.safetensors.part"
    save_file(weights, stage)
    settle(stage, folder / "weights.safetensors")
    return hashlib.sha256((folder / "weights.safetensors").read_bytes()).hexdigest()


def published(folder: Path) -> dict[str, Tensor]:
    """A model's final weights."""
    path = folder / "weights.safetensors"
    if not path.is_file():
        raise StorageError(f"model {folder.name} has no weights; restore them from a backup or train again")
    try:
        return load_file(path)
    except _DAMAGE as error:
        raise StorageError(f"the weights of {folder.name} are damaged: {error}") from error
