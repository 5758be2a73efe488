"""Figures on request, beside DSC and NSD: distance, volume, and the lesions found.

They look at the whole masks: no slices of tubes are cut, nothing is 0 below a floor.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import edt
import numpy as np
from numpy.typing import NDArray

from flaredb.geometry import Triple
from flaredb.metrics.components import Components, find_components
from flaredb.metrics.masks import Mask, bounding_box, common_box
from flaredb.metrics.surface import is_surface, surfaces

MEASURES = ("hd95", "volume", "detection")
FOUND_SHARE = 0.1  # of a lesion's voxels that must be predicted for it to count as found
_SHARE = 0.95

Figures = dict[str, float | None]


def measure(reference: Mask, prediction: Mask, spacing: Triple, wanted: Iterable[str], lesion: bool) -> Figures:
    """The figures of the measures wanted, by name; None where a figure is not defined.

    - `hd95`: `hd95`, mm;
    - `volume`: `reference_ml`, `prediction_ml`, `volume_error_ml` (prediction less reference) and `volume_error`, its
      size as a share of the reference, None where that is empty;
    - `detection`, of lesions alone: `lesions` in the reference, `detected` of them, and `false_positives`.
    """
    asked, found = set(wanted), Figures()
    if "hd95" in asked:
        found["hd95"] = hausdorff(reference, prediction, spacing)
    if "volume" in asked:
        found |= _volumes(reference, prediction, spacing)
    if "detection" in asked and lesion:
        found |= _detected(reference, prediction)
    return found


def hausdorff(reference: Mask, prediction: Mask, spacing: Triple) -> float | None:
    """The 95th percentile of the distances between two surfaces, the larger of both ways, mm.

    Each surface element counts by its area, as in DeepMind's `compute_robust_hausdorff`. Two empty masks are 0 apart,
    an empty one and another have no distance: None.
    """
    boxes = bounding_box(reference), bounding_box(prediction)
    if boxes[0] is None or boxes[1] is None:
        return 0.0 if boxes[0] is boxes[1] else None
    box = common_box(boxes[0], boxes[1])
    pair = surfaces(reference[box], prediction[box], spacing)
    ours, theirs = is_surface(pair.ours), is_surface(pair.theirs)
    there = _percentile(ours, theirs, pair.areas[pair.ours[ours]], pair.spacing)
    return round(max(there, _percentile(theirs, ours, pair.areas[pair.theirs[theirs]], pair.spacing)), 4)


def _percentile(surface: Mask, target: Mask, areas: NDArray[np.float64], spacing: Triple) -> float:
    """The distance that 95 % of a surface's area does not exceed."""
    distances = edt.edt(~target, anisotropy=spacing)[surface]
    order = np.argsort(distances, kind="stable")
    grown = np.cumsum(areas[order])
    place = min(int(np.searchsorted(grown / areas.sum(), _SHARE)), len(order) - 1)
    return float(distances[order[place]])


def _volumes(reference: Mask, prediction: Mask, spacing: Triple) -> Figures:
    voxel_ml = float(np.prod(spacing)) / 1000
    own, other = (np.count_nonzero(mask) * voxel_ml for mask in (reference, prediction))
    share = round(abs(other - own) / own, 4) if own else None
    return {
        "reference_ml": round(own, 4),
        "prediction_ml": round(other, 4),
        "volume_error_ml": round(other - own, 4),
        "volume_error": share,
    }


def _detected(reference: Mask, prediction: Mask) -> Figures:
    """Lesions are components; one is found when a tenth of it is predicted, and false when it touches no lesion."""
    lesions, predicted = find_components(reference), find_components(prediction)
    found = 0 if lesions is None else int((_covered(lesions, prediction) >= FOUND_SHARE * lesions.sizes).sum())
    false = 0 if predicted is None else int((_covered(predicted, reference) == 0).sum())
    return {"lesions": 0 if lesions is None else len(lesions.sizes), "detected": found, "false_positives": false}


def _covered(components: Components, other: Mask) -> NDArray[Any]:
    """Voxels of each component that the other mask has, too."""
    counts = np.bincount(components.numbers[other[components.box]].ravel(), minlength=len(components.order) + 1)
    return counts[components.order]
