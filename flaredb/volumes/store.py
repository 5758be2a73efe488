"""The store of volumes: write once, verified and durable; named by content; nothing is ever changed in place.

Promised: a volume that `put_…` returned is on disk, complete and read back equal; a crash or a full disk before that
leaves only files under `staging/`; putting the same content twice keeps one copy, putting it over a damaged one sets
that aside; two processes may put at once; what a living process put is not thrown away (`pins`).
Not promised: that a volume somebody edits by hand is noticed before `fsck` reads it.

Throwing away takes two steps, because it cannot be undone: `discard` moves a volume to `trash/`, where its age says
when; `empty` removes it from there. Damaged volumes are kept in `quarantine/`.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import uuid
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from flaredb.durable import to_disk
from flaredb.errors import StorageError
from flaredb.geometry import Grid
from flaredb.volumes import foreground, integrity
from flaredb.volumes.integrity import Look, Trouble
from flaredb.volumes.layout import (
    Digests,
    VolumeKind,
    array_metadata,
    digests,
    group_metadata,
    smallest_unsigned,
)
from flaredb.volumes.pins import Pins
from flaredb.volumes.reader import INDEX, Volume, open_array, open_volume

_SUFFIX: dict[VolumeKind, str] = {"image": ".zarr", "label": ".zarr.zip"}
_FULL = ("No space left", "Disk quota exceeded", "File too large")


class VolumeStore:
    """Volumes under a folder: `images/ab/<digest>.zarr/` and `labels/ab/<digest>.zarr.zip`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.pins = Pins(root)

    def __reduce__(self) -> tuple[type[VolumeStore], tuple[Path]]:
        return VolumeStore, (self.root,)  # another process has pins of its own

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

    def look(self, digest: str) -> Look:
        """What a look at a volume finds, without reading voxels."""
        return integrity.look(self.path(digest), digest)

    def examine(self, digest: str) -> Trouble | None:
        """Read a whole volume again; what is wrong with it, or None."""
        return integrity.examine(self.path(digest), digest)

    def verify(self, digest: str) -> str | None:
        """The same in words."""
        try:
            trouble = self.examine(digest)
        except StorageError as error:
            return str(error)
        return f"volume {digest[:12]}: {trouble.message}" if trouble else None

    def size(self, digest: str) -> int:
        """Allocated bytes of a volume."""
        place = self.path(digest)
        files = [place] if place.is_file() else [f for f in place.rglob("*") if f.is_file()]
        return sum(f.stat().st_blocks * 512 for f in files)

    def touched(self, digest: str) -> float | None:
        """When a volume was put or last asked for (seconds since the epoch); None if it is not there."""
        found = [_age_mark(self._place(kind, digest)) for kind in _SUFFIX]
        return max(found) or None

    def settled(self, age_s: float) -> float:
        """The moment before which nobody living put or touched anything, at least so many seconds ago."""
        now, oldest = self.pins.now() - age_s, self.pins.oldest()
        return now if oldest is None else min(now, oldest)

    def stale(self, before: float | None = None) -> list[Path]:
        """What was staged before a moment, or by nobody living."""
        before = self.pins.oldest() if before is None else before
        return [place for place in self.staged() if before is None or _age_mark(place) < before]

    def discard(self, digest: str, before: float) -> bool:
        """Move a volume to the trash, unless it was put or touched since a moment, or is gone; whether it was."""
        with self.pins.gate(alone=True):
            touched = self.touched(digest)
            if touched is None or touched >= before:
                return False
            self._move(self.path(digest), "trash")
        return True

    def trashed(self) -> dict[str, float]:
        """Volumes in the trash, and when they came there (seconds since the epoch)."""
        return {_digest(place): _age_mark(place) for place in sorted((self.root / "trash").glob("*"))}

    def bring_back(self, digest: str) -> None:
        """Take a volume out of the trash again."""
        with self.pins.gate(alone=True):
            for kind, suffix in _SUFFIX.items():
                thrown = self.root / "trash" / f"{digest}{suffix}"
                if thrown.exists() and not self._place(kind, digest).exists():
                    self._place(kind, digest).parent.mkdir(parents=True, exist_ok=True)
                    thrown.rename(self._place(kind, digest))

    def quarantine(self, digest: str) -> Path | None:
        """Set a damaged volume aside; where it is now, None if it is gone."""
        with self.pins.gate(alone=True):
            return self._move(self.path(digest), "quarantine") if self.has(digest) else None

    def quarantined(self) -> dict[str, float]:
        """Damaged volumes that were set aside, and when."""
        return {_digest(place): _age_mark(place) for place in sorted((self.root / "quarantine").glob("*"))}

    def empty(self, folder: Literal["trash", "quarantine"], digest: str) -> None:
        """Remove a volume from the trash or from quarantine for good."""
        for suffix in _SUFFIX.values():
            self._delete(self.root / folder / f"{digest}{suffix}")

    def remove(self, digest: str) -> None:
        """Delete a volume for good, wherever it is; only `purge` has reason to."""
        for kind in _SUFFIX:
            self._delete(self._place(kind, digest))
        self.empty("trash", digest)
        self.empty("quarantine", digest)

    def clear_staging(self, older_than: float) -> int:
        """Delete what was staged before a moment (seconds since the epoch); how many."""
        stale = self.stale(older_than)
        for place in stale:
            _remove(place)
        return len(stale)

    def _place(self, kind: VolumeKind, digest: str) -> Path:
        return self.root / f"{kind}s" / digest[:2] / f"{digest}{_SUFFIX[kind]}"

    def _put(self, kind: VolumeKind, voxels: NDArray[Any], grid: Grid) -> Digests:
        if voxels.shape != grid.shape:
            raise ValueError(f"voxels of shape {voxels.shape} on a grid of shape {grid.shape}")
        named = digests(kind, voxels, grid)
        with _failures_told(named.volume):
            self.pins.hold()
            if self._touch(self._place(kind, named.volume)):
                if self.examine(named.volume) is None:
                    return named
                self.quarantine(named.volume)
            with self._staging() as stage:
                written = _write(stage, kind, voxels, named.volume, grid)
                if not np.array_equal(open_volume(written).read(), voxels):
                    raise StorageError(f"volume {named.volume[:12]} read back differently; check the disk, then retry")
                _make_durable(written)
                self._publish(written, self._place(kind, named.volume))
        return named

    def _publish(self, written: Path, place: Path) -> None:
        """Make visible under its name in one step."""
        place.parent.mkdir(parents=True, exist_ok=True)
        with self.pins.gate():
            try:
                written.rename(place)
            except OSError:
                if not place.exists():  # otherwise another process was first with the same content
                    raise
        to_disk(place.parent)
        to_disk(place.parent.parent)

    def _touch(self, place: Path) -> bool:
        """Whether a volume is there; it is young again, so that nobody throws it away meanwhile."""
        with self.pins.gate():
            if place.exists():
                os.utime(place)
                return True
        return False

    @contextmanager
    def _staging(self) -> Iterator[Path]:
        """A folder to write in, gone afterwards."""
        stage = self.root / "staging" / f"{os.getpid()}-{uuid.uuid4().hex}"
        try:
            yield stage
        finally:
            _remove(stage)

    def _move(self, place: Path, folder: str) -> Path:
        """Into another folder of the store, its age beginning now; what lay there under its name is replaced."""
        there = self.root / folder / place.name
        self._delete(there)
        there.parent.mkdir(parents=True, exist_ok=True)
        os.utime(place)
        place.rename(there)
        return there

    def _delete(self, place: Path) -> None:
        """Remove a volume so that no part of it is ever seen under its name."""
        going = self.root / "staging" / f"gone-{uuid.uuid4().hex}"
        going.parent.mkdir(parents=True, exist_ok=True)
        try:
            place.rename(going)
        except FileNotFoundError:
            return
        _remove(going)


