"""A training set as text, for the processes that train together: plain JSON, so that nothing has to be unpickled."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from flaredb.labels.labelset import Mode, Trust
from flaredb.labels.mappings import Mapping as Codes
from flaredb.labels.structures import Structure, StructureSet
from flaredb.labels.tasks import Task
from flaredb.trainers.samples import CaseItem, LabelItem, TrainingSet


def to_text(data: TrainingSet) -> str:
    """A training set as JSON."""
    return json.dumps(
        {
            "snapshot": data.snapshot,
            "structures": [structure._asdict() for structure in data.space.structures],
            "task": [data.task.name, data.task.structures],
            "cases": _cases_out(data.cases),
            "validation": _cases_out(data.validation),
        }
    )


def from_text(text: str) -> TrainingSet:
    """The training set that `to_text` wrote."""
    document = json.loads(text)
    space = StructureSet(tuple(Structure(**fields) for fields in document["structures"]))
    name, structures = document["task"]
    cases, validation = (tuple(map(_case, document[part])) for part in ("cases", "validation"))
    return TrainingSet(document["snapshot"], space, Task(name, tuple(structures)), cases, validation)


def _cases_out(items: Iterable[CaseItem]) -> list[Any]:
    return [[item.case, item.image, [_label_out(label) for label in item.labels]] for item in items]


def _label_out(item: LabelItem) -> dict[str, Any]:
    trust = item.trust
    return {
        "volume": item.volume,
        "label": trust.label,
        "human": trust.human,
        "mapping": [trust.codes.name, trust.codes.text],
        "annotated": {name: [mode.exhaustive, mode.within] for name, mode in trust.annotated.items()},
        "structures": sorted(trust.structures),
        "won": sorted(trust.won),
    }


def _case(row: list[Any]) -> CaseItem:
    case, image, labels = row
    return CaseItem(case, image, tuple(map(_label, labels)))


def _label(row: Mapping[str, Any]) -> LabelItem:
    annotated = {name: Mode(exhaustive, tuple(within)) for name, (exhaustive, within) in row["annotated"].items()}
    names, won = frozenset(row["structures"]), frozenset(row["won"])
    trust = Trust(row["label"], row["human"], Codes.from_text(*row["mapping"]), annotated, names, won)
    return LabelItem(row["volume"], trust)
