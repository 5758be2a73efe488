"""A step that failed, written down so that it can be repeated and looked at."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

from flaredb.trainers import checkpoint
from flaredb.trainers.checkpoint import Checkpoint
from flaredb.trainers.draws import Draw

FAILED = "failed"  # folder beside the checkpoints, with the weights that a step failed with


class Failure(NamedTuple):
    """Loss and gradient norm of a step that were not finite, and how its patches were drawn."""

    loss: float
    gradient: float
    draws: list[Draw]


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
        "draws": [draw.document() for draw in failure.draws],
    }
    (folder / step_file(stage.steps)).write_text(json.dumps(document, indent=1), encoding="utf-8")
