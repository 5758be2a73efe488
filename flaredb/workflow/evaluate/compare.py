"""Two models, sources, rounds or snapshots beside each other: settings, data, and how the scores moved, case by case.

Scores are paired: the same references, the same structures, and only cases that both have labelled. A change is the
second less the first; its interval resamples patients.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from flaredb.catalog import cases, labels, models, rounds, snapshots
from flaredb.catalog.database import Connection
from flaredb.catalog.models import Model
from flaredb.errors import NotFoundError
from flaredb.metrics import Score, mean_interval
from flaredb.workflow.evaluate.labels import Pair, find_references, score_pairs
from flaredb.workflow.evaluate.leaks import unfair
from flaredb.workflow.snapshot.diff import snapshot_diff
from flaredb.workspace import Workspace

MOST_MOVED = 10
_RUN = ("seed", "steps", "code_version", "parent", "task", "origin")


class Side(NamedTuple):
    """One of the two: what it is, and the source, model and snapshot that belong to it; None where there is none."""

    name: str
    type: str
    source: str | None
    model: str | None
    snapshot: str | None


class Comparison(NamedTuple):
    """What differs between two sides.

    `settings`: those that differ, null without two models. `data`: how the second snapshot differs from the first, null
    without two. `structures`: means of both over the paired cases, change and 95 % interval. `moved`: the cases whose
    figure (mean of DSC and NSD over the structures) moved most, with the structure that did. `notes`: why something is
    not told.
    """

    first: Side
    second: Side
    settings: list[dict[str, Any]] | None
    data: dict[str, Any] | None
    protocol: str
    split: str
    cases: int
    structures: dict[str, dict[str, Any]]
    moved: list[dict[str, Any]]
    notes: list[str]


Scores = dict[str, dict[str, Score]]


def compare(
    workspace: Workspace, first: str, second: str, protocol: str = "flare23", split: str = "validation"
) -> Comparison:
    """Compare two models, sources, rounds or snapshots by name; NotFoundError for a name that is none of these."""
    with workspace.catalog.read() as connection:
        sides = [_side(workspace, connection, name) for name in (first, second)]
        found = [models.find(connection, side.model) if side.model else None for side in sides]
        patients = {case.name: case.patient for case in cases.every(connection, split) if not case.excluded}
        pairs, learnt = _pairs(workspace, connection, sides, sorted(patients), split)
    held = [side.snapshot for side in sides if side.snapshot]
    notes = [f"{side.name} has no labels to score" for side in sides if side.source is None]
    if len(held) < 2:
        notes.append("no data to compare: not both are made from a snapshot")
    if learnt:
        notes.append(f"{learnt} {split} cases are left out: a model behind one of the sides learnt from their patients")
    if pairs is not None and not pairs[0]:
        notes.append(f"no {split} case has a label of both and a reference")
    scores: list[Scores] = [{}, {}]
    if pairs is not None and pairs[0]:
        with workspace.run("compare", first=first, second=second, protocol=protocol, split=split) as run:
            scores = [score_pairs(workspace, run, own, protocol) for own in pairs]
    paired = _paired(scores[0], scores[1])
    return Comparison(
        sides[0],
        sides[1],
        _settings(found[0], found[1]),
        snapshot_diff(workspace, held[0], held[1]) if len(held) > 1 else None,
        protocol,
        split,
        len({case for case, _ in paired}),
        {name: _change(name, paired, patients) for name in workspace.structures.names if _has(name, paired)},
        _moved(paired),
        notes,
    )


def _side(workspace: Workspace, connection: Connection, name: str) -> Side:
    """What a name is of; a round before its source, because that knows more."""
    known = {source["name"] for source in labels.sources(connection)}
    turn = next((turn for turn in rounds.every(connection) if turn.name == name), None)
    if turn:
        return Side(name, "round", turn.name if turn.name in known else None, turn.model, turn.snapshot)
    if name in known:
        model = _only(workspace, "model", "source", name)
        return Side(name, "source", name, model, models.find(connection, model).snapshot or None if model else None)
    if name.startswith("s-"):
        return Side(snapshots.find(connection, name).name, "snapshot", None, None, name)
    try:
        found = models.find(connection, name)
    except NotFoundError as error:
        message = f"no model, source, round or snapshot {name!r}; sources: {' '.join(sorted(known)) or 'none'}"
        raise NotFoundError(message) from error
    return Side(
        found.name, "model", _only(workspace, "source", "model", found.name), found.name, found.snapshot or None
    )


def _only(workspace: Workspace, wanted: str, column: str, name: str) -> str | None:
    """The model that made a source's labels, or the newest source of a model's; None where there is none."""
    query = f"SELECT {wanted} AS found, max(created) AS last FROM label_provenance WHERE {column} = :name"  # noqa: S608
    rows = workspace.sql(f"{query} AND {wanted} IS NOT NULL GROUP BY {wanted} ORDER BY last", name=name)
    return str(rows[-1]["found"]) if rows else None


def _pairs(
    workspace: Workspace, connection: Connection, sides: Sequence[Side], names: Sequence[str], split: str
) -> tuple[list[list[Pair]] | None, int]:
    """What each side is scored on: the references of cases that both have labelled; None if a side has no labels.

    Of a split that judges, cases that a model behind either side learnt from are left out, and counted.
    """
    if any(side.source is None for side in sides):
        return None, 0
    own = [{label.case: label for label in labels.of_source(connection, side.source or "")} for side in sides]
    both = [name for name in names if name in own[0] and name in own[1]]
    barred = frozenset() if split == "train" else unfair(connection, [one[name] for one in own for name in both])
    fair = [name for name in both if not any(one[name].id in barred for one in own)]
    truth = find_references(workspace, connection, fair, None)
    pairs = [[(labelled[case], reference, wanted) for case, reference, wanted in truth] for labelled in own]
    return pairs, len(both) - len(fair)


def _settings(first: Model | None, second: Model | None) -> list[dict[str, Any]] | None:
    """Settings that differ, the network's first."""
    if first is None or second is None:
        return None
    one, two = ({**model.config, **{key: getattr(model, key) for key in _RUN}} for model in (first, second))
    return [
        {"setting": key, "first": one.get(key), "second": two.get(key)}
        for key in dict.fromkeys([*one, *two])
        if one.get(key) != two.get(key)
    ]


