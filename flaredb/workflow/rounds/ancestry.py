"""What descends from a round, and that no round learns from those who judge it."""

from __future__ import annotations

from flaredb.catalog import acceptances, labels, lineage, models, naming, rounds, snapshots
from flaredb.catalog.database import Connection
from flaredb.catalog.rounds import Round
from flaredb.errors import ConflictError

_STANDING = {"open", "trained", "predicted", "evaluated", "promoted"}


def descendants(connection: Connection, turn: Round) -> list[Round]:
    """Rounds that learnt from this one, directly or through others, and are not rejected or rolled back."""
    names = learners(connection, turn)
    return [other for other in rounds.every(connection) if other.state in _STANDING and other.name in names]


def learners(connection: Connection, turn: Round) -> set[str]:
    """Names of all rounds that learnt from this one, directly or through others, whatever became of them."""
    family = _family(connection, turn)
    names = set(naming.rounds(connection, family.snapshots, family.models))
    started = {*naming.models(connection, family.models), turn.model}
    warm = {other.name for other in rounds.every(connection) if other.settings.get("warm") in started - {None}}
    return (names | warm) - {turn.name}


def made_of(connection: Connection, turn: Round) -> dict[str, int]:
    """Generated sources, no rounds, that count now and have labels made of this round's: name → number."""
    own = _family(connection, turn).labels
    played = {other.name for other in rounds.every(connection)}
    return {name: number for name, number in acceptances.counting(connection, own).items() if name not in played}


def _family(connection: Connection, turn: Round) -> lineage.Family:
    model = [models.find(connection, turn.model).id] if turn.model else []
    return lineage.descendants(connection, labels.numbers_of(connection, turn.name), models=model)


def refuse_leak(connection: Connection, snapshot: str, warm: str | None, reference: str) -> None:
    """ConflictError if anything a round learns from descends from a patient or scan that would judge it.

    It learns from the labels of its snapshot and from the model it starts from; models that made such labels, and all
    that those learnt from, count too.
    """
    held = [item.label.id for item in snapshots.find(connection, snapshot).items]
    start = [models.find(connection, warm).id] if warm else []
    family = lineage.ancestors(connection, held, start)
    judges = snapshots.people(connection, [snapshots.find(connection, reference).id])
    guilty = [number for number in family.snapshots if snapshots.people(connection, [number]) & judges]
    foreign = {number for number in family.models if models.people(connection, [number]) & judges}
    if not guilty and not foreign:
        return
    names = naming.models(connection, (snapshots.trained_on(connection, guilty) & family.models) | foreign)
    raise ConflictError(
        f"{' '.join(names)} learnt from patients who would judge the round, and the round would learn from "
        "what descends from that; start from scratch or from a model of another split, and revoke the sources "
        "that such models made"
    )
