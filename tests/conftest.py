"""Workspaces that are made once and copied for each test that changes them."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from hypothesis import settings

from flaredb.workspace import Workspace
from tests.cohorts import fill, tiny, write_files
from tests.postgres import Server, server

# How long an example takes says how busy the machine is, not whether what is tested holds.
settings.register_profile("flaredb", deadline=None)
settings.load_profile("flaredb")


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """The tests share the machine, and results depend on the number of threads."""
    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def no_workspace_around(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody's own workspace is touched."""
    monkeypatch.delenv("FLAREDB_WORKSPACE", raising=False)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A PostgreSQL server of these tests alone."""
    with server() as started:
        yield started


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny cohort as files."""
    return write_files(tmp_path_factory.mktemp("cohort") / "files")


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory, files: Path) -> Path:
    """A workspace with the tiny cohort; not to be changed."""
    root = tmp_path_factory.mktemp("filled") / "workspace"
    with Workspace.create(root) as workspace:
        fill(workspace, files)
    return root


@pytest.fixture(scope="session")
def judged(tmp_path_factory: pytest.TempPathFactory, filled: Path) -> Path:
    """The same after a first organ round that waits for people at the gate; not to be changed."""
    from flaredb.workflow.rounds.advance import RoundOptions, round_start, run_to_end

    root = tmp_path_factory.mktemp("judged") / "workspace"
    shutil.copytree(filled, root)
    with Workspace.open(root) as workspace:
        round_start(workspace, "organ", RoundOptions(tiny(learning_rate=1e-6), gate="ask", device="cpu"))
        run_to_end(workspace, "organ/1")
    return root


@pytest.fixture
def workspace(tmp_path: Path, filled: Path) -> Iterator[Workspace]:
    """A copy of the workspace with the tiny cohort."""
    shutil.copytree(filled, tmp_path / "workspace")
    with Workspace.open(tmp_path / "workspace") as opened:
        yield opened


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Workspace]:
    """A workspace without cases."""
    with Workspace.create(tmp_path / "empty") as opened:
        yield opened


@pytest.fixture
def after_round(tmp_path: Path, judged: Path) -> Iterator[Workspace]:
    """A copy of the workspace whose first organ round waits at the gate."""
    shutil.copytree(judged, tmp_path / "judged")
    with Workspace.open(tmp_path / "judged") as opened:
        yield opened
