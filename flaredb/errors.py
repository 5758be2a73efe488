"""What can go wrong, grouped by what the person who sees it does next.

    FlareError                        exit 1
    ├── UsageError                         2   asked in a way that cannot be, or an extra is missing: says which
    ├── NotFoundError (LookupError)        3   no such case, label, round: says what exists
    ├── ConflictError                      4   exists, closed, locked, changed: says who holds it
    │   └── NeedsPeopleError                   a round cannot go on by itself: says what people can do
    ├── InvalidDataError (ValueError)      5   file, label or setting breaks a rule; carries findings
    ├── StorageError                       6   volume missing or altered, schema not at head: says what repairs it
    └── UnfinishedError                   75   stopped as asked, all kept: says what to run to go on

A `Finding` is a remark about data met on the way; findings are collected and stored, not raised at the first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

Severity = Literal["error", "warning", "info"]


class Finding(NamedTuple):
    """A remark about data: how grave, which case, which rule it breaks, what was done about it."""

    severity: Severity
    case: str | None
    rule: str
    message: str
    path: str | None = None


class FlareError(Exception):
    """Anything flaredb refuses or cannot do."""

    exit_code = 1


class UsageError(FlareError):
    """The request cannot be met as it was put, or needs an extra that is not installed; the message says which."""

    exit_code = 2


class NotFoundError(FlareError, LookupError):
    """There is no such thing; the message says what there is."""

    exit_code = 3


class ConflictError(FlareError):
    """The thing exists already, is closed, or is held by somebody; the message says by whom."""

    exit_code = 4


class NeedsPeopleError(ConflictError):
    """A round cannot go on by itself; the message says what people can do."""


class InvalidDataError(FlareError, ValueError):
    """A file, label or setting breaks a rule; `findings` says which."""

    exit_code = 5

    def __init__(self, message: str, findings: Sequence[Finding] = ()) -> None:
        super().__init__(message)
        self.findings = tuple(findings)


class StorageError(FlareError):
    """Stored data is missing or altered, or the schema is not the one this version speaks."""

    exit_code = 6


class UnfinishedError(FlareError):
    """Work stopped in good order before its end, because it was told to; the message says how to go on."""

    exit_code = 75
