"""Label cases with a model; each prediction is a pseudo label with its model as provenance."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from datetime import UTC, datetime
from typing import Any

from flaredb.catalog import cases, labels, lineage, models, rounds, scores
from flaredb.catalog.database import Connection, Run, Write
from flaredb.catalog.labels import NewLabel, Presence
from flaredb.catalog.scores import NewScore
from flaredb.errors import ConflictError, Finding, InvalidDataError, StorageError
from flaredb.labels.labelset import Mode
from flaredb.labels.mappings import identity
from flaredb.workflow.ingest.labels import enter_label
from flaredb.workflow.predict.plan import (
    Member,
    Plan,
    PredictOptions,
    check_members,
    make_plan,
    provenance,
    same_way,
    settled,
)
from flaredb.workflow.predict.postprocess import choose_recipe
from flaredb.workflow.predict.workers import Job, Made, predicted
from flaredb.workflow.results import Result, Tally
from flaredb.workspace import Workspace

__all__ = ["PredictOptions", "predict", "predict_cases"]

PREDICTION = "prediction"  # the protocol of the scores that a prediction brings with it


def predict(
    workspace: Workspace,
    model: str,
    where: str | None = None,
    source: str | None = None,
    options: PredictOptions = PredictOptions(),  # noqa: B008  frozen
) -> Result:
    """Predict the cases for which `where` holds; labels of `source` (the model's name unless given), not accepted.

    `model` may name several, separated by commas: their logits are averaged, the first is the labels' model.
    """
    with workspace.catalog.read() as connection:
        found = [models.find(connection, name) for name in model.split(",")]
        if len(found) > 1 and source is None:
            raise InvalidDataError("several models: name the source of their labels with --as")
        rounds.refuse_source(connection, source or found[0].name)
        names = cases.matching(connection, where)
        _refuse_unlike(connection, found)
    source = source or found[0].name
    if options.postprocess == "auto":
        options = options._replace(postprocess=choose_recipe(workspace, found[0]))
    models.refuse_foreign(found[0], "predict here")
    options = settled(found[0].config, options)
    arguments: dict[str, Any] = {"model": ",".join(each.name for each in found), "where": where, "source": source}
    with workspace.run("predict", **arguments, **options._asdict()) as run:
        return predict_cases(workspace, run, found, source, names, options)


def predict_cases(
    workspace: Workspace,
    run: Run,
    model: models.Model | Sequence[models.Model],
    source: str,
    names: Sequence[str],
    options: PredictOptions = PredictOptions(),  # noqa: B008  frozen
) -> Result:
    """Predict cases by name; those this source has labelled with this model already are `unchanged`."""
    members = [model] if isinstance(model, models.Model) else list(model)
    job = _job(workspace, members, options)
    told = provenance([each.name for each in members], job.plan)
    tally = Tally()
    with run.write() as write:
        done = _done(write, members[0], source, told)
        known = {case.name: case for case in cases.every(write.connection)}
        for name in set(names) & done:
            tally.count("unchanged", name)
        todo = [known[name] for name in names if name not in done and known[name].image]
        for finding in _other_way(write, source, told, bool(done), bool(todo)):
            tally.findings.append(finding)
            write.add_findings([finding])
    results = zip(todo, predicted(job, [case.image or "" for case in todo]) if todo else [], strict=True)
    for case, made in workspace.reporter.track(results, f"predicting {source}", len(todo)):
        _enter(run, (job.plan, members[0].name, source), case, made, tally)
    return tally.result(write.operation)


def _job(workspace: Workspace, members: Sequence[models.Model], options: PredictOptions) -> Job:
    """What to predict with; InvalidDataError for models that are not trained, or do not fit each other."""
    for each in members:
        models.refuse_foreign(each, "predict here")
        if each.state != "trained":
            raise InvalidDataError(f"{each.name} is not trained to the end; flaredb train --resume {each.name}")
    parts = [
        Member(each.name, each.config, tuple(workspace.structures[name] for name in each.structures), None)
        for each in members
    ]
    plan = make_plan(check_members(parts), settled(members[0].config, options))
    folders = tuple(workspace.model_folder(each.name) for each in members)
    return Job(workspace.volumes.root, tuple(parts), folders, plan, identity(workspace.structures))


def _done(write: Write, model: models.Model, source: str, told: str) -> set[str]:
    """Cases that the source has labelled with this model."""
    labels.ensure_source(write, source, "pseudo", told)
    return {label.case for label in labels.of_source(write.connection, source) if label.model == model.name}


def _other_way(write: Write, source: str, told: str, done: bool, more: bool) -> list[Finding]:
    """A remark if the labels there were made in another way; ConflictError if others would join them."""
    before = labels.recipe_of(write.connection, source)
    if not done or not before or same_way(before, told):
        return []
    message = f"the labels of {source} were made in another way ({before}); give a source of their own with --as"
    if more:
        raise ConflictError(message)
    return [Finding("warning", None, "made-otherwise", message)]


def _refuse_unlike(connection: Connection, members: Sequence[models.Model]) -> None:
    """A label names one model, and all that descends from the others must be known through it."""
    first, *others = members
    own = lineage.ancestors(connection, models=[first.id])
    for other in others:
        if lineage.ancestors(connection, models=[other.id]).snapshots - own.snapshots:
            raise ConflictError(
                f"{other.name} learnt from data that {first.name} did not, and labels name {first.name} alone; "
                "put it first, or export both and average them on files: flaredb predict --model DIR,DIR IN OUT"
            )


def _enter(run: Run, who: tuple[Plan, str, str], case: cases.Case, made: Future[Made], tally: Tally) -> None:
    """Add the label and how sure it is; a case that cannot be predicted is a finding."""
    plan, model, source = who
    error = made.exception()
    if isinstance(error, StorageError):
        finding = Finding("error", case.name, "not-predicted", str(error))
        with run.write() as write:
            write.add_findings([finding])
        tally.count("failed", case.name, [finding])
        return
    result = made.result()
    with run.write() as write:
        outcome, name = enter_label(write, _new_label(plan, model, source, case, result), accepted=False)
        if outcome == "added":
            number = labels.find(write.connection, name).id
            scores.add(write, PREDICTION, _scores(number, result))
    tally.count(outcome, name)


def _scores(label: int, made: Made) -> list[NewScore]:
    """A prediction's own figures: of the label against itself."""
    figures = {
        "confidence": made.sure.confidence,
        "expected_dice": made.sure.expected,
        "mirror_disagreement": made.sure.disagreement,
    }
    return [
        NewScore(label, label, structure, metric, value)
        for metric, by_name in figures.items()
        for structure, value in by_name.items()
    ]


def _new_label(plan: Plan, model: str, source: str, case: cases.Case, made: Made) -> NewLabel:
    """A pseudo label; what it leaves empty is positive-only, so that a missed organ does not teach its own absence."""
    own = {each.name: made.presence.get(each.name, Presence(0, None)) for each in plan.structures}
    return NewLabel(
        case=case.name,
        source=source,
        kind="pseudo",
        volume=made.volume,
        codes=made.codes,
        annotated={name: Mode(exhaustive=found.voxels > 0) for name, found in own.items()},
        presence=own,
        facts=_facts(case),
        annotated_at=datetime.now(UTC),
        model=model,
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
