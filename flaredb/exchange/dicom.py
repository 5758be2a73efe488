"""Reading a folder of DICOM slices through ITK's GDCM reader.

Slices are put in order by where they lie, and the affine comes from their positions, so that a tilted gantry is
described as it is. Patient name and id are never asked for.
"""

# mypy: allow-untyped-calls
# because SimpleITK has hardly any types

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import SimpleITK
from numpy.typing import NDArray

from flaredb.errors import Finding
from flaredb.exchange.findings import refusal, remark
from flaredb.exchange.itk import information, quiet, ras_affine, reason
from flaredb.exchange.stored import Stored, check_geometry, check_size, file_space, sha256_of

LEAST_SLICES = 10
_SERIES, _KIND, _POSITION, _ORIENTATION = "0020|000e", "0008|0008", "0020|0032", "0020|0037"


class _Slice(NamedTuple):
    """One file: series id, whether a scout, LPS position (mm), row and column cosines, size and spacing (x, y)."""

    path: Path
    series: str
    scout: bool
    position: tuple[float, ...]
    orientation: tuple[float, ...]
    size: tuple[int, int]
    spacing: tuple[float, float]
    pixel: int


def is_dicom(path: Path) -> bool:
    """Whether a file is a DICOM one, by its mark `DICM` at byte 128; an index named DICOMDIR is none."""
    if path.name.startswith(".") or path.name == "DICOMDIR" or not path.is_file():
        return False
    with path.open("rb") as handle:
        return handle.read(132)[128:] == b"DICM"


def read_series(folder: Path) -> Stored:
    """Read the one series of ten slices or more in `folder`; file axes are (column, row, slice from low to high).

    Scouts and shorter series are skipped with a finding. The digest is the sha256 over the sorted sha256s of the
    slices. Raises InvalidDataError with rule `dicom-series` (none or several), `dicom-slices` (differing, missing or
    unevenly spaced ones), `bad-geometry`, `absurd-size` or `unreadable`.
    """
    try:
        with quiet():
            slices = [_inspect(path) for path in sorted(folder.iterdir()) if is_dicom(path)]
            series, findings = _choose(folder, slices)
            ordered = _in_order(folder, series)
            return _read(folder, ordered, findings)
    except (RuntimeError, OSError) as error:
        raise refusal(folder, "unreadable", f"a slice cannot be read ({reason(error)}); copy it again") from error


def _inspect(path: Path) -> _Slice:
    """Read one slice's header."""
    try:
        reader = information(path, "GDCMImageIO")
    except RuntimeError as error:
        raise refusal(path, "unreadable", f"the slice cannot be read ({reason(error)}); copy it again") from error
    size, spacing = reader.GetSize(), reader.GetSpacing()
    if reader.GetNumberOfComponents() != 1 or len(size) < 2 or any(n != 1 for n in size[2:]):
        raise refusal(path, "dicom-slices", "colour or several frames in a file; export it as single grey slices")
    check_size(path, math.prod(size), path.stat().st_size)
    return _Slice(
        path,
        _text(reader, _SERIES),
        "LOCALIZER" in _text(reader, _KIND).upper(),
        _numbers(path, reader, _POSITION, 3),
        _numbers(path, reader, _ORIENTATION, 6),
        (size[0], size[1]),
        (spacing[0], spacing[1]),
        reader.GetPixelID(),
    )


def _text(reader: SimpleITK.ImageFileReader, key: str) -> str:
    return str(reader.GetMetaData(key)).strip(" \0") if reader.HasMetaDataKey(key) else ""


def _numbers(path: Path, reader: SimpleITK.ImageFileReader, key: str, count: int) -> tuple[float, ...]:
    """The numbers of a position or orientation tag; an absent tag gives an empty tuple."""
    text = _text(reader, key)
    try:
        values = tuple(float(part) for part in text.split("\\")) if text else ()
    except ValueError:
        values = (math.nan,)
    if values and (len(values) != count or not all(map(math.isfinite, values))):
        raise refusal(path, "bad-geometry", f"tag ({key.replace('|', ',')}) is {text!r}; {count} numbers are needed")
    return values


