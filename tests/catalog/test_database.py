"""Transactions: readers cannot write, writers queue, all of it or nothing."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy import literal_column, select
from sqlalchemy.exc import DatabaseError, IntegrityError

from flaredb.catalog import engines, history, policies, standing
from flaredb.catalog import tables as t
from flaredb.catalog.database import Catalog
from flaredb.errors import ConflictError, Finding
from flaredb.labels.policy import Policy
from tests.builders import add_case, add_label

ROOT = Path(__file__).parents[2]
WRITER = """
import sys
from flaredb.catalog.database import Catalog
from flaredb.errors import ConflictError, Finding
catalog = Catalog(sys.argv[1])
with catalog.run("count", {}) as run:
    for _ in range(15):
        with run.write() as write:
            write.add_findings([Finding("info", None, sys.argv[2], "counted")])
"""


@pytest.fixture
def catalog(fresh: Catalog) -> Catalog:
    """A catalogue with structures and a policy."""
    return fresh


def operations(catalog: Catalog) -> list[int]:
    """Numbers of all operations in the order they were written."""
    written = literal_column("rowid" if catalog.on_sqlite else "xmin::text::bigint")
    with catalog.read() as connection:
        return list(connection.execute(select(t.operations.c.id).order_by(written)).scalars())


def test_the_read_connection_cannot_write(catalog: Catalog) -> None:
    """Not even our own code writes through it."""
    with catalog.read() as connection, pytest.raises(DatabaseError):
        connection.execute(t.patients.insert().values(key="x"))


def test_a_reader_keeps_its_view(catalog: Catalog) -> None:
    """What is written meanwhile is seen by the next transaction only."""
    with catalog.run("test", {}) as run, catalog.read() as reading:
        assert history.last_operation(reading) == 1
        with run.write():
            pass
        assert history.last_operation(reading) == 1
    with catalog.read() as reading:
        assert history.last_operation(reading) == 2


def test_threads_queue(catalog: Catalog) -> None:
    """Operations of four threads get strictly increasing numbers, none lost."""
    drawn: list[int] = []

    def count() -> None:
        with catalog.run("count", {}) as run:
            for _ in range(10):
                with run.write() as write:
                    drawn.append(write.operation)  # inside the lock, so the list is in order of events

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert drawn == list(range(2, 42))
    assert operations(catalog) == list(range(1, 42))


def test_processes_queue(catalog: Catalog, catalog_url: str) -> None:
    """So do those of two processes, and every write of both is there."""
    running = [subprocess.Popen([sys.executable, "-c", WRITER, catalog_url, name], cwd=ROOT) for name in ("one", "two")]
    assert [process.wait(60) for process in running] == [0, 0]
    assert operations(catalog) == list(range(1, 32))
    with catalog.read() as connection:
        found = [(f["rule"], f["operation"]) for f in history.findings(connection)]
    assert sorted(rule for rule, _ in found) == ["one"] * 15 + ["two"] * 15
    assert [operation for _, operation in found] == list(range(2, 32))


def test_who_waits_too_long_is_told(catalog: Catalog, catalog_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second writer waits for the first, for a while; then it is a conflict, and nothing was written."""
    monkeypatch.setattr(engines, "BUSY_TIMEOUT_S", 0.3)
    impatient = Catalog(catalog_url)
    with catalog.writer(), pytest.raises(ConflictError, match="another process is writing"):
        impatient.writer().__enter__()
    with impatient.run("test", {}) as run, run.write():
        pass
    impatient.close()


def two_writes_of_which_the_second_fails(catalog: Catalog) -> None:
    with catalog.run("import", {"path": "x"}) as run:
        with run.write() as write:
            add_case(write, "kept")
        with run.write() as write:
            add_case(write, "lost")
            add_label(write, case="lost")
            write.add_findings([Finding("info", "lost", "rule", "message")])
            raise RuntimeError("power")


def test_a_failed_transaction_leaves_nothing(catalog: Catalog) -> None:
    """Neither its rows nor its operation; the run says how it ended."""
    with pytest.raises(RuntimeError, match="power"):
        two_writes_of_which_the_second_fails(catalog)
    with catalog.read() as connection:
        assert connection.execute(select(t.cases.c.name)).scalars().all() == ["kept"]
        assert connection.execute(select(t.labels)).all() == []
        assert history.findings(connection) == []
        assert history.runs(connection)[0]["outcome"] == "RuntimeError: power"
    assert operations(catalog) == [1, 2]


def test_a_row_that_others_point_at_stays(catalog: Catalog) -> None:
    """References restrict: nothing is deleted from under a label."""
    with catalog.run("test", {}) as run, run.write() as write:
        add_case(write)
        add_label(write)
    with pytest.raises(IntegrityError), catalog.writer() as connection:
        connection.execute(t.cases.delete())


def test_a_run_is_recorded(catalog: Catalog) -> None:
    """Command, arguments, actor, outcome and its operations, newest first."""
    with catalog.run("ingest images", {"path": "scans"}, actor="ann") as run, run.write():
        pass
    with catalog.read() as connection:
        last, first = history.runs(connection)
    assert (last["command"], last["actor"], last["outcome"]) == ("ingest images", "ann", "done")
    assert (last["first_operation"], last["last_operation"]) == (2, 2)
    assert last["arguments"] == {"path": "scans"}
    assert first["command"] == "init"


def test_findings_are_recorded(catalog: Catalog) -> None:
    """With severity, case, rule, message, path and the operation that made them."""
    found = [
        Finding("warning", "case1", "annotated-absent", "no gallbladder", "a.nii"),
        Finding("info", None, "b", "c"),
    ]
    with catalog.run("test", {}) as run, run.write() as write:
        write.add_findings(found)
        write.add_findings([])
    with catalog.read() as connection:
        rows = history.findings(connection)
    assert [Finding(r["severity"], r["case"], r["rule"], r["message"], r["path"]) for r in rows] == found
    assert [row["operation"] for row in rows] == [2, 2]


def test_the_policy_applied_last_is_in_force(catalog: Catalog) -> None:
    """Earlier ones stay on record."""
    newer = Policy(("a",), {"*": 0.5}, require_score=True)
    with catalog.run("policy apply", {}) as run, run.write() as write:
        policies.apply(write, newer, "why not")
    with catalog.read() as connection:
        assert standing.policy_in_force(connection)[1] == newer
        assert len(connection.execute(select(t.policies)).all()) == 2
