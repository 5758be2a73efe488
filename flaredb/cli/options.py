"""The program's global options, options that several commands share, and how a command opens its workspace."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flaredb.cli import output

if TYPE_CHECKING:
    from flaredb.workflow.results import Imported, Result
    from flaredb.workspace import Workspace

FILE = click.Path(path_type=Path)


class App:
    """What the global options said; every command gets it."""

    def __init__(self, workspace: str | None, as_json: bool, quiet: bool, actor: str | None) -> None:
        self.folder = workspace
        self.as_json = as_json
        self.quiet = quiet
        self.actor = actor

    def open(self, check: bool = True) -> Workspace:
        """Open the workspace that the options, the environment or the folder name, if its schema is this version's."""
        from flaredb.workspace import Workspace

        return self.prepare(Workspace.open(self.locate(), check))

    def locate(self) -> Path:
        """The workspace's folder."""
        from flaredb.workspace import Workspace

        return Workspace.locate(self.folder, Path.cwd())

    def prepare(self, workspace: Workspace) -> Workspace:
        """Give a workspace this program's progress bars and actor."""
        workspace.reporter = output.TerminalReporter(self.quiet)
        workspace.actor = self.actor
        return workspace

    def rows(self, rows: Sequence[Any], columns: Sequence[str] | None = None) -> None:
        """Print a listing."""
        if self.as_json:
            output.print_json(rows)
        else:
            output.print_table([output.plain(row) for row in rows], columns)

    def document(self, value: Any, show: Callable[[], None] | None = None) -> None:
        """Print one thing: as JSON, or as `show` does, or field by field."""
        if self.as_json:
            output.print_json(value)
        elif show:
            show()
        else:
            fields = output.plain(value)
            output.print_table([{"field": key, "value": fields[key]} for key in fields])

    def result(self, result: Result | Imported, failed: int = 1) -> None:
        """Print what a verb did; exit 1 if items failed, or with the code that says why."""
        if self.as_json:
            output.print_json(result)
        else:
            output.print_result(result)
        if result.failed:
            raise SystemExit(failed)


pass_app = click.make_pass_decorator(App)


def structures_option(command: Any) -> Any:
    """`--structures liver,spleen`."""
    return click.option("--structures", metavar="A,B", help="Only these structures.")(command)


def why_option(command: Any) -> Any:
    """`--why`, kept with the event."""
    return click.option("--why", required=True, help="The reason; it is kept.")(command)


def yes_option(command: Any) -> Any:
    """`--yes`, for what is far-reaching: without it the command only shows what it would do."""
    return click.option("--yes", is_flag=True, help="Do it; without, only say what would be done.")(command)


def moment_options(command: Any) -> Any:
    """`--as-of` and `--round`: look at the past."""
    command = click.option("--round", "turn", metavar="TASK/N", help="What this round trained from.")(command)
    return click.option("--as-of", metavar="DATE|OPERATION", help="As it was at the end of that day, or operation.")(
        command
    )


def where_option(command: Any) -> Any:
    """`--where SQL` on `case_facts`."""
    return click.option("--where", metavar="SQL", help="Only cases for which this holds, on the view case_facts.")(
        command
    )


def names(text: str | None) -> list[str] | None:
    """`a,b` as a list; None for nothing."""
    return text.replace(",", " ").split() if text else None


def settings(pairs: Sequence[str]) -> dict[str, str]:
    """`key=value` options as a dictionary."""
    for pair in pairs:
        if "=" not in pair:
            raise click.BadParameter(f"{pair!r} is not key=value")
    return dict(pair.split("=", 1) for pair in pairs)


def example(text: str) -> Callable[[Any], Any]:
    """End a command's help with an example."""

    def attach(command: Any) -> Any:
        command.epilog = f"Example: {text}"
        return command

    return attach
