"""Snapshots and training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from flaredb.cli.options import FILE, App, example, pass_app, settings, where_option

TASKS = click.Choice(["organ", "tumor", "all"])
DEVICES = click.Choice(["auto", "cpu", "cuda"])


@click.group()
def snapshot() -> None:
    """Snapshots: frozen answers to "what is current", which models train from."""


@example("flaredb snapshot create --task organ")
@snapshot.command("create")
@click.option("--task", required=True, type=TASKS)
@click.option("--name", "title", metavar="TEXT", help="A title for people.")
@where_option
@pass_app
def snapshot_create(app: App, task: str, title: str | None, where: str | None) -> None:
    """Freeze the current labels of the training cases; the same question gives the same snapshot."""
    from flaredb.workflow.snapshot import snapshot_create

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
    from flaredb.workflow.snapshot import snapshot_show

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
    from flaredb.workflow.snapshot_diff import snapshot_diff

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
    from flaredb.workflow.snapshot_file import snapshot_export

    with app.open() as workspace:
        app.document(snapshot_export(workspace, name, destination))


@example("flaredb train --task organ --preset tiny --set steps=400")
@click.command()
@click.option("--task", type=TASKS, help="What to learn.")
@click.option("--snapshot", metavar="ID", help="Train from this; else from what is current now.")
@click.option("--preset", default="small", show_default=True, type=click.Choice(["tiny", "small"]))
@click.option("--set", "pairs", multiple=True, metavar="KEY=VALUE", help="Change a setting of the preset.")
@click.option("--from", "warm", metavar="MODEL", help="Start from this model's weights.")
@click.option("--resume", metavar="MODEL", help="Go on with a model; with --set steps=N for more steps.")
@click.option("--device", default="auto", show_default=True, type=DEVICES)
@click.option("--tainted", is_flag=True, help="Even from what descends from labels that are withdrawn now.")
@pass_app
def train(
    app: App, /, task: str | None, resume: str | None, preset: str, pairs: tuple[str, ...], **options: Any
) -> None:
    """Train a model on label sets: what the labels know counts, what they do not know teaches nothing."""
    from flaredb.trainers.config import load_config
    from flaredb.workflow import train as verbs

    if (task is None) == (resume is None):
        raise click.UsageError("give --task, or --resume MODEL")
    with app.open() as workspace:
        if resume:
            done = verbs.resume(workspace, resume, settings(pairs), options["device"], options["tainted"])
        else:
            done = verbs.train(workspace, task or "", load_config(preset, settings(pairs)), **options)
    document = {**done._asdict(), "ids": done.ids}
    app.document(document, lambda: click.echo(f"{done.model}: {done.steps} steps, loss {done.losses[-1]:.4f}"))


COMMANDS = (snapshot, train)
