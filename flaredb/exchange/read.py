"""Reading scans and labels: NIfTI, MetaImage, NRRD, and folders of DICOM slices.

Promised: no voxel is changed without a finding, damage is refused and not read around, the file's own space is kept.
Not promised: anything of the file beside voxels and geometry (descriptions, patients, extensions).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flaredb.errors import Finding, NotFoundError
from flaredb.exchange.compare import straighten
from flaredb.exchange.dicom import is_dicom, read_series
from flaredb.exchange.findings import refusal
from flaredb.exchange.itk import read_itk
from flaredb.exchange.lattice import filed_on
from flaredb.exchange.nifti import read_nifti
from flaredb.exchange.stored import Stored
from flaredb.exchange.values import to_codes, to_hu
from flaredb.geometry import FileSpace, Grid

_NIFTI = (".nii", ".nii.gz")
_ITK = (".mha", ".mhd", ".nrrd")
SUFFIXES = (".nii.gz", ".nii", ".mha", ".mhd", ".nrrd")  # longest first: `x.nii.gz` is case x


@dataclass(frozen=True, eq=False)
class Scan:
    """A volume as read: a scan in HU or a label's codes.

    `voxels` is C-contiguous in (z, y, x) LPS on `grid`, the file's as read unless it had to be put right; `space` says
    how the file had them; `sha256` is of the file's bytes (of a DICOM series: over its slices' sorted digests; of a
    .mhd: over header and data). `findings` are remarks of severity `warning` with no case in them; empty when there is
    nothing to say. `patient` is the id a DICOM header gives, only ever to be hashed; empty where there is none.
    """

    voxels: NDArray[Any]
    space: FileSpace
    grid: Grid
    sha256: str
    findings: tuple[Finding, ...] = ()
    patient: str = field(default="", repr=False)


def read_image(path: Path, allow_lossy: bool = False, part: str = "") -> Scan:
    """Read a scan as int16 HU, after the header's slope and intercept; `part` names one series of a DICOM folder.

    Values must be whole numbers that fit; what lies within 0.001 of one is taken for the noise of float storage.
    `allow_lossy` rounds and clips the others and adds a finding. Directions that are not at right angles are put right
    (`compare.straighten`), in `space` too, so that the scan goes out as ITK can read it; slices of DICOM lie as they
    lie. Raises NotFoundError, and InvalidDataError with rule `hu-not-integer`, `hu-out-of-range`, `not-finite`,
    `sheared` or one of the file's (see the readers).
    """
    with _memory(path):
        stored = _stored(path, part)
        voxels, findings = to_hu(path, stored, allow_lossy)
    scan = _scan(voxels, stored, findings)
    if path.is_dir() or is_dicom(path):
        return scan
    grid, said = straighten(path, scan.grid)
    if grid == scan.grid:
        return replace(scan, findings=(*scan.findings, *said))
    space = replace(filed_on(scan.space, grid), pixdim=scan.space.pixdim)
    return replace(scan, grid=grid, space=space, findings=(*scan.findings, *said))


def read_label(path: Path) -> Scan:
    """Read a label's codes as uint8, uint16 or uint32, the smallest that holds them.

    Codes stored as floats are taken when whole within 0.001. Raises NotFoundError, and InvalidDataError with rule
    `label-not-integer`, `label-negative`, `label-out-of-range`, `not-finite` or one of the file's (see the readers).
    """
    with _memory(path):
        stored = _stored(path)
        return _scan(to_codes(path, stored), stored, ())


@contextlib.contextmanager
def _memory(path: Path) -> Iterator[None]:
    """Running out of memory is a fault of the file, or of too many at a time."""
    try:
        yield
    except MemoryError as error:
        raise refusal(path, "too-large", "there is not enough memory to read it; give fewer --workers") from error


def _scan(voxels: NDArray[np.integer[Any]], stored: Stored, findings: tuple[Finding, ...]) -> Scan:
    return Scan(voxels, stored.space, stored.space.grid, stored.sha256, stored.findings + findings, stored.patient)


def _stored(path: Path, part: str = "") -> Stored:
    """Hand the file to the reader of its kind; the name decides, and no other reader is tried."""
    name = path.name.lower()
    if not path.exists():
        raise NotFoundError(f"{path}: no such file or folder")
    if path.is_dir():
        return read_series(path, part)
    if name.endswith(_NIFTI):
        return read_nifti(path)
    if name.endswith(_ITK):
        return read_itk(path)
    if is_dicom(path):
        return read_series(path, part)
    raise refusal(path, "unknown-format", f"not one of {', '.join(SUFFIXES)} or a folder of DICOM slices")
