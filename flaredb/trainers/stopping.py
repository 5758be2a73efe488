"""When to stop before the end: a signal that asks for it, or a limit of time."""

from __future__ import annotations

import re
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from flaredb.errors import UsageError


class Stop:
    """Asked after every step; `reason` says why to stop, or is None."""

    def __init__(self, seconds: float | None = None) -> None:
        self._deadline = None if seconds is None else time.monotonic() + seconds
        self._asked = False

    @property
    def reason(self) -> str | None:
        """Why to stop after this step."""
        if self._asked:
            return "it was asked to stop"
        if self._deadline is not None and time.monotonic() >= self._deadline:
            return "the time limit was reached"
        return None

    def ask(self) -> None:
        """Stop after this step."""
        self._asked = True

    @contextmanager
    def on_signal(self) -> Iterator[Stop]:
        """While the block runs, SIGTERM asks to stop instead of ending the process."""
        if threading.current_thread() is not threading.main_thread():
            yield self  # only the main thread may say what a signal does
            return

        def asked(_number: int, _frame: FrameType | None) -> None:
            self.ask()

        before = signal.signal(signal.SIGTERM, asked)
        try:
            yield self
        finally:
            signal.signal(signal.SIGTERM, before)


def seconds_of(text: str) -> float:
    """A duration as people write it: `23:30` is hours and minutes, `90` minutes. UsageError for anything else."""
    found = re.fullmatch(r"(?:(\d+):([0-5]\d)|(\d+(?:\.\d+)?))", text)
    hours, minutes, alone = found.groups("0") if found else ("0", "0", "0")
    seconds = int(hours) * 3600 + int(minutes) * 60 + float(alone) * 60
    if seconds <= 0:
        raise UsageError(f"--time-limit {text}: give hours and minutes (23:30), or minutes (90)")
    return seconds
