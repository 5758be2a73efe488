"""`flaredb backup`, `restore` and `upgrade`: what they say, what they keep, and what they refuse."""

from __future__ import annotations

import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from flaredb.catalog import migrate
from flaredb.errors import ConflictError
from flaredb.workflow.integrity.backup import backup, restore, upgrade
from flaredb.workflow.integrity.fsck import fsck
from flaredb.workspace import CONFIG, Workspace
from tests.cohorts import PROGRAM, add_case, content, environment, flaredb
from tests.postgres import Server

GOLDEN = Path(__file__).parents[2] / "golden" / "0001.sql"


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The folder of a workspace with one case, on either database."""
    if request.param == "sqlite":
        made = Workspace.create(tmp_path / "w")
    else:
        server: Server = request.getfixturevalue("postgres")
        made = Workspace.create(tmp_path / "w", catalog=server.database())
    with made:
        add_case(made, tmp_path, "case1")
    return tmp_path / "w"


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """The folder of a workspace whose catalogue is of the first schema."""
    root = tmp_path / "old"
    root.mkdir()
    with closing(sqlite3.connect(root / "catalog.db")) as database:
        database.executescript(GOLDEN.read_text(encoding="utf-8"))
    settings = ["[workspace]", 'catalog = "sqlite:///catalog.db"', 'volumes = "volumes"', 'salt = "00"', ""]
    (root / CONFIG).write_text("\n".join(settings))
    return root


def test_there_and_back(place: Path, tmp_path: Path) -> None:
    """What was added after the copy is gone after the restore, what was there is back, and `fsck` is content."""
    done = flaredb("backup", tmp_path / "copy.db", workspace=place)
    assert (done.code, done.json["rows"]["cases"], done.json["schema"]) == (0, 1, migrate.revisions()[-1])
    with Workspace.open(place) as workspace:
        before = content(workspace)
        add_case(workspace, tmp_path, "case2", seed=1)
    done = flaredb("restore", tmp_path / "copy.db", "--yes", workspace=place)
    assert (done.code, done.json["failed"]) == (0, 0)
    assert done.json["operation"] > 0
    with Workspace.open(place) as workspace:
        assert content(workspace) == before
        assert [problem["kind"] for problem in fsck(workspace).problems] == ["orphan-volume"]
    (kept,) = done.json["ids"]
    done = flaredb("restore", place / kept, "--yes", workspace=place)
    assert done.code == 0
    with Workspace.open(place) as workspace:
        assert len(workspace.sql("SELECT * FROM case_facts")) == 2
        assert fsck(workspace).problems == ()


def test_without_yes_nothing_changes(place: Path, tmp_path: Path) -> None:
    """`would` says what would come, what would go and where that would be kept."""
    flaredb("backup", tmp_path / "copy.db", workspace=place)
    files = sorted(place.rglob("*"))
    done = flaredb("restore", tmp_path / "copy.db", workspace=place)
    assert (done.code, done.json["operation"]) == (0, None)
    assert set(done.json["would"]) == {"restore", "replace", "keep"}
    assert done.json["would"]["replace"]["cases"] == 1
    assert [file for file in sorted(place.rglob("*")) if "-wal" not in file.name and "-shm" not in file.name] == files


def test_nothing_is_restored_while_work_goes_on(place: Path, tmp_path: Path) -> None:
    """A round that somebody advances is named, with who does it."""
    with Workspace.open(place) as workspace, Workspace.open(place) as other:
        backup(workspace, tmp_path / "copy.db")
        with workspace.lock("round organ/1"), pytest.raises(ConflictError, match=r"round organ/1 .* process"):
            restore(other, tmp_path / "copy.db", yes=True)
        with workspace.lock("restore"), pytest.raises(ConflictError, match="restore"):
            restore(other, tmp_path / "copy.db", yes=True)
        restore(other, tmp_path / "copy.db", yes=True)


@pytest.mark.parametrize("damage", ["gone", "empty", "text", "cut"])
def test_a_damaged_catalogue_is_replaced(tmp_path: Path, damage: str) -> None:
    """That is what a copy is for; what is left of the damaged file is kept."""
    root = tmp_path / "w"
    with Workspace.create(root) as workspace:
        add_case(workspace, tmp_path, "case1")
        backup(workspace, tmp_path / "copy.db")
    file = root / "catalog.db"
    whole = file.read_bytes()
    file.unlink()
    if damage != "gone":
        file.write_bytes({"empty": b"", "text": b"no database " * 1000, "cut": whole[:10_000]}[damage])
    assert flaredb("status", workspace=root).code == 6
    done = flaredb("restore", tmp_path / "copy.db", "--yes", workspace=root)
    assert (done.code, done.err) == (0, "")
    assert flaredb("fsck", workspace=root).code == 0
    if damage in ("text", "cut"):
        assert list(root.glob("catalog.db.before-restore-*"))


def test_a_catalogue_moves_to_a_server(place: Path, tmp_path: Path, postgres: Server) -> None:
    """A copy restored into a workspace on an empty database: laptop to server."""
    flaredb("backup", tmp_path / "copy.db", workspace=place)
    with Workspace.open(place) as workspace:
        before = content(workspace)
    moved = tmp_path / "moved"
    flaredb("init", moved, "--catalog", postgres.database(), "--volumes", place / "volumes")
    assert flaredb("restore", tmp_path / "copy.db", "--yes", workspace=moved).code == 0
    with Workspace.open(moved) as workspace:
        assert content(workspace) == before
        assert fsck(workspace).problems == ()


def test_an_upgrade_keeps_the_old_catalogue(old: Path) -> None:
    """The copy is of the old schema and complete; a second upgrade has nothing to do and makes none."""
    assert flaredb("status", workspace=old).code == 6
    done = flaredb("upgrade", workspace=old)
    assert (done.code, done.json["was"], done.json["schema"]) == (0, "behind", "head")
    (kept,) = (old / "backups").iterdir()
    assert done.json["backup"] == f"backups/{kept.name}"
    assert kept.name.startswith("before-0001-")
    with closing(sqlite3.connect(kept)) as database:
        assert database.execute("SELECT version_num FROM alembic_version").fetchone() == ("0001",)
    again = flaredb("upgrade", workspace=old)
    assert (again.code, again.json["backup"]) == (0, None)
    assert flaredb("status", workspace=old).code == 0
    with Workspace.open(old) as workspace:  # it has no files; all that is in the catalogue fits together
        assert {problem["kind"] for problem in fsck(workspace).problems} == {
            "row-without-volume",
            "model-without-weights",
        }
    current = flaredb("label", "current", workspace=old).json
    assert any(row["label"] for row in current)


def test_two_upgrades_at_once(old: Path) -> None:
    """One does it, the other is told who does, or finds it done; both leave the catalogue at head."""
    command = [PROGRAM, "-w", old, "upgrade"]
    running = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment()) for _ in range(2)]
    said = [process.communicate()[1] for process in running]
    codes = sorted(process.returncode for process in running)
    assert codes in ([0, 0], [0, 4]), said
    assert any("upgrade is being worked on" in text for text in said) == (codes == [0, 4])
    with Workspace.open(old) as workspace:
        assert upgrade(workspace).was == "head"


def test_a_newer_catalogue_is_refused(place: Path) -> None:
    """Exit 6, and neither a copy nor a change is made."""
    with Workspace.open(place) as workspace, workspace.catalog.writer() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    done = flaredb("upgrade", workspace=place)
    assert done.code == 6
    assert "newer flaredb" in done.err
    assert not (place / "backups").exists()
