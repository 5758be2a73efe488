"""The order of labels drawn by people: newest annotation first, unless a source supersedes another.

A label of a superseding source comes just before the first label of the sources it supersedes, directly or through
others, when its own date would put it later. That is a plain sort key: the best place (date, then number) among the
label itself and those it supersedes; then how many sources deep it supersedes; then its own date and number.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from typing import Any, Generic, Protocol, TypeVar

K = TypeVar("K", bound=Hashable)


class Drawn(Protocol):
    """What is asked of a label: its source, when it was annotated (anything that sorts), its number."""

    @property
    def source(self) -> Any:
        """Name or number of its source."""

    @property
    def annotated_at(self) -> Any:
        """When it was annotated."""

    @property
    def number(self) -> int:
        """Its number, in order of arrival."""


L = TypeVar("L", bound=Drawn)


class Precedence(Generic[K]):
    """Which sources supersede which: `below` holds all that a source supersedes, `depth` its longest chain."""

    def __init__(self, pairs: Iterable[tuple[K, K]] = ()) -> None:
        direct: dict[K, set[K]] = defaultdict(set)
        for newer, older in pairs:
            direct[newer].add(older)
        self.below: dict[K, frozenset[K]] = {source: _reached(direct, source) for source in direct}
        self.depth: dict[K, int] = {source: _longest(direct, source, ()) for source in direct}

    def sort(self, labels: Iterable[L]) -> list[L]:
        """Best first."""
        found = sorted(labels, key=lambda label: label.number)
        found.sort(key=lambda label: label.annotated_at, reverse=True)
        sources = {label.source for label in found}
        if not any(self.below.get(source, frozenset()) & sources for source in sources):
            return found
        places = {label.number: self._best_place(label, found) for label in found}
        found.sort(key=lambda label: -self.depth.get(label.source, 0))
        found.sort(key=lambda label: places[label.number])
        return found

    def _best_place(self, label: L, ranked: Sequence[L]) -> int:
        """The first place, by date and number, of the label and of those it supersedes."""
        below = self.below.get(label.source, frozenset())
        return next(i for i, other in enumerate(ranked) if other is label or other.source in below)


def _reached(direct: dict[K, set[K]], source: K) -> frozenset[K]:
    found: set[K] = set()
    left = list(direct[source])
    while left:
        older = left.pop()
        if older not in found:
            found.add(older)
            left += direct.get(older, ())
    return frozenset(found - {source})


def _longest(direct: dict[K, set[K]], source: K, above: tuple[K, ...]) -> int:
    older = [other for other in direct.get(source, ()) if other not in above and other != source]
    return 1 + max(_longest(direct, other, (*above, source)) for other in older) if older else 0
