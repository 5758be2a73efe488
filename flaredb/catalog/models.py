"""Models: trained networks, each with its snapshot, configuration and parent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, select

from flaredb.catalog import tables as t
from flaredb.catalog.database import Write
from flaredb.errors import NotFoundError


@dataclass(frozen=True)
class Model:
    """A model as stored; `checkpoint` is the digest of its weights, None while it trains."""

    id: int
    name: str
    task: str
    structures: tuple[str, ...]
    snapshot: str
    parent: str | None
    state: str
    checkpoint: str | None
    config: dict[str, Any]
    steps: int
    seed: int
    code_version: str
    environment: dict[str, Any]


@dataclass(frozen=True)
class NewModel:
    """A model about to be trained."""

    name: str
    snapshot: str
    parent: str | None
    config: dict[str, Any]
    seed: int
    code_version: str
    environment: dict[str, Any]


def add(write: Write, model: NewModel) -> None:
    """Record a model whose training begins."""
    snapshot = write.connection.execute(select(t.snapshots).where(t.snapshots.c.name == model.snapshot)).one()
    parent = select(t.models.c.id).where(t.models.c.name == model.parent)
    values = {
        "name": model.name,
        "task_id": snapshot.task_id,
        "snapshot_id": snapshot.id,
        "parent_id": write.connection.execute(parent).scalar(),
        "state": "training",
        "config": model.config,
        "steps": 0,
        "code_version": model.code_version,
        "environment": model.environment,
        "seed": model.seed,
        "operation_id": write.operation,
    }
    write.connection.execute(t.models.insert().values(values))


def finish(write: Write, name: str, steps: int, checkpoint: str) -> None:
    """Record that a model is trained."""
    done = {"state": "trained", "steps": steps, "checkpoint": checkpoint}
    write.connection.execute(t.models.update().where(t.models.c.name == name).values(done))


def find(connection: Connection, name: str) -> Model:
    """A model by name, by the beginning of it, or `latest:TASK`."""
    query = _select()
    if name.startswith("latest:"):
        task = name.removeprefix("latest:")
        query = query.where(t.tasks.c.name == task, t.models.c.state == "trained").order_by(t.models.c.id.desc())
        rows = list(connection.execute(query.limit(1)))
    else:
        rows = list(connection.execute(query.where(t.models.c.name.startswith(name, autoescape=True))))
    if len(rows) != 1:
        names = connection.execute(select(t.models.c.name).order_by(t.models.c.id.desc()).limit(5)).scalars()
        raise NotFoundError(f"no model {name!r}; the latest: {' '.join(names) or 'none'}")
    return _model(rows[0])


def every(connection: Connection) -> list[Model]:
    """All models, oldest first."""
    return [_model(row) for row in connection.execute(_select().order_by(t.models.c.id))]


def _select() -> Select[Any]:
    parent = t.models.alias("parent")
    return (
        select(
            t.models,
            t.tasks.c.name.label("task"),
            t.tasks.c.structures,
            t.snapshots.c.name.label("snapshot"),
            parent.c.name.label("parent"),
        )
        .join(t.tasks, t.models.c.task_id == t.tasks.c.id)
        .join(t.snapshots, t.models.c.snapshot_id == t.snapshots.c.id)
        .outerjoin(parent, t.models.c.parent_id == parent.c.id)
    )


def _model(row: Any) -> Model:
    return Model(
        id=row.id,
        name=row.name,
        task=row.task,
        structures=tuple(row.structures),
        snapshot=row.snapshot,
        parent=row.parent,
        state=row.state,
        checkpoint=row.checkpoint,
        config=row.config,
        steps=row.steps,
        seed=row.seed,
        code_version=row.code_version,
        environment=row.environment,
    )
