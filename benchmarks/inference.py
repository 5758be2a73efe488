"""How long does one scan take on a CPU, and how much memory, with the same network in three predictors?

The network is `small` (MONAI's DynUNet, 5.6 million parameters, 4 × 1.2 × 1.2 mm, windows of 32 × 128 × 192, half
overlapping, Gaussian weights), taught for some minutes so that its outputs have the shape of organs. The scan is
ircad_p01, 512 × 512 × 129. Rivals: nnU-Net 2.8.1's predictor with this network put in, and MONAI's sliding window with
its resampling there and back. Timed is from the scan's .nii.gz to the prediction's, within a process that has loaded
its network; imports and loading are told apart. Every run has a process of its own, all cores, and its peak memory is
that of the process, input and output included. Outputs are compared by Dice, the lowest over structures that have at
least 1,000 voxels.

Parts: `engines` (engine × precision against the rivals), `lattice` (do all agree on a scan that has the network's
spacing already, so that nobody resamples?), `crop` (what leaving out air costs and saves), `mirror` (averaged over
flips of x), `growth` (the scan stacked to 391 and 1,394 slices, read from a stored volume: as one array, and written
slice by slice).

    python benchmarks/inference.py [--parts engines,lattice,crop,mirror,growth] [--quick]
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from rivals.beside import BENCH, DATA, finish, need, row

CT = DATA / "ircad_p01" / "ct.nii.gz"
HERE = Path(__file__)
MATRIX = (("torch", "fp32"), ("torch", "bf16"), ("openvino", "fp32"), ("openvino", "bf16"))
SLICES = (129, 391, 1394)
LIMIT_MB = 1300.0
NEEDED = 1000  # voxels of a structure that counts
Answer = dict[str, Any]


class Bench(NamedTuple):
    """Where files go, and what all jobs share."""

    folder: Path
    common: Answer

    def ours(self, name: str, **more: Any) -> Answer:
        """Run flaredb in a process."""
        return self._run([sys.executable, str(HERE), "--job"], name, who="flaredb", **more)

    def theirs(self, who: str, name: str, **more: Any) -> Answer:
        """Run a rival in a process."""
        return self._run([str(BENCH), str(HERE.parent / "rivals" / "inference.py")], name, who=who, **more)

    def _run(self, command: list[str], name: str, **more: Any) -> Answer:
        out = self.folder / f"{name}.nii.gz"
        job = self.folder / f"{name}.json"
        job.write_text(json.dumps({**self.common, "folder": str(self.folder), "out": str(out), **more}))
        begun = time.perf_counter()
        done = subprocess.run([*command, str(job)], capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{name} ended with {done.returncode}: {done.stderr[-2000:]}")
        answer: Answer = json.loads(done.stdout.splitlines()[-1]) | {"name": name, "out": str(out)}
        answer["process_seconds"] = time.perf_counter() - begun
        print({k: v for k, v in answer.items() if k not in ("out", "taken")}, file=sys.stderr)
        return answer


def main() -> None:
    """Measure and print; with --job, be one run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", default="engines,lattice,crop,mirror,growth")
    parser.add_argument("--quick", action="store_true", help="Each part once, as small as it goes: does it work?")
    parser.add_argument("--job", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.job:
        be_flaredb(json.loads(arguments.job.read_text()))
        return
    need(BENCH, CT)
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), shared(arguments.quick, Path(folder)))
        rows: list[Answer] = []
        parts = arguments.parts.split(",")
        plain = engines(bench, rows) if "engines" in parts else {}
        if "lattice" in parts:
            lattice(bench, rows)
        if "crop" in parts:
            crop(bench, rows, plain)
        if "mirror" in parts:
            mirrored(bench, rows)
        if "growth" in parts:
            growth(bench, rows, (16, 32, 64) if arguments.quick else SLICES)
    versions = {name: answer.get("torch") for name, answer in plain.items()}
    finish("inference", rows, torch=versions, quick=arguments.quick)


