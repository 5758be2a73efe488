"""Label cases with a model; each prediction is a pseudo label with its model as provenance."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from flaredb.catalog import cases, labels, models, rounds
from flaredb.catalog.database import Run
from flaredb.catalog.labels import NewLabel, Presence
from flaredb.errors import Finding, InvalidDataError, StorageError
from flaredb.labels.labelset import Mode
from flaredb.labels.mappings import identity
from flaredb.trainers import checkpoint, config, runtime
from flaredb.trainers.predict import Predictor
from flaredb.workflow.ingest_labels import enter_label, find_presence
from flaredb.workflow.results import Result, Tally
from flaredb.workspace import Workspace


class PredictOptions(NamedTuple):
    """Settings of a prediction; `mirror` lists axes (0 z, 1 y, 2 x) to average flips over."""

    device: str = "auto"
    mirror: tuple[int, ...] = ()


def predict(
    workspace: Workspace,
    model: str,
    where: str | None = None,
    source: str | None = None,
    options: PredictOptions = PredictOptions(),  # noqa: B008  frozen
) -> Result:
    """Predict the cases for which `where` holds; labels of `source` (the model's name unless given), not accepted."""
    with workspace.catalog.read() as connection:
        found = models.find(connection, model)
        rounds.refuse_source(connection, source or found.name)
        names = cases.matching(connection, where)
    arguments: dict[str, Any] = {"model": found.name, "where": where, "source": source, **options._asdict()}
    with workspace.run("predict", **arguments) as run:
        return predict_cases(workspace, run, found, source or found.name, names, options)


def predict_cases(
    workspace: Workspace,
    run: Run,
    model: models.Model,
    source: str,
    names: Sequence[str],
    options: PredictOptions = PredictOptions(),  # noqa: B008  frozen
) -> Result:
    """Predict cases by name; those this source has labelled with this model already are `unchanged`."""
    models.refuse_foreign(model, "predict here")
    if model.state != "trained":
        raise InvalidDataError(f"{model.name} is not trained to the end; flaredb train --resume {model.name}")
    with run.write() as write:
        labels.ensure_source(write, source, "pseudo")
        known = {case.name: case for case in cases.every(write.connection)}
        done = {label.case for label in labels.of_source(write.connection, source) if label.model == model.name}
    predictor = Predictor(
        config.from_document(model.config),
        checkpoint.published(workspace.model_folder(model.name)),
        len(model.structures) + 1,
        runtime.find_device(options.device),
    )
    tally = Tally()
    for name in workspace.reporter.track(names, f"predicting {source}", len(names)):
        if name in done:
            tally.count("unchanged", name)
        elif known[name].image:
            _predict_case(workspace, run, (predictor, model, source), known[name], options, tally)
    return tally.result(write.operation)


def _predict_case(
    workspace: Workspace,
    run: Run,
    who: tuple[Predictor, models.Model, str],
    case: cases.Case,
    options: PredictOptions,
    tally: Tally,
) -> None:
    predictor, model, source = who
    try:
        image = workspace.volumes.open(case.image or "")
        codes = _values(workspace, model)[predictor.predict(image, options.mirror)]
        volume = workspace.volumes.put_label(codes, image.grid).volume
    except StorageError as error:
        finding = Finding("error", case.name, "not-predicted", str(error))
        with run.write() as write:
            write.add_findings([finding])
        tally.count("failed", case.name, [finding])
        return
    label = _new_label(workspace, model, source, case, volume, codes)
    with run.write() as write:
        _, name = enter_label(write, label, accepted=False)
    tally.count("added", name)


def _values(workspace: Workspace, model: models.Model) -> NDArray[np.uint8]:
    """Class of the task → the structure's value."""
    return np.array([0, *(workspace.structures[name].value for name in model.structures)], dtype=np.uint8)


def _new_label(
    workspace: Workspace,
    model: models.Model,
    source: str,
    case: cases.Case,
    volume: str,
    codes: NDArray[np.uint8],
) -> NewLabel:
    """A pseudo label; what it leaves empty is positive-only, so that a missed organ does not teach its own absence."""
    mapping = identity(workspace.structures)
    presence = find_presence(codes, mapping)
    absent = Presence(0, None)
    own = {name: presence.get(name, absent) for name in model.structures}
    return NewLabel(
        case=case.name,
        source=source,
        kind="pseudo",
        volume=volume,
        codes=mapping,
        annotated={name: Mode(exhaustive=found.voxels > 0) for name, found in own.items()},
        presence=own,
        facts=_facts(case),
        annotated_at=datetime.now(UTC),
        model=model.name,
    )


def _facts(case: cases.Case) -> dict[str, Any]:
    """A prediction is exported on its scan's own axes, as small unsigned integers."""
    if case.space is None:
        return {}
    space = case.space
    return {
        "file_shape": space.shape,
        "file_affine": space.affine,
        "file_orientation": space.orientation,
        "file_dtype": "uint8",
        "file_pixdim": space.pixdim,
    }
