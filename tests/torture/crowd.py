"""Many writers and readers at once, each a process of its own: nobody is refused, nothing is lost or half there."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

from tests.torture.actions import prepare
from tests.torture.audit import audit, operations
from tests.torture.processes import Job, read_notes, read_on, write_on

_PATIENCE_S = 120  # for what a process does after the time is up


class Load(NamedTuple):
    """How many processes for how long; the seed decides what each does, not in what order they come."""

    seconds: float
    writers: int
    readers: int
    seed: int


class Crowded(NamedTuple):
    """What a crowd did, how long the slowest write took with all its waiting, and what is wrong."""

    writes: int
    given_up: int
    kinds: dict[str, int]
    reads: int
    median_s: float
    p99_s: float
    slowest_s: float
    problems: list[str]

    def __str__(self) -> str:
        kinds = ", ".join(f"{name} {count}" for name, count in sorted(self.kinds.items()))
        return (
            f"{self.writes} writes ({kinds}), {self.given_up} given up on purpose, {self.reads} reads, "
            f"{len(self.problems)} errors; a write took {self.median_s:.3f} s (median), "
            f"{self.p99_s:.2f} s (99th percentile), {self.slowest_s:.2f} s at most"
        )


def torture(url: str, folder: Path, load: Load) -> Crowded:
    """Let a crowd loose on a new catalogue, and audit what it leaves."""
    prepared = prepare(url)
    context = get_context("spawn")
    start = context.Barrier(load.writers + load.readers)
    running = []
    for number in range(load.writers + load.readers):
        target, kind = (write_on, "writer") if number < load.writers else (read_on, "reader")
        file = folder / f"{kind}-{number}.jsonl"
        job = Job(url, load.seconds, f"{load.seed} {kind} {number}", file, start)
        process = context.Process(target=target, args=(job,), name=file.stem)
        process.start()
        running.append(process)
    for process in running:
        process.join(load.seconds + 2 * _PATIENCE_S)
    problems = [f"{p.name} ended with {p.exitcode}" for p in running if p.exitcode != 0]
    for process in running:
        process.kill()
    writers = [read_notes(folder / f"writer-{number}.jsonl") for number in range(load.writers)]
    readers = [read_notes(folder / f"reader-{load.writers + number}.jsonl") for number in range(load.readers)]
    problems += _of_readers(readers) + audit(url, prepared, writers)
    return _told(writers, readers, problems)


def _of_readers(readers: Sequence[list[dict[str, Any]]]) -> list[str]:
    wrong = [problem for notes in readers for said in notes for problem in said.get("wrong", ())]
    return wrong + [said["error"] for notes in readers for said in notes if "error" in said]


def _told(writers: list[list[dict[str, Any]]], readers: list[list[dict[str, Any]]], problems: list[str]) -> Crowded:
    said = [line for notes in writers for line in notes]
    seconds = sorted(line["seconds"] for line in said if "seconds" in line) or [0.0]
    return Crowded(
        writes=sum(len(operations(notes)) for notes in writers),
        given_up=sum("gave_up" in line for line in said),
        kinds=dict(Counter(line["did"] for line in said if "did" in line)),
        reads=sum("read" in line for notes in readers for line in notes),
        median_s=seconds[len(seconds) // 2],
        p99_s=seconds[len(seconds) * 99 // 100],
        slowest_s=seconds[-1],
        problems=problems,
    )


def new_seed() -> int:
    """A seed to print, so that a run can be had again."""
    return random.SystemRandom().randrange(10**9)
