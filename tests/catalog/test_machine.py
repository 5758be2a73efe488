"""Random histories of a catalogue against a plain model: what is current, what was, and what descends from what."""

from __future__ import annotations

import copy
import shutil
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from flaredb.catalog import (
    acceptances,
    case_events,
    cases,
    current,
    explain,
    labels,
    lineage,
    models,
    naming,
    policies,
    policy_sql,
    purge,
    replay,
    scores,
    snapshots,
)
from flaredb.catalog.database import Catalog, Write
from flaredb.catalog.scores import NewScore
from flaredb.catalog.snapshots import NewItem, NewSnapshot
from flaredb.catalog.standing import policy_in_force
from flaredb.errors import ConflictError
from flaredb.labels.mappings import load_mapping
from flaredb.labels.policy import Demand, Policy, decide
from flaredb.labels.structures import FLARE23
from flaredb.workflow.integrity.blotter import Blotter
from tests.builders import KIDNEYS, add_case, add_label, modes
from tests.catalog.plain_model import PlainLabel, PlainModel

CASES = ("a", "b", "c")
STRUCTURES = ("liver", "spleen", "right_kidney", "left_kidney")
HUMAN_SOURCES, GENERATED = ("truth", "expert", "fixed"), ("ext", "organ/1", "organ/2")
SOURCES = HUMAN_SOURCES + GENERATED
some = st.sets(st.sampled_from(STRUCTURES), min_size=1)
case_names = st.sampled_from(CASES)
source_names = st.sampled_from(SOURCES)
incoming = st.fixed_dictionaries(
    {
        "case": case_names,
        "source": source_names,
        "strong": some,
        "positive": st.sampled_from([False, False, False, True]),
        "day": st.integers(0, 4),
        "accepted": st.sampled_from([True, True, True, False]),
        "flare21": st.sampled_from([False, False, False, True]),
    }
)
measures = st.sampled_from(["combined", "agreement"])
demands = st.builds(Demand, measures, st.sampled_from([0.3, 0.5, 0.6]))
START = datetime(2023, 1, 1, tzinfo=UTC)


