"""Bring a model home that was trained elsewhere: a package of flaredb's, or a results folder of nnU-Net."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from flaredb.catalog import models, snapshots
from flaredb.catalog.database import Connection
from flaredb.catalog.models import Brought, Model, NewModel
from flaredb.catalog.snapshots import Snapshot
from flaredb.errors import ConflictError, InvalidDataError, NotFoundError, UsageError
from flaredb.exchange.nnunet_results import is_results
from flaredb.labels.tasks import Task
from flaredb.trainers.package import DOCUMENT, WEIGHTS, Package, check_weights, read_package
from flaredb.workflow.model.files import copy_files
from flaredb.workflow.model.nnunet import import_nnunet
from flaredb.workflow.results import Result
from flaredb.workflow.snapshot.create import task_digest
from flaredb.workspace import Workspace


class _Home(NamedTuple):
    """Where a package belongs: its snapshot here, and the same model if it is here already."""

    snapshot: Snapshot
    known: Model | None


def model_import(workspace: Workspace, folder: Path, splits: Path | None = None, snapshot: str | None = None) -> Result:
    """Import a model's folder; a model that is here already is `unchanged`. `splits` is nnU-Net's `splits_final.json`.

    `snapshot`: whose export another program trained from; a package knows its own.

    A package is matched to its snapshot by name and digest: NotFoundError if the catalogue has no such snapshot or no
    such parent, ConflictError if it holds something else, InvalidDataError for a damaged package.
    """
    if not folder.is_dir():
        raise NotFoundError(f"{folder}: no such folder")
    if not (folder / DOCUMENT).is_file() and is_results(folder):
        return import_nnunet(workspace, folder, splits, snapshot)
    if splits or snapshot:
        raise UsageError(f"--splits and --snapshot are for a results folder of nnU-Net; {folder.name} is none")
    package = read_package(folder)
    with workspace.catalog.read() as connection:
        home = _find_home(workspace, connection, package)
    if home.known:
        return Result(None, (package.name,), unchanged=1)
    check_weights(package)
    place = workspace.model_folder(package.name)
    with workspace.lock(f"model {package.name}"), workspace.run("model import", folder=folder.resolve().name) as run:
        digests = copy_files({name: folder / name for name in (WEIGHTS, DOCUMENT)}, place)
        if digests[WEIGHTS] != package.weights_sha256:
            raise InvalidDataError(f"{folder.name}/{WEIGHTS} changed while it was read; import it again")
        with run.write() as write:
            if _find_home(workspace, write.connection, package).known:
                return Result(None, unchanged=1)
            task = Task(home.snapshot.task, home.snapshot.structures)
            number = snapshots.task_number(write, task.name, task.structures, task_digest(task))
            models.bring(write, _brought(package, number, folder.resolve().name))
    return Result(write.operation, (package.name,), added=1)


def _find_home(workspace: Workspace, connection: Connection, package: Package) -> _Home:
    """The package's place in this catalogue; the errors say why it has none."""
    known = next((model for model in models.every(connection) if model.name == package.name), None)
    if known and (known.checkpoint, known.snapshot) != (package.weights_sha256, package.snapshot):
        raise ConflictError(f"{package.name} is here already with other weights; it cannot be imported over it")
    try:
        found = snapshots.find(connection, package.snapshot)
    except NotFoundError as error:
        raise NotFoundError(
            f"{package.name} was trained from {package.snapshot}, which this catalogue does not know; "
            "import it where the snapshot was exported"
        ) from error
    if found.digest != package.digest:
        raise ConflictError(f"{package.snapshot} of {package.name} and the one here have other digests")
    if tuple(structure.name for structure in package.structures) != found.structures:
        raise InvalidDataError(f"{package.name} does not learn the structures of {found.name}")
    if any(workspace.structures[each.name] != each for each in package.structures):
        raise InvalidDataError(f"{package.name}: its structures have other values here")
    if package.parent and not known and package.parent not in {model.name for model in models.every(connection)}:
        raise NotFoundError(f"{package.name} started from {package.parent}, which is not here; import that one first")
    return _Home(found, known)


def _brought(package: Package, task: int, folder: str) -> Brought:
    new = NewModel(
        package.name,
        package.snapshot,
        package.parent,
        package.config,
        package.seed,
        package.code_version,
        dict(package.environment),
    )
    provenance = {"folder": folder, "weights_sha256": package.weights_sha256}
    return Brought(new, task, package.weights_sha256, package.steps, "imported", provenance)
