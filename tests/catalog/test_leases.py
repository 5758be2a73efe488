"""Leases: one holder at a time, named to the others, gone when its process is."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import select

from flaredb.catalog import leases
from flaredb.catalog import tables as t
from flaredb.catalog.database import Catalog
from flaredb.errors import ConflictError

ROOT = Path(__file__).parents[2]
HOLDER = """
import sys, time
from pathlib import Path
from flaredb.catalog import leases
from flaredb.catalog.database import Catalog
with leases.hold(Catalog(sys.argv[1]), "round organ/1", Path(sys.argv[2])):
    print("held", flush=True)
    time.sleep(600)
"""


@contextmanager
def holder(url: str, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that holds the lease until it is killed."""
    command = [sys.executable, "-c", HOLDER, url, str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def rows(catalog: Catalog) -> list[str]:
    with catalog.read() as connection:
        return list(connection.execute(select(t.leases.c.holder)).scalars())


def test_one_holder_at_a_time(fresh: Catalog, tmp_path: Path) -> None:
    """The second is refused and told who has it; another name is free; a name is free again after use."""
    with leases.hold(fresh, "round organ/1", tmp_path):
        assert [row["name"] for row in leases.held(fresh, tmp_path)] == ["round organ/1"]
        with pytest.raises(ConflictError, match=r"round organ/1 .* process \d+ on .* since"):
            leases.hold(fresh, "round organ/1", tmp_path).__enter__()
        with leases.hold(fresh, "round tumor/1", tmp_path):
            pass
    assert leases.held(fresh, tmp_path) == []
    assert rows(fresh) == []
    with leases.hold(fresh, "round organ/1", tmp_path):
        pass


def test_a_failure_lets_go(fresh: Catalog, tmp_path: Path) -> None:
    """Also when the work ends with an error."""
    with pytest.raises(RuntimeError), leases.hold(fresh, "gate", tmp_path):
        raise RuntimeError
    with leases.hold(fresh, "gate", tmp_path):
        pass


def test_a_killed_process_has_let_go(fresh: Catalog, catalog_url: str, tmp_path: Path) -> None:
    """Its row may stay, but it is not held; the next holder's row takes its place."""
    with holder(catalog_url, tmp_path) as process:
        with pytest.raises(ConflictError, match=f"process {process.pid}"):
            leases.hold(fresh, "round organ/1", tmp_path).__enter__()
        process.send_signal(signal.SIGKILL)
        process.wait(10)
    for _ in range(100):  # the server notices a closed connection in its own time
        if not leases.held(fresh, tmp_path):
            break
    assert len(rows(fresh)) == 1
    with leases.hold(fresh, "round organ/1", tmp_path):
        assert len(rows(fresh)) == 1
    assert rows(fresh) == []


def test_names_that_look_alike_are_apart(fresh: Catalog, tmp_path: Path) -> None:
    """A source may have a stroke in its name where another has a dash."""
    with leases.hold(fresh, "source a/b", tmp_path), leases.hold(fresh, "source a-b", tmp_path):
        assert len(leases.held(fresh, tmp_path)) == 2


def test_to_look_hinders_nobody(fresh: Catalog, catalog_url: str, tmp_path: Path) -> None:
    """Looking takes a killed holder's lock for a moment; who wants it then, gets it."""
    with holder(catalog_url, tmp_path):
        pass
    looking = threading.Event()

    def look() -> None:
        while not looking.is_set():
            leases.held(fresh, tmp_path)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        for _ in range(60):
            with leases.hold(fresh, "round organ/1", tmp_path, record=False):
                pass
    finally:
        looking.set()
        thread.join()
