"""How long work tells how far it is. Silent by default; the command line puts bars on the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


class Reporter:
    """Says nothing. A subclass shows what it is told."""

    def track(self, items: Iterable[T], title: str, total: int) -> Iterator[T]:
        """Pass items on, counting them; `total` is how many there will be."""
        yield from items

    def say(self, message: str) -> None:
        """A line for people."""
