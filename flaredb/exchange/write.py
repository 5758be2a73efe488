"""Writing NIfTI files that a reader finds in the very space the original had."""

# mypy: allow-untyped-calls
# because nibabel has hardly any types

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
from nibabel.nifti1 import Nifti1Header
from nibabel.nifti2 import Nifti2Header
from nibabel.spatialimages import HeaderDataError
from numpy.typing import NDArray

from flaredb.durable import to_disk
from flaredb.exchange.findings import refusal
from flaredb.geometry import FileSpace

_TYPES = ("uint8", "int8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64")
_LEVEL = 4  # of gzip; labels shrink to a hundredth at any level, scans hardly shrink further above
_SLAB_VOXELS = 1 << 21


class _Hashing(io.RawIOBase):
    """A stream that hashes what passes through it to another, or to nowhere."""

    def __init__(self, onward: IO[bytes] | None = None) -> None:
        self.digest = hashlib.sha256()
        self._onward = onward

    def writable(self) -> bool:
        """It takes bytes."""
        return True

    def write(self, data: Any) -> int:
        """Take some bytes."""
        self.digest.update(data)
        return self._onward.write(data) if self._onward else len(data)


def write_nifti(path: Path, array_zyx: NDArray[Any], space: FileSpace) -> str:
    """Write an array given in (z, y, x) LPS back into the file's own axes, affine and type; the file's sha256.

    The name decides on compression (`.nii` or `.nii.gz`). Equal input gives equal bytes. The file appears whole or
    not at all, replacing one of that name. Where `space.dtype` is unknown to NIfTI or cannot hold the values, the
    smallest type that can takes its place. Scanner codes: sform 1, and qform 1 where a quaternion can say the same; the
    quaternion alone where it says the affine exactly and float32 cannot. Raises InvalidDataError with rule
    `unknown-format` or `shape-mismatch`; OSError when the disk refuses.
    """
    _check(path, array_zyx, space)
    with _beside(path) as handle:
        stream = _Hashing(handle)
        _encode(stream, path, array_zyx, space)
    return stream.digest.hexdigest()


def nifti_sha256(path: Path, array_zyx: NDArray[Any], space: FileSpace) -> str:
    """The sha256 of the file that `write_nifti` would write; nothing is written."""
    _check(path, array_zyx, space)
    stream = _Hashing()
    _encode(stream, path, array_zyx, space)
    return stream.digest.hexdigest()


def _check(path: Path, array_zyx: NDArray[Any], space: FileSpace) -> None:
    if not path.name.lower().endswith((".nii", ".nii.gz")):
        raise refusal(path, "unknown-format", "flaredb writes .nii and .nii.gz")
    if array_zyx.shape != space.grid.shape:
        raise refusal(path, "shape-mismatch", f"array is {array_zyx.shape}, the space {space.grid.shape} (z, y, x)")


def _encode(stream: Any, path: Path, array_zyx: NDArray[Any], space: FileSpace) -> None:
    """The bytes of the file, compressed where its name says so."""
    array = space.from_lps(array_zyx)
    dtype = _fitting_type(array_zyx, space.dtype)
    header = _header(space, dtype)
    if path.name.lower().endswith(".gz"):
        with gzip.GzipFile("", "wb", _LEVEL, stream, mtime=0) as compressed:
            _write(compressed, header, array, dtype)
    else:
        _write(stream, header, array, dtype)


def _fitting_type(array: NDArray[Any], wanted: str) -> np.dtype[Any]:
    """`wanted` if NIfTI knows it and every value survives it, else the smallest type that every value survives."""
    for name in (wanted, *_TYPES):
        if name in _TYPES and _survives(array, np.dtype(name)):
            return np.dtype(name)
    return np.dtype(np.float64)


def _survives(array: NDArray[Any], dtype: np.dtype[Any]) -> bool:
    if np.can_cast(array.dtype, dtype) or array.size == 0:
        return True
    if array.dtype.kind in "iub" and dtype.kind in "iu":
        limits = np.iinfo(dtype)
        return int(array.min()) >= limits.min and int(array.max()) <= limits.max
    with np.errstate(all="ignore"):
        return bool(np.array_equal(array.astype(dtype).astype(array.dtype), array, equal_nan=array.dtype.kind == "f"))


def _header(space: FileSpace, dtype: np.dtype[Any]) -> Any:
    """A nibabel header for the space; NIfTI-2 where an axis is too long for NIfTI-1."""
    header: Any = Nifti2Header() if max(space.shape) > np.iinfo(np.int16).max else Nifti1Header()
    header.set_data_dtype(dtype)
    header.set_data_shape(space.shape)
    header.set_xyzt_units("mm")
    qform = _qform_fits(header, space)
    header["pixdim"][1:4] = space.pixdim
    alone = qform and _only_as_quaternion(header, space)
    header.set_sform(None if alone else space.matrix, code=int(not alone))
    header["qform_code"] = int(qform)
    header["scl_slope"], header["scl_inter"] = 1.0, 0.0
    header["magic"] = header.single_magic
    header["vox_offset"] = header.single_vox_offset
    return header


def _qform_fits(header: Any, space: FileSpace) -> bool:
    """Set the quaternion nearest to the affine; whether, with the header's pixdim, it gives the affine back."""
    try:
        header.set_qform(space.matrix, code=1, strip_shears=True)
        header["pixdim"][1:4] = space.pixdim
        found = header.get_qform()
    except (HeaderDataError, np.linalg.LinAlgError):
        return False
    return bool(np.allclose(found, space.matrix, rtol=1e-5, atol=1e-5))


def _only_as_quaternion(header: Any, space: FileSpace) -> bool:
    """Whether the header's quaternion gives the affine to the last bit, and float32 numbers do not."""
    rounded = space.matrix.astype(np.float32).astype(np.float64)
    return not np.array_equal(rounded, space.matrix) and np.array_equal(header.get_qform(), space.matrix)


def _write(stream: Any, header: Any, array: NDArray[Any], dtype: np.dtype[Any]) -> None:
    """Header, four zero bytes for "no extensions", then voxels with the first file axis fastest."""
    block = header.binaryblock
    stream.write(block + bytes(int(header["vox_offset"]) - len(block)))
    thickness = max(1, _SLAB_VOXELS // (array.shape[0] * array.shape[1]))
    for start in range(0, array.shape[2], thickness):
        stream.write(array[:, :, start : start + thickness].astype(dtype).tobytes(order="F"))


@contextlib.contextmanager
def _beside(path: Path) -> Iterator[IO[bytes]]:
    """A file that gets the name `path` once it is complete and on the disk, or vanishes."""
    temporary = path.with_name(f".{uuid.uuid4().hex}.tmp")
    try:
        with temporary.open("xb") as handle:
            yield handle
            handle.flush()
            os.fsync(handle.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    to_disk(path.parent)
