"""Train a model from a snapshot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, NamedTuple

from flaredb.catalog import models, snapshots
from flaredb.catalog.database import Run, Write
from flaredb.errors import InvalidDataError
from flaredb.trainers import checkpoint, config, runtime
from flaredb.trainers.config import Config
from flaredb.trainers.loop import Training
from flaredb.trainers.package import model_name
from flaredb.trainers.replay import replay
from flaredb.version import __version__
from flaredb.workflow.model.files import copy_files
from flaredb.workflow.provenance.taint import refuse_tainted
from flaredb.workflow.snapshot.create import check_snapshot, freeze, training_set
from flaredb.workflow.train.process import TrainOptions, check_team, run_to_end
from flaredb.workflow.train.validation import validation_set, with_references
from flaredb.workspace import Workspace


class Trained(NamedTuple):
    """A trained model and the loss of every step.

    `validation`: mean DSC and that of each structure, by step. `waiting`: share of the time spent waiting for data.
    """

    operation: int
    model: str
    snapshot: str
    steps: int
    losses: list[float]
    validation: list[dict[str, Any]]
    waiting: float

    @property
    def ids(self) -> tuple[str, ...]:
        """The model's name, as changing verbs report what they made."""
        return (self.model,)


def train(
    workspace: Workspace,
    task: str,
    settings: Config,
    snapshot: str | None = None,
    warm: str | None = None,
    options: TrainOptions = TrainOptions(),  # noqa: B008  frozen
) -> Trained:
    """Train a new model; without a snapshot, freeze what is current now. `warm` names a model to start from.

    ConflictError if snapshot or model descend from labels that are withdrawn now, or the snapshot lost cases to a
    purge, unless `options` allow it. UnfinishedError if it was told to stop, or reached its time limit: all is kept.
    """
    check_team(settings)
    with workspace.run("train", task=task, snapshot=snapshot, settings=asdict(settings), warm=warm) as run:
        with run.write() as write:
            if snapshot:
                check_snapshot(write.connection, snapshot, task)
            frozen = snapshot or freeze(workspace, write, task, "train").name
            if not options.tainted:
                refuse_tainted(write.connection, frozen, warm)
            settings = with_references(workspace, write, frozen, settings)
            name = register(workspace, write, frozen, settings, warm)
        return continue_training(workspace, run, name, options)


def resume(
    workspace: Workspace,
    model: str,
    settings: Mapping[str, str],
    options: TrainOptions = TrainOptions(),  # noqa: B008  frozen
) -> Trained:
    """Go on with a model: an interrupted one as it was; a finished one as a new model with more `steps`.

    ConflictError if the model descends from labels that are withdrawn now, unless `options` allow it.
    """
    with workspace.catalog.read() as connection:
        known = models.find(connection, model)
        models.refuse_foreign(known, "be trained further here")
        if not options.tainted:
            refuse_tainted(connection, known.snapshot, known.name)
    check_team(config.from_document(known.config))
    with workspace.run("train", resume=known.name, settings=dict(settings)) as run:
        others = set(settings) - {"steps"}
        if others:
            raise InvalidDataError(
                f"--resume changes steps alone, not {' '.join(sorted(others))}; --from starts a new model"
            )
        wanted = config.change(config.from_document(known.config), settings)
        if known.state == "training":
            if wanted != config.from_document(known.config):
                raise InvalidDataError(f"{known.name} is unfinished; first: flaredb train --resume {known.name}")
            return continue_training(workspace, run, known.name, options)
        if wanted.steps <= known.steps:
            raise InvalidDataError(f"{known.name} has {known.steps} steps; ask for more: --set steps=N")
        with run.write() as write:
            name = register(workspace, write, known.snapshot, wanted, known.name)
            folder = workspace.model_folder(name)
            # Before the row is committed: a model without its checkpoint would begin again.
            reached = workspace.model_folder(known.name) / "checkpoints"
            files = {str(path.relative_to(reached)): path for path in reached.rglob("*") if path.is_file()}
            copy_files(files, folder / "checkpoints")
        return continue_training(workspace, run, name, options)


def register(workspace: Workspace, write: Write, snapshot: str, settings: Config, parent: str | None) -> str:
    """Record a model about to be trained; its name."""
    known = models.find(write.connection, parent) if parent else None
    if known:
        models.refuse_foreign(known, "be trained further here")
    snapshot = snapshots.find(write.connection, snapshot).name
    content = [snapshot, settings.text(), known.name if known else "", str(write.operation)]
    name = model_name(*content)
    new = models.NewModel(
        name=name,
        snapshot=snapshot,
        parent=known.name if known else None,
        config=asdict(settings),
        seed=settings.seed,
        code_version=__version__,
        environment=runtime.environment(runtime.find_device()),
    )
    models.add(write, new)
    return name


def continue_training(
    workspace: Workspace,
    run: Run,
    name: str,
    options: TrainOptions = TrainOptions(),  # noqa: B008  frozen
) -> Trained:
    """Train a recorded model to its last step, from its last checkpoint, and publish its weights."""
    with workspace.lock(f"model {name}"):
        training = _training(workspace, name, options.device)
        stage = run_to_end(workspace.reporter, training, name, options)
        weights = checkpoint.final_weights(training.folder, stage, training.config.publish)
        digest = checkpoint.publish(workspace.model_folder(name), weights)
        with run.write() as write:
            models.finish(write, name, stage.steps, digest)
    waiting = stage.waited / max(stage.seconds, 1e-9)
    return Trained(
        write.operation, name, training.data.snapshot, stage.steps, stage.losses, stage.validation, round(waiting, 4)
    )


def replay_step(workspace: Workspace, model: str, step: int, device: str = "auto") -> dict[str, Any]:
    """Make the patches of a step again and say what the network makes of each; nothing is changed."""
    with workspace.catalog.read() as connection:
        name = models.find(connection, model).name
    return {"model": name, **replay(_training(workspace, name, device), step)}


def _training(workspace: Workspace, name: str, device: str) -> Training:
    """What a recorded model is trained from, and where."""
    with workspace.catalog.read() as connection:
        model = models.find(connection, name)
        settings = config.from_document(model.config)
        data = training_set(workspace, connection, model.snapshot)
        data = validation_set(connection, data, settings)
        parent = models.find(connection, model.parent) if model.parent else None
    folder = workspace.model_folder(name)
    warm = checkpoint.published(workspace.model_folder(parent.name)) if parent else None
    found = runtime.find_device(device)
    return Training(data, workspace.volumes, settings, folder / "checkpoints", found, warm, folder / "board")
