"""The voxels of DICOM slices as HU: each slice by its own rescale, exact.

What lies uncompressed or run-length coded in a file, and files of several frames, are read with pydicom; compressed
single slices with ITK's GDCM, which knows the codecs hospitals use.
"""

# mypy: allow-untyped-calls
# because SimpleITK has hardly any types

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK
from numpy.typing import NDArray

from flaredb.errors import InvalidDataError
from flaredb.exchange.dicom_headers import DAMAGE, SLICE, Frame, pydicom
from flaredb.exchange.findings import refusal
from flaredb.exchange.itk import information, quiet
from flaredb.exchange.stored import check_size

_RLE = "1.2.840.10008.1.2.5"


def read_frames(frames: Sequence[Frame]) -> NDArray[Any]:
    """HU of frames of equal size as (slice, row, column): int16 or int32 where the rescale is whole, else float64.

    Raises InvalidDataError with rule `unreadable`, `dicom-compressed` or `absurd-size`, naming no file.
    """
    columns, rows = frames[0].size
    files: dict[Path, list[int]] = defaultdict(list)
    for place, frame in enumerate(frames):
        files[frame.path].append(place)
    size = sum(path.stat().st_size for path in files)
    check_size(SLICE, columns * rows * len(frames) * _dtype(frames).itemsize, size)
    voxels = np.empty((len(frames), rows, columns), _dtype(frames))
    for number, (path, places) in enumerate(files.items(), start=1):
        try:
            for place, values in zip(places, _values(path, [frames[p] for p in places]), strict=True):
                if values.shape != (rows, columns):
                    raise ValueError("a slice is not as large as its header says")
                voxels[place] = values
        except InvalidDataError:
            raise
        except DAMAGE:
            message = f"the voxels of a slice ({number} of {len(files)} from low to high) are damaged; copy it again"
            raise refusal(SLICE, "unreadable", message) from None
    return voxels


def same_voxels(frames: Sequence[Frame]) -> bool:
    """Whether frames of equal size hold the same HU."""
    first, *others = (read_frames([frame]) for frame in frames)
    return all(np.array_equal(first, other) for other in others)


def _dtype(frames: Iterable[Frame]) -> np.dtype[Any]:
    """The smallest type that holds every HU these headers allow."""
    low, high = 0.0, 0.0
    for frame in frames:
        if not (frame.slope.is_integer() and frame.intercept.is_integer()):
            return np.dtype(np.float64)
        least = -(1 << frame.bits - 1) if frame.signed else 0
        ends = [(least + reach) * frame.slope + frame.intercept for reach in (0, (1 << frame.bits) - 1)]
        low, high = min(low, *ends), max(high, *ends)
    for dtype in (np.int16, np.int32):
        if np.iinfo(dtype).min <= low and high <= np.iinfo(dtype).max:
            return np.dtype(dtype)
    return np.dtype(np.float64)


def _values(path: Path, frames: Sequence[Frame]) -> Iterator[NDArray[Any]]:
    """HU of some frames of one file, each (row, column)."""
    dataset = pydicom().dcmread(path, force=True)
    syntax = _syntax(dataset)
    if not syntax.is_compressed or syntax.is_deflated or syntax == _RLE or int(dataset.get("NumberOfFrames") or 1) > 1:
        yield from _with_pydicom(dataset, syntax, frames)
    else:
        with quiet():
            yield SimpleITK.GetArrayFromImage(information(path, "GDCMImageIO").Execute())[0]


def _syntax(dataset: Any) -> Any:
    """How voxels are coded; for a file that does not say, as its header is."""
    from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

    said = getattr(dataset, "file_meta", {}).get("TransferSyntaxUID")
    if said:
        return said
    implicit, little = dataset.original_encoding
    guessed = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian if little else ExplicitVRBigEndian
    dataset.file_meta.TransferSyntaxUID = guessed
    return guessed


def _with_pydicom(dataset: Any, syntax: Any, frames: Sequence[Frame]) -> Iterator[NDArray[Any]]:
    from pydicom.pixels.decoders.base import get_decoder
    from pydicom.pixels.utils import iter_pixels

    try:
        available = get_decoder(syntax).is_available
    except NotImplementedError:
        available = False
    if not available:
        message = f"several compressed slices in one file ({syntax.name}) cannot be read; decompress it, then import"
        raise refusal(SLICE, "dicom-compressed", message)
    stored = iter_pixels(dataset, indices=[frame.number for frame in frames], raw=True)
    for frame, values in zip(frames, stored, strict=True):
        yield _rescaled(_masked(values, frame), frame)


def _masked(values: NDArray[Any], frame: Frame) -> NDArray[Any]:
    """Stored values without the bits above those that belong to them, where overlays used to be kept."""
    spare = values.dtype.itemsize * 8 - frame.bits
    if values.dtype.kind not in "iu" or spare <= 0:
        return values
    masked: NDArray[Any] = np.right_shift(np.left_shift(values, spare), spare)
    return masked


def _rescaled(values: NDArray[Any], frame: Frame) -> NDArray[Any]:
    if frame.slope.is_integer() and frame.intercept.is_integer():
        return values.astype(np.int64) * int(frame.slope) + int(frame.intercept)
    return values.astype(np.float64) * frame.slope + frame.intercept
