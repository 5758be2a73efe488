"""The same workspace on a server: what is imported, decided and trained there is what it would be on SQLite."""

from __future__ import annotations

from pathlib import Path

import pytest

from flaredb.workflow.integrity import fsck
from flaredb.workflow.rounds import RoundOptions, round_show, round_start, run_to_end
from flaredb.workspace import Workspace
from tests.cohorts import content, fill, flaredb, tiny
from tests.postgres import Server

COMMANDS = [
    ("status",),
    ("log",),
    ("finding", "list"),
    ("case", "list", "--where", "slices > 3 AND split = 'train'"),
    ("source", "list"),
    ("label", "list", "FLARE23Ts_0001"),
    ("label", "current"),
    ("label", "explain", "FLARE23Ts_0001"),
    ("snapshot", "list"),
    ("model", "list"),
    ("round", "list"),
    ("evaluate", "--source", "organ/1"),
    ("fsck",),
]


@pytest.fixture(scope="module")
def on_server(tmp_path_factory: pytest.TempPathFactory, postgres: Server, files: Path) -> Path:
    """A workspace on a server with the tiny cohort; not to be changed."""
    root = tmp_path_factory.mktemp("server") / "workspace"
    with Workspace.create(root, catalog=postgres.database()) as workspace:
        fill(workspace, files)
    return root


def test_the_same_is_imported(on_server: Path, filled: Path) -> None:
    """Cases, labels, what they annotate and which is current."""
    current = []
    for root in (on_server, filled):
        with Workspace.open(root) as workspace:
            current.append((content(workspace), flaredb("label", "current", workspace=root).json))
            assert fsck(workspace).problems == ()
    assert current[0] == current[1]


def test_a_round_runs_on_a_server(on_server: Path) -> None:
    """To the gate, and every listing answers afterwards."""
    with Workspace.open(on_server) as workspace:
        round_start(workspace, "organ", RoundOptions(tiny(learning_rate=1e-6), gate="ask", device="cpu"))
        run_to_end(workspace, "organ/1")
        assert round_show(workspace, "organ/1")["state"] == "evaluated"
    for command in COMMANDS:
        done = flaredb(*command, workspace=on_server)
        assert (done.code, done.err) == (0, ""), command
        assert done.json is not None
