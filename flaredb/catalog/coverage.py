"""Who annotates what: for every case and kind of label the structures, as bits."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import NamedTuple

from sqlalchemy import Connection, func, select

from flaredb.catalog import tables as t
from flaredb.catalog.derived import candidates
from flaredb.catalog.structures import structure_names
from flaredb.labels.policy import HUMAN


class Coverage(NamedTuple):
    """Structure → kind → cases; and how many cases people annotated in the same structures."""

    cases: dict[str, dict[str, int]]
    patterns: list[tuple[tuple[str, ...], int]]


def coverage(connection: Connection) -> Coverage:
    """Labels with voxels and announced ones alike; withdrawn and unaccepted ones too: it is what there is."""
    names = structure_names(connection)
    annotated = _annotated(connection)
    counted: dict[str, dict[str, int]] = {name: {} for name in names.values()}
    for (kind, bits), cases in Counter((kind, bits) for (_, kind), bits in annotated.items()).items():
        for value, name in names.items():
            if bits >> value & 1:
                counted[name][kind] = counted[name].get(kind, 0) + cases
    human: dict[int, int] = defaultdict(int)
    for (case, kind), bits in annotated.items():
        if kind in HUMAN:
            human[case] |= bits
    patterns = Counter(human.values())
    listed = [
        (tuple(name for value, name in names.items() if bits >> value & 1), cases)
        for bits, cases in patterns.most_common()
    ]
    return Coverage(counted, listed)


def _annotated(connection: Connection) -> dict[tuple[int, str], int]:
    """(case, kind) → structures."""
    c, label, part = candidates.c, t.labels.c, t.label_structures.c
    found: dict[tuple[int, str], int] = defaultdict(int)
    for case, kind, strong, weak in connection.execute(select(c.case_id, c.kind, c.strong, c.weak).distinct()):
        found[case, kind] |= strong | weak
    announced = select(label.case_id, label.kind, part.structure).join(t.labels, label.id == part.label_id)
    for case, kind, value in connection.execute(announced.where(label.volume.is_(None)).distinct()):
        found[case, kind] |= 1 << value
    return found


def counts(connection: Connection) -> dict[str, int]:
    """How many cases, labels and models there are."""
    tables = {"cases": t.cases, "labels": t.labels, "models": t.models}
    return {
        name: int(connection.execute(select(func.count()).select_from(table)).scalar_one())
        for name, table in tables.items()
    }
