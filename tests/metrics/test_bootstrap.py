"""Intervals of means: by patient, repeatable, as wide as they should be."""

import numpy as np
import pytest

from flaredb.metrics import bootstrap, mean_interval


def test_width_is_that_of_the_mean():
    """For many independent figures the interval is close to mean ± 1.96 standard errors."""
    values = np.random.default_rng(1).normal(0.7, 0.1, 400)
    low, high = mean_interval(values, [str(n) for n in range(400)])
    half = 1.96 * values.std() / np.sqrt(400)
    assert (low, high) == pytest.approx((values.mean() - half, values.mean() + half), abs=half / 10)
    narrow = mean_interval(values, [str(n) for n in range(400)], level=0.5)
    assert low < narrow[0] < values.mean() < narrow[1] < high


def test_cases_of_one_patient_go_together():
    """Repeating each patient's figure does not make the mean surer; one patient alone has no interval."""
    values = list(np.random.default_rng(2).random(30))
    names = [str(n) for n in range(30)]
    assert mean_interval(values * 4, names * 4) == pytest.approx(mean_interval(values, names))
    assert mean_interval([0.2, 0.4], ["a", "a"]) is None
    assert mean_interval([], []) is None


def test_the_same_figures_give_the_same_interval(monkeypatch):
    """It depends on nothing but the figures: not on the hour, nor on how many are drawn at a time."""
    values, names = [0.1, 0.5, 0.9, 0.4], list("abcd")
    expected = mean_interval(values, names)
    assert mean_interval(values, names) == expected
    monkeypatch.setattr(bootstrap, "_AT_ONCE", 40)
    assert mean_interval(values, names) == expected
