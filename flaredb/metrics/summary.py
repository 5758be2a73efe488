"""Means over cases as the official FLARE script reports them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypedDict

import numpy as np

from flaredb.metrics.protocol import Score, round_score


class Means(TypedDict):
    """Mean DSC and NSD, rounded to 4 decimals."""

    dsc: float
    nsd: float


class ClassMeans(Means):
    """Means of one structure, and over how many cases."""

    n: int


class Summary(TypedDict):
    """Per-structure means, the mean of the organs, and the tumour apart; None where nothing was scored.

    `tumor` counts every case where the tumour was scored, as the official script does; `tumor_present` only those
    whose reference has one.
    """

    mean: dict[str, ClassMeans]
    organ_mean: Means | None
    tumor: ClassMeans | None
    tumor_present: ClassMeans | None


def summarise(cases: Sequence[Mapping[str, Score]], tumor: str = "tumor") -> Summary:
    """Average the scores of cases, each a mapping structure name → score.

    A class mean is the rounded mean of the rounded values over the cases that have the structure; the organ mean
    the rounded mean of the rounded class means of all structures but `tumor`.
    """
    names = dict.fromkeys(name for case in cases for name in case)
    mean = {name: _class_means([case[name] for case in cases if name in case]) for name in names}
    organs = [means for name, means in mean.items() if name != tumor]
    present = [case[tumor] for case in cases if tumor in case and case[tumor].present]
    return Summary(
        mean=mean,
        organ_mean=_organ_mean(organs) if organs else None,
        tumor=mean.get(tumor),
        tumor_present=_class_means(present) if present else None,
    )


def _class_means(scores: Sequence[Score]) -> ClassMeans:
    return ClassMeans(
        dsc=_rounded_mean([score.dsc for score in scores]),
        nsd=_rounded_mean([score.nsd for score in scores]),
        n=len(scores),
    )


def _organ_mean(organs: Sequence[ClassMeans]) -> Means:
    return Means(
        dsc=_rounded_mean([organ["dsc"] for organ in organs]),
        nsd=_rounded_mean([organ["nsd"] for organ in organs]),
    )


def _rounded_mean(values: Sequence[float]) -> float:
    return round_score(float(np.mean(values)))
