"""nnU-Net's models: plans, structures, training cases and scores are read, weights are kept and never opened."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from flaredb.catalog import cases, model_scores, models, snapshots
from flaredb.catalog.models import FOREIGN, Brought, NewModel
from flaredb.catalog.snapshots import Snapshot
from flaredb.errors import Finding, InvalidDataError
from flaredb.exchange.nnunet_results import DATASET, DOCUMENTS, Fold, Results, read_results
from flaredb.labels.described import read_described, structure_named
from flaredb.labels.structures import StructureSet
from flaredb.labels.tasks import BUILT_IN, Task, find_task
from flaredb.trainers.package import model_name
from flaredb.workflow.model.files import copy_files, sha256_of
from flaredb.workflow.results import Result
from flaredb.workflow.snapshot.create import task_digest
from flaredb.workspace import Workspace


class _Read(NamedTuple):
    """A results folder and what it means here: the task, the digest of each file to keep, what it was trained from."""

    results: Results
    task: Task
    files: dict[str, Path]
    digests: dict[str, str]
    snapshot: Snapshot | None

    @property
    def checkpoint(self) -> str:
        """One digest for the weights of all folds."""
        own = [digest for name, digest in sorted(self.digests.items()) if name.endswith(".pth")]
        return own[0] if len(own) == 1 else hashlib.sha256("\n".join(own).encode()).hexdigest()

    @property
    def name(self) -> str:
        """The model's name, the same whenever these weights and documents are imported."""
        return model_name(*(f"{name} {digest}" for name, digest in sorted(self.digests.items())))

    @property
    def training(self) -> tuple[str, ...] | None:
        """The cases that some fold learnt from; if that is not told of every fold those of the snapshot, or None."""
        own = [fold.training for fold in self.results.folds]
        if None in own:
            return self.handed_over or None
        return tuple(sorted({case for part in own for case in part or ()}))

    @property
    def handed_over(self) -> tuple[str, ...]:
        """The cases of the snapshot."""
        return tuple(sorted({item.case for item in self.snapshot.items})) if self.snapshot else ()


def import_nnunet(
    workspace: Workspace, folder: Path, splits: Path | None = None, snapshot: str | None = None
) -> Result:
    """Import nnU-Net's results; a finding says so where nothing tells which cases it learnt from.

    `snapshot`: whose export it was trained from; InvalidDataError if it learnt from other cases or structures.
    """
    read = _read(workspace, folder, splits, snapshot)
    if there := _there(workspace, read):
        return there
    size = sum(path.stat().st_size for path in read.files.values())
    workspace.reporter.say(f"copying {size / 1e6:.0f} MB of weights")
    place = workspace.model_folder(read.name)
    with workspace.lock(f"model {read.name}"), workspace.run("model import", folder=read.results.folder.name) as run:
        if copy_files(read.files, place) != read.digests:
            raise InvalidDataError(f"{read.results.folder.name} changed while it was read; import it again")
        with run.write() as write:
            known = cases.by_any_names(write.connection, set(read.training or ()))
            findings = _remarks(read, len(known))
            task = snapshots.task_number(write, read.task.name, read.task.structures, task_digest(read.task))
            number = models.bring(write, _brought(read, task, len(known)))
            model_scores.add(write, number, FOREIGN, list(_scores(workspace.structures, read.results)))
            write.add_findings(findings)
    return Result(write.operation, (read.name,), added=1, findings=tuple(findings))


def _there(workspace: Workspace, read: _Read) -> Result | None:
    """What is left to do for a model that is here: nothing, or to note the cases it learnt from."""
    with workspace.catalog.read() as connection:
        model = next((model for model in models.every(connection) if model.name == read.name), None)
        told = model is None or bool(models.cases_of(connection, model.id))
    if model is None:
        return None
    lacks = read.snapshot is not None and not model.snapshot
    if not lacks and (told or not read.training):
        return Result(None, (read.name,), unchanged=1)
    with workspace.run("model import", folder=read.results.folder.name) as run, run.write() as write:
        findings: list[Finding] = []
        if read.snapshot is not None and lacks:
            task = snapshots.task_number(write, read.task.name, read.task.structures, task_digest(read.task))
            models.tell_snapshot(write, model, read.snapshot.id, task)
        if not told and read.training:
            known = cases.by_any_names(write.connection, set(read.training))
            findings = _remarks(read, len(known))
            models.tell_cases(write, model, read.training, _provenance(read, len(known)))
        write.add_findings(findings)
    return Result(write.operation, (read.name,), added=1, findings=tuple(findings))


