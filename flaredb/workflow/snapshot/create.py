"""Freeze what is current: a snapshot says exactly which labels, trusted in what, a model learns from."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from flaredb.catalog import cases, current, labels, snapshots
from flaredb.catalog.database import Connection, Write
from flaredb.catalog.snapshots import NewItem, NewSnapshot, Snapshot
from flaredb.catalog.standing import policy_in_force
from flaredb.errors import InvalidDataError
from flaredb.labels.policy import HUMAN, Current
from flaredb.labels.resolve import Entry, entries, trusts
from flaredb.labels.tasks import Task
from flaredb.trainers.samples import CaseItem, LabelItem, TrainingSet
from flaredb.workflow.results import Result
from flaredb.workspace import Workspace


class Made(NamedTuple):
    """A snapshot that was made, or was there already."""

    name: str
    new: bool


def snapshot_create(workspace: Workspace, task: str, where: str | None = None, title: str | None = None) -> Result:
    """Freeze the current labels of the training cases that have anything decided for the task."""
    with workspace.run("snapshot create", task=task, where=where) as run, run.write() as write:
        made = freeze(workspace, write, task, "train", where, title)
    return Result(write.operation, (made.name,), int(made.new), int(not made.new))


class Chosen(NamedTuple):
    """What a snapshot would hold: each case with its entries, and the labels they name by number."""

    entries: tuple[tuple[cases.Case, Entry], ...]
    labels: dict[int, labels.Label]


def choose(workspace: Workspace, connection: Connection, task: str, purpose: str, where: str | None = None) -> Chosen:
    """The current labels of the cases that have anything decided for the task.

    `purpose` is `train` (split train) or `reference` (validation, human truth). A training case whose patient or scan
    is also a validation or test case is left out.
    """
    wanted_structures = set(workspace.task(task).structures)
    known = _eligible(connection, purpose, where)
    spoken = current.now(connection, known)
    versions = labels.by_ids(connection, _numbers(spoken))
    chosen: list[tuple[cases.Case, Entry]] = []
    for name in sorted(spoken):
        own = spoken[name] if purpose == "train" else _human(spoken[name])
        found = entries(workspace.structures, own, versions)
        if any(wanted_structures.intersection(entry.structures) for entry in found):
            chosen += [(known[name], entry) for entry in found]
    return Chosen(tuple(chosen), versions)


def _eligible(connection: Connection, purpose: str, where: str | None) -> dict[str, cases.Case]:
    """Cases of the purpose's split that have voxels, are not excluded, and keep patients of the splits apart."""
    split = "train" if purpose == "train" else "validation"
    wanted = set(cases.matching(connection, where))
    every = cases.every(connection)
    judged = {key for case in every if case.split != "train" for key in (case.patient, case.voxels_digest) if key}
    return {
        case.name: case
        for case in every
        if case.split == split
        and case.name in wanted
        and case.image
        and not case.excluded
        and not (split == "train" and judged.intersection({case.patient, case.voxels_digest}))
    }


def freeze(
    workspace: Workspace, write: Write, task: str, purpose: str, where: str | None = None, title: str | None = None
) -> Made:
    """Freeze in an open transaction what `choose` chooses."""
    found = workspace.task(task)
    connection = write.connection
    chosen = choose(workspace, connection, task, purpose, where)
    if not chosen.entries:
        split = "train" if purpose == "train" else "validation"
        raise InvalidDataError(
            f"no {split} case has a current label for the task {task}; flaredb label current shows what there is"
        )
    policy_id, policy = policy_in_force(connection)
    document = {
        "purpose": purpose,
        "task": [found.name, found.structures],
        "policy": policy.digest,
        "items": [_content(case, entry, chosen.labels[entry.label]) for case, entry in chosen.entries],
    }
    digest = hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()
    items = tuple(NewItem(case.id, entry.label, entry.role, entry.structures) for case, entry in chosen.entries)
    task_id = snapshots.task_number(write, found.name, found.structures, task_digest(found))
    new = NewSnapshot(digest, purpose, task_id, policy_id, items, title, where)
    return Made(new.name, snapshots.add(write, new))


