"""Small volumes, and what other processes do with them."""

from __future__ import annotations

import os
import resource
import signal
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flaredb.geometry import Grid
from flaredb.volumes.store import VolumeStore
from flaredb.workflow.integrity.gc import gc
from flaredb.workspace import Workspace
from tests.builders import add_label, grid

SHAPE = (5, 70, 66)  # more than one chunk along y and x


def image(shape: tuple[int, int, int] = SHAPE, shift: int = 0) -> NDArray[np.int16]:
    """HU that differ everywhere, negative ones too."""
    return ((np.arange(np.prod(shape)) * 37 + shift) % 4000 - 1024).reshape(shape).astype(np.int16)


def label(shape: tuple[int, int, int] = SHAPE, dtype: Any = np.uint8) -> NDArray[Any]:
    """Codes 0, 1, 2 and 14, each often enough to overflow the foreground index."""
    return np.choose(np.arange(np.prod(shape)).reshape(shape) * 7 // 5 % 4, [0, 1, 2, 14]).astype(dtype)


def put(store: VolumeStore, kind: str, shape: tuple[int, int, int] = SHAPE) -> str:
    """Store one of the above; its digest."""
    if kind == "image":
        return store.put_image(image(shape), grid(shape)).volume
    return store.put_label(label(shape), grid(shape)).volume


def voxels(kind: str, shape: tuple[int, int, int] = SHAPE) -> NDArray[Any]:
    """What `put` stored."""
    return image(shape) if kind == "image" else label(shape)


def files(root: Path) -> list[Path]:
    """Every file under a folder."""
    return sorted(f for f in root.rglob("*") if f.is_file())


def flip(path: Path, place: int, bit: int = 0) -> None:
    """Change one bit of a file."""
    content = bytearray(path.read_bytes())
    content[place] ^= 1 << bit
    path.write_bytes(content)


def rezip(path: Path, without: str) -> None:
    """Write a stored zip again without one member."""
    with zipfile.ZipFile(path) as archive:
        kept = {name: archive.read(name) for name in archive.namelist() if name != without}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, content in kept.items():
            archive.writestr(name, content)


def put_many(root: Path, count: int) -> list[str]:
    """In another process: store `count` volumes of each kind; their digests."""
    store, shape = VolumeStore(root), (3, 20, 20)
    made = []
    for i in range(count):
        made.append(store.put_image(image(shape, shift=i), grid(shape)).volume)
        made.append(store.put_label(np.full(shape, i, np.uint8), grid(shape)).volume)
    return made


def total(root: Path, digest: str) -> int:
    """In another process: the sum of a volume's voxels."""
    return int(VolumeStore(root).open(digest).read().sum(dtype=np.int64))


def die_while_putting(root: Path, kind: str, step: str) -> None:
    """In another process: store a volume, and be killed (-9) when a staged file of this name is about to be touched.

    `rename` dies before the volume is published.
    """

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        touched = str(arguments[0]) if arguments else ""
        if event == "os.rename" if step == "rename" else (event in ("open", "os.mkdir") and touched.endswith(step)):
            os.kill(os.getpid(), signal.SIGKILL)

    store = VolumeStore(root)
    sys.addaudithook(watch)
    put(store, kind)


KEPT: list[VolumeStore] = []


def put_to_pin(root: Path, kind: str, keep: bool = False, limit: int | None = None) -> str:
    """In another process: store a volume, and keep its store open; no file may grow beyond a limit (bytes)."""
    if limit:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # or the process would be killed instead of told
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    store = VolumeStore(root)
    KEPT.extend([store] * keep)
    return put(store, kind)


def put_and_enter(root: Path, lattice: Grid, count: int, done: Path) -> list[str]:
    """In another process: store label volumes that may be there, wait a little, enter each; their digests."""
    entered = []
    try:
        with Workspace.open(root) as workspace:
            for code in range(count):
                digest = workspace.volumes.put_label(np.full(lattice.shape, code, np.uint8), lattice).volume
                time.sleep(0.05)
                with workspace.run("enter") as run, run.write() as write:
                    add_label(write, f"source{code}", "a", volume=digest)
                entered.append(digest)
    finally:
        done.touch()
    return entered


def throw_away(root: Path, done: Path) -> int:
    """In another process: throw away whatever nobody points at, again and again; how many times."""
    times = 0
    with Workspace.open(root) as workspace:
        while not done.exists():
            gc(workspace, yes=True, age_floor_s=0)
            times += 1
    return times


if __name__ == "__main__":
    die_while_putting(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
