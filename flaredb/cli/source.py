"""Sources."""

from __future__ import annotations

import click

from flaredb.cli.decisions import add_decisions
from flaredb.cli.options import App, example, pass_app


@click.group()
def source() -> None:
    """Sources: who made a family of labels."""


@example("flaredb source list")
@source.command("list")
@pass_app
def source_list(app: App) -> None:
    """List sources with their kind and number of labels."""
    from flaredb.catalog import labels

    with app.open() as workspace, workspace.catalog.read() as connection:
        app.rows(labels.sources(connection))


@example("flaredb source show aladdin5")
@source.command("show")
@click.argument("name")
@pass_app
def source_show(app: App, name: str) -> None:
    """Show a source: labels by structure, where they are current, what was decided on it and why."""
    from flaredb.workflow.label.sources import source_show

    with app.open() as workspace:
        app.document(source_show(workspace, name))


add_decisions(source, "source", "revoke", "aladdin5")

COMMANDS = (source,)
