"""What can go on now: open rounds that wait for nobody, one state further each."""

from __future__ import annotations

from flaredb.catalog import rounds
from flaredb.catalog.rounds import Round
from flaredb.errors import Finding, FlareError, UnfinishedError
from flaredb.workflow.results import Result
from flaredb.workspace import Workspace


def advance_open(workspace: Workspace) -> Result:
    """Take every open round one state further, the one started first coming first; nothing where none can go on.

    A round that fails does not hold up the others; the error is raised where only one was tried.
    """
    with workspace.catalog.read() as connection:
        ready = [turn for turn in rounds.open_rounds(connection) if not waits(turn)]
    if not ready:
        return Result(None)
    from flaredb.workflow.rounds.advance import advance  # loads what trains, which a look need not wait for

    if len(ready) == 1:
        return advance(workspace, ready[0].name)
    findings: list[Finding] = []
    names: list[str] = []
    operation = None
    for turn in ready:
        try:
            operation = advance(workspace, turn.name).operation or operation
            names.append(turn.name)
        except FlareError as error:
            unfinished = isinstance(error, UnfinishedError)
            rule = "round-unfinished" if unfinished else "round-failed"
            message = f"{turn.name}: {error}"
            findings.append(Finding("info" if unfinished else "error", None, rule, message))
    return Result(operation, tuple(names), len(names), failed=len(findings), findings=tuple(findings))


def waits(turn: Round) -> bool:
    """Whether people must decide on a round before it goes on."""
    return turn.state == "evaluated" and turn.settings.get("gate") == "ask"
