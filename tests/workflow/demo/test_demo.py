"""The demo with a plan of few cases and steps: what it prints, and that it goes on where it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from flaredb.errors import ConflictError
from flaredb.phantom import Cohort
from flaredb.progress import Reporter
from flaredb.trainers import presets
from flaredb.workflow.demo import plan
from flaredb.workflow.demo import run as module
from flaredb.workflow.demo.run import demo
from flaredb.workflow.integrity.fsck import fsck
from flaredb.workspace import Workspace
from tests.cohorts import COHORT, flaredb, tiny

KEYS = {"round", "task", "state", "organ_mean", "tumor", "accepted", "decision"}


@pytest.fixture(scope="module", autouse=True)
def small():
    """A plan of two steps a round on the tiny cohort with the tiny network."""
    monkeypatch = pytest.MonkeyPatch()
    turns = tuple(turn._replace(steps=2) for turn in plan.TURNS)
    monkeypatch.setattr(plan, "TURNS", turns)
    monkeypatch.setattr(plan, "CONTROL", plan.CONTROL._replace(steps=2))
    monkeypatch.setattr(module, "Cohort", lambda seed: Cohort(seed, 5, 1, 1, COHORT.spacing))
    monkeypatch.setitem(presets.PRESETS, "tiny", tiny(steps=2))
    yield
    monkeypatch.undo()


@pytest.fixture(scope="module")
def whole(small, tmp_path_factory):
    """What an undisturbed demo prints."""
    return flaredb("demo", tmp_path_factory.mktemp("whole") / "demo")


class PulledPlugError(Exception):
    """Stands for somebody pulling the plug."""


class Impatient(Reporter):
    """Pulls the plug after a number of remarks."""

    def __init__(self, patience: int) -> None:
        self.patience = patience

    def say(self, message: str) -> None:
        self.patience -= 1
        if self.patience < 0:
            raise PulledPlugError(message)


def test_the_demo_prints_the_contract(whole):
    """One document with rounds, workspace and report; a round has the contract's fields, the workspace is sound."""
    assert whole.code == 0, whole.err
    assert set(whole.json) >= {"rounds", "workspace", "report"}
    assert [row["round"] for row in whole.json["rounds"]] == ["organ/1", "organ/2", "tumor/1", "all/1"]
    for row in whole.json["rounds"]:
        assert set(row) >= KEYS
        assert row["state"] in ("promoted", "rejected")
        assert isinstance(row["decision"], str)
        for means in (row["organ_mean"], row["tumor"]):
            assert means is None or {"dsc", "nsd"} <= set(means)
        assert (row["organ_mean"] is None) == (row["task"] == "tumor")
    assert Path(whole.json["report"]).is_file()
    with Workspace.open(whole.json["workspace"]) as workspace:
        assert fsck(workspace, voxels=True).problems == ()


def test_a_demo_again_does_nothing_again(whole):
    """A second run trains and predicts nothing, and prints the same."""
    query = "SELECT (SELECT count(*) FROM labels) AS l, (SELECT count(*) FROM models) AS m"
    home = Path(whole.json["workspace"])
    with Workspace.open(home) as workspace:
        counted = workspace.sql(query)
    again = flaredb("demo", home.parent)
    assert again.json == whole.json
    with Workspace.open(home) as workspace:
        assert workspace.sql(query) == counted


def test_an_interrupted_demo_goes_on(whole, tmp_path):
    """Stopped between any two states of its rounds, the demo ends with the figures of an undisturbed one."""
    for patience in (1, 5):
        with pytest.raises(PulledPlugError):
            demo(tmp_path / "demo", reporter=Impatient(patience))
    done = flaredb("demo", tmp_path / "demo").json
    assert {**done, "workspace": None, "report": None} == {**whole.json, "workspace": None, "report": None}


def test_the_demo_leaves_other_folders_alone(tmp_path):
    """A folder with something else in it is refused."""
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(ConflictError, match="not empty"):
        demo(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]
