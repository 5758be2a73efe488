"""How a volume lies on disk, and the digests that name it.

A volume is a Zarr v3 group: array `0` in (z, y, x) order, one shard, with OME-Zarr 0.5 metadata, so that other viewers
open it; the grid and what the volume is stand under the attribute `flaredb`. Images are folders; a label is the same
group in one stored zip, because many small files cost more than their bytes.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from flaredb.errors import InvalidDataError
from flaredb.geometry import Grid

VolumeKind = Literal["image", "label"]
CHUNK = {"image": (16, 64, 64), "label": (80, 128, 128), "wide label": (32, 64, 64)}
_CODEC: dict[str, tuple[str, dict[str, Any]]] = {
    "image": ("blosc", {"cname": "lz4hc", "clevel": 4, "shuffle": "shuffle"}),
    "label": ("zstd", {"level": 19, "checksum": False}),  # slow to write, the fastest to read
    "wide label": ("blosc", {"cname": "zstd", "clevel": 5, "shuffle": "bitshuffle"}),  # codes over 255
}


class Digests(NamedTuple):
    """`volume` names voxels on their grid; `voxels` the voxels alone, to find duplicates."""

    volume: str
    voxels: str


def smallest_unsigned(codes: NDArray[Any]) -> NDArray[Any]:
    """Codes in the smallest unsigned type that holds them, so that a file's type does not matter."""
    top = int(codes.max(initial=0))
    if codes.min(initial=0) < 0:
        raise InvalidDataError("label codes must not be negative")
    for dtype in (np.uint8, np.uint16, np.uint32):
        if top <= np.iinfo(dtype).max:
            return np.ascontiguousarray(codes, dtype=dtype)
    raise InvalidDataError(f"label code {top} does not fit 32 bits")


def digests(kind: VolumeKind, voxels: NDArray[Any], grid: Grid) -> Digests:
    """SHA-256 digests of a volume; voxels little-endian in C order, the grid rounded to 1e-6."""
    head = json.dumps([kind, str(voxels.dtype), voxels.shape])
    content = hashlib.sha256(head.encode())
    content.update(np.ascontiguousarray(voxels.astype(voxels.dtype.newbyteorder("<"), copy=False)).data)
    return Digests(placed(content.hexdigest(), grid), content.hexdigest())


def placed(voxels: str, grid: Grid) -> str:
    """The digest of a volume, given that of its voxels alone."""
    place = json.dumps([voxels, _rounded(grid.spacing), _rounded(grid.origin), _rounded(grid.direction)])
    return hashlib.sha256(place.encode()).hexdigest()


def array_metadata(kind: VolumeKind, shape: tuple[int, ...], dtype: np.dtype[Any]) -> dict[str, Any]:
    """Zarr v3 metadata of array `0`: one shard of independently compressed chunks, of labels with checksums.

    A scan's chunks have none: reading a patch would take a third longer (docs/decisions/0009-checksums.md).
    """
    byte_order = {"name": "bytes", "configuration": {"endian": "little"}}
    chunks, compression = _packing(kind, dtype.itemsize)
    checked = [{"name": "crc32c"}] if kind == "label" else []
    inner = [byte_order if dtype.itemsize > 1 else {"name": "bytes"}, compression, *checked]
    shard = [-(-size // chunk) * chunk for size, chunk in zip(shape, chunks, strict=True)]
    sharding = {
        "chunk_shape": list(chunks),
        "codecs": inner,
        "index_codecs": [byte_order, {"name": "crc32c"}],
    }
    return {
        "shape": list(shape),
        "data_type": dtype.name,
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": shard}},
        "dimension_names": ["z", "y", "x"],
        "codecs": [{"name": "sharding_indexed", "configuration": sharding}],
    }


def _packing(kind: VolumeKind, itemsize: int) -> tuple[tuple[int, ...], dict[str, Any]]:
    """Chunk and compression, as measured best (docs/storage.md); older volumes say themselves how they are packed."""
    what = "wide label" if kind == "label" and itemsize > 1 else kind
    name, settings = _CODEC[what]
    own = {"typesize": itemsize, "blocksize": 0} if name == "blosc" else {}
    return CHUNK[what], {"name": name, "configuration": settings | own}


def group_metadata(kind: VolumeKind, digest: str, grid: Grid) -> dict[str, Any]:
    """The group's `zarr.json`: OME-Zarr multiscales of one level, and our own grid and digest."""
    axes = [{"name": axis, "type": "space", "unit": "millimeter"} for axis in "zyx"]
    steps = [{"type": "scale", "scale": grid.spacing}, {"type": "translation", "translation": grid.origin}]
    multiscale = {"axes": axes, "datasets": [{"path": "0", "coordinateTransformations": steps}], "name": kind}
    own = {
        "kind": kind,
        "digest": digest,
        "grid": {"shape": grid.shape, "spacing": grid.spacing, "origin": grid.origin, "direction": grid.direction},
    }
    attributes = {"ome": {"version": "0.5", "multiscales": [multiscale]}, "flaredb": own}
    return {"zarr_format": 3, "node_type": "group", "attributes": attributes}


def _rounded(values: Any) -> list[Any]:
    return (np.round(np.asarray(values, dtype=np.float64), 6) + 0.0).tolist()  # type: ignore[no-any-return]
