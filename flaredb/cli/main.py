"""The program: its global options, its commands, and errors turned into exit codes."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

import click

from flaredb.cli import (
    admin,
    case,
    demo,
    export,
    ingest,
    label,
    model,
    policy,
    predict,
    review,
    rounds,
    schedule,
    score,
    source,
    train,
    upkeep,
)
from flaredb.cli.options import App
from flaredb.cli.output import print_findings, print_json, print_what_can_be_shown
from flaredb.errors import FlareError, InvalidDataError
from flaredb.version import __version__

OUR_BUG = 70
INTERRUPTED = 130


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__)
@click.option("-w", "--workspace", metavar="DIR", help="Workspace; else FLAREDB_WORKSPACE, else the nearest upward.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option("-q", "--quiet", is_flag=True, help="No progress and no talk.")
@click.option("--debug", is_flag=True, help="Show tracebacks.")
@click.option("--by", "actor", metavar="NAME", help="Who does this; else the login name.")
@click.pass_context
def cli(
    context: click.Context, workspace: str | None, as_json: bool, quiet: bool, debug: bool, actor: str | None
) -> None:
    """Keep scans, label versions, training sets, models and promotions of a segmentation project.

    A workspace is a folder. Start with `flaredb init DIR`, or see everything at work: `flaredb demo`.
    """
    context.obj = App(workspace, as_json, quiet, actor)


for module in (
    admin,
    ingest,
    case,
    source,
    label,
    policy,
    review,
    train,
    model,
    predict,
    score,
    rounds,
    schedule,
    export,
    demo,
    upkeep,
):
    for command in module.COMMANDS:
        cli.add_command(command)


def main() -> NoReturn:
    """Run the program and exit."""
    debug = "--debug" in sys.argv
    as_json = "--json" in sys.argv
    print_what_can_be_shown()
    schedule.end_with_scheduler()
    try:
        cli(standalone_mode=False)
        code = 0
    except click.exceptions.Exit as leave:
        code = leave.exit_code
    except click.ClickException as error:
        if as_json:
            print_json({"error": error.format_message(), "findings": []})
        error.show()
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted; the same command again goes on where this one stopped", err=True)
        code = INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except FlareError as error:
        if debug:
            raise
        code = _refuse(error, as_json)
    except Exception as error:
        if debug:
            raise
        click.echo(f"a fault in flaredb: {type(error).__name__}: {error}; --debug shows where", err=True)
        code = OUR_BUG
    sys.exit(code)


def _refuse(error: FlareError, as_json: bool) -> int:
    findings = error.findings if isinstance(error, InvalidDataError) else ()
    if as_json:
        print_json({"error": str(error), "findings": findings})
    print_findings(findings)
    click.echo(f"flaredb: {error}", err=True)
    return error.exit_code
