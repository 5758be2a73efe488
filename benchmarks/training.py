"""How many training steps a second, and how much of the time is spent waiting for data?

flaredb's own loop (`trainers.loop.train`) against nnU-Net 2.8.1's trainer with the same network, patch, spacing and
batch, one after the other on the same machine. On a GPU the preset `base` and a phantom of FLARE23's median size, 200
steps; without one the preset `tiny` and a small phantom, a few steps on one core: that only shows that it works.
Waiting is the time a loop stands before its next batch; both loops read the loss of each step, so the device has then
finished it. The first batches are held against those that a CPU makes: same draws, same patches to within rounding.

Needs no data. nnU-Net is looked for in `.bench` and then beside this Python; without it its part is left out, with the
reason in the JSON.

    python benchmarks/training.py [--device auto|cpu|cuda] [--preset base] [--steps 200] [--scan phantom|small|ircad]
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import resource
import subprocess
import sys
import tempfile
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, NamedTuple

import torch
from rivals import beside
from rivals.beside import BENCH, finish, one_core, rival, row
from rivals.scans import Scan, ircad, median_phantom, small_phantom, training_set

from flaredb.trainers import checkpoint
from flaredb.trainers.config import Config
from flaredb.trainers.feed import Feed
from flaredb.trainers.loop import Training, train
from flaredb.trainers.presets import PRESETS, load_config
from flaredb.trainers.runtime import find_device
from flaredb.volumes.store import VolumeStore

SCANS = {"ircad": ircad, "phantom": median_phantom, "small": small_phantom}
Answer = dict[str, Any]


class Plan(NamedTuple):
    """What is compared."""

    config: Config
    device: torch.device
    steps: int
    warm: int


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    parser.add_argument("--preset", choices=list(PRESETS))
    parser.add_argument("--steps", type=int)
    parser.add_argument("--scan", choices=list(SCANS))
    arguments = parser.parse_args()
    device = find_device(arguments.device)
    large = device.type == "cuda"
    if not large:
        one_core()
        torch.set_num_threads(1)
    steps = arguments.steps or (200 if large else 8)
    plan = Plan(load_config(arguments.preset or ("base" if large else "tiny")), device, steps, warm=20 if large else 4)
    with tempfile.TemporaryDirectory() as folder:
        scan = SCANS[arguments.scan or ("phantom" if large else "small")](Path(folder))
        store = VolumeStore(Path(folder) / "volumes")
        run = Training(training_set(store, scan, 1), store, plan.config, Path(folder) / "model", device)
        stream = same_stream(run)
        ours = our_steps(run, plan)
        theirs = their_steps(scan, Path(folder), plan, len(run.data.task.structures) + 1)
    report(scan, plan, stream, ours, theirs)


def same_stream(run: Training) -> Answer:
    """The first batches of this device beside those of the CPU."""
    here, there = (Feed(run.data, run.volumes, run.config, device) for device in (run.device, torch.device("cpu")))
    apart, sets, draws = [], [], True
    for step in range(3):
        ours, cpu = here.batch(step), there.batch(step)
        draws &= repr(ours.draws) == repr(cpu.draws)
        apart.append((ours.image.cpu() - cpu.image).abs().flatten())
        sets.append((ours.allowed.cpu() == cpu.allowed).float().mean())
    far = torch.cat(apart)
    return {
        "devices": [run.device.type, "cpu"],
        "draws_equal": draws,
        "largest_difference": float(far.max()),
        "share_within_0.01": float((far < 0.01).float().mean()),
        "label_sets_equal": float(torch.stack(sets).mean()),
    }


def our_steps(run: Training, plan: Plan) -> Answer:
    """Seconds of the steps, and of them waiting, as the loop itself writes them down; as many steps warm it up."""
    # It notes them in its checkpoints; so there are two, at the beginning and the end of what is counted.
    config = replace(run.config, steps=2 * plan.steps, checkpoint_every=plan.steps, validate_every=0)
    config = replace(config, schedule_steps=max(run.config.horizon, config.steps))
    if plan.device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
    losses, stages = [], []
    for loss in train(run._replace(config=config)):
        losses.append(loss)
        if len(losses) % plan.steps == 0:
            stages.append(checkpoint.load(run.folder))
    warm, done = stages
    if warm is None or done is None:
        raise RuntimeError("the loop left no checkpoint")
    counted = done.seconds - warm.seconds
    on_gpu = plan.device.type == "cuda"
    peak = (
        torch.cuda.max_memory_reserved() / 1e6 if on_gpu else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    )
    return {"step": counted / plan.steps, "waiting": (done.waited - warm.waited) / counted, "peak_mb": peak,
            "loss": losses[-1], "torch": torch.__version__}  # fmt: skip


def their_steps(scan: Scan, folder: Path, plan: Plan, classes: int) -> dict[str, Answer] | str:
    """nnU-Net's, compiled as is its default on a GPU and not; or why there are none."""
    python = nnunet_python(plan.device)
    if isinstance(python, str):
        return python
    beside.BENCH = python
    document = folder / "config.json"
    document.write_text(json.dumps(asdict(plan.config)))
    found: dict[str, Answer] = {}
    with rival(
        "nnunet_train.py", scan.ct, scan.label, folder / "nnunet", document, str(classes), plan.device.type
    ) as it:
        for compiled in (False, True) if plan.device.type == "cuda" else (False,):
            told = it.ask("train", steps=plan.steps, warm=plan.warm, compiled=compiled)
            share = {"step": told["seconds"] / plan.steps, "waiting": told["waited"] / told["seconds"]}
            found["compiled" if compiled else "not compiled"] = told | share
    return found


