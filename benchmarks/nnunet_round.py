"""A round through nnU-Net's own commands, as `[task.organ.commands]` of flaredb.toml names them.

A small made-up cohort is imported; `flaredb round advance` then exports the frozen snapshot, runs
`nnUNetv2_plan_and_preprocess`, `nnUNetv2_train` and `nnUNetv2_predict` of `.bench` (`make bench-env`) on the CPU,
imports the model and takes in its predictions, and the gate judges them. The predictions come in once more by hand,
with `ingest labels --model`. Then the lineage of a label of each is followed down to people's labels.

    python benchmarks/nnunet_round.py [--epochs 2] [--iterations 10]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from flaredb.phantom import Cohort
from flaredb.progress import Reporter
from flaredb.workflow.demo.cohort import FOLDERS, TABLE, write_cohort
from flaredb.workflow.ingest.annotated import stated
from flaredb.workflow.ingest.images import ImageOptions, ingest_images
from flaredb.workflow.ingest.labels import LabelOptions, ingest_labels
from flaredb.workspace import CONFIG, Workspace

ROOT = Path(__file__).parents[1]
BENCH = Path(os.environ.get("FLAREDB_BENCH") or ROOT / ".bench" / "bin" / "python").parent
COHORT = Cohort(seed=3, training=16, validation=2, test=1, spacing=(8.0, 8.0, 8.0))
CASE = "FLARE23Ts_0001"  # whose lineage is followed
STATES = ("trained", "predicted", "evaluated", "closed")
TRAINER = """
import torch
from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer


class nnUNetTrainerShort(nnUNetTrainer):
    def __init__(self, plans, configuration, fold, dataset_json, device=torch.device("cuda")):
        super().__init__(plans, configuration, fold, dataset_json, device)
        self.num_epochs, self.num_iterations_per_epoch, self.num_val_iterations_per_epoch = {epochs}, {iterations}, 2
"""


def commands() -> str:
    """The table of the task, with nnU-Net's programs where they are."""
    program = {name: str(BENCH / f"nnUNetv2_{name}") for name in ("plan_and_preprocess", "train", "predict")}
    own = ["-tr", "nnUNetTrainerShort", "-device", "cpu"]
    where = ["-d", "{id}", "-c", "3d_fullres", "-f", "0"]
    train = [
        [program["plan_and_preprocess"], "-d", "{id}", "-c", "3d_fullres", "-npfp", "1", "-np", "1"],
        [program["train"], "{id}", "3d_fullres", "0", "--c", *own],
    ]
    scans = ["-i", "{images}", "-o", "{predictions}"]
    predict = [
        [program["predict"], *scans, *where, *own, "--continue_prediction", "--disable_tta", "-npp", "1", "-nps", "1"]
    ]
    lines = [f"train = {json.dumps(train)}", f"predict = {json.dumps(predict)}"]
    return "\n".join(["", "[task.organ.commands]", *lines, ""])


def fill(workspace: Workspace, files: Path) -> None:
    """Scans, and people's labels with what each annotates."""
    table, human = stated(None, None, files / TABLE), LabelOptions("flare23", "ground-truth")
    for name in ("imagesTr2200", "unlabeledTr1800"):
        ingest_images(workspace, files / name)
    ingest_labels(workspace, files / "labelsTr2200", table, human)
    for split, folders in FOLDERS.items():
        ingest_images(workspace, files / folders.images, options=ImageOptions(split))
        ingest_labels(workspace, files / folders.labels, table, human)


