"""The organisers' own evaluation scripts, run where they lie: `python rivals/official.py CHECKOUT PAIRS [YEAR …]`.

CHECKOUT is a copy of https://github.com/JunMa11/FLARE, PAIRS a folder with `ref/CASE.nii.gz` and `res/CASE.nii.gz`.
Prints one JSON line: for each year the figures by case and structure value, [DSC, NSD], and, for the year 23, the
seconds and processor seconds that scoring took after loading, by case. Nothing of the scripts is changed; what they
expect of their surroundings is given to them: paths, the clock that the script of 23 calls and does not define, and
the names that NumPy 1 had.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import runpy
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np

SCRIPTS = {
    "21": "FLARE21/Evaluation/DSC_NSD_eval.py",
    "22": "FLARE22/Evaluation/FLARE22_DSC_NSD_Eval.py",
    "23": "FLARE23/FLARE23_DSC_NSD_Eval.py",
}
FOLDERS = {
    "21": ("../seg", "../gt", "../result"),
    "22": ("path to segmentation", "path to ground truth", "path to Results"),
}


class Clock:
    """What the script of 23 calls `t`: called when a case is loaded, asked when it is scored."""

    def __init__(self) -> None:
        self.spent: list[float] = []
        self.worked: list[float] = []

    def __call__(self) -> float:
        """A case is loaded."""
        self.begun, self.idle = time.perf_counter(), time.process_time()
        return 0.0

    def total_elapsed(self) -> float:
        """A case is scored."""
        self.spent.append(time.perf_counter() - self.begun)
        self.worked.append(time.process_time() - self.idle)
        return self.spent[-1]


def run(checkout: Path, pairs: Path, year: str, clock: Clock) -> dict[str, Any]:
    """The script's own table of figures: column name → list, one entry a case."""
    script = (checkout / SCRIPTS[year]).absolute()
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch) / "here"
        place.mkdir()
        if year in FOLDERS:
            seg, gt, result = (place / name for name in FOLDERS[year])
            seg.symlink_to(pairs.absolute() / "res")
            gt.symlink_to(pairs.absolute() / "ref")
            result.mkdir()
        sys.argv = [script.name, str(pairs.absolute()), str(place / "out")]
        sys.path.insert(0, str(script.parent))
        sys.modules.pop("SurfaceDice", None)
        with contextlib.chdir(place), contextlib.redirect_stdout(sys.stderr):
            found = runpy.run_path(str(script), {"t": clock})
        sys.path.remove(str(script.parent))
    table: dict[str, Any] = found["seg_metrics"]
    return table


def by_case(table: dict[str, Any], year: str) -> dict[str, dict[str, list[float | None]]]:
    """Case → structure value → [DSC, NSD]; None for what is not a number."""
    columns = [name for name in table if name != "Name"]
    dsc = [name for name in columns if "DSC" in name]
    nsd = [name for name in columns if "NSD" in name]
    cases: dict[str, dict[str, list[float | None]]] = {}
    for n, name in enumerate(table["Name"]):
        figures = zip((table[c][n] for c in dsc), (table[c][n] for c in nsd), strict=True)
        cases[name.removesuffix(".nii.gz")] = {
            str(value): [None if math.isnan(f) else float(f) for f in both] for value, both in enumerate(figures, 1)
        }
    return cases


def main() -> None:
    """Run the scripts of the years asked for."""
    warnings.simplefilter("ignore")
    for name, value in (("Inf", np.inf), ("NaN", np.nan)):
        if not hasattr(np, name):
            setattr(np, name, value)
    checkout, pairs = Path(sys.argv[1]), Path(sys.argv[2])
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    clock = Clock()
    found = {year: by_case(run(checkout, pairs, year, clock), year) for year in sys.argv[3:] or list(SCRIPTS)}
    print(json.dumps({"figures": found, "seconds": clock.spent, "worked": clock.worked}), file=answers, flush=True)


if __name__ == "__main__":
    main()
