"""What TensorBoard shows of a training: losses, rates, waiting, validation, and now and then a patch."""

from __future__ import annotations

import colorsys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

if TYPE_CHECKING:
    from torch.utils.tensorboard.writer import SummaryWriter

_TURN = 0.618034  # of the colour wheel between two classes: neighbours in number are far apart in colour
_UNDECIDED = (110, 110, 110)
_HOW_TO = "nothing is written for TensorBoard; to have it: pip install 'flaredb[tensorboard]'"


class Board:
    """Where numbers and pictures go; without a writer, nowhere."""

    def __init__(self, writer: SummaryWriter | None = None) -> None:
        self._writer = writer

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Numbers by name, after so many steps."""
        if self._writer:
            for name, value in values.items():
                self._writer.add_scalar(name, value, step)

    def validation(self, step: int, found: Mapping[str, Any]) -> None:
        """Mean DSC and that of each structure."""
        if found["mean"] is not None:
            by_name = {f"validation/{name}": score for name, score in found["structures"].items()}
            self.scalars(step, {"validation/mean": found["mean"], **by_name})

    def picture(self, step: int, image: Tensor, allowed: Tensor, logits: Tensor) -> None:
        """The middle slice of a patch: scan, what is known, what is predicted, side by side.

        `image` and `allowed`: (z, y, x); `logits`: (classes, z, y, x).
        """
        if self._writer:
            middle = image.shape[0] // 2
            planes = image[middle], allowed[middle], logits[:, middle].argmax(0)
            scan, sets, classes = (plane.detach().cpu().numpy() for plane in planes)
            strip = side_by_side(scan, sets, classes, len(logits))
            self._writer.add_image("patch", strip, step, dataformats="HWC")


@contextmanager
def open_board(folder: Path | None, steps: int) -> Iterator[Board]:
    """A board in a folder (None: none); what an earlier run wrote beyond `steps` is forgotten."""
    writer = None if folder is None else _writer(folder, steps)
    try:
        yield Board(writer)
    finally:
        if writer:
            writer.close()


def missing() -> str | None:
    """How to get TensorBoard where it is not installed; None where it is."""
    try:
        import torch.utils.tensorboard  # noqa: F401
    except ImportError:
        return _HOW_TO
    return None


def side_by_side(
    scan: NDArray[np.float32], sets: NDArray[np.int64], classes: NDArray[np.int64], count: int
) -> NDArray[np.uint8]:
    """Three pictures (y, x) in a row as (y, 3x, 3): the scan in grey, known classes, predicted classes.

    Black is background; grey is a voxel where several classes are possible.
    """
    low, high = float(scan.min()), float(scan.max())
    grey = ((scan - low) * (255 / max(high - low, 1e-6))).astype(np.uint8)
    colours = np.array([(0, 0, 0), *(_colour(number) for number in range(1, count)), _UNDECIDED], dtype=np.uint8)
    known = np.full(sets.shape, count)
    for number in range(count):
        known[sets == 1 << number] = number
    return np.concatenate([np.stack([grey] * 3, axis=-1), colours[known], colours[classes]], axis=1)


def _writer(folder: Path, steps: int) -> SummaryWriter | None:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(folder, purge_step=steps + 1, flush_secs=30)


def _colour(number: int) -> tuple[int, int, int]:
    red, green, blue = colorsys.hsv_to_rgb(number * _TURN % 1, 0.75, 1.0)
    return int(red * 255), int(green * 255), int(blue * 255)
