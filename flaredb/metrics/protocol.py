"""The official FLARE evaluations, to the digit.

Arrays are in the order *stored in the file* (x, y, z; axis 2 is z, nothing is reoriented), because the official
script cuts tubular structures along axis 2 of what nibabel gives. Source: the evaluation scripts of
https://github.com/JunMa11/FLARE; its FLARE23 script has had the DSC floor of 0.2 since March 2024, 0.1 before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flaredb.errors import Finding, InvalidDataError
from flaredb.geometry import Triple
from flaredb.metrics.masks import Mask, bounding_box, require_same_lattice
from flaredb.metrics.measures import measure
from flaredb.metrics.overlap import dice
from flaredb.metrics.pairs import LabelledPair, labelled_pairs
from flaredb.metrics.surface import surface_dice

_DECIMALS = 4


@dataclass(frozen=True)
class StructureRule:
    """How one structure is scored: its label value (1 or more), name, NSD tolerance; a tube? a lesion?"""

    value: int
    name: str
    tolerance_mm: float
    tubular: bool = False
    lesion: bool = False


@dataclass(frozen=True)
class Protocol:
    """One year's evaluation."""

    name: str
    structures: tuple[StructureRule, ...]  # scored when the caller names none
    tubes_cut: bool = True  # tubular structures count only on the slices where the reference has them
    dice_floor: float = 0.2  # below this DSC the NSD is 0
    tolerance_mm: float | None = None  # used for every structure instead of its own; None: its own
    measures: tuple[str, ...] = ()  # what else is measured, of `measures.MEASURES`; not the organisers'


@dataclass(frozen=True)
class Score:
    """DSC and NSD of one structure of one case, rounded to 4 decimals.

    `present` says whether the reference has the structure; `findings` name no case, the caller knows it; `more` are
    the figures of the measures asked for.
    """

    dsc: float
    nsd: float
    present: bool
    findings: tuple[Finding, ...] = ()
    more: Mapping[str, float | None] = field(default_factory=dict)


_ORGANS = (
    StructureRule(1, "liver", 5),
    StructureRule(2, "right_kidney", 3),
    StructureRule(3, "spleen", 3),
    StructureRule(4, "pancreas", 5),
    StructureRule(5, "aorta", 2, tubular=True),
    StructureRule(6, "inferior_vena_cava", 2, tubular=True),
    StructureRule(7, "right_adrenal_gland", 2),
    StructureRule(8, "left_adrenal_gland", 2),
    StructureRule(9, "gallbladder", 2),
    StructureRule(10, "esophagus", 3, tubular=True),
    StructureRule(11, "stomach", 5),
    StructureRule(12, "duodenum", 7),
    StructureRule(13, "left_kidney", 3),
)
_FLARE21 = (
    StructureRule(1, "liver", 1),
    StructureRule(2, "kidneys", 1),
    StructureRule(3, "spleen", 1),
    StructureRule(4, "pancreas", 1),
)

PROTOCOLS = {
    "flare21": Protocol("flare21", _FLARE21, tubes_cut=False, dice_floor=0.0, tolerance_mm=1.0),
    "flare22": Protocol("flare22", _ORGANS),
    "flare23": Protocol("flare23", (*_ORGANS, StructureRule(14, "tumor", 2, lesion=True))),
}


def score_case(
    reference: NDArray[Any],
    prediction: NDArray[Any],
    spacing: Triple,
    protocol: Protocol,
    structures: Sequence[StructureRule] | None = None,
    threads: int = 1,
) -> dict[str, Score]:
    """Score one case: structure name → score, for the structures asked for (None: all of the protocol).

    `reference` and `prediction` are label arrays in stored file order (x, y, z), values truncated to integers;
    `spacing` is the reference's header pixdim in the same order, mm. Structures are spread over `threads`. Raises
    `InvalidDataError` when the shapes differ, or when a spacing or label value is not positive.
    """
    rules = protocol.structures if structures is None else structures
    size = _header_spacing(spacing)

    def score(pair: tuple[StructureRule, LabelledPair]) -> Score:
        rule, found = pair
        return _score(found, size, rule, protocol)

    named = {rule.value: rule for rule in rules}
    with ThreadPoolExecutor(max(1, threads)) as pool:
        pairs = labelled_pairs(reference, prediction, list(named), pool)
        # the largest first, because whoever gets it last keeps the others waiting
        largest = sorted(pairs, key=lambda value: -pairs[value].size)
        scores = dict(zip(largest, pool.map(score, [(named[v], pairs[v]) for v in largest]), strict=True))
    return {rule.name: scores[rule.value] for rule in rules}


