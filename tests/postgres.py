"""A real PostgreSQL server for the tests: in a temporary folder, on a unix socket there, gone when the tests end."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import NullPool, create_engine, text
from sqlalchemy.exc import OperationalError

from flaredb.catalog.engines import located

OWNER = "flaredb"
SUPERUSER = "postgres"
_START_S = 30
# Nothing here has to survive a power cut; no port is opened to the network, so none can be taken.
_SETTINGS = ["fsync=off", "full_page_writes=off", "synchronous_commit=off", "listen_addresses=", "max_connections=50"]


def folder_of_programs() -> Path | None:
    """Where initdb and postgres are; None if PostgreSQL is not installed."""
    found = shutil.which("initdb")
    places = [Path(found).resolve().parent] if found else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((place for place in places if (place / "postgres").exists()), None)


def database_of(url: str) -> str:
    """The database that a URL names."""
    return located(url).database or ""


class Server:
    """A running server; every database made here belongs to an ordinary role."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.numbers = count(1)
        self.made: str | None = None

    def url(self, database: str, role: str = OWNER) -> str:
        """How to reach a database."""
        return f"postgresql://{role}@/{database}?host={self.folder}"

    def sql(self, statement: str, url: str | None = None) -> list[tuple[object, ...]]:
        """Run a statement outside any transaction: as the superuser, unless a URL says otherwise."""
        engine = create_engine(located(url or self.url(SUPERUSER, SUPERUSER)), poolclass=NullPool)
        engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            result = connection.execute(text(statement.replace(":", "\\:")))
            return [tuple(row) for row in result] if result.returns_rows else []

    def database(self, template: str = "template1") -> str:
        """A new database, empty or a copy of another; its URL."""
        name = f"test_{next(self.numbers)}"
        self.sql(f"CREATE DATABASE {name} OWNER {OWNER} TEMPLATE {template}")
        return self.url(name)

    def copy_of_made(self) -> str:
        """A new database with a catalogue as `new_catalog` makes it, which is made once; its URL."""
        from tests.builders import new_catalog

        if self.made is None:
            url = self.database()
            new_catalog(url).close()
            self.made = database_of(url)
        return self.database(self.made)


@contextmanager
def server() -> Iterator[Server]:
    """A server for as long as the block runs; skips the test where PostgreSQL is not installed."""
    programs = folder_of_programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed (apt-get install postgresql)")
    folder = Path(tempfile.mkdtemp(prefix="flaredb-postgres-"))
    prefix, environment = _as_somebody(folder)
    data = folder / "data"
    setup = ["-D", str(data), "-U", SUPERUSER, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
    subprocess.run([*prefix, programs / "initdb", *setup], check=True, capture_output=True, env=environment)
    settings = [part for setting in [*_SETTINGS, f"unix_socket_directories={folder}"] for part in ("-c", setting)]
    with (folder / "log").open("w") as log:
        command = [*prefix, programs / "postgres", "-D", data, *settings]
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
    try:
        made = Server(folder)
        _wait(made, process)
        made.sql(f"CREATE ROLE {OWNER} LOGIN")
        yield made
    finally:
        _stop(process)
        shutil.rmtree(folder)


def _as_somebody(folder: Path) -> tuple[list[str], dict[str, str]]:
    """How to run the server: never as root, and never longer than the tests."""
    prefix = ["setpriv", "--pdeathsig", "INT"]
    if os.geteuid() == 0:
        names = {user.pw_name: user for user in pwd.getpwall()}
        user = names.get("postgres") or names["nobody"]
        os.chown(folder, user.pw_uid, user.pw_gid)
        prefix += [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    return prefix, {"PATH": os.environ["PATH"], "HOME": str(folder), "LC_ALL": "C.UTF-8"}


def _wait(made: Server, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + _START_S
    while True:
        try:
            made.sql("SELECT 1")
        except OperationalError:
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError((made.folder / "log").read_text(encoding="utf-8")) from None
            time.sleep(0.05)
        else:
            return


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Stop a server that may still have connections."""
    process.send_signal(signal.SIGINT)  # a fast shutdown, because a smart one waits for clients
    try:
        process.wait(_START_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
