"""What is wrong with a stored volume: at a look, without reading voxels, or by reading every chunk.

A shard ends with an index: where each chunk begins and how long it is. A chunk that is not in it would read as
background, a shard that was cut has no index where one should be; both show without decoding anything. What the voxels
themselves are shows only by reading them: each chunk carries a checksum, and the volume's name is their digest.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import math
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from flaredb.errors import StorageError
from flaredb.geometry import Box, Grid, Shape
from flaredb.volumes import foreground
from flaredb.volumes.layout import VolumeKind, array_metadata, digests
from flaredb.volumes.reader import DAMAGE, INDEX, SHARD, Volume, array_at, grid_of, open_array, open_volume

_TYPES: dict[VolumeKind, tuple[str, ...]] = {"image": ("int16",), "label": ("uint8", "uint16", "uint32")}
_PLACE, _CHECKSUM = 16, 4  # bytes of the shard's index: for each chunk, and at its end
_NOWHERE = 2**64 - 1
_LENGTHS = 26  # where a zip member's own header says how long its name and extra field are


class Trouble(NamedTuple):
    """What is wrong, as a kind that programs know, and in words; the digest of what is there instead, if known."""

    kind: str
    message: str
    actual: str = ""


class Look(NamedTuple):
    """What a look at a volume found: the grid it says it lies on, and what is wrong with it."""

    grid: Grid | None
    trouble: Trouble | None


def kind_of(path: Path) -> VolumeKind:
    """Images are folders, labels are zips; told by the name."""
    return "image" if path.suffix == ".zarr" else "label"


def look(path: Path, digest: str) -> Look:
    """Whether all parts are there, fit each other and bear the volume's name; no voxel is read."""
    try:
        if path.is_dir():
            lost = [name for name in ("zarr.json", "0/zarr.json") if not (path / name).is_file()]
            if not (path / SHARD).is_file():
                return _wrong("missing-chunk", "the file of its chunks is missing")
            if lost:
                return _wrong("wrong-metadata", f"{' and '.join(lost)} missing")
            with (path / SHARD).open("rb") as shard:
                return _look(digest, _texts(path), shard, (0, (path / SHARD).stat().st_size))
        with zipfile.ZipFile(path) as archive:
            if not {SHARD, "zarr.json"} & set(archive.namelist()):
                return _wrong("truncated-shard", "the file was cut")  # what opened is the index, a zip within the zip
            lost = [name for name in ("zarr.json", "0/zarr.json") if name not in archive.namelist()]
            if SHARD not in archive.namelist():
                return _wrong("missing-chunk", "its chunks are missing")
            if lost:
                return _wrong("wrong-metadata", f"{' and '.join(lost)} missing")
            if INDEX not in archive.namelist():
                return _wrong("damaged-index", "its foreground index is missing")
            with path.open("rb") as file:
                return _look(digest, _texts(archive), file, _extent(file, archive.getinfo(SHARD)))
    except zipfile.BadZipFile as error:
        return _wrong("truncated-shard", f"the file was cut or overwritten ({error})")
    except DAMAGE as error:
        return _wrong("unreadable-volume", f"it cannot be read ({type(error).__name__}: {error})")


def examine(path: Path, digest: str) -> Trouble | None:
    """Look, then read every chunk, recompute the digest and, of a label, the foreground index."""
    found = look(path, digest)
    if found.trouble:
        return found.trouble
    try:
        volume = open_volume(path)
        voxels = volume.read()
    except StorageError as error:
        return Trouble("damaged-voxels", _bad_chunks(path) or str(error))
    actual = digests(kind_of(path), voxels, volume.grid).volume
    if actual != digest:
        return Trouble(
            "altered-voxels", f"it holds other voxels than it was written with, those of {actual[:12]}", actual
        )
    if kind_of(path) == "label":
        return _foreground(volume, voxels)
    return None


def salvage(path: Path, grid: Grid | None) -> Iterator[tuple[NDArray[Any], Grid]]:
    """Voxels that a damaged volume still gives, on the grid it says, and on the one it should lie on.

    First as it is, then by the shard alone: with metadata made for `grid`, packed as its own metadata say, or as
    volumes are packed today. Whether they are the right ones, the digest says.
    """
    try:
        volume = open_volume(path)
        voxels = volume.read()
    except StorageError:
        pass
    else:
        yield voxels, volume.grid
        if grid and grid != volume.grid and grid.shape == voxels.shape:
            yield voxels, grid
    if grid is None:
        return
    for metadata in _layouts(path, grid.shape):
        spec = array_at(path) | {"metadata": metadata}
        try:
            yield open_array(spec, open=True, read=True, assume_metadata=True).read().result(), grid
        except DAMAGE:
            continue


