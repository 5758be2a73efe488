"""The policy: which label counts."""

from __future__ import annotations

from pathlib import Path

import click

from flaredb.cli.options import FILE, App, example, pass_app, why_option


@click.group()
def policy() -> None:
    """The policy: which label of a structure is current when there are several."""


@example("flaredb policy show")
@policy.command("show")
@click.option("--as-of", metavar="DATE|OPERATION", help="As it was at the end of that day, or operation.")
@pass_app
def policy_show(app: App, as_of: str | None) -> None:
    """Show the policy in force and when it changed."""
    from flaredb.workflow.label.policy import policy_show

    with app.open() as workspace:
        app.document(policy_show(workspace, as_of))


@example("flaredb policy diff policy.toml")
@policy.command("diff")
@click.argument("file", metavar="FILE.toml", type=FILE)
@pass_app
def policy_diff(app: App, file: Path) -> None:
    """Show how many winners a policy would change, from which source to which."""
    from flaredb.workflow.label.policy import policy_diff

    with app.open() as workspace:
        found = policy_diff(workspace, file)
    if app.as_json:
        app.document(found)
    else:
        app.rows(found["moves"])
        click.echo(f"{found['changed']} winners would change")


@example('flaredb policy apply policy.toml --why "aladdin5 before blackbean"')
@policy.command("apply")
@click.argument("file", metavar="FILE.toml", type=FILE)
@why_option
@pass_app
def policy_apply(app: App, file: Path, why: str) -> None:
    """Put a policy in force: sources in order of preference, reliability thresholds, require_score."""
    from flaredb.workflow.label.policy import policy_apply

    with app.open() as workspace:
        app.result(policy_apply(workspace, file, why))


COMMANDS = (policy,)
