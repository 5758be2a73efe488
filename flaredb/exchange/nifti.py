"""Reading NIfTI-1 and NIfTI-2 files, plain or gzipped, to the last byte.

nibabel reads the header and says what it means; the voxels are taken from the stream directly, because nibabel stops
at the last voxel and would not notice a damaged gzip trailer. ISA-L inflates twice as fast as zlib.
"""

# mypy: allow-untyped-calls
# because nibabel has hardly any types

from __future__ import annotations

import io
import logging
import math
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
from isal import igzip
from isal.igzip_lib import IsalError
from nibabel.nifti1 import Nifti1Header
from nibabel.nifti2 import Nifti2Header
from nibabel.spatialimages import HeaderDataError
from numpy.typing import NDArray

from flaredb.errors import Finding
from flaredb.exchange.findings import refusal, remark
from flaredb.exchange.stored import Stored, check_geometry, check_shape, check_size, file_space, sha256_of
from flaredb.geometry import FileSpace

_QUIET = logging.getLogger("flaredb.exchange.nifti")  # takes what nibabel would print about headers it mends
_QUIET.addHandler(logging.NullHandler())
_QUIET.propagate = False
_HEADER_BYTES = 540  # of NIfTI-2; NIfTI-1 has 348
_CHUNK = 1 << 24
_BEYOND = 1 << 26  # bytes after the last voxel; the format has none, and a small file may unpack to terabytes
_Damage = cast(type[Exception], IsalError)  # annotated as an instance there
_Stream = igzip.IGzipFile | io.BufferedReader


class _Header(NamedTuple):
    """What a NIfTI header says about where the voxels lie, in the file and in the world."""

    space: FileSpace
    dtype: np.dtype[Any]
    offset: int
    slope: float
    intercept: float
    findings: tuple[Finding, ...]

    @property
    def end(self) -> int:
        """Bytes from the start of the file to the end of the last voxel."""
        return self.offset + math.prod(self.space.shape) * self.dtype.itemsize


def read_nifti(path: Path) -> Stored:
    """Read a `.nii` or `.nii.gz` file whole; the affine is exactly the one nibabel gives.

    Raises InvalidDataError with rule `empty`, `unreadable`, `not-3d`, `bad-geometry`, `absurd-size`, `too-large` or
    `unknown-format`.
    """
    try:
        size = path.stat().st_size
        if size == 0:
            raise refusal(path, "empty", "the file is empty; copy it again")
        with path.open("rb") as handle:
            stream: _Stream = igzip.IGzipFile(fileobj=handle) if path.name.lower().endswith(".gz") else handle
            header, data = _read(path, stream, size)
        digest = sha256_of(path)
    except (OSError, EOFError, _Damage) as error:
        raise refusal(path, "unreadable", f"the file is damaged or cut short ({error}); copy it again") from error
    voxels: NDArray[Any] = np.frombuffer(data, header.dtype, math.prod(header.space.shape), header.offset)
    shaped = voxels.reshape(header.space.shape, order="F")
    return Stored(shaped, header.slope, header.intercept, header.space, digest, header.findings)


def _read(path: Path, stream: _Stream, size: int) -> tuple[_Header, bytearray]:
    """Header and the bytes up to the last voxel; the rest is read too, so that the gzip checksum is compared."""
    head = stream.read(_HEADER_BYTES)
    header = _parse(path, head)
    check_size(path, header.end, size)
    data = bytearray(header.end)
    position = min(len(head), header.end)
    data[:position] = head[:position]
    view = memoryview(data)
    while position < header.end:
        count = stream.readinto(view[position : position + _CHUNK])
        if not count:
            raise EOFError(f"{header.end - position:,} of {header.end:,} bytes are missing")
        position += count
    beyond = 0
    while chunk := stream.read(_CHUNK):
        beyond += len(chunk)
        if beyond > _BEYOND:
            raise refusal(path, "absurd-size", f"the file goes on for more than {_BEYOND >> 20} MiB after its voxels")
    return header, data


def _parse(path: Path, head: bytes) -> _Header:
    """Make sense of the first 540 bytes of a NIfTI file."""
    try:
        with np.errstate(all="ignore"):
            return _interpret(path, head)
    except (HeaderDataError, ValueError, OverflowError) as error:
        if hasattr(error, "findings"):
            raise
        raise refusal(path, "unreadable", f"nibabel refuses the header: {error}") from error


def _interpret(path: Path, head: bytes) -> _Header:
    header = _header(path, head)
    pixdim = [abs(float(p)) for p in header["pixdim"][1:4]]  # before nibabel mends zeros
    header.check_fix(logger=_QUIET)
    shape = check_shape(path, header.get_data_shape())
    dtype = header.get_data_dtype()
    if dtype.kind not in "iuf":
        raise refusal(path, "unknown-format", f"voxels are of type {dtype}; flaredb reads integers and floats")
    affine = np.asarray(header.get_best_affine(), np.float64)
    check_geometry(path, affine, pixdim)
    slope, intercept = header.get_slope_inter()
    return _Header(
        file_space(shape, affine, dtype, pixdim),
        dtype,
        int(header.get_data_offset()),
        1.0 if slope is None else float(slope),
        0.0 if intercept is None else float(intercept),
        _orientation_remarks(path, header),
    )


def _header(path: Path, head: bytes) -> Any:
    """The nibabel header object of whichever NIfTI version the bytes are."""
    for kind in (Nifti1Header, Nifti2Header):
        if len(head) >= kind.sizeof_hdr and kind.may_contain_header(head):
            header = kind.from_fileobj(io.BytesIO(head[: kind.sizeof_hdr]), check=False)
            if header["magic"].item() == header.single_magic:
                return header
    raise refusal(path, "unreadable", "the file does not begin with a NIfTI header")


def _orientation_remarks(path: Path, header: Any) -> tuple[Finding, ...]:
    if int(header["sform_code"]) or int(header["qform_code"]):
        return ()
    message = "the header gives neither sform nor qform: which side is left is a guess; check the scan in a viewer"
    return (remark(path, "no-orientation", message),)
