"""Where each structure lies in two label arrays, found in one pass over what is not background."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import find_objects

from flaredb.errors import InvalidDataError
from flaredb.geometry import Box
from flaredb.metrics.masks import Mask, bounding_box, common_box, require_same_lattice, slow_to_fast


class LabelledPair(NamedTuple):
    """One structure in a reference and a prediction of one shape: where it is in each; None where it is not.

    The arrays are masks, or labels of which `value` is the structure.
    """

    reference: NDArray[Any]
    prediction: NDArray[Any]
    reference_box: Box | None
    prediction_box: Box | None
    value: int | None = None

    @property
    def box(self) -> Box:
        """The smallest box that holds both; an empty one if there is neither."""
        if self.reference_box is None or self.prediction_box is None:
            return self.reference_box or self.prediction_box or (slice(0, 0), slice(0, 0), slice(0, 0))
        return common_box(self.reference_box, self.prediction_box)

    @property
    def size(self) -> int:
        """Voxels of the box that holds both."""
        return int(np.prod([side.stop - side.start for side in self.box]))

    def masks(self, box: Box) -> tuple[Mask, Mask]:
        """The two masks within a box."""
        reference, prediction = self.reference[box], self.prediction[box]
        if self.value is None:
            return reference, prediction
        return reference == self.value, prediction == self.value


def labelled_pairs(
    reference: NDArray[Any], prediction: NDArray[Any], values: Sequence[int], pool: Executor
) -> dict[int, LabelledPair]:
    """Label value → the pair, for the values asked for.

    Labels of another type are truncated to integers. Raises `InvalidDataError` when the shapes differ, or a value is
    below 1.
    """
    require_same_lattice(reference, prediction)
    if min(values, default=1) < 1:
        raise InvalidDataError(f"label values of structures start at 1; asked for {sorted(values)}")
    truth, guess = _integers(reference), _integers(prediction)
    most = max(values, default=1)
    own, other = pool.map(lambda labels: _boxes(labels, most), (truth, guess))
    return {value: LabelledPair(truth, guess, own[value - 1], other[value - 1], value) for value in values}


def _integers(labels: NDArray[Any]) -> NDArray[Any]:
    return labels if labels.dtype.kind in "iu" else labels.astype(np.int32)


def _boxes(labels: NDArray[Any], most: int) -> list[Box | None]:
    """The box of each label value from 1 to `most`, as the array lies in memory and only where it is not 0."""
    axes = slow_to_fast(labels)
    turned = labels.transpose(axes)
    filled = bounding_box(turned)
    if filled is None:
        return [None] * most
    begin = [side.start for side in filled]
    back = np.argsort(axes)
    return [_placed(box, begin, back) for box in find_objects(turned[filled], max_label=most)]


def _placed(box: Box | None, begin: list[int], back: NDArray[np.intp]) -> Box | None:
    """A box found in a part of a turned array, in the whole one."""
    if box is None:
        return None
    moved = [slice(side.start + start, side.stop + start) for side, start in zip(box, begin, strict=True)]
    return moved[back[0]], moved[back[1]], moved[back[2]]
