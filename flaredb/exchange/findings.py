"""How this room says no: one finding, wrapped in the exception that carries it."""

from __future__ import annotations

from pathlib import Path

from flaredb.errors import Finding, InvalidDataError


def refusal(path: Path, rule: str, message: str) -> InvalidDataError:
    """The exception to raise when the file at `path` breaks `rule`; it carries one finding of severity `error`.

    The finding names no case: the caller knows which case the file belongs to, this room does not.
    """
    return InvalidDataError(f"{path.name}: {message}", [Finding("error", None, rule, message, str(path))])


def remark(path: Path, rule: str, message: str) -> Finding:
    """A finding of severity `warning` about a file that is read all the same."""
    return Finding("warning", None, rule, message, str(path))
