"""From what is current for structures to the labels of a case, each trusted about what it won or contributes to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple, Protocol

from flaredb.labels.labelset import Mode, Trust
from flaredb.labels.mappings import Mapping as Codes
from flaredb.labels.policy import HUMAN, Current
from flaredb.labels.structures import StructureSet

Role = Literal["won", "contributes"]


class LabelFacts(Protocol):
    """What must be known of a label to trust it."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def kind(self) -> str:
        """Its kind."""

    @property
    def codes(self) -> Codes:
        """What its codes mean."""

    @property
    def annotated(self) -> dict[str, Mode]:
        """The structures it speaks about."""


class Entry(NamedTuple):
    """A label (by number) in its role for some structures of a case."""

    label: int
    role: Role
    structures: tuple[str, ...]


def entries(space: StructureSet, spoken: Iterable[Current], labels: Mapping[int, LabelFacts]) -> list[Entry]:
    """The labels that matter for a case. The members of a superset that a label contributes are trusted together."""
    found: dict[tuple[int, Role], set[str]] = defaultdict(set)
    for current in spoken:
        if current.winner:
            found[current.winner.number, "won"].add(current.structure)
        for voice in current.contributors:
            label = labels[voice.number]
            together = label.codes.superset(current.structure).intersection(label.annotated)
            found[voice.number, "contributes"] |= together
    return [Entry(label, role, space.check(names)) for (label, role), names in sorted(found.items())]


def trusts(entries_of_case: Iterable[tuple[LabelFacts, Role, Iterable[str]]]) -> list[Trust]:
    """One Trust an entry; `combine` joins those of one label."""
    made = []
    for label, role, structures in entries_of_case:
        names = frozenset(structures)
        won = names if role == "won" else frozenset()
        made.append(Trust(label.name, label.kind in HUMAN, label.codes, label.annotated, names, won))
    return made