def shared(quick: bool, folder: Path) -> Answer:
    """Network and scan, the same for everybody; `quick` cuts a small scan out."""
    from rivals.organ_network import CLASSES, settings, weights

    from flaredb.trainers.config import level_shapes

    config = settings()
    strides, kernels = level_shapes(config)
    return {
        "ct": str(cut(folder) if quick else CT),
        "weights": str(weights()),
        "classes": CLASSES,
        "channels": config.channels,
        "strides": strides,
        "kernels": kernels,
        "patch": config.patch,
        "spacing": config.spacing,
        "overlap": config.overlap,
        "hu": [config.hu_low, config.hu_high, config.hu_mean, config.hu_std],
        "mirror": [],
    }


def cut(folder: Path) -> Path:
    """A piece of the scan that a few windows cover, none of them beyond its end."""
    from dataclasses import replace

    from flaredb.exchange.read import read_image
    from flaredb.exchange.write import write_nifti

    scan = read_image(CT)
    z, y, x = (
        slice((n - size) // 2, (n + size) // 2) for n, size in zip(scan.voxels.shape, (84, 280, 412), strict=True)
    )
    voxels = np.ascontiguousarray(scan.voxels[z, y, x])
    # an identity direction, so that the piece needs no care about the file's own axes
    sz, sy, sx = scan.grid.spacing
    affine = (-sx, 0, 0, 0, 0, -sy, 0, 0, 0, 0, sz, 0, 0, 0, 0, 1)
    shape = (voxels.shape[2], voxels.shape[1], voxels.shape[0])
    write_nifti(folder / "ct.nii.gz", voxels, replace(scan.space, shape=shape, affine=affine, pixdim=(sx, sy, sz)))
    return folder / "ct.nii.gz"


def engines(bench: Bench, rows: list[Answer]) -> dict[str, Answer]:
    """Engine × precision; equal precision and as shipped against the rivals; memory; agreement."""
    theirs = {who: bench.theirs(who, who) for who in ("nnunet", "monai")}
    ours = {f"{engine} {precision}": bench.ours(f"{engine}-{precision}", engine=engine, precision=precision)
            for engine, precision in MATRIX}  # fmt: skip
    names = {"nnunet": "nnU-Net 2.8.1 predictor", "monai": "MONAI sliding window"}
    targets = {"torch fp32": (2.5, 1.3), "openvino fp32": (2.5, 1.3), "openvino bf16": (8.0, 3.0)}
    for how, mine in ours.items():
        wanted = dict(zip(names, targets.get(how, (None, None)), strict=True))
        for who, other in theirs.items():
            agreement = agree(mine["out"], other["out"])
            rows.append(row(f"scan to prediction, {how} against fp32", mine["seconds"], other["seconds"], names[who],
                            "s", wanted[who], **agreement, start_up=mine["start_up"],
                            rival_start_up=other["start_up"]))  # fmt: skip
        rows.append(row(f"peak memory, {how}", mine["rss_mb"], LIMIT_MB, "limit", "MB", 1.0))
    for who, other in theirs.items():
        mine = ours["torch fp32"]
        rows.append(row("peak memory against rival", mine["rss_mb"], other["rss_mb"], names[who], "MB"))
    apart = agree(theirs["monai"]["out"], theirs["nnunet"]["out"])
    rows.append(row("the rivals between themselves", 1 - apart["dice"], None, None, "1 - Dice", **apart))
    return {**ours, **theirs}


def lattice(bench: Bench, rows: list[Answer]) -> None:
    """Agreement where nobody resamples: the scan laid out at the network's spacing beforehand."""
    ct = str(laid_out(Path(bench.common["ct"]), bench.common["spacing"], bench.folder / "lattice-ct.nii.gz"))
    mine = bench.ours("lattice", engine="torch", precision="fp32", ct=ct)
    theirs = {who: bench.theirs(who, f"lattice-{who}", ct=ct) for who in ("nnunet", "monai")}
    pairs = {
        "flaredb and nnU-Net": (mine, theirs["nnunet"]),
        "flaredb and MONAI": (mine, theirs["monai"]),
        "nnU-Net and MONAI": (theirs["nnunet"], theirs["monai"]),
    }
    for names, (one, other) in pairs.items():
        found = agree(one["out"], other["out"])
        rows.append(row(f"nobody resamples: {names}", 1 - found["dice"], None, None, "1 - Dice", **found))


def laid_out(ct: Path, spacing: Sequence[float], destination: Path) -> Path:
    """A scan at another spacing (z, y, x in mm), interpolated linearly."""
    import SimpleITK

    scan = SimpleITK.ReadImage(str(ct))
    wanted = [float(step) for step in reversed(spacing)]
    size = [max(1, round(n * old / new)) for n, old, new in zip(scan.GetSize(), scan.GetSpacing(), wanted, strict=True)]
    filled = SimpleITK.Resample(
        scan, size, SimpleITK.Transform(), SimpleITK.sitkLinear, scan.GetOrigin(), wanted, scan.GetDirection(), -1024
    )
    SimpleITK.WriteImage(filled, str(destination))
    return destination


def crop(bench: Bench, rows: list[Answer], plain: dict[str, Answer]) -> None:
    """The box around the body alone, windows of air left out: what that saves, and what it changes."""
    whole = plain.get("torch bf16") or bench.ours("whole", engine="torch", precision="bf16")
    for name, how in (("crop", {"crop": True}), ("skip", {"skip_air": True})):
        part = bench.ours(name, engine="torch", precision="bf16", **how)
        rows.append(row(f"{name} against all windows", part["seconds"], whole["seconds"], "flaredb without", "s",
                        windows=part["windows"], skipped=part["skipped"],
                        **agree(part["out"], whole["out"])))  # fmt: skip


def mirrored(bench: Bench, rows: list[Answer]) -> None:
    """Averaged over flips of x."""
    theirs = bench.theirs("nnunet", "nnunet-mirrored", mirror=[2])
    for engine, precision, target in (("torch", "fp32", 2.0), ("openvino", "bf16", None)):
        mine = bench.ours(f"mirrored-{engine}", engine=engine, precision=precision, mirror=[2])
        rows.append(row(f"mirrored over x, {engine} {precision} against fp32", mine["seconds"], theirs["seconds"],
                        "nnU-Net 2.8.1 predictor", "s", target, disagreement=mine["disagreement"],
                        **agree(mine["out"], theirs["out"])))  # fmt: skip


def growth(bench: Bench, rows: list[Answer], slices: tuple[int, ...]) -> None:
    """Time and memory as slices are added."""
    took = {way: [bench.ours(f"{way}-{count}", engine="openvino", precision="bf16", slices=count, way=way)
                  for count in slices] for way in ("array", "slices")}  # fmt: skip
    for way, answers in took.items():
        for answer, count in zip(answers, slices, strict=True):
            rows.append(row(f"{count} slices, {way}", answer["seconds"], None, None, "s", rss_mb=answer["rss_mb"],
                            windows=answer["windows"]))  # fmt: skip
    flat = took["slices"]
    grown = flat[-1]["rss_mb"] / flat[0]["rss_mb"]
    rows.append(
        row("memory of the most slices by that of the fewest, slice by slice", grown, 1.15, "limit", "times", 1.0)
    )
    rates = [a["seconds"] / count for a, count in zip(flat, slices, strict=True)]
    steepest = max(b / a for a, b in pairwise(rates))
    rows.append(row("seconds a slice, growth from one size to the next", steepest, 1.15, "limit", "times", 1.0))


def agree(one: str, other: str) -> Answer:
    """Dice of two predictions: by structure, the lowest, the median, and of all structures together."""
    from flaredb.exchange.read import read_label

    a, b = read_label(Path(one)).voxels, read_label(Path(other)).voxels
    found = {}
    for value in np.union1d(np.unique(a), np.unique(b))[1:]:
        first, second = a == value, b == value
        if max(first.sum(), second.sum()) >= NEEDED:
            found[int(value)] = round(float(2 * (first & second).sum() / (first.sum() + second.sum())), 4)
    both = 2 * int(((a == b) & (a > 0)).sum()) / max(1, int((a > 0).sum() + (b > 0).sum()))
    least = min(found.values(), default=1.0)
    return {"dice": least, "dice_median": statistics.median(found.values()) if found else 1.0,
            "dice_all": round(both, 4), "dice_by_structure": found, "dice_met": least >= 0.99}  # fmt: skip


def be_flaredb(job: Answer) -> None:
    """One run of flaredb; its answer on standard output."""
    begun = time.perf_counter()
    import torch
    from rivals.organ_network import settings
    from safetensors.torch import load_file

    from flaredb.trainers.predict import Predictor, Settings

    how = Settings(tuple(job["mirror"]), job.get("crop", False), job.get("skip_air", False),
                   engine=job["engine"], precision=job["precision"])  # fmt: skip
    predictor = Predictor(settings(), load_file(job["weights"]), job["classes"], torch.device("cpu"), how)
    ready = time.perf_counter()
    answer = stacked(predictor, job) if "slices" in job else from_file(predictor, job)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({**answer, "start_up": ready - begun, "rss_mb": peak, "torch": torch.__version__}))


