"""No model is judged on patients it learnt from, whether it was trained here or came from elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from flaredb.catalog import cases, lineage, models, snapshots
from flaredb.catalog.database import Connection
from flaredb.catalog.labels import Label
from flaredb.catalog.models import FOREIGN
from flaredb.errors import Finding

_SHOWN = 5


class Learnt(NamedTuple):
    """`cases`: those, of some labels' cases, that the models behind the labels learnt from; `blind`: models that may
    have learnt from any, because nothing tells from which they did."""

    cases: frozenset[str]
    blind: tuple[str, ...]


def learnt_from(connection: Connection, judged: Sequence[Label]) -> Learnt:
    """What the models behind labels learnt from, by patient and by scan, through all that they descend from."""
    family = lineage.ancestors(connection, [label.id for label in judged])
    people = snapshots.people(connection, family.snapshots) | models.people(connection, family.models)
    known = cases.by_names(connection, [label.case for label in judged])
    guilty = {name for name, case in known.items() if people & {case.patient, case.voxels_digest}}
    foreign = [model for model in models.every(connection) if model.id in family.models and model.origin == FOREIGN]
    blind = [model.name for model in foreign if not models.cases_of(connection, model.id)]
    return Learnt(frozenset(guilty), tuple(blind))


def unfair(connection: Connection, judged: Iterable[Label]) -> frozenset[int]:
    """Numbers of the labels, of any sources, whose models learnt from the very case or its patient."""
    by_source: dict[str, list[Label]] = {}
    for label in judged:
        by_source.setdefault(label.source, []).append(label)
    return frozenset(
        label.id
        for own in by_source.values()
        if (guilty := learnt_from(connection, own).cases)
        for label in own
        if label.case in guilty
    )


def tell(learnt: Learnt, source: str, left_out: bool) -> tuple[Finding, ...]:
    """Findings on what was left out of an evaluation, or may flatter it."""
    found = []
    if learnt.cases:
        shown = sorted(learnt.cases)
        names = " ".join(shown[:_SHOWN]) + (" …" if len(shown) > _SHOWN else "")
        done = "they are left out" if left_out else "their scores say how well it was learnt, no more"
        message = (
            f"the models behind {source} learnt from {len(shown)} of these cases, or their patients; {done}: {names}"
        )
        found.append(Finding("warning", None, "learnt-from", message))
    for name in learnt.blind:
        message = f"nothing tells which cases {name} learnt from; the scores of {source} may flatter it"
        found.append(Finding("warning", None, "training-cases-unknown", message))
    return tuple(found)