def _read(workspace: Workspace, folder: Path, splits: Path | None, snapshot: str | None) -> _Read:
    results, structures = read_results(folder, splits), workspace.structures
    meanings = read_described(results.folder / DATASET, structures).codes.values()
    names = structures.check({name for name in meanings if isinstance(name, str) and name in structures.names})
    if not names:
        raise InvalidDataError(
            f"{results.folder.name} segments no structure of this workspace: {', '.join(results.labels)}"
        )
    own = [find_task(structures, task) for task in BUILT_IN]
    task = next((task for task in own if task.structures == names), Task(results.dataset, names))
    frozen = _frozen(workspace, results, names, snapshot) if snapshot else None
    task = Task(frozen.task, names) if frozen else task
    files = {name: results.folder / name for name in DOCUMENTS if (results.folder / name).is_file()}
    files |= {f"fold_{fold.name}/{fold.checkpoint.name}": fold.checkpoint for fold in results.folds}
    return _Read(results, task, files, {name: sha256_of(path) for name, path in files.items()}, frozen)


def _frozen(workspace: Workspace, results: Results, names: tuple[str, ...], snapshot: str) -> Snapshot:
    """The snapshot, if it can be what the model learnt from."""
    with workspace.catalog.read() as connection:
        frozen = snapshots.find(connection, snapshot)
    if frozen.purpose != "train":
        raise InvalidDataError(f"{frozen.name} holds references, which no model may learn from")
    if other := sorted(set(names) - set(frozen.structures)):
        raise InvalidDataError(f"{frozen.name} is about other structures than {results.folder.name}: {' '.join(other)}")
    told = {case for fold in results.folds for case in fold.training or ()}
    if other := sorted(told - {item.case for item in frozen.items}):
        raise InvalidDataError(
            f"{results.folder.name} learnt from {len(other)} cases that {frozen.name} does not hold: "
            f"{' '.join(other[:5])}; give the snapshot whose export it was trained from"
        )
    return frozen


def _provenance(read: _Read, known: int) -> dict[str, Any]:
    results, training = read.results, read.training
    return {
        "program": "nnU-Net 2",
        "folder": results.folder.name,
        "dataset": results.dataset,
        "trainer": results.trainer,
        "plans": results.plans,
        "configuration": results.configuration,
        "labels": results.labels,
        "files": read.digests,
        "folds": {fold.name: _fold(fold) for fold in results.folds},
        "training_cases": {"listed": None if training is None else len(training), "known": known},
    }


def _brought(read: _Read, task: int, known: int) -> Brought:
    results = read.results
    environment = {key: value for fold in results.folds for key, value in fold.environment.items()}
    frozen = read.snapshot.name if read.snapshot else ""
    new = NewModel(read.name, frozen, None, {FOREIGN: results.settings}, 0, "nnunetv2", environment)
    steps = max(fold.steps for fold in results.folds)
    return Brought(new, task, read.checkpoint, steps, FOREIGN, _provenance(read, known), read.training or ())


def _fold(fold: Fold) -> dict[str, Any]:
    return {
        "training": None if fold.training is None else len(fold.training),
        "validation": len(fold.validation),
        "dice": fold.mean,
    }


def _scores(structures: StructureSet, results: Results) -> Iterator[tuple[str, str, str, float]]:
    """(case, structure, metric, value), as far as a label's name is one structure; a case is in one fold's scores."""
    codes = {str(tuple(value) if isinstance(value, list) else value): name for name, value in results.labels.items()}
    meanings = {code: structure_named(name, structures) for code, name in codes.items()}
    rows = {}
    for fold in results.folds:
        for case, by_code in fold.scores.items():
            for code, value in by_code.items():
                if isinstance(meaning := meanings.get(code), str):
                    rows[case, meaning] = value
    yield from ((case, name, "dsc", value) for (case, name), value in rows.items())


def _remarks(read: _Read, known: int) -> list[Finding]:
    """What the guard against leaks cannot see."""
    training, folder = read.training, read.results.folder.name
    if training is None:
        message = (
            f"no file that fits its scores tells which cases {read.name} learnt from, so that "
            "nothing keeps it from being judged on them; "
            "to tell: flaredb model import DIR --splits splits_final.json, from nnU-Net's folder of preprocessed data"
        )
        return [Finding("warning", None, "training-cases-unknown", message, folder)]
    if known < len(training):
        missing = len(training) - known
        message = f"{missing} of {len(training)} cases that {read.name} learnt from have no case of that name here; "
        message += "they count as soon as they are imported under these names"
        return [Finding("info", None, "training-cases-elsewhere", message, folder)]
    return []
