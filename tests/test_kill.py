"""kill -9 at random moments: the same command again completes, and nothing tells the result from an undisturbed one.

The moments are drawn from a fixed seed as shares of the undisturbed run and are part of each test's name.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from flaredb.phantom import Cohort
from flaredb.workflow.rounds.advance import RoundOptions, advance, round_start
from flaredb.workflow.rounds.gate import GateRules
from flaredb.workflow.rounds.show import round_show
from flaredb.workspace import Workspace
from tests.cohorts import content, environment, fill, flaredb, tiny, write_files

SEED = 20231015
COHORT = Cohort(seed=0, training=6, validation=1, test=0, spacing=(12.0, 12.0, 12.0))
FUSE = ("label", "fuse", "--sources", "flare21,organ/1", "--as", "fused/a", "--accept")
STATES = ("open", "trained", "predicted", "evaluated")
RULES = GateRules(floor=-1.0)  # whatever the network predicts is promoted, so that a promotion is interrupted too
PROGRAM = """
import json, os, sys
import torch
from flaredb.cli import main
from flaredb.workflow.ingest import images as ingest_images
from flaredb.workflow.ingest import labels as ingest_labels
from flaredb.workflow.rounds import advance as rounds
torch.set_num_threads(1)
for line in sys.stdin:
    child = os.fork()
    if child == 0:
        sys.argv = ["flaredb", *json.loads(line)]
        os.dup2(os.open(os.devnull, os.O_RDWR), 1)
        main()
    print(child, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""  # a process for each command, but what is slow to import is imported once, before anything has threads


def moments(count: int, offset: int) -> list[float]:
    """Shares of a run, spread over all of it, the same every time."""
    drawn = random.Random(SEED + offset)
    return [round((number + drawn.random()) / count, 3) for number in range(count)]


class Program:
    """The program, ready to run commands in processes that can be killed."""

    def __init__(self) -> None:
        command = [sys.executable, "-c", PROGRAM]
        env = environment(OMP_NUM_THREADS="1")
        self.parent = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env)

    def run(self, root: Path, *arguments: object, kill_after: float | None = None) -> tuple[int, float]:
        """Run a command, and kill it so many seconds after it began; its exit code and how long it took."""
        assert self.parent.stdin is not None
        assert self.parent.stdout is not None
        self.parent.stdin.write(json.dumps(["-w", str(root), "--json", *map(str, arguments)]) + "\n")
        self.parent.stdin.flush()
        child = int(self.parent.stdout.readline())
        assert child > 1
        begun = time.monotonic()
        if kill_after is not None and not select.select([self.parent.stdout], [], [], kill_after)[0]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        return int(self.parent.stdout.readline()), time.monotonic() - begun

    def end(self) -> None:
        """Stop waiting for commands."""
        self.parent.communicate()


def timed(program: Program, root: Path, *arguments: object) -> float:
    """How long an undisturbed run takes."""
    code, seconds = program.run(root, *arguments)
    assert code == 0
    return seconds


@dataclass(frozen=True)
class Prepared:
    """Workspaces to start from, by name; how long each command takes; what an undisturbed run ends with."""

    program: Program
    files: Path
    start: dict[str, Path]
    seconds: dict[str, float]
    wanted: dict[str, dict[str, Any]]


def ingest(files: Path, what: str) -> tuple[object, ...]:
    """The command that imports the training scans, or the external labels."""
    if what == "images":
        return ("ingest", "images", files / "imagesTr2200")
    common = ("--source", "flare21", "--kind", "external", "--annotated", "all", "--mapping", "flare21")
    return ("ingest", "labels", files / "flare21-pseudo-labels", *common)


def to_the_end(workspace: Workspace) -> None:
    """Advance the round until it is closed."""
    while round_show(workspace, "organ/1")["state"] in STATES:
        advance(workspace, "organ/1")


def result(workspace: Workspace) -> dict[str, Any]:
    """All that must not depend on interruptions."""
    return content(workspace) | {
        "models": workspace.sql("SELECT state, steps, checkpoint FROM models"),
        "rounds": workspace.sql("SELECT round, state, snapshot FROM round_summary"),
        "events": workspace.sql("SELECT state FROM round_events ORDER BY id"),
        "scores": workspace.sql("SELECT structure, metric, value FROM scores ORDER BY 1, 2, 3"),
        "snapshots": workspace.sql("SELECT name FROM snapshots ORDER BY name"),
    }


