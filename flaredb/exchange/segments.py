"""Segmentations as 3D Slicer stores them (`.seg.nrrd`): named segments, read by name whatever their values and layers.

Slicer may crop the array to what is drawn, give segments new values, and put overlapping ones into several layers;
the geometry in the header always holds, the array's size need not be the scan's.
"""

# mypy: allow-untyped-calls
# because SimpleITK has hardly any types

from __future__ import annotations

import math
import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import SimpleITK
from numpy.typing import NDArray

from flaredb.durable import to_disk
from flaredb.exchange.colours import Rgb
from flaredb.exchange.findings import refusal
from flaredb.exchange.itk import information, quiet, ras_affine, reason
from flaredb.exchange.payload import locate
from flaredb.exchange.stored import check_geometry, check_shape, check_size, file_space, sha256_of
from flaredb.geometry import Grid

SUFFIX = ".seg.nrrd"
_ID = re.compile(r"Segment(\d+)_(?:ID|Name)")
_STATUS = "Segmentation.Status"
_MOST_LAYERS = 4096
_MOST_VALUE = 65535
_EMPTY = (0, -1, 0, -1, 0, -1)


class Segment(NamedTuple):
    """A segment: what people call it, and where it is: the voxels of this value in this layer.

    `status` is Slicer's own mark: `notstarted`, `inprogress`, `completed`, `flagged`, or empty.
    """

    name: str
    value: int
    layer: int = 0
    status: str = ""


@dataclass(frozen=True, eq=False)
class Segmentation:
    """A segmentation as read: one array (z, y, x) LPS a layer, all on `grid`; `sha256` is of the file's bytes.

    `blank` is true for a file without a drawn voxel, whose grid means nothing: Slicer then stores a single voxel.
    """

    layers: tuple[NDArray[Any], ...]
    segments: tuple[Segment, ...]
    grid: Grid
    sha256: str
    blank: bool


def write_segments(path: Path, codes: NDArray[Any], grid: Grid, segments: Iterable[tuple[Segment, Rgb]]) -> None:
    """Write codes (z, y, x) LPS as one layer of segments, each with its colour, whole array.

    A segment without voxels is kept, as Slicer keeps it. Equal input gives equal bytes; the file appears whole or not
    at all. Raises InvalidDataError with rule `shape-mismatch`; OSError when the disk refuses.
    """
    if codes.shape != grid.shape:
        raise refusal(path, "shape-mismatch", f"array is {codes.shape}, the grid {grid.shape} (z, y, x)")
    image = SimpleITK.GetImageFromArray(codes)
    image.SetSpacing(grid.spacing[::-1])
    image.SetOrigin(grid.origin[::-1])
    image.SetDirection(np.asarray(grid.direction)[::-1, ::-1].ravel().tolist())
    fields = {
        "Segmentation_ContainedRepresentationNames": "Binary labelmap|",
        "Segmentation_MasterRepresentation": "Binary labelmap",  # what Slicer before 5.2 looks for
        "Segmentation_SourceRepresentation": "Binary labelmap",
        "Segmentation_ReferenceImageExtentOffset": "0 0 0",
    }
    for number, (segment, colour) in enumerate(segments):
        fields |= {f"Segment{number}_{key}": text for key, text in _fields(segment, colour, codes).items()}
    for key, text in fields.items():
        image.SetMetaData(key, text)
    beside = path.with_name(f".{uuid.uuid4().hex}.nrrd")
    try:
        with quiet():
            SimpleITK.WriteImage(image, str(beside), useCompression=True)
        to_disk(beside)
        beside.replace(path)
    except RuntimeError as error:
        raise OSError(f"{path.name} could not be written: {reason(error)}") from error
    finally:
        beside.unlink(missing_ok=True)


def read_segments(path: Path) -> Segmentation:
    """Read a `.seg.nrrd` file, of any number of layers.

    Raises InvalidDataError with rule `no-segments` for a NRRD file that names none, `unreadable`, `not-3d`,
    `bad-geometry`, `absurd-size`, `empty`, `label-not-integer`, `label-out-of-range` or `outside-root`.
    """
    try:
        with quiet():
            return _read(path)
    except (RuntimeError, OSError) as error:
        raise refusal(path, "unreadable", f"ITK cannot read the file ({reason(error)}); save it again") from error


