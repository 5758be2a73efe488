"""From scores to claims: means, and paired bootstrap intervals of differences over seeds and cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from flaredb.labels.structures import FLARE23
from partial.plan import RARE, RESAMPLES

Floats = NDArray[np.float64]
ORGANS = [FLARE23[name].value - 1 for name in FLARE23.organs]
RARES = [FLARE23[name].value - 1 for name in RARE]
TUMOR = FLARE23["tumor"].value - 1


class Interval(NamedTuple):
    """A mean and its 95 % interval."""

    mean: float
    low: float
    high: float


def measures(scores: Sequence[Mapping[str, Any]]) -> dict[str, Floats]:
    """By measure a value for every case; NaN where the measure does not apply to the case."""
    dsc = np.array([row["dsc"] for row in scores])
    present = np.array([row["present"] for row in scores])
    return {
        "organs": dsc[:, ORGANS].mean(1),
        "rare organs": dsc[:, RARES].mean(1),
        "tumor, cases that have one": np.where(present[:, TUMOR], dsc[:, TUMOR], np.nan),
        "tumor, both empty = 1": dsc[:, TUMOR],
    }


def interval(by_seed: Sequence[Floats]) -> Interval:
    """Mean over seeds of the mean over cases; resampled over seeds and, within each, over cases."""
    random = np.random.default_rng(0)
    kept = [values[~np.isnan(values)] for values in by_seed]
    means = np.empty(RESAMPLES)
    for n in range(RESAMPLES):
        drawn = [kept[i] for i in random.integers(len(kept), size=len(kept))]
        means[n] = np.mean([values[random.integers(len(values), size=len(values))].mean() for values in drawn])
    low, high = np.quantile(means, [0.025, 0.975])
    return Interval(float(np.mean([values.mean() for values in kept])), float(low), float(high))


def claims(runs: Sequence[Mapping[str, Any]], ours: str, rivals: Sequence[str]) -> list[dict[str, Any]]:
    """For every setting, measure and rival: both means, the difference and its interval, which is to be above 0."""
    rows = []
    for setting in sorted({run["setting"] for run in runs}):
        own = _by_seed(runs, setting, ours)
        for rival in rivals:
            theirs = _by_seed(runs, setting, rival)
            seeds = sorted(own.keys() & theirs.keys())
            for measure in next(iter(own.values()), {}) if seeds else ():
                mine, other = ([side[seed][measure] for seed in seeds] for side in (own, theirs))
                rows.append(_claim(f"{measure}, {setting}", mine, other, rival) | {"method": ours, "seeds": len(seeds)})
    return rows


def _by_seed(runs: Sequence[Mapping[str, Any]], setting: str, method: str) -> dict[int, dict[str, Floats]]:
    wanted = [run for run in runs if run["setting"] == setting and run["method"] == method]
    return {run["seed"]: measures(run["scores"]) for run in wanted}


def _claim(claim: str, ours: Sequence[Floats], theirs: Sequence[Floats], rival: str) -> dict[str, Any]:
    difference = interval([a - b for a, b in zip(ours, theirs, strict=True)])
    mine, other = (float(np.mean([np.nanmean(values) for values in side])) for side in (ours, theirs))
    return {
        "claim": claim,
        "flaredb": round(mine, 4),
        "rival": round(other, 4),
        "rival_name": rival,
        "unit": "DSC",
        "ratio": round(mine / other, 3) if other else None,
        "target": 0.0,
        "met": difference.low > 0,
        "difference": round(difference.mean, 4),
        "interval": [round(difference.low, 4), round(difference.high, 4)],
    }
