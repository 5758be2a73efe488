"""Take scans, labels and tables out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flaredb.cli.options import FILE, App, example, names, pass_app, where_option

if TYPE_CHECKING:
    from flaredb.workflow.export.choice import ExportOptions


@click.group()
def export() -> None:
    """Take scans, labels and tables out, in the layouts that others read.

    Every export has a manifest.json that says what each file is. The same command again writes only what is missing;
    files that would become others are named and left alone unless --overwrite is given.
    """


def _voxel_options(command: Any) -> Any:
    """The options of every layout that writes voxels; they come to the command as `asked`."""
    options: list[Any] = [
        click.argument("destination", metavar="DEST", type=FILE),
        click.option("--labels", metavar="current|all|SOURCE", help="[default: all for nifti, current for data sets]"),
        click.option(
            "--undecided",
            default="ignore",
            show_default=True,
            type=click.Choice(["ignore", "background"]),
            help="What is written where several structures are possible, or nobody says.",
        ),
        click.option("--snapshot", metavar="ID", help="The labels that were current for this snapshot."),
        where_option,
        click.option("--split", is_flag=True, help="Keep training and validation cases apart."),
        click.option("--link", type=FILE, metavar="DIR", help="Share equal files with the export in DIR."),
        click.option("--overwrite", is_flag=True, help="Replace what differs, remove what is no longer part."),
        click.option("--dry-run", is_flag=True, help="Say what would be written and the bytes it takes."),
        click.option("--workers", default=2, show_default=True, type=click.IntRange(1, 64), help="Cases at a time."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


_STRUCTURES = click.option("--structures", metavar="A,B", help="Only these are told apart; the rest is background.")
_NAME = click.option("--name", "title", metavar="NAME", help="The data set's name; else that of the workspace.")


def _options(asked: dict[str, Any]) -> ExportOptions:
    from flaredb.workflow.export.choice import ExportOptions

    listed = names(asked.pop("structures", None))
    return ExportOptions(structures=tuple(listed) if listed else None, **asked)


@example("flaredb export nifti out --labels current")
@export.command()
@_voxel_options
@_STRUCTURES
@pass_app
def nifti(app: App, /, destination: Path, **asked: Any) -> None:
    """Write NIfTI files with the voxels, codes, type and geometry of the originals.

    With --labels current: one label a case, with the structures' own values. --split makes a folder a split.
    """
    from flaredb.workflow.export.nifti import export_nifti

    with app.open() as workspace:
        app.result(export_nifti(workspace, destination, _options(asked)))


@example("flaredb export nnunet nnUNet_raw --id 501 --name Abdomen --structures liver,spleen")
@export.command()
@_voxel_options
@_STRUCTURES
@click.option("--id", "number", default=501, show_default=True, type=click.IntRange(1, 999), help="nnU-Net's number.")
@_NAME
@click.option("--v1", "first", is_flag=True, help="For nnU-Net version 1: Task501_Name and its list.")
@pass_app
def nnunet(app: App, /, destination: Path, number: int, title: str | None, first: bool, **asked: Any) -> None:
    """Write Dataset501_Name under DEST, ready for nnUNetv2_plan_and_preprocess.

    What nnU-Net cannot express, voxels of several possible structures, becomes its ignore label. Training cases that
    nobody labelled, validation and test cases go to imagesTs; with --split labelled validation cases are trained with
    as the validation part of splits_final.json.
    """
    from flaredb.workflow.export.nnunet import NnunetName, export_nnunet

    with app.open() as workspace:
        app.result(export_nnunet(workspace, destination, _options(asked), NnunetName(number, title, first)))


@example("flaredb export msd Task12_Abdomen --labels flare23")
@export.command()
@_voxel_options
@_STRUCTURES
@_NAME
@pass_app
def msd(app: App, /, destination: Path, title: str | None, **asked: Any) -> None:
    """Write imagesTr, labelsTr, imagesTs and dataset.json as the Medical Segmentation Decathlon has them."""
    from flaredb.workflow.export.msd import export_msd

    with app.open() as workspace:
        app.result(export_msd(workspace, destination, _options(asked), title))


@example("flaredb export monai out --snapshot s-0123456789ab")
@export.command()
@_voxel_options
@_STRUCTURES
@_NAME
@pass_app
def monai(app: App, /, destination: Path, title: str | None, **asked: Any) -> None:
    """Write images, labels and datalist.json for MONAI's load_decathlon_datalist."""
    from flaredb.workflow.export.monai import export_monai

    with app.open() as workspace:
        app.result(export_monai(workspace, destination, _options(asked), title))


@example("flaredb export parquet tables --where \"split = 'train'\"")
@export.command()
@click.argument("destination", metavar="DEST", type=FILE)
@click.option("--labels", default="all", show_default=True, metavar="current|all|SOURCE")
@click.option("--snapshot", metavar="ID", help="Its items too, as a trainer takes them.")
@where_option
@click.option("--overwrite", is_flag=True, help="Replace tables that would become others.")
@click.option("--dry-run", is_flag=True, help="Say which tables would be written.")
@pass_app
def parquet(app: App, /, destination: Path, **asked: Any) -> None:
    """Write the catalogue's cases, labels, provenance and current labels as tables for pandas, polars or DuckDB."""
    from flaredb.workflow.export.parquet import export_parquet

    with app.open() as workspace:
        app.result(export_parquet(workspace, destination, _options(asked)))


COMMANDS = (export,)
