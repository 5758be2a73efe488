"""Means as the official script rounds them, deviations as the paper's table has them, intervals by patient."""

import numpy as np
import pytest

from flaredb.metrics import Score, summarise

PLAIN = ("dsc", "nsd", "n")


def figures(means):
    """DSC, NSD and over how many, without how far they scatter."""
    return {key: means[key] for key in PLAIN if key in means}


def test_means_of_rounded_means():
    """Class means are rounded to 4 decimals, the organ mean is the rounded mean of those, the tumour stands apart."""
    cases = [
        {"liver": Score(0.9, 0.8, True), "spleen": Score(0.1, 0.2, True), "tumor": Score(0.5, 0.25, True)},
        {"liver": Score(0.9001, 0.8, True), "spleen": Score(0.1, 0.3, True), "tumor": Score(1.0, 1.0, False)},
        {"liver": Score(0.9001, 0.7, True), "spleen": Score(0.1, 0.2, True), "tumor": Score(0.0, 0.0, False)},
    ]
    summary = summarise(cases)
    assert figures(summary["mean"]["liver"]) == {"dsc": 0.9001, "nsd": 0.7667, "n": 3}
    assert figures(summary["mean"]["spleen"]) == {"dsc": 0.1, "nsd": 0.2333, "n": 3}
    assert figures(summary["organ_mean"]) == {"dsc": 0.5, "nsd": 0.5}
    assert figures(summary["tumor"]) == {"dsc": 0.5, "nsd": 0.4167, "n": 3}
    assert figures(summary["tumor_present"]) == {"dsc": 0.5, "nsd": 0.25, "n": 1}


def test_structures_scored_in_some_cases_only():
    """A class mean is over the cases that were scored on the structure, and says how many."""
    summary = summarise([{"liver": Score(0.5, 0.5, True)}, {"spleen": Score(1.0, 0.0, True)}])
    assert summary["mean"]["liver"]["n"] == 1
    assert figures(summary["organ_mean"]) == {"dsc": 0.75, "nsd": 0.25}
    assert summary["tumor"] is None
    assert summary["tumor_present"] is None


def test_nothing_to_average():
    """Without organs there is no organ mean, without cases there is nothing at all."""
    assert summarise([]) == {"mean": {}, "organ_mean": None, "tumor": None, "tumor_present": None}
    only = summarise([{"lesion": Score(0.5, 0.5, False)}], tumor="lesion")
    assert only["organ_mean"] is None
    assert figures(only["tumor"]) == {"dsc": 0.5, "nsd": 0.5, "n": 1}
    assert only["tumor_present"] is None


def test_deviations_are_over_cases():
    """They are those of a sample (n - 1); the organs' is that of each case's own mean; one case has none."""
    cases = [
        {"liver": Score(0.9, 0.8, True), "spleen": Score(0.7, 0.2, True)},
        {"liver": Score(0.8, 0.8, True), "spleen": Score(0.8, 0.4, True)},
        {"liver": Score(0.4, 0.5, True)},
    ]
    summary = summarise(cases)
    assert summary["mean"]["liver"]["dsc_std"] == pytest.approx(np.std([0.9, 0.8, 0.4], ddof=1), abs=5e-5)
    assert summary["organ_mean"]["dsc_std"] == pytest.approx(np.std([0.8, 0.8, 0.4], ddof=1), abs=5e-5)
    assert summarise(cases[:1])["mean"]["liver"]["dsc_std"] is None
    assert summarise(cases[:1])["organ_mean"]["nsd_interval"] is None


def test_intervals_go_by_patient():
    """Cases of one patient are drawn together: two patients of which each is always the same."""
    cases = [{"liver": Score(value, value, True)} for value in (0.2, 0.2, 0.2, 0.8, 0.8, 0.8)]
    low, high = summarise(cases, patients=list("aaabbb"))["mean"]["liver"]["dsc_interval"]
    assert (low, high) == (0.2, 0.8)
    assert summarise(cases, patients=list("aaaaaa"))["mean"]["liver"]["dsc_interval"] is None
    assert summarise(cases)["mean"]["liver"]["dsc_interval"] != (low, high)


def test_what_else_was_measured():
    """Means are over the cases where a figure is defined; the detection rate is over all lesions."""
    more = [
        {"hd95": 2.0, "lesions": 3, "detected": 3, "false_positives": 0},
        {"hd95": None, "lesions": 1, "detected": 0, "false_positives": 1},
        {"hd95": 4.0, "lesions": 0, "detected": 0, "false_positives": 2},
    ]
    tumor = summarise([{"tumor": Score(0.5, 0.5, True, more=figure)} for figure in more])["tumor"]
    assert tumor["more"] == {
        "hd95": 3.0, "lesions": 1.3333, "detected": 1.0, "false_positives": 1.0, "detection_rate": 0.75,
    }  # fmt: skip
    nothing = summarise([{"tumor": Score(1.0, 1.0, False, more={"hd95": None, "lesions": 0, "detected": 0})}])
    assert nothing["tumor"]["more"] == {"hd95": None, "lesions": 0.0, "detected": 0.0, "detection_rate": None}
