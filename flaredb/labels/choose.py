"""Decide all structures of a case at once: the rules of `policy`, with structures as bits.

`policy.decide` explains one structure; this answers for thousands of cases, and tests prove that the two agree.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from flaredb.labels.policy import CONTRIBUTES, HUMAN, Policy, victory
from flaredb.labels.precedence import Precedence


class SourceStanding(NamedTuple):
    """What was decided on a source: structure value → the operation that accepted it (0 at import); bits withdrawn."""

    name: str
    accepted: Mapping[int, int]
    withdrawn: int

    @property
    def bits(self) -> int:
        """The structures it is accepted for."""
        return sum(1 << value for value in self.accepted)


class LabelRow(NamedTuple):
    """A label as a candidate; every figure but the first five is a set of structures, bit k for value k.

    `strong`: exhaustive and no superset; `weak`: the others it annotates; `accepted`, `revoked`, `withdrawn` and
    `restored`: what was decided on this very label; `below`: its reliability falls short.
    """

    number: int
    source: int
    revision: int
    kind: str
    annotated_at: Any
    strong: int
    weak: int
    accepted: int = 0
    revoked: int = 0
    withdrawn: int = 0
    restored: int = 0
    below: int = 0

    @property
    def human(self) -> bool:
        """Whether people annotated it."""
        return self.kind in HUMAN


class Chosen(NamedTuple):
    """A label that won a structure (place 0) or contributes to it (place 1, 2, …)."""

    structure: int
    place: int
    label: int
    reason: str


Head = tuple[LabelRow, int]


class Chooser:
    """The rules with everything that holds for all cases: sources, policy, supersessions (by source number)."""

    def __init__(
        self,
        values: Iterable[int],
        sources: Mapping[int, SourceStanding],
        policy: Policy,
        supersedes: Sequence[tuple[int, int]] = (),
    ) -> None:
        self.values = tuple(values)
        self.sources = sources
        self.precedence = Precedence(supersedes)
        listed = {name: place for place, name in enumerate(policy.sources)}
        self._places = {key: listed.get(standing.name, len(listed)) for key, standing in sources.items()}
        self._bits = {key: standing.bits for key, standing in sources.items()}
        self._profiles = self._alike()

    def choose(self, rows: Sequence[LabelRow], own: Mapping[tuple[int, int], int] | None = None) -> list[Chosen]:
        """Winners and contributors of a case; `own`: (label, structure) → operation, where a label has its own."""
        heads = list(self._heads(rows))
        found = _Choice(self.values)
        human = [head for head in heads if head[0].human]
        for mask, ranked in self._ranked_human(human):
            found.walk(ranked, mask, lambda _: victory(True, 0))
        generated = [head for head in heads if not head[0].human]
        if generated:
            self._walk_generated(found, generated, own or {})
        return found.chosen

    def _heads(self, rows: Sequence[LabelRow]) -> Iterator[Head]:
        """Each source's newest accepted label that is not withdrawn, by structure, if it is reliable enough."""
        seen: dict[tuple[int, bool], int] = defaultdict(int)
        for row in sorted(rows, key=lambda r: (-r.revision, -r.number)):
            accepted = (self._bits[row.source] & ~row.revoked) | row.accepted
            withdrawn = (self.sources[row.source].withdrawn & ~row.restored) | row.withdrawn
            eligible = (row.strong | row.weak) & accepted & ~withdrawn
            head = eligible & ~seen[row.source, row.human]
            seen[row.source, row.human] |= eligible
            if not row.human:
                head &= ~row.below
            if head:
                yield row, head

    def _ranked_human(self, heads: list[Head]) -> Iterator[tuple[int, list[Head]]]:
        """Groups of structures (as bits) whose labels come in the same order, with that order."""
        if not heads:
            return
        bits = {row.number: head for row, head in heads}
        groups = [-1] if len(heads) < 2 or not self.precedence.below else [1 << value for value in self.values]
        for mask in groups:
            ranked = self.precedence.sort(row for row, head in heads if head & mask)
            yield mask, [(row, bits[row.number]) for row in ranked]

    def _walk_generated(self, found: _Choice, heads: list[Head], own: Mapping[tuple[int, int], int]) -> None:
        """Latest acceptance first; structures that all sources were accepted for alike are walked together."""
        alike = self._profiles if not any(row.accepted for row, _ in heads) else [(v,) for v in self.values]
        for values in alike:
            mask = sum(1 << value for value in values) & found.open
            if not mask:
                continue
            first = values[0]
            ops = {
                row.number: own.get((row.number, first), self.sources[row.source].accepted.get(first, 0))
                for row, head in heads
                if head & mask
            }
            ranked = [head for head in heads if head[0].number in ops]
            found.walk(self._ranked_generated(ranked, ops), mask, _accepted_by(ops))

    def _ranked_generated(self, heads: list[Head], ops: Mapping[int, int]) -> list[Head]:
        return sorted(heads, key=lambda h: (-ops[h[0].number], self._places[h[0].source], h[0].number))

    def _alike(self) -> list[tuple[int, ...]]:
        """Structures grouped by the operations that accepted every source for them."""
        groups: dict[tuple[tuple[int, int], ...], list[int]] = defaultdict(list)
        for value in self.values:
            ops = tuple((key, s.accepted[value]) for key, s in self.sources.items() if value in s.accepted)
            groups[ops].append(value)
        return [tuple(values) for values in groups.values()]


def _accepted_by(ops: Mapping[int, int]) -> Callable[[int], str]:
    return lambda number: victory(False, ops[number])


class _Choice:
    """What has been chosen, and the structures still open."""

    def __init__(self, values: Sequence[int]) -> None:
        self.values = values
        self.open = sum(1 << value for value in values)
        self.chosen: list[Chosen] = []
        self._contributors: dict[int, int] = defaultdict(int)

    def walk(self, ranked: Iterable[Head], mask: int, reason: Callable[[int], str]) -> None:
        """Go down the ranks within some structures until each is won."""
        for row, head in ranked:
            mask &= self.open
            if not mask:
                return
            for value in self._of(head & row.weak & mask):
                self._contributors[value] += 1
                self.chosen.append(Chosen(value, self._contributors[value], row.number, CONTRIBUTES))
            won = head & row.strong & mask
            for value in self._of(won):
                self.chosen.append(Chosen(value, 0, row.number, reason(row.number)))
            self.open &= ~won

    def _of(self, bits: int) -> list[int]:
        return [value for value in self.values if bits >> value & 1] if bits else []