def _choose(folder: Path, slices: Sequence[_Slice]) -> tuple[list[_Slice], tuple[Finding, ...]]:
    """The slices of the only series that is long enough, and a finding for each that was skipped."""
    series: dict[str, list[_Slice]] = {}
    for item in slices:
        series.setdefault("scout" if item.scout else item.series, []).append(item)
    long = [name for name, items in series.items() if name != "scout" and len(items) >= LEAST_SLICES]
    if len(long) != 1:
        lengths = ", ".join(str(len(items)) for items in series.values()) or "no"
        message = f"{len(long)} series of {LEAST_SLICES} slices or more (found {lengths} slices); one a folder, please"
        raise refusal(folder, "dicom-series", message)
    skipped = tuple(
        remark(items[0].path, "dicom-skipped", f"a scout or short series of {len(items)} slices was left out")
        for name, items in series.items()
        if name != long[0]
    )
    return series[long[0]], skipped


def _in_order(folder: Path, slices: Sequence[_Slice]) -> list[_Slice]:
    """The slices sorted along their normal, checked to be alike and evenly spaced."""
    first = slices[0]
    if not all(item.position and item.orientation for item in slices):
        raise refusal(folder, "bad-geometry", "slices without position or orientation; export the series again")
    alike = all(item.size == first.size and np.allclose(item.spacing, first.spacing, rtol=1e-4) for item in slices)
    if not alike or any(np.abs(np.subtract(s.orientation, first.orientation)).max() > 1e-3 for s in slices):
        raise refusal(folder, "dicom-slices", "slices differ in size, spacing or orientation; one volume a folder")
    normal = np.cross(first.orientation[:3], first.orientation[3:])
    ordered = sorted(slices, key=lambda item: float(np.dot(item.position, normal)))
    positions = np.array([item.position for item in ordered])
    heights = positions @ normal
    step = (heights[-1] - heights[0]) / (len(ordered) - 1)
    regular = np.linspace(positions[0], positions[-1], len(ordered))
    off = float(np.linalg.norm(positions - regular, axis=1).max())
    if step <= 0 or off > 0.1 * step:
        steps = np.diff(heights)
        message = (
            f"slices are missing, doubled or unevenly spaced: steps of {steps.min():.3f} to {steps.max():.3f} mm, "
            f"a slice lies {off:.3f} mm off; complete the series"
        )
        raise refusal(folder, "dicom-slices", message)
    return ordered


def _read(folder: Path, ordered: Sequence[_Slice], findings: tuple[Finding, ...]) -> Stored:
    reader = SimpleITK.ImageSeriesReader()
    reader.SetImageIO("GDCMImageIO")
    reader.SetFileNames([str(item.path) for item in ordered])
    if len({item.pixel for item in ordered}) > 1:  # because ITK would force the first slice's type on all
        reader.SetOutputPixelType(SimpleITK.sitkFloat64)
    affine, pixdim = _geometry(ordered)
    check_geometry(folder, affine, pixdim)
    voxels: NDArray[Any] = SimpleITK.GetArrayFromImage(reader.Execute()).transpose(2, 1, 0)
    shape = (*ordered[0].size, len(ordered))
    if voxels.shape != shape:
        raise refusal(folder, "dicom-slices", f"slices declare {shape} voxels, {voxels.shape} were read")
    digests = sorted(sha256_of(item.path) for item in ordered)
    digest = hashlib.sha256("".join(digests).encode()).hexdigest()
    return Stored(voxels, 1.0, 0.0, file_space(shape, affine, voxels.dtype, pixdim), digest, findings)


def _geometry(ordered: Sequence[_Slice]) -> tuple[NDArray[np.float64], tuple[float, float, float]]:
    """RAS affine and voxel size (mm) of the stack, from the slices' own positions."""
    first, last = np.array(ordered[0].position), np.array(ordered[-1].position)
    step = (last - first) / (len(ordered) - 1)
    (dx, dy), cosines = ordered[0].spacing, np.array(ordered[0].orientation)
    columns = np.stack([cosines[:3] * dx, cosines[3:] * dy, step], axis=1)
    return ras_affine(columns, first), (dx, dy, float(np.linalg.norm(step)))