@pytest.fixture(scope="module")
def program() -> Iterator[Program]:
    made = Program()
    yield made
    made.end()


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory, program: Program) -> Prepared:
    root = tmp_path_factory.mktemp("kill")
    files = write_files(root / "files", COHORT)
    start = {name: root / name for name in ("images", "labels", *STATES, "fuse")}
    end = root / "end"
    wanted = {}
    seconds = {}
    Workspace.create(start["images"]).close()
    shutil.copytree(start["images"], end)
    for what, following in (("images", "labels"), ("labels", None)):
        seconds[what] = timed(program, end, *ingest(files, what))
        with Workspace.open(end) as workspace:
            if following:
                fill_all_but_external(workspace, files)
            wanted[what] = result(workspace)
        if following:
            shutil.copytree(end, start[following])
    with Workspace.open(end) as workspace:
        fill(workspace, files)
        settings = tiny(steps=8, checkpoint_every=2, learning_rate=1e-4)
        round_start(workspace, "organ", RoundOptions(settings, device="cpu", rules=RULES))
    for state in STATES:
        shutil.copytree(end, start[state])
        seconds[state] = timed(program, end, "round", "advance", "organ/1")
    with Workspace.open(end) as workspace:
        assert round_show(workspace, "organ/1")["state"] == "promoted"
        wanted["round"] = result(workspace)
    shutil.copytree(end, start["fuse"])
    seconds["fuse"] = timed(program, end, *FUSE)
    with Workspace.open(end) as workspace:
        wanted["fuse"] = result(workspace)
    return Prepared(program, files, start, seconds, wanted)


def fill_all_but_external(workspace: Workspace, files: Path) -> None:
    """The scans that the external labels belong to."""
    for name, split in (("imagesTr2200", "train"), ("unlabeledTr1800", "train"), ("validation", "validation")):
        assert flaredb("ingest", "images", files / name, "--split", split, workspace=workspace.root).code == 0


def check(root: Path, wanted: dict[str, Any]) -> None:
    """Every volume is sound and pointed at, at most staged files remain, and the catalogue says what it should."""
    done = flaredb("fsck", "--voxels", workspace=root)
    assert done.code == 0
    assert {problem["kind"] for problem in done.json["problems"]} <= {"stale-staging"}
    with Workspace.open(root) as workspace:
        assert result(workspace) == wanted
    assert flaredb("gc", "--age", 0, "--yes", workspace=root).code == 0
    assert flaredb("fsck", workspace=root).json["problems"] == []


IMPORTS = [("images" if number % 2 else "labels", moment) for number, moment in enumerate(moments(10, 0))]


@pytest.mark.parametrize(("what", "moment"), IMPORTS)
def test_killed_while_importing(prepared, tmp_path, what, moment):
    """An import killed at this share of its time and run again ends as if nothing had happened."""
    root = shutil.copytree(prepared.start[what], tmp_path / "w")
    command = ingest(prepared.files, what)
    code, _ = prepared.program.run(root, *command, kill_after=moment * prepared.seconds[what])
    assert code in (0, -signal.SIGKILL)
    interim = flaredb("fsck", "--voxels", workspace=root).json["problems"]
    assert {problem["kind"] for problem in interim} <= {"stale-staging", "orphan-volume"}
    again = flaredb(*command, workspace=root)
    assert (again.code, again.json["failed"]) == (0, 0), again.err
    if what == "images":
        with Workspace.open(root) as workspace:
            fill_all_but_external(workspace, prepared.files)
    check(root, prepared.wanted[what])


ADVANCES = [(STATES[number % 4 if number < 8 else number - 8], moment) for number, moment in enumerate(moments(10, 1))]


@pytest.mark.parametrize(("state", "moment"), random.Random(SEED).sample(ADVANCES, len(ADVANCES)))
def test_killed_while_advancing(prepared, tmp_path, state, moment):
    """`round advance` killed at this share of its time goes on, and the round ends as if nothing had happened."""
    root = shutil.copytree(prepared.start[state], tmp_path / "w")
    command = ("round", "advance", "organ/1")
    code, _ = prepared.program.run(root, *command, kill_after=moment * prepared.seconds[state])
    assert code in (0, -signal.SIGKILL)
    with Workspace.open(root) as workspace:
        reached = round_show(workspace, "organ/1")["state"]
        assert reached in (state, [*STATES, "promoted"][STATES.index(state) + 1])
        to_the_end(workspace)
    check(root, prepared.wanted["round"])


@pytest.mark.parametrize("moment", moments(4, 2))
def test_killed_while_fusing(prepared, tmp_path, moment):
    """`label fuse` killed at this share of its time and run again fuses what is left, each case once."""
    root = shutil.copytree(prepared.start["fuse"], tmp_path / "w")
    code, _ = prepared.program.run(root, *FUSE, kill_after=moment * prepared.seconds["fuse"])
    assert code in (0, -signal.SIGKILL)
    again = flaredb(*FUSE, workspace=root)
    assert (again.code, again.json["failed"]) == (0, 0), again.err
    check(root, prepared.wanted["fuse"])
