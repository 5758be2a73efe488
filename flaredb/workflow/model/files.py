"""Files of a model brought in or out: copied beside, digested on the way, and put in place whole."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from flaredb.durable import to_disk

_PIECE = 1 << 20


def sha256_of(path: Path) -> str:
    """The digest of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def copy_files(files: Mapping[str, Path], folder: Path) -> dict[str, str]:
    """Copy files (name in the folder → where it is) to a new folder, all or none; their digests by name.

    What an interrupted copy left beside the folder is replaced.
    """
    folder = folder.absolute()  # "." has no name
    part = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    digests = {name: _copy(path, part / name) for name, path in files.items()}
    for place in [*(p for p in part.rglob("*") if p.is_dir()), part]:
        to_disk(place)
    shutil.rmtree(folder, ignore_errors=True)  # left by an import that wrote no row
    part.rename(folder)
    to_disk(folder.parent)
    return digests


def _copy(source: Path, target: Path) -> str:
    target.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with source.open("rb") as reading, target.open("wb") as writing:
        while piece := reading.read(_PIECE):
            digest.update(piece)
            writing.write(piece)
        writing.flush()
        os.fsync(writing.fileno())
    return digest.hexdigest()
