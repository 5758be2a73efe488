"""Do label sets learn more from partial labels than the ways people use today?

Made-up cohorts with FLARE23's annotated patterns, an easy and a hard one, five seeds each; DSC on held-out cases with
complete truth. Rivals: complete cases only, zeros as background, the paper's merge (`partial/methods.py`), with the
same network, feed, augmentation and optimiser steps in all. Cohorts, steps, seeds and measures were committed before
any comparison (`partial/plan.py`). Runs that the results file holds already are not run again.

    python benchmarks/partial_labels.py --parallel 2                      # an hour on two cores
    python benchmarks/partial_labels.py --parallel 2 --alike              # the rivals with label sets' settings
    python benchmarks/partial_labels.py --quick                           # does it work: a minute
    python benchmarks/partial_labels.py --tune --method label-sets --set lesion_prior=0.2 --results tuning.jsonl
"""

from __future__ import annotations

import argparse
import os
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from partial import runs
from partial.chosen import CHOSEN
from partial.figures import claims
from partial.plan import EVALUATION_SEEDS, PRESET, SETTINGS, SHARED, STEPS, TUNING_SEEDS
from rivals.beside import finish

RESULTS = Path(__file__).parent / "results" / "partial_labels.jsonl"
OURS = ("label-sets", "label-sets+")
RIVALS = ("complete", "zeros", "merge")
QUICK = {"steps": "40"}
QUICK_CASES = 4


class Job(NamedTuple):
    """A method on the cohort of a setting and a seed; `settings` beside those that all methods share."""

    setting: str
    method: str
    seed: int
    settings: Mapping[str, str]

    def same(self, run: Mapping[str, Any]) -> bool:
        """Whether this is the job of a finished run."""
        return all(run[key] == value for key, value in self._asdict().items())


def work(job: Job, folder: Path, device: str, threads: int, count: int | None) -> dict[str, Any]:
    """Train and score on the first `count` test cases (None: all); the row for the results file."""
    os.environ["OMP_NUM_THREADS"] = str(threads)
    import torch  # here, so that the process that only hands out jobs stays small
    from partial.cohort import store_cohort
    from partial.methods import METHODS, Bench, clean, score

    from flaredb.trainers.presets import load_config
    from flaredb.trainers.runtime import find_device

    torch.set_num_threads(threads)
    begun = time.perf_counter()
    shared = {**SHARED, "steps": str(STEPS), "seed": str(job.seed)}
    config = load_config(PRESET, {**shared, **job.settings})
    cohort = store_cohort(folder, job.setting, job.seed)
    with tempfile.TemporaryDirectory(dir=folder) as runs:
        bench = Bench(cohort, config, Path(runs), find_device(device))
        scores = score(METHODS[job.method](bench), cohort, count)
        clean(bench)
    return {**job._asdict(), "seconds": round(time.perf_counter() - begun, 1), "threads": threads, "code": code(),
            "scores": scores}  # fmt: skip


def code() -> str:
    """The commit this runs from."""
    git = ["git", "-C", str(Path(__file__).parent), "rev-parse", "--short", "HEAD"]
    return subprocess.run(git, capture_output=True, text=True, check=False).stdout.strip()


def prepare(setting: str, seed: int, folder: Path) -> None:
    """Make a cohort, once, before several processes want it."""
    from partial.cohort import store_cohort

    store_cohort(folder, setting, seed)


def jobs(chosen: argparse.Namespace) -> list[Job]:
    """What is to be run, seed by seed, so that whatever is done can be compared."""
    seeds = chosen.seeds or (TUNING_SEEDS if chosen.tune else EVALUATION_SEEDS)
    given = dict(text.split("=", 1) for text in chosen.set)
    found = []
    for seed in seeds:
        for setting in chosen.setting or SETTINGS:
            for method in chosen.method or (*RIVALS, *OURS):
                own = {} if chosen.tune else CHOSEN.get(method, CHOSEN["label-sets"] if chosen.alike else {})
                found.append(Job(setting, method, seed, {**own, **given}))
    return found


def play(todo: list[Job], chosen: argparse.Namespace, folder: Path) -> list[dict[str, Any]]:
    """Run what the results file lacks; all its rows that were asked for."""
    with runs.pool(chosen.parallel) as processes:
        cohorts = sorted({(job.setting, job.seed) for job in runs.lacking(todo, chosen.results)})
        for made in [processes.submit(prepare, *cohort, folder) for cohort in cohorts]:
            made.result()
    count = QUICK_CASES if chosen.quick else None
    return runs.run(todo, chosen.results, chosen.parallel, work, folder, chosen.device, chosen.threads, count)


def main() -> None:
    """Run and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--results", type=Path, default=None, help="one line a finished run; what is there is kept")
    options.add_argument("--work", type=Path, help="where cohorts are kept; a temporary folder otherwise")
    options.add_argument("--parallel", type=int, default=1, help="runs at once")
    options.add_argument("--threads", type=int, default=1, help="threads of each")
    options.add_argument("--device", default="cpu", choices=("cpu", "cuda", "auto"))
    options.add_argument("--method", action="append", choices=(*RIVALS, *OURS))
    options.add_argument("--setting", action="append", choices=tuple(SETTINGS))
    options.add_argument("--seeds", type=int, nargs="+")
    options.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a setting of the training")
    options.add_argument("--tune", action="store_true", help="tuning seeds, without what was chosen")
    options.add_argument("--alike", action="store_true", help="the rivals, too, get what was chosen for label sets")
    options.add_argument("--quick", action="store_true", help="one seed, a few steps: only whether it works")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        if chosen.quick:
            chosen.seeds, chosen.setting = [TUNING_SEEDS[0]], ["hard"]
            chosen.set += [f"{key}={value}" for key, value in QUICK.items()]
            chosen.results = chosen.results or Path(temporary) / "quick.jsonl"
        chosen.results = chosen.results or RESULTS
        folder = chosen.work or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        found = play(jobs(chosen), chosen, folder)
    rows = [row for ours in OURS for row in claims(found, ours, RIVALS)]
    finish("partial_labels", rows, steps=STEPS, alike=chosen.alike, quick=chosen.quick)


if __name__ == "__main__":
    main()
