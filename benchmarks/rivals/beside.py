"""What every comparison needs: the data, the rival's process, equal cores, and the line that is printed in the end."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("FLAREDB_TEST_DATA") or ROOT.parent / "shared" / "data")
BENCH = ROOT / ".bench" / "bin" / "python"


def need(*places: Path) -> None:
    """Leave with exit code 2 and one line unless all places are there."""
    missing = [str(place) for place in places if not place.exists()]
    if BENCH in places and str(BENCH) in missing:
        sys.exit(_refuse("the rivals' environment is missing; make it with: make bench-env"))
    if missing:
        sys.exit(_refuse(f"missing: {', '.join(missing)}; set FLAREDB_TEST_DATA to the folder with the real scans"))


def _refuse(message: str) -> int:
    print(message, file=sys.stderr)
    return 2


def one_core() -> None:
    """Keep this process, and those it starts, on one core: nobody wins by threads that the other does not have."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    else:
        print("this system cannot pin processes to a core; threads may differ", file=sys.stderr)


class Rival:
    """A process of `.bench` that answers a JSON line with a JSON line."""

    def __init__(self, script: str, *arguments: str | Path) -> None:
        command = [str(BENCH), str(Path(__file__).with_name(script)), *map(str, arguments)]
        self._log: list[str] = []
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self._answer()

    def ask(self, do: str, **arguments: Any) -> dict[str, Any]:
        """What the rival answers."""
        assert self._process.stdin
        print(json.dumps({"do": do, **arguments}), file=self._process.stdin, flush=True)
        return self._answer()

    def close(self) -> None:
        """Let it end."""
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the rival ended with {self._process.wait()}: {self._process.args}")
        answer: dict[str, Any] = json.loads(line)
        return answer


@contextmanager
def rival(script: str, *arguments: str | Path) -> Iterator[Rival]:
    """A rival that is ready, and gone afterwards."""
    process = Rival(script, *arguments)
    try:
        yield process
    finally:
        process.close()


def row(
    claim: str, ours: float, rival: float | None, name: str | None, unit: str, target: float | None = None, **more: Any
) -> dict[str, Any]:
    """A claim whose figure is better when smaller; `target` is the ratio that must be reached."""
    ratio = round(rival / ours, 2) if rival else None
    met = None if target is None or ratio is None else ratio >= target
    told = f"{claim}: {ours:.5g} {unit}" + (f", {name} {rival:.5g} {unit}, ratio {ratio}" if rival else "")
    print(told, file=sys.stderr)
    return {"claim": claim, "flaredb": round(ours, 6), "rival": rival and round(rival, 6), "rival_name": name,
            "unit": unit, "ratio": ratio, "target": target, "met": met, **more}  # fmt: skip


def finish(benchmark: str, rows: list[dict[str, Any]], **more: Any) -> None:
    """The one JSON line at the end of standard output."""
    print(json.dumps({"benchmark": benchmark, "machine": machine(), "rows": rows, **more}))


def machine() -> dict[str, Any]:
    """What this ran on."""
    return {"processor": _processor(), "cpus": os.cpu_count(), "platform": platform.platform(),
            "python": platform.python_version()}  # fmt: skip


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())
