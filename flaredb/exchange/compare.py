"""Does a label lie on the lattice of its scan?"""

from __future__ import annotations

from flaredb.errors import Finding
from flaredb.geometry import Grid

TOLERANCE = 0.1  # of the smallest spacing: what a label's corners may lie off and still be the same voxels
ROUNDING_MM = 1e-3  # below this nobody need be told


def check_geometry(case: str, label: Grid, image: Grid, path: str) -> Finding | None:
    """Compare a label's grid with its scan's, both (z, y, x) LPS; None when they are the same.

    An `info` finding `geometry-rounding` means that the label can be taken as lying on the scan's grid; an `error`
    finding `shape-mismatch` or `geometry-mismatch` that it cannot. `path` is the label's file.
    """
    if label.shape != image.shape:
        message = (
            f"the label has {_times(label.shape)} voxels (z × y × x), its scan {_times(image.shape)}; "
            "check that both belong to one case, or resample with --regrid nearest"
        )
        return Finding("error", case, "shape-mismatch", message, path)
    distance = label.distance(image)
    limit = TOLERANCE * min(image.spacing)
    if distance > limit:
        message = (
            f"the label's corners lie up to {distance:.3g} mm from the scan's ({limit:.3g} mm are allowed); spacing "
            f"{_millimetres(label.spacing)} against {_millimetres(image.spacing)}, origin "
            f"{_millimetres(label.origin)} against {_millimetres(image.origin)} mm (z, y, x); correct the label's "
            "header, or resample with --regrid nearest"
        )
        return Finding("error", case, "geometry-mismatch", message, path)
    if distance > ROUNDING_MM:
        message = f"the label's corners lie up to {distance:.3g} mm from the scan's; the scan's geometry was taken"
        return Finding("info", case, "geometry-rounding", message, path)
    return None


def _times(shape: tuple[int, ...]) -> str:
    return " × ".join(str(n) for n in shape)


def _millimetres(values: tuple[float, ...]) -> str:
    return "(" + ", ".join(f"{v:.4g}" for v in values) + ")"
