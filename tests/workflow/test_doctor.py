"""`flaredb doctor`: what the workspace runs on, and what somebody has to mend."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from flaredb.workflow import doctor as module
from flaredb.workflow.doctor import doctor
from flaredb.workspace import Workspace
from tests.cohorts import flaredb
from tests.postgres import SUPERUSER, Server, database_of


def found(workspace: Workspace) -> dict[str, tuple[str, str]]:
    """What was looked at → what was found, and the remark."""
    return {line.what: (line.found, line.remark) for line in doctor(workspace).lines}


@pytest.fixture
def on_server(tmp_path: Path, postgres: Server) -> Iterator[Workspace]:
    """An empty workspace on PostgreSQL."""
    with Workspace.create(tmp_path / "server", catalog=postgres.database()) as made:
        yield made


def test_a_healthy_workspace(empty: Workspace) -> None:
    """Versions, disks, database and schema are told; nothing is wrong; exit 0."""
    done = flaredb("doctor", workspace=empty.root)
    assert (done.code, done.json["problems"]) == (0, [])
    lines = found(empty)
    assert {"flaredb", "python", "sqlite", "sqlalchemy", "torch", "file system", "database", "schema"} <= set(lines)
    assert lines["schema"][0] == "head"
    assert ("3.51.3" in lines["sqlite"][1]) == (sqlite3.sqlite_version_info < (3, 51, 3))


def test_wrong_settings_of_a_task_are_told(empty: Workspace) -> None:
    """A key that is none, a preset that is none: each is named before a round meets it."""
    tables = """
[task.organ]
presett = "small"
[task.tumor]
preset = "huge"
[task.all]
preset = "small"
"""
    with (empty.root / "flaredb.toml").open("a", encoding="utf-8") as handle:
        handle.write(tables)
    done = flaredb("doctor", workspace=empty.root)
    assert done.code == 6
    organ, tumor = sorted(problem for problem in done.json["problems"] if problem.startswith("task "))
    assert "presett" in organ
    assert "huge" in tumor


def test_a_workspace_on_a_server(on_server: Workspace, postgres: Server) -> None:
    """The server and the role are told, with a remark on a superuser."""
    lines = found(on_server)
    assert lines["database"][0].startswith("PostgreSQL 1")
    assert lines["role"] == ("flaredb", "")
    url = postgres.url(database_of(on_server.settings["workspace"]["catalog"]), SUPERUSER)
    with Workspace(on_server.root, {"workspace": {**on_server.settings["workspace"], "catalog": url}}) as opened:
        assert "superuser" in found(opened)["role"][1]


def test_who_holds_what(empty: Workspace) -> None:
    """A lease that is held is listed with its holder."""
    with empty.lock("round organ/1"):
        assert found(empty)["held"][0] == "round organ/1"
    assert "held" not in found(empty)


def test_what_is_wrong_is_a_problem(empty: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """A schema that is not at head, a network disk, a full disk, a server that is gone: exit 6 and a line on each."""
    monkeypatch.setattr(module, "filesystem", lambda _: "nfs4")
    monkeypatch.setattr(module, "LOW_DISK_GB", 1e9)
    with empty.catalog.writer() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    done = flaredb("doctor", workspace=empty.root)
    assert done.code == 6
    said = "\n".join(done.json["problems"])
    assert all(part in said for part in ("newer flaredb", "local disk", "GB free"))


def test_a_server_that_is_gone(on_server: Workspace, tmp_path: Path) -> None:
    """The rest is told all the same."""
    settings = on_server.root / "flaredb.toml"
    settings.write_text(settings.read_text(encoding="utf-8").replace("flaredb-postgres-", "nothing-"))
    done = flaredb("doctor", workspace=on_server.root)
    assert done.code == 6
    assert "cannot be reached" in done.json["problems"][0]


def test_the_doctor_does_not_load_torch(empty: Workspace) -> None:
    """Its version is read from what pip installed."""
    code = (
        f"import sys; sys.argv = ['flaredb', '-w', {str(empty.root)!r}, 'doctor']\n"
        "from flaredb.cli import main\n"
        "try: main()\n"
        "except SystemExit as leave: print(leave.code, 'torch' in sys.modules)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.splitlines()[-1] == "0 False"
