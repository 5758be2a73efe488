"""Write docs/commands.md from the program's own help: python docs/make_commands.py."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from flaredb.cli.main import cli

TARGET = Path(__file__).with_name("commands.md")


def leaves(command: click.Command, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command that does something, by its words."""
    if isinstance(command, click.Group):
        for name in sorted(command.commands):
            yield from leaves(command.commands[name], (*path, name))
    else:
        yield path, command


def reference() -> str:
    """The page: the global options, then every command's help."""
    with click.Context(cli, info_name="flaredb", terminal_width=100, **cli.context_settings) as root:
        parts = ["# Commands\n\nWritten from `--help`; do not edit.\n", f"```\n{cli.get_help(root)}\n```\n"]
    for path, command in leaves(cli, ("flaredb",)):
        name = " ".join(path)
        with click.Context(
            command, info_name=name, max_content_width=100, terminal_width=100, help_option_names=["-h", "--help"]
        ) as context:
            parts.append(f"## {name}\n\n```\n{command.get_help(context)}\n```\n")
    return "\n".join(parts)


if __name__ == "__main__":
    TARGET.write_text(reference(), encoding="utf-8")
