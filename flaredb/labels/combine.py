"""How the labels of a case combine: one label set a voxel.

1. Kind by kind, human labels first. Within a kind intersect the assertions; where that is empty, take the union of
   those that say anything and count a conflict.
2. Intersect with what better kinds left; where that is empty, keep what they left and count a conflict.
3. Where every winner of an organ among better kinds denies it, a worse label's claim of that organ is refuted: it
   restricts no site (and does not become background). A superset is refuted when all its members are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from flaredb.labels.labelset import Assertions, Sets, Trust, assertions
from flaredb.labels.structures import StructureSet


class Combined(NamedTuple):
    """Label sets of a case or patch, and at how many voxels labels contradicted each other.

    `within`: labels of one kind did; `between`: a worse kind contradicted a better one.
    """

    sets: Sets
    within: int
    between: int


class _Voice(NamedTuple):
    """A label with its tables and the sets it asserts, voxel by voxel."""

    trust: Trust
    tables: Assertions
    codes: NDArray[Any]

    @property
    def sets(self) -> Sets:
        return self.tables.look_up(self.tables.sets, self.codes)


def combine(space: StructureSet, labels: Sequence[tuple[Trust, NDArray[Any]]]) -> Combined:
    """Combine labels into label sets.

    Each label comes with its codes, all of one shape; entries of the same label are joined first. The result has that
    shape; without labels everything is open and the shape is ().
    """
    voices = [_Voice(trust, assertions(space, trust), codes) for trust, codes in join(labels)]
    shape = voices[0].codes.shape if voices else ()
    combined = Combined(np.full(shape, space.open, dtype=space.dtype), 0, 0)
    better: list[_Voice] = []
    for human in (True, False):
        kind = [voice for voice in voices if voice.trust.human is human]
        if kind:
            combined = _add_kind(space, combined, kind, better)
            better += kind
    return combined


def join(labels: Sequence[tuple[Trust, NDArray[Any]]]) -> list[tuple[Trust, NDArray[Any]]]:
    """One entry a label, trusted about all that its entries were."""
    joined: dict[str, tuple[Trust, NDArray[Any]]] = {}
    for trust, codes in labels:
        if trust.label in joined:
            first = joined[trust.label][0]
            trust = first._replace(
                annotated={**first.annotated, **trust.annotated},
                structures=first.structures | trust.structures,
                won=first.won | trust.won,
            )
        joined[trust.label] = (trust, codes)
    return list(joined.values())


def _add_kind(space: StructureSet, so_far: Combined, kind: list[_Voice], better: list[_Voice]) -> Combined:
    """Intersect what the labels of one kind say with what better kinds left."""
    said = [_unless_refuted(space, voice, better) for voice in kind]
    meet = np.bitwise_and.reduce(said)
    contradiction = meet == 0
    if contradiction.any():
        silent = space.dtype.type(0)
        claimed = [np.where(sets == space.open, silent, sets) for sets in said]
        meet = np.where(contradiction, np.bitwise_or.reduce(claimed), meet)
    joint = so_far.sets & meet
    refused = joint == 0
    return Combined(
        np.where(refused, so_far.sets, joint),
        so_far.within + int(contradiction.sum()),
        so_far.between + int(refused.sum()),
    )


def _unless_refuted(space: StructureSet, voice: _Voice, better: list[_Voice]) -> Sets:
    """What a label says, its claims of a site lifted where better winners deny every claimed organ."""
    sets = voice.sets
    claimable = int(np.bitwise_or.reduce(voice.tables.claims))
    denied = np.zeros(voice.codes.shape, dtype=np.uint64)
    for index, organ in enumerate(space.organs, start=1):
        winners = [other for other in better if organ in other.trust.won]
        if winners and claimable >> index & 1:
            here = space.dtype.type(space.states([organ], space.all_lesions))
            deny = np.logical_and.reduce([(winner.sets & here) == 0 for winner in winners])
            denied |= deny.astype(np.uint64) << np.uint64(index)
    if not denied.any():
        return sets
    claims = voice.tables.look_up(voice.tables.claims, voice.codes)
    refuted = (claims != 0) & ((claims & ~denied) == 0)
    return np.where(refuted, voice.tables.look_up(voice.tables.unsited, voice.codes), sets)
