"""What a workspace runs on, and what about that is wrong."""

from __future__ import annotations

import platform
import shutil
import sqlite3
from importlib.metadata import PackageNotFoundError, version
from typing import NamedTuple

from flaredb.catalog import leases
from flaredb.catalog.engines import describe
from flaredb.catalog.filesystem import NETWORK, filesystem
from flaredb.errors import InvalidDataError, NotFoundError, StorageError
from flaredb.version import __version__
from flaredb.workflow.rounds.events import read_listener
from flaredb.workflow.schedule.entries import stamp
from flaredb.workflow.schedule.listing import neglected, schedule_list
from flaredb.workspace import Workspace

LOW_DISK_GB = 5.0
_WAL_RESET_FIXED = (3, 51, 3)
_PACKAGES = ("sqlalchemy", "alembic", "psycopg", "numpy", "tensorstore", "torch")


class Line(NamedTuple):
    """One thing looked at: what, what was found, what there is to know about it, and whether it must be mended."""

    what: str
    found: str
    remark: str = ""
    wrong: bool = False


class Examination(NamedTuple):
    """All that was looked at, and what somebody has to mend."""

    lines: tuple[Line, ...]
    problems: tuple[str, ...]


def doctor(workspace: Workspace) -> Examination:
    """Look at versions, disks, the database, its schema and who holds what; nothing is changed."""
    lines = [*_versions(), *_disks(workspace), *_catalogue(workspace), *_tasks(workspace)]
    return Examination(tuple(lines), tuple(f"{line.what}: {line.remark}" for line in lines if line.wrong))


def _versions() -> list[Line]:
    old = sqlite3.sqlite_version_info < _WAL_RESET_FIXED
    remark = "before 3.51.3, with a rare fault in resetting its log, which flaredb keeps clear of" if old else ""
    lines = [
        Line("flaredb", __version__),
        Line("python", platform.python_version()),
        Line("sqlite", sqlite3.sqlite_version, remark),
    ]
    for package in _PACKAGES:
        try:
            lines.append(Line(package, version(package)))
        except PackageNotFoundError:
            lines.append(Line(package, "not installed"))
    return lines


def _disks(workspace: Workspace) -> list[Line]:
    kind = filesystem(workspace.root)
    shared = workspace.catalog.on_sqlite and kind in NETWORK
    advice = "SQLite can lose data there; move the workspace to a local disk, or its catalogue to PostgreSQL"
    lines = [Line("file system", kind, advice if shared else "", shared)]
    for what, place in (("workspace", workspace.root), ("volumes", workspace.volumes.root)):
        free = shutil.disk_usage(place if place.exists() else workspace.root).free / 1e9
        low = free < LOW_DISK_GB
        lines.append(Line(f"disk of {what}", f"{free:.1f} GB free", f"less than {LOW_DISK_GB:g} GB free" * low, low))
    return lines


def _catalogue(workspace: Workspace) -> list[Line]:
    lines = []
    try:
        with workspace.catalog.read() as connection:
            server = describe(connection)
        remark = "a superuser; an ordinary role that owns the database is enough" if server.superuser else ""
        lines.append(Line("database", server.name))
        if server.role:
            lines.append(Line("role", server.role, remark))
        workspace.catalog.check_schema()
        lines += [Line("schema", "head"), *_schedule(workspace)]
    except StorageError as error:
        return [*lines, Line("catalogue", "cannot be used", str(error), True)]
    held = leases.held(workspace.catalog, workspace.root)
    return lines + [
        Line("held", row["name"], f"by {row['holder']} since {row['since']:%Y-%m-%d %H:%M} UTC") for row in held
    ]


def _tasks(workspace: Workspace) -> list[Line]:
    """Tables of tasks in `flaredb.toml` with which no round could start."""
    tables = workspace.settings.get("task", {})
    if not tables:
        return []
    from flaredb.workflow.rounds.task_settings import task_settings  # what it knows of training is slow to load

    lines = []
    for task in sorted(tables):
        try:
            task_settings(workspace, task)
        except (InvalidDataError, NotFoundError) as error:
            lines.append(Line(f"task {task}", "wrong", str(error), True))
    return lines


def _schedule(workspace: Workspace) -> list[Line]:
    """When each entry is due next and what became of it last; settings that are wrong, and what nobody runs."""
    lines = []
    try:
        read_listener(workspace.settings)
    except InvalidDataError as error:
        lines.append(Line("events", "wrong", str(error), True))
    try:
        rows = schedule_list(workspace)
    except InvalidDataError as error:
        return [*lines, Line("schedule", "wrong", str(error), True)]
    late = neglected(workspace, rows)
    for row in rows:
        due = stamp(row["next"]) if row["next"] else "never"
        last = f"last {row['state']}" + (f": {row['why']}" if row["why"] else "") if row["state"] else ""
        lines.append(Line(f"schedule {row['name']}", f"next {due}, {row['missed']} missed", last))
    return lines + [Line("schedule", "late", said, True) for said in late]
