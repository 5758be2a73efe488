"""Who is writing: what a process put stays until that process ends, so that it can still be entered in the catalogue.

A pin is a file of `pins/`, locked by its process for as long as that lives; it is as old as the first write. A process
that ends, however it ends, has let go. The gate keeps apart what must not happen at once: volumes are put in their
place by any number of processes, and taken away from it by one alone.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import threading
import uuid
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_ONE_AT_A_TIME = threading.Lock()


class Pins:
    """The pins of a store; `hold` makes this process's own."""

    def __init__(self, root: Path) -> None:
        self.folder = root / "pins"
        self._own: Path | None = None

    def hold(self) -> None:
        """From now on, what this process puts or touches is left alone; until it ends or its store is forgotten."""
        with _ONE_AT_A_TIME:
            if self._own is None:
                self._own, handle = _locked(self.folder)
                weakref.finalize(self, _let_go, self._own, handle)

    def oldest(self) -> float | None:
        """Since when another process writes (seconds since the epoch, by the disk's clock); None if none does.

        Pins of processes that have ended are removed.
        """
        found = [_living(file) for file in self.folder.glob("*.pin") if file != self._own]
        return min((since for since in found if since is not None), default=None)

    def now(self) -> float:
        """The moment by the clock of the disk that the volumes are on."""
        with self.gate():
            os.utime(self.folder / "gate")
            return (self.folder / "gate").stat().st_mtime

    @contextmanager
    def gate(self, alone: bool = False) -> Iterator[None]:
        """Held while a volume gets its place (with others), or is taken from it (alone)."""
        self.folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(self.folder / "gate", os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
            yield
        finally:
            os.close(handle)


def _locked(folder: Path) -> tuple[Path, int]:
    """A new pin; made again if somebody took it for a dead one before it was locked."""
    folder.mkdir(parents=True, exist_ok=True)
    while True:
        file = folder / f"{os.getpid()}-{uuid.uuid4().hex}.pin"
        handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        fcntl.flock(handle, fcntl.LOCK_EX)
        if file.exists():
            return file, handle
        os.close(handle)


def _living(file: Path) -> float | None:
    """Since when a pin is held; None if its process has ended, and then it is removed."""
    try:
        handle = os.open(file, os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return os.fstat(handle).st_mtime
    else:
        with contextlib.suppress(OSError):
            file.unlink()
        return None
    finally:
        os.close(handle)


def _let_go(file: Path, handle: int) -> None:
    with contextlib.suppress(OSError):
        file.unlink()
    os.close(handle)
