"""Slow, literal readings of the official evaluation to compare with: one on top of the surface-distance package, one
that shares nothing with the code under test but the table of surface normals."""

import itertools
import warnings

import numpy as np
from surface_distance import lookup_tables
from surface_distance import metrics as package

TOLERANCES_MM = [None, 5, 3, 3, 5, 2, 2, 2, 2, 2, 3, 5, 7, 3, 2]
KERNEL = {(0, 0, 0): 128, (0, 0, 1): 64, (0, 1, 0): 32, (0, 1, 1): 16, (1, 0, 0): 8, (1, 0, 1): 4, (1, 1, 0): 2,
          (1, 1, 1): 1}  # fmt: skip


def package_distances(reference, prediction, spacing):
    """What the surface-distance package measures between two masks."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # it calls scipy.ndimage by names of before SciPy 1.8
        return package.compute_surface_distances(reference, prediction, spacing)


def package_surface_dice(reference, prediction, spacing, tolerance_mm):
    """NSD by the surface-distance package itself; both masks non-empty."""
    distances = package_distances(reference, prediction, spacing)
    return package.compute_surface_dice_at_tolerance(distances, tolerance_mm)


def plain_surface(mask, spacing):
    """Places (index) and areas (mm²) of the surface elements of a mask, one element at a time."""
    padded = np.pad(mask, 1)
    places, areas = [], []
    for place in itertools.product(*(range(1, n) for n in padded.shape)):
        code = sum(
            bit for (i, j, k), bit in KERNEL.items() if padded[place[0] - 1 + i, place[1] - 1 + j, place[2] - 1 + k]
        )
        if code in (0, 255):
            continue
        places.append(place)
        scale = np.array([spacing[1] * spacing[2], spacing[0] * spacing[2], spacing[0] * spacing[1]])
        normals = np.array(lookup_tables._NEIGHBOUR_CODE_TO_NORMALS[code])
        areas.append(sum(np.linalg.norm(n * scale) for n in normals))
    return np.array(places), np.array(areas)


def plain_surface_dice(reference, prediction, spacing, tolerance_mm):
    """NSD by the distance of each element of a surface to every element of the other."""
    (ours, our_areas), (theirs, their_areas) = (plain_surface(mask, spacing) for mask in (reference, prediction))
    steps = ours[:, None] - theirs[None]
    distances = np.sqrt(((steps * np.asarray(spacing, float)) ** 2).sum(axis=2))
    near = (
        our_areas[distances.min(axis=1) <= tolerance_mm].sum()
        + their_areas[distances.min(axis=0) <= tolerance_mm].sum()
    )
    return near / (our_areas.sum() + their_areas.sum())


def plain_score(reference, prediction, spacing, value, protocol_name):
    """(DSC, NSD) of one structure, rounded; arrays are labels in file order, spacing is the header's."""
    g, s = reference == value, prediction == value
    if not g.any() or not s.any():
        return (1.0, 1.0) if not g.any() and not s.any() else (0.0, 0.0)
    if value in (5, 6, 10) and protocol_name != "flare21":
        slices = np.where(g)[2]
        low, high = slices.min(), slices.max()
        high = high + 1 if low == high else high
        g, s = g[:, :, low:high], s[:, :, low:high]
    dsc = 2 * (g & s).sum() / (g.sum() + s.sum())
    if protocol_name != "flare21" and dsc < 0.2:
        return float(np.round(dsc, 4)), 0.0
    tolerance_mm = 1 if protocol_name == "flare21" else TOLERANCES_MM[value]
    if not s.any():
        return 0.0, 0.0
    nsd = plain_surface_dice(g, s, spacing, tolerance_mm)
    return float(np.round(dsc, 4)), float(np.round(nsd, 4))
