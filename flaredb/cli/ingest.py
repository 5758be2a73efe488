"""Bring scans and labels in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flaredb.cli.options import FILE, App, example, names, pass_app
from flaredb.cli.output import print_table

if TYPE_CHECKING:
    from flaredb.workflow.results import Imported

SPLITS = ("train", "validation", "test")
KINDS = ("ground-truth", "external", "pseudo", "fused")
LAYOUTS = ("auto", "flat", "flare21", "flare22", "flare23", "nnunet", "msd", "dicom")
_CONFLICT = 4


def _search_options(pattern: str) -> Callable[[Any], Any]:
    """How files are found and named; `pattern` is an example of one."""

    def attach(command: Any) -> Any:
        for option in (
            click.option("--dry-run", is_flag=True, help="Only say what would come in, and whether it fits."),
            click.option("--workers", default=2, show_default=True, help="Files read at once."),
            click.option("--names", type=FILE, metavar="FILE.csv", help="Cases of files: columns file,case."),
            click.option("--pattern", metavar="PATTERN", help=f"Where case names stand in paths: '{pattern}'."),
            click.option("--layout", type=click.Choice(LAYOUTS), default="auto", show_default=True),
            click.option("--case", metavar="NAME", help="Name of the case, for a single file."),
        ):
            command = option(command)
        return command

    return attach


@click.group()
def ingest() -> None:
    """Bring scans and labels in. Files are read, never changed."""


@example("flaredb ingest images imagesTr2200 --split train")
@ingest.command()
@click.argument("path", type=FILE)
@_search_options("{case}/{anything}.nii.gz")
@click.option("--split", type=click.Choice(SPLITS), help="Else of the registered case, else by folder, else train.")
@click.option("--allow-lossy", is_flag=True, help="Round HU that are no integers, clip those beyond int16.")
@pass_app
def images(app: App, /, path: Path, case: str | None, dry_run: bool, **options: Any) -> None:
    """Import scans: NIfTI, MetaImage, NRRD, or a folder of DICOM slices; a folder is searched to the bottom.

    Of a collection that holds labels as well, the scans alone come in.
    """
    from flaredb.workflow.ingest.images import ImageOptions, ingest_images

    with app.open() as workspace:
        _show(app, ingest_images(workspace, path, case, ImageOptions(**options), dry_run))


@example("flaredb ingest labels labelsTr2200 --source flare23 --kind ground-truth --annotated-from annotated.csv")
@ingest.command()
@click.argument("path", type=FILE)
@click.option("--source", metavar="NAME", help="Who made these labels; needed without --round.")
@click.option("--kind", type=click.Choice(KINDS), help="Needed without --round.")
@_search_options("{case}/seg/{structure}.nii.gz")
@click.option("--annotated", metavar="A,B|all|present", help="Structures the labels speak about.")
@click.option("--annotated-from", "table", type=FILE, metavar="FILE.csv", help="The same by case: case,annotated.")
@click.option("--positive-only", metavar="A,B", help="Structures of which only what is drawn is known.")
@click.option(
    "--mapping",
    default="identity",
    show_default=True,
    metavar="NAME|FILE",
    help="What codes mean: a TOML, dataset.json.",
)
@click.option("--annotator", default="", metavar="NAME", help="Who drew them, where the table does not say it.")
@click.option("--supersedes", metavar="SOURCE", help="These labels come before that source's, whatever the dates.")
@click.option("--model", metavar="ID", help="The model that made them.")
@click.option("--round", "turn", metavar="TASK/N", help="They are this round's predictions, made by another program.")
@click.option("--not-accepted", is_flag=True, help="Keep them, but do not let them count yet.")
@click.option("--regrid", type=click.Choice(["nearest"]), help="Resample labels that lie on another grid.")
@click.option("--grid-from-label", is_flag=True, help="Make cases that are missing, on the label's grid.")
@pass_app
def labels(
    app: App,
    /,
    path: Path,
    case: str | None,
    annotated: str | None,
    table: Path | None,
    positive_only: str | None,
    dry_run: bool,
    **options: Any,
) -> None:
    """Import labels of one source. What they annotate must be said; it is never guessed from the values present.

    Files named after structures, one folder a case, are one label. With --round they belong to that round, and are
    about all that its model segments, in the codes of the model's dataset.json, unless said otherwise.
    """
    from flaredb.workflow.ingest.annotated import stated
    from flaredb.workflow.ingest.labels import LabelOptions, ingest_labels

    turn = options.pop("turn")
    if turn:
        said = stated(annotated, positive_only, table) if annotated or positive_only or table else None
        _labels_of_round(app, path, turn, options, (said, case, dry_run))
        return
    if not options["source"] or not options["kind"]:
        raise click.UsageError("give --source and --kind, or --round")
    statements = stated(annotated, positive_only, table)
    with app.open() as workspace:
        accepted = not options.pop("not_accepted")
        chosen = LabelOptions(**options, accepted=accepted)
        _show(app, ingest_labels(workspace, path, statements, chosen, case, dry_run))


def _labels_of_round(app: App, path: Path, turn: str, options: dict[str, Any], more: tuple[Any, ...]) -> None:
    """Predictions of a round; its source, kind and acceptance are the round's."""
    from flaredb.workflow.ingest.labels import LabelOptions
    from flaredb.workflow.rounds.ingest import ingest_round

    if options["source"] not in (None, turn) or options["kind"] not in (None, "pseudo") or options["supersedes"]:
        raise click.UsageError("--round says source and kind: leave out --source, --kind and --supersedes")
    chosen = {**options, "source": turn, "kind": "pseudo", "accepted": not options.pop("not_accepted")}
    chosen.pop("not_accepted", None)
    with app.open() as workspace:
        _show(app, ingest_round(workspace, path, turn, LabelOptions(**chosen), *more))


