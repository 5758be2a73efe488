"""Sources."""

from __future__ import annotations

from typing import Any

import click

from flaredb.cli.options import App, example, names, pass_app, structures_option, why_option


@click.group()
def source() -> None:
    """Sources: who made a family of labels."""


@example("flaredb source list")
@source.command("list")
@pass_app
def source_list(app: App) -> None:
    """List sources with their kind and number of labels."""
    from flaredb.catalog import labels

    with app.open() as workspace, workspace.catalog.read() as connection:
        app.rows(labels.sources(connection))


def _event(verb: str, event: str, text: str) -> Any:
    @source.command(verb, help=text)
    @click.argument("name")
    @structures_option
    @why_option
    @pass_app
    def command(app: App, name: str, structures: str | None, why: str) -> None:
        from flaredb.workflow.sources import decide_source

        with app.open() as workspace:
            app.result(decide_source(workspace, name, event, why, names(structures)))  # type: ignore[arg-type]

    return example(f'flaredb source {verb} aladdin5 --structures liver --why "seen on 20 cases"')(command)


_event("accept", "accepted", "Let a source's labels count.")
_event("revoke", "revoked", "Let a source's labels no longer count.")
_event("withdraw", "withdrawn", "Hide a source's labels from use; undo with restore.")
_event("restore", "restored", "Undo a withdrawal.")

COMMANDS = (source,)
