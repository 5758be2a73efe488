"""Are DSC and NSD the organisers' own figures, and how fast do they come?

Big: an abdomen of 512×512×391 voxels with 14 structures (AbdomenAtlas, mapped to FLARE23, liver tumour as 14) against
itself shifted by (z, y, x) = (1, 2, 3) voxels. Rivals: the organisers' script of FLARE23, run where it lies;
DeepMind's package; MONAI. Small: random pairs of label files in all 48 orientations, scored by the scripts of FLARE21,
22 and 23 and by `flaredb score`. Times are after loading; memory is the peak of a process that reads both files.

    make bench-env
    python benchmarks/metrics.py [--official .bench/FLARE] [--pairs 500] [--no-packages]
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from rivals.beside import BENCH, DATA, ROOT, finish, need, row

from flaredb.metrics import PROTOCOLS
from flaredb.workflow.evaluate.files import ScoreOptions, score_files

OFFICIAL = ROOT / ".bench" / "FLARE"
RIVALS = Path(__file__).parent / "rivals"
ATLAS = DATA / "abdomenatlas"
CASE = "BDMAP_00000006"
SHIFT_XYZ = (3, 2, 1)
SPACINGS = (0.4, 0.5, 0.7, 0.78125, 0.8, 1.0, 2.0, 2.5, 3.0, 5.0, 7.0)
ORIENTATIONS = list(itertools.product(itertools.permutations(range(3)), itertools.product((1, -1), repeat=3)))
LIMIT_MB = 1500
SCORE = """
import json, resource, sys, time
from pathlib import Path
from flaredb.exchange.read import read_label
from flaredb.metrics import PROTOCOLS, score_case
start = time.perf_counter()
truth, guess = (read_label(Path(path)) for path in sys.argv[1:3])
arrays = [scan.space.from_lps(scan.voxels) for scan in (truth, guess)]
begun, idle = time.perf_counter(), time.process_time()
found = score_case(*arrays, truth.space.pixdim, PROTOCOLS["flare23"], threads=int(sys.argv[3]))
spent, worked = time.perf_counter() - begun, time.process_time() - idle
rules = {rule.name: rule.value for rule in PROTOCOLS["flare23"].structures}
print(json.dumps({"seconds": spent, "worked": worked, "loading": begun - start,
    "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    "figures": {rules[name]: [score.dsc, score.nsd] for name, score in found.items()}}))
"""


def big_pair(folder: Path) -> tuple[Path, Path]:
    """The abdomen and its shifted copy, as files of one name under `ref` and `res`."""
    image = nibabel.load(ATLAS / f"{CASE}_combined_labels.nii.gz")
    codes = json.loads((ATLAS / "label_map.json").read_text())["to_FLARE23"]
    table = np.zeros(256, np.uint8)
    table[[int(code) for code in codes]] = list(codes.values())
    truth = table[np.asarray(image.dataobj).astype(np.uint8)]
    truth[np.asarray(nibabel.load(ATLAS / f"{CASE}_liver_tumor.nii.gz").dataobj) > 0] = 14
    shifted = np.zeros_like(truth)
    ahead = tuple(slice(step, None) for step in SHIFT_XYZ)
    shifted[ahead] = truth[tuple(slice(None, -step) for step in SHIFT_XYZ)]
    return write_pair(folder, CASE, (truth, shifted), image.affine)


def write_pair(folder: Path, case: str, labels: tuple[Any, Any], affine: Any) -> tuple[Path, Path]:
    """Reference and prediction as .nii.gz."""
    paths = []
    for place, array in zip(("ref", "res"), labels, strict=True):
        (folder / place).mkdir(parents=True, exist_ok=True)
        paths.append(folder / place / f"{case}.nii.gz")
        nibabel.save(nibabel.Nifti1Image(array, affine), paths[-1])
    return paths[0], paths[1]


def small_pair(random: np.random.Generator) -> tuple[Any, Any]:
    """Two small arrays of values 0 to 14 in blocks, the second a moved and disturbed copy of the first."""
    shape = tuple(random.integers(4, 16, 3))
    truth = np.zeros(shape, np.uint8)
    for _ in range(random.integers(0, 12)):
        corner = [random.integers(0, n) for n in shape]
        truth[tuple(slice(c, c + random.integers(1, 9)) for c in corner)] = random.integers(0, 15)
    guess = np.roll(truth, random.integers(-2, 3), axis=random.integers(0, 3))
    noise = random.random(shape) < random.choice([0.0, 0.02, 0.3])
    guess[noise] = random.integers(0, 15, shape)[noise]
    return truth, guess


def small_pairs(folder: Path, count: int) -> None:
    """Random pairs, one orientation after the other; none with a tube of a single slice, on which the scripts fail."""
    random = np.random.default_rng(23)
    tubes = [rule.value for rule in PROTOCOLS["flare23"].structures if rule.tubular]
    for n in range(count):
        truth, guess = small_pair(random)
        while any(len(np.unique(np.nonzero(truth == tube)[2])) == 1 for tube in tubes):
            truth, guess = small_pair(random)
        axes, signs = ORIENTATIONS[n % len(ORIENTATIONS)]
        affine = np.eye(4)
        affine[:3, :3] = np.eye(3)[list(axes)] * signs * random.choice(SPACINGS, 3)
        write_pair(folder, f"small{n:04}", (truth, guess), affine)


def ask(command: list[Any], threads: int = 1) -> Any:
    """The JSON line of a process that has this many cores; None if it did not survive."""
    cores = sorted(os.sched_getaffinity(0))[-threads:]
    done = subprocess.run(
        [str(part) for part in command],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"OMP_NUM_THREADS": str(threads)},
        preexec_fn=lambda: os.sched_setaffinity(0, cores),
        check=False,
    )
    return json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else None


def big(folder: Path, official: Path, packages: bool) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Times, memory and figures of the abdomen."""
    reference, prediction = big_pair(folder)
    theirs = ask([BENCH, RIVALS / "official.py", official, folder, "23"])
    expected = {value: tuple(both) for value, both in theirs["figures"]["23"][CASE].items()}
    told: dict[str, Any] = {"official": theirs}
    rows = []
    for threads, target in ((1, 6.0), (2, 12.0)):
        runs = [ask([sys.executable, "-c", SCORE, reference, prediction, threads], threads) for _ in range(5)]
        ours = told[f"flaredb_{threads}"] = sorted(runs, key=lambda run: run["seconds"])[2]
        wrong = sum(ours["figures"][v][i] != both[i] for v, both in expected.items() for i in (0, 1))
        claim = f"DSC and NSD of 14 structures, 512×512×391, {threads} thread{'s' * (threads > 1)}"
        rows.append(row(claim, ours["seconds"], theirs["seconds"][0], "official FLARE23 script", "s", target))
        rows.append(limit(f"figures of 28 that differ, {threads} thread{'s' * (threads > 1)}", wrong, 0, "figures"))
    rows.append(row("the same in processor time, 1 thread", told["flaredb_1"]["worked"], theirs["worked"][0],
                    "official FLARE23 script", "s"))  # fmt: skip
    rows.append(limit("peak memory, both files read, 2 threads", told["flaredb_2"]["peak_mb"], LIMIT_MB, "MB"))
    for name, title in (("deepmind", "DeepMind surface-distance 0.1"), ("monai", "MONAI, structure by structure")):
        if packages:
            python = sys.executable if name == "deepmind" else BENCH
            found = told[name] = ask([python, RIVALS / "surfaces.py", reference, prediction, name])
            seconds = found["seconds"] if found else None
            mine = told["flaredb_1"]["seconds"]
            rows.append(row("DSC and NSD of 14 structures, 1 thread", mine, seconds, title, "s"))
    return rows, told


def small(folder: Path, official: Path, count: int) -> list[dict[str, Any]]:
    """Figures of random pairs that differ from the scripts', by year."""
    small_pairs(folder, count)
    theirs = ask([BENCH, RIVALS / "official.py", official, folder])["figures"]
    return [compare(folder, year, theirs[year]) for year in theirs]


def compare(folder: Path, year: str, theirs: dict[str, Any]) -> dict[str, Any]:
    """One year's script against `flaredb score` on the same files."""
    protocol = PROTOCOLS[f"flare{year}"]
    values = {rule.name: str(rule.value) for rule in protocol.structures}
    found = score_files(folder / "res", folder / "ref", ScoreOptions(protocol.name))
    wrong = compared = 0
    for case in found.cases:
        for name, ours in case["structures"].items():
            expected = theirs[case["case"]][values[name]]
            for figure, other in zip((ours["dsc"], ours["nsd"]), expected, strict=True):
                compared += 1
                if figure != float(np.round(other, 4)):  # the script of 21 does not round
                    wrong += 1
                    print(case["case"], protocol.name, name, figure, other, file=sys.stderr)
    claim = f"figures of {compared} that differ, {len(found.cases)} small pairs, {protocol.name}"
    return limit(claim, wrong, 0, "figures")


def limit(claim: str, ours: float, most: float, unit: str) -> dict[str, Any]:
    """A claim that is held against a limit, not a rival."""
    print(f"{claim}: {ours:.5g} {unit}, at most {most}", file=sys.stderr)
    return {"claim": claim, "flaredb": round(ours, 2), "rival": None, "rival_name": None, "unit": unit, "ratio": None,
            "target": most, "met": ours <= most}  # fmt: skip


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--official", type=Path, default=OFFICIAL, help="a copy of github.com/JunMa11/FLARE")
    parser.add_argument("--pairs", type=int, default=500, help="small pairs (default 500)")
    parser.add_argument("--no-packages", dest="packages", action="store_false", help="without DeepMind's and MONAI's")
    asked = parser.parse_args()
    need(BENCH, ATLAS)
    if not (asked.official / "FLARE23").is_dir():
        print("the official evaluation is missing; fetch it with: make bench-env", file=sys.stderr)
        sys.exit(2)
    with tempfile.TemporaryDirectory() as folder:
        rows = small(Path(folder) / "small", asked.official, asked.pairs)
        measured, told = big(Path(folder) / "big", asked.official, asked.packages)
    finish("metrics", rows + measured, runs=told)


if __name__ == "__main__":
    main()
