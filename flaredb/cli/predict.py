"""Prediction."""

from __future__ import annotations

import click

from flaredb.cli.options import App, example, pass_app, where_option
from flaredb.cli.train import DEVICES


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


COMMANDS = (predict,)
