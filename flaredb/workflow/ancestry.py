"""What descends from what, across rounds: through labels trained on, and through weights started from."""

from __future__ import annotations

from flaredb.catalog import models, rounds, snapshots
from flaredb.catalog.database import Connection
from flaredb.catalog.rounds import Round
from flaredb.errors import ConflictError

_STANDING = {"open", "trained", "predicted", "evaluated", "promoted"}


def descendants(connection: Connection, turn: Round) -> list[Round]:
    """Rounds that learnt from this one, directly or through others, and are not rejected or rolled back."""
    every = rounds.every(connection)
    parents = {model.name: model.parent for model in models.every(connection)}
    sources = {
        other.name: {item.label.source for item in snapshots.find(connection, other.snapshot).items} for other in every
    }
    affected = {turn.name: turn.model}
    grown = True
    while grown:
        found = [
            other
            for other in every
            if other.name not in affected
            and (sources[other.name] & affected.keys() or _starts_from(other, parents, set(affected.values())))
        ]
        affected |= {other.name: other.model for other in found}
        grown = bool(found)
    return [other for other in every if other.name in affected and other.id != turn.id and other.state in _STANDING]


def refuse_leak(connection: Connection, warm: str, reference: str) -> None:
    """ConflictError if a model, or one it started from, learnt from a patient of the reference snapshot."""
    judged = {item.patient for item in snapshots.find(connection, reference).items}
    name: str | None = warm
    while name:
        model = models.find(connection, name)
        seen = {item.patient for item in snapshots.find(connection, model.snapshot).items}
        if seen & judged:
            raise ConflictError(
                f"{model.name}, from which {warm} descends, learnt from patients who would judge the "
                "round; start from scratch, or from a model of another split"
            )
        name = model.parent


def _starts_from(turn: Round, parents: dict[str, str | None], affected: set[str | None]) -> bool:
    """Whether the round's model, or the one it is to start from, descends from an affected model."""
    name = turn.model or turn.settings["warm"]
    while name:
        if name in affected:
            return True
        name = parents.get(name)
    return False
