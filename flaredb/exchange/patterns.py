"""Naming the case of a file: by a pattern such as `{case}/seg/{structure}.nii.gz`, or by a table of names."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from flaredb.errors import UsageError
from flaredb.exchange.casenames import case_name, stem
from flaredb.exchange.tables import read_sheet

_FIELD = re.compile(r"\{([^{}]*)\}")
_FIELDS = ("case", "structure", "anything")


class Parts(NamedTuple):
    """What a pattern reads from a path; empty where the pattern does not ask."""

    case: str
    structure: str


class Pattern:
    """A path with `{case}`, `{structure}` and `{anything}` in it, each standing for part of a name, never for a `/`.

    It holds for the end of a path as well, so that what lies in folders of folders is found. `structures` are names
    that `{structure}` may be: they decide where the case ends in `{case}_{structure}`. UsageError for what is none.
    """

    def __init__(self, text: str, structures: Iterable[str] = ()) -> None:
        fields = _FIELD.findall(text)
        unknown = [field for field in fields if field not in _FIELDS]
        if unknown or not fields or set("{}") & set(_FIELD.sub("", text)):
            shown = f"{{{unknown[0]}}} is unknown" if unknown else "it needs at least {case}"
            raise UsageError(f"--pattern {text!r}: {shown}; write {{case}}, {{structure}} and {{anything}}")
        self.text = text
        self.asks = frozenset(fields)
        names = "|".join(re.escape(name) for name in sorted(structures, key=len, reverse=True))
        self._ways = [_compiled(text, "[^/]+?", f"(?:{names})")] if names and "structure" in fields else []
        self._ways.append(_compiled(text, "[^/]+", "[^/]+?"))

    def read(self, path: PurePosixPath) -> Parts | None:
        """Case and structure of a path below the root; None if the pattern does not hold for it."""
        for way in self._ways:
            match = way.fullmatch(path.as_posix())
            if match:
                found = match.groupdict()
                return Parts(found.get("case") or "", found.get("structure") or "")
        return None


class NameTable:
    """A CSV with the columns `file` (or `name`) and `case`: path below the root, file name, or name without ending."""

    def __init__(self, path: Path) -> None:
        sheet = read_sheet(path, "case")
        column = next((name for name in ("file", "name", "path") if name in sheet.columns), None)
        if column is None:
            has = ",".join(sheet.columns)[:200]
            raise UsageError(f"--names {path.name}: needs the columns file,case; it has {has}")
        self.path = path
        self._cases = {row.get(column).replace("\\", "/").removeprefix("./"): row.get("case") for row in sheet.rows}
        twice = len(sheet.rows) - len(self._cases)
        if twice:
            raise UsageError(f"--names {path.name}: {twice} files stand twice in the column {column}")
        self._used: set[str] = set()

    def case_of(self, path: Path, below: PurePosixPath) -> str | None:
        """The case that the table gives a file; None if it does not name it."""
        for key in (below.as_posix(), path.name, stem(path), case_name(path)):
            if key in self._cases:
                self._used.add(key)
                return self._cases[key]
        return None

    @property
    def unused(self) -> list[str]:
        """Names in the table that no file bore."""
        return sorted(set(self._cases) - self._used)


def _compiled(text: str, case: str, structure: str) -> re.Pattern[str]:
    ways = {"case": case, "structure": structure, "anything": "[^/]*"}
    seen: set[str] = set()

    def group(match: re.Match[str]) -> str:
        name = match[1]
        if name == "anything":
            return ways[name]
        if name in seen:
            return f"(?P={name})"
        seen.add(name)
        return f"(?P<{name}>{ways[name]})"

    # split keeps what stands between the fields apart, to be taken literally
    parts = re.split(r"(\{[^{}]*\})", text.removeprefix("./"))
    body = "".join(_FIELD.sub(group, part) if part.startswith("{") else re.escape(part) for part in parts)
    return re.compile(f"(?:.*/)?{body}", re.DOTALL)
