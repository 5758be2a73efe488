"""What a file holds before its values are judged, and the checks every format shares.

Each reader checks shape, affine and size from the header alone, so that nothing is allocated for a header that lies.
"""

from __future__ import annotations

import hashlib
import math
import os
import resource
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from flaredb.errors import Finding
from flaredb.exchange.findings import refusal
from flaredb.geometry import FileSpace, Shape

EXPANSION = 1032  # deflate cannot expand a byte to more than this
_SLACK = 65536
_COPIES = 3  # of a volume's bytes at a time: as read, as converted, as read back from the store
_LEAST_SPACING = 1e-4  # mm; below lies no scanner, only a damaged header


class Stored(NamedTuple):
    """A file's array as stored: file axis order, before slope and intercept.

    A voxel's value is `voxels * slope + intercept`. `sha256` is of the file's bytes, in hexadecimal. The array is laid
    out with its last axis slowest, as NIfTI has it. `patient` is the id a DICOM header gives, only ever to be hashed.
    """

    voxels: NDArray[Any]
    slope: float
    intercept: float
    space: FileSpace
    sha256: str
    findings: tuple[Finding, ...] = ()
    patient: str = ""


def check_shape(path: Path, shape: Sequence[int]) -> Shape:
    """The three sizes of an array whose further axes, if any, have size one.

    Raises InvalidDataError with rule `not-3d`, `empty` or `unreadable`.
    """
    if any(n < 0 for n in shape):
        raise refusal(path, "unreadable", f"the header declares a negative size, {tuple(shape)}")
    if 0 in shape:
        raise refusal(path, "empty", f"the header declares no voxels, {tuple(shape)}")
    if len(shape) < 3 or any(n != 1 for n in shape[3:]):
        raise refusal(
            path, "not-3d", f"{len(shape)} axes {tuple(shape)}; flaredb holds one 3-D volume a file, split it first"
        )
    return int(shape[0]), int(shape[1]), int(shape[2])


def check_size(path: Path, declared: int, size: int) -> None:
    """Refuse a header that declares more bytes than can be there, or than can be read.

    Rule `absurd-size`: more than a file of `size` bytes could expand to. Rule `too-large`: reading and storing the
    volume takes some three times its bytes, and this process gets less memory than that.
    """
    if declared > size * EXPANSION + _SLACK:
        raise refusal(
            path, "absurd-size", f"the header declares {declared:,} bytes, more than a file of {size:,} bytes can hold"
        )
    memory = memory_limit()
    if declared * _COPIES > memory:
        message = (
            f"the header declares {declared:,} bytes; to import them takes about {declared * _COPIES / 2**30:.1f} GiB "
            f"of memory, and there are {memory / 2**30:.1f}; split the volume, or import it on a larger machine"
        )
        raise refusal(path, "too-large", message)


def memory_limit() -> int:
    """Bytes that this process may hold: the machine's memory, or less where a limit was set."""
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return machine if limit == resource.RLIM_INFINITY else min(machine, limit)


def check_geometry(path: Path, affine: NDArray[np.float64], pixdim: Sequence[float]) -> None:
    """Refuse (`bad-geometry`) an affine (4×4, RAS mm) that is not finite or maps the volume flat, and zero spacing."""
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    sizes = [*pixdim, *spacing]
    if not np.isfinite(affine).all() or not all(math.isfinite(s) and s > _LEAST_SPACING for s in sizes):
        raise refusal(path, "bad-geometry", f"spacing {tuple(pixdim)} mm or the affine is zero or not a number")
    if abs(np.linalg.det(affine[:3, :3] / spacing)) < 1e-3:
        raise refusal(path, "bad-geometry", "two axes of the affine point the same way: the header is damaged")


def file_space(shape: Shape, affine: NDArray[np.float64], dtype: np.dtype[Any], pixdim: Sequence[float]) -> FileSpace:
    """Build the `FileSpace` of an array in file order; `affine` is RAS mm, `pixdim` is rounded to float32."""
    first, second, third = (float(np.float32(p)) for p in pixdim)
    return FileSpace(
        shape=shape,
        affine=tuple(float(v) for v in affine.ravel()),
        dtype=dtype.newbyteorder("=").name,
        pixdim=(first, second, third),
    )


def sha256_of(path: Path) -> str:
    """The sha256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
