"""Which label is current for each structure of a case, or was, and why."""

from __future__ import annotations

from typing import Any

from flaredb.catalog import cases, current, explain
from flaredb.catalog.standing import policy_in_force
from flaredb.labels.policy import Current, decide
from flaredb.workflow.provenance.moments import moment
from flaredb.workspace import Workspace


def label_current(
    workspace: Workspace, case: str | None = None, as_of: str | None = None, turn: str | None = None
) -> list[dict[str, Any]]:
    """One row a case and structure, now or at a moment of the past (`moments.moment`).

    `label` is None where nothing wins: nobody speaks about the structure, or nobody says where it is absent.
    """
    with workspace.catalog.read() as connection:
        when = moment(connection, as_of, turn)
        names = cases.names(connection) if case is None else [cases.find(connection, case).name]
        found = current.now(connection, None if case is None else names, when)
        silences = current.silences(connection, names, when)
    return [row for name in names for row in _rows(workspace, name, found.get(name, []), silences)]


def label_explain(
    workspace: Workspace, case: str, as_of: str | None = None, turn: str | None = None
) -> list[dict[str, Any]]:
    """Every candidate of every structure with its outcome and the reason, now or at a moment of the past."""
    with workspace.catalog.read() as connection:
        when = moment(connection, as_of, turn)
        name = cases.find(connection, case).name
        _, policy = policy_in_force(connection, when)
        candidates = explain.of_case(connection, name, when)
        supersedes = explain.supersedes(connection, when)
    decisions = [decide(s, candidates.get(s, []), policy, supersedes) for s in workspace.structures.names]
    return [
        {
            "structure": decision.structure,
            "winner": decision.winner.label if decision.winner else None,
            "candidates": [
                {
                    "label": verdict.candidate.label,
                    "source": verdict.candidate.source,
                    "kind": verdict.candidate.kind,
                    "outcome": verdict.outcome,
                    "reason": verdict.reason,
                }
                for verdict in decision.verdicts
            ],
        }
        for decision in decisions
    ]


def _rows(
    workspace: Workspace, case: str, found: list[Current], silences: dict[tuple[str, str], str]
) -> list[dict[str, Any]]:
    spoken = {each.structure: each for each in found}
    silent = {
        name: Current(name, None, (), silences.get((case, name), current.SILENT)) for name in workspace.structures.names
    }
    return [_row(case, spoken.get(name, silent[name])) for name in workspace.structures.names]


def _row(case: str, each: Current) -> dict[str, Any]:
    voice = each.winner
    return {
        "case": case,
        "structure": each.structure,
        "label": voice.label if voice else None,
        "source": voice.source if voice else None,
        "kind": voice.kind if voice else None,
        "exhaustive": voice is not None,
        "contributors": [other.label for other in each.contributors],
        "reason": each.reason,
    }
