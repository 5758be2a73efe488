"""The demo, and the page about a workspace."""

from __future__ import annotations

from pathlib import Path

import click

from flaredb.cli import output
from flaredb.cli.options import FILE, App, example, pass_app


@example("flaredb demo demo")
@click.command()
@click.argument("folder", metavar="[DIR]", type=FILE, default=Path("flaredb-demo"))
@click.option("--seed", default=0, show_default=True, help="Of the made-up cohort and of training.")
@pass_app
def demo(app: App, folder: Path, seed: int) -> None:
    """Run the whole loop on 60 made-up scans, on a CPU, in minutes; interrupted, the same command goes on."""
    from flaredb.workflow.demo.run import demo

    done = demo(folder, seed, output.TerminalReporter(app.quiet), app.actor)

    def show() -> None:
        rows = [*done.rounds, {**done.control, "decision": "as many steps as organ/2, without pseudo labels"}]
        output.print_table([_row(row) for row in rows])
        click.echo(f"\n{done.conclusion}\n\nLook further:")
        for command in (
            f"open {done.report}",
            f"flaredb -w {done.workspace} round show organ/2",
            f"flaredb -w {done.workspace} label explain FLARE23_0001",
            f'flaredb -w {done.workspace} sql "SELECT kind, count(*) AS n FROM label_provenance GROUP BY kind"',  # noqa: S608  (printed, not run)
        ):
            click.echo(f"  {command}")

    app.document(done, show)


def _row(row: dict[str, object]) -> dict[str, object]:
    shown: dict[str, object] = {"round": row["round"], "state": row.get("state")}
    for title, key in (("organs", "organ_mean"), ("tumor", "tumor"), ("tumor where present", "tumor_present")):
        means = row[key]
        shown[f"{title} DSC/NSD"] = f"{means['dsc']:.3f}/{means['nsd']:.3f}" if isinstance(means, dict) else None
    return {**shown, "accepted": row.get("accepted"), "decision": row["decision"]}


@example("flaredb report page.html")
@click.command()
@click.argument("destination", metavar="DEST.html", type=FILE)
@pass_app
def report(app: App, destination: Path) -> None:
    """Write a page about the workspace: rounds, gates, coverage, labels before and after."""
    from flaredb.workflow.report import report

    with app.open() as workspace:
        page = report(workspace, destination)
    app.document({"report": page.as_posix()}, lambda: click.echo(page.as_posix()))


@example("flaredb tour-files files")
@click.command("tour-files")
@click.argument("folder", metavar="DIR", type=FILE)
@click.option("--seed", default=0, show_default=True, help="Of the made-up cohort.")
@pass_app
def tour_files(app: App, folder: Path, seed: int) -> None:
    """Write a few made-up scans and labels in FLARE23's folders, to try the commands on."""
    from flaredb.workflow.demo.tour import tour_files

    cases = tour_files(folder, seed, output.TerminalReporter(app.quiet))
    app.document({"cases": cases, "folder": folder.as_posix()}, lambda: click.echo(f"{cases} cases in {folder}"))


COMMANDS = (demo, report, tour_files)
