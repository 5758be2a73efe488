"""What every verb that changes something gives back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple

from flaredb.errors import Finding


class Result(NamedTuple):
    """Counts and names of what was done; `would` is what would be done where nothing was changed yet."""

    operation: int | None
    ids: tuple[str, ...] = ()
    added: int = 0
    unchanged: int = 0
    failed: int = 0
    findings: tuple[Finding, ...] = ()
    would: dict[str, Any] | None = None


class Imported(NamedTuple):
    """A Result of an import: with the layout of folders and names that was recognised, or asked for.

    `left` counts the files, by folder, that are not of this import's kind: labels among scans, scans among labels.
    """

    operation: int | None
    ids: tuple[str, ...] = ()
    added: int = 0
    unchanged: int = 0
    failed: int = 0
    findings: tuple[Finding, ...] = ()
    would: dict[str, Any] | None = None
    layout: str = "flat"
    left: Mapping[str, int] = {}


Outcome = Literal["added", "unchanged", "failed"]


class Tally:
    """Counts what becomes of many items, and makes the Result of it."""

    def __init__(self, findings: Iterable[Finding] = ()) -> None:
        self.findings = list(findings)
        self.names: list[str] = []
        self.counts = {"added": 0, "unchanged": 0, "failed": sum(f.severity == "error" for f in self.findings)}

    def count(self, outcome: Outcome, name: str, findings: Iterable[Finding] = ()) -> None:
        """One item more; its name is listed if it was added."""
        self.counts[outcome] += 1
        self.findings += findings
        if outcome == "added":
            self.names.append(name)

    def result(self, operation: int | None) -> Result:
        """All that was counted."""
        counts = self.counts
        return Result(
            operation,
            tuple(self.names),
            counts["added"],
            counts["unchanged"],
            counts["failed"],
            tuple(self.findings),
        )
