"""What goes to the terminal: data to stdout as a table or one JSON document, talk and progress to stderr."""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, is_dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from flaredb.errors import Finding
from flaredb.progress import Reporter

if TYPE_CHECKING:
    from flaredb.workflow.results import Imported, Result

T = TypeVar("T")
_SHOWN_FINDINGS = 20
_SHOWN_ITEMS = 6
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(\.\d+)?\+00:00")


def plain(value: Any) -> Any:
    """Anything as JSON types: named tuples and dataclasses as objects, times as ISO text."""
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if hasattr(value, "_asdict"):
        return plain(value._asdict())
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    return value.isoformat() if hasattr(value, "isoformat") else value


def print_what_can_be_shown() -> None:
    """From now on a letter that the terminal cannot show is printed as `?` instead of being a fault."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def print_json(value: Any) -> None:
    """One document on stdout; in ASCII, with escapes, where that is not UTF-8."""
    ascii_only = codecs.lookup(sys.stdout.encoding or "ascii").name != "utf-8"
    click.echo(json.dumps(plain(value), indent=1, ensure_ascii=ascii_only))


def print_table(rows: Sequence[dict[str, Any]], columns: Sequence[str] | None = None, exact: bool = False) -> None:
    """Rows as a table as wide as the terminal; `-` for None; moments in UTC to the second, or `exact` as they are."""
    from rich.console import Console
    from rich.table import Table

    if not rows:
        click.echo("nothing", err=True)
        return
    names = list(columns or rows[0])
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in names:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(_cell(row.get(name), exact) for name in names))
    console = Console(soft_wrap=not sys.stdout.isatty(), width=None if sys.stdout.isatty() else 160)
    console.print(table)


def print_csv(rows: Sequence[dict[str, Any]]) -> None:
    """Rows as comma-separated values with a header; nothing without rows."""
    writer = csv.DictWriter(sys.stdout, list(rows[0]) if rows else [], lineterminator="\n")
    if rows:
        writer.writeheader()
        writer.writerows(rows)


def print_findings(findings: Iterable[Finding]) -> None:
    """Findings on stderr, the first of many."""
    listed = list(findings)
    for finding in listed[:_SHOWN_FINDINGS]:
        where = " ".join(part for part in (finding.case, finding.path) if part)
        said = f"{where}: {finding.message}" if where else finding.message
        click.echo(f"{finding.severity}: {said} [{finding.rule}]", err=True)
    if len(listed) > _SHOWN_FINDINGS:
        click.echo(f"… and {len(listed) - _SHOWN_FINDINGS} more: flaredb finding list", err=True)


def print_result(result: Result | Imported) -> None:
    """Counts of a verb that changes things, or what it would do."""
    print_findings(result.findings)
    if result.would is not None and result.operation is None:
        click.echo("nothing was changed; this would be done:")
        _print_would(result.would, "  ")
        return
    click.echo(f"{result.added} added, {result.unchanged} unchanged, {result.failed} failed")
    _print_would(result.would or {}, "  ")


def _print_would(would: dict[str, Any], indent: str) -> None:
    """What would be done: lists as their length and their first items."""
    for key, value in would.items():
        if isinstance(value, dict):
            click.echo(f"{indent}{key}:")
            _print_would(value, indent + "  ")
        elif isinstance(value, list):
            first = " ".join(str(item) for item in value[:_SHOWN_ITEMS])
            click.echo(f"{indent}{key}: {len(value)}  {first}{' …' if len(value) > _SHOWN_ITEMS else ''}".rstrip())
        elif value is not None:
            click.echo(f"{indent}{key}: {value}")


class TerminalReporter(Reporter):
    """Progress bars with time left on a terminal, plain lines elsewhere."""

    def __init__(self, quiet: bool) -> None:
        self.quiet = quiet

    def track(self, items: Iterable[T], title: str, total: int) -> Iterator[T]:
        """A bar for what takes long; nothing when quiet or not on a terminal."""
        if self.quiet or not sys.stderr.isatty():
            yield from items
            return
        from rich.console import Console
        from rich.progress import Progress

        with Progress(console=Console(stderr=True), transient=True) as bars:
            yield from bars.track(items, total=total, description=title)

    def say(self, message: str) -> None:
        """A line on stderr."""
        if not self.quiet:
            click.echo(message, err=True)


def _cell(value: Any, exact: bool = False) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list | tuple):
        return " ".join(_cell(item, exact) for item in value)
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_cell(item, exact)}" for key, item in value.items())
    text = str(plain(value))
    return text if exact else _MOMENT.sub(r"\1 \2", text)
