"""A results folder as nnU-Net 2 leaves one, with the same documents and names; its checkpoints are arbitrary bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

LABELS: dict[str, Any] = {"background": 0, "liver": 1, "spleen": 2, "tumor": 3, "ignore": 4}
TRAINER = "nnUNetTrainer__nnUNetPlans__3d_fullres"


def write_results(
    root: Path,
    folds: Sequence[Mapping[str, Sequence[str]]],
    labels: Mapping[str, Any] = LABELS,
    weights: bytes = b"opaque",
    splits: bool = True,
) -> Path:
    """Write nnU-Net's folders under a root; the trainer's folder. `folds`: the cases of each, `train` and `val`."""
    trainer = root / "nnUNet_results" / "Dataset601_workspace" / TRAINER
    settings = {"batch_size": 2, "patch_size": [40, 48, 48], "spacing": [3.0, 1.5, 1.5], "batch_dice": False}
    plans = {"dataset_name": "Dataset601_workspace", "plans_name": "nnUNetPlans"}
    write(trainer / "plans.json", plans | {"configurations": {"2d": {}, "3d_fullres": settings}})
    dataset = {"name": "workspace", "channel_names": {"0": "CT"}, "labels": labels, "file_ending": ".nii.gz"}
    write(trainer / "dataset.json", dataset)
    write(trainer / "dataset_fingerprint.json", {"spacings": [[3.0, 1.5, 1.5]]})
    if splits:
        write(root / "nnUNet_preprocessed" / "Dataset601_workspace" / "splits_final.json", [dict(f) for f in folds])
    codes = [
        str(tuple(v) if isinstance(v, list) else v) for n, v in labels.items() if n not in ("background", "ignore")
    ]
    for number, fold in enumerate(folds):
        own = trainer / f"fold_{number}"
        own.mkdir()
        (own / "checkpoint_final.pth").write_bytes(weights + str(number).encode())
        (own / "checkpoint_best.pth").write_bytes(b"another")
        (own / "progress.png").write_bytes(b"picture")
        told = {"num_epochs": "1000", "num_iterations_per_epoch": "250", "torch_version": "2.8.0", "hostname": "secret"}
        write(own / "debug.json", told)
        write(own / "validation" / "summary.json", summary(own, fold["val"], codes))
    return trainer


def summary(fold: Path, cases: Sequence[str], codes: Sequence[str]) -> dict[str, Any]:
    """Scores by case; of the last code, in truth and prediction empty, nnU-Net writes NaN."""
    rows = []
    for number, case in enumerate(cases):
        values = [0.5 + 0.1 * number + 0.01 * place for place in range(len(codes) - 1)] + [float("nan")]
        metrics = {code: {"Dice": value, "IoU": 0.5} for code, value in zip(codes, values, strict=True)}
        named = {"prediction_file": f"{fold}/validation/{case}.nii.gz", "reference_file": f"C:\\gt\\{case}.nii.gz"}
        rows.append({"metrics": metrics, **named})
    mean = {code: {"Dice": 0.5} for code in codes}
    return {"foreground_mean": {"Dice": 0.55}, "mean": mean, "metric_per_case": rows}


def write(path: Path, document: Any) -> None:
    """A JSON document, its folders made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document), encoding="utf-8")
