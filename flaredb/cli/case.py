"""Cases."""

from __future__ import annotations

import click

from flaredb.cli.options import App, example, pass_app, where_option


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
        versions = [label.name for label in labels.of_case(connection, name)]
    app.document(
        {
            "name": found.name,
            "split": found.split,
            "patient": found.patient,
            "image": found.image,
            "grid": found.grid,
            "file": found.space,
            "excluded": found.excluded,
            "labels": versions,
        }
    )


COMMANDS = (case,)
