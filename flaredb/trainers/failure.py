"""A step that failed, written down so that it can be repeated and looked at."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from flaredb.trainers import checkpoint
from flaredb.trainers.checkpoint import Checkpoint

FAILED = "failed"  # folder beside the checkpoints, with the weights that a step failed with


class Failure(NamedTuple):
    """Loss and gradient norm of a step that were not finite, and how its patches were drawn."""

    loss: float
    gradient: float
    draws: list[Any]


def step_file(step: int) -> str:
    """Name of the document about a step that failed."""
    return f"failed-{step:08d}.json"


def write_failure(folder: Path, stage: Checkpoint, failure: Failure) -> None:
    """Write the draws of the step after `stage`, and the weights that it failed with, beside the checkpoints."""
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint.save(folder / FAILED, stage)
    document = {
        "step": stage.steps,
        "loss": str(failure.loss),
        "gradient": str(failure.gradient),
        "draws": [_plain(draw) for draw in failure.draws],
    }
    (folder / step_file(stage.steps)).write_text(json.dumps(document, indent=1), encoding="utf-8")


def _plain(value: Any) -> Any:
    """Named tuples as objects, arrays as lists."""
    if hasattr(value, "_asdict"):
        return {name: _plain(part) for name, part in value._asdict().items()}
    if isinstance(value, np.ndarray):
        return value.tolist()
    return [_plain(part) for part in value] if isinstance(value, tuple | list) else value
