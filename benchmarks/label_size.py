"""What does one more label version cost on disk?

Rivals: the .nii.gz as it came, as SimpleITK writes what it read there, and the same in the smallest type. Bytes are
those that the file system gives away (`st_blocks`), inodes are counted: a label is one file in a folder that many
share. Beside stands what the borders between structures take as Crackle codes them, to tell what outlines hold: bytes,
not rounded up to blocks, and no array store reads them. Labels: all versions of KiTS, BTCV, TotalSegmentator and
3D-IRCADb under the data folder; the target is asked of each family, in sum.

    python benchmarks/label_size.py
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import SimpleITK as sitk  # noqa: N813  its own name for itself
from rivals.beside import BENCH, DATA, Rival, finish, need, rival, row

from flaredb.exchange.read import read_label
from flaredb.volumes.store import VolumeStore

FAMILIES = {
    "KiTS": "kits/*/*.nii.gz",
    "BTCV": "btcv/*.nii.gz",
    "TotalSegmentator": "totalseg/*_labels/*.nii.gz",
    "3D-IRCADb": "ircad_p01/labels.nii.gz",
}
SMALLEST = {1: sitk.sitkUInt8, 2: sitk.sitkUInt16}
TARGETS = {"as it came": 8.0, "as SimpleITK writes it": 2.5, "as SimpleITK writes it, smallest type": 2.5}


class Sizes(NamedTuple):
    """Allocated bytes of one label, four ways, the bytes of its outlines, and the inodes that flaredb takes."""

    came: int
    itk: int
    smallest: int
    flaredb: int
    outlines: int
    inodes: int


def measure(file: Path, folder: Path, limit: Rival) -> Sizes:
    """Store one label in a store of its own, so that nothing is shared, and rewrite it with SimpleITK."""
    scan = read_label(file)
    rewritten = folder / "label.nii.gz"
    image, written = sitk.ReadImage(str(file)), []
    for same in (image, sitk.Cast(image, SMALLEST[scan.voxels.dtype.itemsize])):
        sitk.WriteImage(same, str(rewritten), True)
        written.append(allocated(rewritten))
    store = VolumeStore(folder / "volumes")
    digest = store.put_label(scan.voxels, scan.grid).volume
    place = store.path(digest)
    assert np.array_equal(store.open(digest).read(), scan.voxels)
    files = [place, *place.rglob("*")] if place.is_dir() else [place]
    outlines = limit.ask("size", file=str(file))["bytes"]
    sizes = Sizes(allocated(file), *written, sum(map(allocated, files)), outlines, len(files))
    store.remove(digest)
    return sizes


def allocated(file: Path) -> int:
    """Bytes on disk, not bytes in the file."""
    return file.stat().st_blocks * 512


def main() -> None:
    """Measure and print."""
    need(BENCH, *(DATA / pattern.split("/")[0] for pattern in FAMILIES.values()))
    rows, inodes, every = [], [], {}
    with tempfile.TemporaryDirectory() as folder, rival("outlines.py") as limit:
        for family, pattern in FAMILIES.items():
            files = sorted(DATA.glob(pattern))
            sizes = [measure(file, Path(folder), limit) for file in files]
            every |= {str(file.relative_to(DATA)): one._asdict() for file, one in zip(files, sizes, strict=True)}
            rows += compare(family, sizes)
            inodes += [one.inodes for one in sizes]
    print(f"inodes a label: {max(inodes)}", file=sys.stderr)
    rows.append({"claim": "inodes a label volume", "flaredb": max(inodes), "rival": None, "rival_name": None,
                 "unit": "inodes", "ratio": None, "target": 2, "met": max(inodes) <= 2})  # fmt: skip
    finish("label_size", rows, labels=every)


def compare(family: str, sizes: list[Sizes]) -> list[dict[str, Any]]:
    """The claims on one family: mean bytes a label."""
    ours, count = sum(one.flaredb for one in sizes), len(sizes)
    outlines = round(sum(one.outlines for one in sizes) / count)
    print(f"{family}: outlines as Crackle codes them, {outlines} bytes", file=sys.stderr)
    theirs = dict(zip(TARGETS, (sum(way) for way in list(zip(*sizes, strict=True))[:3]), strict=True))
    return [
        row(
            f"{family}, one more label version, mean of {count}",
            ours / count,
            total / count,
            name,
            "bytes",
            TARGETS[name],
            outlines=outlines,
        )
        for name, total in theirs.items()
    ]


if __name__ == "__main__":
    main()
