"""What a gate decided and on what: its figures, and how far they can be trusted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flaredb.catalog import snapshots
from flaredb.catalog.database import Run
from flaredb.catalog.history import last_operation
from flaredb.catalog.rounds import Round
from flaredb.errors import Finding
from flaredb.workflow.evaluate.leaks import shortened
from flaredb.workflow.rounds.contests import PROTOCOL, Arena
from flaredb.workflow.rounds.gate import GateRules, judge
from flaredb.workspace import Workspace

_OFTEN = 5  # gates after which references have been learnt by choosing


def gate_report(workspace: Workspace, run: Run, turn: Round) -> tuple[dict[str, Any], tuple[Finding, ...]]:
    """Score champion and challenger on the frozen references and judge; the report, and what else is to be told.

    `references`: cases that can judge; `unpredicted`: those without a label of the round. `descend`: by side the
    references that a model behind it learnt from, which are left out. `blind`: models of which nothing tells all they
    learnt from. `used_before`: how many gates have decided by these references already, on any of the structures.
    `drawn_from`: by side the references that people made of labels of the very models, which they favour.
    `compared_at`: the last operation before the champions were looked up; who is accepted later was not compared.
    """
    with workspace.catalog.read() as connection:
        compared_at = last_operation(connection)
        frozen = snapshots.find(connection, turn.reference)
        arena = Arena(workspace, connection, turn, frozen)
    patients = {item.case: item.patient for item in frozen.items}
    rules = GateRules(**turn.settings.get("rules", {}))
    report = judge(arena.contests(run), patients, rules) | {
        "references": len(patients),
        "used_before": max(arena.used_before.values(), default=0),
        "unpredicted": arena.unpredicted,
        "descend": {side: sorted({case for _, case in pairs}) for side, pairs in arena.descend.items()},
        "drawn_from": {side: sorted(cases) for side, cases in arena.drawn_from.items()},
        "compared_at": compared_at,
        "blind": sorted(arena.blind),
        "rules": {**rules._asdict(), "mode": turn.settings["gate"]},
        "protocol": PROTOCOL,
    }
    findings = tuple(_doubts(report, turn))
    return report | {"reasons": [*report["reasons"], *(finding.message for finding in findings)]}, findings


def _doubts(report: dict[str, Any], turn: Round) -> Iterator[Finding]:
    """What makes the report's figures worth less."""
    if missing := report["unpredicted"]:
        message = f"{len(missing)} of {report['references']} references have no label of {turn.name}"
        yield Finding("warning", None, "missing-prediction", f"{message}: {shortened(missing)}")
    for side, cases in report["descend"].items():
        if cases:
            message = (
                f"{len(cases)} references do not judge the {side}, whose models learnt from them or their patients"
            )
            yield Finding("warning", None, "learnt-from", f"{message}: {shortened(cases)}")
    for side, cases in report["drawn_from"].items():
        if cases:
            message = f"{len(cases)} references were made of labels of the {side} or its models, and favour it"
            yield Finding("warning", None, "drawn-from-prediction", f"{message}: {shortened(cases)}")
    if blind := report["blind"]:
        message = (
            f"nothing tells all the cases that {' '.join(blind)} learnt from; the gate of {turn.name} may be unfair"
        )
        yield Finding("warning", None, "training-cases-unknown", message)
    config = turn.settings["config"]
    if config.get("publish") == "best" and config.get("validate_every"):
        message = f"{turn.name} took its best weights by these very references; what they say of it is too good"
        yield Finding("warning", None, "chosen-by-references", message)
    if report["used_before"] >= _OFTEN:
        message = f"these references have decided {report['used_before']} times before; what passes may only fit them"
        yield Finding("info", None, "references-used", message)
