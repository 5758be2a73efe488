"""A program that is not flaredb, as rounds run one: it trains on nnU-Net's folders and predicts by a threshold.

other_program.py train DATASET RESULTS | predict IMAGES PREDICTIONS MODEL | wait FILE | fail MESSAGE | half FOLDER
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nibabel
import numpy as np

TRAINER = "nnUNetTrainer__nnUNetPlans__3d_fullres"
_PATIENCE_S = 120


def commands(**more: list[list[str]]) -> dict[str, list[list[str]]]:
    """The commands of a task that uses this program; `more` run before its own."""
    own = {"train": ["train", "{dataset}", "{results}"], "predict": ["predict", "{images}", "{predictions}", "{model}"]}
    return {name: [*more.get(name, []), words(*argv)] for name, argv in own.items()}


def words(*argv: str) -> list[str]:
    """A command of this program."""
    return [sys.executable, str(Path(__file__).resolve()), *argv]


def table(**more: list[list[str]]) -> str:
    """The same as flaredb.toml has it, for the task organ."""
    lines = [f"{name} = {json.dumps(argvs)}" for name, argvs in commands(**more).items()]
    return "\n".join(["", "[task.organ.commands]", *lines, ""])


def _train(dataset: Path, results: Path) -> None:
    described = json.loads((dataset / "dataset.json").read_text(encoding="utf-8"))
    trainer = results / dataset.name / TRAINER
    (trainer / "fold_0").mkdir(parents=True, exist_ok=True)
    plans = {"dataset_name": dataset.name, "configurations": {"3d_fullres": {"patch_size": [16, 16, 16]}}}
    (trainer / "plans.json").write_text(json.dumps(plans))
    (trainer / "dataset.json").write_text(json.dumps(described))
    names = sorted(path.name for path in (dataset / "labelsTr").iterdir())
    (trainer / "fold_0" / "checkpoint_final.pth").write_bytes(" ".join(names).encode())


def _predict(images: Path, predictions: Path, model: Path) -> None:
    code = json.loads((model / "dataset.json").read_text(encoding="utf-8"))["labels"]["liver"]
    predictions.mkdir(exist_ok=True)
    for path in sorted(images.iterdir()):
        scan: Any = nibabel.load(path)
        drawn = np.where(np.asarray(scan.dataobj) > 60, code, 0).astype(np.uint8)
        name = path.name.replace("_0000", "")
        nibabel.save(nibabel.Nifti1Image(drawn, scan.affine), predictions / name)


def _wait(file: Path) -> None:
    until = time.monotonic() + _PATIENCE_S
    while not file.exists() and time.monotonic() < until:
        time.sleep(0.02)


def main(what: str, argv: Sequence[str]) -> int:
    """Do one of the things; the exit code."""
    places = [Path(word) for word in argv]
    if what == "train":
        _train(*places)
    elif what == "predict":
        _predict(*places)
    elif what == "wait":
        _wait(*places)
    elif what == "half":
        (places[0] / "FLARE23_0001.nii.gz").write_bytes(b"\x1f\x8b\x08 half")
    else:
        sys.stderr.write(f"first line\n{argv[0]}\n")
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
