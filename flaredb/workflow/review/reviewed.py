"""What a review shows of a case: the labels to look at as one map, on the grid and in the file space of its scan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from flaredb.catalog.cases import Case
from flaredb.catalog.database import Connection
from flaredb.catalog.reviews import Item, Review, items
from flaredb.geometry import FileSpace, Grid
from flaredb.workspace import Workspace

_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
_XYZ = [2, 1, 0, 3]

Codes = NDArray[np.uint8]


def by_case(connection: Connection, review: Review) -> dict[str, list[Item]]:
    """Case → its items, cases in the order of the queue."""
    return {case: list(own) for case, own in groupby(items(connection, review.id), key=lambda item: item.case)}


def shown_map(workspace: Workspace, listed: Sequence[Item], grid: Grid) -> Codes:
    """The structures' values (z, y, x), LPS, as the labels under review draw them; lesions lie on organs.

    Where two labels draw different organs, the organ of the higher value is shown.
    """
    result = np.zeros(grid.shape, np.uint8)
    volumes = {item.label.volume: item.label for item in listed if item.label}
    codes = {volume: workspace.volumes.open(volume).read() for volume in volumes if volume}
    space = workspace.structures
    for item in sorted(listed, key=lambda item: (space[item.structure].kind == "lesion", space[item.structure].value)):
        if item.label and item.label.volume:
            drawn = np.isin(codes[item.label.volume], item.label.codes.codes_of(item.structure))
            result[drawn] = space[item.structure].value
    return result


def map_space(case: Case, grid: Grid) -> FileSpace:
    """How a file holds the map: like the scan's file, or with axes to the left, back and head if there is none."""
    if case.space:
        return replace(case.space, dtype="uint8")
    affine = _LPS_TO_RAS @ grid.affine[_XYZ][:, _XYZ]
    shape, spacing = grid.shape[::-1], grid.spacing[::-1]
    return FileSpace((shape[0], shape[1], shape[2]), tuple(affine.ravel().tolist()), "uint8", spacing)


def names_of(workspace: Workspace, listed: Sequence[Item]) -> dict[int, str]:
    """Value → structure, of those to look at."""
    structures = {item.structure for item in listed}
    return {s.value: s.name for s in workspace.structures.structures if s.name in structures}
