"""Write a model as a folder with which anybody can predict, or start training, without this catalogue."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flaredb.catalog import models, snapshots
from flaredb.catalog.database import Connection
from flaredb.catalog.models import FOREIGN, Model
from flaredb.errors import ConflictError, StorageError
from flaredb.trainers import checkpoint
from flaredb.trainers.package import WEIGHTS, Package, write_package
from flaredb.workflow.model.files import copy_files, sha256_of
from flaredb.workflow.model.show import losses_of
from flaredb.workflow.predict.files import write_runner
from flaredb.workspace import Workspace


def model_export(workspace: Workspace, name: str, destination: Path) -> dict[str, Any]:
    """Write a trained model to a folder; of nnU-Net's models the files that nnU-Net predicts with.

    ConflictError for a model in training, or a folder that holds something else; StorageError if its weights are not
    the ones that were trained.
    """
    with workspace.catalog.read() as connection:
        model = models.find(connection, name)
        if model.state != "trained":
            raise ConflictError(f"{model.name} is not trained to the end; flaredb train --resume {model.name}")
        package = None if model.origin == FOREIGN else _package(workspace, connection, model)
    with workspace.run("model export", model=model.name, destination=destination.name):
        digest = write_package(destination, package) if package else _give_back(workspace, model, destination)
        if package:
            write_runner(destination)
    return {"model": model.name, "origin": model.origin, "weights_sha256": digest, "folder": destination.name}


def _package(workspace: Workspace, connection: Connection, model: Model) -> Package:
    folder = workspace.model_folder(model.name)
    weights = checkpoint.published(folder)
    if sha256_of(folder / WEIGHTS) != model.checkpoint:
        raise _altered(model)
    return Package(
        name=model.name,
        task=model.task,
        structures=tuple(workspace.structures[each] for each in model.structures),
        config=model.config,
        snapshot=model.snapshot,
        digest=snapshots.find(connection, model.snapshot).digest,
        steps=model.steps,
        losses=tuple(losses_of(workspace, model)),
        code_version=model.code_version,
        environment=model.environment,
        seed=model.seed,
        parent=model.parent,
        weights=weights,
    )


def _give_back(workspace: Workspace, model: Model, destination: Path) -> str:
    """The files as they came."""
    digests: dict[str, str] = (model.provenance or {})["files"]
    folder = workspace.model_folder(model.name)
    if destination.exists() and any(destination.iterdir()):
        raise ConflictError(f"{destination} is not empty; give a new folder")
    if any(not (folder / name).is_file() or sha256_of(folder / name) != digest for name, digest in digests.items()):
        raise _altered(model)
    copy_files({name: folder / name for name in digests}, destination)
    return model.checkpoint or ""


def _altered(model: Model) -> StorageError:
    return StorageError(f"the weights of {model.name} are not those that were stored; restore them from a backup")
