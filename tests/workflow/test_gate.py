"""The gate on made-up scores: what is promoted, kept, rejected."""

from __future__ import annotations

from typing import Any

import pytest

from flaredb.metrics import Score
from flaredb.workflow.gate import Contest, judge

CASES = [f"c{i}" for i in range(8)]
OWN = {case: case for case in CASES}


def scores(*values: float, present: bool = True) -> dict[str, Score]:
    """Case → a score with DSC = NSD."""
    return {case: Score(value, value, present) for case, value in zip(CASES, values, strict=False)}


def row(contest: Contest, patients: dict[str, str] = OWN) -> dict[str, Any]:
    """The gate's row on one structure."""
    return judge([contest], patients)["structures"][contest.structure]


def against(champion: dict[str, Score], challenger: dict[str, Score], unmeasured: str | None = None) -> Contest:
    """A contest for the liver against the source `old`, which exists where it has scores."""
    return Contest("liver", "old" if champion else None, champion, challenger, unmeasured)


def test_a_clear_gain_is_promoted():
    """Better on every case by more than the gain: promoted, with figures and interval."""
    found = row(against(scores(*[0.8] * 8), scores(*[0.85] * 8)))
    assert found["decision"] == "promote"
    assert found["difference"] == pytest.approx(0.05)
    assert found["interval"] == pytest.approx([0.05, 0.05])
    assert (found["champion"], found["challenger"], found["paired"]) == (pytest.approx(0.8), pytest.approx(0.85), 8)


@pytest.mark.parametrize(("gain", "decision"), [(0.0, "keep"), (0.004, "keep"), (0.0051, "promote"), (-0.1, "keep")])
def test_a_small_gain_keeps_the_champion(gain, decision):
    """The mean difference must reach 0.005."""
    assert row(against(scores(*[0.8] * 8), scores(*[0.8 + gain] * 8)))["decision"] == decision


def test_a_gain_that_rests_on_one_case_keeps_the_champion():
    """A mean gain whose interval reaches below the slack is not enough."""
    found = row(against(scores(*[0.8] * 8), scores(0.99, *[0.78] * 7)))
    assert found["difference"] >= 0.005
    assert found["interval"][0] < -0.01
    assert found["decision"] == "keep"


def test_the_first_round_must_reach_the_floor():
    """With nothing accepted, a DSC of 0.3 where present promotes and less rejects."""
    assert row(against({}, scores(*[0.31] * 8)))["decision"] == "promote"
    below = row(against({}, scores(*[0.29] * 8)))
    assert below["decision"] == "reject"
    assert "0.3" in below["reason"]
    assert (below["champion"], below["difference"], below["interval"]) == (None, None, None)


def test_nothing_below_the_floor_is_promoted():
    """A gain over a worse champion does not lift a structure over its floor."""
    assert row(against(scores(*[0.1] * 8), scores(*[0.25] * 8)))["decision"] == "keep"


def test_the_floor_counts_cases_that_have_the_structure():
    """Rightly empty predictions do not lift a structure over the floor."""
    absent = {f"d{i}": Score(1.0, 1.0, False) for i in range(8)}
    patients = OWN | {case: case for case in absent}
    found = row(against({}, scores(*[0.2] * 8) | absent), patients)
    assert found["challenger"] > 0.3
    assert found["decision"] == "reject"
    assert row(against({}, absent), patients)["decision"] == "reject"


def test_an_unmeasured_champion_is_kept():
    """Where something accepted has no label on the references, only people can replace it."""
    found = row(against({}, scores(*[0.9] * 8), unmeasured="flare21"))
    assert found["decision"] == "keep"
    assert "flare21" in found["reason"]


def test_without_references_nothing_happens():
    """A structure that no reference annotates is kept, whatever was predicted."""
    assert row(against({}, {}))["decision"] == "keep"


def test_only_paired_cases_are_compared():
    """Cases that only one side has count for its mean, not for the difference."""
    found = row(against(scores(0.5, 0.5), scores(*[0.6] * 8)))
    assert (found["paired"], found["cases"]) == (2, 8)
    assert found["difference"] == pytest.approx(0.1)


def test_the_bootstrap_draws_patients():
    """Scans of one patient are drawn together, and the same scores always have the same interval."""
    champion, challenger = scores(*[0.5] * 8), scores(0.9, *[0.45] * 7)
    alone = row(against(champion, challenger))
    grouped = row(against(champion, challenger), {case: "p" if case != "c0" else "q" for case in CASES})
    assert grouped["difference"] == alone["difference"]
    assert grouped["interval"][1] == pytest.approx(0.4)
    assert alone["interval"][1] < 0.4
    assert row(against(champion, challenger)) == alone
    one = row(against(champion, challenger), dict.fromkeys(CASES, "p"))
    assert one["interval"] == pytest.approx([one["difference"]] * 2)


def test_order_of_cases_does_not_matter():
    """Scores given in another order are judged alike."""
    champion, challenger = scores(0.5, 0.6, 0.7, 0.8), scores(0.55, 0.7, 0.65, 0.9)
    turned = against(dict(reversed(champion.items())), dict(reversed(challenger.items())))
    assert row(against(champion, challenger)) == row(turned)


def test_the_report_passes_when_something_is_promoted():
    """`passed` says whether anything is promoted, and every structure has a reason."""
    good = against({}, scores(*[0.9] * 8))
    bad = good._replace(structure="spleen", challenger=scores(*[0.1] * 8))
    assert judge([good, bad], OWN)["passed"] is True
    report = judge([bad], OWN)
    assert report["passed"] is False
    assert len(report["reasons"]) == 1
