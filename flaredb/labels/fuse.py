"""Several labels of a case made one: a voxel on which they do not settle stays a code for each of what it may be.

What a fused label asserts never excludes, where its parts contradict each other, what one of them says, unless a
method decides: `majority`, `weighted` (votes weighted by source and structure), `staple`, and `background`, by which
every contradiction is background, as in published scripts. `agreement` decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from flaredb.errors import InvalidDataError
from flaredb.labels.labelset import Mode
from flaredb.labels.mappings import NOTHING
from flaredb.labels.mappings import Mapping as Codes
from flaredb.labels.says import Choices, Part, find_patterns
from flaredb.labels.structures import StructureSet
from flaredb.labels.votes import METHODS, Method, Weights, settle

__all__ = ["METHODS", "Fused", "Method", "Part", "Weights", "fuse"]


class Fused(NamedTuple):
    """A fused label: voxels (z, y, x), what their codes mean, and what the label annotates.

    `drawn` counts the voxels in which any part draws a structure, `undecided` those of them that may be several things,
    `contradictions` the voxels where what the parts say cannot all be true.
    """

    voxels: NDArray[np.unsignedinteger[Any]]
    codes: Codes
    annotated: dict[str, Mode]
    contradictions: int
    undecided: int
    drawn: int


def fuse(
    space: StructureSet,
    labels: Sequence[tuple[Part, NDArray[Any]]],
    method: Method = "agreement",
    weights: Weights | None = None,
) -> Fused:
    """Fuse labels, each with its voxels (z, y, x).

    A structure is exhaustive if every part that speaks about it is; one that stays empty is positive-only unless people
    say so, because labels that all miss it agree. InvalidDataError if shapes differ or no part speaks.
    """
    parts, voxels = [part for part, _ in labels], [codes for _, codes in labels]
    if len({codes.shape for codes in voxels}) > 1:
        raise InvalidDataError(f"the labels differ in shape: {' '.join(str(codes.shape) for codes in voxels)}")
    choices = Choices(space, parts)
    if not choices.names:
        raise InvalidDataError("no label speaks about any of the structures")
    found = find_patterns(choices, parts, voxels)
    settled = settle(choices, parts, found, method, weights)
    modes = {name: _mode(part.annotated[name] for part in parts if name in part.annotated) for name in choices.names}
    identity = tuple((space[name].value, frozenset({name})) for name in choices.names)
    whole = Part("", Codes("fused", identity, top=len(space.names)), modes)
    book = _Codebook(choices, parts, whole, settled.masks.tolist())
    written = np.array([book.code[mask] for mask in settled.masks.tolist()], book.dtype)
    made = np.empty(found.numbers.shape, book.dtype)
    for plane, numbers in zip(made, found.numbers, strict=True):
        plane[...] = written[numbers]
    there = set(written.tolist())
    drawn = (found.drawn > 0).any(axis=1)
    undecided = np.isin(written, list(book.codes.ignored))
    return Fused(
        made,
        book.codes,
        {name: mode if _known(space, parts, name, there) else Mode(exhaustive=False) for name, mode in modes.items()},
        int(found.counts[settled.contradicts].sum()),
        int(found.counts[drawn & undecided].sum()),
        int(found.counts[drawn].sum()),
    )


def _known(space: StructureSet, parts: Sequence[Part], name: str, there: set[int]) -> bool:
    """Whether the label may deny the structure where it does not draw it."""
    return space[name].value in there or any(part.human and name in part.annotated for part in parts)


def _mode(modes: Iterable[Mode]) -> Mode:
    """Exhaustive, within the organs in which all are, if all are."""
    listed = list(modes)
    limits = [set(mode.within) for mode in listed if mode.within]
    within = set.intersection(*limits) if limits else set()
    if not all(mode.exhaustive for mode in listed) or (limits and not within):
        return Mode(exhaustive=False)
    return Mode(True, tuple(sorted(within)))


class _Codebook:
    """Codes for what voxels may be: a structure's own value, then one for each pair, then what else there is.

    Pairs have their codes whether or not they are met, so that the labels of most cases share one table.
    """

    def __init__(self, choices: Choices, parts: Sequence[Part], whole: Part, masks: Sequence[int]) -> None:
        self.choices = choices
        self.values = {NOTHING: 0} | {name: choices.space[name].value for name in choices.names}
        said = choices.said(whole)
        self.plain = {name: said[value].states for name, value in self.values.items()}
        self.untold = [name for name in choices.names if _untold(parts, name)]
        self.open = len(choices.space.names) + 1
        numbers: dict[frozenset[str], int] = {}
        for number, pair in enumerate(combinations(self.plain, 2), start=self.open + 1):
            numbers[frozenset(pair)] = number
        supersets = {}
        self.code = {}
        for mask in sorted(set(masks)):
            members = self._members(mask)
            if not members:
                self.code[mask] = self.open
            elif len(members) == 1:
                self.code[mask] = self.values[next(iter(members))]
            else:
                self.code[mask] = numbers.setdefault(members, self.open + 1 + len(numbers))
                if members <= set(self.untold):
                    supersets[self.code[mask]] = members
        self.codes = self._table(numbers, supersets)
        self.dtype = np.min_scalar_type(self.codes.top)

    def _table(self, numbers: Mapping[frozenset[str], int], supersets: Mapping[int, frozenset[str]]) -> Codes:
        meanings = {value: frozenset({name}) for name, value in self.values.items() if value} | dict(supersets)
        possible = {number: names for names, number in numbers.items() if number not in supersets}
        ignored = frozenset({self.open, *possible})
        top = max(*ignored, *meanings)
        return Codes("fused", tuple(sorted(meanings.items())), ignored, top, (), tuple(sorted(possible.items())))

    def _members(self, mask: int) -> frozenset[str]:
        """The fewest names that together leave all of a label set open; none if it is open altogether."""
        same = [name for name, own in self.plain.items() if own == mask]
        if same or mask == self.choices.space.open:
            return frozenset(same[:1])
        listed = [name for name, own in self.choices.own.items() if own & mask]
        sites = [name for name in listed if not self.choices.lesion(name)]
        covered = 0
        for name in sites:
            covered |= self.plain[name]
        lesions = [name for name in listed if name not in sites and self.choices.own[name] & mask & ~covered]
        return frozenset([*sites, *lesions])


def _untold(parts: Sequence[Part], name: str) -> bool:
    """Whether every part that speaks about a structure knows it only together with others."""
    return all(len(part.codes.superset(name)) > 1 for part in parts if name in part.annotated)
