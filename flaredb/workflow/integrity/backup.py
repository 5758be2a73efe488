"""Copies of the catalogue, putting one back, and bringing the schema up to date (after a copy).

Voxels and weights are not in a copy: they never change, so any copy of their folders will do.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import NamedTuple

from flaredb.catalog import backup as copies
from flaredb.catalog import leases, migrate
from flaredb.errors import ConflictError
from flaredb.workflow.results import Result
from flaredb.workspace import Workspace

FOLDER = "backups"


class Saved(NamedTuple):
    """A copy: where, how large, and what is in it."""

    file: str
    megabytes: float
    schema: str | None
    rows: dict[str, int]


class Upgraded(NamedTuple):
    """The state of the schema now and before, and the copy that was made in between."""

    schema: str
    was: str
    backup: str | None


def backup(workspace: Workspace, file: Path) -> Saved:
    """Write a copy of the catalogue to a file, also while others write."""
    copies.save(workspace.catalog, file)
    found = copies.check(file)
    return Saved(file.as_posix(), round(file.stat().st_size / 1e6, 3), found.revision, found.rows)


def restore(workspace: Workspace, file: Path, yes: bool = False) -> Result:
    """Put a copy in place of the catalogue, which is kept; without `yes` only say what would be replaced."""
    found, replaced = copies.check(file), copies.present(workspace.catalog)
    kept = _place_to_keep(workspace)
    if not yes:
        rows = replaced.rows if replaced else "cannot be read"
        return Result(None, would={"restore": found.rows, "replace": rows, "keep": _relative(workspace, kept)})
    with leases.hold(workspace.catalog, "restore", workspace.root, record=False):
        if replaced:
            _refuse_while_held(workspace)
            if replaced.revision:
                _save(workspace, kept)
        elif workspace.catalog.on_sqlite:
            shutil.copyfile(str(workspace.catalog.url.database), kept)
        copies.restore(workspace.catalog, file, workspace.root)
    with workspace.run("restore", file=file.name) as run, run.write() as write:
        return Result(write.operation, (_relative(workspace, kept),), added=sum(found.rows.values()))


def upgrade(workspace: Workspace) -> Upgraded:
    """Bring the schema to the newest, in one transaction; a copy of an older catalogue is made first."""
    with leases.hold(workspace.catalog, "upgrade", workspace.root):
        was, saved = workspace.catalog.schema_state(), None
        if was == "behind":
            with workspace.catalog.read() as connection:
                name = f"before-{migrate.revision(connection)}-{copies.moment()}.db"
            saved = f"{FOLDER}/{name}"
            _save(workspace, workspace.root / saved)
        workspace.catalog.upgrade()
        return Upgraded(workspace.catalog.schema_state(), was, saved)


def _place_to_keep(workspace: Workspace) -> Path:
    """Beside a catalogue that is a file, else in the workspace's folder of copies."""
    name = f"before-restore-{copies.moment()}"
    if workspace.catalog.on_sqlite:
        place = Path(str(workspace.catalog.url.database))
        return place.with_name(f"{place.name}.{name}")
    return workspace.root / FOLDER / f"{name}.db"


def _refuse_while_held(workspace: Workspace) -> None:
    for lease in leases.held(workspace.catalog, workspace.root):
        raise ConflictError(f"{lease['name']} is being worked on by {lease['holder']}; restore when it is done")


def _save(workspace: Workspace, file: Path) -> None:
    file.parent.mkdir(exist_ok=True)
    copies.save(workspace.catalog, file)


def _relative(workspace: Workspace, file: Path) -> str:
    return file.relative_to(workspace.root).as_posix()
