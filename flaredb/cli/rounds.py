"""Rounds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from flaredb.cli import output
from flaredb.cli.gate import show_gate
from flaredb.cli.options import App, example, names, pass_app, settings, structures_option, where_option, why_option
from flaredb.cli.schedule import advance_due
from flaredb.cli.train import DEVICES, PRESETS, TASK

if TYPE_CHECKING:
    from flaredb.workflow.rounds.advance import RoundOptions
    from flaredb.workspace import Workspace


@click.group("round")
def turn() -> None:
    """Rounds: train, predict, measure, and promote what is better."""


def round_options(command: Any) -> Any:
    """Options of a round's training and gate."""
    for option in (
        where_option,
        click.option("--device", show_default="auto", type=DEVICES),
        click.option("--tainted", is_flag=True, help="Even from what descends from labels that are withdrawn now."),
        click.option("--ask/--auto", default=None, help="Wait for a decision at the gate, or act on its report."),
        click.option(
            "--reliability",
            metavar="0.6|4%|flare22",
            help="What a promotion asks of each label: a least value, or that a share, the worst, is dropped.",
        ),
        click.option("--from", "warm", metavar="MODEL", help="Start from this model, latest:TASK, latest, or none."),
        click.option("--set", "pairs", multiple=True, metavar="KEY=VALUE", help="Change a setting of the preset."),
        click.option("--preset", show_default="small", type=PRESETS),
        click.option("--task", required=True, metavar=TASK),
    ):
        command = option(command)
    return command


def make_options(
    workspace: Workspace, task: str, pairs: tuple[str, ...], ask: bool | None, **others: Any
) -> RoundOptions:
    """The options as the verbs take them; where the command line is silent `[task.NAME]` of `flaredb.toml` speaks."""
    from flaredb.workflow.rounds.task_settings import Asked, round_options

    gate = None if ask is None else "ask" if ask else "auto"
    return round_options(workspace, task, Asked(changes=settings(pairs), gate=gate, **others))


@example("flaredb round start --task organ --preset small --from latest:organ")
@turn.command("start")
@round_options
@pass_app
def round_start(app: App, /, task: str, **options: Any) -> None:
    """Open a round: freeze its training set and its references."""
    from flaredb.workflow.rounds.advance import round_start

    with app.open() as workspace:
        app.result(round_start(workspace, task, make_options(workspace, task, **options)))


@example("flaredb round list")
@turn.command("list")
@pass_app
def round_list(app: App) -> None:
    """List rounds."""
    with app.open() as workspace:
        rows = workspace.sql("SELECT * FROM round_summary ORDER BY started")
    app.rows([{"name": row["round"], **row} for row in rows], ["name", "state", "snapshot", "model", "started"])


@example("flaredb round show organ/2")
@turn.command("show")
@click.argument("name", metavar="TASK/N")
@pass_app
def round_show(app: App, name: str) -> None:
    """Show a round: its gate, decision by decision, and its events."""
    from flaredb.workflow.rounds.show import round_show

    with app.open() as workspace:
        found = round_show(workspace, name)

    def show() -> None:
        click.echo(f"round {found['round']}: {found['state']}, model {found['model']}, snapshot {found['snapshot']}")
        gate = found["gate"]
        if gate:
            show_gate(gate)
        output.print_table(found["events"])

    app.document(found, show)


@example("flaredb round advance organ/2")
@turn.command("advance")
@click.argument("name", metavar="[TASK/N]", required=False)
@click.option("--model", metavar="ID", help="Of an open round: predict with this model, trained by hand.")
@click.option(
    "--due", is_flag=True, help="Run what the schedule says is due; without a schedule, take all open rounds."
)
@pass_app
def round_advance(app: App, name: str | None, model: str | None, due: bool) -> None:
    """Take a round one state further; without a name, the only open one.

    With --due one turn of the schedule is taken, for cron and Slurm: it returns at once where nothing is due. Without
    a schedule every open round that waits for nobody is taken one state further. Exit code 75: run it again.
    """
    if due:
        if name or model:
            raise click.UsageError("give a round, or --due")
        advance_due(app)
        return
    from flaredb.catalog import rounds
    from flaredb.errors import ConflictError
    from flaredb.workflow.rounds.advance import advance

    with app.open() as workspace:
        if name is None:
            with workspace.catalog.read() as connection:
                unfinished = [r.name for r in rounds.open_rounds(connection)]
            if len(unfinished) != 1:
                raise ConflictError(f"open rounds: {' '.join(unfinished) or 'none'}; name one")
            name = unfinished[0]
        app.result(advance(workspace, name, model))


@example('flaredb round promote organ/2 --structures liver --force --why "checked by eye"')
@turn.command("promote")
@click.argument("name", metavar="TASK/N")
@structures_option
@click.option("--force", is_flag=True, help="Also what the gate did not pass.")
@click.option("--min-reliability", metavar="0.6", help="Leave labels whose combined reliability is lower.")
@click.option("--drop-worst", metavar="4%", help="Leave this share of each structure's labels, the least reliable.")
@click.option("--filter", "preset", metavar="flare22", help="Leave what the winner of FLARE22 would have left.")
@why_option
@pass_app
def round_promote(app: App, /, name: str, structures: str | None, force: bool, why: str, **asked: str | None) -> None:
    """Accept a round's labels by hand, all of them or those that are reliable enough.

    A share becomes a threshold, one a structure, that is kept with the decision.
    """
    from flaredb.workflow.rounds.decide import promote
    from flaredb.workflow.rounds.promotion_filter import one_filter

    with app.open() as workspace:
        app.result(promote(workspace, name, why, names(structures), force, one_filter(**asked)))


@example('flaredb round reject organ/2 --why "trained on the wrong snapshot"')
@turn.command("reject")
@click.argument("name", metavar="TASK/N")
@why_option
@pass_app
def round_reject(app: App, name: str, why: str) -> None:
    """Close an open round without accepting anything."""
    from flaredb.workflow.rounds.decide import reject

    with app.open() as workspace:
        app.result(reject(workspace, name, why))


@example('flaredb round rollback organ/2 --why "kidneys swapped"')
@turn.command("rollback")
@click.argument("name", metavar="TASK/N")
@click.option("--cascade", is_flag=True, help="Also later rounds that trained on it.")
@why_option
@pass_app
def round_rollback(app: App, name: str, cascade: bool, why: str) -> None:
    """Undo a promotion; what was current before is current again."""
    from flaredb.workflow.rounds.decide import rollback

    with app.open() as workspace:
        app.result(rollback(workspace, name, why, cascade))


@example("flaredb loop --task organ --rounds 3")
@click.command()
@click.option("--rounds", "number", default=3, show_default=True, type=click.IntRange(1), help="How many in all.")
@click.option("--anew", is_flag=True, help="Count from now, even if the same loop was interrupted before.")
@round_options
@pass_app
def loop(app: App, /, task: str, number: int, anew: bool, **options: Any) -> None:
    """Run rounds until so many are closed; interrupted, the same command goes on and counts those it had closed."""
    from flaredb.workflow.rounds.loop import loop

    with app.open() as workspace:
        done = loop(workspace, task, make_options(workspace, task, **options), number, anew)
    app.rows(done, ["round", "state", "model", "snapshot"])


COMMANDS = (turn, loop)
