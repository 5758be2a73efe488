"""Is a loop of rounds worth its while: the joint model after it, against the same optimiser steps spent otherwise?

Made-up cohorts of 60 training cases in FLARE23's proportions, 27 of them without any label; DSC on 24 held-out cases
with complete truth, paired bootstrap intervals of the differences over seeds and cases. Rivals: one label-set model
trained on without pseudo labels, two supervised networks on complete cases, the paper's recipe by folders. Cohort,
steps, seeds and measures are in `looping/plan.py`, committed before any comparison; the rounds, chosen on tuning seeds,
in `looping/chosen.py`. Runs that the results file holds already are not run again; with --work an interrupted loop goes
on.

    python benchmarks/loop.py --parallel 2              # three seeds, four methods
    python benchmarks/loop.py --quick                   # does it work: some minutes
    python benchmarks/loop.py --tune --method loop --set foreground=0.8 --results tuning.jsonl
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from looping.plan import EVALUATION_SEEDS, STEPS, TUNING_SEEDS
from partial import runs
from partial.figures import claims
from partial_labels import code
from rivals.beside import finish

RESULTS = Path(__file__).parent / "results" / "loop.jsonl"
RIVALS = ("control", "supervised", "folders")
QUICK = 0.005


class Job(NamedTuple):
    """A method on the cohort of a seed; `settings` beside those of the plan."""

    method: str
    seed: int
    settings: Mapping[str, str]
    quick: bool

    def same(self, run: Mapping[str, Any]) -> bool:
        """Whether this is the job of a finished run."""
        return all(run[key] == value for key, value in self._asdict().items())


def work(job: Job, folder: Path, threads: int) -> dict[str, Any]:
    """Train and score; the row for the results file."""
    os.environ["OMP_NUM_THREADS"] = str(threads)
    import torch  # here, so that the process that only hands out jobs stays small
    from looping.cohort import open_workspace, volumes
    from looping.methods import METHODS, Site
    from partial.methods import score

    torch.set_num_threads(threads)
    home = folder / f"{job.method}-{job.seed}"
    with open_workspace(home, job.seed, job.quick) as workspace:
        begun = time.perf_counter()
        site = Site(workspace, home / "runs", job.seed, job.settings, QUICK if job.quick else 1.0)
        played = METHODS[job.method](site)
        seconds = time.perf_counter() - begun
        scores = score(played.model, volumes(workspace).all)
    return {**job._asdict(), "setting": "loop", "seconds": round(seconds, 1), "threads": threads, "code": code(),
            "rounds": played.rounds, "scores": scores}  # fmt: skip


def main() -> None:
    """Run and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--results", type=Path, default=None, help="one line a finished run; what is there is kept")
    options.add_argument("--work", type=Path, help="where workspaces are kept; a temporary folder otherwise")
    options.add_argument("--parallel", type=int, default=1, help="runs at once")
    options.add_argument("--threads", type=int, default=1, help="threads of each")
    options.add_argument("--method", action="append", choices=("loop", *RIVALS))
    options.add_argument("--seeds", type=int, nargs="+")
    options.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a setting of the training")
    options.add_argument("--tune", action="store_true", help="tuning seeds")
    options.add_argument("--quick", action="store_true", help="one seed, few cases, a few steps: only whether it works")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        chosen.results = chosen.results or (Path(temporary) / "quick.jsonl" if chosen.quick else RESULTS)
        seeds = chosen.seeds or (TUNING_SEEDS if chosen.tune else EVALUATION_SEEDS)
        seeds = seeds[:1] if chosen.quick else seeds
        given = dict(text.split("=", 1) for text in chosen.set)
        todo = [Job(m, seed, given, chosen.quick) for seed in seeds for m in chosen.method or ("loop", *RIVALS)]
        folder = chosen.work or Path(temporary)
        found = runs.run(todo, chosen.results, chosen.parallel, work, folder, chosen.threads)
    finish("loop", claims(found, "loop", RIVALS), steps=STEPS, quick=chosen.quick)


if __name__ == "__main__":
    main()
