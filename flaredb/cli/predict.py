"""Prediction."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flaredb.cli import output
from flaredb.cli.options import FILE, App, example, pass_app, where_option
from flaredb.cli.train import DEVICES

if TYPE_CHECKING:
    from flaredb.workflow.predict.plan import PredictOptions

_AXES = "zyx"


def _axes(context: click.Context, parameter: click.Parameter, text: str | None) -> tuple[int, ...]:
    """`z,y` as numbers of axes."""
    names = (text or "").replace(",", "")
    if set(names) - set(_AXES) or len(set(names)) < len(names):
        raise click.BadParameter(f"{text!r} is not some of z,y,x")
    return tuple(sorted(_AXES.index(name) for name in names))


def _how(command: Any) -> Any:
    """The options that say how a scan is predicted, innermost last."""
    for option in reversed((
        click.option("--tta/--no-tta", default=False, help="Average over mirrored images, all axes (eight times as "
                     "long; for models trained so)."),
        click.option("--mirror", metavar="Z,Y,X", callback=_axes, help="Average over flips of these axes alone."),
        click.option("--engine", default="auto", show_default=True, type=click.Choice(["auto", "torch", "openvino"]),
                     help="auto: OpenVINO on a CPU where it is installed."),
        click.option("--precision", default="auto", show_default=True,
                     type=click.Choice(["auto", "fp32", "bf16", "fp16"]), help="auto: that of training."),
        click.option("--crop/--no-crop", default=False, help="Only the box around the body; background outside."),
        click.option("--skip-air", is_flag=True, help="Leave out windows that hold air alone."),
        click.option("--postprocess", default="none", show_default=True, metavar="none|auto|RECIPE",
                     help="Such as 'largest liver spleen; at-least 0.1 tumor; near 5 tumor'; auto: the largest "
                     "component where that raised DSC on validation cases."),
        click.option("--workers", default=1, show_default=True, type=click.IntRange(1), help="Processes."),
        click.option("--device", default="auto", show_default=True, type=DEVICES),
    )):  # fmt: skip
        command = option(command)
    return command


@example("""flaredb predict --model latest:organ --where "split = 'test'\"""")
@click.command()
@click.argument("scans", metavar="[IN", required=False, type=FILE)
@click.argument("destination", metavar="OUT]", required=False, type=FILE)
@click.option("--model", required=True, metavar="ID", help="A model, or latest:TASK; with IN and OUT an exported "
              "model's folder. Several, with commas between them, are averaged.")  # fmt: skip
@click.option("--as", "source", metavar="SOURCE", help="Source of the new labels; else the model's name.")
@click.option("--overwrite", is_flag=True, help="With IN and OUT: write over predictions that are there.")
@_how
@where_option
@pass_app
def predict(
    app: App,
    /,
    model: str,
    scans: Path | None,
    destination: Path | None,
    source: str | None,
    where: str | None,
    overwrite: bool,
    **how: Any,
) -> None:
    """Label cases with a model. The labels are kept, and count only once they are accepted.

    With IN and OUT: predict a scan, or the scans of a folder, into a folder, without a workspace.
    """
    from flaredb.workflow.predict.plan import PredictOptions

    if how.pop("tta"):
        how["mirror"] = (0, 1, 2)
    options = PredictOptions(**how)
    if scans is not None:
        _predict_files(app, model, (scans, destination), (source, where), options, overwrite)
        return
    if overwrite:
        raise click.UsageError("--overwrite goes with IN and OUT; labels are never written over")
    from flaredb.workflow.predict.cases import predict

    with app.open() as workspace:
        app.result(predict(workspace, model, where, source, options))


def _predict_files(
    app: App,
    model: str,
    places: tuple[Path, Path | None],
    unfit: tuple[str | None, str | None],
    options: PredictOptions,
    overwrite: bool,
) -> None:
    from flaredb.workflow.predict.files import predict_files

    scans, destination = places
    if destination is None:
        raise click.UsageError("give IN and OUT, or neither")
    if any(unfit):
        raise click.UsageError("--as and --where are about a workspace; they do not go with IN and OUT")
    if options.workers > 1:
        raise click.UsageError("--workers is for a workspace; with IN and OUT one process predicts")
    folders = [Path(name) for name in model.split(",")]
    reporter = output.TerminalReporter(app.quiet)
    app.result(predict_files(folders, scans, destination, options, overwrite, reporter))


COMMANDS = (predict,)
