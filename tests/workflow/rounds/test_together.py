"""Two processes at one round: one acts, the other exits 4 and names it; whoever is killed has let go."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from flaredb.workflow.ingest.labels import LabelOptions
from flaredb.workflow.rounds.advance import RoundOptions, round_start
from flaredb.workflow.rounds.show import round_show
from flaredb.workspace import Workspace
from tests.cohorts import PROGRAM, add_case, add_label, blocks, flaredb, tiny
from tests.test_kill import RULES
from tests.workflow.rounds.test_outside import waited_for


@pytest.fixture(params=["sqlite", "postgresql"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A workspace with an open round that would train for hours."""
    place = tmp_path / "w"
    url = {"catalog": request.getfixturevalue("postgres").database()} if request.param == "postgresql" else {}
    truth = LabelOptions("flare23", "ground-truth")
    with Workspace.create(place, **url) as workspace:
        for number in range(4):
            split = "validation" if number == 3 else "train"
            add_case(workspace, tmp_path, f"c{number}", number, split)
            add_label(workspace, tmp_path / "l", f"c{number}", blocks(1), "liver", truth)
        settings = tiny(steps=1_000_000, checkpoint_every=2)
        round_start(workspace, "organ", RoundOptions(settings, device="cpu", rules=RULES))
    return place


def holder(root: Path) -> str:
    """Who is said to hold the model of the round, which is held as long as it is trained."""
    with Workspace.open(root) as workspace:
        rows = workspace.sql("SELECT holder FROM leases WHERE name LIKE 'model %'")
    return rows[0]["holder"] if rows else ""


def test_one_advances_and_the_other_is_told(root: Path) -> None:
    """The second exits 4 naming the first and changes nothing; once the first is killed, another takes over."""
    first = subprocess.Popen([PROGRAM, "-w", root, "-q", "round", "advance", "organ/1"])
    waited_for(lambda: holder(root))
    second = flaredb("round", "advance", "organ/1", workspace=root)
    assert second.code == 4
    assert f"round organ/1 is being worked on by process {first.pid} on" in second.err
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    third = subprocess.Popen([PROGRAM, "-w", root, "-q", "round", "advance", "organ/1"])
    waited_for(lambda: f"process {third.pid} on" in holder(root))
    third.kill()
    third.wait()
    with Workspace.open(root) as workspace:
        assert round_show(workspace, "organ/1")["state"] == "open"
        assert len(workspace.sql("SELECT * FROM models")) == 1
