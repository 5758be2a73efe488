"""No round learns from those who judge it: not directly, not through models, not through the labels models made."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flaredb.catalog import cases, rounds
from flaredb.catalog import tables as t
from flaredb.catalog.database import Catalog, Write
from flaredb.errors import ConflictError
from flaredb.workflow.label.sources import decide_source
from flaredb.workflow.rounds.advance import RoundOptions, round_start
from flaredb.workflow.rounds.ancestry import descendants, refuse_leak
from flaredb.workflow.rounds.decide import promote
from flaredb.workflow.rounds.show import round_show
from flaredb.workflow.snapshot.create import snapshot_show
from tests.builders import new_catalog
from tests.cohorts import tiny
from tests.families import Family, edges, reached, three_rounds


@pytest.fixture
def catalog(tmp_path) -> Any:
    """An empty catalogue."""
    made = new_catalog(tmp_path)
    yield made
    made.close()


def refused(catalog: Catalog, snapshot: str, reference: str, warm: str | None = None) -> str | None:
    """Why a round may not start; None if it may."""
    try:
        with catalog.read() as connection:
            refuse_leak(connection, snapshot, warm, reference)
    except ConflictError as error:
        return str(error)
    return None


def give(write: Write, case: str, patient: str | None = None, voxels: str | None = None) -> None:
    """A case is of another patient, or has voxels of this digest."""
    facts: dict[str, Any] = {"voxels_digest": voxels} if voxels else {}
    if patient:
        facts["patient_id"] = cases.patient_id(write, patient)
    write.connection.execute(t.cases.update().where(t.cases.c.name == case).values(facts))


class Story:
    """A first model learns from `learner`, labels `plain`, and a second round would learn from that."""

    def __init__(self, write: Write) -> None:
        family = Family(write)
        family.case("judge", "validation")
        self.reference = family.snapshot({family.label("judge", "truth"): ["liver"]}, "reference")
        seen = family.label("learner", "truth")
        self.model = family.model(family.snapshot({seen: ["liver"]}))
        later = family.model(family.snapshot({family.label("other", "truth"): ["liver"]}), self.model)
        pseudo = family.label("plain", "organ/1", model=self.model)
        fused = family.label("plain", "fused", parents=[pseudo])
        self.later = later
        self.apart = family.snapshot({family.label("apart", "truth"): ["liver"]})
        self.of_truth = family.snapshot({seen: ["liver"], family.label("new", "truth"): ["liver"]})
        self.of_pseudo = family.snapshot({pseudo: ["liver"]})
        self.of_fused = family.snapshot({fused: ["liver"]})


@pytest.mark.parametrize("shared", ["patient", "scan"])
def test_what_descends_from_a_judge_is_refused(catalog, shared):
    """By patient and by scan: a model to start from, its child, and pseudo or fused labels of a clean case."""
    with catalog.run("test", {}) as run, run.write() as write:
        story = Story(write)
    ways = {
        "model": (story.apart, story.model),
        "child": (story.apart, story.later),
        "pseudo": (story.of_pseudo, None),
        "fused": (story.of_fused, None),
    }
    for snapshot, warm in [*ways.values(), (story.apart, None), (story.of_truth, None)]:
        assert refused(catalog, snapshot, story.reference, warm) is None
    with catalog.run("test", {}) as run, run.write() as write:
        for case in ("learner", "judge"):
            give(write, case, "one" if shared == "patient" else None, "d" * 64 if shared == "scan" else None)
    for way, (snapshot, warm) in ways.items():
        message = refused(catalog, snapshot, story.reference, warm)
        assert message, way
        assert story.model in message
    assert refused(catalog, story.apart, story.reference) is None


def test_a_model_that_saw_the_judge_in_its_own_split_counts(catalog):
    """Also when the judge's case itself was trained on before it became one."""
    with catalog.run("test", {}) as run, run.write() as write:
        family = Family(write)
        label = family.label("moved", "truth")
        model = family.model(family.snapshot({label: ["liver"]}))
        write.connection.execute(t.cases.update().values(split="validation"))
        reference = family.snapshot({label: ["liver"]}, "reference")
        pseudo = family.label("clean", "organ/1", model=model)
        snapshot = family.snapshot({pseudo: ["liver"]})
    assert model in (refused(catalog, snapshot, reference) or "")


