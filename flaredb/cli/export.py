"""Take scans and labels out."""

from __future__ import annotations

from pathlib import Path

import click

from flaredb.cli.options import FILE, App, example, pass_app, where_option


@click.group()
def export() -> None:
    """Take scans and labels out, as they came in."""


@example("flaredb export nifti out --labels current")
@export.command()
@click.argument("destination", metavar="DEST", type=FILE)
@click.option("--labels", "which", default="all", show_default=True, metavar="current|all|SOURCE")
@click.option(
    "--undecided",
    default="ignore",
    show_default=True,
    type=click.Choice(["ignore", "background"]),
    help="What --labels current writes where several structures are possible.",
)
@where_option
@pass_app
def nifti(app: App, destination: Path, which: str, undecided: str, where: str | None) -> None:
    """Write NIfTI files with the voxels, codes and geometry of the originals, and a manifest."""
    from flaredb.workflow.export import export_nifti

    with app.open() as workspace:
        app.result(export_nifti(workspace, destination, which, where, undecided))


COMMANDS = (export,)
