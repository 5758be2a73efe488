"""The gate on made-up scores: what is promoted, kept, rejected."""

from __future__ import annotations

from typing import Any

import pytest

from flaredb.metrics import Score
from flaredb.workflow.rounds.gate import Contest, GateRules, evidence, judge

CASES = [f"c{i}" for i in range(8)]
OWN = {case: case for case in CASES}
RULES = GateRules()


def scores(*values: float, present: bool = True) -> dict[str, Score]:
    """Case → a score with DSC = NSD."""
    return {case: Score(value, value, present) for case, value in zip(CASES, values, strict=False)}


def row(contest: Contest, patients: dict[str, str] = OWN, rules: GateRules = RULES) -> dict[str, Any]:
    """The gate's row on one structure."""
    return judge([contest], patients, rules)["structures"][contest.structure]


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
    """Cases that only one side has are counted apart: both means are over the cases of the difference."""
    champion = scores(0.5, 0.5) | {"x": Score(0.0, 0.0, True)}
    found = row(against(champion, scores(0.6, 0.6, *[0.9] * 6)), OWN | {"x": "x"})
    assert (found["paired"], found["cases"], found["champion_only"], found["challenger_only"]) == (2, 8, 1, 6)
    assert (found["champion"], found["challenger"]) == (pytest.approx(0.5), pytest.approx(0.6))
    assert found["difference"] == pytest.approx(found["challenger"] - found["champion"])
    alone = row(against({}, scores(*[0.6] * 8)))
    assert (alone["champion"], alone["challenger"], alone["paired"]) == (None, pytest.approx(0.6), 0)


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


def test_the_rules_are_settings():
    """Gain, slack and floor decide as they are given: each of them alone turns a decision."""
    small = against(scores(*[0.8] * 8), scores(*[0.802] * 8))
    assert row(small)["decision"] == "keep"
    assert row(small, rules=GateRules(gain=0.001))["decision"] == "promote"
    one_case = against(scores(*[0.8] * 8), scores(0.99, *[0.78] * 7))
    assert row(one_case)["decision"] == "keep"
    assert row(one_case, rules=GateRules(gain=0.0, slack=-0.5))["decision"] == "promote"
    low = against({}, scores(*[0.25] * 8))
    assert row(low)["decision"] == "reject"
    assert row(low, rules=GateRules(floor=0.2))["decision"] == "promote"


def test_the_cases_that_moved_most_are_named():
    """By size whichever way, with both figures; those that did not move are left out."""
    found = row(against(scores(*[0.8] * 8), scores(0.1, 0.8, 0.95, *[0.81] * 5)))
    assert [(own["case"], own["champion"]) for own in found["moved"][:2]] == [("c0", 0.8), ("c2", 0.8)]
    assert found["moved"][0]["change"] == pytest.approx(-0.7)
    assert "c1" not in [own["case"] for own in found["moved"]]
    assert len(found["moved"]) == 5


def test_without_a_champion_the_lowest_are_named():
    """A first round shows where it is worst, with nothing to compare with."""
    found = row(against({}, scores(0.9, 0.2, 0.8)))
    assert [(own["case"], own["champion"], own["change"]) for own in found["moved"][:2]] == [
        ("c1", None, None),
        ("c2", None, None),
    ]


def test_a_refusal_names_the_worst_case():
    """The reason for a structure that is not promoted says which case shows it, and its figures."""
    (reason,) = judge([against(scores(*[0.8] * 4), scores(0.8, 0.8, 0.05, 0.8))], OWN)["reasons"]
    assert reason.startswith("liver: keep")
    assert reason.endswith("worst c2: 0.800 to 0.050")


@pytest.mark.parametrize(
    ("patients", "width", "grade"),
    [
        (0, None, "none"),
        (1, 0.0, "weak"),
        (4, 0.01, "weak"),
        (5, 0.01, "fair"),
        (14, 0.01, "fair"),
        (15, 0.01, "good"),
        (50, 0.06, "fair"),
        (50, 0.11, "weak"),
        (15, None, "good"),
    ],
)
def test_evidence_in_words(patients, width, grade):
    """Few patients or a wide interval are weak evidence, and the words say how many and how wide."""
    told = evidence(patients, None if width is None else [0.1, 0.1 + width])
    assert told.split(":")[0] == grade
    assert (f"{patients} patient" in told) == bool(patients)
    assert ("wide" in told) == (width is not None)


def test_patients_are_the_evidence_not_scans():
    """Eight scans of two patients are two pieces of evidence."""
    contest = against(scores(*[0.8] * 8), scores(*[0.9] * 8))
    assert row(contest, {case: case[:1] + str(int(case[1:]) % 2) for case in CASES})["evidence"].startswith(
        "weak: 2 patients"
    )
