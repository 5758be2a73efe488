"""Files that an earlier export holds already: shared with it instead of written again.

Where the file system can (Btrfs, XFS), a file is a copy that shares its blocks until one of the two is changed; else it
is a second name of the same file, and whoever changes one in place changes both. Volumes of the workspace are never
linked: they are not files of this kind.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from flaredb.errors import NotFoundError
from flaredb.exchange.stored import sha256_of

_FICLONE = 0x40049409  # Linux: make this file share the blocks of that one


class Donor(NamedTuple):
    """A file of an earlier export and what its manifest says of it."""

    path: Path
    sha256: str
    undecided: int
    regridded: bool


def linkable(manifest: Mapping[str, Any] | None, files: Mapping[str, Any], root: Path) -> dict[str, Donor]:
    """Key of the recipe → file of the export at `root`; NotFoundError if there is no manifest."""
    if manifest is None:
        raise NotFoundError(f"--link {root}: no manifest.json there; give the folder of a finished export")
    inside = root.resolve()
    return {
        entry.key: Donor(root / path, entry.sha256, entry.undecided, entry.regridded)
        for path, entry in files.items()
        if (root / path).resolve().is_relative_to(inside)
    }


def link_file(donor: Donor, place: Path) -> Donor | None:
    """Share a file under a new name; None if it was changed or lost since, or the file system cannot."""
    temporary = place.with_name(f".{uuid.uuid4().hex}.tmp")
    try:
        if sha256_of(donor.path) != donor.sha256:
            return None
        if not _cloned(donor.path, temporary):
            os.link(donor.path, temporary)
        temporary.replace(place)
    except OSError:  # another file system, or one without links: the file is written instead
        return None
    finally:
        temporary.unlink(missing_ok=True)
    return donor


def _cloned(source: Path, target: Path) -> bool:
    try:
        with source.open("rb") as old, target.open("xb") as new:
            fcntl.ioctl(new, _FICLONE, old.fileno())
    except OSError:
        with contextlib.suppress(OSError):
            target.unlink()
        return False
    return True
