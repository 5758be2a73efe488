"""How good labels are: scored in the catalogue, as plain files, and beside each other."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flaredb.cli import output
from flaredb.cli.options import FILE, App, example, names, pass_app

if TYPE_CHECKING:
    from flaredb.workflow.evaluate.compare import Comparison
    from flaredb.workflow.evaluate.labels import Evaluation

PROTOCOL = click.option(
    "--protocol", default="flare23", show_default=True, type=click.Choice(["flare21", "flare22", "flare23"])
)
MEASURES = click.option(
    "--metrics", "measures", metavar="A,B", help="Beside DSC and NSD: hd95, volume, detection (of lesions)."
)
SPLIT = click.option(
    "--split", default="validation", show_default=True, type=click.Choice(["train", "validation", "test"])
)


@example("flaredb evaluate --source organ/1 --split validation")
@click.command()
@click.option("--source", metavar="NAME", help="Score this source's labels.")
@click.option("--model", metavar="ID", help="Score the labels that this model made.")
@click.option("--against", metavar="SOURCE", help="References; else the current human labels.")
@SPLIT
@PROTOCOL
@MEASURES
@pass_app
def evaluate(
    app: App,
    source: str | None,
    model: str | None,
    against: str | None,
    split: str,
    protocol: str,
    measures: str | None,
) -> None:
    """Score labels with DSC and NSD as FLARE does; only what the reference annotates exhaustively counts.

    References that have no label are named, and the exit code is 1.
    """
    from flaredb.workflow.evaluate.labels import evaluate, source_of_model

    if (source is None) == (model is None):
        raise click.UsageError("give --source or --model")
    with app.open() as workspace:
        name = source or source_of_model(workspace, model or "")
        found = evaluate(workspace, name, against, protocol, split, names(measures) or ())
    if not app.as_json:
        output.print_findings(found.findings)
    app.document(found, lambda: show_evaluation(found))
    if found.failed:
        raise SystemExit(1)


@example("flaredb score predictions references --protocol flare23")
@click.command()
@click.argument("prediction", metavar="PRED", type=FILE)
@click.argument("reference", metavar="REF", type=FILE)
@PROTOCOL
@MEASURES
@click.option("--workers", default=2, show_default=True, type=click.IntRange(1, 64), help="Cases at a time.")
@pass_app
def score(app: App, prediction: Path, reference: Path, protocol: str, measures: str | None, workers: int) -> None:
    """Score plain files or folders, without a workspace, strictly as FLARE does.

    Files of one case bear the same name. What cannot be scored is said, and the exit code is 1.
    """
    from flaredb.workflow.evaluate.files import ScoreOptions, score_files

    options = ScoreOptions(protocol, tuple(names(measures) or ()), workers)
    found = score_files(prediction, reference, options, output.TerminalReporter(app.quiet))
    if not app.as_json:
        output.print_findings(found.findings)
    app.document(found, lambda: show_evaluation(found))
    if found.failed:
        raise SystemExit(1)


@example("flaredb compare organ/1 organ/2")
@click.command()
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@SPLIT
@PROTOCOL
@pass_app
def compare(app: App, first: str, second: str, split: str, protocol: str) -> None:
    """Compare two models, sources, rounds or snapshots: settings, data, scores, and the cases that moved most."""
    from flaredb.workflow.evaluate.compare import compare

    with app.open() as workspace:
        found = compare(workspace, first, second, protocol, split)
    app.document(found, lambda: show_comparison(found))


def show_evaluation(found: Evaluation) -> None:
    """Means and deviations as a table, and the figures people quote, each with its 95 % interval."""
    rows = [{"structure": name, **_row(values)} for name, values in found.mean.items()]
    output.print_table(rows, list(dict.fromkeys(column for row in rows for column in row)))
    for title, means in (
        ("organs", found.organ_mean),
        ("tumor, all cases", found.tumor),
        ("tumor, cases that have one", found.tumor_present),
    ):
        if means:
            click.echo(f"{title}: DSC {_quoted(means, 'dsc')}, NSD {_quoted(means, 'nsd')}")


def show_comparison(found: Comparison) -> None:
    """What differs, in the order one asks."""
    for side in (found.first, found.second):
        click.echo(f"{side.type} {side.name}: source {side.source or '-'}, {side.model or '-'}, {side.snapshot or '-'}")
    if found.settings:
        output.print_table(found.settings)
    if found.data:
        told = ", ".join(f"{len(found.data[key])} {what}" for key, what in _DATA.items())
        click.echo(f"data: {'the same' if found.data['same'] else told}")
    if found.structures:
        click.echo(f"{found.cases} {found.split} cases that both have labelled, {found.protocol}; change is B - A")
        output.print_table([{"structure": name, **_changes(row)} for name, row in found.structures.items()])
    if found.moved:
        output.print_table(found.moved)
    for note in found.notes:
        click.echo(note, err=True)


_DATA = {"added": "cases more", "removed": "cases less", "changed": "labels changed"}


def _row(means: Any) -> dict[str, Any]:
    """Mean ± deviation of one structure, and what else was measured."""
    shown = {name.upper(): _spread(means, name) for name in ("dsc", "nsd")}
    return {**shown, "n": means["n"], **means["more"]}


def _spread(means: Any, name: str) -> str:
    deviation = means[f"{name}_std"]
    return f"{means[name]:.4f}" + ("" if deviation is None else f" ± {deviation:.4f}")


def _quoted(means: Any, name: str) -> str:
    interval = means[f"{name}_interval"]
    return _spread(means, name) + ("" if interval is None else f" [{interval[0]:.4f}, {interval[1]:.4f}]")


def _changes(row: dict[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = {"n": row["n"]}
    for name in ("dsc", "nsd"):
        interval = row[f"{name}_interval"]
        shown[f"{name.upper()} A"], shown[f"{name.upper()} B"] = row["first"][name], row["second"][name]
        shown["change " + name.upper()] = f"{row[name]:+.4f}" + (
            f" [{interval[0]:+.4f}, {interval[1]:+.4f}]" if interval else ""
        )
    return shown


COMMANDS = (evaluate, score, compare)
