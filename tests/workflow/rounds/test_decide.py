"""Decisions on rounds: of two at once one acts; a rollback gives back what was current, after any history."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flaredb.catalog import acceptances, labels, rounds
from flaredb.catalog.database import Write
from flaredb.errors import ConflictError, UsageError
from flaredb.workflow.integrity.fsck import fsck
from flaredb.workflow.label.sources import decide_source
from flaredb.workflow.provenance.current import label_current
from flaredb.workflow.results import Result
from flaredb.workflow.rounds.decide import _undo, promote, reject, rollback
from flaredb.workspace import Workspace
from tests.cohorts import flaredb
from tests.families import Family

NAMES = ("liver", "spleen")
TURNS = ("organ/1", "organ/2", "all/1")
PASSED = {"structures": {name: {"decision": "promote"} for name in NAMES}}


def fill(write: Write) -> None:
    """Truth of b's liver, an external source, and the labels of three rejected rounds that learnt from neither."""
    family = Family(write)
    truth = family.label("b", "truth", ["liver"])
    for case in "ab":
        family.label(case, "external", NAMES, parents=[truth])
    reference = family.snapshot({truth: ["liver"]}, "reference")
    for turn in TURNS:
        snapshot = family.snapshot({truth: ["liver"]})
        model = family.model(snapshot)
        assert family.round(turn.partition("/")[0], snapshot, reference, model) == turn
        for case in "ab":
            family.label(case, turn, NAMES, model=model)
    for source in ("truth", "external"):
        acceptances.accept_at_import(write, labels.source_number(write.connection, source), NAMES)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with them on SQLite; not to be changed."""
    root = tmp_path_factory.mktemp("decide") / "workspace"
    with Workspace.create(root) as workspace, workspace.run("test") as run, run.write() as write:
        fill(write)
    return root


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path, made: Path) -> Path:
    """The same on either database."""
    if request.param == "sqlite":
        return Path(shutil.copytree(made, tmp_path / "workspace"))
    catalog = request.getfixturevalue("postgres").database()
    with (
        Workspace.create(tmp_path / "workspace", catalog=catalog) as workspace,
        workspace.run("test") as run,
        run.write() as write,
    ):
        fill(write)
    return tmp_path / "workspace"


@pytest.fixture
def workspace(made: Path, tmp_path: Path) -> Iterator[Workspace]:
    """A copy of it."""
    shutil.copytree(made, tmp_path / "workspace")
    with Workspace.open(tmp_path / "workspace") as opened:
        yield opened


def current(workspace: Workspace, as_of: int | None = None) -> dict[tuple[str, str], str]:
    """(case, structure) → the source of the current label, as far as there is one."""
    rows = label_current(workspace, as_of=None if as_of is None else str(as_of))
    return {(row["case"], row["structure"]): row["source"] for row in rows if row["label"]}


def history_problems(workspace: Workspace) -> list[Any]:
    """What `fsck` says of the history; these labels and models have no files."""
    missing = ("row-without-volume", "model-without-weights")
    return [each for each in fsck(workspace, history=True).problems if each["kind"] not in missing]


def brought(workspace: Workspace, name: str, state: str) -> None:
    """Take a round to a state, judged anew."""
    with workspace.run("test") as run, run.write() as write:
        rounds.move(write, rounds.find(write.connection, name), state, "for the test", PASSED)


def state(workspace: Workspace, name: str) -> str:
    """Where a round is."""
    with workspace.catalog.read() as connection:
        return rounds.find(connection, name).state


def outcome(root: Path, decide: Callable[[Workspace], Result], ready: Barrier | None = None) -> Result | ConflictError:
    """What a decision in a workspace of its own comes to, when all are ready."""
    with Workspace.open(root) as workspace:
        if ready:
            ready.wait()
        try:
            return decide(workspace)
        except ConflictError as error:
            return error


def test_two_promotions_do_not_interleave(place):
    """Two rounds that were judged against the same champion are promoted at once: one acts, the other is refused."""
    for _ in range(4):
        with Workspace.open(place) as workspace:
            for name in ("organ/1", "all/1"):
                brought(workspace, name, "evaluated")
        ready = Barrier(2)
        with ThreadPoolExecutor(2) as pool:
            asked = [
                pool.submit(outcome, place, lambda w, name=name: promote(w, name, "better"), ready)
                for name in ("organ/1", "all/1")
            ]
            done = [each.result() for each in asked]
        (refused,) = [each for each in done if isinstance(each, ConflictError)]
        (acted,) = [each.ids[0] for each in done if isinstance(each, Result)]
        assert "were accepted or revoked" in str(refused)
        with Workspace.open(place) as workspace:
            states = {name: state(workspace, name) for name in ("organ/1", "all/1")}
            assert sorted(states.values()) == ["evaluated", "promoted"]
            assert states[acted] == "promoted"
            assert current(workspace)["a", "liver"] == acted


def test_a_promotion_during_a_rollback(place):
    """While one of the two is under way the other is refused at once; the first is done in full."""
    with Workspace.open(place) as workspace:
        brought(workspace, "organ/1", "evaluated")
        promote(workspace, "organ/1", "better", ["liver"])
        with ThreadPoolExecutor(2) as pool:
            with workspace.catalog.writer():  # so that neither can go on before both have begun
                asked = [
                    pool.submit(outcome, place, lambda w: rollback(w, "organ/1", "worse")),
                    pool.submit(outcome, place, lambda w: promote(w, "organ/1", "more", ["spleen"], force=True)),
                ]
                (first,), (second,) = wait(asked, return_when=FIRST_COMPLETED)
                assert "round organ/1 is being worked on by" in str(first.result())
            assert isinstance(second.result(), Result)
        undone = second is asked[0]
        assert state(workspace, "organ/1") == ("rolled-back" if undone else "promoted")
        assert current(workspace)["a", "liver"] == ("external" if undone else "organ/1")
        assert current(workspace)["a", "spleen"] == ("external" if undone else "organ/1")
        assert history_problems(workspace) == []


@pytest.mark.parametrize("verb", ["promote", "reject", "rollback"])
def test_the_program_names_the_holder(place, verb):
    """Exit 4 with the process that works on the round, and nothing changed."""
    with Workspace.open(place) as workspace:
        brought(workspace, "organ/1", "promoted" if verb == "rollback" else "evaluated")
        before = current(workspace)
        with workspace.lock("round organ/1"):
            done = flaredb("round", verb, "organ/1", "--why", "x", workspace=place)
        assert done.code == 4
        assert f"process {os.getpid()} on" in done.err
        assert current(workspace) == before
        assert flaredb("round", verb, "organ/1", "--why", "x", workspace=place).code == 0


def test_a_round_begun_meanwhile_stops_a_rollback(workspace):
    """A round that learns from it since it was looked at is named, and nothing is undone without `--cascade`."""
    brought(workspace, "organ/1", "evaluated")
    promote(workspace, "organ/1", "better")
    before = current(workspace)
    with workspace.run("test") as run, run.write() as write:
        turn = rounds.find(write.connection, "organ/1")
        family = Family(write)
        family._numbers = iter(range(100, 200))
        family._labels = {"a@organ/1@1": labels.find(write.connection, "a@organ/1@1").id}
        family._cases = {"a": 1}
        later = family.snapshot({"a@organ/1@1": ["spleen"]})
        rounds.add(write, "organ", later, later, {"warm": None})
    refused = pytest.raises(ConflictError, match="organ/3 has begun to learn from organ/1")
    with refused, workspace.run("test") as run, run.write() as write:
        _undo(write, turn, "worse", cascade=False)
    assert (current(workspace), state(workspace, "organ/1")) == (before, "promoted")
    assert rollback(workspace, "organ/1", "worse").would is not None
    assert rollback(workspace, "organ/1", "worse", cascade=True).ids == ("organ/1", "organ/3")
    assert state(workspace, "organ/3") == "rejected"


def test_what_a_round_did_not_learn_is_not_promoted(workspace):
    """Not even by force; nor what has not been predicted."""
    brought(workspace, "organ/1", "evaluated")
    with pytest.raises(UsageError, match="no labels of tumor; it learnt liver spleen"):
        promote(workspace, "organ/1", "x", ["liver", "tumor"], force=True)
    brought(workspace, "organ/1", "trained")
    with pytest.raises(ConflictError, match="organ/1 is trained; only a predicted round"):
        promote(workspace, "organ/1", "x", ["liver"], force=True)
    with pytest.raises(ConflictError, match="only an evaluated round"):
        promote(workspace, "organ/1", "x", ["liver"])
    assert workspace.sql("SELECT * FROM acceptances WHERE round_id IS NOT NULL") == []


def test_a_decision_needs_the_state_it_saw(workspace):
    """A round that was moved since it was read is not moved again."""
    brought(workspace, "organ/1", "evaluated")
    with workspace.catalog.read() as connection:
        seen = rounds.find(connection, "organ/1")
    reject(workspace, "organ/1", "worse")
    refused = pytest.raises(ConflictError, match="no longer evaluated")
    with refused, workspace.run("test") as run, run.write() as write:
        rounds.move(write, seen, "promoted", "late")
    assert state(workspace, "organ/1") == "rejected"


def test_an_acceptance_by_hand_outlives_a_rollback(workspace):
    """What people accepted of the source for other structures counts on."""
    decide_source(workspace, "organ/1", "accepted", "looked at", ["spleen"])
    before = current(workspace)
    assert before["a", "spleen"] == "organ/1"
    promote(workspace, "organ/1", "better", ["liver"], force=True)
    assert current(workspace)["a", "liver"] == "organ/1"
    rollback(workspace, "organ/1", "worse")
    assert current(workspace) == before


some = st.lists(st.sampled_from(NAMES), min_size=1, unique=True)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("promote"), st.sampled_from(TURNS), some),
        st.tuples(st.just("rollback"), st.sampled_from(TURNS), some),
        st.tuples(st.sampled_from(["accepted", "revoked"]), st.just("external"), some),
    ),
    min_size=3,
    max_size=8,
)


class Plain:
    """The rule in plain Python: the latest standing acceptance wins; a rollback takes a round's own away."""

    def __init__(self) -> None:
        self.rank: dict[tuple[str, str], int] = {("external", name): 0 for name in NAMES}
        self.promoted: set[str] = set()
        self.now = 0

    def step(self, verb: str, source: str, names: list[str]) -> None:
        self.now += 1
        if verb in ("promote", "accepted"):
            self.rank |= {(source, name): self.now for name in names}
        gone = NAMES if verb == "rollback" else names if verb == "revoked" else ()
        self.rank = {key: value for key, value in self.rank.items() if key[0] != source or key[1] not in gone}
        if verb in ("promote", "rollback"):
            (self.promoted.add if verb == "promote" else self.promoted.discard)(source)

    def current(self) -> dict[tuple[str, str], str]:
        best = {name: max((r, s) for (s, n), r in self.rank.items() if n == name) for name in self._spoken()}
        found = {(case, name): source for name, (_, source) in best.items() for case in "ab"}
        return found | {("b", "liver"): "truth"}

    def _spoken(self) -> set[str]:
        return {name for _, name in self.rank}


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=steps)
def test_rollback_after_any_history(made, tmp_path_factory, history):
    """What is current is what the rule says after every step, and is told so as of each of them afterwards.

    A rollback leaves what would be current if the round had never been promoted.
    """
    root = shutil.copytree(made, tmp_path_factory.mktemp("history") / "workspace")
    plain, said = Plain(), {}
    with Workspace.open(root) as workspace:
        for verb, source, names in history:
            if verb == "rollback" and source not in plain.promoted:
                with pytest.raises(ConflictError, match="only a promoted round"):
                    rollback(workspace, source, "x")
                continue
            plain.step(verb, source, names)
            operation = done(workspace, verb, source, names).operation
            said[operation] = plain.current()
            assert current(workspace) == plain.current()
        assert {operation: current(workspace, operation) for operation in said} == said
        assert history_problems(workspace) == []


def done(workspace: Workspace, verb: Any, source: str, names: list[str]) -> Result:
    """A step of a history."""
    if verb == "promote":
        return promote(workspace, source, "x", names, force=True)
    if verb == "rollback":
        return rollback(workspace, source, "x")
    return decide_source(workspace, source, verb, "x", names)
