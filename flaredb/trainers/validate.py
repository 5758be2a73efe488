"""Validation while training: whole cases predicted and compared with what people decided about them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from flaredb.labels.lookup import build_lookup
from flaredb.labels.tasks import Task
from flaredb.trainers.predict import Predictor
from flaredb.trainers.ranks import Team
from flaredb.trainers.samples import CaseItem, TrainingSet
from flaredb.volumes.store import VolumeStore

_SLAB = 16  # slices compared at once


def validate(predictor: Predictor, data: TrainingSet, volumes: VolumeStore, team: Team) -> dict[str, Any]:
    """Mean DSC per structure, and over structures, on `data.validation`; the ranks share the cases.

    A structure counts in the cases whose truth decides it, and only voxels where its presence is decided. Where neither
    truth nor prediction has it, the case does not count for it: finding nothing is no merit. `mean` is None if nothing
    counted.
    """
    names = data.task.structures
    table = torch.zeros((len(names), 2), dtype=torch.float64)
    for item in data.validation[team.rank :: team.size]:
        for name, score in _score(predictor, data, volumes, item).items():
            table[names.index(name)] += torch.tensor([score, 1.0], dtype=torch.float64)
    sums = team.gather(table).tolist()
    found = {name: total / count for name, (total, count) in zip(names, sums, strict=True) if count}
    mean = float(np.mean(list(found.values()))) if found else None
    return {"mean": mean, "structures": found, "cases": len(data.validation)}


def decided(item: CaseItem, task: Task) -> frozenset[str]:
    """Structures of the task that the case's labels decide everywhere: won, exhaustive, told apart from others."""
    return frozenset(
        name
        for label in item.labels
        for name in label.trust.won.intersection(task.structures)
        if label.trust.annotated[name].exhaustive
        and not label.trust.annotated[name].within
        and len(label.trust.codes.superset(name)) == 1
    )


def choose(items: Sequence[CaseItem], task: Task, count: int) -> tuple[CaseItem, ...]:
    """At most so many cases, each the one that adds most where least was decided; the same ones every time."""
    left = {item.case: item for item in items if decided(item, task)}
    seen: Counter[str] = Counter()
    chosen: list[CaseItem] = []
    while left and len(chosen) < count:
        worth = {case: sum(1 / (1 + seen[name]) for name in decided(item, task)) for case, item in left.items()}
        best = min(left, key=lambda case: (-worth[case], case))
        seen.update(decided(left[best], task))
        chosen.append(left.pop(best))
    return tuple(chosen)


def _score(predictor: Predictor, data: TrainingSet, volumes: VolumeStore, item: CaseItem) -> dict[str, float]:
    """DSC of each decided structure that truth or prediction has."""
    names = [name for name in data.task.structures if name in decided(item, data.task)]
    if not names:
        return {}
    predicted = predictor.predict(volumes.open(item.image))
    lookup = build_lookup(data.space, data.task, [label.trust for label in item.labels])
    by_label = {label.trust.label: label.volume for label in item.labels}
    stored = [volumes.open(by_label[name]) for name in lookup.names]
    classes = [data.task.structures.index(name) + 1 for name in names]
    counts = np.zeros((len(names), 2), dtype=np.int64)
    for first in range(0, len(predicted), _SLAB):
        box = (slice(first, min(first + _SLAB, len(predicted))), slice(None), slice(None))
        allowed = lookup.look_up([volume.read(box) for volume in stored])
        counts += [_overlap(allowed, predicted[box], number) for number in classes]
    return {name: 2 * int(common) / int(total) for name, (common, total) in zip(names, counts, strict=True) if total}


def _overlap(allowed: NDArray[np.int64], predicted: NDArray[np.uint8], number: int) -> tuple[int, int]:
    """Voxels in both masks, and in either added up, where the class is decided."""
    truth = allowed == 1 << number
    known = truth | (allowed >> number & 1 == 0)
    own = (predicted == number) & known
    return int(np.count_nonzero(truth & own)), int(np.count_nonzero(truth)) + int(np.count_nonzero(own))
