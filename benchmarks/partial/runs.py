"""Runs in processes of their own, each a line of a results file once it is done; what is there is not run again."""

from __future__ import annotations

import json
import multiprocessing
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np

from partial.figures import measures

T = TypeVar("T", bound="Job")
Row = dict[str, Any]


class Job(Protocol):
    """What is to be run."""

    def same(self, run: Mapping[str, Any]) -> bool:
        """Whether this is the job of a finished run."""


def pool(parallel: int) -> ProcessPoolExecutor:
    """Processes that begin with nothing loaded."""
    return ProcessPoolExecutor(parallel, mp_context=multiprocessing.get_context("spawn"))


def lacking(todo: Sequence[T], file: Path) -> list[T]:
    """The jobs that the results file does not hold."""
    known = _read(file)
    return [job for job in todo if not any(job.same(run) for run in known)]


def run(todo: Sequence[T], file: Path, parallel: int, work: Callable[..., Row], *shared: Any) -> list[Row]:
    """Call `work(job, *shared)` for what the results file lacks; all rows that were asked for."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with pool(parallel) as processes, file.open("a") as out:
        rows = [processes.submit(work, job, *shared) for job in lacking(todo, file)]
        for row in (future.result() for future in as_completed(rows)):
            print(json.dumps(row), file=out, flush=True)
            told = {name: round(float(np.nanmean(values)), 4) for name, values in measures(row["scores"]).items()}
            named = [row["setting"], row["method"], row["seed"], row["settings"], f"{row['seconds']} s"]
            print(*named, told, file=sys.stderr, flush=True)
    return [row for row in _read(file) if any(job.same(row) for job in todo)]


def _read(file: Path) -> list[Row]:
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
