"""Catalogues on both databases: a test that takes one of these runs on SQLite and on PostgreSQL."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from flaredb.catalog.database import Catalog
from tests.builders import new_catalog
from tests.postgres import Server

DATABASES = ["sqlite", "postgresql"]


@pytest.fixture(scope="session")
def sqlite_made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite catalogue as `new_catalog` makes it; not to be changed."""
    folder = tmp_path_factory.mktemp("made")
    new_catalog(f"sqlite:///{folder}/catalog.db").close()
    return folder / "catalog.db"


@pytest.fixture(params=DATABASES)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a catalogue can be made."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/catalog.db"
    server: Server = request.getfixturevalue("postgres")
    return server.database()


@pytest.fixture(params=DATABASES)
def catalog_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a catalogue with structures and a policy is."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_made"), tmp_path / "catalog.db")
        return f"sqlite:///{tmp_path}/catalog.db"
    server: Server = request.getfixturevalue("postgres")
    return server.copy_of_made()


@pytest.fixture
def fresh(catalog_url: str) -> Iterator[Catalog]:
    """A catalogue with structures and a policy."""
    opened = Catalog(catalog_url)
    yield opened
    opened.close()
