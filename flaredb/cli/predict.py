"""Prediction and evaluation."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from flaredb.cli import output
from flaredb.cli.options import FILE, App, example, pass_app, where_option
from flaredb.cli.train import DEVICES

if TYPE_CHECKING:
    from flaredb.workflow.evaluate import Evaluation

PROTOCOL = click.option(
    "--protocol", default="flare23", show_default=True, type=click.Choice(["flare21", "flare22", "flare23"])
)


@example("""flaredb predict --model latest:organ --where "split = 'test'\"""")
@click.command()
@click.option("--model", required=True, metavar="ID", help="A model, or latest:TASK.")
@click.option("--as", "source", metavar="SOURCE", help="Source of the new labels; else the model's name.")
@click.option("--tta/--no-tta", default=False, help="Average over mirrored images (slow; for models trained so).")
@click.option("--device", default="auto", show_default=True, type=DEVICES)
@where_option
@pass_app
def predict(app: App, model: str, source: str | None, tta: bool, device: str, where: str | None) -> None:
    """Label cases with a model. The labels are kept, and count only once they are accepted."""
    from flaredb.workflow.predict import PredictOptions, predict

    with app.open() as workspace:
        app.result(predict(workspace, model, where, source, PredictOptions(device, (0, 1, 2) if tta else ())))


@example("flaredb evaluate --source organ/1 --split validation")
@click.command()
@click.option("--source", metavar="NAME", help="Score this source's labels.")
@click.option("--model", metavar="ID", help="Score the labels that this model made.")
@click.option("--against", metavar="SOURCE", help="References; else the current human labels.")
@click.option("--split", default="validation", show_default=True, type=click.Choice(["train", "validation", "test"]))
@PROTOCOL
@pass_app
def evaluate(app: App, source: str | None, model: str | None, against: str | None, split: str, protocol: str) -> None:
    """Score labels with DSC and NSD as FLARE does; only what the reference annotates exhaustively counts."""
    from flaredb.workflow.evaluate import evaluate, source_of_model

    if (source is None) == (model is None):
        raise click.UsageError("give --source or --model")
    with app.open() as workspace:
        name = source or source_of_model(workspace, model or "")
        found = evaluate(workspace, name, against, protocol, split)
    app.document(found, lambda: show_evaluation(found))


@example("flaredb score predictions references --protocol flare23")
@click.command()
@click.argument("prediction", metavar="PRED", type=FILE)
@click.argument("reference", metavar="REF", type=FILE)
@PROTOCOL
@pass_app
def score(app: App, prediction: Path, reference: Path, protocol: str) -> None:
    """Score plain files or folders, without a workspace, strictly as FLARE does."""
    from flaredb.workflow.evaluate import score_files

    found = score_files(prediction, reference, protocol)
    app.document(found, lambda: show_evaluation(found))


def show_evaluation(found: Evaluation) -> None:
    """Means as a table, and the figures people quote."""
    output.print_table([{"structure": name, **values} for name, values in found.mean.items()])
    for title, means in (
        ("organs", found.organ_mean),
        ("tumor, all cases", found.tumor),
        ("tumor, cases that have one", found.tumor_present),
    ):
        if means:
            click.echo(f"{title}: DSC {means['dsc']:.4f}, NSD {means['nsd']:.4f}")


COMMANDS = (predict, evaluate, score)