def _show(app: App, result: Imported) -> None:
    """Print what came in; exit 4 if a case has labels on another image than the one that was to come in."""
    if not app.as_json and result.would:
        print_table(result.would.pop("files"))
    replaced = any(finding.rule == "image-replaced" for finding in result.findings)
    app.result(result, _CONFLICT if replaced else 1)


@example("flaredb ingest manifest dataset.json --source flare23 --kind ground-truth --annotated-from annotated.csv")
@ingest.command()
@click.argument("path", metavar="FILE.json", type=FILE)
@click.option("--split", type=click.Choice(SPLITS), help="Whose list to read; training unless told otherwise.")
@click.option("--source", metavar="NAME", help="Who made the labels that the list names.")
@click.option("--kind", type=click.Choice(KINDS), help="Kind of those labels.")
@click.option("--annotated", metavar="A,B|all", help="Structures the labels speak about.")
@click.option("--annotated-from", "table", type=FILE, metavar="FILE.csv", help="The same by case: case,annotated.")
@click.option("--mapping", default="identity", show_default=True, metavar="NAME|FILE.toml", help="What codes mean.")
@click.option("--add-cases", is_flag=True, help="Register cases that only FILE.csv names, too.")
@click.option("--workers", default=2, show_default=True, help="Files read at once.")
@click.option("--dry-run", is_flag=True, help="Only say what would come in.")
@pass_app
def manifest(app: App, /, path: Path, annotated: str | None, table: Path | None, dry_run: bool, **options: Any) -> None:
    """Register the cases that an nnU-Net or MSD dataset.json lists.

    Scans and labels whose files are beside it are imported; labels without a file are announced: kept as annotated,
    never current.
    """
    from flaredb.workflow.ingest.annotated import stated
    from flaredb.workflow.ingest.manifest import ManifestOptions, ingest_manifest

    statements = stated(annotated, None, table) if annotated or table else None
    with app.open() as workspace:
        app.result(ingest_manifest(workspace, path, statements, ManifestOptions(**options), dry_run))


@example("flaredb ingest table cases.csv --source flare23 --kind ground-truth")
@ingest.command("table")
@click.argument("path", metavar="FILE.csv", type=FILE)
@click.option("--source", metavar="NAME", help="Who made the labels of rows that do not say it.")
@click.option("--kind", type=click.Choice(KINDS), help="Kind of the labels of rows that do not say it.")
@click.option("--mapping", default="identity", show_default=True, metavar="NAME|FILE.toml", help="What codes mean.")
@click.option("--workers", default=2, show_default=True, help="Files read at once.")
@click.option("--dry-run", is_flag=True, help="Only say what would come in.")
@pass_app
def table_(app: App, /, path: Path, dry_run: bool, **options: Any) -> None:
    """Register cases and labels row by row.

    Columns, in any order and as many as there are: case, image, label, patient, source, kind, annotated,
    positive_only, annotator, date, split, centre. Paths are under the table's folder; what is there is imported.
    """
    from flaredb.workflow.ingest.table import TableOptions, ingest_table

    with app.open() as workspace:
        app.result(ingest_table(workspace, path, TableOptions(**options), dry_run))


@example("flaredb ingest absent no_tumor.csv --structures tumor --source reports")
@ingest.command()
@click.argument("path", metavar="FILE.csv", type=FILE)
@click.option("--structures", required=True, metavar="A,B", help="What the reports say is not there.")
@click.option("--source", required=True, metavar="NAME", help="Whose reports they are.")
@click.option("--dry-run", is_flag=True, help="Only say what would come in.")
@pass_app
def absent(app: App, path: Path, structures: str, source: str, dry_run: bool) -> None:
    """Take reports that say "none" as labels: empty, exhaustive, without a file.

    Columns: case, and maybe date and annotator.
    """
    from flaredb.workflow.ingest.absent import ingest_absent

    with app.open() as workspace:
        app.result(ingest_absent(workspace, path, names(structures) or [], source, dry_run))


COMMANDS = (ingest,)
