"""What is known of models: what they learnt from, how well they did, and what has since happened to that."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import fmean
from typing import Any

from flaredb.catalog import holdings, model_scores, models, rounds, snapshots
from flaredb.catalog.database import Connection
from flaredb.catalog.models import FOREIGN, Model
from flaredb.errors import NotFoundError
from flaredb.trainers.package import DOCUMENT
from flaredb.workflow.provenance.taint import distrusted
from flaredb.workspace import Workspace

_LAST = 100  # steps whose mean loss is called the last

Scores = list[dict[str, Any]]


def model_list(workspace: Workspace) -> list[dict[str, Any]]:
    """Every model, oldest first.

    `dsc`: mean over structures on the validation split, or of the scores that it came with. `gate`: what became of its
    round. `tainted`: it descends from labels that are withdrawn now. `lost`: items of its snapshot that a purge took.
    """
    with workspace.catalog.read() as connection:
        found = models.every(connection)
        turns = holdings.rounds_of_models(connection)
        states = {turn.name: turn.state for turn in rounds.every(connection)}
        means = model_scores.means(connection)
        guilty = distrusted(connection).models
        lost = {row["name"]: row["lost"] for row in snapshots.every(connection)}
    return [
        {
            "name": model.name,
            "task": model.task,
            "round": turns.get(model.name),
            "origin": model.origin,
            "state": model.state,
            "steps": model.steps,
            "snapshot": model.snapshot or None,
            "parent": model.parent,
            "dsc": _dsc(means.get(model.id, [])),
            "gate": states.get(turns.get(model.name, "")),
            "tainted": model.id in guilty,
            "lost": lost.get(model.snapshot, 0),
        }
        for model in found
    ]


def model_show(workspace: Workspace, name: str) -> dict[str, Any]:
    """A model's record, with its snapshot, ancestors, losses, scores and gate."""
    with workspace.catalog.read() as connection:
        model = models.find(connection, name)
        turn = holdings.rounds_of_models(connection).get(model.name)
        gate = _gate(connection, turn)
        scores = model_scores.means(connection, model.id).get(model.id, [])
        tainted = model.id in distrusted(connection).models
        cases = models.cases_of(connection, model.id)
        parents = _parents(connection, model)
        snapshot = _snapshot(connection, model)
    return {
        "name": model.name,
        "task": model.task,
        "structures": list(model.structures),
        "origin": model.origin,
        "state": model.state,
        "round": turn,
        "created": model.created.isoformat(),
        "steps": model.steps,
        "seed": model.seed,
        "snapshot": model.snapshot or None,
        "learnt_from": snapshot,
        "training_cases": cases,
        "parent": model.parent,
        "parents": parents,
        "tainted": tainted,
        "checkpoint": model.checkpoint,
        "losses": summary_of(losses_of(workspace, model)),
        "scores": scores,
        "gate": gate,
        "config": model.config,
        "code_version": model.code_version,
        "environment": model.environment,
        "provenance": model.provenance,
    }


def losses_of(workspace: Workspace, model: Model) -> list[float]:
    """The loss of every step, as far as it was kept."""
    folder = workspace.model_folder(model.name)
    stages = sorted(path for path in folder.glob("checkpoints/step-*/progress.json") if path.parent.suffix != ".part")
    if model.origin == FOREIGN:
        return []
    path = folder / DOCUMENT if model.origin == "imported" else stages[-1] if stages else Path()
    try:
        return [float(loss) for loss in json.loads(path.read_text(encoding="utf-8"))["losses"]]
    except (OSError, ValueError, KeyError, TypeError):  # gone or damaged: fsck tells, and nothing here rests on it
        return []


def summary_of(losses: list[float]) -> dict[str, Any] | None:
    """First loss, mean of the last hundred, and the least; None where none was kept."""
    if not losses:
        return None
    return {"steps": len(losses), "first": losses[0], "last": fmean(losses[-_LAST:]), "least": min(losses)}


def _dsc(scores: Scores) -> float | None:
    """Mean DSC over structures: of the labels it made on the validation split, else of the scores it came with."""
    own = [row for row in scores if row["metric"] == "dsc"]
    made = [row["mean"] for row in own if row["source"] and row["split"] == "validation"]
    came = [row["mean"] for row in own if not row["source"]]
    return round(fmean(made or came), 4) if made or came else None


def _gate(connection: Connection, turn: str | None) -> dict[str, Any] | None:
    """What the gate said to the model's round, and what became of the round."""
    if turn is None:
        return None
    found = rounds.find(connection, turn)
    reports = [event.report for event in rounds.events(connection, found) if event.report]
    judged = [report for report in reports if "structures" in report]
    return {"round": turn, "state": found.state, "report": judged[-1] if judged else None}


def _parents(connection: Connection, model: Model) -> list[str]:
    """The models it started from, the nearest first."""
    found: list[str] = []
    while model.parent and model.parent not in found:
        found.append(model.parent)
        model = models.find(connection, model.parent)
    return found


def _snapshot(connection: Connection, model: Model) -> dict[str, Any] | None:
    """What the model's snapshot holds now, and what a purge took of it."""
    try:
        found = snapshots.find(connection, model.snapshot) if model.snapshot else None
    except NotFoundError:
        found = None
    if found is None:
        return None
    sources: dict[tuple[str, str], int] = {}
    known: dict[str, set[str]] = {}
    for item in found.items:
        key = (item.label.source, item.label.kind)
        sources[key] = sources.get(key, 0) + 1
        for name in item.structures if item.role == "won" else ():
            known.setdefault(name, set()).add(item.case)
    return {
        "name": found.name,
        "digest": found.digest,
        "cases": len(found.cases),
        "items": len(found.items),
        "lost": snapshots.lost(connection, found.id),
        "sources": [{"source": s, "kind": kind, "labels": n} for (s, kind), n in sorted(sources.items())],
        "structures": {name: len(known.get(name, ())) for name in found.structures},
    }
