"""Bring the predictions of a round in that another program made, by hand."""

from __future__ import annotations

from pathlib import Path

from flaredb.catalog import models, rounds
from flaredb.catalog.models import Model
from flaredb.catalog.rounds import Round
from flaredb.errors import ConflictError
from flaredb.workflow.ingest.annotated import Statements, stated
from flaredb.workflow.ingest.labels import LabelOptions, ingest_labels
from flaredb.workflow.results import Imported
from flaredb.workflow.rounds.outside import label_options
from flaredb.workspace import Workspace


def ingest_round(
    workspace: Workspace,
    path: Path,
    name: str,
    given: LabelOptions | None = None,
    statements: Statements | None = None,
    case: str | None = None,
    dry_run: bool = False,
) -> Imported:
    """Import labels as the predictions of a round that has its model; they are not accepted.

    Codes are those of the model's `dataset.json`, and all its structures are annotated, unless `given` and
    `statements` say otherwise; what a label leaves empty is positive-only. ConflictError for a round in another state,
    or another model than its own.
    """
    turn, model = _find(workspace, name, given.model if given else None)
    own = label_options(workspace, turn, model)
    if given:
        mapping = own.mapping if given.mapping == "identity" else given.mapping
        own = given._replace(
            source=turn.name, kind="pseudo", mapping=mapping, accepted=False, model=model.name, turn=turn.name
        )
    with workspace.lock(f"round {turn.name}"):
        _find(workspace, name, own.model)  # who held the lock may have gone on with the round
        return ingest_labels(workspace, path, statements or stated("all", None, None), own, case, dry_run)


def _find(workspace: Workspace, name: str, model: str | None) -> tuple[Round, Model]:
    with workspace.catalog.read() as connection:
        turn = rounds.find(connection, name)
        if turn.state == "open":
            raise ConflictError(
                f"round {turn.name} has no trained model yet; flaredb round advance {turn.name}, with --model ID for "
                "one that was trained elsewhere"
            )
        if turn.state != "trained":
            raise ConflictError(f"round {turn.name} is {turn.state}; its predictions are complete")
        own = models.find(connection, turn.model or "")
        if model and models.find(connection, model).name != own.name:
            raise ConflictError(f"round {turn.name} predicts with {own.name}, not with {model}")
    return turn, own
