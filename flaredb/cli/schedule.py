"""The schedule: what it says, running it, and handing it to cron, systemd or Slurm."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from flaredb.cli.options import App, example, pass_app
from flaredb.errors import Finding, InvalidDataError, UnfinishedError

if TYPE_CHECKING:
    from flaredb.workflow.schedule.entries import Entry
    from flaredb.workspace import Workspace

_OCCURRENCE = "FLAREDB_OCCURRENCE"  # as in workflow.schedule, which a mere --help does not load
_PR_SET_PDEATHSIG = 1  # of Linux's prctl


@click.group("schedule")
def schedule() -> None:
    """The schedule in flaredb.toml: what is due when, and running it."""


@example("flaredb schedule list")
@schedule.command("list")
@pass_app
def schedule_list(app: App) -> None:
    """List the entries of the schedule: when each is due next, and what became of it last.

    Every occurrence, run or missed, is a row of the view schedule_log.
    """
    from flaredb.workflow.schedule.listing import schedule_list

    with app.open() as workspace:
        rows = schedule_list(workspace)
        refuse_faulty(entries_of(workspace))
    app.rows(rows, ["name", "cron", "zone", "next", "overdue", "last", "state", "missed", "command"])


@example("flaredb schedule run")
@schedule.command("run")
@pass_app
def schedule_run(app: App) -> None:
    """Stay, and run what is due when it is due, until SIGTERM or Ctrl-C.

    A closed terminal does not end it. A command in hand is ended first: exit code 75 means that it goes on at the next
    turn, whoever takes it. Changes of flaredb.toml count within a minute.
    """
    from flaredb.workflow.schedule.run import stay

    with app.open() as workspace:
        entries = entries_of(workspace)
        refuse_faulty(entries)
        if not entries:
            workspace.reporter.say("flaredb.toml has no [[schedule]] yet; waiting for one")
        stay(workspace, refuse_faulty)


@example("flaredb schedule print --systemd")
@schedule.command("print")
@click.option("--systemd", "form", flag_value="systemd", help="A unit that keeps `schedule run` running.")
@click.option("--cron", "form", flag_value="cron", help="A crontab line that looks every five minutes.")
@click.option("--slurm", "form", flag_value="slurm", help="A job that looks, and queues itself again.")
@pass_app
def schedule_print(app: App, form: str | None) -> None:
    """Print what makes another program run this workspace's schedule."""
    from flaredb.workflow.schedule.units import schedule_print

    if form is None:
        raise click.UsageError("give one of --systemd, --cron and --slurm")
    text = schedule_print(app.locate().resolve(), form)
    app.document({"form": form, "text": text}, lambda: click.echo(text, nl=False))


def advance_due(app: App) -> None:
    """`round advance --due`: one turn of the schedule; without a schedule, or within one, of the open rounds."""
    from flaredb.workflow.rounds.due import advance_open
    from flaredb.workflow.schedule.run import run_due

    with app.open() as workspace:
        entries = entries_of(workspace)
        refuse_faulty(entries)
        alone = not entries or _OCCURRENCE in os.environ
        result = advance_open(workspace) if alone else run_due(workspace, entries)
        if not result.ids and not result.findings:
            workspace.reporter.say("nothing is due" if alone else f"nothing is due; {_next(workspace)}")
    unfinished = any(finding.rule.endswith("-unfinished") for finding in result.findings)
    only = unfinished and all(finding.severity == "info" for finding in result.findings)
    app.result(result, UnfinishedError.exit_code if only else 1)


def entries_of(workspace: Workspace) -> Sequence[Entry]:
    """The entries of flaredb.toml; InvalidDataError says what is wrong with them."""
    from flaredb.workflow.schedule.entries import read_entries

    return read_entries(workspace.settings)


def refuse_faulty(entries: Sequence[Entry]) -> None:
    """InvalidDataError for entries whose command is none of flaredb's, or has options that it has not."""
    faults = [
        Finding("error", None, "schedule", said, f"schedule {e.name}") for e in entries if (said := _fault(e.command))
    ]
    if faults:
        first = f"{faults[0].path}: {faults[0].message}"
        raise InvalidDataError(f"flaredb.toml, {first}; correct it and look: flaredb schedule list", faults)


def commands_wrong(workspace: Workspace) -> list[str]:
    """What is wrong with the commands of entries that can be read."""
    try:
        entries = entries_of(workspace)
    except InvalidDataError:
        return []  # which is told by whoever reads them
    return [f"schedule {entry.name}: {said}" for entry in entries if (said := _fault(entry.command))]


def _fault(words: Sequence[str]) -> str | None:
    """What the program would say to these words; None if it would take them."""
    root = click.get_current_context().find_root()
    command: click.Command | None = root.command
    name, rest = "", list(words)
    if {"-h", "--help"} & set(words):
        return f"{' '.join(words)} only prints help"
    try:
        while isinstance(command, click.Group):
            if not rest:
                return f"{' '.join(words)} is a group of commands; name one: {' '.join(command.commands)}"
            found, command, rest = command.resolve_command(root, rest)
            name = found or name
        if command:
            command.make_context(name, rest, parent=root)
    except click.ClickException as error:
        return f"{' '.join(words)}: {error.format_message()}"
    return None


def _next(workspace: Workspace) -> str:
    from flaredb.workflow.schedule.entries import stamp
    from flaredb.workflow.schedule.listing import schedule_list

    coming = [(row["next"], row["name"]) for row in schedule_list(workspace) if row["next"]]
    return f"next is {min(coming)[1]}, at {stamp(min(coming)[0])}" if coming else "and nothing ever will be"


def end_with_scheduler() -> None:
    """In a command that the schedule started: have the system send SIGTERM when the scheduler dies, however it does.

    So whoever takes the next turn does not find it still at work. Linux alone can do so.
    """
    if _OCCURRENCE in os.environ and sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)


COMMANDS = (schedule,)
