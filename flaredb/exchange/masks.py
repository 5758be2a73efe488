"""Many masks of one scan as one array of codes, with a table of what each code stands for.

Masks may overlap. Each combination that occurs gets a code of its own, so that nothing is lost; what a combination
means for a label (lesion in an organ, one of two organs) is decided elsewhere, where structures are known.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

_WORKING = np.uint32
_SLAB = 1 << 22  # voxels worked on at once


class Combined(NamedTuple):
    """Codes (the smallest unsigned type) in the shape of the masks, and code → names; 0 is none and not in it."""

    codes: NDArray[Any]
    meanings: dict[int, tuple[str, ...]]


def combine_masks(masks: Mapping[str, NDArray[np.bool_]]) -> Combined:
    """One array of codes from named masks (z, y, x) of equal shape; other axis orders do as well.

    The k-th name alone is code k, whether it occurs or not; combinations of several names follow, in the order of
    their codes, only those that occur. Names inside a meaning keep the order of `masks`. Masks are asked for one
    after the other, so that a mapping which reads them when asked holds one at a time. ValueError when there are no
    masks or their shapes differ.
    """
    names = tuple(masks)
    if not names:
        raise ValueError("no masks to combine")
    first = np.asarray(masks[names[0]], bool)
    working = first.astype(_WORKING)
    sets: list[tuple[int, ...]] = [(), *((index,) for index in range(1, len(names) + 1))]  # working code → names in it
    known = {members: code for code, members in enumerate(sets)}
    for index, name in enumerate(names[1:], start=2):
        mask = np.asarray(masks[name], bool)
        if mask.shape != working.shape:
            raise ValueError(f"masks of different shape: {name} has {mask.shape}, {names[0]} {working.shape}")
        _add(working, mask, index, sets, known)
    return _compact(names, working, sets)


def _add(
    working: NDArray[Any], mask: NDArray[np.bool_], index: int, sets: list[tuple[int, ...]], known: dict[Any, int]
) -> None:
    """Put one more name on the voxels of its mask; combinations not met before are appended to `sets`."""
    before = working[mask]
    table = np.zeros(len(sets), _WORKING)
    for code in np.flatnonzero(np.bincount(before, minlength=len(sets))):
        members = (*sets[code], index)
        if members not in known:
            known[members] = len(sets)
            sets.append(members)
        table[code] = known[members]
    working[mask] = table[before]


def _compact(names: tuple[str, ...], working: NDArray[Any], sets: list[tuple[int, ...]]) -> Combined:
    """Number the combinations that are left without gaps, and take the smallest type that holds them."""
    counts = np.zeros(len(sets), np.int64)
    flat = working.reshape(-1)
    for start in range(0, flat.size, _SLAB):
        counts += np.bincount(flat[start : start + _SLAB], minlength=len(sets))
    several = sorted((sets[code], code) for code in np.flatnonzero(counts) if len(sets[code]) > 1)
    table = np.arange(len(sets))
    meanings: dict[int, tuple[str, ...]] = {code: (name,) for code, name in enumerate(names, start=1)}
    for number, (members, code) in enumerate(several, start=len(names) + 1):
        table[code] = number
        meanings[number] = tuple(names[member - 1] for member in members)
    return Combined(table.astype(np.min_scalar_type(len(meanings)))[working], meanings)
