"""Judging grids: does a label lie on the lattice of its scan, and what is a header worth?"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from flaredb.errors import Finding
from flaredb.exchange.findings import refusal, remark
from flaredb.exchange.lattice import skew, straightened
from flaredb.geometry import FileSpace, Grid

TOLERANCE = 0.1  # of the smallest spacing: what a label's corners may lie off and still be the same voxels
ROUNDING_MM = 1e-3  # below this nobody need be told
UPRIGHT = 1e-4  # cosine between two axes that ITK takes for a right angle; beyond it refuses the file
REPAIRABLE = 0.02  # cosine, about one degree: more is no rounding but another shape
STEEPEST = 0.6  # cosine of a gantry's tilt, 37 degrees; scanners tilt by 30 at the most


def limit_mm(image: Grid) -> float:
    """How far a label's corners may lie off the scan's, mm."""
    return TOLERANCE * min(image.spacing)


def check_geometry(case: str, label: Grid, image: Grid, path: str) -> Finding | None:
    """Compare a label's grid with its scan's, both (z, y, x) LPS; None when they are the same.

    An `info` finding `geometry-rounding` means that the label can be taken as lying on the scan's grid; an `error`
    finding `shape-mismatch` or `geometry-mismatch` that it cannot. `path` is the label's file.
    """
    if label.shape != image.shape:
        message = (
            f"the label has {times(label.shape)} voxels (z × y × x), its scan {times(image.shape)}; "
            "check that both belong to one case, or resample with --regrid nearest"
        )
        return Finding("error", case, "shape-mismatch", message, path)
    distance = label.distance(image)
    limit = limit_mm(image)
    if distance > limit:
        message = (
            f"the label's corners lie up to {distance:.3g} mm from the scan's ({limit:.3g} mm are allowed); spacing "
            f"{millimetres(label.spacing)} against {millimetres(image.spacing)}, origin "
            f"{millimetres(label.origin)} against {millimetres(image.origin)} mm (z, y, x); correct the label's "
            "header, or resample with --regrid nearest"
        )
        return Finding("error", case, "geometry-mismatch", message, path)
    if distance > ROUNDING_MM:
        message = f"the label's corners lie up to {distance:.3g} mm from the scan's; the scan's geometry was taken"
        return Finding("info", case, "geometry-rounding", message, path)
    return None


def straighten(path: Path, grid: Grid) -> tuple[Grid, tuple[Finding, ...]]:
    """A grid whose axes stand upright on each other, and what was done to it.

    Up to a cosine of 1e-4 the grid stays as it is, silently: that is rounding. Up to 0.02 the nearest rotation takes
    the place of the directions (`direction-repaired`). Slices that lean one way only, as a tilted gantry makes them,
    stay as they are (`gantry-tilt`). Anything else is refused: InvalidDataError with rule `sheared`.
    """
    angles = skew(grid)
    if angles.largest <= UPRIGHT:
        return grid, ()
    if angles.largest <= REPAIRABLE:
        repaired = straightened(grid)
        message = (
            f"the directions are not at right angles (cosine {angles.largest:.2g}), which ITK refuses; the nearest "
            f"rotation was taken, which moves corners by up to {repaired.distance(grid):.2g} mm"
        )
        return repaired, (remark(path, "direction-repaired", message),)
    lean, other = sorted((abs(angles.zy), abs(angles.zx)), reverse=True)
    degrees = float(np.degrees(np.arcsin(min(1.0, angles.largest))))
    if abs(angles.yx) <= UPRIGHT and other <= REPAIRABLE and lean <= STEEPEST:
        message = f"the slices lean by {degrees:.1f} degrees, as a tilted gantry makes them; they were left so"
        return grid, (remark(path, "gantry-tilt", message),)
    message = f"two axes are {degrees:.1f} degrees off the right angle: the header is wrong; correct or resample it"
    raise refusal(path, "sheared", message)


def is_lost(space: FileSpace) -> bool:
    """Whether a header says nothing about place: origin zero, and the directions that tools write when they know none.

    Those are the file axes along LPS (ITK) or along RAS (nibabel).
    """
    steps = space.matrix[:3, :3]
    along = np.diag(steps)
    plain = np.allclose(steps - np.diag(along), 0, atol=1e-6)
    signs = tuple(np.sign(along))
    return bool(plain and signs in ((-1, -1, 1), (1, 1, 1)) and np.allclose(space.matrix[:3, 3], 0, atol=1e-6))


def times(shape: tuple[int, ...]) -> str:
    """A shape in words."""
    return " × ".join(str(n) for n in shape)


def millimetres(values: tuple[float, ...]) -> str:
    """Three lengths in words."""
    return "(" + ", ".join(f"{v:.4g}" for v in values) + ")"