def snapshot_show(workspace: Workspace, name: str) -> dict[str, Any]:
    """A snapshot with its items by case."""
    with workspace.catalog.read() as connection:
        found = snapshots.find(connection, name)
    by_case: dict[str, list[dict[str, Any]]] = defaultdict(list)
    images = {}
    for item in found.items:
        images[item.case] = item.image
        by_case[item.case].append({"label": item.label.name, "structures": list(item.structures), "role": item.role})
    return {
        "id": found.name,
        "digest": found.digest,
        "task": found.task,
        "purpose": found.purpose,
        "policy": found.policy,
        "created": found.created.isoformat(),
        "cases": len(by_case),
        "items": [{"case": case, "image": images[case], "labels": rows} for case, rows in by_case.items()],
    }


def check_snapshot(connection: Connection, name: str, task: str) -> None:
    """InvalidDataError for a snapshot that a model of this task may not learn from."""
    found = snapshots.find(connection, name)
    if found.purpose != "train":
        raise InvalidDataError(f"{found.name} holds references, which no model may learn from; leave --snapshot out")
    if found.task != task:
        raise InvalidDataError(f"{found.name} is of the task {found.task}; give --task {found.task}")


def training_set(workspace: Workspace, connection: Connection, name: str) -> TrainingSet:
    """A snapshot as trainers take it."""
    found = snapshots.find(connection, name)
    task = Task(found.task, found.structures)
    return TrainingSet(found.name, workspace.structures, task, case_items(found), digest=found.digest)


def case_items(found: Snapshot) -> tuple[CaseItem, ...]:
    """The cases of a snapshot with their labels, as trainers take them."""
    by_case: dict[str, list[snapshots.Item]] = defaultdict(list)
    for item in found.items:
        by_case[item.case].append(item)
    return tuple(case_item(case, items) for case, items in by_case.items())


def references(found: Snapshot) -> Iterable[tuple[str, labels.Label, tuple[str, ...]]]:
    """(case, reference label, structures it annotates exhaustively and won) of a reference snapshot."""
    for item in found.items:
        yield item.case, item.label, item.structures


def case_item(case: str, items: list[snapshots.Item]) -> CaseItem:
    """A case with its labels, as trainers take it; InvalidDataError if it has no image any more."""
    image = items[0].image
    if image is None:
        raise InvalidDataError(f"case {case} has lost its image; flaredb ingest images PATH --case {case}")
    trusted = trusts((item.label, "won" if item.role == "won" else "contributes", item.structures) for item in items)
    volumes = [item.label.volume or "" for item in items]
    return CaseItem(case, image, tuple(LabelItem(v, t) for v, t in zip(volumes, trusted, strict=True)))


def _numbers(spoken: Mapping[str, list[Current]]) -> set[int]:
    """Every label that speaks."""
    voices = [voice for listed in spoken.values() for c in listed for voice in (c.winner, *c.contributors)]
    return {voice.number for voice in voices if voice}


def _human(spoken: Iterable[Current]) -> list[Current]:
    """What a person's label won, without contributors."""
    return [c._replace(contributors=()) for c in spoken if c.winner and c.winner.kind in HUMAN]


def _content(case: cases.Case, entry: Entry, label: labels.Label) -> list[Any]:
    """What makes an item what it is: voxels, meanings, trust; no row numbers."""
    modes = {name: [mode.exhaustive, mode.within] for name, mode in label.annotated.items()}
    return [case.name, case.image, label.name, label.volume, label.codes.digest, modes, entry.role, entry.structures]


def task_digest(task: Task) -> str:
    """SHA-256 of a task's name and structures."""
    return hashlib.sha256(json.dumps([task.name, task.structures]).encode()).hexdigest()
