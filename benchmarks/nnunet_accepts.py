"""Does nnU-Net take what flaredb exports, unchanged? Its own integrity check, planner, preprocessing and trainer say.

Makes a small workspace with odd orientations, types, a sheared scan and partly labelled cases, exports it, and hands
the folder to nnU-Net 2.8.1 in `.bench` (`make bench-env`): `verify_dataset_integrity`, fingerprint and planner, then
preprocessing and two training steps on the CPU. With the real scans at hand their export is checked and planned too.

    python benchmarks/nnunet_accepts.py [--no-training]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from flaredb.exchange.write import write_nifti
from flaredb.geometry import FileSpace
from flaredb.workflow.export.choice import ExportOptions
from flaredb.workflow.export.nnunet import export_nnunet
from flaredb.workflow.ingest.annotated import stated
from flaredb.workflow.ingest.images import ImageOptions, ingest_images
from flaredb.workflow.ingest.labels import LabelOptions, ingest_labels
from flaredb.workspace import Workspace

ROOT = Path(__file__).parents[1]
BENCH = Path(os.environ.get("FLAREDB_BENCH") or ROOT / ".bench" / "bin" / "python")
DATA = Path(os.environ.get("FLAREDB_TEST_DATA") or ROOT.parent / "shared" / "data")
TRUTH = LabelOptions("truth", "ground-truth")
AXES = ("LPS", "RAS", "PIR", "SAL", "LAS", "ARS", "IPL", "RPI")
SIGNS = {"R": (0, 1), "L": (0, -1), "A": (1, 1), "P": (1, -1), "S": (2, 1), "I": (2, -1)}
CHILD = """
import json, sys
from pathlib import Path
number, folder, training = int(sys.argv[1]), sys.argv[2], sys.argv[3] == "train"
said = {"version": __import__("importlib.metadata", fromlist=["version"]).version("nnunetv2")}
if __name__ == "__main__":
    import torch
    torch.set_num_threads(2)
    from nnunetv2.experiment_planning.verify_dataset_integrity import verify_dataset_integrity
    from nnunetv2.experiment_planning import plan_and_preprocess_api as api
    verify_dataset_integrity(folder, 2)
    said["integrity"] = True
    api.extract_fingerprints([number], num_processes=2, check_dataset_integrity=False)
    api.plan_experiments([number])
    said["planned"] = True
    if training:
        api.preprocess([number], configurations=["3d_fullres"], num_processes=[1])
        said["preprocessed"] = True
        from nnunetv2.run.run_training import get_trainer_from_args
        trainer = get_trainer_from_args(str(number), "3d_fullres", 0, device=torch.device("cpu"))
        trainer.num_epochs, trainer.num_iterations_per_epoch, trainer.num_val_iterations_per_epoch = 1, 2, 1
        trainer.run_training()
        said["trained"] = bool(Path(trainer.output_folder, "checkpoint_final.pth").exists())
        said["loss"] = float(trainer.logger.get_value("train_losses", step=-1)) \\
            if hasattr(trainer.logger, "get_value") else None
    print("SAID " + json.dumps(said))
