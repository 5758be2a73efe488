"""Small real files for the tests of this room."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import SimpleITK
from numpy.typing import NDArray

from flaredb.errors import InvalidDataError

REAL_DATA = Path(os.environ.get("FLAREDB_TEST_DATA") or Path(__file__).parents[3] / "shared" / "data")
AFFINE = np.array([[-0.8, 0, 0, 100], [0, -0.8, 0, 150], [0, 0, 2.5, -300], [0, 0, 0, 1]])  # LPS, mm
IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


def real(name: str) -> Path:
    """A file of the shared data, or a skipped test."""
    path = REAL_DATA / name
    if not path.exists():
        pytest.skip(f"{path} is not on this machine")
    return path


def ramp(shape: tuple[int, ...] = (5, 4, 3), dtype: Any = np.int16) -> NDArray[Any]:
    """Different voxels everywhere, so that no flip or transposition goes unnoticed."""
    return np.arange(np.prod(shape)).reshape(shape).astype(dtype)


def nifti(path: Path, array: NDArray[Any], affine: NDArray[Any] = AFFINE) -> Path:
    """Write an array given in file order (x, y, z) with nibabel."""
    nibabel.save(nibabel.Nifti1Image(array, affine, dtype=array.dtype), path)
    return path


def itk(path: Path, array_zyx: NDArray[Any], compressed: bool = False) -> Path:
    """Write an array in ITK's order (z, y, x) with spacing 0.8, 0.9, 2.5 mm (x, y, z)."""
    image = SimpleITK.GetImageFromArray(array_zyx)
    image.SetSpacing((0.8, 0.9, 2.5))
    image.SetOrigin((-100.0, -150.0, -300.0))
    SimpleITK.WriteImage(image, str(path), compressed)
    return path


def dicom(
    folder: Path,
    heights: list[float],
    series: str = "1.2.3",
    kind: str = "ORIGINAL\\PRIMARY\\AXIAL",
    tilt: float = 0.0,
    columns: int = 8,
) -> Path:
    """Write a slice for each height (mm); slice i holds 100 * i + column + 10 * row. `tilt` shifts y per mm."""
    folder.mkdir(parents=True, exist_ok=True)
    writer = SimpleITK.ImageFileWriter()
    writer.KeepOriginalImageUIDOn()
    for i, height in enumerate(heights):
        rows = np.arange(6)[:, None] * 10 + np.arange(columns) + 100 * i
        image = SimpleITK.GetImageFromArray(rows[None].astype(np.int16))
        image.SetSpacing((0.8, 0.9, 1.0))
        tags = {
            "0008|0008": kind,
            "0008|0060": "CT",
            "0010|0010": "SECRET^NAME",
            "0020|000e": series,
            "0008|0018": f"{series}.{i + 1}",
            "0020|0032": f"-100\\{-150 + tilt * height}\\{height}",
            "0020|0037": "1\\0\\0\\0\\1\\0",
        }
        for key, value in tags.items():
            image.SetMetaData(key, value)
        writer.SetFileName(str(folder / f"{series}-{len(heights) - i:03d}.dcm"))
        writer.Execute(image)
    return folder


def rule_of(error: pytest.ExceptionInfo[InvalidDataError]) -> str:
    """The one rule that a refusal names."""
    (finding,) = error.value.findings
    assert finding.severity == "error"
    assert finding.path
    return finding.rule
