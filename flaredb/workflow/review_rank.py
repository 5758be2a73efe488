"""Which cases people should look at first: those whose labels disagree, or that are least reliable."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flaredb.catalog import explain, labels, reviews
from flaredb.catalog.labels import Label
from flaredb.catalog.reviews import NewItem
from flaredb.catalog.standing import RELIABILITY
from flaredb.workflow.executors import in_order
from flaredb.workspace import Workspace

_WORKERS = 2


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
    maps = _drawn_together([_values(workspace, label, values) for label in found.values()])
    drawn = dict(zip(found, maps, strict=True))
    return min(
        _dice(drawn[first] == values[name], drawn[second] == values[name])
        for name, numbers in speaking.items()
        for first, second in itertools.combinations(numbers, 2)
    )


def _values(workspace: Workspace, label: Label, values: Mapping[str, int]) -> NDArray[np.uint8]:
    """A label's voxels as numbers of the structures asked for, 0 for anything else."""
    codes = workspace.volumes.open(label.volume or "").read()
    table = np.zeros(int(np.iinfo(codes.dtype).max) + 1 if codes.dtype.itemsize < 4 else int(codes.max()) + 1, np.uint8)
    for name, value in values.items():
        for code in label.codes.codes_of(name):
            if code < len(table):
                table[code] = value
    result: NDArray[np.uint8] = table[codes]
    return result


def _drawn_together(maps: Sequence[NDArray[np.uint8]]) -> list[NDArray[Any]]:
    """The maps at the voxels where any of them draws something: a small part of a scan."""
    anywhere = np.logical_or.reduce([array > 0 for array in maps])
    return [array[anywhere] for array in maps]


def _dice(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float:
    total = int(first.sum()) + int(second.sum())
    return 2 * int((first & second).sum()) / total if total else 1.0
