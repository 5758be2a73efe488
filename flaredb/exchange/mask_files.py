"""Reading a label that comes as one file a structure: every file a mask on one lattice."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flaredb.errors import Finding
from flaredb.exchange.compare import check_geometry
from flaredb.exchange.findings import refusal
from flaredb.exchange.masks import combine_masks
from flaredb.exchange.read import Scan, read_label
from flaredb.exchange.stored import sha256_of


def read_masks(folder: Path, masks: Sequence[tuple[str, Path]]) -> tuple[Scan, dict[int, tuple[str, ...]]]:
    """One label from (name, file) pairs, and code → the names whose masks meet in it.

    A mask holds 0 and one other whole value. One file is held at a time. Raises InvalidDataError with rule
    `mask-not-binary`, `masks-differ` (another lattice than the first file's) or one of the readers'.
    """
    reader = _Masks(folder, dict(masks))
    codes, meanings = combine_masks(reader)
    first = reader.first
    if first is None:
        raise refusal(folder, "unreadable", "no mask could be read")
    space = replace(first.space, dtype=str(codes.dtype))
    return Scan(codes, space, first.grid, masks_sha256(masks), tuple(reader.findings)), meanings


def masks_sha256(masks: Sequence[tuple[str, Path]]) -> str:
    """One digest of all files: over the names and the sha256 of each, in the order of the names."""
    parts = [f"{name} {sha256_of(path)}\n" for name, path in sorted(masks)]
    return hashlib.sha256("".join(parts).encode()).hexdigest()


class _Masks(Mapping[str, "NDArray[np.bool_]"]):
    """Masks by name, read when asked for; the first one's lattice is that of all."""

    def __init__(self, folder: Path, files: dict[str, Path]) -> None:
        self.folder = folder
        self.files = files
        self.first: Scan | None = None
        self.findings: list[Finding] = []

    def __getitem__(self, name: str) -> NDArray[np.bool_]:
        path = self.files[name]
        scan = read_label(path)
        _check_binary(path, scan.voxels)
        if self.first is None:
            self.first = replace(scan, voxels=np.empty(0, np.uint8))
            self.findings += scan.findings
        misfit = check_geometry("", scan.grid, self.first.grid, path.name)
        if misfit and misfit.severity == "error":
            message = f"lies on another lattice than the case's first mask; all must be on one: {misfit.message}"
            raise refusal(path, "masks-differ", message)
        mask: NDArray[np.bool_] = scan.voxels != 0
        return mask

    def __iter__(self) -> Iterator[str]:
        return iter(self.files)

    def __len__(self) -> int:
        return len(self.files)


def _check_binary(path: Path, voxels: NDArray[Any]) -> None:
    top = int(voxels.max())
    if top and not ((voxels == 0) | (voxels == top)).all():
        raise refusal(path, "mask-not-binary", f"holds several values up to {top}; a mask has 0 and one other")
