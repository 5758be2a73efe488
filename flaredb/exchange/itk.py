"""Reading MetaImage and NRRD files through SimpleITK."""

# mypy: allow-untyped-calls
# because SimpleITK has hardly any types

from __future__ import annotations

import contextlib
import hashlib
import locale
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK
from numpy.typing import NDArray

from flaredb.exchange.findings import refusal
from flaredb.exchange.payload import locate, verify
from flaredb.exchange.stored import Stored, check_geometry, check_shape, check_size, file_space, sha256_of

_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
_DTYPES: dict[int, np.dtype[Any]] = {
    SimpleITK.sitkInt8: np.dtype(np.int8),
    SimpleITK.sitkUInt8: np.dtype(np.uint8),
    SimpleITK.sitkInt16: np.dtype(np.int16),
    SimpleITK.sitkUInt16: np.dtype(np.uint16),
    SimpleITK.sitkInt32: np.dtype(np.int32),
    SimpleITK.sitkUInt32: np.dtype(np.uint32),
    SimpleITK.sitkInt64: np.dtype(np.int64),
    SimpleITK.sitkUInt64: np.dtype(np.uint64),
    SimpleITK.sitkFloat32: np.dtype(np.float32),
    SimpleITK.sitkFloat64: np.dtype(np.float64),
}


def read_itk(path: Path) -> Stored:
    """Read a `.mha`, `.mhd` or `.nrrd` file; file axis order is ITK's (x, y, z).

    Raises InvalidDataError with rule `empty`, `unreadable`, `not-3d`, `bad-geometry`, `absurd-size`, `unknown-format`
    or `outside-root`.
    """
    try:
        with quiet():
            return _read(path)
    except (RuntimeError, OSError) as error:
        raise refusal(path, "unreadable", f"ITK cannot read the file ({reason(error)}); copy it again") from error


def information(path: Path, reader_name: str) -> SimpleITK.ImageFileReader:
    """An ITK reader with the header read and no voxels; raises RuntimeError when ITK cannot."""
    reader = SimpleITK.ImageFileReader()
    reader.SetFileName(str(path))
    reader.SetImageIO(reader_name)
    reader.ReadImageInformation()
    return reader


def ras_affine(columns: NDArray[np.float64], origin: NDArray[np.float64]) -> NDArray[np.float64]:
    """4×4 RAS affine from the LPS steps (mm) along the three file axes, as columns, and the LPS origin."""
    affine = np.eye(4)
    affine[:3, :3] = columns
    affine[:3, 3] = origin
    return _LPS_TO_RAS @ affine


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep ITK from printing warnings to the terminal; what matters is a finding. Its DICOM reader sets the locale."""
    before = SimpleITK.ProcessObject.GetGlobalWarningDisplay()
    spoken = locale.setlocale(locale.LC_ALL)
    SimpleITK.ProcessObject.SetGlobalWarningDisplay(False)
    try:
        yield
    finally:
        SimpleITK.ProcessObject.SetGlobalWarningDisplay(before)
        locale.setlocale(locale.LC_ALL, spoken)


def reason(error: Exception) -> str:
    """The part of an ITK message that a person can use: its last line, without the C++ object's address."""
    lines = str(error).strip().splitlines() or ["no reason given"]
    return lines[-1].rpartition("): ")[2].removeprefix("ITK ERROR: ").removeprefix("sitk::ERROR: ")


def _read(path: Path) -> Stored:
    payload = locate(path)
    reader = information(path, "NrrdImageIO" if path.name.lower().endswith(".nrrd") else "MetaImageIO")
    if reader.GetNumberOfComponents() != 1:
        raise refusal(path, "not-3d", f"{reader.GetNumberOfComponents()} numbers a voxel; flaredb reads one")
    shape = check_shape(path, reader.GetSize())
    dtype = _dtype(path, reader)
    affine = _affine(path, reader)
    declared = math.prod(shape) * dtype.itemsize
    check_size(path, declared, payload.path.stat().st_size)
    verify(path, payload, declared)
    voxels = SimpleITK.GetArrayFromImage(reader.Execute())
    digest = sha256_of(path)
    if payload.path != path:
        digest = hashlib.sha256((digest + sha256_of(payload.path)).encode()).hexdigest()
    space = file_space(shape, affine, dtype, reader.GetSpacing()[:3])
    return Stored(voxels.reshape(shape[::-1]).transpose(2, 1, 0), 1.0, 0.0, space, digest)


def _dtype(path: Path, reader: SimpleITK.ImageFileReader) -> np.dtype[Any]:
    dtype = _DTYPES.get(reader.GetPixelID())
    if dtype is None:
        raise refusal(path, "unknown-format", f"voxels are of type {reader.GetPixelIDValue()}; numbers are needed")
    return dtype


def _affine(path: Path, reader: SimpleITK.ImageFileReader) -> NDArray[np.float64]:
    """The RAS affine from ITK's LPS direction, spacing and origin; a fourth axis is left out."""
    spacing = np.asarray(reader.GetSpacing(), np.float64)
    direction = np.asarray(reader.GetDirection(), np.float64).reshape(spacing.size, spacing.size)
    affine = ras_affine((direction * spacing)[:3, :3], np.asarray(reader.GetOrigin(), np.float64)[:3])
    check_geometry(path, affine, reader.GetSpacing()[:3])
    return affine
