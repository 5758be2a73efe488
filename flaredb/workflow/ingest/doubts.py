"""Doubts about a label that lies where it should: is it of this scan, and is it another case's?

Both are warnings. A label that was flipped before it was saved, or that belongs to another patient, lies on the lattice
as well as a right one; what gives it away is that its organs lie in fat, lung and air. In CT at hand (3D-IRCADb and
TotalSegmentator, nine solid organs) a right label has up to 1 % of the voxels of solid organs below −50 HU; the same
labels flipped along any axes, or those of other patients, have 15 to 35 %.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from flaredb.catalog import labels
from flaredb.catalog.cases import Case
from flaredb.catalog.database import Write
from flaredb.catalog.labels import NewLabel
from flaredb.errors import Finding
from flaredb.labels.mappings import Mapping
from flaredb.workspace import Workspace

SOLID = frozenset({"liver", "spleen", "right_kidney", "left_kidney", "aorta", "inferior_vena_cava"})
DARK_HU = -50  # fat, lung and air are darker; parenchyma, blood and even a fatty liver hardly ever
SOLID_SHARE = 0.1  # of dark voxels: ten times that of a right label
ANY_SHARE = 0.5  # where no solid organ is labelled: a stomach holds air, a tumour may lie in the lung
ENOUGH = 1000  # voxels; fewer prove nothing
_PLANES = 32  # read at a time: what the store keeps together


def find_misplaced(
    workspace: Workspace, known: Case | None, codes: NDArray[Any], mapping: Mapping, path: str
) -> list[Finding]:
    """A warning `label-not-of-this-scan` if a label's organs lie in fat, lung or air; `codes` (z, y, x) on its grid.

    Looks at liver, spleen, kidneys and great vessels (more than 10 % dark), or at everything labelled where there is
    less than 1,000 voxels of those (more than half). Says nothing of cases without a scan.
    """
    if known is None or known.image is None or not workspace.volumes.has(known.image):
        return []
    for among, most in ((SOLID, SOLID_SHARE), (frozenset(mapping.structures), ANY_SHARE)):
        own = [code for code, names in mapping.meanings if names and names <= among]
        mask = np.isin(codes, own)
        if np.count_nonzero(mask) >= ENOUGH:
            share = _dark_share(workspace, known.image, mask)
            return [_misplaced(known.name, share, most, path)] if share > most else []
    return []


def find_twin(write: Write, label: NewLabel) -> list[Finding]:
    """A warning `duplicate-label` if a label of another case has the same voxels on the same grid, some of them marked.

    Labels of two cases that are one scan (`duplicate-image`) are such, too.
    """
    if label.volume is None or not any(found.voxels for found in label.presence.values()):
        return []
    others = labels.of_volume(write.connection, label.volume, but=label.case)
    if not others:
        return []
    more = f" and {len(others) - 1} more" if len(others) > 1 else ""
    message = f"the same voxels as {others[0]}{more}: one of the two cases has the other's label, or both are one scan"
    path = label.facts.get("file_name")
    return [Finding("warning", label.case, "duplicate-label", message, path)]


def _dark_share(workspace: Workspace, image: str, mask: NDArray[np.bool_]) -> float:
    """The share of the mask's voxels that are below −50 HU, read a few planes at a time."""
    volume = workspace.volumes.open(image)
    rows, columns = _extent(mask.any(axis=(0, 2))), _extent(mask.any(axis=(0, 1)))
    dark = total = 0
    for start in range(0, mask.shape[0], _PLANES):
        box = (slice(start, min(start + _PLANES, mask.shape[0])), rows, columns)
        inside = mask[box]
        if inside.any():
            values = volume.read(box)[inside]
            dark, total = dark + int(np.count_nonzero(values < DARK_HU)), total + values.size
    return dark / max(total, 1)


def _extent(present: Any) -> slice:
    """From the first True of a row to the last."""
    places = np.flatnonzero(present)
    return slice(int(places[0]), int(places[-1]) + 1)


def _misplaced(case: str, share: float, most: float, path: str) -> Finding:
    message = (
        f"{share:.0%} of the voxels of {'solid organs' if most == SOLID_SHARE else 'all that is labelled'} hold fat, "
        f"lung or air in the scan (below {DARK_HU} HU; up to {most:.0%} are taken as right): the label may be flipped, "
        "or of another scan; look at it in a viewer, then withdraw it or acknowledge this"
    )
    return Finding("warning", case, "label-not-of-this-scan", message, path)
