"""The foreground index by itself: how it is packed, and what was packed before."""

import io

import numpy as np
import pytest

from flaredb.volumes import foreground

DIGEST = "0123456789abcdef" * 4


def older(codes: np.ndarray) -> bytes:
    """The index of a label as it was packed at first: one array a code."""
    index = {}
    generator = np.random.Generator(np.random.Philox(key=int(DIGEST[:16], 16)))
    for value in np.unique(codes[codes > 0]):
        places = np.flatnonzero(codes == value)
        if len(places) > foreground.PER_CODE:
            places = generator.choice(places, foreground.PER_CODE, replace=False)
        index[str(value)] = np.diff(np.sort(places), prepend=0).astype(np.uint32)
    packed = io.BytesIO()
    np.savez_compressed(packed, allow_pickle=False, **index)
    return packed.getvalue()


@pytest.mark.parametrize("top", [3, 60, 513, 70_000])
def test_an_older_index_reads_the_same(top: int) -> None:
    """The same voxels are chosen as ever, and both ways of packing them give the same index, the new one smaller."""
    codes = np.random.default_rng(top).integers(0, 9, (7, 31, 33)).astype(np.uint32)
    codes = np.where(codes == 8, top, codes)
    before, now = older(codes), foreground.build(codes, DIGEST)
    assert len(now) < len(before)
    assert foreground.same(foreground.parse(before, codes.shape), codes, DIGEST)
    assert foreground.same(foreground.parse(now, codes.shape), codes, DIGEST)


def test_a_label_without_structures_has_an_empty_index() -> None:
    """Background alone gives an index without codes."""
    codes = np.zeros((2, 3, 4), np.uint8)
    assert foreground.parse(foreground.build(codes, DIGEST), codes.shape) == {}
