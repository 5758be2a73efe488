"""Does the last organ round of the demo beat the first, on ten seeds, and is it pseudo labels or training?

Runs `flaredb demo` for the seeds of `flaredb/workflow/demo/plan.py`, which were fixed before there was a trainer, and
compares held-out organ DSC: the last organ round against the first, and against the control that goes on for the same
steps without pseudo labels. Seeds that are in the results file already are not run again.

    python benchmarks/demo_seeds.py --results results.jsonl --parallel 2
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from flaredb.workflow.demo.plan import BENCHMARK_SEEDS


def run(seed: int, threads: int) -> dict[str, Any]:
    """One demo in a folder of its own; its figures."""
    folder = Path(tempfile.mkdtemp(prefix=f"demo-{seed}-"))
    command = [sys.executable, "-m", "flaredb", "--json", "-q", "demo", str(folder / "demo"), "--seed", str(seed)]
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    document = json.loads(done.stdout)
    rounds = {row["round"]: row for row in [*document["rounds"], document["control"]]}
    return {"seed": seed, "threads": threads, "rounds": rounds, "gain": document["gain"]}


def figures(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The claims, as every benchmark prints them."""
    first, last, control = (
        np.array([row["rounds"][name]["organ_mean"]["dsc"] for row in rows])
        for name in ("organ/1", "organ/2", "control")
    )
    wins = int((last > first).sum())
    return [
        _claim(
            "seeds in which organ/2 beats organ/1 on held-out cases",
            wins,
            len(rows),
            "all seeds",
            "seeds",
            8,
            wins >= 8,
        ),
        _claim("median held-out organ DSC of organ/2", np.median(last), np.median(first), "organ/1", "DSC", None, None),
        _claim("the same against the control", np.median(last), np.median(control), "control", "DSC", None, None),
    ]


def _claim(
    claim: str, ours: float, theirs: float, name: str, unit: str, target: float | None, met: bool | None
) -> dict[str, Any]:
    return {
        "claim": claim,
        "flaredb": round(float(ours), 4),
        "rival": round(float(theirs), 4),
        "rival_name": name,
        "unit": unit,
        "ratio": round(float(ours) / float(theirs), 4) if theirs else None,
        "target": target,
        "met": met,
    }


def main() -> None:
    """Run what is missing and print the claims."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--results", type=Path, default=Path("demo_seeds.jsonl"))
    options.add_argument("--parallel", type=int, default=1, help="demos at once")
    options.add_argument("--threads", type=int, default=2, help="threads of each")
    chosen = options.parse_args()
    known = [json.loads(line) for line in chosen.results.read_text().splitlines()] if chosen.results.exists() else []
    missing = [seed for seed in BENCHMARK_SEEDS if seed not in {row["seed"] for row in known}]
    with ThreadPoolExecutor(chosen.parallel) as pool, chosen.results.open("a") as file:
        for row in pool.map(lambda seed: run(seed, chosen.threads), missing):
            known.append(row)
            print(json.dumps(row), file=file, flush=True)
            print(f"seed {row['seed']}: {row['gain']}", file=sys.stderr)
    machine = {"processor": platform.processor() or platform.machine(), "cores": os.cpu_count()}
    print(json.dumps({"benchmark": "demo_seeds", "machine": machine, "rows": figures(known), "seeds": known}))


if __name__ == "__main__":
    main()
