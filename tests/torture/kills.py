"""kill -9 while writing: reopened, the catalogue is intact and holds all that was written down as committed."""

from __future__ import annotations

import random
import time
from multiprocessing import get_context
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import NamedTuple

from tests.torture.actions import prepare
from tests.torture.audit import audit, operations
from tests.torture.places import Place
from tests.torture.processes import Job, read_notes, write_on

_PATIENCE_S = 60
_LONGEST_S = 0.4  # dozens of transactions
_A_CATALOGUE = 10  # kills; then another one, so that the audits stay short


class Killed(NamedTuple):
    """How many writers were killed, how many of them in the middle of an action, and what is wrong."""

    kills: int
    amid: int
    writes: int
    problems: list[str]

    def __str__(self) -> str:
        return (
            f"{self.kills} writers killed, {self.amid} of them in the middle of an action, after {self.writes} writes; "
            f"{len(self.problems)} errors"
        )


def torture(place: Place, kills: int, seed: int) -> Killed:
    """Kill writers at random moments, two at a time one after the other, and audit the catalogue after each pair."""
    rng = random.Random(f"{seed} kills")
    problems, amid, writes, done = [], 0, 0, 0
    while done < kills:
        url, folder = place.new()
        prepared = prepare(url)
        files: list[Path] = []
        while done < kills and len(files) < _A_CATALOGUE:
            pair = [_start(url, folder / f"writer-{done + n}.jsonl", f"{seed} writer {done + n}") for n in range(2)]
            for process, file in pair:
                problems += _kill(process, file, rng.uniform(0, _LONGEST_S))
                files.append(file)
            done += len(pair)
            place.settle(url)
            notes = [read_notes(file) for file in files]
            problems += [f"after {done} kills: {what}" for what in audit(url, prepared, notes, len(files))]
        amid += sum("begins" in told[-1] for told in notes)
        writes += sum(len(operations(told)) for told in notes)
    return Killed(done, amid, writes, problems)


def forked() -> ForkServerContext:
    """Where processes to kill come from: a server that has imported everything, so that each starts at once."""
    context = get_context("forkserver")
    context.set_forkserver_preload(["tests.torture.upgrades", "tests.torture.store", "tests.torture.early"])
    return context


def _start(url: str, file: Path, seed: str) -> tuple[ForkServerProcess, Path]:
    process = forked().Process(target=write_on, args=(Job(url, _PATIENCE_S, seed, file),))
    process.start()
    return process, file


def _kill(process: ForkServerProcess, file: Path, seconds: float) -> list[str]:
    """Kill a process so long after it began to write."""
    wait_for(process, file)
    time.sleep(seconds)
    process.kill()
    process.join()
    return [] if process.exitcode == -9 else [f"a writer ended by itself: {process.exitcode}"]


def wait_for(process: ForkServerProcess, file: Path) -> None:
    """Wait for the first note of a process."""
    until = time.monotonic() + _PATIENCE_S
    while not (file.exists() and file.stat().st_size):
        if time.monotonic() > until or process.exitcode is not None:
            raise TimeoutError(f"{file.name} is still empty; the process ended with {process.exitcode}")
        time.sleep(0.001)
