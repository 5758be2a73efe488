"""nnU-Net 2.8.1's training patches: `.bench/bin/python rivals/nnunet_feed.py CT LABEL DIR`.

Plans and preprocesses the one case under DIR at 2.5×0.8×0.8 mm with nnU-Net's own code, then takes patches 48×192×192
from its trainer's own data loader with its default augmentation, in this process alone (`nnUNet_n_proc_DA=0`).
`{"do": "patches", "count": N, "how": "own"}` lets the trainer decide as it does: for a patch this flat it turns and
scales slice by slice ("dummy 2D"); "3d" has it turn by ±30° about all axes, as it does for patches less flat.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from answering import answer, patches
from nnunet import DATASET, PATCH, prepare

SPACING = (2.5, 0.8, 0.8)


def planned(root: Path, changes: dict[str, Any]) -> dict[str, Any]:
    """Its planner's plans of the case, with some values of the comparison; also written where it looks for them."""
    from nnunetv2.experiment_planning.plan_and_preprocess_api import extract_fingerprints, plan_experiments

    extract_fingerprints([1], num_processes=1, check_dataset_integrity=False)
    plan_experiments([1])
    file = root / "preprocessed" / DATASET / "nnUNetPlans.json"
    plans: dict[str, Any] = json.loads(file.read_text())
    plans["configurations"]["3d_fullres"] |= changes
    file.write_text(json.dumps(plans))
    return plans


def preprocess(root: Path, plans: dict[str, Any]) -> dict[str, Any]:
    """As `nnUNetv2_preprocess` does; what describes the data set."""
    from nnunetv2.preprocessing.preprocessors.default_preprocessor import DefaultPreprocessor
    from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

    described: dict[str, Any] = json.loads((root / "raw" / DATASET / "dataset.json").read_text())
    manager = PlansManager(plans)
    configuration = manager.get_configuration("3d_fullres")
    raw, folder = root / "raw" / DATASET, root / "preprocessed" / DATASET / configuration.data_identifier
    folder.mkdir(parents=True)
    image, label = raw / "imagesTr" / "one_0000.nii.gz", raw / "labelsTr" / "one.nii.gz"
    DefaultPreprocessor(verbose=False).run_case_save(
        str(folder / "one"), [str(image)], str(label), manager, configuration, described
    )
    return described


def at_home(root: Path) -> None:
    """Tell nnU-Net where its folders are, before it is imported."""
    os.environ |= {f"nnUNet_{name}": str(root / name) for name in ("raw", "preprocessed", "results")}


class Loaders:
    """The trainer's data loaders."""

    def __init__(self, ct: Path, label: Path, root: Path) -> None:
        import torch

        prepare(ct, label, root)
        self.plans = planned(root, {"patch_size": list(PATCH), "spacing": list(SPACING), "batch_size": 2})
        os.environ |= {"nnUNet_n_proc_DA": "0"}  # not before: the planner takes it for its threads, too
        torch.set_num_threads(1)
        self.described = preprocess(root, self.plans)
        self.loaders = {how: self._loader(how) for how in ("own", "3d")}

    def patches(self, count: int, how: str) -> dict[str, Any]:
        """Time some patches."""
        return patches(lambda: len(next(self.loaders[how])["data"]), count)

    def _loader(self, how: str) -> Any:
        import numpy as np
        import torch
        from nnunetv2.training.data_augmentation.compute_initial_patch_size import get_patch_size
        from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer

        plans = {**self.plans, "continue_training": False}
        trainer = nnUNetTrainer(plans, "3d_fullres", "all", self.described, device=torch.device("cpu"))
        trainer.batch_size = 2
        if how == "3d":
            turn = (-np.pi / 6, np.pi / 6)  # the values that the trainer's own method gives for other patches
            larger = get_patch_size(PATCH, turn, turn, turn, (0.85, 1.25))
            given = (turn, False, larger, (0, 1, 2))
            trainer.configure_rotation_dummyDA_mirroring_and_inital_patch_size = lambda: given
        return trainer.get_dataloaders()[0]


def main() -> None:
    """Prepare, then answer until standard input ends."""
    ct, label, root = (Path(argument).absolute() for argument in sys.argv[1:4])
    at_home(root)
    answer(lambda: Loaders(ct, label, root))


if __name__ == "__main__":
    main()
