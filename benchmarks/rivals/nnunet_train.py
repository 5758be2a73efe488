"""nnU-Net 2.8.1's training steps: `python rivals/nnunet_train.py CT LABEL DIR CONFIG.json CLASSES DEVICE`.

Plans and preprocesses the one case under DIR, then trains with nnU-Net's own trainer: its data loader and augmentation
with its default number of worker processes, its loss, optimiser, precision and `train_step`; but with flaredb's network
of CONFIG (the network's code and configuration are all that is taken from flaredb), its patch, spacing and batch.
`{"do": "train", "steps": N, "warm": M, "compiled": true}` times N steps after M that are not counted; compiled by
`torch.compile` or not, as nnU-Net does on a GPU unless told otherwise.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(1, str(Path(__file__).parents[2]))  # the network; nothing else of flaredb is imported

from answering import answer
from nnunet import prepare
from nnunet_feed import at_home, planned, preprocess

from flaredb.trainers.config import Config, from_document, level_shapes


class Loop:
    """The trainer, and its two data loaders' processes."""

    def __init__(self, ct: Path, label: Path, root: Path, config: Config, classes: int, device: str) -> None:
        import torch

        prepare(ct, label, root)
        sizes = {"patch_size": list(config.patch), "spacing": list(config.spacing), "batch_size": config.batch}
        self.plans = planned(root, sizes)
        self.described = preprocess(root, self.plans)
        self.config, self.classes, self.device = config, classes, device
        if device == "cpu":
            torch.set_num_threads(1)

    def train(self, steps: int, warm: int, compiled: bool) -> dict[str, Any]:
        """Seconds of some steps, of which so many were spent waiting for data; peak memory in MB."""
        import torch

        os.environ["nnUNet_compile"] = "t" if compiled else "f"  # noqa: SIM112  its own name for it
        trainer = self._trainer()
        loader = trainer.get_dataloaders()[0]
        trainer.network.train()
        waited, start, losses = 0.0, time.perf_counter(), []
        for step in range(warm + steps):
            if step == warm:
                waited, start = 0.0, time.perf_counter()
            asked = time.perf_counter()
            batch = next(loader)
            waited += time.perf_counter() - asked
            losses.append(float(trainer.train_step(batch)["loss"]))
        seconds = time.perf_counter() - start
        on_gpu = self.device == "cuda"
        peak = (
            torch.cuda.max_memory_reserved() / 1e6
            if on_gpu
            else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
        )
        compiled = hasattr(trainer.network, "_orig_mod")
        workers = len(getattr(loader, "_processes", []))
        if hasattr(loader, "_finish"):
            loader._finish()
        return {"seconds": seconds, "waited": waited, "peak_mb": peak, "loss": losses[-1], "compiled": compiled,
                "workers": workers, "torch": torch.__version__}  # fmt: skip

    def _trainer(self) -> Any:
        import torch
        from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer

        from flaredb.trainers.networks import build_network

        config = self.config
        plans = {**self.plans, "continue_training": False}
        trainer = nnUNetTrainer(plans, "3d_fullres", "all", self.described, device=torch.device(self.device))
        trainer.enable_deep_supervision = config.deep_supervision > 0
        trainer.build_network_architecture = lambda plans_manager, *_: build_network(config, self.classes)
        trainer._get_deep_supervision_scales = lambda: scales(config)
        trainer.initialize()
        return trainer


def scales(config: Config) -> list[list[float]] | None:
    """Size of each level's logits over the patch's, finest first; None where only the finest is trained."""
    if not config.deep_supervision:
        return None
    found, so_far = [[1.0, 1.0, 1.0]], [1.0, 1.0, 1.0]
    for strides in level_shapes(config)[0][: config.deep_supervision + 1]:
        so_far = [have / stride for have, stride in zip(so_far, strides, strict=True)]
        found.append(so_far)
    return [found[0], *found[2:]]


def main() -> None:
    """Prepare, then answer until standard input ends."""
    ct, label, root = (Path(argument).absolute() for argument in sys.argv[1:4])
    config = from_document(json.loads(Path(sys.argv[4]).read_text()))
    at_home(root)
    answer(lambda: Loop(ct, label, root, config, int(sys.argv[5]), sys.argv[6]))


if __name__ == "__main__":
    main()
