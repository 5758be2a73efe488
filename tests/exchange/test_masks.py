"""Masks combined into one array of codes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from flaredb.exchange.masks import combine_masks

SHAPE = (2, 3, 4)
MASKS = st.lists(arrays(bool, SHAPE), min_size=1, max_size=5)


@given(MASKS)
def test_every_mask_can_be_had_back(masks: list[np.ndarray]) -> None:
    """The codes whose meaning names a structure are exactly the voxels of its mask, however masks overlap."""
    named = {f"s{number}": mask for number, mask in enumerate(masks)}
    codes, meanings = combine_masks(named)
    for name, mask in named.items():
        own = [code for code, names in meanings.items() if name in names]
        np.testing.assert_array_equal(np.isin(codes, own), mask)


@given(MASKS)
def test_codes_are_dense(masks: list[np.ndarray]) -> None:
    """The k-th name alone is code k; combinations follow without gaps, each of them somewhere in the array."""
    named = {f"s{number}": mask for number, mask in enumerate(masks)}
    codes, meanings = combine_masks(named)
    assert list(meanings) == list(range(1, len(meanings) + 1))
    assert [meanings[k] for k in range(1, len(masks) + 1)] == [(name,) for name in named]
    several = {code for code, names in meanings.items() if len(names) > 1}
    assert several == set(range(len(masks) + 1, len(meanings) + 1))
    assert several <= set(np.unique(codes))
    assert codes.dtype == np.uint8


def test_more_combinations_than_a_byte_holds() -> None:
    """Nine masks that overlap in every way need 511 codes and get 16 bits."""
    ways = np.arange(512).reshape(8, 8, 8)
    codes, meanings = combine_masks({f"s{bit}": (ways >> bit & 1).astype(bool) for bit in range(9)})
    assert len(meanings) == 511
    assert codes.dtype == np.uint16
    assert len(np.unique(codes)) == 512


def test_masks_of_different_shape_are_refused() -> None:
    """Masks of two lattices are not put on one."""
    with pytest.raises(ValueError, match="different shape"):
        combine_masks({"liver": np.zeros(SHAPE, bool), "spleen": np.zeros((2, 3, 5), bool)})
    with pytest.raises(ValueError, match="no masks"):
        combine_masks({})
