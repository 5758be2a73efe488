"""Label sets by table: from the codes of a case's labels straight to the classes a task allows.

Codes that mean the same are one; a label has few meanings, so every combination of the meanings of a case's labels is
worked out once by `combine`, and a voxel costs one table entry a label and one for the combination.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from flaredb.errors import InvalidDataError
from flaredb.labels.combine import combine, join
from flaredb.labels.labelset import Trust, assertions, clipped
from flaredb.labels.structures import StructureSet
from flaredb.labels.tasks import Task, project

_LIMIT = 1 << 24


class Lookup(NamedTuple):
    """For each label (in the order of `names`) a table code → offset; the sum of offsets is a place in `classes`.

    `classes[place]` has bit k set where class k of the task is possible. The last entry of each table stands for every
    code beyond it.
    """

    names: tuple[str, ...]
    offsets: tuple[NDArray[np.int64], ...]
    classes: NDArray[np.int64]

    def look_up(self, codes: Sequence[NDArray[Any]]) -> NDArray[np.int64]:
        """Class masks for the codes of each label, all of one shape."""
        place: Any = 0
        for table, own in zip(self.offsets, codes, strict=True):
            place = place + table[clipped(own, len(table) - 1)]
        classes: NDArray[np.int64] = self.classes[place]
        return classes


def build_lookup(space: StructureSet, task: Task, trusted: Sequence[Trust]) -> Lookup:
    """Tables for the labels of one case; entries of the same label count as one."""
    joined = join([(trust, np.empty(0)) for trust in trusted])
    names = tuple(trust.label for trust, _ in joined)
    offsets, samples = [], []
    size = 1
    for trust, _ in joined:
        table, codes = _meanings(space, trust)
        offsets.append(table * size)
        samples.append(codes)
        size *= len(codes)
        if size > _LIMIT:
            raise InvalidDataError(f"{len(names)} labels with {size} combinations of codes; use fewer labels a case")
    # meanings vary fastest along the first label, as the offsets say
    combined = np.meshgrid(*reversed(samples), indexing="ij")
    by_name = {name: codes.ravel() for name, codes in zip(reversed(names), combined, strict=True)}
    sets = combine(space, [(trust, by_name[trust.label]) for trust in trusted]).sets
    return Lookup(names, tuple(offsets), project(space, task, sets).astype(np.int64))


def _meanings(space: StructureSet, trust: Trust) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Code → number of what it asserts, and one code for each; what a label is not trusted in does not count."""
    tables = assertions(space, trust)
    rows = np.stack([tables.sets.astype(np.uint64), tables.unsited.astype(np.uint64), tables.claims], axis=1)
    _, examples, numbers = np.unique(rows, axis=0, return_index=True, return_inverse=True)
    return numbers.reshape(-1).astype(np.int64), examples.astype(np.int64)
