"""Putting a label on the lattice of its scan: as it lies, put right with a finding, or refused with one.

Judged in this order: the same lattice; a header that lost its place; an axis that runs the wrong way or stands in
another's place; a part of the scan's lattice, or more than it; another grid. Nothing is moved by guess: where two
readings of a file fit, the finding names them and the label is refused.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from flaredb.catalog.cases import Case
from flaredb.errors import Finding, InvalidDataError, UsageError
from flaredb.exchange import lattice
from flaredb.exchange.compare import ROUNDING_MM, check_geometry, is_lost, limit_mm, millimetres, straighten, times
from flaredb.exchange.read import Scan
from flaredb.geometry import Grid, Shape

_METHODS = ("nearest",)
_ALIKE = 0.01  # relative: spacings that differ less are the same, written with fewer digits


class Target(NamedTuple):
    """Where a label has to go: a case by name, what the catalogue knows of it (None if new), and the label's file."""

    case: str
    known: Case | None
    path: Path

    def refusal(self, rule: str, message: str) -> InvalidDataError:
        """The exception for a label that breaks a rule."""
        return InvalidDataError(message, [Finding("error", self.case, rule, message, self.path.name)])

    def warning(self, rule: str, message: str) -> Finding:
        """A remark on a label that comes in all the same."""
        return Finding("warning", self.case, rule, message, self.path.name)

    def rounding(self, off: float) -> Finding:
        """A remark on corners that lie a little off."""
        message = f"the label's corners lie up to {off:.3g} mm from the scan's voxels; the scan's geometry was taken"
        return Finding("info", self.case, "geometry-rounding", message, self.path.name)


def place(label: Scan, target: Target, regrid: str | None = None) -> Scan:
    """The label with its codes on the scan's lattice, and all that was remarked or done as findings.

    `space` stays the file's own where all its voxels are kept, so that it goes out as it came: also of a padded label,
    which is cut again. Where voxels were cut off or resampled, or the scan's geometry was taken, it describes the
    label as it is now, with the file's own axes. Of a case that has no grid yet the label's own is taken. `regrid` is
    None or `nearest`. Raises InvalidDataError with rule `wrong-axis`, `geometry-lost`, `geometry-mismatch`,
    `shape-mismatch`, `label-outside-scan` or `sheared`.
    """
    if regrid not in (None, *_METHODS):
        raise UsageError(f"--regrid {regrid}: one of {' '.join(_METHODS)}")
    label = replace(label, findings=_named(target, label.findings))
    grid = target.known.grid if target.known else None
    if grid is None:
        upright, said = straighten(target.path, label.grid)
        return _said(replace(label, grid=upright), [*_named(target, said), *_placeless(label, target)])
    misfit = check_geometry(target.case, label.grid, grid, target.path.name)
    said = ()
    if misfit and misfit.severity == "error":
        upright, said = straighten(target.path, label.grid)
        label = replace(label, grid=upright)
        misfit = check_geometry(target.case, label.grid, grid, target.path.name)
    if misfit is None or misfit.severity != "error":
        done = [*_named(target, said), *([misfit] if misfit else []), *_placeless(label, target)]
        return _said(replace(label, grid=grid), done)
    label = _said(label, _named(target, said))
    found = _recovered(label, target, grid) or _as_part(label, target, grid)
    if found is None and regrid:
        found = _resampled(label, target, grid)
    if found is None:
        raise InvalidDataError(misfit.message, [misfit])
    return found


