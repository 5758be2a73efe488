"""Queries for fused labels: what they are made of, which labels people refused, how good sources were measured."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import Connection, select

from flaredb.catalog import snapshots
from flaredb.catalog import tables as t
from flaredb.catalog.standing import chunks
from flaredb.catalog.structures import structure_names
from flaredb.labels.policy import HUMAN

NOT_ASKED = "imported as not accepted"  # a revocation at import, by which nobody judged the label


class Measured(NamedTuple):
    """A DSC of a generated label of a training case, against a label by people."""

    label: int
    case: str
    source: str
    structure: str
    dsc: float


def parents(connection: Connection, labels: Iterable[int]) -> dict[int, frozenset[int]]:
    """Label → the labels it was made of, where there are any."""
    found: dict[int, set[int]] = defaultdict(set)
    step = t.label_parents.c
    for chunk in chunks(labels):
        for child, parent in connection.execute(select(step.child_id, step.parent_id).where(step.child_id.in_(chunk))):
            found[child].add(parent)
    return {child: frozenset(made_of) for child, made_of in found.items()}


def made_of_drawn(connection: Connection, labels: Iterable[int]) -> frozenset[int]:
    """Those of some labels that are made of labels by people, directly or through others."""
    roots = {label: {label} for label in labels}
    seen, left = set(roots), set(roots)
    while left:
        found = parents(connection, left)
        for child, made_of in found.items():
            for known in roots.values():
                if child in known:
                    known |= made_of
        left = {parent for made_of in found.values() for parent in made_of} - seen
        seen |= left
    human = set[int]()
    for chunk in chunks(seen):
        query = select(t.labels.c.id).where(t.labels.c.id.in_(chunk), t.labels.c.kind.in_(sorted(HUMAN)))
        human.update(connection.execute(query).scalars())
    return frozenset(label for label, known in roots.items() if (known - {label}) & human)


def refused(connection: Connection) -> dict[int, frozenset[str]]:
    """Label → the structures for which people rejected that very label."""
    return _revoked(connection, asked=True)


def waiting(connection: Connection) -> dict[int, frozenset[str]]:
    """Label → the structures for which it does not count though its source does, because nobody has asked for it."""
    return _revoked(connection, asked=False)


def _revoked(connection: Connection, asked: bool) -> dict[int, frozenset[str]]:
    names = structure_names(connection)
    c = t.acceptances.c
    query = select(c.label_id, c.structure, c.event, c.why).where(c.label_id.is_not(None)).order_by(c.id)
    last = {(row.label_id, row.structure): row for row in connection.execute(query)}
    found: dict[int, set[str]] = defaultdict(set)
    for (label, structure), row in last.items():
        if row.event == "revoked" and (row.why != NOT_ASKED) is asked:
            found[label].add(names[structure])
    return {label: frozenset(structures) for label, structures in found.items()}


def has_judges(connection: Connection) -> bool:
    """Whether cases are set aside that can judge: a label by people of a validation case, or frozen references."""
    frozen = select(t.snapshots.c.id).where(t.snapshots.c.purpose == "reference")
    drawn = (
        select(t.labels.c.id)
        .join(t.cases, t.cases.c.id == t.labels.c.case_id)
        .where(t.cases.c.split == "validation", t.labels.c.kind.in_(sorted(HUMAN)))
    )
    return any(connection.execute(query.limit(1)).first() is not None for query in (drawn, frozen))


def measured(connection: Connection, sources: Iterable[str], protocol: str) -> list[Measured]:
    """What is known of sources' DSC, oldest first: by training cases alone, no patient of any references among them."""
    frozen = connection.execute(select(t.snapshots.c.id).where(t.snapshots.c.purpose == "reference")).scalars().all()
    judges = snapshots.people(connection, frozen)
    truth = t.labels.alias("truth")
    query = (
        select(
            t.scores.c.label_id,
            t.cases.c.name.label("case"),
            t.sources.c.name.label("source"),
            t.structures.c.name.label("structure"),
            t.scores.c.value,
            t.patients.c.key,
            t.cases.c.voxels_digest,
        )
        .join(t.labels, t.labels.c.id == t.scores.c.label_id)
        .join(truth, truth.c.id == t.scores.c.reference_id)
        .join(t.cases, t.cases.c.id == t.labels.c.case_id)
        .join(t.patients, t.patients.c.id == t.cases.c.patient_id)
        .join(t.sources, t.sources.c.id == t.labels.c.source_id)
        .join(t.structures, t.structures.c.value == t.scores.c.structure)
        .where(t.scores.c.protocol == protocol, t.scores.c.metric == "dsc", t.sources.c.name.in_(sorted(sources)))
        .where(t.cases.c.split == "train", truth.c.kind.in_(sorted(HUMAN)), t.labels.c.kind.not_in(sorted(HUMAN)))
        .order_by(t.scores.c.id)
    )
    return [
        Measured(row.label_id, row.case, row.source, row.structure, row.value)
        for row in connection.execute(query)
        if not judges & {row.key, row.voxels_digest}
    ]
