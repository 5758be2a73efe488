"""A command of the owner's is told of events; whatever becomes of it, the round is what it was."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from flaredb.errors import ConflictError, InvalidDataError, StorageError
from flaredb.workflow.rounds.advance import RoundOptions, advance, round_start
from flaredb.workflow.rounds.decide import promote, reject, rollback
from flaredb.workflow.rounds.events import EVENTS, Listener, read_listener
from flaredb.workflow.rounds.show import round_show
from flaredb.workspace import Workspace
from tests.cohorts import tiny

OPTIONS = RoundOptions(tiny(steps=1), device="cpu")
WRITES = "import sys; open('told.jsonl', 'a', encoding='utf-8').write(sys.stdin.read() + chr(10))"


def listen(workspace: Workspace, code: str = WRITES, **more: Any) -> None:
    """Have Python code run on events."""
    workspace.settings["events"] = {"command": [sys.executable, "-c", code], **more}


def told(workspace: Workspace) -> list[dict[str, Any]]:
    """The documents that the listener wrote, in order."""
    file = workspace.root / "told.jsonl"
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()] if file.exists() else []


def remarks(workspace: Workspace) -> list[str]:
    rows = workspace.sql("SELECT message FROM findings WHERE rule = 'event-command' ORDER BY id")
    return [str(row["message"]) for row in rows]


def test_a_round_is_told_from_its_gate_to_its_end(after_round: Workspace) -> None:
    """That it needs a decision, that it was promoted, that it was rolled back; each once, with the gate's figures."""
    listen(after_round)
    with after_round.run("test") as run, run.write() as made:
        made.connection.execute(text("UPDATE rounds SET state = 'predicted'"))
    advance(after_round, "organ/1")
    promote(after_round, "organ/1", "looked at", ["liver"], force=True)
    rollback(after_round, "organ/1", "looked again")
    documents = told(after_round)
    assert [document["event"] for document in documents] == ["needs-decision", "promoted", "rolled-back"]
    assert [document["state"] for document in documents] == ["evaluated", "promoted", "rolled-back"]
    first = documents[0]
    shown = round_show(after_round, "organ/1")
    assert {key: first[key] for key in ("round", "task", "model", "snapshot")} == {
        "round": "organ/1",
        "task": "organ",
        "model": shown["model"],
        "snapshot": shown["snapshot"],
    }
    assert set(first["gate"]["structures"]) == set(shown["gate"]["structures"])
    assert first["workspace"] == str(after_round.root)
    assert any("round promote organ/1" in command for command in first["next"])
    assert "looked at" in documents[1]["why"]
    assert remarks(after_round) == []


def test_a_rejected_round_is_told_where_it_is_asked_for(workspace: Workspace) -> None:
    """`on` lists what is told; a refused command is no event."""
    round_start(workspace, "organ", OPTIONS)
    listen(workspace, on=["promoted"])
    reject(workspace, "organ/1", "not this one")
    assert told(workspace) == []
    round_start(workspace, "organ", OPTIONS)
    listen(workspace, on=["rejected", "failed"])
    reject(workspace, "organ/2", "nor this one")
    with pytest.raises(ConflictError):
        reject(workspace, "organ/2", "again")
    assert [(document["event"], document["why"]) for document in told(workspace)] == [("rejected", "nor this one")]


def test_a_round_that_breaks_is_told(workspace: Workspace) -> None:
    """With the error, and how to go on; the error is raised as ever."""
    round_start(workspace, "organ", OPTIONS)
    for volume in (workspace.volumes.root).rglob("zarr.json"):
        volume.write_text("{")
    listen(workspace)
    with pytest.raises((InvalidDataError, StorageError)) as caught:
        advance(workspace, "latest:organ")
    (document,) = told(workspace)
    assert (document["event"], document["state"], document["round"]) == ("failed", "open", "organ/1")
    assert str(caught.value) in document["why"]
    assert "flaredb round advance organ/1" in document["next"]


@pytest.mark.parametrize(
    ("code", "more", "said"),
    [
        ("import sys; sys.exit('no mail today')", {}, "exit code 1: no mail today"),
        ("import time; time.sleep(60)", {"timeout_s": 0.5}, "took more than 0.5 s"),
        (WRITES, {"command": ["./not-there"]}, "could not be started"),
        (WRITES, {"on": ["finished"]}, "lists some of"),
    ],
)
def test_a_listener_that_fails_breaks_nothing(workspace: Workspace, code: str, more: dict[str, Any], said: str) -> None:
    """The round is decided all the same, and a finding says what went wrong."""
    round_start(workspace, "organ", OPTIONS)
    listen(workspace, code, **more)
    assert reject(workspace, "organ/1", "not this one").added == 1
    assert round_show(workspace, "organ/1")["state"] == "rejected"
    (message,) = remarks(workspace)
    assert message.startswith("rejected of round organ/1 could not be told: ")
    assert said in message


def test_a_listener_may_decide_itself(after_round: Workspace) -> None:
    """While it runs nothing is held: it can promote the round that it is told of."""
    with after_round.run("test") as run, run.write() as made:
        made.connection.execute(text("UPDATE rounds SET state = 'predicted'"))
    words = [
        sys.executable,
        "-m",
        "flaredb",
        "-w",
        str(after_round.root),
        "round",
        "reject",
        "organ/1",
        "--why",
        "told",
    ]
    after_round.settings["events"] = {"command": words, "on": ["needs-decision"], "timeout_s": 120}
    advance(after_round, "organ/1")
    assert remarks(after_round) == []
    assert round_show(after_round, "organ/1")["state"] == "rejected"


def test_settings_are_read() -> None:
    """Every event and half a minute, unless told otherwise."""
    assert read_listener({}) is None
    assert read_listener({"events": {"command": ["mail"]}}) == Listener(("mail",), EVENTS, 30.0)
    given = {"command": ["mail", "x"], "on": ["failed"], "timeout_s": 5}
    assert read_listener({"events": given}) == Listener(("mail", "x"), ("failed",), 5.0)


@pytest.mark.parametrize(
    ("events", "said"),
    [
        (["mail"], r"\[events\]"),
        ({"command": "mail"}, "list of words"),
        ({"command": []}, "list of words"),
        ({}, "list of words"),
        ({"command": ["mail"], "on": ["done"]}, "lists some of: needs-decision promoted"),
        ({"command": ["mail"], "timeout_s": 0}, "above 0"),
        ({"command": ["mail"], "timeout": 3}, "no setting timeout"),
    ],
)
def test_wrong_settings_are_refused(events: Any, said: str) -> None:
    """The error names the rule."""
    with pytest.raises(InvalidDataError, match=said):
        read_listener({"events": events})


def test_the_manual_lists_the_events() -> None:
    """docs/rounds.md names every event and every field of the document."""
    manual = (Path(__file__).parents[3] / "docs" / "rounds.md").read_text("utf-8")
    fields = ["round", "task", "state", "why", "workspace", "snapshot", "model", "operation", "at", "gate", "next"]
    assert [word for word in ("event", *EVENTS, *fields) if f"`{word}`" not in manual] == []