def _named(target: Target, findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    return tuple(f._replace(case=target.case, path=target.path.name) for f in findings)


def _said(label: Scan, findings: list[Finding] | tuple[Finding, ...]) -> Scan:
    return replace(label, findings=(*label.findings, *findings))


def _placeless(label: Scan, target: Target) -> list[Finding]:
    """A remark on a header that holds no place, while there is no scan to say whether that is right."""
    if not is_lost(label.space) or (target.known and target.known.image):
        return []
    message = (
        "the header holds no place (origin zero, directions as a tool writes them when it knows none): whoever saved "
        "it lost the scan's; its spacing and the order of its voxels are all that is known"
    )
    return [target.warning("geometry-lost", message)]


def _recovered(label: Scan, target: Target, grid: Grid) -> Scan | None:
    """A label of the scan's shape whose header lost origin and direction, with the scan's geometry instead.

    Taken if the file's axes run as those of the scan's file: then both readings, by index and by header, are one.
    Raises InvalidDataError: `geometry-lost` if they do not, `wrong-axis` for axes reversed or in another order.
    """
    order = lattice.axis_order(label.grid.shape, grid.shape)
    if order:
        message = (
            f"the label has {times(label.grid.shape)} voxels (z × y × x), its scan {times(grid.shape)}: its axes "
            f"{_axes(order)} would have to be z, y, x; it was saved in another order than its header says; save it "
            "again in the scan's order with the scan's header"
        )
        raise target.refusal("wrong-axis", message)
    if label.grid.shape != grid.shape:
        return None
    ones = np.allclose(label.grid.spacing, 1, rtol=_ALIKE)
    if is_lost(label.space) and (ones or np.allclose(label.grid.spacing, grid.spacing, rtol=_ALIKE)):
        return _with_scans_geometry(label, target, grid)
    offset = lattice.offset_on(label.grid, grid, limit_mm(grid))
    wrong = lattice.mirrored_axes(offset, grid.shape) if offset else ()
    if wrong:
        message = (
            f"the label begins where the scan ends along {_axes(wrong)}: one of the two headers counts that axis "
            "backwards, and the file does not say whether its voxels are to be flipped or its origin to be moved; "
            "compare both in a viewer and correct the header"
        )
        raise target.refusal("wrong-axis", message)
    return None


def _with_scans_geometry(label: Scan, target: Target, grid: Grid) -> Scan:
    own = target.known.space if target.known else None
    if own is None or own.orientation != label.space.orientation:
        other = f"its scan's file runs {own.orientation}" if own else "its scan's file is not known"
        message = (
            f"the header holds no place (origin zero, directions of a tool that knows none, {label.space.orientation}) "
            f"and {other}: the voxels fit by their order or by the header, and not both; write the scan's header to it"
        )
        raise target.refusal("geometry-lost", message)
    message = (
        f"the header holds no place (origin zero, spacing {millimetres(label.grid.spacing)} mm, z, y, x); the scan's "
        f"geometry was taken: spacing {millimetres(grid.spacing)}, origin {millimetres(grid.origin)} mm"
    )
    space = replace(own, dtype=label.space.dtype)
    return _said(replace(label, grid=grid, space=space), [target.warning("geometry-lost", message)])


def _as_part(label: Scan, target: Target, grid: Grid) -> Scan | None:
    """A label that covers some of the scan's lattice, or more than it, padded with background and cut.

    None if it is on another lattice, or of the scan's own shape: then it was made on that and its header is wrong.
    Raises InvalidDataError (`label-outside-scan`) where codes would be lost.
    """
    shape = label.grid.shape
    offset = lattice.offset_on(label.grid, grid, limit_mm(grid))
    if shape == grid.shape or offset is None or lattice.common_box(offset, shape, grid.shape) is None:
        return None
    codes, lost = lattice.embedded(label.voxels, offset, grid.shape)
    if lost:
        message = (
            f"{lost:,} labelled voxels lie outside the scan, which the label exceeds: it holds {_box(offset, shape)} "
            f"of {times(grid.shape)} voxels; check that both belong to one case"
        )
        raise target.refusal("label-outside-scan", message)
    box = lattice.box_grid(grid, offset, shape)
    off = label.grid.distance(box)
    rounded = [target.rounding(off)] if off > ROUNDING_MM else []
    inside = all(o >= 0 and o + n <= m for o, n, m in zip(offset, shape, grid.shape, strict=True))
    space = label.space if inside and not rounded else lattice.filed_on(label.space, box if inside else grid)
    placed = replace(label, voxels=codes, grid=grid, space=space)
    return _said(placed, [*rounded, *_part_remarks(target, offset, shape, grid.shape)])


def _part_remarks(target: Target, offset: Shape, shape: Shape, whole: Shape) -> list[Finding]:
    findings = []
    ends = [o + n for o, n in zip(offset, shape, strict=True)]
    if any(o > 0 for o in offset) or any(end < n for end, n in zip(ends, whole, strict=True)):
        message = (
            f"the label covers {_box(offset, shape)} of its scan's {times(whole)} voxels and was padded with "
            "background: what is annotated exhaustively counts as absent outside; if nobody looked there, state it "
            "with --positive-only"
        )
        findings.append(target.warning("label-cropped", message))
    if any(o < 0 for o in offset) or any(end > n for end, n in zip(ends, whole, strict=True)):
        message = (
            f"the label reaches beyond its scan ({_box(offset, shape)} of {times(whole)} voxels); the background "
            "there was cut off"
        )
        findings.append(target.warning("label-exceeds-scan", message))
    return findings


def _resampled(label: Scan, target: Target, grid: Grid) -> Scan:
    """The label on the scan's grid, each voxel from the nearest; InvalidDataError if nothing labelled is left."""
    codes = lattice.nearest(label.voxels, label.grid, grid)
    before, after = np.count_nonzero(label.voxels), np.count_nonzero(codes)
    if before and not after:
        message = "nothing the label marks lies inside the scan; check that both belong to one case"
        raise target.refusal("label-outside-scan", message)
    gone = sorted({*_codes(label.voxels)} - {*_codes(codes)})
    message = (
        f"resampled (nearest) from {_grid(label.grid)} to {_grid(grid)}; marked volume "
        f"{before * label.grid.voxel_ml:.4g} ml before, {after * grid.voxel_ml:.4g} ml after"
        f"{'; lost altogether: code ' + ' '.join(map(str, gone[:8])) if gone else ''}; what is annotated "
        "exhaustively counts as absent where the label did not reach"
    )
    space = lattice.filed_on(label.space, grid)
    return _said(replace(label, voxels=codes, grid=grid, space=space), [target.warning("regridded", message)])


def _codes(codes: NDArray[Any]) -> list[int]:
    return [int(code) for code in np.unique(codes[codes > 0])]


def _axes(axes: tuple[int, ...]) -> str:
    return ", ".join("zyx"[axis] for axis in axes)


def _box(offset: Shape, shape: Shape) -> str:
    parts = zip("zyx", offset, shape, strict=True)
    return ", ".join(f"{axis} {o} to {o + n - 1}" for axis, o, n in parts)


def _grid(grid: Grid) -> str:
    return f"{times(grid.shape)} voxels of {millimetres(grid.spacing)} mm at {millimetres(grid.origin)}"
