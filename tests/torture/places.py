"""Where catalogues to torture are made: files of a folder, or databases of a server that the tests started."""

from __future__ import annotations

import json
import time
from itertools import count
from pathlib import Path
from typing import Protocol

from flaredb.workspace import CONFIG
from tests.builders import new_catalog
from tests.catalog.test_upgrade import GOLDEN, golden_file, golden_on_server
from tests.postgres import Server, database_of

_PATIENCE_S = 30


class Place(Protocol):
    """A kind of database."""

    name: str

    def new(self) -> tuple[str, Path]:
        """The URL of a new catalogue with structures and a policy, and a folder for notes."""

    def old(self) -> tuple[str, Path]:
        """The URL of a new catalogue of the first schema, and the folder of its workspace."""

    def settle(self, url: str) -> None:
        """Wait until whoever was killed has let go."""


class Files:
    """SQLite."""

    name = "SQLite"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.numbers = count(1)

    def new(self) -> tuple[str, Path]:
        """A file, and its folder."""
        made = _numbered(self.folder, self.numbers)
        url = f"sqlite:///{made}/catalog.db"
        new_catalog(url).close()
        return url, made

    def old(self) -> tuple[str, Path]:
        """A workspace with a file that a dump says."""
        made = _numbered(self.folder, self.numbers)
        golden_file(GOLDEN[0], made)
        _configure(made, "sqlite:///catalog.db")
        return f"sqlite:///{made}/catalog.db", made

    def settle(self, url: str) -> None:
        """Locks of a file end with their process."""


class Databases:
    """PostgreSQL."""

    name = "PostgreSQL"

    def __init__(self, server: Server, folder: Path) -> None:
        self.server = server
        self.folder = folder
        self.numbers = count(1)
        self.golden: str | None = None

    def new(self) -> tuple[str, Path]:
        """A database, and a folder."""
        return self.server.copy_of_made(), _numbered(self.folder, self.numbers)

    def old(self) -> tuple[str, Path]:
        """A database with what a dump says, copied from one that is made once."""
        made = _numbered(self.folder, self.numbers)
        if self.golden is None:
            url = self.server.database()
            golden_on_server(GOLDEN[0], url, made)
            self.settle(url)
            self.golden = database_of(url)
        url = self.server.database(self.golden)
        _configure(made, url)
        return url, made

    def settle(self, url: str) -> None:
        """The server notices after a moment that a client is gone."""
        until = time.monotonic() + _PATIENCE_S
        asked = f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{database_of(url)}'"
        while self.server.sql(asked) != [(0,)]:
            if time.monotonic() > until:
                raise TimeoutError(f"somebody is still connected to {url}")
            time.sleep(0.01)


def _numbered(folder: Path, numbers: count[int]) -> Path:
    made = folder / f"place-{next(numbers)}"
    made.mkdir()
    return made


def _configure(root: Path, catalog: str) -> None:
    settings = {"catalog": catalog, "volumes": "volumes", "salt": "0" * 16}
    lines = [f"{key} = {json.dumps(value)}" for key, value in settings.items()]
    (root / CONFIG).write_text("\n".join(["[workspace]", *lines, ""]), encoding="utf-8")
