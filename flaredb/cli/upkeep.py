"""Keeping a workspace well: copies of the catalogue, its schema, a look at what it runs on, and the words."""

from __future__ import annotations

from pathlib import Path

import click

from flaredb.cli import output
from flaredb.cli.options import FILE, App, example, pass_app
from flaredb.cli.schedule import commands_wrong


@example("flaredb backup /mnt/backups/catalog-monday.db")
@click.command()
@click.argument("file", type=FILE)
@pass_app
def backup(app: App, file: Path) -> None:
    """Write a copy of the catalogue to a new FILE, also while others write.

    Voxels and weights are not in it: copy the workspace's volumes and models folders as well; files there never
    change. The copy is a SQLite file on either database, so it also moves a catalogue from one to the other.
    """
    from flaredb.workflow.integrity import backup as copies

    with app.open() as workspace:
        saved = copies.backup(workspace, file)
    app.document(saved, lambda: click.echo(f"{saved.file}: {saved.megabytes} MB, {_counts(saved.rows)}"))


@example("flaredb restore /mnt/backups/catalog-monday.db --yes")
@click.command()
@click.argument("file", type=FILE)
@click.option("--yes", is_flag=True, help="Do it; without, only say what would be replaced.")
@pass_app
def restore(app: App, file: Path, yes: bool) -> None:
    """Put a copy in place of the catalogue; the replaced one is kept.

    Only the catalogue is put back. Afterwards `flaredb fsck` says whether the volumes it names are there.
    """
    from flaredb.workflow.integrity import backup as copies

    with app.open(check=False) as workspace:
        app.result(copies.restore(workspace, file, yes))


@example("flaredb upgrade")
@click.command()
@pass_app
def upgrade(app: App) -> None:
    """Bring the catalogue's schema to the one this version speaks; an older catalogue is copied first."""
    from flaredb.workflow.integrity import backup as copies

    with app.open(check=False) as workspace:
        done = copies.upgrade(workspace)
    kept = f"; the old one is in {done.backup}" if done.backup else ""
    app.document(done, lambda: click.echo(f"schema was {done.was}, is {done.schema}{kept}"))


@example("flaredb doctor")
@click.command()
@pass_app
def doctor(app: App) -> None:
    """Show versions, disk, database and leases, with what is wrong; exit 6 if something is."""
    from flaredb.workflow.doctor import doctor as examine

    with app.open(check=False) as workspace:
        found = examine(workspace)
        found = found._replace(problems=(*found.problems, *commands_wrong(workspace)))

    def show() -> None:
        output.print_table([{"what": line.what, "found": line.found, "remark": line.remark} for line in found.lines])
        for problem in found.problems:
            click.echo(f"problem: {problem}")

    app.document(found, show)
    if found.problems:
        raise SystemExit(6)


@example("flaredb words")
@click.command()
@pass_app
def words(app: App) -> None:
    """Print the words that flaredb uses, and what they mean."""
    from flaredb.workflow.words import WORDS

    app.rows([{"word": word, "meaning": meaning} for word, meaning in WORDS.items()])


def _counts(rows: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in rows.items())


COMMANDS = (backup, restore, upgrade, doctor, words)
