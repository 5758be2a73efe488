"""What a trainer gets: a frozen list of cases, the digests of their volumes, and how far each label is trusted.

Nothing here needs the catalogue; whoever can read the volumes can train.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from flaredb.labels.labelset import Trust
from flaredb.labels.structures import StructureSet
from flaredb.labels.tasks import Task


@dataclass(frozen=True)
class LabelItem:
    """A label volume of a case and how far it is trusted."""

    volume: str
    trust: Trust


@dataclass(frozen=True)
class CaseItem:
    """A case: its image volume and the labels that matter."""

    case: str
    image: str
    labels: tuple[LabelItem, ...]


@dataclass(frozen=True)
class TrainingSet:
    """A snapshot as a trainer sees it, and what to validate on."""

    snapshot: str
    space: StructureSet
    task: Task
    cases: tuple[CaseItem, ...]
    validation: tuple[CaseItem, ...] = ()
    """Cases that training never sees, to be predicted now and then; their labels are people's."""
    digest: str = field(default="", compare=False)
    """Of the snapshot; it follows from what the snapshot holds."""
