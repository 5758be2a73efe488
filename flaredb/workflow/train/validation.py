"""The cases that a training is validated on: people labelled them, and it learns from none of their patients."""

from __future__ import annotations

from dataclasses import replace

from flaredb.catalog import snapshots
from flaredb.catalog.database import Connection, Write
from flaredb.errors import InvalidDataError
from flaredb.trainers.config import Config
from flaredb.trainers.samples import TrainingSet
from flaredb.trainers.validate import choose
from flaredb.workflow.snapshot import create as frozen
from flaredb.workspace import Workspace


def with_references(workspace: Workspace, write: Write, snapshot: str, settings: Config) -> Config:
    """The settings with a reference snapshot to validate on, frozen now unless they name one, or no validation.

    InvalidDataError if the best weights are to be published and there is nothing to tell which those are, or if the
    snapshot named is no reference.
    """
    if not settings.validate_every:
        return settings
    if settings.validation_snapshot:
        named = snapshots.find(write.connection, settings.validation_snapshot)
        if named.purpose != "reference":
            raise InvalidDataError(f"validation_snapshot={named.name} holds training cases; leave it to flaredb")
        return replace(settings, validation_snapshot=named.name)
    task = snapshots.find(write.connection, snapshot).task
    if frozen.choose(workspace, write.connection, task, "reference").entries:
        made = frozen.freeze(workspace, write, task, "reference").name
        return replace(settings, validation_snapshot=made)
    none = f"no case of the validation split has a label of a person for the task {task}"
    if settings.publish == "best":
        raise InvalidDataError(f"{none}, so nothing tells which weights are best; --set publish=last")
    workspace.reporter.say(f"{none}: trained without validation")
    return replace(settings, validate_every=0)


def validation_set(connection: Connection, data: TrainingSet, settings: Config) -> TrainingSet:
    """A training set with the cases of its reference snapshot, as many as the settings want.

    Left out are patients and scans that it learns from, and cases that were purged since.
    """
    if not settings.validate_every or not settings.validation_snapshot:
        return data
    learnt = snapshots.people(connection, [snapshots.find(connection, data.snapshot).id])
    images = {item.image for item in data.cases}
    found = snapshots.find(connection, settings.validation_snapshot)
    kept = tuple(i for i in found.items if i.image and i.image not in images and i.patient not in learnt)
    items = frozen.case_items(replace(found, items=kept))
    return replace(data, validation=choose(items, data.task, settings.validate_cases))