@contextmanager
def _failures_told(digest: str) -> Iterator[None]:
    """StorageError where the disk is full or fails, with what to do."""
    try:
        yield
    except (OSError, ValueError, RuntimeError) as error:  # tensorstore's are of the latter two
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        if any(said in reason for said in _FULL):
            advice = "free some room (flaredb du, flaredb gc --yes), then run the same command again"
            raise StorageError(f"volume {digest[:12]} does not fit on the disk; {advice}") from error
        raise StorageError(f"volume {digest[:12]} could not be written: {reason}") from error


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
    (group / INDEX).write_bytes(foreground.build(voxels, digest))
    archive = stage / "volume.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as packed:
        for file in sorted(f for f in group.rglob("*") if f.is_file()):
            name = file.relative_to(group).as_posix()
            packed.write(file, name, zipfile.ZIP_DEFLATED if file.suffix == ".json" else zipfile.ZIP_STORED)
    return archive


def _make_durable(written: Path) -> None:
    for file in [written, *sorted(written.rglob("*"))] if written.is_dir() else [written]:
        to_disk(file)


def _remove(place: Path) -> None:
    """Delete a file or folder; what another process deletes at the same time is no error."""
    with contextlib.suppress(FileNotFoundError):
        if place.is_dir():
            shutil.rmtree(place)
        else:
            place.unlink()


def _digest(place: Path) -> str:
    return place.name.partition(".")[0]


def _age_mark(place: Path) -> float:
    """When a file or folder was last touched; 0 if it is gone meanwhile."""
    try:
        return place.stat().st_mtime
    except FileNotFoundError:
        return 0.0
