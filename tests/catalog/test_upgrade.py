"""Catalogues of every released schema upgrade: no row is lost, and a crash on the way leaves the old one."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import MetaData, event, select

from flaredb.catalog import backup, current, migrate, policy_sql, replay
from flaredb.catalog.database import Catalog
from flaredb.catalog.engines import make_engine, transaction
from flaredb.errors import StorageError
from tests.builders import add_case

ROOT = Path(__file__).parents[2]
NEWEST = max(path.name[:4] for path in (ROOT / "flaredb" / "catalog" / "migrations" / "versions").glob("0*.py"))
EVERY_GOLDEN = sorted((ROOT / "tests" / "golden").glob("*.sql"))
GOLDEN = [path for path in EVERY_GOLDEN if path.stem < NEWEST]
RENAMED = {"operations": "operation_log", "findings": "finding_log"}
MOVED = {("sources", "supersedes_id"), ("candidates", "human")}  # to `supersessions` and `candidates.kind`
KILLED = """
import os, signal, sys
from sqlalchemy import Engine, event
from flaredb.catalog.database import Catalog
left = int(sys.argv[2])
@event.listens_for(Engine, "before_cursor_execute")
def count(*_):
    global left
    left -= 1
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)
Catalog(sys.argv[1]).upgrade()
print(int(sys.argv[2]) - left)
"""


def golden_file(golden: Path, folder: Path) -> Path:
    """A SQLite file with what a dump says."""
    file = folder / "catalog.db"
    with closing(sqlite3.connect(file)) as database:
        database.executescript(golden.read_text(encoding="utf-8"))
    return file


def golden_on_server(golden: Path, url: str, folder: Path) -> None:
    """Fill an empty database with what a dump says, by way of a SQLite file."""
    source, target = Catalog(f"sqlite:///{golden_file(golden, folder)}"), Catalog(url)
    target.upgrade(golden.stem)
    with source.read() as reading, target.writer() as writing:
        backup._copy(reading, writing)
    source.close()
    target.close()


@pytest.fixture(params=GOLDEN, ids=lambda golden: golden.stem)
def old_url(request: pytest.FixtureRequest, empty_url: str, tmp_path: Path) -> str:
    """Where a catalogue of an older schema is, on either database."""
    if empty_url.startswith("sqlite"):
        golden_file(request.param, tmp_path)
        return empty_url
    (tmp_path / "file").mkdir()
    golden_on_server(request.param, empty_url, tmp_path / "file")
    return empty_url


@pytest.fixture
def old(old_url: str) -> Iterator[Catalog]:
    """A catalogue of an older schema."""
    opened = Catalog(old_url)
    yield opened
    opened.close()


def rows(catalog: Catalog) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table, whatever the schema."""
    found = MetaData()
    with catalog.read() as connection:
        found.reflect(connection)
        return {
            table.name: [
                dict(row) for row in connection.execute(select(table).order_by(*table.primary_key.columns)).mappings()
            ]
            for table in found.sorted_tables
            if table.name != "alembic_version"
        }


def test_no_row_is_lost(old: Catalog) -> None:
    """Every row of every table is there after the upgrade, under its key, with every value it had."""
    before = rows(old)
    assert sum(map(len, before.values())) > 100
    old.upgrade()
    old.check_schema()
    after = rows(old)
    for name, kept in before.items():
        now = after[RENAMED.get(name, name)]
        dropped = {column for table, column in MOVED if table == name}
        expected = [{key: value for key, value in row.items() if key not in dropped} for row in kept]
        assert [{key: row[key] for key in expected[0]} for row in now] == expected if expected else not now
    if "supersessions" not in before:
        wanted = [(row["id"], row["supersedes_id"]) for row in before["sources"] if row["supersedes_id"]]
        assert [(row["source_id"], row["older_id"]) for row in after["supersessions"]] == wanted


def test_the_newest_schema_has_a_golden_catalogue(tmp_path: Path) -> None:
    """It opens as it is, and its log is what its events say; the next schema's upgrade is tested on it."""
    assert EVERY_GOLDEN[-1].stem == NEWEST
    golden_file(EVERY_GOLDEN[-1], tmp_path)
    catalog = Catalog(f"sqlite:///{tmp_path}/catalog.db")
    catalog.check_schema()
    with catalog.read() as connection:
        assert replay.compare(connection) == ([], [], [])
        assert current.open_places(connection) == policy_sql.winners(connection)
    catalog.close()


def test_work_goes_on_after_an_upgrade(old: Catalog) -> None:
    """New rows get new keys, and the next operation comes after the last."""
    before = rows(old)
    old.upgrade()
    with old.run("test", {}) as run, run.write() as write:
        assert write.operation > max(row["id"] for row in before.get("operations") or before["operation_log"])
        assert add_case(write, "new") > max(row["id"] for row in before["cases"])


def test_an_old_catalogue_is_not_opened(old: Catalog) -> None:
    """The error names the way out, and nothing is upgraded on the way."""
    assert old.schema_state() == "behind"
    with pytest.raises(StorageError, match="flaredb upgrade"):
        old.check_schema()
    assert old.schema_state() == "behind"


def test_a_copy_of_an_old_catalogue_is_of_its_schema(old: Catalog, tmp_path: Path) -> None:
    """So that the version that made it can read it; restored by this version it is upgraded."""
    before = rows(old)
    backup.save(old, tmp_path / "copy.db")
    copy = Catalog(f"sqlite:///{tmp_path}/copy.db")
    assert copy.schema_state() == "behind"
    assert {name: len(kept) for name, kept in rows(copy).items()} == {name: len(kept) for name, kept in before.items()}
    copy.close()
    old.upgrade()
    backup.restore(old, tmp_path / "copy.db", tmp_path)
    old.check_schema()
    assert len(rows(old)["labels"]) == len(before["labels"])


def killed(url: str, after: int) -> subprocess.CompletedProcess[str]:
    """Run the upgrade in a process that is killed at a statement; 0 for never."""
    command = [sys.executable, "-c", KILLED, url, str(after)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 1.0])
def test_a_killed_upgrade_leaves_the_old_catalogue(old: Catalog, old_url: str, share: float) -> None:
    """kill -9 at some statement: schema and rows are as before, and the next upgrade completes."""
    before = rows(old)
    old.close()
    count = statements(old_url)
    assert killed(old_url, max(1, round(count * share))).returncode == -9
    assert old.schema_state() == "behind"
    assert rows(old) == before
    old.upgrade()
    old.check_schema()


def statements(url: str) -> int:
    """How many statements an upgrade of this catalogue takes, found by rolling one back."""
    catalog = Catalog(url)
    engine = make_engine(catalog.url, "rebuild")
    seen: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *about: seen.append(about[2]))
    with transaction(engine) as connection:
        migrate.migrate(connection)
        connection.rollback()
    engine.dispose()
    catalog.close()
    return len(seen)
