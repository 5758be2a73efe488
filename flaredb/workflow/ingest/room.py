"""Will it fit? What an import needs on disk, estimated from the files, against what is free.

An estimate, on the safe side for CT: scans are stored in about half of their 16 bits a voxel, which is 1.2 times a
compressed file; labels in less than half of a compressed file. Files that are there already need nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from flaredb.errors import StorageError
from flaredb.exchange.layouts import Found

_IMAGE_INODES, _LABEL_INODES = 9, 2  # of a volume and its share of the folders they are fanned out in
_ROW_BYTES = 16_384  # what a case or label takes in the catalogue, with its findings and log
_PACKED = (".gz", ".mha", ".nrrd")
_IMAGE_SHARE, _PACKED_IMAGE_SHARE, _LABEL_SHARE = 0.65, 1.2, 0.5


class Room(NamedTuple):
    """Bytes and inodes that are needed, estimated, and free; `inodes_free` is None where they are not counted."""

    bytes_needed: int
    bytes_free: int
    inodes_needed: int
    inodes_free: int | None

    @property
    def as_dict(self) -> dict[str, Any]:
        """As `--dry-run` tells it."""
        return {
            "bytes": {"needed": self.bytes_needed, "free": self.bytes_free},
            "inodes": {"needed": self.inodes_needed, "free": self.inodes_free},
            "estimated": True,
        }

    def check(self) -> None:
        """StorageError if it does not fit; the message says how much is missing."""
        missing = []
        if self.bytes_needed > self.bytes_free:
            missing.append(f"{_mib(self.bytes_needed - self.bytes_free)} MiB")
        if self.inodes_free is not None and self.inodes_needed > self.inodes_free:
            missing.append(f"{self.inodes_needed - self.inodes_free} inodes")
        if missing:
            raise StorageError(
                f"it would not fit: {' and '.join(missing)} are missing; about {_mib(self.bytes_needed)} MiB and "
                f"{self.inodes_needed} inodes are needed, {_mib(self.bytes_free)} MiB are free where the volumes are; "
                "make room, or import a part"
            )


def room_for(folder: Path, images: Iterable[Found] = (), labels: Iterable[Found] = ()) -> Room:
    """What these need as volumes, and what is free where `folder` is."""
    scans, drawn = list(images), list(labels)
    places = {item.path for item in scans}  # several series may lie in one folder
    needed = sum(_image_bytes(path) for path in places) + sum(_label_bytes(item) for item in drawn)
    needed += _ROW_BYTES * (len(scans) + len(drawn))
    there = folder
    while not there.exists():
        there = there.parent
    free = os.statvfs(there)
    inodes = len(scans) * _IMAGE_INODES + len(drawn) * _LABEL_INODES
    return Room(needed, free.f_bavail * free.f_frsize, inodes, free.f_favail if free.f_files else None)


def _image_bytes(path: Path) -> int:
    if path.is_dir():
        sizes = [entry.stat().st_size for entry in os.scandir(path) if entry.is_file()]
        return int(sum(sizes) * _IMAGE_SHARE)
    packed = path.name.lower().endswith(_PACKED)
    return int(_size(path) * (_PACKED_IMAGE_SHARE if packed else _IMAGE_SHARE))


def _label_bytes(item: Found) -> int:
    files = {path for _, path in item.masks} or {item.path}
    return int(sum(_size(path) for path in files) * _LABEL_SHARE)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _mib(count: int) -> str:
    return f"{count / 2**20:.1f}"
