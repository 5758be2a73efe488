"""The past: what was current then is what was said then, by operation, by date and by round."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from flaredb.catalog import cases, history, scores
from flaredb.catalog import labels as label_rows
from flaredb.catalog.scores import NewScore
from flaredb.errors import InvalidDataError, NotFoundError, UsageError
from flaredb.workflow.case.events import case_exclude, case_include, case_rename
from flaredb.workflow.ingest.labels import LabelOptions
from flaredb.workflow.label.policy import policy_apply, policy_show
from flaredb.workflow.label.sources import decide_label, decide_source, withdraw_source
from flaredb.workflow.provenance.current import label_current, label_explain
from flaredb.workflow.provenance.moments import beginning, moment
from flaredb.workflow.rounds.advance import RoundOptions, round_start
from flaredb.workflow.rounds.decide import promote, reject, rollback
from flaredb.workflow.rounds.show import round_show
from flaredb.workflow.snapshot.create import snapshot_show
from flaredb.workspace import Workspace
from tests.cohorts import add_case, add_label, blocks, flaredb, tiny

P = LabelOptions("p", "external")
Q = LabelOptions("q", "external", accepted=False)
TRUTH = LabelOptions("truth", "ground-truth")


def last(workspace: Workspace) -> int:
    with workspace.catalog.read() as connection:
        return history.last_operation(connection)


def say(workspace: Workspace, as_of: str | None = None) -> tuple[Any, Any]:
    """What is current of every case, and the explanation of every case."""
    explained = {name: label_explain(workspace, name, as_of) for name in ("a", "b")}
    return label_current(workspace, as_of=as_of), explained


@pytest.fixture
def told(empty, tmp_path):
    """Two cases whose labels come, are decided on, scored, withdrawn and excluded; and what was said after each."""
    said: dict[int, tuple[Any, Any]] = {}

    def thresholds(name: str, text: str) -> None:
        (tmp_path / name).write_text(text)
        policy_apply(empty, tmp_path / name, "for the test")

    def score() -> None:
        with empty.run("test") as run, run.write() as write:
            number = label_rows.find(write.connection, "a@q@1").id
            scores.add(write, "reliability", [NewScore(number, number, "liver", "agreement", 0.3)])
            write.touched.add(cases.find(write.connection, "a").id)

    steps: list[Any] = [
        lambda: [add_case(empty, tmp_path, name, seed) for seed, name in enumerate("ab")],
        lambda: add_label(empty, tmp_path / "1", "a", blocks(1, 3), "liver,spleen", P),
        lambda: add_label(empty, tmp_path / "2", "b", blocks(1, 3), "liver", P),
        lambda: add_label(empty, tmp_path / "3", "a", blocks(1), "liver", Q, positive_only="tumor"),
        lambda: decide_source(empty, "q", "accepted", "better"),
        lambda: decide_label(empty, "a@q@1", "revoked", "not here", ["liver"]),
        lambda: decide_label(empty, "a@q@1", "accepted", "after all", ["liver"]),
        score,
        lambda: thresholds("high.toml", 'sources = ["q", "p"]\n[thresholds]\n"*" = 0.5\n'),
        lambda: thresholds("low.toml", 'sources = ["p", "q"]\n[thresholds]\nliver = 0.1\n'),
        lambda: add_label(empty, tmp_path / "4", "a", blocks(0, 1), "liver", P),
        lambda: add_label(empty, tmp_path / "5", "b", blocks(0, 0, 1), "liver", TRUTH),
        lambda: case_exclude(empty, "b", "wrong body part"),
        lambda: withdraw_source(empty, "p", "licence", ["spleen"], yes=True),
        lambda: case_include(empty, "b", "looked again"),
        lambda: add_label(
            empty, tmp_path / "6", "b", blocks(1), "liver", TRUTH._replace(source="newer", supersedes="truth")
        ),
        lambda: decide_source(empty, "p", "restored", "licence found", ["spleen"]),
    ]
    for step in steps:
        step()
        said[last(empty)] = say(empty)
    return empty, said


def test_what_was_current_is_what_was_said_then(told):
    """Asked later as of each operation, `label current` and `label explain` answer as they did at the time."""
    workspace, said = told
    assert len({str(answer) for answer in said.values()}) > 12
    for operation, answer in said.items():
        assert say(workspace, str(operation)) == answer, operation


def test_explanations_fit_what_was_current(told):
    """At every operation winner and contributors are those that `label current` names, of all labels there were."""
    workspace, _ = told
    for operation in range(1, last(workspace) + 1):
        rows, explained = say(workspace, str(operation))
        for row in rows:
            (found,) = [each for each in explained[row["case"]] if each["structure"] == row["structure"]]
            assert found["winner"] == row["label"]
            outcomes = [(each["outcome"], each["label"]) for each in found["candidates"]]
            assert [label for outcome, label in outcomes if outcome == "contributes"] == row["contributors"]
            assert len([1 for outcome, _ in outcomes if outcome == "won"]) == (row["label"] is not None)


def test_every_candidate_of_the_time_is_named(told):
    """As of an operation the candidates are the labels imported by then that annotate the structure, no others."""
    workspace, _ = told
    query = (
        "SELECT p.label, p.structure, l.operation_id AS operation FROM label_provenance p "
        'JOIN cases c ON c.name = p."case" JOIN sources s ON s.name = p.source '
        "JOIN labels l ON l.case_id = c.id AND l.source_id = s.id AND l.revision = p.revision"
    )
    everything = workspace.sql(query)
    assert len(everything) == 8
    for operation in range(1, last(workspace) + 1):
        _, explained = say(workspace, str(operation))
        named = {
            (each["label"], row["structure"])
            for rows in explained.values()
            for row in rows
            for each in row["candidates"]
        }
        assert named == {(r["label"], r["structure"]) for r in everything if r["operation"] <= operation}


def test_a_time_is_the_last_operation_by_then(told):
    """An ISO time looks just after the last operation that was over by then; a day, at its end in UTC."""
    workspace, said = told
    times = {row["id"]: row["at"] for row in workspace.sql("SELECT id, at FROM operations")}
    for operation in said:
        assert say(workspace, times[operation]) == said[operation]
        before = datetime.fromisoformat(times[operation]) - timedelta(microseconds=1)
        assert say(workspace, before.isoformat()) == say(workspace, str(operation - 1))
    with workspace.catalog.read() as connection:
        today = datetime.fromisoformat(times[last(workspace)]).astimezone(UTC).date()
        for text in (today.isoformat(), today.strftime("%Y%m%d"), "2999-01-01"):
            assert moment(connection, text) == last(workspace), text


def test_a_zone_counts(told):
    """A time with a zone is that moment, wherever."""
    workspace, said = told
    operation = next(iter(said))
    (row,) = workspace.sql("SELECT at FROM operations WHERE id = :id", id=operation)
    away = datetime.fromisoformat(row["at"]) + timedelta(hours=5)
    with workspace.catalog.read() as connection:
        assert moment(connection, away.replace(tzinfo=None).isoformat() + "+05:00") == operation


def test_what_was_not_yet_is_not_found(told):
    """A day before the first operation, an operation that is not there, and text that is neither."""
    workspace, _ = told
    with workspace.catalog.read() as connection:
        for wrong in ("2001-01-01", "0", "000", str(last(workspace) + 1), "9999999"):
            with pytest.raises(NotFoundError, match="flaredb log"):
                moment(connection, wrong)
        for wrong in ("yesterday", "", "2023-13-01", "-1", "1.5", "organ/1"):
            with pytest.raises(InvalidDataError, match="date such as"):
                moment(connection, wrong)
        with pytest.raises(UsageError):
            moment(connection, "1", "organ/1")
        assert moment(connection) is None


def test_a_beginning_is_the_beginning_of_a_day():
    """`--since` a day is since its midnight, UTC."""
    assert beginning("2023-05-07") == datetime(2023, 5, 7, tzinfo=UTC)
    assert beginning("2023-05-07T14:30") == datetime(2023, 5, 7, 14, 30, tzinfo=UTC)


def test_an_old_name_finds_the_past(told):
    """A renamed case is asked for by either name, as of before the renaming too; the labels bear the new name."""
    workspace, said = told
    operation = last(workspace)
    case_rename(workspace, "a", "anna", "its name")
    old = [row for row in said[operation][0] if row["case"] == "a"]
    for name in ("a", "anna"):
        found = label_current(workspace, name, str(operation))
        assert [row["label"] and row["label"].replace("anna@", "a@") for row in found] == [r["label"] for r in old]


def test_a_round_looks_at_what_it_trained_from(after_round):
    """`--round` is what was current when the round was started, whatever was promoted since: its snapshot says so."""
    before = label_current(after_round)
    promote(after_round, "organ/1", "for the test", after_round.structures.organs, force=True)
    between = label_current(after_round)
    options = RoundOptions(tiny(steps=1), gate="ask", device="cpu")
    round_start(after_round, "organ", options)
    reject(after_round, "organ/2", "no")
    rollback(after_round, "organ/1", "no")
    assert label_current(after_round) == before != between
    then = label_current(after_round, turn="organ/1")  # when its own predictions were not there to speak
    assert [row | {"reason": ""} for row in then] == [row | {"reason": ""} for row in before]
    assert label_current(after_round, turn="organ/2") == between
    for name in ("organ/1", "organ/2"):
        rows = {(r["case"], r["structure"]): r["label"] for r in label_current(after_round, turn=name)}
        for item in snapshot_show(after_round, round_show(after_round, name)["snapshot"])["items"]:
            for held in item["labels"]:
                for structure in held["structures"]:
                    if held["role"] == "won":
                        assert rows[item["case"], structure] == held["label"]
    won = {row["structure"] for row in between if row["source"] == "organ/1" and row["case"] == "FLARE23_0001"}
    explained = {row["structure"]: row["winner"] for row in label_explain(after_round, "FLARE23_0001", turn="organ/2")}
    assert {structure for structure, winner in explained.items() if winner and "organ/1" in winner} == won
    with pytest.raises(NotFoundError, match="organ/2"):
        label_current(after_round, turn="organ/3")


def test_the_policy_of_a_moment(told, tmp_path):
    """`policy show --as-of` is the policy that was in force then; before any was applied, the rules as they come."""
    workspace, _ = told
    shown = policy_show(workspace)
    assert shown["thresholds"] == {"liver": 0.1}
    first, second, third = (row["operation"] for row in shown["history"])
    assert policy_show(workspace, str(first))["thresholds"] == {}
    for operation in range(second, third):
        assert policy_show(workspace, str(operation))["thresholds"] == {"*": 0.5}
    assert policy_show(workspace, str(third))["sources"] == ["p", "q"]


def test_the_program_looks_back(told):
    """`--as-of` and `--round` on the command line, with their exit codes."""
    workspace, said = told
    operation, (rows, explained) = list(said.items())[4]
    done = flaredb("label", "current", "--as-of", operation, workspace=workspace.root)
    assert (done.code, done.json) == (0, rows)
    done = flaredb("label", "explain", "a", "--as-of", operation, workspace=workspace.root)
    assert (done.code, done.json) == (0, explained["a"])
    for code, options in [
        (3, ("--as-of", "0")),
        (3, ("--as-of", "2001-01-01")),
        (5, ("--as-of", "soon")),
        (3, ("--round", "organ/1")),
        (2, ("--as-of", "1", "--round", "organ/1")),
    ]:
        for command in (("label", "current"), ("label", "explain", "a")):
            assert flaredb(*command, *options, workspace=workspace.root).code == code, options
    assert flaredb("policy", "show", "--as-of", "0", workspace=workspace.root).code == 3
