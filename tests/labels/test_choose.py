"""Deciding a whole case at once with bits is deciding structure by structure."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from flaredb.labels.choose import Chooser, LabelRow, SourceStanding
from flaredb.labels.policy import Candidate, Policy, decide

VALUES = (1, 2, 5)
SOURCES = ("a", "b", "c", "d", "e")
DATES = ("2022-05-01", "2023-05-01", "2024-05-01")
NAMES = {value: f"structure{value}" for value in VALUES}

bits = st.sets(st.sampled_from(VALUES)).map(lambda values: sum(1 << value for value in values))
few_bits = st.one_of(st.just(0), st.just(0), bits)
standings = st.builds(
    lambda accepted, withdrawn: (accepted, withdrawn),
    st.dictionaries(st.sampled_from(VALUES), st.sampled_from([0, 0, 3, 7, 9])),
    st.one_of(st.just(0), st.just(0), bits),
)


@st.composite
def rows(draw: st.DrawFn) -> LabelRow:
    """A label without its number, which is its place in the list."""
    source = draw(st.integers(0, len(SOURCES) - 1))
    strong, accepted, withdrawn = draw(bits), draw(few_bits), draw(few_bits)
    kind = draw(st.sampled_from(["ground-truth", "pseudo"]))
    return LabelRow(
        0,
        source,
        draw(st.integers(1, 3)),
        kind,
        draw(st.sampled_from(DATES)),
        strong,
        draw(bits) & ~strong,
        accepted,
        draw(few_bits) & ~accepted,
        withdrawn,
        draw(few_bits) & ~withdrawn,
        draw(few_bits),
    )


@st.composite
def situations(draw: st.DrawFn) -> dict[str, Any]:
    """Labels of a case, what was decided on them and their sources, a policy, and supersessions."""
    found = draw(st.lists(rows(), max_size=7, unique_by=lambda row: (row.source, row.human, row.revision)))
    labels = [row._replace(number=number) for number, row in enumerate(found, start=1)]
    decided = [draw(standings) for _ in SOURCES]
    own = {
        (row.number, value): draw(st.sampled_from([2, 4, 8]))
        for row in labels
        for value in VALUES
        if row.accepted >> value & 1
    }
    listed = draw(st.lists(st.sampled_from(SOURCES), unique=True, max_size=3))
    pairs = draw(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=3, unique=True))
    pairs = [(newer, older) for newer, older in pairs if newer < older]
    return {"labels": labels, "standings": decided, "own": own, "policy": Policy(tuple(listed)), "pairs": pairs}


def as_candidates(situation: dict[str, Any], value: int) -> list[Candidate]:
    """The same labels as `decide` takes them, for one structure."""
    found = []
    for row in situation["labels"]:
        if not (row.strong | row.weak) >> value & 1:
            continue
        accepted, withdrawn = situation["standings"][row.source]
        count = accepted.get(value)
        count = situation["own"].get((row.number, value), None if row.revoked >> value & 1 else count)
        hidden = withdrawn >> value & 1 and not row.restored >> value & 1
        found.append(
            Candidate(
                structure=NAMES[value],
                label=f"label{row.number}",
                number=row.number,
                source=SOURCES[row.source],
                kind="ground-truth" if row.human else "pseudo",
                revision=row.revision,
                exhaustive=bool(row.strong >> value & 1),
                superset=False,
                accepted=count,
                annotated_at=row.annotated_at,
                withdrawn=bool(hidden or row.withdrawn >> value & 1),
                reliability=0.0 if row.below >> value & 1 else 1.0,
            )
        )
    return found


@given(situations())
@settings(max_examples=1500, deadline=None)
def test_a_case_at_once_is_structure_by_structure(situation: dict[str, Any]) -> None:
    """Winner, contributors in order, and the winner's reason."""
    sources = {key: SourceStanding(SOURCES[key], *standing) for key, standing in enumerate(situation["standings"])}
    chooser = Chooser(VALUES, sources, situation["policy"], situation["pairs"])
    chosen = chooser.choose(situation["labels"], situation["own"])
    policy = Policy(situation["policy"].sources, {"*": 0.5})
    named = [(SOURCES[newer], SOURCES[older]) for newer, older in situation["pairs"]]
    for value in VALUES:
        decision = decide(NAMES[value], as_candidates(situation, value), policy, named)
        mine = sorted(choice for choice in chosen if choice.structure == value)
        winners = [(choice.label, choice.reason) for choice in mine if choice.place == 0]
        reasons = [verdict.reason for verdict in decision.verdicts if verdict.outcome == "won"]
        expected = [(decision.winner.number, reasons[0])] if decision.winner else []
        assert winners == expected
        assert [choice.label for choice in mine if choice.place] == [c.number for c in decision.contributors]
        assert [choice.place for choice in mine if choice.place] == list(range(1, len(decision.contributors) + 1))
