"""The rival's end of the line: JSON lines on standard input are answered with JSON lines on standard output."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any


def answer(build: Callable[[], Any]) -> None:
    """Build an object, say so, then call the methods asked for until standard input ends.

    Standard output is for answers: what the libraries print goes to standard error.
    """
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    asked_of = build()
    print(json.dumps({"ready": True}), file=answers, flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        verb = asked.pop("do")
        print(json.dumps(getattr(asked_of, verb)(**asked)), file=answers, flush=True)


def patches(take: Callable[[], int], count: int) -> dict[str, list[float]]:
    """Seconds of the wall and of the processor for each patch; `take` makes some and says how many."""
    seconds: list[float] = []
    worked: list[float] = []
    while len(seconds) < count:
        start, begun = time.perf_counter(), time.process_time()
        made = take()
        spent, busy = time.perf_counter() - start, time.process_time() - begun
        seconds += [spent / made] * made
        worked += [busy / made] * made
    return {"seconds": seconds, "worked": worked}