def _layouts(path: Path, shape: Shape) -> Iterator[dict[str, Any]]:
    """Metadata that the array of a volume of this shape may have."""
    kind = kind_of(path)
    fresh = [array_metadata(kind, shape, np.dtype(dtype)) for dtype in _TYPES[kind]]
    try:
        with zipfile.ZipFile(path) if path.is_file() else contextlib.nullcontext(path) as place:
            own = json.loads(_texts(place)[1])
        inner = own["codecs"][0]["configuration"]["chunk_shape"]
        shard = [math.ceil(n / step) * step for n, step in zip(shape, inner, strict=True)]
        packed = {"codecs": own["codecs"], "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": shard}}}
        yield from (metadata | packed for metadata in fresh)
    except (*DAMAGE, IndexError, ZeroDivisionError):
        pass
    yield from fresh


def _wrong(kind: str, message: str) -> Look:
    return Look(None, Trouble(kind, message))


def _texts(place: Path | zipfile.ZipFile) -> tuple[bytes, bytes]:
    """The metadata of the group and of the array."""
    if isinstance(place, zipfile.ZipFile):
        return place.read("zarr.json"), place.read("0/zarr.json")
    return (place / "zarr.json").read_bytes(), (place / "0/zarr.json").read_bytes()


def _look(digest: str, texts: tuple[bytes, bytes], file: IO[bytes], extent: tuple[int, int]) -> Look:
    try:
        own, array = json.loads(texts[0])["attributes"]["flaredb"], json.loads(texts[1])
        grid = grid_of(own["grid"])
        outer = array["chunk_grid"]["configuration"]["chunk_shape"]
        inner = array["codecs"][0]["configuration"]["chunk_shape"]
        said, dtype, shape, kind = own["digest"], array["data_type"], tuple(array["shape"]), own["kind"]
        counts = [math.ceil(n / step) for n, step in zip(shape, inner, strict=True)]
        whole = [count * step for count, step in zip(counts, inner, strict=True)]
    except (ValueError, KeyError, TypeError, IndexError, ZeroDivisionError) as error:
        return _wrong("wrong-metadata", f"its metadata cannot be understood ({type(error).__name__}: {error})")
    if said != digest:
        return _wrong("swapped-volume", f"by its own metadata it is the volume {str(said)[:12]}")
    if shape != grid.shape or whole != list(outer):
        return _wrong("wrong-metadata", f"its array is {shape} in shards of {outer}, its grid {grid.shape}")
    if dtype not in _TYPES.get(kind, ()):
        return _wrong("wrong-metadata", f"its array holds {dtype}, which no {kind} does")
    return Look(grid, _index(file, extent, counts))


def _extent(file: IO[bytes], member: zipfile.ZipInfo) -> tuple[int, int]:
    """Where the bytes of a stored member begin, and how many they are; reading it by zipfile would read all of it."""
    file.seek(member.header_offset + _LENGTHS)
    name, extra = np.frombuffer(file.read(4), "<u2")
    return member.header_offset + _LENGTHS + 4 + int(name) + int(extra), member.file_size


def _index(file: IO[bytes], extent: tuple[int, int], counts: list[int]) -> Trouble | None:
    """Whether the index at the end of the shard (where it begins, its size) names every chunk and all of the shard."""
    begin, size = extent
    length = math.prod(counts) * _PLACE + _CHECKSUM
    if size < length:
        return Trouble("truncated-shard", f"its shard has {size} bytes and ends before the index of its chunks")
    file.seek(begin + size - length)
    places = np.frombuffer(file.read(length)[:-_CHECKSUM], "<u8").reshape(-1, 2).astype(object)
    if sum(extent for _, extent in places if extent != _NOWHERE) != size - length:
        return Trouble("truncated-shard", "its chunks do not fill its shard: the file was cut or overwritten")
    missing = [number for number, (start, extent) in enumerate(places) if start == extent == _NOWHERE]
    if missing:
        first = tuple(int(n) for n in np.unravel_index(missing[0], counts))
        return Trouble("missing-chunk", f"{len(missing)} of its chunks are missing, such as {first}")
    return None


def _bad_chunks(path: Path) -> str | None:
    """Which chunks cannot be read, by reading one after the other."""
    try:
        volume = open_volume(path)
        steps = volume.chunk
        corners = list(itertools.product(*(range(0, n, step) for n, step in zip(volume.shape, steps, strict=True))))
    except (*DAMAGE, StorageError):
        return None
    bad = []
    for z, y, x in corners:
        try:
            volume.read(_box((z, y, x), steps, volume.shape))
        except StorageError:
            bad.append((z // steps[0], y // steps[1], x // steps[2]))
    return f"{len(bad)} of its {len(corners)} chunks have a wrong checksum, such as {bad[0]}" if bad else None


def _box(corner: Shape, steps: Shape, shape: Shape) -> Box:
    z, y, x = (slice(start, min(start + step, n)) for start, step, n in zip(corner, steps, shape, strict=True))
    return z, y, x


def _foreground(volume: Volume, voxels: NDArray[Any]) -> Trouble | None:
    """Whether a label's foreground index is there, and the one that its voxels give."""
    try:
        if foreground.same(volume.foreground, voxels, volume.digest):
            return None
    except StorageError as error:
        return Trouble("damaged-index", str(error))
    return Trouble("damaged-index", "it has another foreground index than its voxels give")
