"""The store of volumes: write once, verified and durable; named by content; nothing is ever changed in place.

Promised: a volume that `put_…` returned is on disk, complete and read back equal; a crash before that leaves only
files under `staging/`; putting the same content twice keeps one copy; two processes may put at once.
Not promised: that a volume somebody edits by hand is noticed before `fsck` reads it.
"""

from __future__ import annotations

import json
import os
import shutil
import uuid
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flaredb.errors import StorageError
from flaredb.geometry import Grid
from flaredb.volumes import foreground
from flaredb.volumes.layout import (
    Digests,
    VolumeKind,
    array_metadata,
    digests,
    group_metadata,
    smallest_unsigned,
)
from flaredb.volumes.reader import Volume, open_array, open_volume

_SUFFIX: dict[VolumeKind, str] = {"image": ".zarr", "label": ".zarr.zip"}


class VolumeStore:
    """Volumes under a folder: `images/ab/<digest>.zarr/` and `labels/ab/<digest>.zarr.zip`."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def put_image(self, voxels: NDArray[np.int16], grid: Grid) -> Digests:
        """Store a CT in HU, (z, y, x)."""
        return self._put("image", np.ascontiguousarray(voxels, dtype=np.int16), grid)

    def put_label(self, codes: NDArray[Any], grid: Grid) -> Digests:
        """Store label codes, (z, y, x), in the smallest unsigned type that holds them."""
        return self._put("label", smallest_unsigned(codes), grid)

    def open(self, digest: str) -> Volume:
        """Open a volume for reading; raises StorageError if it is not there or damaged."""
        return open_volume(self.path(digest))

    def path(self, digest: str) -> Path:
        """Where a volume is; raises StorageError if the store does not have it."""
        for kind in _SUFFIX:
            place = self._place(kind, digest)
            if place.exists():
                return place
        raise StorageError(f"volume {digest[:12]} is missing; restore it from a backup or import again")

    def has(self, digest: str) -> bool:
        """Whether the volume is there."""
        return any(self._place(kind, digest).exists() for kind in _SUFFIX)

    def digests(self) -> Iterator[str]:
        """Every volume there is."""
        for kind, suffix in _SUFFIX.items():
            for place in sorted((self.root / f"{kind}s").glob(f"??/*{suffix}")):
                yield place.name.removesuffix(suffix)

    def staged(self) -> list[Path]:
        """What interrupted writes left behind (or running ones are writing)."""
        return sorted((self.root / "staging").glob("*"))

    def verify(self, digest: str) -> str | None:
        """Read a whole volume again; what is wrong with it, or None."""
        try:
            volume = self.open(digest)
            voxels = volume.read()
            kind: VolumeKind = "image" if volume.path.is_dir() else "label"
            if digests(kind, voxels, volume.grid).volume != digest:
                return f"volume {digest[:12]} holds other voxels than it was written with"
            if kind == "label" and not foreground.same(volume.foreground, voxels, digest):
                return f"volume {digest[:12]} has another foreground index than its voxels give"
        except StorageError as error:
            return str(error)
        return None

    def size(self, digest: str) -> int:
        """Allocated bytes of a volume."""
        place = self.path(digest)
        files = [place] if place.is_file() else [f for f in place.rglob("*") if f.is_file()]
        return sum(f.stat().st_blocks * 512 for f in files)

    def remove(self, digest: str) -> None:
        """Delete a volume for good; only `gc` and `purge` have reason to."""
        _remove(self.path(digest))

    def clear_staging(self, older_than: float) -> int:
        """Delete what was staged before a moment (seconds since the epoch); how many."""
        stale = [place for place in self.staged() if place.stat().st_mtime < older_than]
        for place in stale:
            _remove(place)
        return len(stale)

    def _place(self, kind: VolumeKind, digest: str) -> Path:
        return self.root / f"{kind}s" / digest[:2] / f"{digest}{_SUFFIX[kind]}"

    def _put(self, kind: VolumeKind, voxels: NDArray[Any], grid: Grid) -> Digests:
        if voxels.shape != grid.shape:
            raise ValueError(f"voxels of shape {voxels.shape} on a grid of shape {grid.shape}")
        named = digests(kind, voxels, grid)
        place = self._place(kind, named.volume)
        if place.exists():
            if self.verify(named.volume) is None:
                os.utime(place)  # young again: `gc` leaves alone what somebody is about to point at
                return named
            _remove(place)
        stage = self.root / "staging" / f"{os.getpid()}-{uuid.uuid4().hex}"
        try:
            written = _write(stage, kind, voxels, named.volume, grid)
            if not np.array_equal(open_volume(written).read(), voxels):
                raise StorageError(f"volume {named.volume[:12]} read back differently; check the disk and try again")
            _publish(written, place)
        finally:
            if stage.exists():
                shutil.rmtree(stage)
        return named


def _write(stage: Path, kind: VolumeKind, voxels: NDArray[Any], digest: str, grid: Grid) -> Path:
    """Write the group under the staging folder; the folder or zip to publish."""
    group = stage / "volume"
    group.mkdir(parents=True)
    spec = {
        "driver": "zarr3",
        "kvstore": {"driver": "file", "path": f"{group / '0'}/"},
        "metadata": array_metadata(kind, voxels.shape, voxels.dtype),
        "store_data_equal_to_fill_value": True,  # or an empty label would look like one that lost its shard
    }
    open_array(spec, create=True).write(voxels).result()
    (group / "zarr.json").write_text(json.dumps(group_metadata(kind, digest, grid)))
    if kind == "image":
        return group
    (group / "foreground.npz").write_bytes(foreground.build(voxels, digest))
    archive = stage / "volume.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as packed:
        for file in sorted(f for f in group.rglob("*") if f.is_file()):
            packed.write(file, file.relative_to(group).as_posix())
    return archive


def _publish(written: Path, place: Path) -> None:
    """Make durable, then visible under its name in one step."""
    for file in [written, *sorted(written.rglob("*"))] if written.is_dir() else [written]:
        _fsync(file)
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        written.rename(place)
    except OSError:
        if not place.exists():  # otherwise another process was first with the same content
            raise
    _fsync(place.parent)
    _fsync(place.parent.parent)


def _fsync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _remove(place: Path) -> None:
    if place.is_dir():
        shutil.rmtree(place)
    else:
        place.unlink()
