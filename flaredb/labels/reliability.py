"""How far a generated label can be trusted, structure by structure: figures in [0, 1], higher is better.

Agreement of the last rounds is that of the winner of FLARE22 (Huang et al. 2022): with the maps P1, P2, P3 of three
rounds, u = ½·(|P1≠P2| / |P2>0| + |P2≠P3| / |P3>0|), counted in voxels, here over the pairs there are, and
1 - min(1, u). For one structure the same, over its own voxels. Where both of a pair are empty they agree (u = 0); where
one is, they do not (u = 1 or more).

Plausibility holds what a label draws of a structure against what is drawn of it in other cases: robust z-scores (median
and 1.4826 times the median absolute deviation) of log volume, of the share of its largest piece and of its position.
What a label leaves empty is as plausible as the structure is rare.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

AGREEMENT = "agreement"
WHOLE = "whole_agreement"
EXTERNAL = "external_agreement"
PLAUSIBILITY = "plausibility"
CONFIDENCE = "confidence"
EXPECTED = "expected_dice"
MIRROR = "mirror_agreement"
COMBINED = "combined"
PARTS = (AGREEMENT, WHOLE, EXTERNAL, PLAUSIBILITY, CONFIDENCE, EXPECTED, MIRROR)

WEIGHTS: Mapping[str, float] = {
    EXPECTED: 8,
    CONFIDENCE: 2,
    AGREEMENT: 1,
    MIRROR: 1,
    EXTERNAL: 0.5,
    PLAUSIBILITY: 0.25,
}
"""How much each part weighs in the combined score.

Chosen by measurement on two seeds (docs/reliability.md); that of flips was not measured.
"""

LEAST = 0.01  # a part at or near zero pulls the combined score down, and does not wipe out what the others say
FEW = 5  # a cohort of fewer tells nothing about what is usual
_SIGMA = 1.4826  # of the median absolute deviation, for a normal distribution
# Spreads below these are the lattice's: 10 % of a volume, a twentieth of a structure in other pieces, 5 mm.
_FLOORS = (0.1, 0.05, 5.0, 5.0, 5.0)
_WIDTH = 3.0  # z at which plausibility has fallen to exp(-1/2)


class Overlap(NamedTuple):
    """Two maps of structures' values compared voxel by voxel: voxels by value in the first, the second and both."""

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    both: NDArray[np.int64]

    @classmethod
    def of(cls, first: NDArray[np.uint8], second: NDArray[np.uint8], size: int) -> Overlap:
        """Compare two arrays (z, y, x) of values below `size`, 0 for none."""
        same = first[first == second]
        return cls(*(np.bincount(array.ravel(), minlength=size) for array in (first, second, same)))

    def change(self, value: int) -> float:
        """u of a structure, from the first to the second: unlike voxels over those of the second; may exceed 1."""
        return _ratio(int(self.first[value] + self.second[value] - 2 * self.both[value]), int(self.second[value]))

    def whole_change(self) -> float:
        """u of the whole map, from the first to the second; may exceed 1."""
        return _ratio(int(self.first.sum() - self.both.sum()), int(self.second[1:].sum()))

    def dice(self, value: int) -> float:
        """Dice of a structure; 1 where both are empty."""
        total = int(self.first[value] + self.second[value])
        return 2 * int(self.both[value]) / total if total else 1.0


def agreement(changes: Sequence[float]) -> float | None:
    """1 - min(1, u) with u the mean change over the pairs there are; None without a pair."""
    return 1 - min(1.0, sum(changes) / len(changes)) if changes else None


class Shape(NamedTuple):
    """What a label draws of a structure; one that is empty has no volume and no position.

    `volume_ml`; `largest`: the share of its largest piece; `position` (z, y, x) in mm from the middle of the organs
    that the same label draws, None where there is none; `inside`: for lesions the share that lies in or at an organ.
    """

    volume_ml: float
    largest: float = 1.0
    position: tuple[float, float, float] | None = None
    inside: float = 1.0


class Cohort(NamedTuple):
    """What is usual of a structure: medians and spreads of its features, None where too few are known; how often it is
    absent."""

    medians: tuple[float | None, ...]
    spreads: tuple[float, ...]
    absent: float


def usual(shapes: Sequence[Shape], absent: float) -> Cohort:
    """What shapes have in common; `absent` is the share of cases that do not have the structure."""
    columns = [[_features(shape)[k] for shape in shapes if shape.volume_ml] for k in range(len(_FLOORS))]
    known = [[value for value in column if value is not None] for column in columns]
    medians = [float(np.median(column)) if len(column) >= FEW else None for column in known]
    spreads = [
        floor if middle is None else max(floor, _SIGMA * float(np.median(np.abs(np.array(column) - middle))))
        for column, middle, floor in zip(known, medians, _FLOORS, strict=True)
    ]
    return Cohort(tuple(medians), tuple(spreads), absent)


def absence(volumes: Sequence[float], lesion: bool) -> float:
    """How often a structure is absent: of the volumes people drew, as if two cases more were known.

    Of those two an organ is absent in one of twenty, a lesion in one of two: of few cases nothing is certain.
    """
    expected = 0.5 if lesion else 0.05
    return (sum(volume == 0 for volume in volumes) + 2 * expected) / (len(volumes) + 2)


def plausibility(shape: Shape, cohort: Cohort) -> float:
    """How usual a shape is, in [0, 1]: by the worst of its z-scores; an empty one by how often the structure is absent.

    A piece's share counts only downwards: one piece is never doubtful. For a lesion, times the share inside organs.
    """
    if not shape.volume_ml:
        return cohort.absent
    scores = [
        0.0 if value is None or middle is None else (value - middle) / spread
        for value, middle, spread in zip(_features(shape), cohort.medians, cohort.spreads, strict=True)
    ]
    volume, pieces = abs(scores[0]), max(0.0, -scores[1])
    away = math.sqrt(sum(z * z for z in scores[2:]) / 3)
    worst = max(volume, pieces, away)
    return math.exp(-((worst / _WIDTH) ** 2) / 2) * shape.inside


def combined(parts: Mapping[str, float], empty: bool) -> float | None:
    """The weighted geometric mean of the parts there are, by `WEIGHTS`; None if there is none.

    A product, because one strong doubt is enough, and none of the parts speaks for another. What a label leaves empty
    has only its plausibility: rounds that miss an organ alike agree perfectly.
    """
    if empty:
        return parts.get(PLAUSIBILITY)
    weights = {name: WEIGHTS[name] for name in parts if WEIGHTS.get(name)}
    total = sum(weights.values())
    if not total:
        return None
    return math.exp(sum(w * math.log(max(LEAST, parts[name])) for name, w in weights.items()) / total)


def threshold_of_share(values: Sequence[float], share: float) -> float:
    """The least value that is kept when a share of the values, the lowest, is dropped; equal values are kept together.

    A share of 0 drops nothing; of an empty list the threshold is 0.
    """
    ordered = sorted(values)
    dropped = math.floor(share * len(ordered) + 1e-9)
    return ordered[min(dropped, len(ordered) - 1)] if ordered else 0.0


def _ratio(unlike: int, drawn: int) -> float:
    if drawn:
        return unlike / drawn
    return 1.0 if unlike else 0.0


def _features(shape: Shape) -> tuple[float | None, ...]:
    """Log volume, share of the largest piece, position along z, y and x."""
    position: tuple[float | None, ...] = shape.position or (None, None, None)
    return (math.log(shape.volume_ml) if shape.volume_ml else None, shape.largest, *position)
