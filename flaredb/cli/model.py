"""Models: what was trained, from what, and how well; out to other hosts, and home from them."""

from __future__ import annotations

from pathlib import Path

import click

from flaredb.cli.options import FILE, App, example, pass_app


@click.group()
def model() -> None:
    """Models: trained networks, each with what it learnt from and its settings."""


@example("flaredb model list")
@model.command("list")
@pass_app
def model_list(app: App) -> None:
    """List models: mean DSC on the validation split, what became of their rounds, and whether they are tainted."""
    from flaredb.workflow.model.show import model_list

    with app.open() as workspace:
        app.rows(model_list(workspace))


@example("flaredb model show latest:organ")
@model.command("show")
@click.argument("name", metavar="ID")
@pass_app
def model_show(app: App, name: str) -> None:
    """Show a model: snapshot, ancestors, losses, scores, gate, settings, environment, where it came from."""
    from flaredb.workflow.model.show import model_show

    with app.open() as workspace:
        found = model_show(workspace, name)
    app.document(found)


@example("flaredb model export latest:organ organ-model")
@model.command("export")
@click.argument("name", metavar="ID")
@click.argument("destination", metavar="DIR", type=FILE)
@pass_app
def model_export(app: App, name: str, destination: Path) -> None:
    """Write a model as a folder: weights and all that was known, to predict or to go on from elsewhere."""
    from flaredb.workflow.model.export import model_export

    with app.open() as workspace:
        app.document(model_export(workspace, name, destination))


@example("flaredb model import nnUNet_results/Dataset501_abdomen/nnUNetTrainer__nnUNetPlans__3d_fullres")
@model.command("import")
@click.argument("folder", metavar="DIR", type=FILE)
@click.option("--splits", type=FILE, metavar="FILE", help="nnU-Net's splits_final.json, where it is not beside.")
@click.option("--snapshot", metavar="ID", help="The snapshot whose export nnU-Net was trained from.")
@pass_app
def model_import(app: App, folder: Path, splits: Path | None, snapshot: str | None) -> None:
    """Bring a model home: one trained from a snapshot file, or a results folder of nnU-Net.

    Of nnU-Net's folder the plans, structures, training cases and scores are read; its weights are kept unopened.
    """
    from flaredb.workflow.model.imports import model_import

    with app.open() as workspace:
        result = model_import(workspace, folder, splits, snapshot)
    app.result(result)
    if result.ids and not app.as_json:
        click.echo(result.ids[0])


@example("flaredb model card latest:organ --md")
@model.command("card")
@click.argument("name", metavar="ID")
@click.option("--md/--latex", "markdown", default=True, help="Markdown, as it comes, or a LaTeX fragment.")
@pass_app
def model_card(app: App, name: str, markdown: bool) -> None:
    """Print a model's card: data, structures, counts, licences, scores, gate, settings."""
    from flaredb.workflow.model.card import model_card

    with app.open() as workspace:
        text = model_card(workspace, name, latex=not markdown)
    app.document({"model": name, "card": text}, lambda: click.echo(text, nl=False))


COMMANDS = (model,)
