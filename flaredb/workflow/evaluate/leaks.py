"""No model is judged on patients it learnt from, whether it was trained here or came from elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from flaredb.catalog import cases, fusing, lineage, models, snapshots
from flaredb.catalog.database import Connection
from flaredb.catalog.labels import Label
from flaredb.catalog.models import FOREIGN
from flaredb.errors import Finding
from flaredb.labels.policy import HUMAN

_SHOWN = 5


class Learnt(NamedTuple):
    """`cases`: those, of some labels' cases, that the models behind the labels learnt from; `blind`: models that may
    have learnt from any, because nothing tells from which they did; `elsewhere`: model → how many of the cases that it
    names have no case of that name here, and so may be here under another."""

    cases: frozenset[str]
    blind: tuple[str, ...]
    elsewhere: Mapping[str, int] = {}


def learnt_from(connection: Connection, judged: Sequence[Label]) -> Learnt:
    """What the models behind labels learnt from, by patient and by scan, through all that they descend from.

    A label that was fused of labels by people of its very case counts as learnt from it.
    """
    family = lineage.ancestors(connection, [label.id for label in judged])
    people = snapshots.people(connection, family.snapshots) | models.people(connection, family.models)
    known = cases.by_names(connection, [label.case for label in judged])
    guilty = {name for name, case in known.items() if people & {case.patient, case.voxels_digest}}
    generated = {label.id: label.case for label in judged if label.kind not in HUMAN}
    guilty |= {generated[number] for number in fusing.made_of_drawn(connection, generated)}
    foreign = [model for model in models.every(connection) if model.id in family.models and model.origin == FOREIGN]
    named = {model.name: models.cases_of(connection, model.id) for model in foreign}
    here = cases.by_any_names(connection, {name for names in named.values() for name in names})
    missing = {model: sum(not _found(name, here) for name in names) for model, names in named.items()}
    elsewhere = {model: count for model, count in missing.items() if count}
    return Learnt(frozenset(guilty), tuple(model for model, names in named.items() if not names), elsewhere)


def _found(name: str, here: Iterable[str]) -> bool:
    """Whether a case that a model names is known; one that was purged is known to be gone."""
    return name in here or name.startswith("purged-")


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


def shortened(names: Sequence[str]) -> str:
    """The first names of many."""
    return " ".join(names[:_SHOWN]) + (" …" if len(names) > _SHOWN else "")


def tell(learnt: Learnt, source: str, left_out: bool) -> tuple[Finding, ...]:
    """Findings on what was left out of an evaluation, or may flatter it."""
    found = []
    if learnt.cases:
        shown = sorted(learnt.cases)
        done = "they are left out" if left_out else "their scores say how well it was learnt, no more"
        told = f"the models behind {source} learnt from {len(shown)} of these cases, or their patients; {done}"
        message = f"{told}: {shortened(shown)}"
        found.append(Finding("warning", None, "learnt-from", message))
    for name in learnt.blind:
        message = f"nothing tells which cases {name} learnt from; the scores of {source} may flatter it"
        found.append(Finding("warning", None, "training-cases-unknown", message))
    for name, count in learnt.elsewhere.items():
        message = (
            f"{count} cases that {name} learnt from have no case of that name here; if they are here under other "
            f"names, the scores of {source} may flatter it (flaredb case same tells that two cases are one patient)"
        )
        found.append(Finding("warning", None, "training-cases-elsewhere", message))
    return tuple(found)