Paired = dict[tuple[str, str], tuple[Score, Score]]
"""(Case, structure) → scores of the first and the second."""


def _paired(first: Scores, second: Scores) -> Paired:
    return {
        (case, name): (score, second[case][name])
        for case, own in first.items()
        for name, score in own.items()
        if name in second.get(case, {})
    }


def _has(name: str, paired: Paired) -> bool:
    return any(structure == name for _, structure in paired)


def _change(name: str, paired: Paired, patients: dict[str, str]) -> dict[str, Any]:
    """Means of both, and of the changes, of one structure."""
    own = [(patients[case], both) for (case, structure), both in paired.items() if structure == name]
    owners = [patient for patient, _ in own]
    row: dict[str, Any] = {"n": len(own), "first": {}, "second": {}}
    for metric in ("dsc", "nsd"):
        one, two = (np.array([getattr(both[side], metric) for _, both in own]) for side in (0, 1))
        interval = mean_interval(two - one, owners)
        row["first"][metric], row["second"][metric] = _rounded(one.mean()), _rounded(two.mean())
        row[metric] = _rounded((two - one).mean())
        row[f"{metric}_interval"] = None if interval is None else [_rounded(end) for end in interval]
    return row


def _moved(paired: Paired) -> list[dict[str, Any]]:
    """The cases that moved most, whichever way."""
    changes: dict[str, dict[str, float]] = defaultdict(dict)
    for (case, name), (one, two) in paired.items():
        changes[case][name] = (two.dsc + two.nsd - one.dsc - one.nsd) / 2
    means = {case: float(np.mean(list(own.values()))) for case, own in changes.items()}
    rows = []
    for case in sorted(means, key=lambda case: (-abs(means[case]), case)):
        most, change = max(changes[case].items(), key=lambda item: abs(item[1]))
        if change:
            row = {"change": _rounded(means[case]), "structure": most, "structure_change": _rounded(change)}
            rows.append({"case": case, **row})
    return rows[:MOST_MOVED]


def _rounded(value: float) -> float:
    return round(float(value), 4)