class Machine(RuleBasedStateMachine):
    """Does the same to a catalogue and to the model, and compares after every step."""

    make: ClassVar[Callable[[], str]]

    def __init__(self) -> None:
        super().__init__()
        self.catalog = Catalog(type(self).make())
        self.model = PlainModel()
        self.past: dict[int, dict[tuple[str, str], Any]] = {}
        self.gone: set[str] = set()

    def teardown(self) -> None:
        """The past is as it was, and the whole log is what the events say."""
        with self.catalog.read() as connection:
            assert replay.compare(connection) == ([], [], [])
            for operation, answers in self.past.items():
                then = current.now(connection, as_of=operation)
                kept = {key: answer for key, answer in answers.items() if key[0] not in self.gone}
                assert shown(then) == {key: answer for key, answer in kept.items() if answer != (None, ())}
        self.catalog.close()

    @initialize(first=st.lists(incoming, min_size=5, max_size=10))
    def begin(self, first: list[dict[str, Any]]) -> None:
        """Three cases with some labels."""
        with self.catalog.run("test", {}) as run, run.write() as write:
            for name in CASES:
                add_case(write, name)
            for source in SOURCES:
                labels.ensure_source(write, source, "ground-truth" if source in HUMAN_SOURCES else "pseudo")
        for label in first:
            self._import(**label)

    @rule(label=incoming)
    def import_label(self, label: dict[str, Any]) -> None:
        """A label comes in; a later one of the same source is its next revision, annotating what it will."""
        self._import(**label)

    def _import(
        self, case: str, source: str, strong: set[str], positive: bool, day: int, accepted: bool, flare21: bool
    ) -> None:
        if case in self.gone:
            return
        weak = {min(strong)} if positive else set()
        changes: dict[str, Any] = {"annotated_at": START + timedelta(days=day)}
        if flare21:
            changes["codes"] = load_mapping("flare21", FLARE23)
        with self.catalog.run("import", {}) as run, run.write() as write:
            kind = "ground-truth" if source in HUMAN_SOURCES else "pseudo"
            annotated = modes(*sorted(strong - weak), positive=sorted(weak))
            number, name = add_label(write, source, case, annotated, kind=kind, **changes)
            if accepted:
                self._accept_at_import(write, source, strong)
        if flare21:
            weak |= strong & set(KIDNEYS)
        revision = int(name.rsplit("@", 1)[1])
        made = PlainLabel(number, case, source, revision, source in HUMAN_SOURCES, day, strong - weak, weak)
        self.model.labels[number] = made
        self._remember(write)

    def _accept_at_import(self, write: Write, source: str, names: set[str]) -> None:
        acceptances.accept_at_import(write, labels.source_number(write.connection, source), sorted(names))
        for name in names:
            self.model.source_accepted.setdefault((source, name), 0)

    @rule(
        source=source_names,
        names=some,
        event=st.sampled_from(["accepted", "revoked", "withdrawn", "restored"]),
        asked=st.dictionaries(st.sampled_from(STRUCTURES), demands),
    )
    def decide_source(self, source: str, names: set[str], event: Any, asked: dict[str, Demand]) -> None:
        """A source is accepted, revoked (so is a round rolled back), withdrawn or restored.

        An acceptance may ask for a least reliability, by structure.
        """
        with self.catalog.run("decide", {}) as run, run.write() as write:
            number, turn = labels.source_number(write.connection, source), None
            if event == "accepted":
                turn = acceptances.Decided(None, asked)
            acceptances.record(write, ("source", number), sorted(names), event, "because", turn)
        for name in names:
            if event in ("accepted", "revoked"):
                self.model.asked.pop((source, name), None)
                if event == "accepted" and name in asked:
                    self.model.asked[source, name] = tuple(asked[name])
                self.model.source_accepted[source, name] = write.operation if event == "accepted" else None
            else:
                self.model.source_hidden[source, name] = event == "withdrawn"
        self._remember(write)

    @precondition(lambda self: self.model.labels)
    @rule(data=st.data(), event=st.sampled_from(["accepted", "revoked", "withdrawn", "restored"]))
    def decide_label(self, data: st.DataObject, event: Any) -> None:
        """The same for single labels."""
        chosen = data.draw(st.sets(st.sampled_from(sorted(self.model.labels)), min_size=1, max_size=3))
        own = {number: self._annotated(number) for number in chosen}
        with self.catalog.run("decide", {}) as run, run.write() as write:
            acceptances.record_labels(write, own, event, "because")
        for number, names in own.items():
            for name in names:
                if event in ("accepted", "revoked"):
                    self.model.label_accepted[number, name] = write.operation if event == "accepted" else None
                else:
                    self.model.label_hidden[number, name] = event == "withdrawn"
        self._remember(write)

    @rule(preferred=st.permutations(GENERATED), threshold=st.sampled_from([0.0, 0.5]), require=st.booleans())
    def apply_policy(self, preferred: list[str], threshold: float, require: bool) -> None:
        """Another policy is put in force."""
        policy = Policy(tuple(preferred[:2]), {"*": threshold}, require)
        with self.catalog.run("policy", {}) as run, run.write() as write:
            policies.apply(write, policy, "because")
        self.model.preferred, self.model.threshold, self.model.require_score = preferred[:2], threshold, require
        self._remember(write)

    @precondition(lambda self: self.model.labels)
    @rule(data=st.data(), measure=measures, value=st.sampled_from([0.2, 0.5, 0.9]))
    def score(self, data: st.DataObject, measure: str, value: float) -> None:
        """A label's reliability is found, by one measure; found again, the last figure counts."""
        number = data.draw(st.sampled_from(sorted(self.model.labels)))
        name = data.draw(st.sampled_from(self._annotated(number)))
        with self.catalog.run("score", {}) as run, run.write() as write:
            scores.add(write, "reliability", [NewScore(number, number, name, measure, value)])
        self.model.scores[number, name, measure] = value
        self._remember(write)

    @rule(pair=st.permutations(HUMAN_SOURCES))
    def supersede(self, pair: list[str]) -> None:
        """A source supersedes another, unless it would supersede itself."""
        newer, older = pair[:2]
        cycle = newer in self.model._below(older) or (newer == older)
        with self.catalog.run("supersede", {}) as run, run.write() as write:
            if cycle:
                with pytest.raises(ConflictError):
                    labels.set_supersedes(write, labels.source_number(write.connection, newer), older)
            else:
                labels.set_supersedes(write, labels.source_number(write.connection, newer), older)
                self.model.supersedes.add((newer, older))
        self._remember(write)

    @rule(case=case_names, excluded=st.booleans())
    def exclude(self, case: str, excluded: bool) -> None:
        """A case is kept out of use, or taken back."""
        if case in self.gone:
            return
        with self.catalog.run("exclude", {}) as run, run.write() as write:
            case_events.set_excluded(write, cases.find(write.connection, case), excluded, "because")
        (self.model.excluded.add if excluded else self.model.excluded.discard)(case)
        self._remember(write)

    @precondition(lambda self: len(self.gone) < len(CASES) - 1)
    @rule(case=case_names, really=st.sampled_from([True, False, False, False, False, False]))
    def purge_case(self, case: str, really: bool) -> None:
        """A case is erased."""
        if case in self.gone or not really:
            return
        with self.catalog.run("purge", {}) as run, run.write() as write:
            doom = purge.doomed(write.connection, [cases.find(write.connection, case).id])
            purge.erase(write, doom, "consent", "somebody", Blotter(doom.words, doom.kept))
        self.gone.add(case)
        self.model.purge(case)
        self._remember(write)

    @precondition(lambda self: len(self.model.models) < 4)
    @rule(data=st.data())
    def train_and_predict(self, data: st.DataObject) -> None:
        """A snapshot of what is current, a model trained on it, and labels that the model makes."""
        held = {v for answer in self._answers().values() for v in (answer[0], *answer[1]) if v is not None}
        if not held:
            return
        count = len(self.model.models)
        parent = data.draw(st.sampled_from([None, *self.model.models]))
        snapshot, model = f"s-{count:012}", f"m-{count:012}"
        with self.catalog.run("train", {}) as run, run.write() as write:
            task = snapshots.task_number(write, "organ", STRUCTURES, "0")
            items = tuple(
                NewItem(cases.find(write.connection, self.model.labels[n].case).id, n, "won", ("liver",))
                for n in sorted(held)
            )
            policy, _ = policy_in_force(write.connection)
            snapshots.add(write, NewSnapshot(snapshot.removeprefix("s-"), "train", task, policy, items))
            models.add(write, models.NewModel(model, snapshot, parent, {}, 0, "0", {}))
            for case in set(CASES) - self.gone:
                self._predict(write, case, model)
        self.model.snapshots[snapshot] = held
        self.model.models[model] = (snapshot, parent)
        self._remember(write)

    def _predict(self, write: Write, case: str, model: str) -> None:
        number, name = add_label(write, "organ/1", case, modes("liver"), kind="pseudo", model=model, annotated_at=START)
        revision = int(name.rsplit("@", 1)[1])
        self.model.labels[number] = PlainLabel(number, case, "organ/1", revision, False, 0, {"liver"}, set(), model)

    @invariant()
    def what_is_current_agrees(self) -> None:
        """The log, the policy as SQL, and the model."""
        with self.catalog.read() as connection:
            assert shown(current.now(connection)) == self._answers()
            assert current.open_places(connection) == policy_sql.winners(connection)

    @invariant()
    def people_come_first(self) -> None:
        """No generated label is current where a person's label could be."""
        for (case, structure), (winner, _) in self._answers().items():
            ranked = self.model._ranked(case, structure)
            if any(label.human and structure in label.strong for label in ranked):
                assert winner is not None
                assert self.model.labels[winner].human

    @rule(case=case_names, data=st.data())
    def the_explanation_names_everybody(self, case: str, data: st.DataObject) -> None:
        """Every candidate has an outcome, now and at a moment of the past, and the winner is the one that was."""
        if case in self.gone or not self.past:
            return
        when = data.draw(st.sampled_from(sorted(self.past)))
        with self.catalog.read() as connection:
            _, policy = policy_in_force(connection, when)
            found = explain.of_case(connection, case, when)
            pairs = explain.supersedes(connection, when)
            everybody = explain.of_case(connection, case)
        for structure in STRUCTURES:
            decision = decide(structure, found.get(structure, []), policy, pairs)
            assert {v.candidate.number for v in decision.verdicts} == {c.number for c in found.get(structure, [])}
            winner = decision.winner.number if decision.winner else None
            contributors = tuple(c.number for c in decision.contributors)
            assert (winner, contributors) == self.past[when].get((case, structure), (None, ()))
            assert {c.number for c in everybody.get(structure, [])} == self.model.candidates(case, structure)

    @precondition(lambda self: self.model.models)
    @rule(source=source_names)
    def taint_agrees(self, source: str) -> None:
        """What descends from a source's labels."""
        own = {number for number, label in self.model.labels.items() if label.source == source}
        with self.catalog.read() as connection:
            family = lineage.descendants(connection, own)
            found = (
                set(family.labels),
                set(naming.snapshots(connection, family.snapshots)),
                set(naming.models(connection, family.models)),
            )
        assert found == self.model.tainted(own)

    def _annotated(self, number: int) -> list[str]:
        return sorted(self.model.labels[number].strong | self.model.labels[number].weak)

    def _answers(self) -> dict[tuple[str, str], tuple[int | None, tuple[int, ...]]]:
        every = {(c, s): self.model.answer(c, s) for c in CASES if c not in self.gone for s in STRUCTURES}
        return {cell: answer for cell, answer in every.items() if answer != (None, ())}

    def _remember(self, write: Write) -> None:
        self.past[write.operation] = copy.copy(self._answers())


def shown(found: dict[str, list[Any]]) -> dict[tuple[str, str], tuple[int | None, tuple[int, ...]]]:
    """What the catalogue answers, as the model does."""
    return {
        (case, each.structure): (
            each.winner.number if each.winner else None,
            tuple(v.number for v in each.contributors),
        )
        for case, listed in found.items()
        for each in listed
    }


@pytest.mark.parametrize(("database", "examples"), [("sqlite", 50), ("postgresql", 20)])
def test_any_history_agrees_with_the_plain_model(
    database: str, examples: int, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Imports, revisions, acceptances, withdrawals, policies, exclusions, supersessions, scores, models and purges."""

    def on_sqlite() -> str:
        folder = tempfile.mkdtemp(dir=tmp_path)
        shutil.copy(request.getfixturevalue("sqlite_made"), f"{folder}/catalog.db")
        return f"sqlite:///{folder}/catalog.db"

    def on_postgresql() -> str:
        return str(request.getfixturevalue("postgres").copy_of_made())

    made = type("MachineHere", (Machine,), {"make": staticmethod(on_sqlite if database == "sqlite" else on_postgresql)})
    how = settings(
        max_examples=examples, stateful_step_count=20, deadline=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    run_state_machine_as_test(made, settings=how)
