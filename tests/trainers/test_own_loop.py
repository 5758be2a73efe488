"""The manual's example of the feed in a loop of one's own works as it stands, from a workspace and from a file."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from flaredb.workflow.snapshot.create import snapshot_create
from flaredb.workflow.snapshot.file import snapshot_export
from flaredb.workspace import Workspace

PAGE = Path(__file__).parents[2] / "docs" / "training.md"


def block(name: str) -> str:
    """A marked piece of the page."""
    found = re.search(rf"<!-- {name} -->\n```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found, name
    return found[1]


@pytest.fixture
def place(tmp_path: Path, filled: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a workspace and a snapshot of it as a file, where the example is run."""
    shutil.copytree(filled, tmp_path / "workspace")
    with Workspace.open(tmp_path / "workspace") as opened:
        (name,) = snapshot_create(opened, "all").ids
        snapshot_export(opened, name, tmp_path / "snapshot.json")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*blocks: str) -> dict[str, Any]:
    """Run pieces one after the other, from the same weights; what they leave."""
    torch.manual_seed(0)
    left: dict[str, Any] = {}
    exec(compile("\n".join(blocks), str(PAGE), "exec"), left)
    return left


def test_the_example_runs_from_a_workspace_and_from_a_file(place: Path) -> None:
    """It trains, the file needs no catalogue, and both see the same samples: the losses are equal."""
    first = run(block("own loop: workspace"), block("own loop"))
    assert len(first["losses"]) == 5
    assert all(0 < loss < 20 for loss in first["losses"])
    (place / "workspace" / "catalog.db").unlink()
    second = run(block("own loop: file"), block("own loop"))
    assert second["losses"] == first["losses"]
    assert (place / "network.pt").exists()


def test_the_example_is_short() -> None:
    """Forty lines at most, whichever way the data come."""
    loop = block("own loop").splitlines()
    for way in ("workspace", "file"):
        assert len([*block(f"own loop: {way}").splitlines(), *loop]) <= 40