def score_structure(
    reference_mask: Mask, prediction_mask: Mask, spacing: Triple, rule: StructureRule, protocol: Protocol
) -> Score:
    """Score one structure of one case from its two masks.

    Masks are boolean in stored file order (x, y, z), of one shape; they may be cut to any box that holds both.
    `spacing` is the reference's header pixdim in that order, mm; it is taken as float32, because headers hold
    float32 and a spacing near the tolerance decides over whole slices. Both empty: 1, 1; one empty: 0, 0.
    Raises `InvalidDataError` when the shapes differ or a spacing is not positive.
    """
    require_same_lattice(reference_mask, prediction_mask)
    boxes = bounding_box(reference_mask), bounding_box(prediction_mask)
    return _score(LabelledPair(reference_mask, prediction_mask, *boxes), _header_spacing(spacing), rule, protocol)


def _score(pair: LabelledPair, spacing: Triple, rule: StructureRule, protocol: Protocol) -> Score:
    """What `score_structure` promises, of a pair whose boxes are known."""
    score = _agreement(pair, spacing, rule, protocol)
    if not protocol.measures:
        return score
    return replace(score, more=measure(*pair.masks(pair.box), spacing, protocol.measures, rule.lesion))


def _agreement(pair: LabelledPair, spacing: Triple, rule: StructureRule, protocol: Protocol) -> Score:
    if pair.reference_box is None or pair.prediction_box is None:
        agree = float(pair.reference_box is pair.prediction_box)
        return Score(agree, agree, pair.reference_box is not None)
    box = pair.box
    findings: tuple[Finding, ...] = ()
    if rule.tubular and protocol.tubes_cut:
        slices, findings = _tube_slices(pair.reference_box[2], rule)
        box = (box[0], box[1], slices)
    dsc, nsd = _dsc_and_nsd(*pair.masks(box), spacing, rule, protocol)
    return Score(dsc, nsd, True, findings)


def _dsc_and_nsd(
    reference: Mask, prediction: Mask, spacing: Triple, rule: StructureRule, protocol: Protocol
) -> tuple[float, float]:
    """Rounded DSC and NSD; the floor is held against the DSC before rounding."""
    dsc = dice(reference, prediction)
    if dsc < protocol.dice_floor:
        return round_score(dsc), 0.0
    tolerance = rule.tolerance_mm if protocol.tolerance_mm is None else protocol.tolerance_mm
    return round_score(dsc), round_score(surface_dice(reference, prediction, spacing, tolerance))


def round_score(value: float) -> float:
    """Round to 4 decimals as NumPy does (scale, round half to even), because the official script rounds so.

    Python's `round` looks at the exact decimal expansion and differs where a DSC ends in …5.
    """
    return float(np.round(value, _DECIMALS))


def _tube_slices(labelled: slice, rule: StructureRule) -> tuple[slice, tuple[Finding, ...]]:
    """The slices a tube is scored on: those of the reference but its last one, which the official script drops."""
    if labelled.stop - labelled.start > 1:
        return slice(labelled.start, labelled.stop - 1), ()
    message = f"{rule.name} has a single slice, on which the official script fails; scored on that slice"
    return labelled, (Finding("warning", None, "single-slice-tube", message),)


def _header_spacing(spacing: Triple) -> Triple:
    first, second, third = (float(np.float32(size)) for size in spacing)
    if not (min(first, second, third) > 0 and np.isfinite([first, second, third]).all()):
        message = f"voxel spacing must be three positive numbers of mm, not {spacing}"
        raise InvalidDataError(message, [Finding("error", None, "score-spacing", message)])
    return first, second, third