def from_file(predictor: Any, job: Answer) -> Answer:
    """From the scan's file to the prediction's."""
    from dataclasses import replace

    from flaredb.exchange.read import read_image
    from flaredb.exchange.write import write_nifti
    from flaredb.trainers.layers import ArrayScan

    start = time.perf_counter()
    scan = read_image(Path(job["ct"]))
    found = predictor.run(ArrayScan(scan.voxels, scan.grid))
    write_nifti(Path(job["out"]), found.classes, replace(scan.space, dtype="uint8"))
    return {"seconds": time.perf_counter() - start, "windows": found.windows, "skipped": found.skipped,
            "confidence": found.confidence, "disagreement": found.disagreement}  # fmt: skip


def stacked(predictor: Any, job: Answer) -> Answer:
    """The scan repeated to so many slices, in a stored volume made by a process that is gone."""
    from flaredb.trainers.predict import Stream
    from flaredb.volumes.store import VolumeStore

    program = "import sys; sys.path.insert(0, sys.argv[1]); import inference; inference.stack(*sys.argv[2:])"
    folder = Path(job["folder"]) / f"stack-{job['slices']}"
    command = [sys.executable, "-c", program, str(HERE.parent), job["ct"], str(job["slices"]), str(folder)]
    digest = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[-1]
    volume = VolumeStore(folder).open(digest)
    start = time.perf_counter()
    stream = Stream(predictor, volume, ())
    if job["way"] == "array":
        classes = np.zeros(volume.shape, np.uint8)
        for first, slab in stream:
            classes[first : first + len(slab)] = slab.numpy()
    else:
        with (folder / "classes.raw").open("wb") as file:
            for _, slab in stream:
                file.write(slab.numpy().tobytes())
    return {"seconds": time.perf_counter() - start, "windows": stream.windows}


def stack(ct: str, slices: str, folder: str) -> None:
    """Store a scan repeated along z, every second time upside down so that it goes on smoothly."""
    from dataclasses import replace

    from flaredb.exchange.read import read_image
    from flaredb.volumes.store import VolumeStore

    scan = read_image(Path(ct))
    turns = -(-int(slices) // len(scan.voxels))
    voxels = np.concatenate([scan.voxels[:: 1 if n % 2 == 0 else -1] for n in range(turns)])[: int(slices)]
    grid = replace(scan.grid, shape=voxels.shape)
    print(VolumeStore(Path(folder)).put_image(np.ascontiguousarray(voxels), grid).volume)


if __name__ == "__main__":
    main()
