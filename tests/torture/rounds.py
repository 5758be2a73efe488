"""kill -9 in every state of a round: `advance` completes it, and nothing tells the result from an undisturbed one."""

from __future__ import annotations

import random
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from flaredb.workflow.commands import Commands
from flaredb.workflow.rounds.advance import RoundOptions, round_start
from flaredb.workflow.rounds.show import round_show
from flaredb.workspace import Workspace
from tests import other_program
from tests.cohorts import fill, flaredb, tiny, write_files
from tests.test_kill import COHORT, RULES, STATES, Program, result, timed

OUTSIDE = Commands.of(other_program.commands())
WAYS = {"flaredb": Commands(), "another program": OUTSIDE}
_ADVANCE = ("round", "advance", "organ/1")
_PATIENCE_S = 120  # for a program that outlived who started it
_LOCKED = 4


class Killed(NamedTuple):
    """How many advances were killed by way and state, how many came to their end first, and what is wrong."""

    kills: Counter[tuple[str, str]]
    ended: int
    problems: list[str]

    def __str__(self) -> str:
        counts = ", ".join(f"{number} {state} ({way})" for (way, state), number in sorted(self.kills.items()))
        return f"advances killed: {counts}; {self.ended} ended first; {len(self.problems)} errors"


class Start(NamedTuple):
    """Workspaces to start from by state, how long each advance takes, and what an undisturbed round ends with."""

    at: dict[str, Path]
    seconds: dict[str, float]
    wanted: dict[str, Any]


def torture(folder: Path, kills: int, seed: int, ways: tuple[str, ...] = tuple(WAYS)) -> Killed:
    """Kill `kills` advances in each of the four states, trained by flaredb and by another program."""
    rng = random.Random(f"{seed} rounds")
    died: Counter[tuple[str, str]] = Counter()
    ended, problems = 0, []
    files = write_files(folder / "files", COHORT)
    with _program() as program:
        for way in ways:
            start = _prepare(program, folder / way, files, WAYS[way])
            for state in STATES:
                tried = 0
                while died[way, state] < kills and tried < 10 * kills:
                    tried += 1
                    root = shutil.copytree(start.at[state], folder / way / "turn")
                    moment = rng.uniform(0, 1.05) * start.seconds[state]
                    code, _ = program.run(root, *_ADVANCE, kill_after=moment)
                    died[way, state] += code == -9
                    ended += code != -9
                    wrong = [] if code in (0, -9) else [f"it ended with {code}"]
                    wrong += _complete(program, root, start.wanted)
                    problems += [f"{way}, {state}, killed after {moment:.3f} s: {what}" for what in wrong]
                    shutil.rmtree(root)
    return Killed(died, ended, problems)


@contextmanager
def _program() -> Iterator[Program]:
    made = Program()
    yield made
    made.end()


def _prepare(program: Program, folder: Path, files: Path, commands: Commands) -> Start:
    """A round from start to end, undisturbed, with a copy of the workspace before each step."""
    root = folder / "end"
    at, seconds = {}, {}
    with Workspace.create(root) as workspace:
        fill(workspace, files)
        settings = tiny(steps=8, checkpoint_every=2, learning_rate=1e-4)
        round_start(workspace, "organ", RoundOptions(settings, device="cpu", rules=RULES, commands=commands))
    for state in STATES:
        at[state] = shutil.copytree(root, folder / state)
        seconds[state] = timed(program, root, *_ADVANCE)
    with Workspace.open(root) as workspace:
        return Start(at, seconds, result(workspace))


def _complete(program: Program, root: Path, wanted: dict[str, Any]) -> list[str]:
    """Advance to the end; what differs from the undisturbed round, or is damaged or left over."""
    until = time.monotonic() + _PATIENCE_S
    with Workspace.open(root) as workspace:
        while round_show(workspace, "organ/1")["state"] in STATES:
            code, _ = program.run(root, *_ADVANCE)
            if code == _LOCKED and time.monotonic() < until:
                time.sleep(0.1)  # a program that was started before is still at work
            elif code:
                return [f"advance again ended with {code}"]
        found = result(workspace)
    wrong = [
        f"{what} differ: {found[what]} and {wanted[what]}"[:2000] for what in wanted if found[what] != wanted[what]
    ]
    flaredb("gc", "--age", 0, "--yes", workspace=root)
    done = flaredb("fsck", "--voxels", "--history", workspace=root)
    return wrong + [f"fsck: {problem}" for problem in done.json["problems"]]
