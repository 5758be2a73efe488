"""Snapshots and training."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flaredb.cli.dry_run import show_plan
from flaredb.cli.options import FILE, App, example, pass_app, settings, where_option

if TYPE_CHECKING:
    from flaredb.workflow.train.process import TrainOptions

TASK = "organ|tumor|all|NAME"  # or one of flaredb.toml
DEVICES = click.Choice(["auto", "cpu", "cuda"])
PRESETS = click.Choice(["tiny", "small", "base", "large"])


@click.group()
def snapshot() -> None:
    """Snapshots: frozen answers to "what is current", which models train from."""


@example("flaredb snapshot create --task organ")
@snapshot.command("create")
@click.option("--task", required=True, metavar=TASK)
@click.option("--name", "title", metavar="TEXT", help="A title for people.")
@where_option
@pass_app
def snapshot_create(app: App, task: str, title: str | None, where: str | None) -> None:
    """Freeze the current labels of the training cases; the same question gives the same snapshot."""
    from flaredb.workflow.snapshot.create import snapshot_create

    with app.open() as workspace:
        app.result(snapshot_create(workspace, task, where, title))


@example("flaredb snapshot list")
@snapshot.command("list")
@pass_app
def snapshot_list(app: App) -> None:
    """List snapshots."""
    from flaredb.catalog import snapshots

    with app.open() as workspace, workspace.catalog.read() as connection:
        app.rows(snapshots.every(connection))


@example("flaredb snapshot show s-1f0c")
@snapshot.command("show")
@click.argument("name", metavar="ID")
@pass_app
def snapshot_show(app: App, name: str) -> None:
    """Show a snapshot: which labels of which cases, trusted in what."""
    from flaredb.workflow.snapshot.create import snapshot_show

    with app.open() as workspace:
        found = snapshot_show(workspace, name)
    if app.as_json:
        app.document(found)
    else:
        app.rows([{"case": item["case"], **row} for item in found["items"] for row in item["labels"]])


@example("flaredb snapshot diff s-1f0c current")
@snapshot.command("diff")
@click.argument("first", metavar="A")
@click.argument("second", metavar="B|current")
@pass_app
def snapshot_diff(app: App, first: str, second: str) -> None:
    """Compare two snapshots; with `current`, say what of the first is stale."""
    from flaredb.workflow.snapshot.diff import snapshot_diff

    with app.open() as workspace:
        found = snapshot_diff(workspace, first, second)
    if app.as_json:
        app.document(found)
    else:
        app.rows(found["changed"])
        click.echo(f"{len(found['added'])} cases came, {len(found['removed'])} went, same: {found['same']}")


@example("flaredb snapshot export s-1f0c snapshot.parquet")
@snapshot.command("export")
@click.argument("name", metavar="ID")
@click.argument("destination", metavar="FILE.parquet|FILE.json", type=FILE)
@pass_app
def snapshot_export(app: App, name: str, destination: Path) -> None:
    """Write a snapshot as one file: all a trainer needs on a host without the catalogue."""
    from flaredb.workflow.snapshot.file import snapshot_export

    with app.open() as workspace:
        app.document(snapshot_export(workspace, name, destination))


@example("flaredb train --task organ --preset tiny --set steps=400")
@click.command()
@click.option("--task", metavar=TASK, help="What to learn.")
@click.option("--snapshot", metavar="ID|FILE", help="Train from this; else from what is current now.")
@click.option("--preset", show_default="small", type=PRESETS)
@click.option("--set", "pairs", multiple=True, metavar="KEY=VALUE", help="Change a setting of the preset.")
@click.option("--from", "warm", metavar="MODEL", help="Start from this model's weights.")
@click.option("--resume", metavar="MODEL", help="Go on with a model; with --set steps=N for more steps.")
@click.option("--replay", type=int, metavar="STEP", help="With --resume: look at a step that failed; change nothing.")
@click.option("--device", default="auto", show_default=True, type=DEVICES)
@click.option("--time-limit", "limit", metavar="HH:MM|MINUTES", help="Stop in good order after so long: exit code 75.")
@click.option("--volumes", type=FILE, metavar="DIR", help="Without a catalogue: where the volumes are.")
@click.option("--out", type=FILE, metavar="DIR", help="Without a catalogue: where the model goes.")
@click.option("--tainted", is_flag=True, help="Even from what descends from labels that are withdrawn now.")
@click.option("--dry-run", is_flag=True, help="Only say what it would take: memory, disk, hours after ten timed steps.")
@pass_app
def train(app: App, /, **options: Any) -> None:
    """Train a model on label sets: what the labels know counts, what they do not know teaches nothing.

    SIGTERM and --time-limit end it after the step in hand, with everything kept: exit code 75 means "run me again", and
    the message has the command. With --snapshot FILE --volumes DIR --out DIR no catalogue is needed.
    """
    _refuse_idle(options)
    from flaredb.workflow.train import process as training

    if training.follows():
        if not options["dry_run"] and options["replay"] is None:  # which rank 0 does alone
            training.follow()
        return
    if options["dry_run"]:
        show_plan(app, options)
        return
    limit = training.seconds_of(options["limit"]) if options["limit"] else None
    chosen = training.TrainOptions(options["device"], options["tainted"], limit, _again(app, options))
    if options["volumes"] or options["out"]:
        done = _train_apart(app, options, chosen)
    elif options["replay"] is not None:
        _replay(app, options)
        return
    else:
        done = _train_here(app, options, chosen)
    app.document(done, lambda: click.echo(_summary(done)))


def _refuse_idle(options: dict[str, Any]) -> None:
    """UsageError for options that would be passed over: a model that is gone on with has its data and settings."""
    if options["resume"] is None:
        return
    given = {"--snapshot": "snapshot", "--from": "warm", "--preset": "preset", "--task": "task"}
    if idle := [option for option, name in given.items() if options[name] is not None]:
        raise click.UsageError(f"--resume goes on with a model as it was begun: leave out {' and '.join(idle)}")


def _train_here(app: App, options: dict[str, Any], chosen: TrainOptions) -> dict[str, Any]:
    """Train in a workspace: a new model, or on with one."""
    from flaredb.trainers.presets import load_config
    from flaredb.workflow.train import model as verbs

    if (options["task"] is None) == (options["resume"] is None):
        raise click.UsageError("give --task, or --resume MODEL")
    changes = settings(options["pairs"])
    with app.open() as workspace:
        if options["resume"]:
            done = verbs.resume(workspace, options["resume"], changes, chosen)
        else:
            start = options["snapshot"], options["warm"]
            done = verbs.train(
                workspace, options["task"], load_config(options["preset"] or "small", changes), *start, chosen
            )
    return {**done._asdict(), "ids": done.ids}


def _train_apart(app: App, options: dict[str, Any], chosen: TrainOptions) -> dict[str, Any]:
    """Train from a file, into a folder; the same command again goes on."""
    from flaredb.cli.output import TerminalReporter
    from flaredb.trainers.presets import load_config
    from flaredb.workflow.train.apart import Places, train_apart

    if not (options["snapshot"] and options["volumes"] and options["out"]):
        raise click.UsageError("without a catalogue give --snapshot FILE, --volumes DIR and --out DIR")
    if options["resume"] or options["task"]:
        raise click.UsageError(
            "the snapshot file has its task, and the same command again goes on: no --task, --resume"
        )
    warm = Path(options["warm"]) if options["warm"] else None
    places = Places(Path(options["snapshot"]), options["volumes"], options["out"], warm)
    config = load_config(options["preset"] or "small", settings(options["pairs"]))
    done = train_apart(places, config, chosen, TerminalReporter(app.quiet))
    return {**done._asdict(), "ids": [done.model]}


def _replay(app: App, options: dict[str, Any]) -> None:
    """Say of every patch of a step what the network makes of it."""
    from flaredb.workflow.train.model import replay_step

    if not options["resume"]:
        raise click.UsageError("--replay STEP needs --resume MODEL")
    with app.open() as workspace:
        found = replay_step(workspace, options["resume"], options["replay"], options["device"])
    app.document(found, lambda: app.rows(found["patches"]))


def _again(app: App, options: dict[str, Any]) -> str:
    """The command that goes on after a stop; `{model}` stands for the model's name."""
    if options["out"]:
        return shlex.join(["flaredb", *sys.argv[1:]]).replace("{", "{{").replace("}", "}}")
    place = ["-w", app.folder] if app.folder else []
    said = {"--device": options["device"], "--time-limit": options["limit"]}
    more = [part for name, value in said.items() if value and value != "auto" for part in (name, value)]
    more += ["--tainted"] if options["tainted"] else []
    head = shlex.join(["flaredb", *place, "train"]).replace("{", "{{").replace("}", "}}")
    return " ".join([head, "--resume", "{model}", *more])


def _summary(done: dict[str, Any]) -> str:
    """One line about a training."""
    means = [found["mean"] for found in done["validation"] if found["mean"] is not None]
    validated = f", DSC {means[-1]:.3f} on validation cases" if means else ""
    waited = f", waited for data {done['waiting']:.0%} of the time"
    return f"{done['model']}: {done['steps']} steps, loss {done['losses'][-1]:.4f}{validated}{waited}"


COMMANDS = (snapshot, train)
