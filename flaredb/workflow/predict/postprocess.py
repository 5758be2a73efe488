"""Which structures are better with their largest component alone? Decided on held-out cases, as nnU-Net does."""

from __future__ import annotations

import json
from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from flaredb.catalog import cases, current, labels, models
from flaredb.errors import InvalidDataError
from flaredb.geometry import Grid
from flaredb.labels.policy import HUMAN
from flaredb.metrics.masks import Mask
from flaredb.metrics.overlap import dice
from flaredb.metrics.postprocess import Step, postprocess, recipe_text
from flaredb.workspace import Workspace

HELD_OUT = "validation"


def choose_recipe(workspace: Workspace, model: models.Model) -> str:
    """`largest` for each structure whose mean DSC on held-out cases it raises; `none` if it raises none.

    Compared are labels that the model made without post-processing with what people say of these cases.
    InvalidDataError if there are none.
    """
    gains = _gains(workspace, model)
    if not gains:
        raise InvalidDataError(
            "--postprocess auto compares labels that the model made without post-processing with people's: "
            f"flaredb predict --model {model.name} --where \"split = '{HELD_OUT}'\" first"
        )
    better = tuple(name for name in model.structures if name in gains and np.mean(gains[name]) > 0)
    workspace.reporter.say(f"post-processing: largest component of {', '.join(better) or 'nothing'}")
    return recipe_text((Step("largest", 0.0, better),) if better else ())


def _gains(workspace: Workspace, model: models.Model) -> dict[str, list[float]]:
    """Structure → what the largest component alone changes in the DSC of each held-out case."""
    with workspace.catalog.read() as connection:
        wanted = {case.name for case in cases.every(connection, HELD_OUT) if not case.excluded}
        plain = [s["name"] for s in labels.sources(connection) if _plain(labels.recipe_of(connection, s["name"]))]
        made = [each for name in plain for each in labels.of_source(connection, name) if each.model == model.name]
        own = {label.case: label for label in made if label.case in wanted and label.volume}
        chosen: dict[tuple[str, int], list[str]] = defaultdict(list)
        for case, spoken in current.now(connection, sorted(own)).items():
            for each in spoken:
                if each.winner and each.winner.kind in HUMAN and each.structure in model.structures:
                    chosen[case, each.winner.number].append(each.structure)
        truths = labels.by_ids(connection, [number for _, number in chosen])
    gains: dict[str, list[float]] = defaultdict(list)
    for (case, number), names in chosen.items():
        truth = truths[number]
        speaks = [n for n in names if len(truth.codes.superset(n)) == 1 and truth.annotated[n].exhaustive]
        if truth.volume and speaks:
            stored = workspace.volumes.open(truth.volume)
            reference, guess = stored.read(), workspace.volumes.open(own[case].volume or "").read()
            for name in speaks:
                mask: Mask = np.isin(reference, truth.codes.codes_of(name))
                gains[name].append(_gain(workspace, name, guess.astype(np.uint8), mask, stored.grid))
    return gains


def _gain(workspace: Workspace, name: str, guess: NDArray[np.uint8], truth: Mask, grid: Grid) -> float:
    """Change of one structure's DSC; 0 where neither has it."""
    values = {each.name: each.value for each in workspace.structures.structures}
    after = postprocess(guess, grid, (Step("largest", 0.0, (name,)),), values, workspace.structures.organs)
    return dice(truth, after == values[name]) - dice(truth, guess == values[name])


def _plain(recipe: str | None) -> bool:
    """Whether labels made so are as the network gave them; a source older than recipes is."""
    return recipe is None or json.loads(recipe).get("postprocess", "none") == "none"
