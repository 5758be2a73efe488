"""Say what a training would take, without training: `flaredb train --dry-run`."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any, NamedTuple

from flaredb.catalog import models
from flaredb.catalog.database import Connection
from flaredb.catalog.snapshots import Item
from flaredb.errors import NotFoundError
from flaredb.trainers import estimate, runtime
from flaredb.trainers.config import Config
from flaredb.trainers.loop import Training
from flaredb.trainers.samples import TrainingSet
from flaredb.volumes.store import VolumeStore
from flaredb.workflow.snapshot import create as frozen
from flaredb.workflow.snapshot.read import read_training_set
from flaredb.workspace import Workspace


class Plan(NamedTuple):
    """What a training would take, and what it would learn from; bytes, seconds, hours."""

    task: str
    snapshot: str | None
    cases: int
    structures: int
    estimate: estimate.Estimate

    def document(self) -> dict[str, Any]:
        """Flat, with names for people to read; bytes in whole numbers."""
        found = self.estimate
        memory = {**found.memory._asdict(), "total": found.memory.total}
        return {**self._asdict(), "estimate": {**found._asdict(), "memory": memory}}


def train_plan(
    workspace: Workspace,
    task: str,
    settings: Config,
    snapshot: str | None = None,
    warm: str | None = None,
    device: str = "auto",
    timed: int = 10,
) -> Plan:
    """What `train` would take with the same arguments; nothing is frozen, recorded or kept.

    Steps are timed where there is a case to learn from. NotFoundError for a task, snapshot or model that is not there.
    """
    with workspace.catalog.read() as connection:
        if warm:
            models.find(connection, warm)
        if snapshot:
            frozen.check_snapshot(connection, snapshot, task)
            data = frozen.training_set(workspace, connection, snapshot)
        else:
            data = _current(workspace, connection, task)
    return _plan(data, workspace.volumes, settings, snapshot, device, timed)


def train_plan_apart(snapshot: Path, volumes: Path, settings: Config, device: str = "auto", timed: int = 10) -> Plan:
    """The same from a snapshot file and a folder of volumes, where there is no catalogue."""
    data = read_training_set(snapshot)
    if not volumes.is_dir():
        raise NotFoundError(f"{volumes}: no such folder; give the workspace's volumes, or a copy of them")
    return _plan(data, VolumeStore(volumes), settings, data.snapshot, device, timed)


def _plan(
    data: TrainingSet, volumes: VolumeStore, settings: Config, snapshot: str | None, device: str, timed: int
) -> Plan:
    with tempfile.TemporaryDirectory() as nowhere:
        run = Training(data, volumes, settings, Path(nowhere), runtime.find_device(device))
        found = estimate.estimate(run, timed)
    return Plan(data.task.name, snapshot, len(data.cases), len(data.task.structures), found)


def _current(workspace: Workspace, connection: Connection, task: str) -> TrainingSet:
    """What a snapshot taken now would hold."""
    chosen = frozen.choose(workspace, connection, task, "train")
    by_case: dict[str, list[Item]] = defaultdict(list)
    for case, entry in chosen.entries:
        label = chosen.labels[entry.label]
        by_case[case.name].append(
            Item(case.name, case.patient or "", case.image, label, entry.role, tuple(entry.structures))
        )
    items = tuple(frozen.case_item(case, held) for case, held in by_case.items())
    return TrainingSet("not frozen", workspace.structures, workspace.task(task), items)
