"""Which labels people are asked to look at, and in what order."""

from __future__ import annotations

from pathlib import Path

import pytest

from flaredb.catalog import labels, scores
from flaredb.catalog.scores import NewScore
from flaredb.catalog.standing import RELIABILITY
from flaredb.errors import InvalidDataError
from flaredb.workflow.ingest.labels import LabelOptions
from flaredb.workflow.review.create import ReviewOptions, review_create
from flaredb.workflow.review.listing import review_show
from flaredb.workflow.review.rank import by_chance
from flaredb.workspace import Workspace
from tests.cohorts import add_case, add_label, blocks, flaredb

FIRST, SECOND = LabelOptions("aladdin5", "external"), LabelOptions("blackbean", "external")
TRUTH = LabelOptions("flare23", "ground-truth")


@pytest.fixture
def cases(empty: Workspace, tmp_path: Path) -> Workspace:
    """Three cases that two sources label: `b` all alike, `a` with other spleens, `c` with livers that never meet."""
    for seed, name in enumerate("abc"):
        add_case(empty, tmp_path, name, seed)
        add_label(empty, tmp_path / "1", name, blocks(1, 3), "liver,spleen", FIRST)
    others = {"a": blocks(1, 3, 3), "b": blocks(1, 3), "c": blocks(0, 3, 1)}
    for name, array in others.items():
        add_label(empty, tmp_path / "2", name, array, "liver,spleen", SECOND)
    return empty


def create(workspace: Workspace, **options: object) -> list[tuple[str, str, str | None]]:
    """(case, structure, label) of a new review."""
    done = review_create(workspace, ReviewOptions(**options))  # type: ignore[arg-type]
    return [(i["case"], i["structure"], i["label"]) for i in review_show(workspace, done.ids[0])["items"]]


def order(workspace: Workspace, **options: object) -> list[str]:
    return list(dict.fromkeys(case for case, _, _ in create(workspace, **options)))


def test_by_disagreement(cases: Workspace) -> None:
    """The lowest Dice of any two sources comes first; where the structure asked for agrees, the case comes later."""
    assert order(cases, by="disagreement", structures=("spleen",), cases=1) == ["a"]
    assert order(cases, by="disagreement") == ["c", "b"]  # a waits


def test_disagreement_wants_two_sources(cases: Workspace, tmp_path: Path) -> None:
    """A case of which one source speaks is not measured, nor is a withdrawn label; nothing left is said so."""
    assert flaredb("source", "withdraw", "blackbean", "--why", "x", "--yes", workspace=cases.root).code == 0
    done = flaredb("review", "create", workspace=cases.root)
    assert (done.code, "two sources" in done.err) == (5, True)


def test_by_reliability(cases: Workspace) -> None:
    """Lowest score first, by the least reliable structure; a case without a score is not in the queue."""
    with cases.catalog.read() as connection:
        number = {name: labels.find(connection, f"{name}@blackbean@1").id for name in "abc"}
    with cases.run("test") as run, run.write() as write:
        values = [("a", "liver", 0.9), ("a", "spleen", 0.3), ("b", "liver", 0.5)]
        scores.add(write, RELIABILITY, [NewScore(number[c], number[c], s, "agreement", v) for c, s, v in values])
        scores.add(write, RELIABILITY, [NewScore(number["a"], number["a"], "spleen", "confidence", 0.8)])
    assert order(cases, by="reliability", source="blackbean") == ["a", "b"]


def test_by_chance_and_by_condition(cases: Workspace) -> None:
    """The same seed, the same order; a condition picks cases; what is neither is told what could be meant."""
    queue = {name: [] for name in "abcdefgh"}
    assert by_chance(queue, 1) == by_chance(dict(reversed(queue.items())), 1)
    assert by_chance(queue, 1) != by_chance(queue, 2)
    assert order(cases, by="\"case\" <> 'c'", where="split = 'train'") == ["a", "b"]
    assert order(cases, by="random", cases=7) == ["c"]
    done = flaredb("review", "create", "--by", "rndom", workspace=cases.root)
    assert (done.code, "disagreement, reliability, random" in done.err) == (5, True)


def test_what_is_shown(cases: Workspace, tmp_path: Path) -> None:
    """The current label; not people's own, unless its source is named; a structure asked for may have none."""
    add_label(cases, tmp_path / "t", "a", blocks(1), "liver", TRUTH)
    shown = create(cases, by="\"case\" = 'a'", structures=("liver", "spleen", "tumor"), name="one")
    assert shown == [("a", "spleen", "a@aladdin5@1"), ("a", "tumor", None)]
    with pytest.raises(InvalidDataError, match="wait in other reviews"):
        create(cases, by="\"case\" = 'a'", source="flare23")
    assert create(cases, by="\"case\" = 'b'", source="blackbean") == [
        ("b", "liver", "b@blackbean@1"),
        ("b", "spleen", "b@blackbean@1"),
    ]


def test_people_s_labels_are_looked_at_when_their_source_is_named(cases: Workspace, tmp_path: Path) -> None:
    """And a structure that a label cannot tell from another is not shown."""
    supersets = TRUTH._replace(mapping="flare21")
    add_label(cases, tmp_path / "t", "a", blocks(1, 2), "liver,right_kidney,left_kidney", supersets)
    assert create(cases, by="random", source="flare23") == [("a", "liver", "a@flare23@1")]


def test_again_is_unchanged(cases: Workspace) -> None:
    """The same name and choice; the same name and another choice is a conflict."""
    options = ReviewOptions(by="random", name="mine")
    assert review_create(cases, options).added == 1
    assert review_create(cases, options).unchanged == 1
    assert flaredb("review", "create", "--by", "random", "--name", "mine", "-n", "3", workspace=cases.root).code == 4
    rows = flaredb("review", "list", workspace=cases.root).json
    assert [(row["name"], row["cases"], row["verdicts"]) for row in rows] == [("mine", 3, {"not looked at": 6})]


def test_an_excluded_case_is_not_looked_at(cases: Workspace) -> None:
    """Nor measured."""
    flaredb("case", "exclude", "a", "--why", "x", workspace=cases.root)
    assert sorted(order(cases, by="random", source="aladdin5")) == ["b", "c"]
