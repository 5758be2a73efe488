"""Where each code of an array stands, and how often."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from flaredb.metrics.extents import find_extents

SHAPES = array_shapes(min_dims=3, max_dims=3, max_side=5)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32])
@given(data=st.data())
def test_extents_are_those_of_a_plain_search(dtype, data):
    """For codes of any type, up to the largest, one at a time gives the same."""
    elements = st.sampled_from([0, 1, 2, 7, np.iinfo(dtype).max])
    codes = data.draw(arrays(dtype, SHAPES, elements=elements))
    expected = {}
    for code in set(codes.ravel().tolist()) - {0}:
        places = np.argwhere(codes == code)
        expected[code] = (len(places), tuple(places.min(axis=0)), tuple(places.max(axis=0)))
    assert find_extents(codes) == expected
