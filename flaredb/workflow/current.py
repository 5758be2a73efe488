"""Which label is current for each structure of a case, and why."""

from __future__ import annotations

from typing import Any

from flaredb.catalog import cases
from flaredb.labels.policy import Candidate, Decision
from flaredb.workspace import Workspace


def label_current(workspace: Workspace, case: str | None = None) -> list[dict[str, Any]]:
    """One row a case and structure; `label` is None where nobody speaks about the structure."""
    return [_row(name, decision) for name, decisions in _decisions(workspace, case).items() for decision in decisions]


def label_explain(workspace: Workspace, case: str) -> list[dict[str, Any]]:
    """Every candidate of every structure with its outcome and the reason."""
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
        for decision in _decisions(workspace, case)[case]
    ]


def _decisions(workspace: Workspace, case: str | None) -> dict[str, list[Decision]]:
    with workspace.catalog.read() as connection:
        if case is None:
            names = [known.name for known in cases.every(connection)]
        else:
            names = [cases.find(connection, case).name]
        found = workspace.decisions(connection, None if case is None else names)
    silent = [Decision(structure, None, (), ()) for structure in workspace.structures.names]
    return {name: found.get(name, silent) for name in names}


def _row(case: str, decision: Decision) -> dict[str, Any]:
    winner = decision.winner
    return {
        "case": case,
        "structure": decision.structure,
        "label": winner.label if winner else None,
        "source": winner.source if winner else None,
        "kind": winner.kind if winner else None,
        "exhaustive": winner is not None,
        "contributors": [candidate.label for candidate in decision.contributors],
        "reason": _reason(decision, winner),
    }


def _reason(decision: Decision, winner: Candidate | None) -> str:
    if winner:
        return next(v.reason for v in decision.verdicts if v.outcome == "won")
    if decision.contributors:
        return "no label says where it is absent; what is marked is known"
    return "no candidate is left" if decision.verdicts else "no label speaks about it"
