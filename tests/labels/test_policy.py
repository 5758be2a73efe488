"""Which label is current for a structure, and why the others are not."""

import itertools
from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flaredb.labels.policy import Candidate, Decision, Policy, decide
from tests.builders import candidate
from tests.strategies import SOURCES, candidates

policies = st.builds(
    Policy,
    st.permutations(SOURCES).map(tuple),
    st.sampled_from([{}, {"liver": 0.5}, {"*": 0.5}, {"liver": 0.0, "*": 0.9}]),
    st.booleans(),
)
chains = st.sampled_from([(), (("b", "a"),), (("d", "b"), ("c", "a"))])
PSEUDO = {"kind": "pseudo", "accepted": 5}


def outcomes(decision: Decision) -> dict[int, str]:
    """Candidate's number → what became of it."""
    return {verdict.candidate.number: verdict.outcome for verdict in decision.verdicts}


def decided(*found: Candidate, policy: Policy | None = None, supersedes: tuple = ()) -> dict[int, str]:
    return outcomes(decide("liver", found, policy or Policy(), supersedes))


@settings(deadline=None, max_examples=300)
@given(candidates(), policies, chains)
def test_every_candidate_gets_one_verdict_with_a_reason(found: list[Candidate], policy: Policy, chain: tuple) -> None:
    """One verdict each, every one explained; winner and contributors are those whose verdicts say so."""
    decision = decide("liver", found, policy, chain)
    assert Counter(v.candidate.number for v in decision.verdicts) == Counter(c.number for c in found)
    assert all(verdict.reason for verdict in decision.verdicts)
    won = [v.candidate for v in decision.verdicts if v.outcome == "won"]
    assert won == ([decision.winner] if decision.winner else [])
    contributing = [v.candidate for v in decision.verdicts if v.outcome == "contributes"]
    assert contributing == list(decision.contributors)


@settings(deadline=None, max_examples=300)
@given(candidates(), policies, chains, st.randoms(use_true_random=False))
def test_the_order_of_candidates_does_not_matter(
    found: list[Candidate], policy: Policy, chain: tuple, random: Random
) -> None:
    """The decision is about what labels are, not about how they were listed."""
    shuffled = list(found)
    random.shuffle(shuffled)
    first, second = (decide("liver", c, policy, chain) for c in (found, shuffled))
    assert second[:3] == first[:3]
    assert outcomes(second) == outcomes(first)


@settings(deadline=None, max_examples=300)
@given(candidates(), policies, chains)
def test_human_labels_come_before_generated_ones(found: list[Candidate], policy: Policy, chain: tuple) -> None:
    """A generated label wins or contributes beside a human winner never, and is never placed above a human one."""
    decision = decide("liver", found, policy, chain)
    placed = [*decision.contributors, *([decision.winner] if decision.winner else [])]
    assert placed == sorted(placed, key=lambda c: not c.human)
    if any(v.outcome == "outranked" and v.candidate.human for v in decision.verdicts):
        assert decision.winner
        assert decision.winner.human


@settings(deadline=None, max_examples=300)
@given(candidates(), policies, chains)
def test_the_winner_passes_every_filter(found: list[Candidate], policy: Policy, chain: tuple) -> None:
    """Accepted, not withdrawn, not excluded, exhaustive, no superset, reliable if generated; and the newest such."""
    winner = decide("liver", found, policy, chain).winner
    if not winner:
        return
    assert winner.accepted is not None
    assert not any([winner.withdrawn, winner.excluded, winner.superset])
    assert winner.exhaustive
    if not winner.human:
        assert winner.reliability is not None or not policy.require_score
        assert winner.reliability is None or winner.reliability >= policy.threshold("liver")
    own = [c for c in found if (c.source, c.human) == (winner.source, winner.human)]  # models supersede no people
    standing = [c for c in own if c.accepted is not None and not c.withdrawn and not c.excluded]
    assert winner.revision == max(c.revision for c in standing)


@settings(deadline=None, max_examples=300)
@given(candidates(), policies, chains)
def test_positive_only_and_superset_labels_bar_nobody(found: list[Candidate], policy: Policy, chain: tuple) -> None:
    """Without them the winner is the same."""
    decided = decide("liver", found, policy, chain)
    contributors = decided.contributors
    superseded = [v.candidate for v in decided.verdicts if v.outcome == "superseded"]  # an older one does not come back
    others = [c for c in found if c not in contributors and c not in superseded]
    with_them, without = decide("liver", found, policy, chain).winner, decide("liver", others, policy, chain).winner
    revisions = {(c.source, c.annotator) for c in contributors}
    if not any((c.source, c.annotator) in revisions for c in others):  # else an older revision comes back
        assert with_them == without


def test_every_outcome_can_happen() -> None:
    """One case that shows all eight."""
    found = [
        candidate(number=1, kind="ground-truth"),
        candidate(number=2, source="twice", revision=1),
        candidate(number=3, source="twice", revision=2, annotated_at="2025-01-01", exhaustive=False),
        candidate(number=4, kind="pseudo", accepted=3),
        candidate(number=5, withdrawn=True),
        candidate(number=6, accepted=None),
        candidate(number=7, kind="pseudo", reliability=0.1),
        candidate(number=8, excluded=True),
    ]
    assert decided(*found, policy=Policy(thresholds={"*": 0.5})) == {
        1: "won",
        2: "superseded",
        3: "contributes",
        4: "outranked",
        5: "withdrawn",
        6: "not-accepted",
        7: "below-threshold",
        8: "excluded",
    }


def test_no_candidate_no_winner() -> None:
    """A structure nobody annotated is undecided."""
    assert decide("liver", [], Policy()) == Decision("liver", None, (), ())


