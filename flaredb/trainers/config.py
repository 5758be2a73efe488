"""Settings of a training run: presets, single values from text, and what they mean."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from flaredb.errors import InvalidDataError
from flaredb.trainers import levels

Triple = tuple[float, float, float]
Shape = tuple[int, int, int]
Range = tuple[float, float]


@dataclass(frozen=True)
class Config:
    """Everything that decides a training run beside its snapshot. Triples are (z, y, x)."""

    preset: str = "tiny"
    spacing: Triple = (6.6, 5.5, 5.5)
    """Voxel size the network works at, mm."""
    patch: Shape = (24, 40, 40)
    """Voxels of a training patch and of a prediction window."""
    batch: int = 4
    """Patches a step."""
    channels: tuple[int, ...] = (24, 48, 96)
    """Channels of the network's levels, finest first."""
    stem: Shape = (2, 2, 2)
    """Stride of the first level; logits are interpolated back to full resolution."""
    steps: int = 400
    """Optimiser steps in all."""
    schedule_steps: int = 0
    """Steps over which the learning rate falls to zero; 0 means `steps`."""
    learning_rate: float = 3e-3
    """At the first step; it falls as (1 - step / schedule_steps) ** 0.9."""
    weight_decay: float = 3e-5
    """Of the optimiser."""
    clip_gradient: float = 12.0
    """Largest norm of the gradient."""
    foreground: float = 0.6
    """Share of the patches that hold a structure of the task; the others are spread over annotation patterns."""
    rotation: float = 15.0
    """Largest rotation about each axis, degrees."""
    scale: float = 0.15
    """Largest relative change of size."""
    rotate_chance: float = 1.0
    """How often a patch is rotated."""
    scale_chance: float = 1.0
    """How often its size is changed."""
    in_plane: bool = False
    """Rotate and size within slices alone, as nnU-Net does where a patch has less than a third as many as rows."""
    scale_up: float = 0.0
    """Largest relative growth of what a patch shows, where it is not `scale`; 0 means `scale`."""
    mirror: str = ""
    """Axes along which every other patch is mirrored, such as `zyx`; empty for none."""
    elastic_chance: float = 0.0
    """How often a patch is deformed."""
    elastic: float = 10.0
    """Largest displacement of a deformation along each axis, mm."""
    elastic_distance: float = 40.0
    """Distance of its control points, mm; at least two and a half times the displacement, or it would fold."""
    beyond: float = 1.0
    """Largest share of a patch beyond either end of the scan, along each axis; 0 keeps patches within it."""
    patterns: float = 0.0
    """How often a pattern of annotation is drawn: by its cases to this power. 0: each as often; 1: as it has cases."""
    ahead: int = 2
    """Batches whose voxels are being read before they are needed."""
    noise: float = 0.1
    """Largest standard deviation of added noise, after normalisation."""
    contrast: float = 0.15
    """Largest relative change of contrast, and shift of brightness: of every patch."""
    noise_chance: float = 1.0
    """How often noise is added. This and the next: chances from 0 to 1, each drawn for itself."""
    blur_chance: float = 0.0
    """How often a patch is blurred."""
    blur: Range = (0.5, 1.0)
    """Standard deviation of the blur, voxels, drawn for each axis."""
    brightness_chance: float = 0.0
    """How often a patch is multiplied."""
    brightness: Range = (0.75, 1.25)
    """By what."""
    contrast_chance: float = 0.0
    """How often a patch's distance from its mean is multiplied, its range kept."""
    contrast_range: Range = (0.75, 1.25)
    """By what."""
    low_resolution_chance: float = 0.0
    """How often a patch is made coarser and enlarged again."""
    low_resolution: Range = (0.5, 1.0)
    """Share of the voxels kept along each axis."""
    gamma_inverted_chance: float = 0.0
    """How often an exponent is applied to the inverted patch, its mean and spread kept."""
    gamma_chance: float = 0.0
    """How often an exponent is applied to the patch, its mean and spread kept."""
    gamma: Range = (0.7, 1.5)
    """The exponent."""
    hu_low: float = -200.0
    """Values below are set to this."""
    hu_high: float = 300.0
    """Values above are set to this."""
    hu_mean: float = 60.0
    """Subtracted."""
    hu_std: float = 70.0
    """Divided by."""
    open_lesions: str = "unasked"
    """What a label that knows the site and nothing of lesions teaches of them: nothing (`unasked`), or `prior`."""
    lesion_prior: float = 0.05
    """Weight of a lesion there, with `open_lesions=prior`."""
    bf16: bool = True
    """Compute in bfloat16 where it is safe."""
    overlap: float = 0.5
    """Overlap of prediction windows."""
    checkpoint_every: int = 100
    """Steps between checkpoints."""
    validate_every: int = 0
    """Steps between predictions of whole validation cases; 0 means never."""
    validate_cases: int = 8
    """How many of them, at most."""
    validation_snapshot: str = ""
    """A reference snapshot whose cases to validate on; empty: what people labelled of the validation split."""
    publish: str = "last"
    """Which weights become the model: the `last`, or the `best` by validation."""
    picture_every: int = 500
    """Steps between pictures of a patch on TensorBoard; 0 means none."""
    seed: int = 0
    """Of weights and of the stream of patches."""
    fit_levels: bool = False
    """Halve an axis only while its spacing is near the finest (nnU-Net's rule); else every axis at every level."""
    blocks: int = 0
    """Residual blocks a level, as STU-Net stacks them; 0: two plain convolutions a level."""
    deep_supervision: int = 0
    """Coarser levels that are trained, too, each at half the weight of the one before."""
    optimiser: str = "adamw"
    """`adamw`, or `sgd` with Nesterov's momentum."""
    momentum: float = 0.99
    """Of `sgd`."""
    dice_form: str = "batch"
    """How Dice terms are put together: `batch` (sum over a constant), `batch-mean` or `sample-mean`."""
    lesion_dice: float = 3.0
    """Weight of a drawn lesion's Dice term beside organs; an organ's is 1."""
    lesion_voxels: float = 1.0
    """Weight of a drawn lesion's voxels in the cross-entropy; another voxel's is 1."""
    lesion_share: float = 0.25
    """Share of the patches drawn for a structure that, beside organs, are drawn for a lesion; 0: as for any other."""
    negatives: str = ""
    """`tumor=0.2`: where labels leave tumours open, that there is none counts at this weight."""

    @property
    def horizon(self) -> int:
        """Steps over which the learning rate falls."""
        return self.schedule_steps or self.steps

    @property
    def negative_weights(self) -> dict[str, float]:
        """Structure → weight of its absence where labels leave it open."""
        pairs = (part.partition("=") for part in self.negatives.split(",") if part)
        try:
            return {name: float(weight) for name, _, weight in pairs}
        except ValueError as error:
            raise InvalidDataError(f"negatives {self.negatives}: wants structures and weights, tumor=0.2") from error

    def text(self) -> str:
        """Canonical JSON."""
        return json.dumps(asdict(self), sort_keys=True)


