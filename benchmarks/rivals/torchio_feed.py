"""TorchIO's training patches: `.bench/bin/python rivals/torchio_feed.py CT LABEL DIR`.

The CT at 2.5×0.8×0.8 mm, normalised, lies beside as an uncompressed NIfTI file; a `Queue` loads it, changes the whole
scan with nnU-Net's chances as far as TorchIO has the transforms (no brightness, no contrast about the mean, no gamma of
the inverted scan), and `LabelSampler` cuts four patches 48×192×192 from each: the cost of a load is shared by four.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import torch
import torchio as tio
from answering import answer, patches

PATCH, SPACING = (192, 192, 48), (0.8, 0.8, 2.5)  # x, y, z, as TorchIO has the axes
A_LOAD = 4


def prepared(ct: Path, label: Path, root: Path) -> tio.Subject:
    """Resampled, clipped and normalised, on disk."""
    subject = tio.Subject(image=tio.ScalarImage(ct), label=tio.LabelMap(label))
    subject = tio.Resample(SPACING)(subject)
    image = (subject.image.data.float().clamp(-970, 279) - 80.3) / 141.4
    root.mkdir(parents=True, exist_ok=True)
    tio.ScalarImage(tensor=image, affine=subject.image.affine).save(root / "image.nii")
    subject.label.save(root / "label.nii")
    return tio.Subject(image=tio.ScalarImage(root / "image.nii"), label=tio.LabelMap(root / "label.nii"))


def steps() -> tio.Compose:
    """nnU-Net's, as far as TorchIO has them."""
    return tio.Compose(
        [
            tio.RandomAffine(scales=(0.7, 1.4), degrees=30, isotropic=True, p=0.36),
            tio.RandomNoise(std=(0, 0.1), p=0.1),
            tio.RandomBlur(std=(0.5, 1.0), p=0.1),
            tio.RandomAnisotropy(downsampling=(1, 2), p=0.125),
            tio.RandomGamma(log_gamma=(-0.36, 0.4), p=0.3),
            tio.RandomFlip(axes=(0, 1, 2), flip_probability=0.5),
        ]
    )


class Loader:
    """The queue, two patches at a time."""

    def __init__(self, ct: Path, label: Path, root: Path) -> None:
        torch.set_num_threads(1)
        torch.manual_seed(0)
        data = tio.SubjectsDataset([prepared(ct, label, root)] * 64, transform=steps())
        self.queue = tio.Queue(data, A_LOAD, A_LOAD, tio.LabelSampler(PATCH, "label"), num_workers=0)
        self.batches = iter(())

    def patches(self, count: int, how: str) -> dict[str, Any]:
        """Time some patches, whole loads of them; there is one way only."""
        return patches(self._take, count)

    def _take(self) -> int:
        """As many as come from one load."""
        for _ in range(A_LOAD // 2):
            batch = next(self.batches, None)
            if batch is None:
                self.batches = iter(tio.SubjectsLoader(self.queue, batch_size=2, num_workers=0))
                batch = next(self.batches)
            assert tuple(batch["image"]["data"].shape) == (2, 1, *PATCH), batch["image"]["data"].shape
        return A_LOAD


def main() -> None:
    """Prepare, then answer until standard input ends."""
    ct, label, root = (Path(argument).absolute() for argument in sys.argv[1:4])
    answer(lambda: Loader(ct, label, root))


if __name__ == "__main__":
    main()
