"""Long lists of numbered names, told briefly: runs of numbers and what is missing between them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple

_NUMBERED = re.compile(r"(.*?)([0-9]+)", re.DOTALL)
_MOST = 8  # runs told before the rest is only counted


class Gap(NamedTuple):
    """What a series of numbered names leaves out between its first and last; `text` names it."""

    first: str
    last: str
    listed: int
    missing: int
    text: str


class _Series(NamedTuple):
    prefix: str
    width: int
    numbers: list[int]

    def name(self, number: int) -> str:
        return f"{self.prefix}{number:0{self.width}d}"

    def runs(self) -> list[tuple[int, int]]:
        """First and last of every unbroken run of numbers."""
        found: list[tuple[int, int]] = []
        for number in self.numbers:
            if found and number == found[-1][1] + 1:
                found[-1] = (found[-1][0], number)
            else:
                found.append((number, number))
        return found

    def text(self, first: int, last: int) -> str:
        return self.name(first) if first == last else f"{self.name(first)} … {self.name(last)}"


def find_gaps(names: Iterable[str]) -> list[Gap]:
    """For each prefix, such as `FLARE23_`, the numbers missing between the smallest and the largest."""
    found = []
    for series in _series(names)[0]:
        holes = [(before + 1, after - 1) for before, after in pairwise(series.numbers) if after > before + 1]
        if holes:
            missing = sum(last - first + 1 for first, last in holes)
            text = _cut([series.text(*hole) for hole in holes])
            ends = series.name(series.numbers[0]), series.name(series.numbers[-1])
            found.append(Gap(*ends, len(series.numbers), missing, text))
    return found


def shorten(names: Iterable[str]) -> str:
    """Names in order, runs of numbers as `case_0001 … case_0009`, cut short where there are many."""
    numbered, others = _series(names)
    return _cut([series.text(*run) for series in numbered for run in series.runs()] + others)


def _series(names: Iterable[str]) -> tuple[list[_Series], list[str]]:
    """Names by prefix, and those without a number. One width a series: that of its shortest number."""
    numbers: dict[str, dict[int, int]] = {}
    others = set()
    for name in names:
        match = _NUMBERED.fullmatch(name)
        if match:
            numbers.setdefault(match[1], {})[int(match[2])] = len(match[2])
        else:
            others.add(name)
    series = [_Series(prefix, min(found.values()), sorted(found)) for prefix, found in sorted(numbers.items())]
    return series, sorted(others)


def _cut(texts: list[str]) -> str:
    rest = len(texts) - _MOST
    return ", ".join(texts[:_MOST]) + (f" and {rest} more" if rest > 0 else "")