def change(config: Config, settings: Mapping[str, str]) -> Config:
    """The configuration with values replaced; InvalidDataError names a key or value that is off."""
    known = {field.name for field in fields(Config)} - {"preset"}
    values: dict[str, Any] = {}
    for key, text in _joined(settings).items():
        if key not in known:
            raise InvalidDataError(f"--set {key}: no such setting; there are: {' '.join(sorted(known))}")
        values[key] = _value(key, text, getattr(config, key))
    changed = replace(config, **values)
    _check(changed)
    return changed


def _joined(settings: Mapping[str, str]) -> dict[str, str]:
    """`negatives.tumor=0.2` is `negatives=tumor=0.2`."""
    parts = {key.removeprefix("negatives."): text for key, text in settings.items() if key.startswith("negatives.")}
    plain = {key: text for key, text in settings.items() if not key.startswith("negatives.")}
    return {**plain, "negatives": ",".join(f"{name}={text}" for name, text in parts.items())} if parts else plain


def level_shapes(config: Config) -> tuple[list[Shape], list[Shape]]:
    """Strides and kernels of the network's levels, finest first."""
    count = len(config.channels)
    if config.fit_levels:
        return levels.fitted(count, config.stem, config.spacing, config.patch)
    return levels.isotropic(count, config.stem)


def from_document(document: Mapping[str, Any]) -> Config:
    """Read what `asdict` wrote, through JSON or not."""
    values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in document.items()}
    return Config(**values)


def _value(key: str, text: str, old: Any) -> Any:
    try:
        if isinstance(old, bool):
            return {"true": True, "false": False, "1": True, "0": False}[text.lower()]
        if isinstance(old, tuple):
            return tuple(type(old[0])(part) for part in text.split(","))
        return type(old)(text)
    except (ValueError, KeyError) as error:
        raise InvalidDataError(f"--set {key}={text}: wants a value like {old}") from error


def _check(config: Config) -> None:
    _check_values(config)
    if len(config.channels) < 3:
        raise InvalidDataError(f"channels {config.channels}: the network has at least three levels")
    if not 0 <= config.deep_supervision <= len(config.channels) - 2:
        raise InvalidDataError(f"deep_supervision: from 0 to {len(config.channels) - 2} for this network")
    if any(size % step for size, step in zip(config.patch, config.stem, strict=True)):
        raise InvalidDataError(f"patch {config.patch}: sizes must be multiples of the stem {config.stem}")
    down = [math.prod(along) for along in zip(*level_shapes(config)[0], strict=True)]
    if any(size % factor for size, factor in zip(config.patch, down, strict=True)):
        wanted = ",".join(str(factor) for factor in down)
        raise InvalidDataError(f"patch {config.patch}: sizes must be multiples of {wanted} for this network")


