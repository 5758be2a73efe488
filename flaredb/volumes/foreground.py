"""The foreground index: for each code of a label a few voxels where it stands, so that the feed never scans a volume.

At most 256 voxels a code, spread evenly over a shuffle that the digest seeds: the same label always has the same index.
"""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray

PER_CODE = 256


def build(codes: NDArray[np.unsignedinteger], digest: str) -> bytes:
    """The index of a label volume (z, y, x), as the bytes of an `.npz` with one array of flat offsets a code."""
    flat = codes.ravel()
    places = np.flatnonzero(flat)
    order = np.argsort(flat[places], kind="stable")
    values, starts = np.unique(flat[places][order], return_index=True)
    generator = np.random.Generator(np.random.Philox(key=int(digest[:16], 16)))
    index = {}
    groups = np.split(places[order], starts[1:])[: len(values)]  # split gives one empty group for no values
    for value, members in zip(values, groups, strict=True):
        if len(members) > PER_CODE:
            members = generator.choice(members, PER_CODE, replace=False)
        index[str(value)] = np.diff(np.sort(members), prepend=0).astype(np.uint32)
    packed = io.BytesIO()
    np.savez_compressed(packed, allow_pickle=False, **index)
    return packed.getvalue()


def same(index: dict[int, NDArray[np.int64]], codes: NDArray[np.unsignedinteger], digest: str) -> bool:
    """Whether an index is the one that the voxels give."""
    expected = parse(build(codes, digest), (codes.shape[0], codes.shape[1], codes.shape[2]))
    return index.keys() == expected.keys() and all(np.array_equal(index[code], expected[code]) for code in index)


def parse(packed: bytes, shape: tuple[int, int, int]) -> dict[int, NDArray[np.int64]]:
    """Code → voxel indices (n, 3) in (z, y, x) order."""
    with np.load(io.BytesIO(packed), allow_pickle=False) as index:
        return {
            int(code): np.stack(np.unravel_index(np.cumsum(index[code].astype(np.int64)), shape), axis=1)
            for code in index.files
        }