"""


def space(axes: str, shape: tuple[int, int, int], dtype: str, shear: float = 0.0) -> FileSpace:
    """A file's space with the given axes and type; `shear` tilts one axis as some scanners' headers do."""
    affine = np.zeros((4, 4))
    for axis, letter in enumerate(axes):
        world, sign = SIGNS[letter]
        affine[world, axis] = sign * (1.5, 1.5, 3.0)[world]
    affine[:, 3] = (-20.5, 31.25, -700.0, 1.0)
    affine[0, 1] += shear
    return FileSpace(shape, tuple(affine.ravel()), dtype, (1.5, 1.5, 3.0))


def write(folder: Path, name: str, where: FileSpace, label_type: str, drawn: bool) -> None:
    """A scan with two bright boxes and, if `drawn`, its label: liver 1, spleen 3, tumour 14 in the liver."""
    generator = np.random.default_rng(sum(map(ord, name)))
    shape = where.grid.shape
    scan = generator.normal(-80, 30, shape)
    codes = np.zeros(shape, np.uint16)
    low, high = (n // 4 for n in shape), (3 * n // 4 for n in shape)
    box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    codes[box] = 1
    codes[:, :, : shape[2] // 6] = 3
    codes[tuple(slice(n // 2 - 2, n // 2 + 2) for n in shape)] = 14
    scan[codes == 1] = 110
    scan[codes == 3] = 180
    scan[codes == 14] = 40
    (folder / "images").mkdir(parents=True, exist_ok=True)
    write_nifti(folder / "images" / f"{name}_0000.nii.gz", np.rint(scan).astype(np.int16), where)
    if drawn:
        (folder / "labels").mkdir(exist_ok=True)
        write_nifti(folder / "labels" / f"{name}.nii.gz", codes, replace(where, dtype=label_type))


def made_up(root: Path) -> Workspace:
    """Ten cases: eight orientations and as many types, partly labelled ones, a slightly sheared one, one unlabelled."""
    files = root / "files"
    types = ("uint8", "int16", "int32", "float64", "uint16", "float32", "int64", "uint8")
    shapes = [(44, 46, 40)] * len(AXES)
    for n, (axes, kind, shape) in enumerate(zip(AXES, types, shapes, strict=True)):
        write(files, f"case{n}", space(axes, shape, "int16"), kind, True)
    write(files, "sheared", space("LPS", (44, 46, 40), "int16", 2e-4), "uint8", True)
    write(files, "unlabelled", space("RAS", (44, 46, 40), "int16"), "uint8", False)
    workspace = Workspace.create(root / "workspace")
    ingest_images(workspace, files / "images", options=ImageOptions("train"))
    for n, annotated in enumerate(["liver,spleen,tumor"] * 6 + ["liver,spleen", "tumor"]):
        ingest_labels(workspace, files / "labels" / f"case{n}.nii.gz", stated(annotated, None, None), TRUTH)
    ingest_labels(workspace, files / "labels" / "sheared.nii.gz", stated("liver,spleen,tumor", None, None), TRUTH)
    return workspace


def real(root: Path) -> Workspace:
    """The two model-labelled scans of the real data."""
    workspace = Workspace.create(root / "workspace")
    folder = DATA / "totalseg"
    labels = {"ct": folder / "ct_labels" / "2026_fast_v2.nii.gz", "ct_sm": folder / "ct_sm_labels" / "2026_fast.nii.gz"}
    options = LabelOptions("totalseg", "external", mapping="totalsegmentator-v2")
    for case, path in labels.items():
        ingest_images(workspace, folder / f"{case}.nii.gz", case)
        ingest_labels(workspace, path, stated("all", None, None), options, case)
    return workspace


def accepted(root: Path, workspace: Workspace, number: int, training: bool) -> dict[str, Any]:
    """What nnU-Net says to an export; the last lines of its complaint where it stopped."""
    raw = root / "nnUNet_raw"
    export_nnunet(workspace, raw, ExportOptions())
    (dataset,) = raw.iterdir()
    folder = dataset.rename(raw / dataset.name.replace("501", f"{number:03d}"))
    places = {f"nnUNet_{name}": str(root / f"nnUNet_{name}") for name in ("raw", "preprocessed", "results")}
    limits = {"nnUNet_n_proc_DA": "1", "nnUNet_compile": "f", "OMP_NUM_THREADS": "2"}
    script = root / "child.py"
    script.write_text(CHILD)
    command = [str(BENCH), str(script), str(number), str(folder), "train" if training else "plan"]
    ran = subprocess.run(command, env=os.environ | places | limits, capture_output=True, text=True)
    lines = [line for line in ran.stdout.splitlines() if line.startswith("SAID ")]
    said: dict[str, Any] = json.loads(lines[-1][5:]) if lines else {"stopped": ran.stderr.splitlines()[-4:]}
    manifest = json.loads((folder / "manifest.json").read_text())
    document = json.loads((folder / "dataset.json").read_text())
    return said | {"labels": document["labels"], "undecided_voxels": manifest["undecided_voxels"]}


def row(what: str, said: dict[str, Any], step: str) -> dict[str, Any]:
    """A line of the report: nnU-Net took it, or not."""
    return {
        "claim": f"nnU-Net {said.get('version', '')} takes the export unchanged: {what}",
        "flaredb": int(bool(said.get(step))),
        "rival": None,
        "rival_name": "nnU-Net",
        "unit": "accepted",
        "ratio": None,
        "target": 1,
        "met": bool(said.get(step)),
    }


def main() -> None:
    """Run the checks and print what came of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--no-training", action="store_true", help="check and plan only")
    training = not parser.parse_args().no_training
    if not BENCH.exists():
        sys.exit("nnU-Net is not here; make its environment with: make bench-env")
    sets = [("made-up, partly labelled, odd axes", made_up, training)]
    sets += [("real, labelled by a model", real, False)] if (DATA / "totalseg").exists() else []
    rows = []
    for number, (title, make, train) in enumerate(sets, start=601):
        with tempfile.TemporaryDirectory() as folder, make(Path(folder)) as workspace:
            said = accepted(Path(folder), workspace, number, train)
        print(title, json.dumps(said), file=sys.stderr)
        steps = ("integrity", "planned", *(["preprocessed", "trained"] if train else []))
        rows += [row(f"{step} ({title})", said, step) for step in steps]
    machine = {"processor": platform.processor(), "cores": os.cpu_count(), "python": platform.python_version()}
    print(json.dumps({"benchmark": "nnunet_accepts", "machine": machine, "rows": rows}))


if __name__ == "__main__":
    main()
