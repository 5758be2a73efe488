"""What does a training patch cost the processor, from the files to what a network takes?

Patch 48×192×192 at 2.5×0.8×0.8 mm, of ircad_p01 and of a phantom of FLARE23's median size. flaredb reads the scan as it
came (1.6×0.57×0.57 and 2.5×0.82×0.82 mm) and resamples, turns, scales, mirrors and changes intensities in one go, with
nnU-Net's chances and ranges. Two things are measured:

- what stays on the host when a GPU does the rest: draw, read, hand over (`Feed.draw`, `Feed.fetch`), with one label
  volume and with three;
- everything on the CPU, start to end: normalised patch and label sets (`Feed.make`).

Rivals, each in a process of `.bench`, from what they keep on disk at 2.5×0.8×0.8 mm already: the data loader of nnU-Net
2.8.1's trainer, as it chooses for so flat a patch, which is to turn and size within slices only, against flaredb doing
the same, and in 3D as it does for other patches, against flaredb in 3D; MONAI's PersistentDataset with
RandCropByPosNegLabeld and RandAffined, and TorchIO's Queue with LabelSampler, against flaredb in 3D.
One core, one thread each, in turns; figures are mean processor time a patch, with medians and wall time beside.

    python benchmarks/feed.py [--patches 64] [--scan ircad|phantom|small]
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import torch
from rivals.answering import patches
from rivals.beside import BENCH, DATA, Rival, finish, need, one_core, rival, row
from rivals.scans import Scan, ircad, median_phantom, small_phantom, training_set

from flaredb.trainers.feed import Feed
from flaredb.trainers.presets import load_config
from flaredb.volumes.store import VolumeStore

SETTINGS = {
    **{"patch": "48,192,192", "spacing": "2.5,0.8,0.8", "batch": "2", "mirror": "zyx", "elastic_chance": "0"},
    **{"rotate_chance": "0.2", "scale": "0.3", "scale_up": "0.4", "scale_chance": "0.2"},
}
TURNS = {
    "in 3D": {"in_plane": "false", "rotation": "30"},
    "in slices": {"in_plane": "true", "rotation": "180"},
}
LABELS = {"1 label": 1, "3 labels": 3}
SCANS = {"ircad": ircad, "phantom": median_phantom, "small": small_phantom}
RIVALS = {
    "nnU-Net 2.8.1, in 3D": ("nnunet_feed.py", "3d"),
    "nnU-Net 2.8.1, in slices, its choice for this patch": ("nnunet_feed.py", "own"),
    "MONAI PersistentDataset": ("monai_feed.py", "own"),
    "TorchIO Queue": ("torchio_feed.py", "own"),
}
CLAIMS = {
    "host": ("host processor time a patch when a GPU augments", 20.0),
    "all": ("processor time a patch, CPU only", 2.0),
}
TURN = 8  # patches a turn
Times = dict[str, dict[str, list[float]]]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--patches", type=int, default=64)
    parser.add_argument("--scan", choices=list(SCANS), action="append", help="default: ircad and phantom")
    arguments = parser.parse_args()
    chosen = arguments.scan or ["ircad", "phantom"]
    need(BENCH, *([DATA / "ircad_p01"] if "ircad" in chosen else []))
    one_core()
    torch.set_num_threads(1)
    rows = []
    for name in chosen:
        with tempfile.TemporaryDirectory() as folder:
            scan = SCANS[name](Path(folder))
            rows += report(scan, measure(scan, Path(folder), arguments.patches))
    finish("feed", rows, torch=torch.__version__, patches=arguments.patches)


def measure(scan: Scan, folder: Path, count: int) -> Times:
    """Seconds a patch of each way, by clock; in turns, of which the first is not counted."""
    store = VolumeStore(folder / "volumes")
    ways: dict[str, Callable[[int], dict[str, list[float]]]] = {}
    for labels, number in LABELS.items():
        data = training_set(store, scan, number)
        for turns, settings in TURNS.items():
            feed = Feed(data, store, load_config("base", SETTINGS | settings), torch.device("cpu"))
            ways[f"host, {turns}, {labels}"] = repeated(feed, host)
            ways[f"all, {turns}, {labels}"] = repeated(feed, everything)
    spent: Times = {}
    with ExitStack() as stack:
        running: dict[str, Rival] = {}
        for name, (script, how) in RIVALS.items():
            if script not in running:
                print(f"{scan.name}: {name} prepares", file=sys.stderr)
                running[script] = stack.enter_context(rival(script, scan.ct, scan.label, folder / script))
            ways[name] = asked(running[script], how)
        for turn in range(1 + -(-count // TURN)):
            for name, way in ways.items():
                taken = way(TURN)
                for clock, values in taken.items():
                    spent.setdefault(name, {}).setdefault(clock, []).extend(values if turn else [])
    return spent


def asked(other: Rival, how: str) -> Callable[[int], dict[str, list[float]]]:
    """A way to time patches of a rival."""
    return lambda count: other.ask("patches", count=count, how=how)


def repeated(feed: Feed, work: Callable[[Feed, int], None]) -> Callable[[int], dict[str, list[float]]]:
    """A way to time patches of a feed, going on in its stream from one turn to the next."""
    place = iter(range(sys.maxsize))

    def take() -> int:
        work(feed, next(place))
        return 1

    return lambda count: patches(take, count)


def host(feed: Feed, place: int) -> None:
    """What the host does for a patch when a GPU does the rest."""
    feed.fetch(feed.draw(place // feed.config.batch, place % feed.config.batch))


def everything(feed: Feed, place: int) -> None:
    """A patch, start to end."""
    feed.make(feed.draw(place // feed.config.batch, place % feed.config.batch))


def report(scan: Scan, spent: Times) -> list[dict[str, Any]]:
    """The claims for a scan."""
    worked = {name: statistics.mean(times["worked"]) for name, times in spent.items()}
    beside = {
        name: {
            "median": round(statistics.median(times["worked"]), 5),
            "wall": round(statistics.mean(times["seconds"]), 5),
            "patches": len(times["worked"]),
        }
        for name, times in spent.items()
    }

    def against(part: str, labels: str, name: str) -> dict[str, Any]:
        turns = "in slices" if "in slices" in name else "in 3D"
        ours, (claim, target) = f"{part}, {turns}, {labels}", CLAIMS[part]
        return row(f"{claim}, {turns}, {labels}, {scan.name}", worked[ours], worked[name], name, "s",
            target if name.startswith("nnU-Net") else None,
            flaredb_beside=beside[ours], rival_beside=beside[name])  # fmt: skip

    wanted = [(part, name) for part in CLAIMS for name in RIVALS if part == "all" or name.startswith("nnU-Net")]
    return [against(part, labels, name) for part, name in wanted for labels in LABELS]


if __name__ == "__main__":
    main()
