"""Reviews: people look at labels and correct them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from flaredb.cli.options import FILE, App, example, names, pass_app, structures_option, where_option


@click.group()
def review() -> None:
    """Reviews: queues of labels for people to look at and correct, in ITK-SNAP or 3D Slicer."""


@example("flaredb review create --by disagreement -n 20 --structures liver,tumor --assignee Ada")
@review.command("create")
@click.option(
    "--by",
    default="disagreement",
    show_default=True,
    metavar="disagreement|reliability|random|SQL",
    help="Which cases first: lowest Dice between two sources, lowest reliability, by chance; or those for which an "
    "SQL condition on case_facts holds.",
)
@click.option("-n", "cases", default=50, show_default=True, help="At most so many cases.")
@click.option("--source", metavar="NAME", help="Look at this source's newest labels; else at what is current.")
@structures_option
@where_option
@click.option("--name", metavar="TEXT", help="What to call it; else such as random-2.")
@click.option("--assignee", metavar="NAME", help="Who is to look.")
@click.option("--seed", default=0, show_default=True, help="Another seed, another choice by chance.")
@pass_app
def review_create(app: App, /, structures: str | None, **options: Any) -> None:
    """Make a queue of labels to look at; labels that people made are not looked at unless --source names them."""
    from flaredb.workflow.review.create import ReviewOptions, review_create

    with app.open() as workspace:
        chosen = ReviewOptions(structures=tuple(names(structures) or ()), **options)
        app.result(review_create(workspace, chosen))


@example("flaredb review list")
@review.command("list")
@pass_app
def review_list(app: App) -> None:
    """List reviews and how far they are."""
    from flaredb.workflow.review.listing import review_list

    with app.open() as workspace:
        app.rows(review_list(workspace))


@example("flaredb review show disagreement-1")
@review.command("show")
@click.argument("name", metavar="ID")
@pass_app
def review_show(app: App, name: str) -> None:
    """Show a review: its cases, structures, labels and verdicts."""
    from flaredb.workflow.review.listing import review_show

    with app.open() as workspace:
        found = review_show(workspace, name)
    if app.as_json:
        app.document(found)
    else:
        app.rows(found["items"])


@example("flaredb review export disagreement-1 for-ada --for slicer")
@review.command("export")
@click.argument("name", metavar="ID")
@click.argument("folder", metavar="DIR", type=FILE)
@click.option("--for", "program", default="slicer", show_default=True, type=click.Choice(["itksnap", "slicer"]))
@pass_app
def review_export(app: App, name: str, folder: Path, program: str) -> None:
    """Write scans and labels for a viewer, names and colours, and verdicts.csv to fill in."""
    from flaredb.workflow.review.export import review_export

    with app.open() as workspace:
        app.result(review_export(workspace, name, folder, program))


@example("flaredb review import for-ada")
@review.command("import")
@click.argument("folder", metavar="DIR", type=FILE)
@click.option("--annotator", default="", metavar="NAME", help="Who corrected; else the assignee.")
@pass_app
def review_import(app: App, folder: Path, annotator: str) -> None:
    """Take corrections and verdicts back: what people changed or called fine becomes ground truth."""
    from flaredb.workflow.review.imports import review_import

    with app.open() as workspace:
        app.result(review_import(workspace, folder, annotator))


COMMANDS = (review,)
