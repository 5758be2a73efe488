"""A slow, literal reading of the official evaluation, on top of the surface-distance package, to compare with."""

import warnings

import numpy as np
from surface_distance import metrics as package


def package_surface_dice(reference, prediction, spacing, tolerance_mm):
    """NSD by the surface-distance package itself; both masks non-empty."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # it calls scipy.ndimage by names of before SciPy 1.8
        distances = package.compute_surface_distances(reference, prediction, spacing)
    return package.compute_surface_dice_at_tolerance(distances, tolerance_mm)


def plain_score(reference, prediction, spacing, rule, protocol_name):
    """(DSC, NSD) of one structure, rounded; arrays are labels in file order."""
    g, s = reference == rule.value, prediction == rule.value
    if not g.any() or not s.any():
        return (1.0, 1.0) if not g.any() and not s.any() else (0.0, 0.0)
    if rule.tubular and protocol_name != "flare21":
        slices = np.where(g)[2]
        low, high = slices.min(), slices.max()
        high = high + 1 if low == high else high
        g, s = g[:, :, low:high], s[:, :, low:high]
    dsc = 2 * (g & s).sum() / (g.sum() + s.sum())
    if protocol_name != "flare21" and dsc < 0.2:
        return float(np.round(dsc, 4)), 0.0
    tolerance_mm = 1 if protocol_name == "flare21" else rule.tolerance_mm
    nsd = package_surface_dice(g, s, [np.float32(size) for size in spacing], tolerance_mm)
    return float(np.round(dsc, 4)), float(np.round(nsd, 4))
