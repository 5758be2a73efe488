"""Connected components: how many, how large, where."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from flaredb.metrics.components import find_components, shell

places = st.tuples(*[st.integers(0, 5)] * 3)


@given(st.sets(places, max_size=12), places)
def test_components_are_those_of_a_plain_search(voxels, offset):
    """Sizes and voxels are what walking from neighbour to neighbour finds, whatever the mask is cut out of."""
    mask = np.zeros((6, 6, 6), bool)
    for voxel in voxels:
        mask[voxel] = True
    left, expected = set(voxels), []
    while left:
        reached, border = set(), {left.pop()}
        while border:
            reached |= border
            border = {v for v in left if any(max(abs(a - b) for a, b in zip(v, u, strict=True)) == 1 for u in border)}
            left -= border
        expected.append(reached)
    found = find_components(mask, offset)
    if found is None:
        assert not voxels
        return
    assert list(found.sizes) == sorted(map(len, expected), reverse=True)
    begins = [side.start - o for side, o in zip(found.box, offset, strict=True)]
    got = [{tuple(p + begins) for p in np.argwhere(found.numbers == number)} for number in found.order]
    assert {frozenset(piece) for piece in got} == {frozenset(piece) for piece in expected}


def test_a_shell_is_what_lies_around():
    """Two steps in every direction, and nothing of the mask itself."""
    mask = np.zeros((9, 9, 9), bool)
    mask[4, 4, 4] = True
    assert shell(mask).sum() == 5**3 - 1
    assert not (shell(mask) & mask).any()
