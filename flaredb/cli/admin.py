"""A workspace as a whole: make it, look at it, question it, check it."""

from __future__ import annotations

from pathlib import Path

import click

from flaredb.cli import output
from flaredb.cli.options import FILE, App, example, pass_app, settings, why_option


@example("flaredb init liver-study")
@click.command()
@click.argument("folder", metavar="DIR", type=FILE)
@click.option("--structures", default="flare23", type=click.Choice(["flare23"]), help="What can be segmented.")
@click.option("--catalog", metavar="URL", help="An empty PostgreSQL database: postgresql://USER@HOST/NAME.")
@click.option("--volumes", metavar="DIR", help="Keep voxels in another folder, such as a large or shared disk.")
@pass_app
def init(app: App, folder: Path, structures: str, catalog: str | None, volumes: str | None) -> None:
    """Make a new workspace in an empty or new folder.

    The catalogue is a SQLite file in the workspace unless --catalog names a PostgreSQL database. The URL is stored,
    so it must not hold a password: put that into ~/.pgpass or PGPASSWORD.
    """
    from flaredb.workspace import CATALOG, VOLUMES, Workspace

    with Workspace.create(folder, catalog=catalog or CATALOG, volumes=volumes or VOLUMES) as workspace:
        made = {"workspace": folder.as_posix(), "structures": list(workspace.structures.names)}
    app.document(made, lambda: click.echo(f"made {folder}; next: flaredb -w {folder} ingest images PATH"))


@example("flaredb status")
@click.command()
@pass_app
def status(app: App) -> None:
    """Show counts, coverage by kind, annotated patterns, rounds and health."""
    from flaredb.workflow.status import status

    with app.open() as workspace:
        found = status(workspace)

    def show() -> None:
        click.echo(f"{found['cases']} cases, {found['labels']} labels, {found['models']} models")
        kinds = sorted({kind for row in found["coverage"].values() for kind in row})
        output.print_table(
            [{"structure": name, **{k: row.get(k, 0) for k in kinds}} for name, row in found["coverage"].items()]
        )
        for turn in found["rounds"]:
            click.echo(f"round {turn['round']}: {turn['state']}")
        for problem in found["problems"]:
            click.echo(f"problem: {problem}")

    app.document(found, show)


@example("""flaredb sql "SELECT kind, count(*) FROM label_provenance GROUP BY kind\"""")
@click.command()
@click.argument("query", required=False)
@click.option("-p", "parameters", multiple=True, metavar="NAME=VALUE", help="A value for :NAME in the query.")
@click.option("--csv", "as_csv", is_flag=True, help="Print comma-separated values with a header.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--time-limit", default=60.0, show_default=True, metavar="SECONDS", help="Give up after so long.")
@click.option("--schema", "describe", is_flag=True, help="Print what can be asked: a line on every column.")
@pass_app
def sql(
    app: App,
    query: str | None,
    parameters: tuple[str, ...],
    as_csv: bool,
    as_json: bool,
    time_limit: float,
    describe: bool,
) -> None:
    """Ask the catalogue in SQL; the database lets the query read only."""
    from flaredb.catalog import query as people

    if (query is None) != describe:
        raise click.UsageError("give a query, or --schema to see what can be asked")
    with app.open() as workspace:
        given = people.values(workspace.catalog, settings(parameters))
        rows = (
            people.schema(workspace.catalog)
            if query is None
            else people.ask(workspace.catalog, query, given, time_limit)
        )
    app.as_json |= as_json
    if as_csv:
        output.print_csv(rows)
    elif app.as_json:
        output.print_json(rows)
    else:
        output.print_table(rows, exact=True)


