"""What takes how much room on the disk."""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path
from typing import Any

from flaredb.catalog import labels
from flaredb.workspace import Workspace


def du(workspace: Workspace) -> list[dict[str, Any]]:
    """Allocated bytes and inodes of scans, of labels by kind and source, of models, and of the catalogue.

    A volume that several labels share counts for the first source that has it.
    """
    with workspace.catalog.read() as connection:
        pointed = labels.volumes(connection)
    found: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    for digest in workspace.volumes.digests():
        _add(found[pointed.get(digest, ("scan", ""))], workspace.volumes.path(digest))
    models = workspace.root / "models"
    for folder in sorted(models.iterdir()) if models.is_dir() else []:
        _add(found["model", folder.name], folder)
    for path in sorted(workspace.root.glob("catalog.db*")):
        _add(found["catalogue", ""], path)
    return [
        {"what": what, "source": source, "objects": objects, "bytes": size, "inodes": inodes}
        for (what, source), (objects, size, inodes) in sorted(found.items())
    ]


def _add(total: list[int], path: Path) -> None:
    size, inodes = _allocated(path)
    total[0] += 1
    total[1] += size
    total[2] += inodes


def _allocated(path: Path) -> tuple[int, int]:
    """Bytes of the blocks, and inodes, of a file or a folder with all in it."""
    block = 512
    size, inodes = path.stat().st_blocks * block, 1
    for folder, folders, files in os.walk(path):
        for name in [*folders, *files]:
            size += (Path(folder) / name).lstat().st_blocks * block
            inodes += 1
    return size, inodes
