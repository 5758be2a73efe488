"""Making a workspace: where its catalogue and volumes may be, and what is refused before anything is written."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from flaredb.errors import ConflictError, StorageError, UsageError
from flaredb.workspace import CONFIG, Workspace
from tests.cohorts import add_case, flaredb
from tests.postgres import Server


def test_a_workspace_on_postgresql(tmp_path: Path, postgres: Server) -> None:
    """It is made, opened again, and holds what was imported; no file of SQLite's is there."""
    url = postgres.database()
    with Workspace.create(tmp_path / "w", catalog=url) as made:
        add_case(made, tmp_path, "case1")
    done = flaredb("status", workspace=tmp_path / "w")
    assert (done.code, done.json["cases"], done.json["schema"]) == (0, 1, "head")
    assert url in (tmp_path / "w" / CONFIG).read_text(encoding="utf-8")
    assert not list((tmp_path / "w").glob("*.db*"))


def test_a_database_that_is_taken_is_left_alone(tmp_path: Path, postgres: Server) -> None:
    """One with a catalogue, or with anything else; the error says what to do."""
    url = postgres.database()
    with Workspace.create(tmp_path / "one", catalog=url) as made:
        add_case(made, tmp_path, "case1")
    other = postgres.database()
    postgres.sql("CREATE TABLE cases (mine int)", other)
    for taken in (url, other):
        with pytest.raises(ConflictError, match="createdb"):
            Workspace.create(tmp_path / "two", catalog=taken)
    with Workspace.open(tmp_path / "one") as opened:
        assert opened.sql("SELECT count(*) AS n FROM case_facts") == [{"n": 1}]


def test_an_interrupted_init_is_taken_up(tmp_path: Path, postgres: Server) -> None:
    """Tables without a single structure are what an interrupted `init` leaves."""
    from flaredb.catalog.database import Catalog

    url = postgres.database()
    half = Catalog(url)
    half.upgrade()
    half.close()
    Workspace.create(tmp_path / "w", catalog=url).close()
    with Workspace.open(tmp_path / "w") as opened:
        assert len(opened.structures.names) == 14


REFUSED = [
    ("postgresql://me:secret@host/db", "pgpass"),
    ("mysql://host/db", "SQLite or PostgreSQL"),
    ("nonsense", "no database URL"),
    ("sqlite:////tmp/elsewhere.db", "own folder"),
    ("sqlite:///../elsewhere.db", "own folder"),
    ("sqlite://", "own folder"),
]


@pytest.mark.parametrize(("url", "said"), REFUSED, ids=[url for url, _ in REFUSED])
def test_a_url_that_cannot_be_is_a_usage_error(tmp_path: Path, url: str, said: str) -> None:
    """Exit 2, and nothing was made; a password is never stored."""
    done = flaredb("init", tmp_path / "w", "--catalog", url)
    assert done.code == 2
    assert said in done.err
    assert "secret" not in done.out + done.err
    assert not (tmp_path / "w").exists()


def test_a_missing_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without psycopg the error says what to install."""
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(UsageError, match=r"flaredb\[postgres\]"):
        Workspace.create(tmp_path / "w", catalog="postgresql://host/db")


def test_a_server_that_is_not_there_is_a_storage_error(tmp_path: Path) -> None:
    """The error is one line that says what was tried."""
    with pytest.raises(StorageError, match="cannot be reached") as caught:
        Workspace.create(tmp_path / "w", catalog=f"postgresql://nobody@/db?host={tmp_path}")
    assert "\n" not in str(caught.value)


def test_volumes_elsewhere(tmp_path: Path) -> None:
    """Voxels may be on another disk; the workspace finds them again."""
    done = flaredb("init", tmp_path / "w", "--volumes", tmp_path / "large disk")
    assert done.code == 0
    with Workspace.open(tmp_path / "w") as opened:
        add_case(opened, tmp_path, "case1")
        assert opened.image("case1").array.shape == (4, 5, 6)
    assert list((tmp_path / "large disk" / "images").glob("*/*.zarr"))
    assert flaredb("init", tmp_path / "v", "--volumes", "s3://bucket/x").code == 2
