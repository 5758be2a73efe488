"""What a command takes, measured as FLARE measures it: wall time, memory of the GPU over time, memory of the host.

FLARE's figures: the time of a whole case from start to end; the largest of samples of the memory in use on the whole
device (total less free), taken every 0.1 s; and `AUC_GPU_Time`, the sum of the samples in MB × 0.1. Source: the
organisers' `Efficiency.py` and `load_json.py`. They sample the memory of the whole host, too; here it is that of the
command and all it started, which others on the machine do not change.
"""

from __future__ import annotations

import contextlib
import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from flaredb.errors import NotFoundError

INTERVAL_S = 0.1
TOLERATED_S, TOLERATED_MB = 15.0, 4096.0  # FLARE23: a case within them loses nothing
_PROC = Path("/proc")
_FIRST_S = 10.0  # how long the GPU's first answer may take


class Usage(NamedTuple):
    """What a command took; memory in MB (2²⁰ bytes), None where it cannot be known.

    `gpu_area_mb_s` is FLARE's AUC_GPU_Time. `ram_peak_mb`: largest sum over the command's processes, sampled, or the
    largest that one of them ever held, if that is more.
    """

    returncode: int
    seconds: float
    gpu_peak_mb: float | None
    gpu_area_mb_s: float | None
    gpu_samples: int
    ram_peak_mb: float | None


def measure_command(command: Sequence[str], gpu: int = 0, smi: str = "nvidia-smi") -> Usage:
    """Run a command to its end and measure it; `gpu` is the device's number for `nvidia-smi`.

    Without that program, or without such a device, the GPU's figures are None. Raises NotFoundError if there is no
    such command.
    """
    device = _Device(gpu, smi)
    try:
        start = time.perf_counter()
        device.begin()
        try:
            process = subprocess.Popen(list(command))  # noqa: S603  the user's own command
        except OSError as error:
            raise NotFoundError(f"{command[0]}: {error.strerror}") from error
        ram, code = _watch(process)
        seconds = time.perf_counter() - start
        samples = device.end()
    finally:
        device.close()
    peak, area = (max(samples), round(sum(samples) * INTERVAL_S, 1)) if samples else (None, None)
    return Usage(code, round(seconds, 3), peak, area, len(samples), ram)


class _Device:
    """The memory in use on a GPU, as `nvidia-smi` tells it ten times a second; silent where there is none."""

    def __init__(self, gpu: int, smi: str) -> None:
        query = ["--query-gpu=memory.total,memory.free", "--format=csv,noheader,nounits"]
        command = [smi, *query, "-i", str(gpu), "-lms", str(int(INTERVAL_S * 1000))]
        self.samples: list[float] = []
        self.first = 0
        self.told = threading.Event()
        self.process: subprocess.Popen[str] | None = None
        try:
            self.process = subprocess.Popen(  # noqa: S603
                command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
            )
        except OSError:
            return
        self.listener = threading.Thread(target=self._listen, daemon=True)
        self.listener.start()
        self.told.wait(_FIRST_S)

    def begin(self) -> None:
        """Samples count from here on."""
        self.first = len(self.samples)

    def end(self) -> list[float]:
        """The samples since the beginning."""
        return self.samples[self.first :]

    def close(self) -> None:
        """Stop asking."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self.listener.join()
            if self.process.stdout:
                self.process.stdout.close()

    def _listen(self) -> None:
        if self.process and self.process.stdout:
            for line in self.process.stdout:
                parts = line.split(",")
                if len(parts) == 2 and all(part.strip().isdigit() for part in parts):
                    self.samples.append(float(parts[0]) - float(parts[1]))
                    self.told.set()
        self.told.set()


def _watch(process: subprocess.Popen[bytes]) -> tuple[float | None, int]:
    """Peak memory of a process and all it starts, in MB, and its exit code, when it has ended."""
    peak = 0.0
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    try:
        while process.poll() is None:
            peak = max(peak, _tree_mb(process.pid))
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(INTERVAL_S / 2)
    except BaseException:
        process.kill()
        process.wait()
        raise
    after = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    if after > before:  # the system keeps the largest of all that have ended
        peak = max(peak, after / (1 << 20 if sys.platform == "darwin" else 1 << 10))
    return (round(peak, 1) or None), process.returncode


def _tree_mb(root: int) -> float:
    """Resident memory of a process and its descendants; 0 where the system does not tell."""
    parents: dict[int, int] = {}
    pages: dict[int, int] = {}
    for entry in _PROC.glob("[0-9]*/stat"):
        try:
            # the name, in brackets, may hold anything; after it: state, parent, …, resident pages as the 22nd
            fields = entry.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has just ended
        parents[int(entry.parent.name)], pages[int(entry.parent.name)] = int(fields[1]), int(fields[21])
    own = {root}
    while more := {child for child, parent in parents.items() if parent in own} - own:
        own |= more
    return sum(pages.get(number, 0) for number in own) * os.sysconf("SC_PAGE_SIZE") / (1 << 20)
