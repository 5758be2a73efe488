"""How much of two masks is common."""

from __future__ import annotations

import numpy as np

from flaredb.metrics.masks import Mask, require_same_lattice


def dice(reference: Mask, prediction: Mask) -> float:
    """Dice similarity coefficient 2|g∧s| / (|g| + |s|), between 0 and 1.

    Both masks are boolean, of one three-dimensional shape in any axis order. Two empty masks agree: 1.0.
    Raises `InvalidDataError` when the shapes differ.
    """
    require_same_lattice(reference, prediction)
    total = int(np.count_nonzero(reference)) + int(np.count_nonzero(prediction))
    if total == 0:
        return 1.0
    return 2 * int(np.count_nonzero(reference & prediction)) / total