def _read(path: Path) -> Segmentation:
    payload = locate(path)
    reader = information(path, "NrrdImageIO")
    layers = reader.GetNumberOfComponents()
    shape = check_shape(path, reader.GetSize())
    spacing, origin = np.asarray(reader.GetSpacing()), np.asarray(reader.GetOrigin())
    if layers > _MOST_LAYERS or len(reader.GetSize()) != 3:
        raise refusal(path, "not-3d", f"{layers} layers of {len(shape)} axes are no segmentation")
    affine = ras_affine(np.asarray(reader.GetDirection()).reshape(3, 3) * spacing, origin)
    check_geometry(path, affine, reader.GetSpacing())
    check_size(path, math.prod(shape) * layers, payload.path.stat().st_size)
    segments = _segments(path, reader, layers)
    voxels = SimpleITK.GetArrayFromImage(reader.Execute())
    if voxels.dtype.kind not in "iu":
        raise refusal(path, "label-not-integer", f"voxels are of type {voxels.dtype}: no binary segments")
    if voxels.min() < 0 or voxels.max() > _MOST_VALUE:
        raise refusal(
            path, "label-out-of-range", f"values from {voxels.min()} to {voxels.max()}; 0 to {_MOST_VALUE} fit"
        )
    space = file_space(shape, affine, voxels.dtype, reader.GetSpacing())
    split = np.moveaxis(voxels.reshape((*shape[::-1], layers)), -1, 0)
    arrays = tuple(np.ascontiguousarray(space.to_lps(layer.transpose(2, 1, 0))) for layer in split)
    blank = math.prod(shape) == 1 and not voxels.any()
    return Segmentation(arrays, segments, space.grid, sha256_of(path), blank)


def _segments(path: Path, reader: SimpleITK.ImageFileReader, layers: int) -> tuple[Segment, ...]:
    """The segments that the header names, in its order; before Slicer 4.11 each had a layer of its own, of value 1."""
    keys = set(reader.GetMetaDataKeys())
    numbers = sorted({int(match[1]) for key in keys if (match := _ID.fullmatch(key))})
    if not numbers:
        raise refusal(path, "no-segments", "the header names no segments; save it as a segmentation (.seg.nrrd)")

    def field(number: int, key: str) -> str:
        full = f"Segment{number}_{key}"
        return str(reader.GetMetaData(full)).strip() if full in keys else ""

    found = []
    for place, number in enumerate(numbers):
        name = field(number, "Name") or field(number, "ID")
        layer, value = (
            _whole(field(number, "Layer"), place if layers > 1 else 0),
            _whole(field(number, "LabelValue"), 1),
        )
        if not 0 <= layer < layers:
            raise refusal(path, "unreadable", f"segment {name!r} is said to be in layer {layer} of {layers}")
        found.append(Segment(name, value, layer, _status(field(number, "Tags"))))
    return tuple(found)


def _whole(text: str, otherwise: int) -> int:
    return int(text) if re.fullmatch(r"-?\d{1,9}", text) else otherwise


def _status(tags: str) -> str:
    """Slicer's mark from `key:value|key:value`."""
    for tag in tags.split("|"):
        key, _, value = tag.strip().partition(":")
        if key == _STATUS:
            return value.strip()
    return ""


def _fields(segment: Segment, colour: Rgb, codes: NDArray[Any]) -> dict[str, str]:
    return {
        "ID": segment.name,
        "Name": segment.name,
        "NameAutoGenerated": "0",
        "Color": " ".join(f"{channel / 255:.6g}" for channel in colour),
        "ColorAutoGenerated": "0",
        "LabelValue": str(segment.value),
        "Layer": str(segment.layer),
        "Extent": " ".join(str(number) for number in _extent(codes == segment.value)),
        "Tags": f"{_STATUS}:{segment.status or 'notstarted'}|",
    }


def _extent(mask: NDArray[np.bool_]) -> tuple[int, ...]:
    """First and last index along x, y, z of a mask (z, y, x); last before first if it is empty."""
    if not mask.any():
        return _EMPTY
    found: list[int] = []
    for axis in (2, 1, 0):
        places = np.flatnonzero(mask.any(axis=tuple(other for other in range(3) if other != axis)))
        found += [int(places[0]), int(places[-1])]
    return tuple(found)
