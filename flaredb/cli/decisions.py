"""The commands that `source` and `label` share: accept, revoke or reject, withdraw, restore."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from flaredb.cli.options import App, example, names, pass_app, structures_option, why_option, yes_option

if TYPE_CHECKING:
    from flaredb.workflow.results import Result
    from flaredb.workspace import Workspace


def add_decisions(group: click.Group, thing: str, revoke: str, shown: str) -> None:
    """Give a group its four commands; `thing` is source or label, `shown` one for the examples."""

    def add(verb: str, event: str, text: str) -> None:
        @group.command(verb, help=text)
        @click.argument("name")
        @structures_option
        @why_option
        @pass_app
        def command(app: App, name: str, structures: str | None, why: str) -> None:
            with app.open() as workspace:
                app.result(_decide(workspace, thing, name, event, why, names(structures)))

        example(f'flaredb {thing} {verb} {shown} --structures liver --why "seen on 20 cases"')(command)

    add("accept", "accepted", f"Let a {thing} count.")
    add(revoke, "revoked", f"Let a {thing} no longer count.")
    add("restore", "restored", "Undo a withdrawal.")

    @group.command("withdraw", help=f"Hide a {thing} from use, after showing what descends from it.")
    @click.argument("name")
    @structures_option
    @why_option
    @yes_option
    @pass_app
    def withdraw(app: App, name: str, structures: str | None, why: str, yes: bool) -> None:
        from flaredb.workflow.label import sources

        verb = sources.withdraw_source if thing == "source" else sources.withdraw_label
        with app.open() as workspace:
            app.result(verb(workspace, name, why, names(structures), yes))

    example(f'flaredb {thing} withdraw {shown} --why "licence" --yes')(withdraw)


def _decide(
    workspace: Workspace, thing: str, name: str, event: Any, why: str, structures: Sequence[str] | None
) -> Result:
    from flaredb.workflow.label import sources

    verb = sources.decide_source if thing == "source" else sources.decide_label
    return verb(workspace, name, event, why, structures)
