"""Models: what was trained, from what, and how well."""

from __future__ import annotations

from typing import Any

import click

from flaredb.cli.options import App, example, pass_app


@click.group()
def model() -> None:
    """Models: trained networks, each with its snapshot and settings."""


@example("flaredb model list")
@model.command("list")
@pass_app
def model_list(app: App) -> None:
    """List models."""
    from flaredb.catalog import models

    with app.open() as workspace, workspace.catalog.read() as connection:
        found = models.every(connection)
    app.rows(found, ["name", "task", "state", "steps", "snapshot", "parent"])


@example("flaredb model show latest:organ")
@model.command("show")
@click.argument("name", metavar="ID")
@pass_app
def model_show(app: App, name: str) -> None:
    """Show a model: snapshot, settings, parent, environment."""
    from flaredb.workflow.train import model_show

    with app.open() as workspace:
        found: dict[str, Any] = model_show(workspace, name)
    app.document(found)


COMMANDS = (model,)
