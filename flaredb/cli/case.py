"""Cases."""

from __future__ import annotations

from pathlib import Path

import click

from flaredb.cli.options import FILE, App, example, pass_app, where_option, why_option, yes_option


@click.group()
def case() -> None:
    """Cases: one CT scan each."""


@example("""flaredb case list --where "split = 'train' AND slices > 100\"""")
@case.command("list")
@where_option
@pass_app
def case_list(app: App, where: str | None) -> None:
    """List cases."""
    from flaredb.catalog import cases

    with app.open() as workspace:
        with workspace.catalog.read() as connection:
            wanted = set(cases.matching(connection, where))
        rows = workspace.sql('SELECT * FROM case_facts ORDER BY "case"')
    app.rows(
        [{"name": row["case"], **row} for row in rows if row["case"] in wanted],
        ["name", "split", "slices", "rows", "columns", "spacing_z_mm", "spacing_y_mm", "orientation", "labels"],
    )


@example("flaredb case show FLARE23_0042")
@case.command("show")
@click.argument("name")
@pass_app
def case_show(app: App, name: str) -> None:
    """Show a case: geometry, files and labels."""
    from flaredb.catalog import cases, labels

    with app.open() as workspace, workspace.catalog.read() as connection:
        found = cases.find(connection, name)
        versions = [label.name for label in labels.of_case(connection, found.name)]
        aliases = cases.aliases(connection, found.id)
    app.document(
        {
            "name": found.name,
            "aliases": aliases,
            "split": found.split,
            "patient": found.patient,
            "image": found.image,
            "grid": found.grid,
            "file": found.space,
            "excluded": found.excluded,
            "labels": versions,
        }
    )


@example("flaredb case describe cases.csv")
@case.command("describe")
@click.argument("table", metavar="FILE.csv", type=FILE)
@click.option("--dry-run", is_flag=True, help="Only say what would change.")
@pass_app
def case_describe(app: App, table: Path, dry_run: bool) -> None:
    """Set patient, split, source_dataset, licence and centre of cases from a table with a column case."""
    from flaredb.workflow.case.describe import case_describe

    with app.open() as workspace:
        app.result(case_describe(workspace, table, dry_run))


@example('flaredb case exclude FLARE23_0042 --why "wrong body part"')
@case.command("exclude")
@click.argument("name", metavar="CASE")
@why_option
@pass_app
def case_exclude(app: App, name: str, why: str) -> None:
    """Keep a case out of use; nothing is deleted."""
    from flaredb.workflow.case.events import case_exclude

    with app.open() as workspace:
        app.result(case_exclude(workspace, name, why))


@example('flaredb case include FLARE23_0042 --why "looked again"')
@case.command("include")
@click.argument("name", metavar="CASE")
@why_option
@pass_app
def case_include(app: App, name: str, why: str) -> None:
    """Take an excluded case back."""
    from flaredb.workflow.case.events import case_include

    with app.open() as workspace:
        app.result(case_include(workspace, name, why))


@example('flaredb case rename Case1 Case_00001 --why "as its data set names it"')
@case.command("rename")
@click.argument("old")
@click.argument("new")
@click.option("--why", default="", help="The reason; it is kept.")
@pass_app
def case_rename(app: App, old: str, new: str, why: str) -> None:
    """Give a case another name; the old one goes on finding it."""
    from flaredb.workflow.case.events import case_rename

    with app.open() as workspace:
        app.result(case_rename(workspace, old, new, why))


@example('flaredb case same FLARE23_0042 FLARE23_0043 --why "two phases of one visit"')
@case.command("same")
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@click.option("--why", default="", help="The reason; it is kept.")
@pass_app
def case_same(app: App, first: str, second: str, why: str) -> None:
    """Say that two cases are of one patient."""
    from flaredb.workflow.case.events import case_same

    with app.open() as workspace:
        app.result(case_same(workspace, first, second, why))


@example('flaredb case distinct FLARE23_0042 FLARE23_0043 --why "a phantom scanned twice"')
@case.command("distinct")
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@click.option("--why", default="", help="The reason; it is kept.")
@pass_app
def case_distinct(app: App, first: str, second: str, why: str) -> None:
    """Say that case B is of another patient than A, whatever its voxels say."""
    from flaredb.workflow.case.events import case_distinct

    with app.open() as workspace:
        app.result(case_distinct(workspace, first, second, why))


@example('flaredb case purge FLARE23_0042 --why "consent withdrawn" --yes')
@case.command("purge")
@click.argument("name", metavar="CASE", required=False)
@click.option("--patient", metavar="ID", help="All cases of this patient, by name or key.")
@why_option
@yes_option
@pass_app
def case_purge(app: App, name: str | None, patient: str | None, why: str, yes: bool) -> None:
    """Erase a case or a patient for good: voxels, names, paths, every mention. There is no way back."""
    from flaredb.workflow.integrity.purge import case_purge

    with app.open() as workspace:
        app.result(case_purge(workspace, name, why, patient, yes))


COMMANDS = (case,)
