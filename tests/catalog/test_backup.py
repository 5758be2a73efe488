"""Copies of a catalogue: complete, from either database into either, all of it or nothing."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from flaredb.catalog import backup, history, snapshots
from flaredb.catalog import tables as t
from flaredb.catalog.database import Catalog
from flaredb.catalog.snapshots import NewItem, NewSnapshot
from flaredb.catalog.views import VIEWS
from flaredb.errors import ConflictError, Finding, InvalidDataError, NotFoundError, StorageError
from tests.builders import add_case, add_label, new_catalog
from tests.postgres import Server


@pytest.fixture
def catalog(fresh: Catalog) -> Catalog:
    """A catalogue with rows in many tables, and keys of rows that are gone."""
    with fresh.run("test", {"path": "scans"}) as run, run.write() as write:
        for name in ("case1", "case2"):
            add_case(write, name)
            add_label(write, case=name)
        number = snapshots.task_number(write, "organ", ("liver",), "digest")
        snapshots.add(write, NewSnapshot("a" * 64, "train", number, 1, (NewItem(1, 1, "won", ("liver",)),)))
        write.add_findings([Finding("info", "case1", "rule", "it's 100 %: 'quoted'")])
        write.connection.execute(t.patients.insert().values(key="gone"))
        write.connection.execute(t.patients.delete().where(t.patients.c.key == "gone"))
    return fresh


@pytest.fixture(params=["sqlite", "postgresql"])
def other(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Catalog]:
    """Another catalogue, with other rows, on either database."""
    (tmp_path / "other").mkdir()
    url = f"sqlite:///{tmp_path}/other/catalog.db"
    if request.param == "postgresql":
        server: Server = request.getfixturevalue("postgres")
        url = server.database()
    made = new_catalog(url)
    with made.run("test", {}) as run, run.write() as write:
        add_case(write, "another")
    yield made
    made.close()


def dump(catalog: Catalog) -> dict[str, list[Any]]:
    """Every row of every table."""
    with catalog.read() as connection:
        return {
            table.name: connection.execute(select(table).order_by(*table.primary_key.columns)).all()
            for table in t.metadata.sorted_tables
        }


def test_a_copy_holds_everything(catalog: Catalog, tmp_path: Path) -> None:
    """Opened as a catalogue of its own it has the same rows, views and schema; nothing else is left in the folder."""
    (tmp_path / "copies").mkdir()
    backup.save(catalog, tmp_path / "copies" / "it's a copy.db")
    assert [file.name for file in (tmp_path / "copies").iterdir()] == ["it's a copy.db"]
    assert backup.check(tmp_path / "copies" / "it's a copy.db").rows["cases"] == 2
    copy = Catalog(f"sqlite:///{tmp_path}/copies/it's a copy.db")
    copy.check_schema()
    assert dump(copy) == dump(catalog)
    with copy.read() as connection:
        for view in VIEWS:
            connection.exec_driver_sql(f"SELECT * FROM {view}").all()
    copy.close()


def test_a_copy_goes_into_either_database(catalog: Catalog, other: Catalog, tmp_path: Path) -> None:
    """From and to SQLite and PostgreSQL: the same rows, and work goes on with keys that were never used."""
    backup.save(catalog, tmp_path / "copy.db")
    backup.restore(other, tmp_path / "copy.db", tmp_path)
    assert dump(other) == dump(catalog)
    with other.run("test", {}) as run, run.write() as write:
        assert add_case(write, "case3") == 3
        patient = write.connection.execute(select(t.cases.c.patient_id).where(t.cases.c.name == "case3")).scalar()
    assert patient == 4  # 3 was given to a row that is gone
    assert not list(tmp_path.glob(".restore*"))


def test_a_copy_goes_into_an_empty_database(catalog: Catalog, empty_url: str, tmp_path: Path) -> None:
    """The way to a server, or back from it."""
    backup.save(catalog, tmp_path / "copy.db")
    moved = Catalog(empty_url.replace("catalog.db", "moved.db"))
    backup.restore(moved, tmp_path / "copy.db", tmp_path)
    moved.check_schema()
    assert dump(moved) == dump(catalog)
    moved.close()


def test_others_see_the_restored_catalogue(catalog: Catalog, catalog_url: str, tmp_path: Path) -> None:
    """A connection that was open before reads the old rows to the end of its transaction, then the new ones."""
    backup.save(catalog, tmp_path / "copy.db")
    with catalog.run("later", {}) as run, run.write() as write:
        add_case(write, "later")
    neighbour = Catalog(catalog_url)
    with neighbour.read() as connection:
        assert len(connection.execute(select(t.cases)).all()) == 3
    backup.restore(catalog, tmp_path / "copy.db", tmp_path)
    with neighbour.read() as connection:
        assert len(connection.execute(select(t.cases)).all()) == 2
    with neighbour.run("after", {}) as run, run.write() as write:
        add_case(write, "after")
    with catalog.read() as connection:
        assert len(connection.execute(select(t.cases)).all()) == 3
    neighbour.close()


def test_a_copy_is_taken_while_others_write(catalog: Catalog, tmp_path: Path) -> None:
    """It waits for nobody, and holds whole transactions only."""
    with catalog.run("test", {}) as run, run.write() as write:
        add_case(write, "half")
        thread = threading.Thread(target=backup.save, args=(catalog, tmp_path / "copy.db"))
        thread.start()
        thread.join(20)
        assert not thread.is_alive()
    assert backup.check(tmp_path / "copy.db").rows["cases"] == 2


@pytest.mark.parametrize("catalog_url", ["sqlite"], indirect=True)
def test_nothing_is_restored_under_a_writer(catalog: Catalog, tmp_path: Path) -> None:
    """A process in the middle of a transaction keeps its catalogue; the restore is a conflict."""
    backup.save(catalog, tmp_path / "copy.db")
    before = dump(catalog)
    with closing(sqlite3.connect(tmp_path / "catalog.db", isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        with pytest.raises(ConflictError, match="writing"):
            backup.restore(catalog, tmp_path / "copy.db", tmp_path)
        writer.execute("ROLLBACK")
    assert dump(catalog) == before


def test_a_file_is_never_overwritten(catalog: Catalog, tmp_path: Path) -> None:
    """A folder that is not there is made."""
    (tmp_path / "copy.db").write_text("mine")
    with pytest.raises(ConflictError, match="another name"):
        backup.save(catalog, tmp_path / "copy.db")
    assert (tmp_path / "copy.db").read_text(encoding="utf-8") == "mine"
    backup.save(catalog, tmp_path / "copies" / "first" / "copy.db")
    assert backup.check(tmp_path / "copies" / "first" / "copy.db").revision


@pytest.mark.parametrize("kind", ["missing", "text", "empty", "cut", "flipped", "foreign", "newer"])
def test_a_bad_copy_is_refused(tmp_path: Path, kind: str) -> None:
    """Before anything is touched: what is no file, no database, damaged, another program's, or of a newer flaredb."""
    made = new_catalog(tmp_path)
    file = tmp_path / "copy.db"
    backup.save(made, file)
    made.close()
    error: type[Exception] = InvalidDataError
    if kind == "missing":
        file, error = tmp_path / "nothing.db", NotFoundError
    elif kind == "text":
        file.write_text("not a database " * 500)
    elif kind == "empty":
        file.write_bytes(b"")
    elif kind == "cut":
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    elif kind == "flipped":
        whole = bytearray(file.read_bytes())
        whole[8192:12288] = bytes(4096)
        file.write_bytes(bytes(whole))
    else:
        with closing(sqlite3.connect(file)) as database:
            table = "alembic_version SET version_num = '9999'"
            database.execute("DROP TABLE alembic_version" if kind == "foreign" else f"UPDATE {table}")
            database.commit()
        error = InvalidDataError if kind == "foreign" else StorageError
    with pytest.raises(error):
        backup.check(file)


