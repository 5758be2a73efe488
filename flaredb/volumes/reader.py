"""Reading volumes: whole, or any box, without waiting if the caller has other things to do."""

from __future__ import annotations

import json
import os
import zipfile
import zlib
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from flaredb.errors import StorageError
from flaredb.geometry import Box, Grid
from flaredb.volumes import foreground

SHARD = "0/c/0/0/0"  # the one file of chunks, within the group
INDEX = "foreground.npz"

# What reading damaged bytes raises, in zipfile, zlib, numpy and tensorstore.
DAMAGE = (ValueError, KeyError, TypeError, OSError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error)


class Reading(NamedTuple):
    """Voxels on their way; `result` waits for them and raises StorageError if the volume is damaged."""

    name: str
    future: Any

    def result(self) -> NDArray[Any]:
        """The voxels."""
        try:
            return cast(NDArray[Any], self.future.result())
        except DAMAGE as error:
            raise _damaged(self.name, error) from error


@dataclass(frozen=True)
class Volume:
    """A stored volume; arrays are (z, y, x) in LPS orientation."""

    path: Path
    digest: str
    grid: Grid
    _array: Any = field(repr=False, compare=False)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Voxels along z, y, x."""
        return self.grid.shape

    @property
    def chunk(self) -> tuple[int, int, int]:
        """Voxels of a chunk along z, y, x."""
        z, y, x = self._array.chunk_layout.read_chunk.shape
        return int(z), int(y), int(x)

    def read(self, box: Box | None = None) -> NDArray[Any]:
        """Voxels of a box within the volume, or all of them."""
        return self.read_async(box).result()

    def read_async(self, box: Box | None = None) -> Reading:
        """Start reading; tensorstore's own threads do the work until `result()` is asked for.

        The chunks are asked for together, so that the shard's index is read once and not for each of them.
        """
        import tensorstore

        with tensorstore.Batch() as together:
            return Reading(self.path.name, (self._array if box is None else self._array[box]).read(batch=together))

    @cached_property
    def foreground(self) -> dict[int, NDArray[np.int64]]:
        """For a label: code → some voxels (n, 3) that hold it."""
        try:
            with zipfile.ZipFile(self.path) as archive:
                return foreground.parse(archive.read(INDEX), self.shape)
        except DAMAGE as error:
            raise _damaged(self.path.name, error) from error


def open_volume(path: Path) -> Volume:
    """Open a volume folder or label zip; raises StorageError if it is missing or damaged."""
    try:
        if path.is_dir():
            metadata = json.loads((path / "zarr.json").read_bytes())
            if not (path / SHARD).is_file():
                raise StorageError(f"volume {path.name} has lost its voxels; restore it from a backup or import again")
        else:
            with zipfile.ZipFile(path) as archive:
                metadata = json.loads(archive.read("zarr.json"))
                archive.getinfo(SHARD)
        array = open_array(array_at(path), read=True)
        own = metadata["attributes"]["flaredb"]
        grid = grid_of(own["grid"])
        if array.shape != grid.shape:
            raise ValueError(f"its array is {array.shape}, its grid {grid.shape}")
        return Volume(path, own["digest"], grid, array)
    except FileNotFoundError as error:
        raise StorageError(f"volume {path.name} is missing; restore it from a backup or import again") from error
    except DAMAGE as error:
        raise _damaged(path.name, error) from error


def array_at(path: Path) -> dict[str, Any]:
    """Where tensorstore finds the array of a volume folder or label zip."""
    store: dict[str, Any] = {"driver": "file", "path": f"{path / '0'}/"}
    if not path.is_dir():
        store = {"driver": "zip", "base": {"driver": "file", "path": str(path)}, "path": "0/"}
    return {"driver": "zarr3", "kvstore": store}


def open_array(spec: dict[str, Any], **options: Any) -> Any:
    """A tensorstore array; the library is loaded here, so that commands that touch no voxels do not wait for it."""
    import tensorstore

    return tensorstore.open(spec, context=_context(), **options).result()


@cache
def _context() -> Any:
    """What all arrays share: as many threads as this process has cores; more only wait for each other."""
    import tensorstore

    cores = {"limit": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1}
    return tensorstore.Context({"data_copy_concurrency": cores, "file_io_concurrency": cores})


def _damaged(name: str, error: Exception) -> StorageError:
    return StorageError(f"volume {name} is damaged ({error}); restore it from a backup or import again")


def grid_of(stored: dict[str, Any]) -> Grid:
    """The grid as a volume's metadata hold it."""
    rows = [tuple(row) for row in stored["direction"]]
    return Grid(tuple(stored["shape"]), tuple(stored["spacing"]), tuple(stored["origin"]), (rows[0], rows[1], rows[2]))
