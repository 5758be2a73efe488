"""The same workspace on a server: what is imported, decided and trained there is what it would be on SQLite."""

from __future__ import annotations

from pathlib import Path

import pytest

from flaredb.workflow.ingest.labels import LabelOptions
from flaredb.workflow.integrity.fsck import fsck
from flaredb.workflow.integrity.purge import case_purge
from flaredb.workflow.label.sources import decide_label
from flaredb.workflow.rounds.advance import RoundOptions, round_start, run_to_end
from flaredb.workflow.rounds.show import round_show
from flaredb.workflow.snapshot.create import snapshot_create
from flaredb.workspace import Workspace
from tests.cohorts import add_case, add_label, blocks, content, fill, flaredb, tiny
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
    ("source", "show", "flare21"),
    ("source", "withdraw", "flare21", "--why", "x"),
    ("label", "current", "--round", "organ/1"),
    ("label", "explain", "FLARE23Ts_0001", "--as-of", "2999-01-01"),
    ("label", "lineage", "flare23", "--down"),
    ("label", "agreement", "--source", "organ/1"),
    ("log", "--since", "2023-05-07", "--case", "FLARE23_0001"),
    ("policy", "show"),
    ("case", "purge", "FLARE23_0001", "--why", "x"),
    ("du",),
    ("fsck", "--history"),
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


def test_a_case_is_purged_on_a_server(tmp_path: Path, postgres: Server) -> None:
    """Rows, voxels and mentions go; the others stay, and the history can be told again."""
    with Workspace.create(tmp_path / "w", catalog=postgres.database()) as workspace:
        for seed, name in enumerate(("victim", "other")):
            add_case(workspace, tmp_path, name, seed)
            add_label(workspace, tmp_path / "l", name, blocks(1), "liver", LabelOptions("truth", "ground-truth"))
        decide_label(workspace, "other@truth@1", "revoked", "like victim")
        snapshot_create(workspace, "organ")
        done = case_purge(workspace, "victim", "consent", yes=True)
        assert done.added == 1
        assert [row["name"] for row in workspace.sql("SELECT name FROM cases")] == ["other"]
        assert "victim" not in str(flaredb("log", workspace=workspace.root).json)
        (row,) = workspace.sql("SELECT why FROM acceptances WHERE event = 'revoked'")
        assert row["why"] == f"like {done.ids[0]}"
        assert len(list(workspace.volumes.digests())) == 2
        assert fsck(workspace, voxels=True, history=True).problems == ()
