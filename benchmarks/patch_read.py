"""How fast is a random training patch read from a volume, and how many bytes does the volume take?

Rival: the Blosc2 file of nnU-Net 2.8.1 of the same scan, laid out by its planner for this very patch, read by the
function that its data loader calls. Limit: a memory map of the raw voxels. Files are open and in the page cache, each
process has the same one core, turns are taken every few patches, figures are medians of wall time; beside them stand
medians of processor time, which other work on the machine moves less. flaredb gives HU as they are (int16, lossless);
nnU-Net's file holds normalised float32. The label has the same consecutive codes on both sides.

    python benchmarks/patch_read.py [--patches 240]
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from rivals.beside import BENCH, DATA, finish, need, one_core, rival, row

CT, LABEL = DATA / "ircad_p01" / "ct.nii.gz", DATA / "ircad_p01" / "labels.nii.gz"
PATCH = (48, 192, 192)
TURN = 12  # patches a turn


def timed(read: Callable[[tuple[slice, ...]], Any], corners: list[list[int]]) -> dict[str, list[float]]:
    """Seconds of each patch, of the wall and of the processor."""
    spent, worked = [], []
    for corner in corners:
        box = tuple(slice(low, low + size) for low, size in zip(corner, PATCH, strict=True))
        start, begun = time.perf_counter(), time.process_time()
        read(box)
        spent.append(time.perf_counter() - start)
        worked.append(time.process_time() - begun)
    return {"seconds": spent, "worked": worked}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--patches", type=int, default=240)
    arguments = parser.parse_args()
    need(BENCH, CT, LABEL)
    one_core()
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder), arguments.patches)


def measure(folder: Path, patches: int) -> None:
    """Store the scan on both sides, read in turns, compare what was read."""
    from flaredb.exchange.read import read_image, read_label
    from flaredb.volumes.store import VolumeStore

    store, scan = VolumeStore(folder / "volumes"), read_image(CT)
    image = store.open(store.put_image(scan.voxels, scan.grid).volume)
    codes = np.unique(read_label(LABEL).voxels, return_inverse=True)[1].reshape(scan.voxels.shape)
    label = store.open(store.put_label(codes, scan.grid).volume)
    np.save(folder / "limit.npy", scan.voxels)
    limit = np.load(folder / "limit.npy", mmap_mode="r")
    random = np.random.default_rng(1)
    corners = [
        [int(random.integers(n - p + 1)) for n, p in zip(image.shape, PATCH, strict=True)] for _ in range(patches)
    ]
    with rival("nnunet.py", CT, LABEL, folder / "nnunet") as other:
        other.ask("preprocess")
        there = other.ask("open")
        assert tuple(there["shape"][1:]) == image.shape, there
        spent: dict[str, list[float]] = {}
        for start in range(-TURN, patches, TURN):  # the first turn warms up
            turn = corners[max(start, 0) : max(start, 0) + TURN]
            taken = {
                "image": timed(image.read, turn),
                "image'": other.ask("read", corners=turn, which="image", keep=None),
                "label": timed(label.read, turn),
                "label'": other.ask("read", corners=turn, which="label", keep=None),
                "limit": timed(lambda box: np.ascontiguousarray(limit[box]), turn),
            }
            for name, one in taken.items():
                for clock in ("seconds", "worked"):
                    spent.setdefault(f"{name} {clock}", []).extend(one[clock] if start >= 0 else [])
        other.ask("read", corners=corners[-1:], which="image", keep=str(folder / "patch.npy"))
    check(image.read(boxed(corners[-1])), scan.voxels[boxed(corners[-1])], np.load(folder / "patch.npy"), there)
    report({name: 1000 * statistics.median(values) for name, values in spent.items()}, image, label, there)


def boxed(corner: list[int]) -> tuple[slice, slice, slice]:
    """The patch at a corner."""
    z, y, x = (slice(low, low + size) for low, size in zip(corner, PATCH, strict=True))
    return z, y, x


def check(ours: Any, source: Any, theirs: Any, there: dict[str, Any]) -> None:
    """Both read the same place: ours voxel by voxel, theirs after its clipping and scaling."""
    assert np.array_equal(ours, source)
    known = there["intensities"]
    clipped = np.clip(ours, known["percentile_00_5"], known["percentile_99_5"])
    assert np.allclose(theirs, (clipped - known["mean"]) / known["std"], atol=1e-3)


def report(spent: dict[str, float], image: Any, label: Any, there: dict[str, Any]) -> None:
    """The claims."""
    raw = 2 * int(np.prod(image.shape))
    own = sum(file.stat().st_size for file in image.path.rglob("*") if file.is_file())
    blosc = "nnU-Net 2.8.1 Blosc2"

    def read(what: str, claim: str, target: float | None, **more: Any) -> dict[str, Any]:
        worked, theirs = spent[f"{what} worked"], spent[f"{what}' worked"]
        processor = {"flaredb": round(worked, 3), "rival": round(theirs, 3), "ratio": round(theirs / worked, 2)}
        return row(claim, spent[f"{what} seconds"], spent[f"{what}' seconds"], blosc, "ms", target,
            processor_ms=processor, **more)  # fmt: skip

    limit = {"limit": round(spent["limit seconds"], 3), "limit_name": ".npy memory map", "stretch": 3.0}
    rows = [
        read("image", "random CT patch 48×192×192, one core, warm page cache", 2.0, **limit),
        row("bytes of the CT's volume, lossless", own / raw, there["bytes"] / raw, blosc, "bytes a raw byte",
            round(1 / 0.65, 2)),
        read("label", "random label patch 48×192×192, one core, warm page cache", None),
        row("bytes of the label's volume", label.path.stat().st_size, there["label_bytes"], blosc, "bytes"),
    ]  # fmt: skip
    finish("patch_read", rows, layout={name: there[name] for name in ("chunks", "blocks")})


if __name__ == "__main__":
    main()
