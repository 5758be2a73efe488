"""Packages that compute the same figures, on a pair of label files: `python rivals/surfaces.py REF RES deepmind|monai`.

Prints one JSON line: seconds and processor seconds after loading, peak memory in MB, and [DSC, NSD] by structure value,
as FLARE23 defines them. Whole arrays, one structure at a time: MONAI's one-hot form of 14 structures fits no 24 GB.
"""

from __future__ import annotations

import json
import resource
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import nibabel
import numpy as np

TOLERANCES_MM = (5, 3, 3, 5, 2, 2, 2, 2, 2, 3, 5, 7, 3, 2)
TUBES = (5, 6, 10)
Masks = tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]


def deepmind(masks: Masks, spacing: tuple[float, ...], tolerance_mm: float, dsc_only: bool) -> float:
    """DSC or NSD by the surface-distance package."""
    from surface_distance import metrics

    if dsc_only:
        return float(metrics.compute_dice_coefficient(*masks))
    distances = metrics.compute_surface_distances(*masks, spacing)
    return float(metrics.compute_surface_dice_at_tolerance(distances, tolerance_mm))


def monai(masks: Masks, spacing: tuple[float, ...], tolerance_mm: float, dsc_only: bool) -> float:
    """DSC or NSD by MONAI, with the boundary that is DeepMind's."""
    import torch
    from monai.metrics import compute_dice, compute_surface_dice

    torch.set_num_threads(1)
    truth, guess = (torch.from_numpy(mask)[None, None] for mask in masks)
    if dsc_only:
        return float(compute_dice(guess, truth))
    options = {"include_background": True, "spacing": spacing, "use_subvoxels": True}
    return float(compute_surface_dice(guess, truth, [tolerance_mm], **options))


def score(truth: Any, guess: Any, spacing: tuple[float, ...], figure: Callable[..., float]) -> dict[int, list[float]]:
    """[DSC, NSD] by structure value."""
    found = {}
    for value, tolerance_mm in enumerate(TOLERANCES_MM, 1):
        masks = truth == value, guess == value
        if value in TUBES:
            slices = np.flatnonzero(masks[0].any(axis=(0, 1)))
            masks = tuple(mask[:, :, slices[0] : slices[-1]] for mask in masks)
        dsc = figure(masks, spacing, tolerance_mm, True)
        nsd = figure(masks, spacing, tolerance_mm, False) if dsc >= 0.2 else 0.0
        found[value] = [round(dsc, 4), round(nsd, 4)]
    return found


def main() -> None:
    """Load, score, print."""
    warnings.simplefilter("ignore")
    reference, prediction = (nibabel.load(path) for path in sys.argv[1:3])
    truth, guess = (np.asarray(image.dataobj).astype(np.int8) for image in (reference, prediction))
    spacing = tuple(float(size) for size in reference.header.get_zooms()[:3])
    figure = {"deepmind": deepmind, "monai": monai}[sys.argv[3]]
    figure((truth[:9, :9, :9] == 0, guess[:9, :9, :9] == 0), spacing, 1, True)  # importing is not timed
    begun, idle = time.perf_counter(), time.process_time()
    figures = score(truth, guess, spacing, figure)
    spent, worked = time.perf_counter() - begun, time.process_time() - idle
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": spent, "worked": worked, "peak_mb": peak, "figures": figures}))


if __name__ == "__main__":
    main()