def test_if_the_newest_falls_short_an_older_one_does_not_come_back() -> None:
    """A source whose newest revision is unreliable has no candidate."""
    old = candidate(number=1, source="organ/1", revision=1, kind="pseudo", reliability=0.9)
    new = candidate(number=2, source="organ/1", revision=2, kind="pseudo", reliability=0.2)
    assert decided(old, new, policy=Policy(thresholds={"liver": 0.5})) == {1: "superseded", 2: "below-threshold"}


@pytest.mark.parametrize("undone", [{"withdrawn": True}, {"accepted": None}])
def test_what_was_undone_hides_nothing(undone: dict) -> None:
    """A withdrawn or unaccepted revision is no candidate, so the one before it stays current."""
    old, new = candidate(number=1, source="a", revision=1), candidate(number=2, source="a", revision=2, **undone)
    assert decided(old, new)[1] == "won"


@pytest.mark.parametrize(("score", "outcome"), [(None, "won"), (0.5, "won"), (0.49, "below-threshold")])
def test_a_threshold_holds_for_generated_labels(score: float | None, outcome: str) -> None:
    """At the threshold is enough; without a score a label is eligible."""
    policy = Policy(thresholds={"*": 0.9, "liver": 0.5})
    assert decided(candidate(**PSEUDO, reliability=score), policy=policy) == {1: outcome}


def test_a_policy_may_require_a_score() -> None:
    """Then a generated label without one falls short, a human one does not."""
    found = [candidate(number=1, **PSEUDO), candidate(number=2)]
    assert decided(*found, policy=Policy(require_score=True)) == {1: "below-threshold", 2: "won"}


def test_thresholds_are_not_for_people() -> None:
    """A human label with a poor score stays current."""
    assert decided(candidate(reliability=0.0), policy=Policy(thresholds={"*": 0.5})) == {1: "won"}


def test_the_newest_annotation_wins_among_people() -> None:
    """Both human kinds are equal; the date decides, then the label's number."""
    old = candidate(number=1, annotated_at="2022-01-01", accepted=9)
    new = candidate(number=2, annotated_at="2023-01-01", kind="tumor-only")
    same = candidate(number=3, annotated_at="2023-01-01")
    assert decided(old, new, same) == {1: "outranked", 2: "won", 3: "outranked"}


def test_a_source_supersedes_another_whatever_the_dates() -> None:
    """`--supersedes` puts an older annotation before a newer one, and says nothing about a third."""
    mine = candidate(number=1, source="mine", annotated_at="2022-01-01")
    theirs = candidate(number=2, source="theirs", annotated_at="2023-01-01")
    third = candidate(number=3, source="third", annotated_at="2021-01-01")
    assert decided(mine, theirs, third, supersedes=(("mine", "theirs"),)) == {1: "won", 2: "outranked", 3: "outranked"}


# Fails unless the oldest pair is listed first: _put_before goes through the list once.
@pytest.mark.parametrize("order", list(itertools.permutations([("b", "a"), ("c", "b"), ("d", "c")])))
def test_supersedes_is_a_chain_in_whatever_order_it_is_listed(order: tuple[tuple[str, str], ...]) -> None:
    """If b supersedes a, c supersedes b and d supersedes c, then d is current."""
    found = [candidate(number=i, source=s, annotated_at=f"{2030 - i}-01-01") for i, s in enumerate("abcd", start=1)]
    assert decided(*found, supersedes=order)[4] == "won"


def test_the_latest_acceptance_wins_among_generated_labels() -> None:
    """A promoted round beats an older one and a published label set that was accepted at import, which is time zero."""
    external = candidate(number=1, kind="external", accepted=0)
    first = candidate(number=2, kind="pseudo", accepted=7)
    second = candidate(number=3, kind="pseudo", accepted=12)
    assert decided(external, first, second) == {1: "outranked", 2: "outranked", 3: "won"}


def test_a_round_that_was_not_promoted_does_not_push_out_an_external_label() -> None:
    """Predictions are not accepted until they are promoted."""
    external = candidate(number=1, kind="external", accepted=0)
    assert decided(external, candidate(number=2, kind="pseudo", accepted=None)) == {1: "won", 2: "not-accepted"}


def test_the_policys_sources_break_ties() -> None:
    """Accepted by the same operation: the policy's list first, unlisted sources after, then the number."""
    found = [candidate(number=i, source=s, kind="external") for i, s in enumerate("abc", start=1)]
    assert decided(*found)[1] == "won"
    assert decided(*found, policy=Policy(("c", "b")))[3] == "won"


@pytest.mark.parametrize("part", [{"exhaustive": False}, {"superset": True}])
def test_partial_knowledge_contributes(part: dict) -> None:
    """A positive-only or superset label above the winner contributes; below it, it is outranked."""
    above = candidate(number=1, annotated_at="2024-01-01", **part)
    winner = candidate(number=2, annotated_at="2023-01-01")
    below = candidate(number=3, annotated_at="2022-01-01", **part)
    assert decided(above, winner, below) == {1: "contributes", 2: "won", 3: "outranked"}


def test_partial_knowledge_alone_has_no_winner() -> None:
    """Then all of it contributes."""
    found = [candidate(number=1, exhaustive=False), candidate(number=2, superset=True)]
    decision = decide("liver", found, Policy())
    assert decision.winner is None
    assert len(decision.contributors) == 2


@given(policies)
def test_a_policy_is_its_text(policy: Policy) -> None:
    """What the catalogue keeps gives the same policy and digest back."""
    again = Policy.from_text(policy.text)
    assert again == policy
    assert again.digest == policy.digest