def flaredb(root: Path, *words: object) -> Any:
    """A command of the program; its document."""
    command = [sys.executable, "-m", "flaredb", "-w", str(root), "--json", *map(str, words)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.returncode:
        sys.exit(f"{' '.join(map(str, words))} ended with {ran.returncode}: {ran.stderr[-2000:]}")
    return json.loads(ran.stdout)


def lineage(root: Path, label: str) -> dict[str, int]:
    """How many nodes of each type a label descends from, and how many of them are people's labels."""
    nodes = flaredb(root, "label", "lineage", label)["nodes"]
    counts = {kind: sum(node["type"] == kind for node in nodes) for kind in ("label", "model", "snapshot", "source")}
    return counts | {"human": sum("@flare23@" in node["name"] for node in nodes)}


def main() -> None:
    """Run the round and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--iterations", type=int, default=10)
    options = parser.parse_args()
    if not (BENCH / "nnUNetv2_train").exists():
        sys.exit("nnU-Net is not here; make its environment with: make bench-env")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "trainers").mkdir()
        short = TRAINER.format(epochs=options.epochs, iterations=options.iterations)
        (folder / "trainers" / "nnUNetTrainerShort.py").write_text(short)
        limits = {"nnUNet_n_proc_DA": "1", "nnUNet_compile": "f", "nnUNet_extTrainer": str(folder / "trainers")}
        os.environ.update(limits)
        told = run(folder)
    sys.stderr.write(json.dumps(told) + "\n")
    print(json.dumps({"benchmark": "nnunet_round", "machine": machine(), "rows": rows(told), **told}))


def run(folder: Path) -> dict[str, Any]:
    """The round from import to gate, and the same predictions by hand; what each took and gave."""
    write_cohort(folder / "files", COHORT, Reporter())
    root = folder / "workspace"
    with Workspace.create(root) as workspace:
        fill(workspace, folder / "files")
    (root / CONFIG).write_text((root / CONFIG).read_text() + commands())
    flaredb(root, "round", "start", "--task", "organ")
    seconds = {}
    for state in STATES:
        begun = time.monotonic()
        flaredb(root, "round", "advance", "organ/1")
        seconds[state] = round(time.monotonic() - begun, 1)
    shown = flaredb(root, "round", "show", "organ/1")
    by_hand = ("--source", "nnunet", "--kind", "external", "--annotated", "all", "--not-accepted")
    mapping = root / "models" / shown["model"] / "dataset.json"
    predictions = root / "rounds" / "organ-1" / "predictions"
    came = flaredb(root, "ingest", "labels", predictions, *by_hand, "--mapping", mapping, "--model", shown["model"])
    return {
        "state": shown["state"],
        "model": flaredb(root, "model", "show", shown["model"])["origin"],
        "seconds": seconds,
        "challenger": {name: row["challenger"] for name, row in shown["gate"]["structures"].items()},
        "predicted": flaredb(root, "sql", "SELECT count(*) AS n FROM (SELECT DISTINCT label FROM label_provenance "
                             "WHERE source = 'organ/1') AS own")[0]["n"],
        "by_hand": came["added"],
        "lineage": lineage(root, f"{CASE}@organ/1@1"),
        "lineage_by_hand": lineage(root, f"{CASE}@nnunet@1"),
        "fsck": len(flaredb(root, "fsck", "--voxels", "--history")["problems"]),
    }  # fmt: skip


def rows(told: dict[str, Any]) -> list[dict[str, Any]]:
    """The claims, each true or not."""
    claims = {
        "a round through nnU-Net's own commands ends at the gate": told["state"] in ("promoted", "rejected"),
        "its predictions descend from its model, snapshot and people's labels": all(
            told["lineage"][kind] for kind in ("model", "snapshot", "human")
        ),
        "so do predictions that come in by hand": all(
            told["lineage_by_hand"][kind] for kind in ("model", "snapshot", "human")
        ),
        "catalogue and volumes agree afterwards": told["fsck"] == 0,
    }
    return [
        {
            "claim": claim,
            "flaredb": int(met),
            "rival": None,
            "rival_name": "nnU-Net",
            "unit": "holds",
            "ratio": None,
            "target": 1,
            "met": met,
        }
        for claim, met in claims.items()
    ]


def machine() -> dict[str, Any]:
    """Where it ran."""
    return {"processor": platform.processor(), "cores": os.cpu_count(), "python": platform.python_version()}


if __name__ == "__main__":
    main()
