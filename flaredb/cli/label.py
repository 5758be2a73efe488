"""Labels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from flaredb.cli.decisions import add_decisions
from flaredb.cli.options import App, example, moment_options, names, pass_app, structures_option, where_option


@click.group()
def label() -> None:
    """Labels: versions of what is known of a case, and which of them is current."""


@example("flaredb label list FLARE23_0042")
@label.command("list")
@click.argument("case")
@pass_app
def label_list(app: App, case: str) -> None:
    """List the labels of a case."""
    from flaredb.catalog import cases, labels

    with app.open() as workspace, workspace.catalog.read() as connection:
        found = labels.of_case(connection, cases.find(connection, case).name)
    app.rows(
        [
            {"name": item.name, "kind": item.kind, "annotated": list(item.annotated), "created": item.annotated_at}
            for item in found
        ]
    )


@example("flaredb label show FLARE23_0042@aladdin5@1")
@label.command("show")
@click.argument("name")
@pass_app
def label_show(app: App, name: str) -> None:
    """Show a label: what it annotates, what its codes mean, where it came from."""
    from flaredb.catalog import labels

    with app.open() as workspace, workspace.catalog.read() as connection:
        found = labels.find(connection, name)
    app.document(
        {
            "name": found.name,
            "kind": found.kind,
            "volume": found.volume,
            "annotated_at": found.annotated_at,
            "annotated": {k: "exhaustive" if m.exhaustive else "positive-only" for k, m in found.annotated.items()},
            "codes": {code: sorted(meant) for code, meant in found.codes.meanings},
            "possible": {code: sorted(members) for code, members in found.codes.possible},
            "mapping": found.codes.name,
            "file": found.space,
            "model": found.model,
        }
    )


@example("flaredb label current FLARE23_0042 --round organ/2")
@label.command("current")
@click.argument("case", required=False)
@moment_options
@pass_app
def label_current(app: App, case: str | None, as_of: str | None, turn: str | None) -> None:
    """Show which label is current for each structure, or was."""
    from flaredb.workflow.provenance.current import label_current

    with app.open() as workspace:
        found = label_current(workspace, case, as_of, turn)
    app.rows(found, ["case", "structure", "label", "kind", "contributors", "reason"])


@example("flaredb label explain FLARE23_0042")
@label.command("explain")
@click.argument("case")
@moment_options
@pass_app
def label_explain(app: App, case: str, as_of: str | None, turn: str | None) -> None:
    """Show every candidate of every structure, its outcome and why."""
    from flaredb.workflow.provenance.current import label_explain

    with app.open() as workspace:
        found = label_explain(workspace, case, as_of, turn)
    if app.as_json:
        app.rows(found)
    else:
        app.rows([{"structure": row["structure"], **item} for row in found for item in row["candidates"]])


@example("flaredb label diff FLARE23_0042@organ/1 FLARE23_0042@organ/2 --picture changes.png")
@label.command("diff")
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@click.option("--picture", type=click.Path(path_type=Path), metavar="FILE.png", help="Draw both, and what differs.")
@pass_app
def label_diff(app: App, first: str, second: str, picture: Path | None) -> None:
    """Compare two labels of a case, structure by structure: voxels, Dice, what came and what went."""
    from flaredb.workflow.label.diff import label_diff, label_diff_picture

    with app.open() as workspace:
        found = label_diff(workspace, first, second)
        if picture:
            label_diff_picture(workspace, first, second, picture)
    if app.as_json:
        app.document(found)
    else:
        app.rows(found["structures"])


@example("flaredb label agreement --source organ/2")
@label.command("agreement")
@click.option("--source", required=True, metavar="NAME", help="Whose labels to compare with those of others.")
@pass_app
def label_agreement(app: App, source: str) -> None:
    """Compare a source's labels with those of every other source of the same cases: mean Dice by structure."""
    from flaredb.workflow.label.diff import label_agreement

    with app.open() as workspace:
        app.rows(label_agreement(workspace, source))


@example("flaredb label reliability --source organ/2")
@label.command("reliability")
@click.option("--source", required=True, metavar="NAME", help="Whose labels; of people's labels it is not asked.")
@pass_app
def label_reliability(app: App, source: str) -> None:
    """Compute how far a generated source's labels can be trusted; rounds do it themselves after predicting.

    Read it with: flaredb sql "SELECT * FROM label_reliability WHERE metric = 'combined' ORDER BY value".
    """
    from flaredb.workflow.label.reliability import label_reliability

    with app.open() as workspace:
        app.result(label_reliability(workspace, source))


@example("flaredb label lineage FLARE23_0042@organ/2 --dot | dot -Tsvg > lineage.svg")
@label.command("lineage")
@click.argument("name", metavar="ID")
@click.option("--down", is_flag=True, help="What was made of it; else what it was made of.")
@click.option("--dot", is_flag=True, help="Print a Graphviz graph, labels of a source drawn as one.")
@pass_app
def label_lineage(app: App, name: str, down: bool, dot: bool) -> None:
    """Show what a label, snapshot, model or source was made of, or with --down what was made of it."""
    from flaredb.workflow.provenance.lineage import as_dot, label_lineage

    with app.open() as workspace:
        found = label_lineage(workspace, name, down)
    if dot:
        click.echo(as_dot(found))
    elif app.as_json:
        app.document(found)
    else:
        app.rows([{"from": a, "to": b} for a, b in found["edges"]])


@example("flaredb label fuse --sources aladdin5,blackbean,organ/2 --as fused/organ-2")
@label.command("fuse")
@click.option("--sources", required=True, metavar="A,B,C", help="Whose newest labels to fuse, of any kind.")
@click.option("--as", "name", required=True, metavar="NAME", help="The source of the fused labels.")
@click.option(
    "--method",
    default="agreement",
    show_default=True,
    type=click.Choice(["agreement", "majority", "staple", "weighted", "background"]),
    help="What a voxel is on which they disagree: any of it; what most say; what STAPLE holds likelier; what most say, "
    "weighted by measured DSC; background.",
)
@structures_option
@where_option
@click.option("--accept", is_flag=True, help="Let the labels count at once; otherwise: flaredb source accept NAME.")
@click.option("--dry-run", is_flag=True, help="Only say what would be made.")
@pass_app
def label_fuse(app: App, /, sources: str, name: str, dry_run: bool, structures: str | None, **options: Any) -> None:
    """Fuse the labels of several sources into one, case by case; what they disagree on stays open."""
    from flaredb.workflow.label.fuse import FuseOptions, fuse

    with app.open() as workspace:
        asked = FuseOptions(structures=tuple(names(structures) or ()), **options)
        app.result(fuse(workspace, names(sources) or [], name, asked, dry_run))


add_decisions(label, "label", "reject", "FLARE23_0042@aladdin5@1")

COMMANDS = (label,)