def _check_values(config: Config) -> None:
    """Every number within what it can mean."""
    triples = {"spacing": config.spacing, "patch": config.patch, "stem": config.stem}
    rules = {
        **{f"{name} has three values (z,y,x)": len(value) == 3 for name, value in triples.items()},
        **{f"{name} is positive and finite": all(0 < v < math.inf for v in value) for name, value in triples.items()},
        "channels are positive": min(config.channels) > 0,
        "steps, batch and checkpoint_every are at least 1": min(config.steps, config.batch, config.checkpoint_every)
        >= 1,
        "schedule_steps is 0 or at least steps": config.schedule_steps == 0 or config.schedule_steps >= config.steps,
        "learning_rate and clip_gradient are positive": _within(config.learning_rate, config.clip_gradient, low=1e-12),
        "weight_decay, rotation, noise are at least 0": _within(config.weight_decay, config.rotation, config.noise),
        "foreground and lesion_prior are from 0 to 1": _within(config.foreground, config.lesion_prior, high=1),
        "scale, contrast and overlap are from 0 to below 1": _within(
            config.scale, config.contrast, config.overlap, high=0.999
        ),
        "hu_low is below hu_high, both within 16 bits, hu_std positive": config.hu_low < config.hu_high
        and _within(config.hu_low, config.hu_high, low=-32768, high=32767)
        and _within(config.hu_std, low=1e-6)
        and math.isfinite(config.hu_mean),
        **_intensity_rules(config),
        "validate_every, picture_every are at least 0, validate_cases at least 1": min(
            config.validate_every, config.picture_every, config.validate_cases - 1
        )
        >= 0,
        "blocks are at least 0": config.blocks >= 0,
        "optimiser is adamw or sgd": config.optimiser in ("adamw", "sgd"),
        "momentum is from 0 to below 1": _within(config.momentum, high=0.9999),
        "open_lesions is unasked or prior": config.open_lesions in ("unasked", "prior"),
        "lesion_prior counts with open_lesions=prior": config.open_lesions == "prior" or config.lesion_prior == 0.05,
        "dice_form is batch, batch-mean or sample-mean": config.dice_form in ("batch", "batch-mean", "sample-mean"),
        "rotate_chance, scale_chance and elastic_chance are from 0 to 1": _within(
            config.rotate_chance, config.scale_chance, config.elastic_chance, high=1
        ),
        "scale_up is from 0 to 10": _within(config.scale_up, high=10),
        "patterns and beyond are from 0 to 1": _within(config.patterns, config.beyond, high=1),
        "mirror names axes, such as zyx": len(set(config.mirror) & set("zyx")) == len(config.mirror),
        "elastic is at least 0, elastic_distance at least 1": _within(config.elastic, config.elastic_distance - 1),
        "elastic_distance is at least 2.5 times elastic": config.elastic <= 0.4 * config.elastic_distance,
        "ahead is from 1 to 64": 1 <= config.ahead <= 64,
        "publish is last or best": config.publish in ("last", "best"),
        "publish=best needs validate_every": config.publish == "last" or config.validate_every > 0,
        "lesion_dice is at least 0": _within(config.lesion_dice),
        "lesion_share and negatives are from 0 to 1": _within(
            config.lesion_share, *config.negative_weights.values(), high=1
        ),
        "seed is from 0 to 2**63 - 1": 0 <= config.seed < 2**63,
    }
    for rule, holds in rules.items():
        if not holds:
            raise InvalidDataError(f"training settings: {rule}")


def _intensity_rules(config: Config) -> dict[str, bool]:
    chances = {name: getattr(config, name) for name in (field.name for field in fields(config)) if "_chance" in name}
    names = ("blur", "brightness", "contrast_range", "low_resolution", "gamma")
    ranges = {name: getattr(config, name) for name in names}
    return {
        **{f"{name} is from 0 to 1": _within(value, high=1) for name, value in chances.items()},
        **{
            f"{name} is a range of positive values, low,high": len(value) == 2
            and _within(*value, low=1e-3, high=100)
            and value[0] <= value[1]
            for name, value in ranges.items()
        },
        "low_resolution is at most 1": max(config.low_resolution) <= 1,
    }


def _within(*values: float, low: float = 0.0, high: float = 1e9) -> bool:
    return all(low <= value <= high for value in values)
