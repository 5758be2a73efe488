"""The foreground index: for each code of a label a few voxels where it stands, so that the feed never scans a volume.

At most 256 voxels a code, spread evenly over a shuffle that the digest seeds: the same label always has the same index.
"""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray

PER_CODE = 256
_PACKED = "index"  # the one array; an older index has one array a code


def build(codes: NDArray[np.unsignedinteger], digest: str) -> bytes:
    """The index of a label volume (z, y, x), as the bytes of an `.npz` with one array (4, n).

    Its columns are little-endian 32-bit numbers, which deflates better than the numbers themselves: how many codes, the
    codes, how many voxels of each, and their flat offsets as steps, ascending within a code.
    """
    values, counts = _counts(codes)
    generator = np.random.Generator(np.random.Philox(key=int(digest[:16], 16)))
    index = []
    for value, each in zip(values, counts, strict=True):
        total = int(each.sum())
        ranks = generator.choice(total, PER_CODE, replace=False) if total > PER_CODE else np.arange(total)
        index.append(np.diff(_offsets(codes, value, each, np.sort(ranks)), prepend=0))
    head = [np.array([len(values)]), values, [len(steps) for steps in index]]
    numbers = np.concatenate([*head, *index]).astype("<u4")
    columns = np.ascontiguousarray(numbers.view(np.uint8).reshape(-1, 4).T)
    packed = io.BytesIO()
    np.savez_compressed(packed, allow_pickle=False, **{_PACKED: columns})
    return packed.getvalue()


def same(index: dict[int, NDArray[np.int64]], codes: NDArray[np.unsignedinteger], digest: str) -> bool:
    """Whether an index is the one that the voxels give."""
    expected = parse(build(codes, digest), (codes.shape[0], codes.shape[1], codes.shape[2]))
    return index.keys() == expected.keys() and all(np.array_equal(index[code], expected[code]) for code in index)


def parse(packed: bytes, shape: tuple[int, int, int]) -> dict[int, NDArray[np.int64]]:
    """Code → voxel indices (n, 3) in (z, y, x) order."""
    with np.load(io.BytesIO(packed), allow_pickle=False) as index:
        steps = _unpacked(index[_PACKED]) if index.files == [_PACKED] else {int(n): index[n] for n in index.files}
    return {
        code: np.stack(np.unravel_index(np.cumsum(each.astype(np.int64)), shape), axis=1)
        for code, each in steps.items()
    }


def _counts(codes: NDArray[np.unsignedinteger]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The codes there are beside 0, ascending, and how many voxels of each lie in each slice (code, z)."""
    top = int(codes.max(initial=0))
    if top <= np.iinfo(np.uint16).max:
        counts = np.stack([np.bincount(part.ravel(), minlength=top + 1) for part in codes], axis=1)
        values = np.flatnonzero(counts.any(axis=1))
        values = values[values > 0]
        return values, counts[values]
    values = np.unique(codes[codes > 0]).astype(np.int64)
    return values, np.stack([(codes == value).sum(axis=(1, 2)) for value in values])


def _offsets(
    codes: NDArray[np.unsignedinteger], value: int, counts: NDArray[np.int64], ranks: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Flat offsets of the voxels that come at some ranks (ascending) among those of a code; `counts` by slice."""
    ends = np.cumsum(counts)
    slices = np.searchsorted(ends, ranks, side="right")
    found = [
        np.flatnonzero(codes[z] == value)[ranks[slices == z] - (ends[z] - counts[z])] + z * codes[0].size
        for z in np.unique(slices)
    ]
    return np.concatenate(found)


def _unpacked(planes: NDArray[np.uint8]) -> dict[int, NDArray[np.uint32]]:
    """Code → steps; ValueError unless there are as many as it says."""
    numbers = np.ascontiguousarray(planes.T).view("<u4").ravel()
    many = int(numbers[:1].sum())
    codes, lengths, steps = np.split(numbers[1:], [many, 2 * many])
    if not len(numbers) or len(codes) != many or int(lengths.sum()) != len(steps):
        raise ValueError("the foreground index was cut")
    return dict(zip(codes.tolist(), np.split(steps, np.cumsum(lengths)[:-1]), strict=True)) if many else {}
