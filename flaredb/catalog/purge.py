"""Erase cases for good: their rows, and every mention of them in the rows of others. A tombstone is left."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Table, create_engine, func, or_, select

from flaredb.catalog import tables as t
from flaredb.catalog.database import Catalog, Write
from flaredb.catalog.derived import candidates, current_history
from flaredb.catalog.schema import metadata
from flaredb.catalog.types import Json


class Doomed(NamedTuple):
    """What goes with some cases: row numbers, volumes nobody else points at, and words that must not be found."""

    cases: tuple[int, ...]
    names: tuple[str, ...]
    labels: tuple[int, ...]
    volumes: tuple[str, ...]
    words: dict[str, str]


def doomed(connection: Connection, cases: Sequence[int]) -> Doomed:
    """Look what would go; nothing is changed."""
    rows = connection.execute(select(t.cases).where(t.cases.c.id.in_(cases))).all()
    labels = connection.execute(select(t.labels).where(t.labels.c.case_id.in_(cases))).all()
    own = {row.image for row in rows} | {row.volume for row in labels}
    volumes = own - _pointed_at(connection, cases) - {None}
    words: dict[str, str] = {}
    for row in rows:
        for word in [*_words(row), row.name, *_former_names(connection, row.id)]:
            words[word] = f"purged-{row.id}"
    for row in labels:
        words |= dict.fromkeys(_words(row), f"purged-{row.case_id}")
    words |= dict.fromkeys(volumes, "purged")
    kept = _mentioned_elsewhere(connection, cases)
    words = {word: stand_in for word, stand_in in words.items() if word not in kept}
    names = tuple(row.name for row in rows)
    return Doomed(tuple(cases), names, tuple(row.id for row in labels), tuple(sorted(volumes)), words)


def erase(write: Write, doom: Doomed, why: str, actor: str) -> None:
    """Delete the rows, leave tombstones, and blot every mention out of the other rows."""
    connection = write.connection
    counted = select(t.snapshot_items.c.snapshot_id, t.snapshot_items.c.case_id, func.count())
    held = counted.where(t.snapshot_items.c.case_id.in_(doom.cases)).group_by(*counted.selected_columns[:2])
    losses = connection.execute(held).all()
    patients = set(
        connection.execute(select(t.cases.c.patient_id).where(t.cases.c.id.in_(doom.cases)).distinct()).scalars()
    )
    _delete_rows(connection, doom)
    tombstones = {case: _bury(write, case, doom, why, actor) for case in doom.cases}
    for snapshot, case, items in losses:
        values = {"snapshot_id": snapshot, "items": items, "tombstone_id": tombstones[case]}
        connection.execute(t.snapshot_losses.insert().values(values))
    left = set(connection.execute(select(t.cases.c.patient_id).distinct()).scalars())
    if gone := patients - left:
        connection.execute(t.patients.delete().where(t.patients.c.id.in_(gone)))
    blot = Blotter(doom.words)
    for table in metadata.sorted_tables:
        _blot_table(connection, table, blot)


def overwrite(catalog: Catalog) -> None:
    """Make the database give up what deleted rows left in its files."""
    engine = create_engine(catalog.url, isolation_level="AUTOCOMMIT")
    on_file = ("PRAGMA wal_checkpoint(TRUNCATE)", "VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)")
    with engine.connect() as connection:
        for statement in on_file if catalog.on_sqlite else ("VACUUM FULL",):
            connection.exec_driver_sql(statement)
    engine.dispose()


class Blotter:
    """Replaces words by stand-ins where they stand alone: no letter, digit or underscore around them."""

    def __init__(self, words: dict[str, str]) -> None:
        self._stand_ins = words
        listed = "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
        self._pattern = re.compile(rf"(?<![A-Za-z0-9_])(?:{listed})(?![A-Za-z0-9])") if words else None

    def __call__(self, text: str) -> str:
        """The text without the words."""
        return self._pattern.sub(lambda found: self._stand_ins[found[0]], text) if self._pattern else text


def _words(row: Any) -> list[str]:
    """File names, file digests and voxel digests of a case or a label."""
    named = [row.file_name, row.file_sha256, getattr(row, "image", None), getattr(row, "voxels_digest", None)]
    return [word for word in [*named, getattr(row, "volume", None)] if word]


def _former_names(connection: Connection, case: int) -> list[str]:
    return list(connection.execute(select(t.case_aliases.c.alias).where(t.case_aliases.c.case_id == case)).scalars())


def _pointed_at(connection: Connection, cases: Sequence[int]) -> set[str | None]:
    """Volumes of other cases and their labels."""
    images = select(t.cases.c.image).where(t.cases.c.id.not_in(cases))
    volumes = select(t.labels.c.volume).where(t.labels.c.case_id.not_in(cases))
    return {*connection.execute(images).scalars(), *connection.execute(volumes).scalars()}


def _mentioned_elsewhere(connection: Connection, cases: Sequence[int]) -> set[str]:
    """Words that other cases and labels bear, too: a file name that many share, a volume of two cases."""
    found: set[str] = set()
    for table, own in ((t.cases, t.cases.c.id), (t.labels, t.labels.c.case_id)):
        for row in connection.execute(select(table).where(own.not_in(cases))):
            found.update(_words(row))
    return found


def _delete_rows(connection: Connection, doom: Doomed) -> None:
    labels, cases = doom.labels, doom.cases
    seen = or_(t.findings.c.case_name.in_(doom.names), t.findings.c.case_name.in_(list(doom.words)))
    findings = list(connection.execute(select(t.findings.c.id).where(seen)).scalars())
    by_label: Iterable[tuple[Table, Sequence[str]]] = [
        (t.scores, ("label_id", "reference_id")),
        (t.label_parents, ("child_id", "parent_id")),
        (t.acceptances, ("label_id",)),
        (t.withdrawals, ("label_id",)),
        (t.label_structures, ("label_id",)),
    ]
    for table in (t.review_items, current_history, candidates, t.snapshot_items, t.case_events, t.case_aliases):
        connection.execute(table.delete().where(table.c.case_id.in_(cases)))
    for table, columns in by_label:
        for start in range(0, len(labels), 5000):
            portion = labels[start : start + 5000]
            connection.execute(table.delete().where(or_(*(table.c[column].in_(portion) for column in columns))))
    connection.execute(t.finding_events.delete().where(t.finding_events.c.finding_id.in_(findings)))
    connection.execute(t.findings.delete().where(t.findings.c.id.in_(findings)))
    connection.execute(t.labels.delete().where(t.labels.c.case_id.in_(cases)))
    connection.execute(t.cases.delete().where(t.cases.c.id.in_(cases)))


def _bury(write: Write, case: int, doom: Doomed, why: str, actor: str) -> int:
    values = {
        "case_id": case,
        "actor": actor,
        "why": why,
        "labels": len(doom.labels),
        "operation_id": write.operation,
    }
    (made,) = write.connection.execute(t.tombstones.insert().values(values)).inserted_primary_key or (0,)
    return int(made)


def _blot_table(connection: Connection, table: Table, blot: Blotter) -> None:
    """Blot every text column of a table."""
    columns = [c for c in table.columns if isinstance(c.type, Json) or c.type.python_type is str]
    if not columns or "id" not in table.columns:
        return
    for row in connection.execute(select(table.c.id, *columns)).mappings().all():
        changed = {}
        for column in columns:
            value = row[column.name]
            text = value if isinstance(value, str) else json.dumps(value)
            if value is not None and (clean := blot(text)) != text:
                changed[column.name] = clean if isinstance(value, str) else json.loads(clean)
        if changed:
            connection.execute(table.update().where(table.c.id == row["id"]).values(changed))