def nnunet_python(device: torch.device) -> Path | str:
    """A Python that has nnU-Net and sees the device, or why there is none."""
    if BENCH.exists():
        asks = f"import nnunetv2, torch; raise SystemExit(not ({device.type!r} == 'cpu' or torch.cuda.is_available()))"
        if subprocess.run([str(BENCH), "-c", asks], capture_output=True).returncode == 0:
            return BENCH
    if importlib.util.find_spec("nnunetv2"):
        return Path(sys.executable)
    return "nnU-Net 2.8.1 is neither in .bench, for this device, nor beside this Python"


def report(scan: Scan, plan: Plan, stream: Answer, ours: Answer, theirs: dict[str, Answer] | str) -> None:
    """The claims."""
    what = f"preset {plan.config.preset}, patch {'×'.join(map(str, plan.config.patch))}, {plan.device.type}"
    rows = []
    for how, other in theirs.items() if isinstance(theirs, dict) else [("", {})]:
        name = f"nnU-Net 2.8.1 trainer, same network, {how}" if other else None
        rows += [
            row(f"seconds a training step, {what}", ours["step"], other.get("step"), name, "s", 1.0, rival_told=other),
            row(f"share of the time waiting for data, {what}", max(ours["waiting"], 1e-6), other.get("waiting"), name,
                "share") | {"target": 0.05, "met": ours["waiting"] <= 0.05},
            row(f"peak memory, {what}", ours["peak_mb"], other.get("peak_mb"), name, "MB"),
        ]  # fmt: skip
    same = stream["draws_equal"] and stream["share_within_0.01"] > 0.9999 and stream["label_sets_equal"] > 0.9999
    rows.append(row("largest difference to the CPU's patches", stream["largest_difference"], None, None, "SD")
        | {"target": 0.01, "met": same, **stream})  # fmt: skip
    left_out = {"left_out": theirs} if isinstance(theirs, str) else {}
    gpu = torch.cuda.get_device_name(plan.device) if plan.device.type == "cuda" else None
    finish("training", rows, gpu=gpu, scan=scan.name, steps=plan.steps, flaredb_told=ours, **left_out)


if __name__ == "__main__":
    main()
