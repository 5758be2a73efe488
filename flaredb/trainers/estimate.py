"""What a training would take: parameters, FLOPs, memory and disk by calculation, hours after a few timed steps."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Generator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple, cast

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils.flop_counter import FlopCounterMode

from flaredb.errors import InvalidDataError
from flaredb.trainers.config import Config
from flaredb.trainers.loop import Training, train
from flaredb.trainers.networks import Network
from flaredb.trainers.runtime import autocast

_WARM = 2  # steps before the timed ones: kernels are chosen and files read for the first time
_PATIENCE = 90.0  # seconds after which fewer steps must do


class Memory(NamedTuple):
    """Bytes that training needs on its device.

    `activations`: what the forward pass keeps for the backward pass. `working`: gradients of logits and of the two
    largest activations. `measured`: the peak of the timed steps on a GPU; None where there was none.
    """

    weights: int
    gradients: int
    optimiser: int
    activations: int
    working: int
    measured: int | None = None

    @property
    def total(self) -> int:
        """All of them, by calculation."""
        return self.weights + self.gradients + self.optimiser + self.activations + self.working


class Disk(NamedTuple):
    """Bytes: one checkpoint, the model at the end, and the most that is there at a time.

    The most: the last checkpoint beside the one being written, the best weights where there is validation, the model.
    """

    checkpoint: int
    model: int
    most: int


class Timing(NamedTuple):
    """Steps timed, the mean seconds of one, and hours for all steps of the run (validation not counted)."""

    timed: int
    seconds_a_step: float
    hours: float


class Estimate(NamedTuple):
    """What a training would take.

    `patch_flops`: forward pass of one patch, a multiplication and an addition being two. `step_flops`: forward and
    backward passes of a batch. `timing` is None where no step was timed; `untimed` says why.
    """

    preset: str
    steps: int
    batch: int
    patch: tuple[int, int, int]
    parameters: int
    patch_flops: int
    step_flops: int
    memory: Memory
    disk: Disk
    device: str
    timing: Timing | None
    untimed: str


def estimate(run: Training, timed: int = 10) -> Estimate:
    """What a run would take; `timed` steps are made and thrown away, none for 0.

    Nothing is written but a temporary folder. Steps are not timed where there is no case to learn from or memory would
    not do; fewer are where they are slow (after 90 s two are enough).
    """
    made = calculate(run.config, len(run.data.task.structures) + 1, run.device)
    untimed = _why_not(run, made.memory, timed)
    if untimed:
        return made._replace(untimed=untimed)
    if run.device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(run.device)
    timing = _time(run, timed)
    peak = torch.cuda.max_memory_allocated(run.device) if run.device.type == "cuda" else None
    return made._replace(timing=timing, memory=made.memory._replace(measured=peak))


def calculate(config: Config, classes: int, device: torch.device) -> Estimate:
    """What can be said without a step: passes over tensors that have shapes and no memory."""
    with FakeTensorMode():
        network = Network(config, classes).train()
        parameters = [value.untyped_storage() for value in network.parameters()]
        count = sum(value.numel() for value in network.parameters())
        forward, outputs, kept = _forward(network, config, {storage._cdata for storage in parameters})
        with FlopCounterMode(display=False) as backward:
            torch.autograd.backward(outputs, [torch.empty_like(out) for out in outputs])
    largest = sorted(kept.values())[-2:]
    logits = sum(out.nbytes for out in outputs)
    state = 4 * count * (1 if config.optimiser == "sgd" else 2)
    checkpoint = 4 * count + state
    best = 4 * count if config.validate_every else 0
    return Estimate(
        preset=config.preset,
        steps=config.steps,
        batch=config.batch,
        patch=config.patch,
        parameters=count,
        patch_flops=forward // config.batch,
        step_flops=forward + backward.get_total_flops(),
        memory=Memory(4 * count, 4 * count, state, sum(kept.values()), sum(largest) + logits),
        disk=Disk(checkpoint, 4 * count, 2 * checkpoint + best + 4 * count),
        device=torch.cuda.get_device_name(device) if device.type == "cuda" else device.type,
        timing=None,
        untimed="",
    )


def _forward(network: Network, config: Config, own: set[int]) -> tuple[int, list[Tensor], dict[int, int]]:
    """FLOPs of the forward pass, the logits of each level, and the bytes of each storage kept for the way back."""
    kept: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage._cdata not in own:
            kept[storage._cdata] = storage.nbytes()
        return tensor

    image = torch.empty((config.batch, 1, *config.patch))
    hooks = torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor)
    with FlopCounterMode(display=False) as counter, hooks, autocast(torch.device("cpu"), config.bf16):
        outputs = network(image)
    return counter.get_total_flops(), [outputs] if isinstance(outputs, Tensor) else list(outputs), kept


def _why_not(run: Training, memory: Memory, timed: int) -> str:
    """Why no step is timed; empty if nothing is in the way."""
    if timed < 1:
        return "not asked for"
    if not run.data.cases:
        return "no case has anything decided for this task"
    there = _memory_of(run.device)
    if there is not None and memory.total > there:
        return f"needs about {memory.total / 1e9:.0f} GB, and {run.device.type} has {there / 1e9:.0f} GB free"
    return ""


def _memory_of(device: torch.device) -> int | None:
    """Bytes that a training could have; None where the system does not say."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable"))
    except (OSError, StopIteration):
        pages = os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else -1
        return pages * os.sysconf("SC_PAGE_SIZE") if pages > 0 else None


def _time(run: Training, timed: int) -> Timing:
    """The loop's own steps, without validation, pictures or checkpoints."""
    never = max(run.config.steps, _WARM + timed + 1)
    config = replace(
        run.config, steps=never, schedule_steps=0, checkpoint_every=never, validate_every=0, picture_every=0
    )
    with tempfile.TemporaryDirectory() as folder:
        trial = run._replace(config=replace(config, publish="last"), folder=Path(folder), board=None)
        with closing(cast(Generator[float, None, None], train(trial))) as steps:
            seconds = _durations(steps, _WARM + timed)
    counted = seconds[_WARM:] or seconds[-1:]
    mean = sum(counted) / len(counted)
    return Timing(len(counted), mean, mean * run.config.steps / 3600)


def _durations(steps: Generator[float, None, None], wanted: int) -> list[float]:
    """Seconds of each step; InvalidDataError if there is none."""
    seconds: list[float] = []
    began = last = time.perf_counter()
    for _ in steps:
        now = time.perf_counter()
        seconds.append(now - last)
        last = now
        if len(seconds) >= wanted or (len(seconds) >= 2 and now - began > _PATIENCE):
            return seconds
    raise InvalidDataError("the training ended before its steps were timed")
