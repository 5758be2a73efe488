"""One large scan on a GPU, measured as FLARE measures: time from start to end, memory of the device every 0.1 s.

The preset `base` with random weights on a made-up scan of 512 × 512 × 391 voxels at 0.8 × 0.8 × 1.25 mm, in a process
of its own that reads the scan from a file and writes the prediction to one: start-up, loading and writing are in it.
FLARE23 tolerates 15 s and 4 GiB. Needs no data, no rival and no network. Without a GPU the preset `tiny` and a small
scan only show that it works.

    python benchmarks/inference_gpu.py [--device auto|cpu|cuda] [--preset base] [--precision auto|bf16|fp16|fp32]
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rivals.beside import finish, row

from flaredb.geometry import FileSpace
from flaredb.metrics.resources import TOLERATED_MB, TOLERATED_S, measure_command

LARGE = FileSpace(
    (512, 512, 391), (-0.8, 0, 0, 205, 0, -0.8, 0, 205, 0, 0, 1.25, 0, 0, 0, 0, 1), "int16", (0.8, 0.8, 1.25)
)
SMALL = FileSpace((60, 60, 40), (-6.0, 0, 0, 205, 0, -6.0, 0, 205, 0, 0, 6.0, 0, 0, 0, 0, 1), "int16", (6.0, 6.0, 6.0))
CLASSES = 15


def made_up(space: FileSpace) -> NDArray[np.int16]:
    """A case of the phantom, enlarged by repeating voxels, with noise. (z, y, x)"""
    from flaredb.phantom import Cohort, make_case

    coarse = make_case(Cohort(seed=0, training=1, validation=0, test=0, spacing=(6.6, 5.5, 5.5)), 0).image
    places = [np.arange(n) * have // n for n, have in zip(space.grid.shape, coarse.shape, strict=True)]
    noise = np.random.default_rng(0).integers(-15, 16, space.grid.shape, np.int16)
    return coarse[np.ix_(*places)] + noise


def predict(folder: Path, device: str, preset: str, precision: str) -> None:
    """Read, predict, write; tell where the time went."""
    begun = time.perf_counter()
    from flaredb.exchange.read import read_image
    from flaredb.exchange.write import write_nifti
    from flaredb.trainers.layers import ArrayScan
    from flaredb.trainers.networks import build_network
    from flaredb.trainers.predict import Predictor, Settings
    from flaredb.trainers.presets import load_config
    from flaredb.trainers.runtime import find_device

    config, where = load_config(preset), find_device(device)
    predictor = Predictor(
        config, build_network(config, CLASSES).state_dict(), CLASSES, where, Settings(precision=precision)
    )
    ready = time.perf_counter()
    scan = read_image(folder / "ct.nii")
    read = time.perf_counter()
    found = predictor.run(ArrayScan(scan.voxels, scan.grid))
    done = time.perf_counter()
    write_nifti(folder / "out.nii.gz", found.classes, replace(scan.space, dtype="uint8"))
    parts = {"start_up": ready - begun, "read": read - ready, "predict": done - read,
             "write": time.perf_counter() - done, "windows": found.windows}  # fmt: skip
    (folder / "parts.json").write_text(json.dumps(parts))


def main() -> None:
    """Make the scan, run the prediction in a process, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    parser.add_argument("--preset")
    parser.add_argument("--precision", choices=["auto", "fp32", "bf16", "fp16"], default="auto")
    parser.add_argument("--run", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.run:
        predict(arguments.run, arguments.device, arguments.preset, arguments.precision)
        return
    from flaredb.exchange.write import write_nifti
    from flaredb.trainers.runtime import find_device

    device = find_device(arguments.device).type
    space = LARGE if device == "cuda" else SMALL
    preset = arguments.preset or ("base" if device == "cuda" else "tiny")
    with tempfile.TemporaryDirectory() as folder:
        write_nifti(Path(folder) / "ct.nii", made_up(space), space)
        command = [sys.executable, __file__, "--run", folder, "--device", device, "--preset", preset]
        usage = measure_command([*command, "--precision", arguments.precision])
        if usage.returncode:
            sys.exit(usage.returncode)
        parts: dict[str, Any] = json.loads((Path(folder) / "parts.json").read_text())
    rows = [
        row(f"{preset}, whole case with start-up", usage.seconds, TOLERATED_S, "FLARE23 tolerance", "s", 1.0, **parts)
    ]
    if usage.gpu_peak_mb is not None:
        peak = row("largest memory of the device", usage.gpu_peak_mb, TOLERATED_MB, "FLARE23 tolerance", "MB", 1.0)
        rows += [peak, row("AUC_GPU_Time", usage.gpu_area_mb_s or 0.0, None, None, "MB s", samples=usage.gpu_samples)]
    rows.append(row("memory of the host", usage.ram_peak_mb or 0.0, None, None, "MB"))
    shape = "×".join(map(str, space.shape))
    finish("inference_gpu", rows, device=device, preset=preset, scan=shape, precision=arguments.precision)


if __name__ == "__main__":
    main()
