"""MONAI's training patches: `.bench/bin/python rivals/monai_feed.py CT LABEL DIR`.

The CT at 2.5×0.8×0.8 mm, normalised, lies cached as MONAI's `PersistentDataset` keeps it; from it come two patches
48×192×192 a load by `RandCropByPosNegLabeld`, then `RandAffined`, flips and intensities with nnU-Net's chances.
Contrast about the mean has no like in MONAI and is left out. The crop is turned within itself: its corners are zero.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import monai.transforms as mt
import numpy as np
import torch
from answering import answer, patches
from monai.data import PersistentDataset

PATCH, SPACING = (192, 192, 48), (0.8, 0.8, 2.5)  # x, y, z, as MONAI has the axes
BOTH, MODES = ("image", "label"), ("bilinear", "nearest")


def steps(samples: int) -> mt.Compose:
    """What is cached, then what is random."""
    kept: list[Any] = [
        mt.LoadImaged(BOTH),
        mt.EnsureChannelFirstd(BOTH),
        mt.Spacingd(BOTH, pixdim=SPACING, mode=MODES),
        mt.ScaleIntensityRanged("image", -970, 279, (-970 - 80.3) / 141.4, (279 - 80.3) / 141.4, clip=True),
        mt.FgBgToIndicesd("label"),
    ]
    crop = mt.RandCropByPosNegLabeld(
        BOTH, "label", PATCH, pos=1, neg=2, num_samples=samples,
        fg_indices_key="label_fg_indices", bg_indices_key="label_bg_indices",
    )  # fmt: skip
    turn = mt.RandAffined(
        BOTH, prob=0.36, rotate_range=[np.pi / 6] * 3, scale_range=[(-0.3, 0.4)] * 3, mode=MODES, padding_mode="zeros"
    )  # of two chances of 0.2 one at least
    flips = [mt.RandFlipd(BOTH, prob=0.5, spatial_axis=axis) for axis in range(3)]
    return mt.Compose([*kept, crop, turn, *flips, *intensities()])


def intensities() -> list[Any]:
    """nnU-Net's, as far as MONAI has them."""
    return [
        mt.RandGaussianNoised("image", prob=0.1, std=0.1),
        mt.RandGaussianSmoothd("image", (0.5, 1.0), (0.5, 1.0), (0.5, 1.0), prob=0.1),
        mt.RandScaleIntensityd("image", factors=0.25, prob=0.15),
        mt.RandSimulateLowResolutiond("image", prob=0.125, zoom_range=(0.5, 1.0)),
        mt.RandAdjustContrastd("image", prob=0.1, gamma=(0.7, 1.5), invert_image=True, retain_stats=True),
        mt.RandAdjustContrastd("image", prob=0.3, gamma=(0.7, 1.5), retain_stats=True),
    ]


class Loader:
    """The data set."""

    def __init__(self, ct: Path, label: Path, root: Path) -> None:
        torch.set_num_threads(1)
        monai_seed(0)
        self.data = PersistentDataset(
            [{"image": str(ct), "label": str(label)}], steps(2), cache_dir=str(root / "cache")
        )
        self.data[0]

    def patches(self, count: int, how: str) -> dict[str, Any]:
        """Time some patches; there is one way only."""
        return patches(self._take, count)

    def _take(self) -> int:
        made = self.data[0]
        assert all(tuple(one["image"].shape) == (1, *PATCH) for one in made), [one["image"].shape for one in made]
        return len(made)


def monai_seed(seed: int) -> None:
    """The same patches every time."""
    from monai.utils import set_determinism

    set_determinism(seed)


def main() -> None:
    """Prepare, then answer until standard input ends."""
    ct, label, root = (Path(argument).absolute() for argument in sys.argv[1:4])
    answer(lambda: Loader(ct, label, root))


if __name__ == "__main__":
    main()
