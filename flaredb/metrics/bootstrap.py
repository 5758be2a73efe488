"""How far a mean could be off: intervals from resampling patients, whose cases stay together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_RESAMPLES = 2000
_SEED = 23
_AT_ONCE = 1 << 22  # figures drawn at a time, so that thousands of patients take little memory


def mean_interval(values: Sequence[float], groups: Sequence[str], level: float = 0.95) -> tuple[float, float] | None:
    """Percentile bootstrap interval of a mean over resampled groups; None with fewer than two groups.

    `values` are one a case, `groups` name the patient of each. The same figures always give the same interval.
    """
    _, numbers = np.unique(list(groups), return_inverse=True)
    count = int(numbers.max(initial=-1)) + 1
    if count < 2:
        return None
    sums = np.bincount(numbers, weights=np.asarray(values, float), minlength=count).astype(np.float64)
    sizes = np.bincount(numbers, minlength=count)
    low, high = np.percentile(_means(sums, sizes), [50 * (1 - level), 50 * (1 + level)])
    return float(low), float(high)


def _means(sums: NDArray[np.float64], sizes: NDArray[Any]) -> NDArray[np.float64]:
    """Means over groups drawn with replacement, as many as there are."""
    random = np.random.default_rng(_SEED)
    count = len(sums)
    step = max(1, _AT_ONCE // count)
    means = []
    for first in range(0, _RESAMPLES, step):
        drawn = random.integers(count, size=(min(step, _RESAMPLES - first), count))
        means.append(sums[drawn].sum(1) / sizes[drawn].sum(1))
    return np.concatenate(means)