def test_checking_leaves_the_copy_alone(catalog: Catalog, tmp_path: Path) -> None:
    """A copy on a read-only disk can be checked and restored: nothing is written beside it, nor into it."""
    (tmp_path / "copies").mkdir()
    file = tmp_path / "copies" / "copy.db"
    backup.save(catalog, file)
    before = file.read_bytes()
    backup.check(file)
    backup.restore(catalog, file, tmp_path)
    assert [entry.name for entry in (tmp_path / "copies").iterdir()] == ["copy.db"]
    assert file.read_bytes() == before


def test_a_database_of_others_is_left_alone(postgres: Server, tmp_path: Path) -> None:
    """Nothing is restored into a database with other tables."""
    made = new_catalog(tmp_path)
    backup.save(made, tmp_path / "copy.db")
    made.close()
    url = postgres.database()
    postgres.sql("CREATE TABLE mine (a int)", url)
    target = Catalog(url)
    with pytest.raises(ConflictError, match="empty"):
        backup.restore(target, tmp_path / "copy.db", tmp_path)
    target.close()
    assert postgres.sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'", url) == [("mine",)]


def test_the_log_is_part_of_the_copy(catalog: Catalog, other: Catalog, tmp_path: Path) -> None:
    """What was done stays on record, and operation numbers go on from there."""
    backup.save(catalog, tmp_path / "copy.db")
    with catalog.read() as connection:
        last = history.last_operation(connection)
    backup.restore(other, tmp_path / "copy.db", tmp_path)
    with other.run("test", {}) as run, run.write() as write:
        assert write.operation == last + 1