@example("flaredb fsck --voxels")
@click.command()
@click.option("--voxels", is_flag=True, help="Read every volume and recompute its digest.")
@click.option("--history", is_flag=True, help="Tell all that was ever current again from the events.")
@click.option("--repair", is_flag=True, help="Show what would mend what was found; with --yes do it.")
@click.option("--yes", is_flag=True, help="With --repair: do it.")
@pass_app
def fsck(app: App, voxels: bool, history: bool, repair: bool, yes: bool) -> None:
    """Check that catalogue, volumes, lineage and the log of what is current agree; exit 6 if not.

    Without --voxels nothing is decoded: files, sizes, metadata and the index of the chunks are looked at. Each problem
    comes with what repairs it. --repair sets damaged volumes aside, writes again those whose voxels can still be had,
    corrects what the catalogue says of their place, takes back impossible lineage and makes the log again.
    """
    from flaredb.workflow.integrity.fsck import fsck as check_all
    from flaredb.workflow.integrity.repair import repair as mend

    if yes and not repair:
        raise click.UsageError("--yes belongs to --repair")
    with app.open() as workspace:
        check = check_all(workspace, voxels, history)
        mended = mend(workspace, check, yes) if repair and check.problems else None
        if mended and yes:
            check = check_all(workspace, voxels, history)
    told = check._asdict() | ({"would": mended.would, "repaired": mended.findings} if mended else {})

    def show() -> None:
        click.echo(f"{check.checked} volumes checked, {len(check.problems)} problems")
        if check.problems:
            output.print_table(check.problems)
        if mended and not yes:
            output.print_result(mended)
        elif mended:
            output.print_findings(mended.findings)

    app.document(told, show)
    if any(problem["kind"] not in ("orphan-volume", "stale-staging") for problem in check.problems):
        raise SystemExit(6)


@example("flaredb gc --yes")
@click.command()
@click.option("--yes", is_flag=True, help="Do it; without, only say what would be removed.")
@click.option(
    "--age",
    default=3600.0,
    show_default=True,
    type=click.FloatRange(min=0),
    help="Leave alone what is younger than this, in seconds.",
)
@pass_app
def gc(app: App, yes: bool, age: float) -> None:
    """Remove volumes that nobody points at and what interrupted writes left, in two steps.

    First they are moved to the trash; what has been there longer than --age and is still not needed is removed for
    good by a later gc (by the same with --age 0). What a running command has put is left alone in any case.
    """
    from flaredb.workflow.integrity.gc import gc as collect

    with app.open() as workspace:
        app.result(collect(workspace, yes, age))


@example("flaredb log --since 2023-05-07 --case FLARE23_0042")
@click.command()
@click.option("-n", "limit", default=50, show_default=True, help="How many.")
@click.option("--since", metavar="DATE", help="Only those since this day or moment, UTC.")
@click.option("--case", metavar="NAME", help="Only those that touched this case.")
@pass_app
def log(app: App, limit: int, since: str | None, case: str | None) -> None:
    """List the last commands that changed something, newest first."""
    from flaredb.catalog import cases, history
    from flaredb.workflow.provenance.moments import beginning

    with app.open() as workspace, workspace.catalog.read() as connection:
        name = cases.find(connection, case).name if case else None
        rows = history.runs(connection, limit, beginning(since) if since else None, name)
    app.rows(rows, ["run", "last_operation", "command", "arguments", "actor", "started", "outcome"])


@click.group()
def finding() -> None:
    """Remarks about data met on the way."""


@example("flaredb finding list --open")
@finding.command("list")
@click.option("--open", "only_open", is_flag=True, help="Only those nobody acknowledged.")
@pass_app
def finding_list(app: App, only_open: bool) -> None:
    """List findings."""
    from flaredb.catalog import history

    with app.open() as workspace, workspace.catalog.read() as connection:
        app.rows(history.findings(connection, only_open))


@example('flaredb finding ack 12 --why "the list is wrong, the files are right"')
@finding.command("ack")
@click.argument("number", metavar="ID", type=int)
@why_option
@pass_app
def finding_ack(app: App, number: int, why: str) -> None:
    """Acknowledge a finding: it was seen to, and why it may stand."""
    from flaredb.workflow.findings import finding_ack

    with app.open() as workspace:
        app.result(finding_ack(workspace, number, why))


@example("flaredb du")
@click.command()
@pass_app
def du(app: App) -> None:
    """Show what takes how much room: allocated bytes and inodes by kind, source and round."""
    from flaredb.workflow.integrity.usage import du

    with app.open() as workspace:
        app.rows(du(workspace))


COMMANDS = (init, status, sql, fsck, gc, log, finding, du)
