"""Put right what the catalogue says of a case's lattice, by its volumes, whose names are digests over it too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from flaredb.catalog.database import Write
from flaredb.catalog.holdings import Holding, holdings, set_file_affine, set_grid
from flaredb.errors import Finding
from flaredb.geometry import Grid
from flaredb.workflow.integrity.fsck import TOLERANCE_MM, apart
from flaredb.workspace import Workspace

_ENDS = ("SI", "PA", "LR")  # of z, y and x: the end that stored axes grow to, and the other


def correct(workspace: Workspace, write: Write, case: str) -> Iterator[Finding]:
    """Take spacing, origin and direction, and the file's affine, from a volume of the case that is sound."""
    own = [holding for holding in holdings(write.connection) if holding.case == case]
    grid = _sound(workspace, own)
    if grid is None:
        message = "no volume of the case is sound, so nobody can say where it lies; restore a backup or import again"
        yield Finding("error", case, "geometry-unknown", message)
        return
    stated = own[0].grid
    if stated is None or apart(stated, grid) > TOLERANCE_MM:
        set_grid(write, case, grid)
        yield _said(case, f"spacing, origin and direction are those of its volume again: {grid.spacing} {grid.origin}")
    scan = own[0]
    if scan.what == "case" and scan.file and (scan.space is None or apart(scan.space.grid, grid) > TOLERANCE_MM):
        if sorted(scan.orientation) not in [sorted(axes) for axes in _triples()]:
            yield Finding("error", case, "geometry-unknown", "the orientation of its file is lost; import it again")
            return
        set_file_affine(write, case, file_affine(grid, scan.orientation))
        yield _said(case, "the affine of its file is told again from its volume and the file's orientation")


def file_affine(grid: Grid, orientation: str) -> tuple[float, ...]:
    """The NIfTI affine (file index to RAS mm, row by row) of a file whose axes grow to these ends, such as `LPS`."""
    to_stored = np.zeros((4, 4))  # from file index (i, j, k, 1) to stored index (z, y, x, 1)
    to_stored[3, 3] = 1
    for axis, end in enumerate(orientation):
        stored = next(number for number, ends in enumerate(_ENDS) if end in ends)
        same = end == _ENDS[stored][0]
        to_stored[stored, axis] = 1 if same else -1
        to_stored[stored, 3] = 0 if same else grid.shape[stored] - 1
    lps = (grid.affine @ to_stored)[[2, 1, 0, 3]]
    return tuple(float(value) + 0.0 for value in (np.diag([-1.0, -1.0, 1.0, 1.0]) @ lps).ravel())


def _sound(workspace: Workspace, own: Sequence[Holding]) -> Grid | None:
    """The lattice of a volume that holds what its name says; the scan's if it can be."""
    for holding in own:
        if workspace.volumes.has(holding.volume) and workspace.volumes.examine(holding.volume) is None:
            return workspace.volumes.open(holding.volume).grid
    return None


def _triples() -> list[str]:
    return [z + y + x for z in "SI" for y in "PA" for x in "LR"]


def _said(case: str, message: str) -> Finding:
    return Finding("warning", case, "geometry-corrected", message)
