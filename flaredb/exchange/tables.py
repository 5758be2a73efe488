"""Reading tables people write: CSV with a header, checked before anything is made of it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from flaredb.errors import Finding, InvalidDataError, NotFoundError
from flaredb.exchange.casenames import is_case_name


class Row(NamedTuple):
    """A row by column, cells stripped; a column the table lacks reads as empty through `get`.

    `surplus` is true if the row has more cells than the header, as when a list was written with commas.
    """

    number: int
    cells: dict[str, str]
    surplus: bool

    def get(self, column: str) -> str:
        """A cell, empty if there is none."""
        return self.cells.get(column, "")


class Sheet(NamedTuple):
    """A table's columns and its rows that are not empty; row 1 is the first after the header."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def read_sheet(path: Path, *required: str) -> Sheet:
    """Read a CSV file in UTF-8, with or without a byte order mark.

    InvalidDataError if it is no text, a column stands twice, a required one is missing or there is no row.
    """
    if not path.is_file():
        raise NotFoundError(f"{path}: no such file")
    try:
        text = path.read_bytes().decode("utf-8-sig")
        lines = list(csv.reader(io.StringIO(text, newline="")))
    except (UnicodeDecodeError, csv.Error) as error:
        raise InvalidDataError(f"{path.name}: not a CSV file in UTF-8: {error}") from error
    if "\0" in text:
        raise InvalidDataError(f"{path.name}: not a CSV file: it holds zero bytes")
    columns = tuple(cell.strip() for cell in lines[0]) if lines else ()
    _check_columns(path, columns, required)
    rows = [_row(number, columns, cells) for number, cells in enumerate(lines[1:], start=1) if any(_strip(cells))]
    if not rows:
        raise InvalidDataError(f"{path.name}: no row under the header")
    return Sheet(columns, tuple(rows))


def refused_row(path: Path, row: Row, name: str, error: InvalidDataError) -> Finding:
    """The finding on a row that is left out; it names the row's case if that can be a name."""
    rule, message = (error.findings[0].rule, error.findings[0].message) if error.findings else ("bad-row", str(error))
    return Finding("error", name if is_case_name(name) else None, rule, f"row {row.number}: {message}", path.name)


def _check_columns(path: Path, columns: tuple[str, ...], required: tuple[str, ...]) -> None:
    missing = [name for name in required if name not in columns]
    if missing:
        there = f"; it has: {', '.join(columns)[:200]}" if any(columns) else ""
        raise InvalidDataError(f"{path.name}: needs the columns {','.join(required)}{there}")
    twice = [name for name in columns if name and columns.count(name) > 1]
    if twice:
        raise InvalidDataError(f"{path.name}: the column {twice[0]} stands twice")


def _row(number: int, columns: tuple[str, ...], cells: list[str]) -> Row:
    stripped = _strip(cells)
    return Row(number, dict(zip(columns, stripped, strict=False)), any(stripped[len(columns) :]))


def _strip(cells: Iterable[str]) -> list[str]:
    return [cell.strip() for cell in cells]
