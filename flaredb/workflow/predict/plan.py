"""What scans are predicted with, and one scan predicted: the same in a workspace and on plain files.

Nothing here needs the catalogue.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from flaredb.errors import InvalidDataError
from flaredb.geometry import Grid
from flaredb.labels.structures import Structure
from flaredb.metrics.postprocess import Recipe, parse_recipe, postprocess, recipe_text
from flaredb.trainers import runtime
from flaredb.trainers.config import from_document
from flaredb.trainers.engines import find_engine, find_precision
from flaredb.trainers.predict import Prediction, Predictor, Settings


class PredictOptions(NamedTuple):
    """Settings of a prediction.

    `mirror` lists axes (0 z, 1 y, 2 x) to average flips over; `crop` and `skip_air` leave out what lies around the
    body; `engine` and `precision` as `trainers.engines` has them; `postprocess` is a recipe of `metrics.postprocess`,
    `none` or `auto`; `workers` predict at once, each in a process of its own where there are several.
    """

    device: str = "auto"
    mirror: tuple[int, ...] = ()
    engine: str = "torch"
    precision: str = "auto"
    crop: bool = False
    skip_air: bool = False
    postprocess: str = "none"
    workers: int = 1


class Member(NamedTuple):
    """One trained network: name, configuration, the structures of its classes 1, 2, 3 …, and its weights."""

    name: str
    config: dict[str, Any]
    structures: tuple[Structure, ...]
    weights: Any


class Plan(NamedTuple):
    """What a scan is predicted with; `recipe` is `options.postprocess`, read."""

    structures: tuple[Structure, ...]
    options: PredictOptions
    recipe: Recipe

    @property
    def values(self) -> dict[str, int]:
        """Structure → the code to write."""
        return {structure.name: structure.value for structure in self.structures}


class Sure(NamedTuple):
    """How sure a prediction is, by structure; see `trainers.predict.Prediction`."""

    confidence: dict[str, float]
    disagreement: dict[str, float]
    expected: dict[str, float]


def make_plan(structures: tuple[Structure, ...], options: PredictOptions) -> Plan:
    """InvalidDataError for a recipe that the structures do not fit."""
    return Plan(structures, options, parse_recipe(options.postprocess, [each.name for each in structures]))


def check_members(members: list[Member]) -> tuple[Structure, ...]:
    """The structures of models that are to be averaged; InvalidDataError unless all have the same ones."""
    first = members[0]
    for other in members[1:]:
        if [each.name for each in other.structures] != [each.name for each in first.structures]:
            raise InvalidDataError(
                f"{first.name} and {other.name} segment different structures; predict with each alone"
            )
    return first.structures


def settled(config: dict[str, Any], options: PredictOptions) -> PredictOptions:
    """With what `auto` comes to here; UsageError for a device, an engine or a precision that cannot be had."""
    device = runtime.find_device(options.device)
    engine = find_engine(options.engine, device)
    return options._replace(engine=engine, precision=find_precision(options.precision, from_document(config), device))


def make_predictor(members: list[Member], options: PredictOptions) -> Predictor:
    """Networks in memory, on the device."""
    settings = Settings(
        options.mirror, options.crop, options.skip_air, engine=options.engine, precision=options.precision
    )
    loaded = [(from_document(member.config), member.weights) for member in members]
    device = runtime.find_device(options.device)
    return Predictor.of_many(loaded, len(members[0].structures) + 1, device, settings)


def finish_one(plan: Plan, prediction: Prediction, grid: Grid) -> tuple[NDArray[np.uint8], Sure]:
    """The codes to write, post-processed, and how sure they are; needs no device."""
    table = np.array([0, *(structure.value for structure in plan.structures)], np.uint8)
    organs = [structure.name for structure in plan.structures if structure.kind == "organ"]
    codes = table[prediction.classes]
    if plan.recipe:
        codes = postprocess(codes, grid, plan.recipe, plan.values, organs)
    names = [structure.name for structure in plan.structures]
    confidence = {names[k - 1]: value for k, value in prediction.confidence.items()}
    disagreement = {names[k - 1]: value for k, value in prediction.disagreement.items()}
    expected = {names[k - 1]: value for k, value in prediction.expected.items()}
    return codes, Sure(confidence, disagreement, expected)


def provenance(members: list[str], plan: Plan) -> str:
    """What decides the labels beside the scans, as JSON; it is kept with their source."""
    options = plan.options
    told = {
        "models": members,
        "mirror": "".join("zyx"[axis] for axis in sorted(options.mirror)),
        "crop": options.crop,
        "skip_air": options.skip_air,
        "postprocess": recipe_text(plan.recipe),
    }
    return json.dumps(told)


def same_way(one: str, other: str) -> bool:
    """Whether two provenances differ in nothing but the model: a label bears the first of several, which alone tells
    whose cases are done."""
    first, second = json.loads(one), json.loads(other)
    if first["models"][0] != second["models"][0] and len(first["models"]) == len(second["models"]) == 1:
        first["models"] = second["models"]
    return bool(first == second)
