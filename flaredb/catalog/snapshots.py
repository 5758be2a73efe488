"""Snapshots: frozen answers to "what is current", the node between models and labels."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, func, select

from flaredb.catalog import labels as label_rows
from flaredb.catalog import tables as t
from flaredb.catalog.database import Write
from flaredb.errors import NotFoundError


class Item(NamedTuple):
    """A label of a case in a snapshot, for the structures it won or contributes to."""

    case: str
    patient: str
    image: str | None
    label: label_rows.Label
    role: str
    structures: tuple[str, ...]


@dataclass(frozen=True)
class Snapshot:
    """A snapshot and its items, by case and label."""

    id: int
    name: str
    digest: str
    purpose: str
    task: str
    structures: tuple[str, ...]
    policy: str
    condition: str | None
    created: datetime
    items: tuple[Item, ...]

    @property
    def cases(self) -> tuple[str, ...]:
        """Names of its cases, sorted."""
        return tuple(sorted({item.case for item in self.items}))


class NewItem(NamedTuple):
    """An item to store: row numbers of case and label."""

    case_id: int
    label_id: int
    role: str
    structures: tuple[str, ...]


class NewSnapshot(NamedTuple):
    """A snapshot to store; `digest` names its content."""

    digest: str
    purpose: str
    task_id: int
    policy_id: int
    items: tuple[NewItem, ...]
    title: str | None = None
    condition: str | None = None

    @property
    def name(self) -> str:
        """`s-` and twelve digits of the digest."""
        return f"s-{self.digest[:12]}"


def task_number(write: Write, name: str, structures: tuple[str, ...], digest: str) -> int:
    """The task with this digest, recorded if new."""
    found = write.connection.execute(select(t.tasks.c.id).where(t.tasks.c.digest == digest)).scalar()
    if found is not None:
        return int(found)
    values = {"name": name, "structures": structures, "digest": digest}
    (made,) = write.connection.execute(t.tasks.insert().values(values)).inserted_primary_key or (0,)
    return int(made)


def add(write: Write, snapshot: NewSnapshot) -> bool:
    """Store a snapshot; False if one of the same content is there."""
    found = write.connection.execute(select(t.snapshots.c.id).where(t.snapshots.c.digest == snapshot.digest)).scalar()
    if found is not None:
        return False
    values = {
        "name": snapshot.name,
        "digest": snapshot.digest,
        "purpose": snapshot.purpose,
        "title": snapshot.title,
        "condition": snapshot.condition,
        "task_id": snapshot.task_id,
        "policy_id": snapshot.policy_id,
        "operation_id": write.operation,
    }
    (made,) = write.connection.execute(t.snapshots.insert().values(values)).inserted_primary_key or (0,)
    rows = [{"snapshot_id": made, **item._asdict()} for item in snapshot.items]
    if rows:
        write.connection.execute(t.snapshot_items.insert(), rows)
    return True


def find(connection: Connection, name: str) -> Snapshot:
    """A snapshot by name, or by the beginning of it."""
    query = (
        select(
            t.snapshots,
            t.tasks.c.name.label("task"),
            t.tasks.c.structures,
            t.policies.c.digest.label("policy"),
            t.operations.c.at,
        )
        .join(t.tasks)
        .join(t.policies, t.snapshots.c.policy_id == t.policies.c.id)
        .join(t.operations, t.snapshots.c.operation_id == t.operations.c.id)
    )
    rows = connection.execute(query.where(t.snapshots.c.name.startswith(name, autoescape=True))).all()
    if len(rows) != 1:
        names = connection.execute(select(t.snapshots.c.name).order_by(t.snapshots.c.id.desc()).limit(5)).scalars()
        raise NotFoundError(f"no snapshot {name!r}; the latest: {' '.join(names) or 'none'}")
    row = rows[0]
    items = _items(connection, row.id)
    structures = tuple(row.structures)
    return Snapshot(
        row.id, row.name, row.digest, row.purpose, row.task, structures, row.policy, row.condition, row.at, items
    )


def every(connection: Connection) -> list[dict[str, Any]]:
    """Every snapshot, newest last: its task, purpose, cases, models trained on it, and items lost to purges."""
    held, lost = t.snapshot_items.c, t.snapshot_losses.c
    cases_held = select(func.count(held.case_id.distinct())).where(held.snapshot_id == t.snapshots.c.id)
    trained = select(func.count()).where(t.models.c.snapshot_id == t.snapshots.c.id)
    items_lost = select(func.coalesce(func.sum(lost["items"]), 0)).where(lost.snapshot_id == t.snapshots.c.id)
    query = (
        select(
            t.snapshots.c.name,
            t.tasks.c.name.label("task"),
            t.snapshots.c.purpose,
            t.snapshots.c.title,
            t.operations.c.at,
            cases_held.scalar_subquery().label("cases"),
            trained.scalar_subquery().label("models"),
            items_lost.scalar_subquery().label("lost"),
        )
        .join(t.tasks)
        .join(t.operations, t.snapshots.c.operation_id == t.operations.c.id)
        .order_by(t.snapshots.c.id)
    )
    return [
        {
            "name": row.name,
            "task": row.task,
            "purpose": row.purpose,
            "title": row.title,
            "cases": row.cases,
            "models": row.models,
            "lost": int(row.lost),
            "created": row.at.isoformat(),
        }
        for row in connection.execute(query)
    ]


def lost(connection: Connection, number: int) -> int:
    """How many items of a snapshot were erased with their cases."""
    items = t.snapshot_losses.c
    total = select(func.coalesce(func.sum(items["items"]), 0)).where(items.snapshot_id == number)
    return int(connection.execute(total).scalar_one())


def held(connection: Connection, number: int) -> tuple[Item, ...]:
    """The items of a snapshot by its row number."""
    return _items(connection, number)


def people(connection: Connection, numbers: Iterable[int]) -> set[str]:
    """Patients of snapshots (by row number), and their scans by voxel digest."""
    query = (
        select(t.patients.c.key, t.cases.c.voxels_digest)
        .join(t.cases, t.cases.c.patient_id == t.patients.c.id)
        .join(t.snapshot_items, t.snapshot_items.c.case_id == t.cases.c.id)
        .where(t.snapshot_items.c.snapshot_id.in_(list(numbers)))
        .distinct()
    )
    return {text for row in connection.execute(query) for text in row if text}


def trained_on(connection: Connection, numbers: Iterable[int]) -> set[int]:
    """Row numbers of the models trained on snapshots."""
    query = select(t.models.c.id).where(t.models.c.snapshot_id.in_(list(numbers)))
    return set(connection.execute(query).scalars())


def _items(connection: Connection, snapshot: int) -> tuple[Item, ...]:
    query = (
        select(
            t.snapshot_items,
            t.cases.c.name.label("case"),
            t.cases.c.image,
            t.patients.c.key.label("patient"),
        )
        .join(t.cases, t.snapshot_items.c.case_id == t.cases.c.id)
        .join(t.patients, t.cases.c.patient_id == t.patients.c.id)
        .where(t.snapshot_items.c.snapshot_id == snapshot)
        .order_by(t.cases.c.name, t.snapshot_items.c.label_id, t.snapshot_items.c.role)
    )
    rows = connection.execute(query).all()
    labels = label_rows.by_ids(connection, [row.label_id for row in rows])
    return tuple(
        Item(row.case, row.patient, row.image, labels[row.label_id], row.role, tuple(row.structures)) for row in rows
    )