def test_rounds_that_learnt_from_a_round(catalog):
    """Directly, through labels of labels, or from its weights; not those that did not."""
    three_rounds(catalog)
    with catalog.writer() as connection:
        connection.execute(t.rounds.update().values(state="promoted"))

    def after(name: str) -> list[str]:
        with catalog.read() as connection:
            return [turn.name for turn in descendants(connection, rounds.find(connection, name))]

    assert after("organ/1") == ["organ/2", "organ/3"]
    assert after("organ/2") == ["organ/3"]
    assert after("organ/3") == []
    with catalog.writer() as connection:
        connection.execute(t.rounds.update().where(t.rounds.c.number == 2).values(state="rejected"))
    assert after("organ/1") == ["organ/3"]


CASES = ("a", "b", "c", "d")


@settings(max_examples=50, deadline=None)
@given(
    patients=st.lists(st.integers(0, 3), min_size=4, max_size=4),
    judges=st.frozensets(st.sampled_from(CASES), min_size=1, max_size=2),
    steps=st.lists(
        st.tuples(st.frozensets(st.integers(0, 20), min_size=1, max_size=2), st.sampled_from(CASES), st.booleans()),
        min_size=1,
        max_size=5,
    ),
)
def test_the_guard_is_a_graph_search(tmp_path_factory, patients, judges, steps):
    """Refused exactly where a plain search upward meets a training snapshot that holds a judge's patient."""
    catalog = new_catalog(tmp_path_factory.mktemp("guard"))
    held: dict[str, set[str]] = {}
    models: list[str] = []
    with catalog.run("test", {}) as run, run.write() as write:
        family = Family(write)
        pool = [family.label(case, "truth") for case in CASES]
        reference = family.snapshot({f"{case}@truth@1": ["liver"] for case in judges}, "reference")
        for number, case in enumerate(CASES):
            give(write, case, f"p{patients[number]}")
        for picks, case, warm in steps:
            labels = {pool[number % len(pool)] for number in picks}
            name = family.snapshot({label: ["liver"] for label in labels})
            held[name] = {label.split("@")[0] for label in labels}
            models.append(family.model(name, models[-1] if warm and models else None))
            pool.append(family.label(case, "pseudo", model=models[-1]))
        last = family.snapshot({pool[-1]: ["liver"]})
    back = [(b, a) for a, b in edges(catalog)]
    of = dict(zip(CASES, patients, strict=True))
    wanted = {of[case] for case in judges}

    def guilty(start: set[str]) -> bool:
        return any({of[case] for case in held.get(node, ())} & wanted for node in reached(back, start))

    assert bool(refused(catalog, last, reference)) == guilty({pool[-1]})
    for name, own in held.items():
        ups = {label for label, made in edges(catalog) if made == name}
        for warm in (None, models[0]):
            start = ups | ({warm} if warm else set())
            assert bool(refused(catalog, name, reference, warm)) == guilty(start), own
    catalog.close()


def test_a_round_from_scratch_is_refused_for_its_labels(after_round):
    """Its labels were made by a model that learnt from a case which judges now; revoking that source is a way on."""
    options = RoundOptions(tiny(steps=1), gate="ask", device="cpu")
    promote(after_round, "organ/1", "for the test", after_round.structures.organs, force=True)
    turn = round_show(after_round, "organ/1")
    learnt = snapshot_show(after_round, turn["snapshot"])["items"][0]["case"]
    with after_round.run("test") as run, run.write() as write:
        cases.set_facts(write, learnt, {"split": "validation"})
    with pytest.raises(ConflictError, match=turn["model"]):
        round_start(after_round, "organ", options)
    assert after_round.sql("SELECT count(*) AS n FROM rounds") == [{"n": 1}]
    decide_source(after_round, "organ/1", "revoked", "it saw a judge")
    assert round_start(after_round, "organ", options).ids == ("organ/2",)
