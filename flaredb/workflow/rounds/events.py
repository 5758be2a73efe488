"""Tells a command of the owner's when a round needs people, is decided, or fails: `[events]` in flaredb.toml.

The command gets one JSON document on its standard input. Whatever becomes of it, the round is what it was: a command
that fails or takes too long is a finding.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from typing import Any, NamedTuple, TypeVar, cast

from flaredb.catalog import rounds
from flaredb.catalog.rounds import Round
from flaredb.errors import (
    ConflictError,
    Finding,
    FlareError,
    InvalidDataError,
    NeedsPeopleError,
    NotFoundError,
    UnfinishedError,
)
from flaredb.workflow.results import Result
from flaredb.workflow.rounds.show import round_show
from flaredb.workspace import Workspace

EVENTS = ("needs-decision", "promoted", "rejected", "rolled-back", "failed")
_KEYS = {"command", "on", "timeout_s"}
_TIMEOUT_S = 30.0
_NOT_THE_ROUNDS = (ConflictError, NotFoundError, UnfinishedError)  # of who asked, or to be gone on with
F = TypeVar("F", bound=Callable[..., Result])


class Listener(NamedTuple):
    """Who is told what: a command without a shell, which events, and how long it may take."""

    command: tuple[str, ...]
    on: tuple[str, ...] = EVENTS
    timeout_s: float = _TIMEOUT_S


def read_listener(settings: dict[str, Any]) -> Listener | None:
    """`[events]` of flaredb.toml; None if there is none, InvalidDataError if it is wrong."""
    given = settings.get("events")
    if given is None:
        return None
    if not isinstance(given, dict):
        raise InvalidDataError("flaredb.toml: write what is told of events under a line [events]")
    unknown = sorted(set(given) - _KEYS)
    if unknown:
        raise InvalidDataError(f"flaredb.toml, [events]: no setting {unknown[0]}; there are: {' '.join(sorted(_KEYS))}")
    command, on, timeout = given.get("command"), given.get("on", list(EVENTS)), given.get("timeout_s", _TIMEOUT_S)
    if not isinstance(command, list) or not command or not all(isinstance(word, str) and word for word in command):
        raise InvalidDataError('flaredb.toml, [events]: give a list of words: command = ["./notify", "--mail"]')
    if not isinstance(on, list) or not set(map(str, on)) <= set(EVENTS):
        raise InvalidDataError(f"flaredb.toml, [events]: on = [...] lists some of: {' '.join(EVENTS)}")
    if isinstance(timeout, bool) or not isinstance(timeout, int | float) or timeout <= 0:
        raise InvalidDataError("flaredb.toml, [events]: timeout_s is a number of seconds above 0")
    return Listener(tuple(command), tuple(map(str, on)), float(timeout))


def announced(failures: bool = False) -> Callable[[F], F]:
    """Around a verb on a round: tell what state it brought the round to; with `failures`, that it broke, too."""

    def around(verb: F) -> F:
        @wraps(verb)
        def telling(workspace: Workspace, name: str, *args: Any, **kwargs: Any) -> Result:
            if "events" not in workspace.settings:
                return verb(workspace, name, *args, **kwargs)
            before = _states(workspace, name)
            try:
                result = verb(workspace, name, *args, **kwargs)
            except Exception as error:
                if failures and name in before and (event := _event_of(error)):
                    tell(workspace, before[name].name, event, f"{type(error).__name__}: {error}")
                raise
            after = _states(workspace, name)
            for turn in {each.id: each for key, each in after.items() if key in (name, *result.ids)}.values():
                event = _event(turn)
                if event and (turn.name not in before or before[turn.name].state != turn.state):
                    tell(workspace, turn.name, event)
            return result

        return cast("F", telling)

    return around


def tell(workspace: Workspace, name: str, event: str, why: str | None = None) -> None:
    """Run the listener's command for an event of a round. A failure of it is a finding, and raises nothing."""
    try:
        listener = read_listener(workspace.settings)
        if listener is None or event not in listener.on:
            return
        trouble = _deliver(workspace, listener, _document(workspace, name, event, why))
    except FlareError as error:
        trouble = str(error)
    if not trouble:
        return
    message = f"{event} of round {name} could not be told: {trouble}"
    workspace.reporter.say(message)
    try:
        with workspace.run("event", round=name, event=event) as run, run.write() as write:
            write.add_findings([Finding("warning", None, "event-command", message)])
    except FlareError as error:
        workspace.reporter.say(f"nor could that be noted down: {error}")


def _deliver(workspace: Workspace, listener: Listener, document: dict[str, Any]) -> str:
    """What went wrong; nothing if all went well."""
    text = json.dumps(document, ensure_ascii=False)
    try:
        done = subprocess.run(  # noqa: S603  (the owner's own command)
            listener.command,
            input=text,
            capture_output=True,
            encoding="utf-8",
            errors="backslashreplace",
            cwd=workspace.root,
            timeout=listener.timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"{listener.command[0]} took more than {listener.timeout_s:g} s and was ended"
    except OSError as error:
        return f"{listener.command[0]} could not be started: {error}"
    if done.returncode == 0:
        return ""
    said = (done.stderr.strip() or done.stdout.strip() or "it said nothing").splitlines()[-1]
    return f"{listener.command[0]} ended with exit code {done.returncode}: {said}"


def _document(workspace: Workspace, name: str, event: str, why: str | None) -> dict[str, Any]:
    shown = round_show(workspace, name)
    last = shown["events"][-1] if shown["events"] else {"why": None, "operation": None}
    return {
        "event": event,
        "round": shown["round"],
        "task": shown["task"],
        "state": shown["state"],
        "why": why or last["why"],
        "workspace": str(workspace.root),
        "snapshot": shown["snapshot"],
        "model": shown["model"],
        "operation": last["operation"],
        "at": datetime.now(UTC).isoformat(),
        "gate": shown["gate"],
        "next": _way_on(event, shown["round"]),
    }


def _way_on(event: str, name: str) -> list[str]:
    """The commands that suit the event."""
    if event == "needs-decision":
        return [f"flaredb round {verb} {name} --why …" for verb in ("promote", "reject")]
    if event == "failed":
        return [f"flaredb round advance {name}", f"flaredb round reject {name} --why …"]
    return [f"flaredb round show {name}"]


def _states(workspace: Workspace, name: str) -> dict[str, Round]:
    """Every round by its name, and the one that an alias such as `latest:organ` stands for."""
    with workspace.catalog.read() as connection:
        found = {turn.name: turn for turn in rounds.every(connection)}
        try:
            found[name] = rounds.find(connection, name)
        except NotFoundError:
            return found  # which the verb will say
    return found


def _event_of(error: Exception) -> str | None:
    """What there is to tell of a step that ended with an error."""
    if isinstance(error, NeedsPeopleError):
        return "needs-decision"
    return None if isinstance(error, _NOT_THE_ROUNDS) else "failed"


def _event(turn: Round) -> str | None:
    """What there is to tell of a round that came to its state."""
    if turn.state == "evaluated":
        return "needs-decision" if turn.settings.get("gate") == "ask" else None
    return turn.state if turn.state in EVENTS else None
