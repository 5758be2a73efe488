"""A gate's report as people read it."""

from __future__ import annotations

from typing import Any

import click

from flaredb.cli import output

_COLUMNS = ["structure", "champion", "challenger", "difference", "interval", "decision", "evidence", "moved most"]
_NAMED = 3  # cases a structure


def show_gate(gate: dict[str, Any]) -> None:
    """Figures and decision of every structure with the cases that moved most, then the reasons.

    A report of an older version lacks what was not told then.
    """
    used = gate["used_before"]
    click.echo(f"gate on {gate['references']} cases, which had decided {used} time{'' if used == 1 else 's'} before")
    if rules := gate.get("rules"):
        told = f"gain {rules['gain']:+g}, slack {rules['slack']:+g}, floor {rules['floor']:g}, {rules['mode']}"
        click.echo(f"rules: {told}; figures are means of DSC and NSD over the cases that both have")
    rows = [{"structure": name, **row, "moved most": _moved(row)} for name, row in gate["structures"].items()]
    output.print_table(rows, _COLUMNS)
    for reason in gate["reasons"]:
        click.echo(f"  {reason}")


def _moved(row: dict[str, Any]) -> str | None:
    """`case before→after` of the first cases."""
    named = [
        f"{own['case']} {'-' if own['champion'] is None else format(own['champion'], '.2f')}→{own['challenger']:.2f}"
        for own in row.get("moved", [])[:_NAMED]
    ]
    return ", ".join(named) or None
