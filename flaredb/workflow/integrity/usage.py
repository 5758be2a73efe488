"""What takes how much room on the disk."""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path
from typing import Any, NamedTuple

from flaredb.catalog import labels
from flaredb.catalog.holdings import images, rounds_of_models, rounds_of_sources
from flaredb.workspace import Workspace

_ASIDE = ("staging", "trash", "quarantine")


class _Key(NamedTuple):
    """What is counted together."""

    what: str
    source: str = ""
    round: str | None = None


def du(workspace: Workspace) -> list[dict[str, Any]]:
    """Allocated bytes and inodes of scans, of labels by kind, source and round, of models, and of the catalogue.

    A volume that several labels share counts for the first source that has it; one that nobody points at is an
    `orphan`. What lies in staging, trash and quarantine is counted apart.
    """
    with workspace.catalog.read() as connection:
        pointed, scans = labels.volumes(connection), images(connection)
        made, trained = rounds_of_sources(connection), rounds_of_models(connection)
    found: dict[_Key, list[int]] = defaultdict(lambda: [0, 0, 0])
    for digest in workspace.volumes.digests():
        kind, source = pointed.get(digest, ("scan" if digest in scans else "orphan", ""))
        _add(found[_Key(kind, source, made.get(source))], workspace.volumes.path(digest))
    for name in _ASIDE:
        for place in sorted((workspace.volumes.root / name).glob("*")):
            _add(found[_Key(name)], place)
    models = workspace.root / "models"
    for folder in sorted(models.iterdir()) if models.is_dir() else []:
        _add(found[_Key("model", folder.name, trained.get(folder.name))], folder)
    for folder in sorted((workspace.root / "rounds").glob("*/")):
        _add(found[_Key("round-work", folder.name)], folder)
    for path in sorted(workspace.root.glob("catalog.db*")):
        _add(found[_Key("catalogue")], path)
    return [
        {**key._asdict(), "objects": objects, "bytes": size, "inodes": inodes}
        for key, (objects, size, inodes) in sorted(found.items(), key=lambda item: item[0][:2])
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
