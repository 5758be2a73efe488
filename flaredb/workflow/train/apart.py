"""Train where there is no catalogue: from a snapshot file and a folder of volumes, to a model to bring home."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from flaredb.errors import ConflictError, InvalidDataError, NotFoundError, StorageError
from flaredb.progress import Reporter
from flaredb.trainers import checkpoint, runtime
from flaredb.trainers.checkpoint import Checkpoint
from flaredb.trainers.config import Config
from flaredb.trainers.loop import Training
from flaredb.trainers.package import DOCUMENT, Package, model_name, read_document, read_package, write_package
from flaredb.trainers.samples import TrainingSet
from flaredb.version import __version__
from flaredb.volumes.store import VolumeStore
from flaredb.workflow.snapshot.read import read_training_set
from flaredb.workflow.train.process import TrainOptions, check_team, dismiss, run_to_end

_RUN = "run.json"


class Places(NamedTuple):
    """Where things are: the snapshot file, the volumes, the folder to write to, and a model's folder to start from."""

    snapshot: Path
    volumes: Path
    out: Path
    warm: Path | None = None


class TrainedApart(NamedTuple):
    """A model trained apart, written as a package; `unchanged` if it was there already."""

    model: str
    snapshot: str
    steps: int
    losses: list[float]
    validation: list[dict[str, Any]]
    waiting: float
    package: str
    unchanged: bool


def train_apart(
    places: Places,
    settings: Config,
    options: TrainOptions = TrainOptions(),  # noqa: B008  frozen
    reporter: Reporter | None = None,
) -> TrainedApart:
    """Train and write a package into `places.out`; the same call again goes on where it stopped.

    ConflictError if the folder holds something else or is being written, StorageError if volumes are missing,
    UnfinishedError if it was told to stop or reached its time limit.
    """
    reporter = reporter or Reporter()
    check_team(settings)
    data = _data(places, settings)
    if settings.validate_every:
        reporter.say("the snapshot file holds no cases to validate on: trained without validation")
    warm = read_package(places.warm) if places.warm else None
    parent = warm.name if warm else None
    name = model_name(data.digest, settings.text(), warm.weights_sha256 if warm else "")
    with _hold(places.out):
        _claim(places.out, {"model": name, "snapshot": data.snapshot, "parent": parent, "config": asdict(settings)})
        if (places.out / DOCUMENT).exists():
            dismiss()
            return _there(places.out, data)
        training = Training(
            data,
            VolumeStore(places.volumes),
            settings,
            places.out / "checkpoints",
            runtime.find_device(options.device),
            warm.weights if warm else None,
            places.out / "board",
        )
        stage = run_to_end(reporter, training, name, options)
        write_package(places.out, _package(training, stage, name, parent))
    return _result(data, name, stage, str(places.out), unchanged=False)


def _data(places: Places, settings: Config) -> TrainingSet:
    """The snapshot's training set, once every volume it names is known to be there."""
    data = read_training_set(places.snapshot)
    if not places.volumes.is_dir():
        raise NotFoundError(f"{places.volumes}: no such folder; give the workspace's volumes, or a copy of them")
    store = VolumeStore(places.volumes)
    named = {item.image for item in data.cases} | {label.volume for item in data.cases for label in item.labels}
    missing = sorted(digest for digest in named if not store.has(digest))
    if missing:
        raise StorageError(
            f"{len(missing)} of the snapshot's {len(named)} volumes are not in {places.volumes.name}, "
            f"{missing[0][:12]} for one; copy the whole folder"
        )
    if settings.publish == "best":
        raise InvalidDataError("the snapshot file holds no cases to validate on; --set publish=last")
    return data


def _claim(out: Path, wanted: dict[str, Any]) -> None:
    """Write down what the folder is for, or see that it is for the same; ConflictError if it is not."""
    place = out / _RUN
    text = json.dumps(wanted, indent=1)
    if place.exists():
        if json.loads(place.read_text(encoding="utf-8")) != json.loads(text):
            raise ConflictError(
                f"{out} holds another training (another snapshot, model or setting); give another --out"
            )
        return
    if any(not entry.name.startswith(".") for entry in out.iterdir()):
        raise ConflictError(f"{out} is not empty; give a new or empty folder")
    part = out / f".{_RUN}.part"
    part.write_text(text, encoding="utf-8")
    part.replace(place)


@contextmanager
def _hold(out: Path) -> Iterator[None]:
    """The folder for this process alone, made if need be."""
    if not out.parent.is_dir():
        raise NotFoundError(f"{out.parent}: no such folder")
    out.mkdir(exist_ok=True)
    with (out / ".lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ConflictError(f"another process trains into {out}; wait for it") from error
        yield


def _package(training: Training, stage: Checkpoint, name: str, parent: str | None) -> Package:
    data, settings = training.data, training.config
    return Package(
        name=name,
        task=data.task.name,
        structures=tuple(data.space[structure] for structure in data.task.structures),
        config=asdict(settings),
        snapshot=data.snapshot,
        digest=data.digest,
        steps=stage.steps,
        losses=tuple(stage.losses),
        code_version=__version__,
        environment=runtime.environment(training.device),
        seed=settings.seed,
        parent=parent,
        weights=checkpoint.final_weights(training.folder, stage, settings.publish),
    )


def _there(out: Path, data: TrainingSet) -> TrainedApart:
    """What an earlier call wrote."""
    stage = checkpoint.load(out / "checkpoints")
    document = read_document(out)
    known = stage or Checkpoint(document["steps"], document["losses"], {}, {})
    return _result(data, document["name"], known, str(out), unchanged=True)


def _result(data: TrainingSet, name: str, stage: Checkpoint, out: str, unchanged: bool) -> TrainedApart:
    waiting = round(stage.waited / max(stage.seconds, 1e-9), 4)
    return TrainedApart(name, data.snapshot, stage.steps, stage.losses, stage.validation, waiting, out, unchanged)
