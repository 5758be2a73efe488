"""Labels."""

from __future__ import annotations

from typing import Any

import click

from flaredb.cli.options import App, example, names, pass_app, structures_option, why_option


@click.group()
def label() -> None:
    """Labels: versions of what is known of a case, and which of them is current."""


@example("flaredb label list FLARE23_0042")
@label.command("list")
@click.argument("case")
@pass_app
def label_list(app: App, case: str) -> None:
    """List the labels of a case."""
    from flaredb.catalog import cases, labels

    with app.open() as workspace, workspace.catalog.read() as connection:
        cases.find(connection, case)
        found = labels.of_case(connection, case)
    app.rows(
        [
            {"name": item.name, "kind": item.kind, "annotated": list(item.annotated), "created": item.annotated_at}
            for item in found
        ]
    )


@example("flaredb label show FLARE23_0042@aladdin5@1")
@label.command("show")
@click.argument("name")
@pass_app
def label_show(app: App, name: str) -> None:
    """Show a label: what it annotates, what its codes mean, where it came from."""
    from flaredb.catalog import labels

    with app.open() as workspace, workspace.catalog.read() as connection:
        found = labels.find(connection, name)
    app.document(
        {
            "name": found.name,
            "kind": found.kind,
            "volume": found.volume,
            "annotated_at": found.annotated_at,
            "annotated": {k: "exhaustive" if m.exhaustive else "positive-only" for k, m in found.annotated.items()},
            "codes": {code: sorted(meant) for code, meant in found.codes.meanings},
            "mapping": found.codes.name,
            "file": found.space,
            "model": found.model,
        }
    )


@example("flaredb label current FLARE23_0042")
@label.command("current")
@click.argument("case", required=False)
@pass_app
def label_current(app: App, case: str | None) -> None:
    """Show which label is current for each structure."""
    from flaredb.workflow.current import label_current

    with app.open() as workspace:
        app.rows(label_current(workspace, case), ["case", "structure", "label", "kind", "contributors", "reason"])


@example("flaredb label explain FLARE23_0042")
@label.command("explain")
@click.argument("case")
@pass_app
def label_explain(app: App, case: str) -> None:
    """Show every candidate of every structure, its outcome and why."""
    from flaredb.workflow.current import label_explain

    with app.open() as workspace:
        found = label_explain(workspace, case)
    if app.as_json:
        app.rows(found)
    else:
        app.rows([{"structure": row["structure"], **item} for row in found for item in row["candidates"]])


def _event(verb: str, event: str, text: str) -> Any:
    @label.command(verb, help=text)
    @click.argument("name")
    @structures_option
    @why_option
    @pass_app
    def command(app: App, name: str, structures: str | None, why: str) -> None:
        from flaredb.workflow.sources import decide_label

        with app.open() as workspace:
            app.result(decide_label(workspace, name, event, why, names(structures)))  # type: ignore[arg-type]

    return example(f'flaredb label {verb} FLARE23_0042@aladdin5@1 --structures liver --why "dome cut off"')(command)


_event("accept", "accepted", "Let one label count, whatever its source.")
_event("reject", "revoked", "Let one label not count, whatever its source.")
_event("withdraw", "withdrawn", "Hide one label from use; undo with restore.")
_event("restore", "restored", "Undo a withdrawal.")

COMMANDS = (label,)
