"""Files that stay: on the disk before anybody relies on them, under their name only once they are whole."""

from __future__ import annotations

import os
from pathlib import Path


def to_disk(path: Path) -> None:
    """See that a file's content, or which files a folder has, is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def settle(part: Path, final: Path) -> None:
    """A finished file to the disk, then under its name, in place of what had it, then the name to the disk."""
    to_disk(part)
    part.replace(final)
    to_disk(final.parent)
