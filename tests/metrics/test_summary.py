from flaredb.metrics import Score, summarise


def test_means_of_rounded_means():
    """Class means are rounded to 4 decimals, the organ mean is the rounded mean of those, the tumour stands apart."""
    cases = [
        {"liver": Score(0.9, 0.8, True), "spleen": Score(0.1, 0.2, True), "tumor": Score(0.5, 0.25, True)},
        {"liver": Score(0.9001, 0.8, True), "spleen": Score(0.1, 0.3, True), "tumor": Score(1.0, 1.0, False)},
        {"liver": Score(0.9001, 0.7, True), "spleen": Score(0.1, 0.2, True), "tumor": Score(0.0, 0.0, False)},
    ]
    summary = summarise(cases)
    assert summary["mean"]["liver"] == {"dsc": 0.9001, "nsd": 0.7667, "n": 3}
    assert summary["mean"]["spleen"] == {"dsc": 0.1, "nsd": 0.2333, "n": 3}
    assert summary["organ_mean"] == {"dsc": 0.5, "nsd": 0.5}
    assert summary["tumor"] == {"dsc": 0.5, "nsd": 0.4167, "n": 3}
    assert summary["tumor_present"] == {"dsc": 0.5, "nsd": 0.25, "n": 1}


def test_structures_scored_in_some_cases_only():
    """A class mean is over the cases that were scored on the structure, and says how many."""
    summary = summarise([{"liver": Score(0.5, 0.5, True)}, {"spleen": Score(1.0, 0.0, True)}])
    assert summary["mean"]["liver"]["n"] == 1
    assert summary["organ_mean"] == {"dsc": 0.75, "nsd": 0.25}
    assert summary["tumor"] is None
    assert summary["tumor_present"] is None


def test_nothing_to_average():
    """Without organs there is no organ mean, without cases there is nothing at all."""
    assert summarise([]) == {"mean": {}, "organ_mean": None, "tumor": None, "tumor_present": None}
    only = summarise([{"lesion": Score(0.5, 0.5, False)}], tumor="lesion")
    assert only["organ_mean"] is None
    assert only["tumor"] == {"dsc": 0.5, "nsd": 0.5, "n": 1}
    assert only["tumor_present"] is None
