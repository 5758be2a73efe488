"""From stored numbers to what flaredb keeps: int16 HU for scans, small unsigned codes for labels.

Work goes slab by slab along the file's slowest axis, so that a scaled scan never exists as float64 whole.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from flaredb.errors import Finding
from flaredb.exchange.findings import refusal, remark
from flaredb.exchange.stored import Stored

ROUNDING = 1e-3  # what float32 storage and a slope such as 0.0039215689 may leave beside a whole number
_SLAB_VOXELS = 1 << 21
_HU = np.iinfo(np.int16)


class Extent(NamedTuple):
    """What values a file holds, once rounded to whole numbers: lowest, highest; and the largest rounding made."""

    low: int
    high: int
    fraction: float


def to_hu(path: Path, stored: Stored, allow_lossy: bool) -> tuple[NDArray[np.int16], tuple[Finding, ...]]:
    """HU as int16, C-contiguous in (z, y, x) LPS; findings say what `allow_lossy` rounded or clipped.

    Raises InvalidDataError with rule `not-finite`, `hu-not-integer` or `hu-out-of-range`.
    """
    extent = measure(path, stored)
    findings: list[Finding] = []
    if extent.fraction > ROUNDING:
        message = f"HU values lie up to {extent.fraction:.3g} beside whole numbers"
        findings.append(_lossy(path, "hu-not-integer", message, allow_lossy, "rounded"))
    if extent.low < _HU.min or extent.high > _HU.max:
        message = f"HU values from {extent.low} to {extent.high} do not fit 16 bits"
        findings.append(_lossy(path, "hu-out-of-range", message, allow_lossy, "clipped"))
    return _convert(stored, np.dtype(np.int16), clip=bool(findings)), tuple(findings)


def to_codes(path: Path, stored: Stored) -> NDArray[Any]:
    """Label codes in the smallest of uint8, uint16 and uint32, C-contiguous in (z, y, x) LPS.

    Raises InvalidDataError with rule `not-finite`, `label-not-integer`, `label-negative` or `label-out-of-range`.
    """
    extent = measure(path, stored)
    if extent.fraction > ROUNDING:
        message = (
            f"values lie up to {extent.fraction:.3g} beside whole numbers: a probability map, or resampled linearly"
        )
        raise refusal(path, "label-not-integer", f"{message}; labels hold whole codes")
    if extent.low < 0:
        raise refusal(path, "label-negative", f"the lowest value is {extent.low}; label codes begin at 0")
    for dtype in (np.uint8, np.uint16, np.uint32):
        if extent.high <= np.iinfo(dtype).max:
            return _convert(stored, np.dtype(dtype), clip=False)
    raise refusal(path, "label-out-of-range", f"the highest value is {extent.high}; label codes end at 4294967295")


def measure(path: Path, stored: Stored) -> Extent:
    """Look at every value; raises InvalidDataError with rule `not-finite`."""
    if _whole(stored):
        return Extent(int(stored.voxels.min()), int(stored.voxels.max()), 0.0)
    low, high, fraction = math.inf, -math.inf, 0.0
    for _, values in _slabs(stored):
        if not np.isfinite(values).all():
            raise refusal(path, "not-finite", "some values are NaN or infinite; mend the file")
        whole = np.rint(values)
        low, high = min(low, float(whole.min())), max(high, float(whole.max()))
        fraction = max(fraction, float(np.abs(values - whole).max()))
    return Extent(int(low), int(high), fraction)


def _lossy(path: Path, rule: str, message: str, allowed: bool, done: str) -> Finding:
    if not allowed:
        raise refusal(path, rule, f"{message}; --allow-lossy imports them {done}")
    return remark(path, rule, f"{message}; they were {done}")


def _whole(stored: Stored) -> bool:
    """Whether the values are the stored integers themselves."""
    return stored.voxels.dtype.kind in "iu" and stored.slope == 1.0 and stored.intercept == 0.0


def _convert(stored: Stored, dtype: np.dtype[Any], clip: bool) -> NDArray[Any]:
    """Round, clip if asked, turn to (z, y, x) LPS and cast; the values are known to fit otherwise."""
    result = np.empty(stored.space.grid.shape, dtype)
    target = stored.space.from_lps(result)
    limits = np.iinfo(dtype)
    for where, values in _slabs(stored):
        whole = values if values.dtype.kind in "iu" else np.rint(values)
        target[:, :, where] = np.clip(whole, limits.min, limits.max) if clip else whole
    return result


def _slabs(stored: Stored) -> Iterator[tuple[slice, NDArray[Any]]]:
    """Pieces of the value array along the last file axis: where, and the values (float64 unless whole)."""
    columns, rows, depth = stored.space.shape
    thickness = max(1, _SLAB_VOXELS // (columns * rows))
    for start in range(0, depth, thickness):
        where = slice(start, min(start + thickness, depth))
        piece = stored.voxels[:, :, where]
        yield where, piece if _whole(stored) else piece.astype(np.float64) * stored.slope + stored.intercept
