"""Which cases people should look at first: those whose labels disagree, or that are least reliable."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from flaredb.catalog import explain, labels, reviews
from flaredb.catalog.labels import Label
from flaredb.catalog.reviews import NewItem
from flaredb.catalog.standing import RELIABILITY
from flaredb.geometry import Box
from flaredb.workflow.executors import in_order
from flaredb.workspace import Workspace

_WORKERS = 2
_SLAB = 32  # planes, a chunk's depth


def by_chance(queue: Mapping[str, Sequence[NewItem]], seed: int) -> list[str]:
    """The cases in an order drawn with a seed: the same for the same cases and seed."""
    names = sorted(queue)
    return [names[place] for place in np.random.default_rng(seed).permutation(len(names))]


def by_reliability(workspace: Workspace, queue: Mapping[str, Sequence[NewItem]]) -> list[str]:
    """Cases that have a score, lowest first: that of the least reliable of the structures to look at."""
    numbers = [item.label for items in queue.values() for item in items if item.label is not None]
    with workspace.catalog.read() as connection:
        scores = reviews.reliability(connection, numbers, RELIABILITY)
    lowest = {
        case: min(own)
        for case, items in queue.items()
        if (own := [scores[i.label, i.structure] for i in items if i.label and (i.label, i.structure) in scores])
    }
    return _lowest_first(lowest)


def by_disagreement(workspace: Workspace, queue: Mapping[str, Sequence[NewItem]]) -> list[str]:
    """Cases of which several sources speak, lowest Dice first: of any two sources, on any structure to look at.

    Each source speaks through its newest label that annotates the structure and is not withdrawn.
    """

    def measure(case: str) -> float | None:
        return _lowest_dice(workspace, case, [item.structure for item in queue[case]])

    lowest: dict[str, float] = {}
    cases = sorted(queue)
    measured = in_order(measure, cases, _WORKERS)
    for case, future in workspace.reporter.track(measured, "cases", len(cases)):
        dice = future.result()
        if dice is not None:
            lowest[case] = dice
    return _lowest_first(lowest)


def _lowest_first(scores: Mapping[str, float]) -> list[str]:
    return sorted(scores, key=lambda case: (scores[case], case))


def _lowest_dice(workspace: Workspace, case: str, structures: Sequence[str]) -> float | None:
    """The lowest Dice of two sources on one of the structures; 1 where both are empty, None if no two speak."""
    with workspace.catalog.read() as connection:
        candidates = explain.of_case(connection, case)
        speaking: dict[str, list[int]] = {}
        for name in structures:
            newest = {c.source: c for c in candidates.get(name, []) if not c.withdrawn and not c.superset}
            if len(newest) > 1:
                speaking[name] = [candidate.number for candidate in newest.values()]
        found = labels.by_ids(connection, {number for numbers in speaking.values() for number in numbers})
    if not speaking:
        return None
    values = {name: value for value, name in enumerate(speaking, start=1)}
    drawn = [_Drawn(workspace, label, values) for label in found.values()]
    place = {number: index for index, number in enumerate(found)}
    pairs = [
        (values[name], place[first], place[second])
        for name, numbers in speaking.items()
        for first, second in itertools.combinations(numbers, 2)
    ]
    return float(_dices(drawn, pairs, len(values) + 1).min())


class _Drawn:
    """A label as numbers of the structures asked for, 0 for anything else; read slab by slab."""

    def __init__(self, workspace: Workspace, label: Label, values: Mapping[str, int]) -> None:
        self.volume = workspace.volumes.open(label.volume or "")
        self._codes = {code: value for name, value in values.items() for code in label.codes.codes_of(name)}

    def read(self, box: Box) -> NDArray[np.uint8]:
        """The voxels of a box."""
        codes = self.volume.read(box)
        table = np.zeros(int(codes.max()) + 1, np.uint8)
        for code, value in self._codes.items():
            if code < len(table):
                table[code] = value
        result: NDArray[np.uint8] = table[codes]
        return result


def _dices(drawn: Sequence[_Drawn], pairs: Sequence[tuple[int, int, int]], size: int) -> NDArray[np.float64]:
    """The Dice of each (structure's number, one label, another); 1 where both are empty."""
    planes, rows, columns = drawn[0].volume.shape
    own = np.zeros((len(drawn), size), np.int64)
    both = np.zeros(len(pairs), np.int64)
    for start in range(0, planes, _SLAB):
        box = (slice(start, min(start + _SLAB, planes)), slice(0, rows), slice(0, columns))
        maps = [label.read(box) for label in drawn]
        anywhere = np.logical_or.reduce([array > 0 for array in maps])  # a small part of a scan
        maps = [array[anywhere] for array in maps]
        own += [np.bincount(array, minlength=size) for array in maps]
        same = {(a, b): np.bincount(maps[a][maps[a] == maps[b]], minlength=size) for _, a, b in pairs}
        both += [int(same[a, b][value]) for value, a, b in pairs]
    totals = np.array([own[a, value] + own[b, value] for value, a, b in pairs])
    dices: NDArray[np.float64] = np.where(totals > 0, 2 * both / np.maximum(totals, 1), 1.0)
    return dices
