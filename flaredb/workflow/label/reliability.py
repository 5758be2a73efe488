"""How far the labels of a generated source can be trusted: computed case by case, stored as rows, read in SQL.

Computed again it is stored again where it comes out otherwise; the last figure counts. Nothing depends on the order of
cases, so interrupted work begins again and finds what it stored `unchanged`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from flaredb.catalog import current, labels, reliabilities, rounds, scores
from flaredb.catalog.database import Connection, Run
from flaredb.catalog.labels import Label
from flaredb.catalog.scores import NewScore
from flaredb.catalog.standing import RELIABILITY
from flaredb.errors import InvalidDataError
from flaredb.labels import reliability as measures
from flaredb.labels.policy import HUMAN
from flaredb.labels.reliability import Cohort, Shape, plausibility, usual
from flaredb.labels.structures import StructureSet
from flaredb.workflow.executors import in_order
from flaredb.workflow.label.drawn import Drawing, Sights, look
from flaredb.workflow.predict.cases import PREDICTION
from flaredb.workflow.results import Result
from flaredb.workspace import Workspace

ROUNDS = 3  # whose maps are compared, as in FLARE22
_WORKERS = 2
_CASES = 50  # whose figures go into one transaction


class _Known(NamedTuple):
    """What the catalogue says before voxels are read: the labels, and by label what a prediction said of itself."""

    own: list[Label]
    drawings: list[Drawing]
    sureness: Mapping[int, Mapping[str, Mapping[str, float]]]
    people: reliabilities.Drawn


def label_reliability(workspace: Workspace, source: str) -> Result:
    """Compute the reliability of a generated source's newest labels: `added` counts labels with new figures."""
    with workspace.catalog.read() as connection:
        labels.source_number(connection, source)
    with workspace.lock(f"reliability {source}"), workspace.run("label reliability", source=source) as run:
        return score_labels(workspace, run, source)


def score_labels(workspace: Workspace, run: Run, source: str) -> Result:
    """The same within a run; InvalidDataError for a source of which no label is generated."""
    with workspace.catalog.read() as connection:
        known = _known(workspace, connection, source)
    looked = in_order(lambda drawing: look(workspace, drawing), known.drawings, _WORKERS)
    sights: list[Sights] = []
    for _, future in workspace.reporter.track(looked, f"reliability of {source}", len(known.drawings)):
        sights.append(future.result())
    cohorts = _cohorts(workspace.structures, known, sights)
    added, names, operation = 0, [], None
    for start in range(0, len(sights), _CASES):
        with run.write() as write:
            for label, sight in zip(known.own[start:], sights[start : start + _CASES], strict=False):
                parts = _parts(label, sight, cohorts, known.sureness.get(label.id, {}))
                if scores.add(write, RELIABILITY, list(_rows(label, sight, parts))):
                    added += 1
                    names.append(label.name)
        operation = write.operation
    return Result(operation, tuple(names), added=added, unchanged=len(sights) - added)


def _known(workspace: Workspace, connection: Connection, source: str) -> _Known:
    own = [label for label in labels.of_source(connection, source) if label.volume and label.kind not in HUMAN]
    if not own:
        raise InvalidDataError(f"{source} has no generated labels; reliability is asked of those alone")
    before = _earlier(connection, source)
    others = {
        row["name"]: {label.case: label for label in labels.of_source(connection, row["name"]) if label.volume}
        for row in labels.sources(connection)
        if row["kind"] == "external" and row["name"] != source
    }
    around = _organs_around(workspace, connection, own)
    drawings = [
        Drawing(
            label,
            tuple(maps[label.case] for maps in before if label.case in maps),
            tuple(maps[label.case] for maps in others.values() if label.case in maps),
            tuple(around.get(label.case, ())),
        )
        for label in own
    ]
    sureness = reliabilities.of_protocol(connection, source, PREDICTION)
    return _Known(own, drawings, sureness, reliabilities.drawn_by_people(connection))


def _earlier(connection: Connection, source: str) -> list[dict[str, Label]]:
    """Of a round's source the labels of the rounds before it, by case, the latest first; rolled-back ones are left out.

    What a rejected round says counts: rounds are compared, not trusted.
    """
    every = rounds.every(connection)
    turn = next((turn for turn in every if turn.name == source), None)
    if turn is None:
        return []
    older = [r for r in every if r.task == turn.task and r.number < turn.number and r.state != "rolled-back"]
    names = [r.name for r in sorted(older, key=lambda r: -r.number)]
    found = [{label.case: label for label in labels.of_source(connection, name) if label.volume} for name in names]
    return [by_case for by_case in found if by_case][: ROUNDS - 1]


def _organs_around(workspace: Workspace, connection: Connection, own: Sequence[Label]) -> dict[str, list[Label]]:
    """Case → the labels that are current for organs, where a label draws lesions and no organs."""
    organs = set(workspace.structures.organs)
    bare = {label.case for label in own if not organs & set(label.annotated)}
    if not bare:
        return {}
    now = current.now(connection, bare)
    numbers = {
        case: {c.winner.number for c in spoken if c.winner and c.structure in organs} for case, spoken in now.items()
    }
    known = labels.by_ids(connection, {number for listed in numbers.values() for number in listed})
    return {case: [known[number] for number in sorted(listed)] for case, listed in numbers.items()}


def _cohorts(space: StructureSet, known: _Known, sights: Sequence[Sights]) -> dict[str, Cohort]:
    """Structure → what is usual of it: by what people drew in training cases, and by what the source itself draws."""
    drawn: dict[str, list[Shape]] = defaultdict(list)
    for sight in sights:
        for name, shape in sight.shapes.items():
            drawn[name].append(shape)
    found = {}
    for name, shapes in drawn.items():
        human = known.people.volumes_ml.get(name, [])
        own = usual(shapes, absent=measures.absence(human, lesion=space[name].kind == "lesion"))
        people = usual([Shape(volume) for volume in human], own.absent)
        found[name] = own
        if people.medians[0] is not None:
            medians, spreads = (people.medians[0], *own.medians[1:]), (people.spreads[0], *own.spreads[1:])
            found[name] = Cohort(medians, spreads, own.absent)
    return found


def _parts(
    label: Label, sight: Sights, cohorts: Mapping[str, Cohort], sureness: Mapping[str, Mapping[str, float]]
) -> dict[str, dict[str, float]]:
    """Structure → measure → figure, as far as known."""
    found: dict[str, dict[str, float]] = {}
    whole = measures.agreement(sight.whole)
    for name, shape in sight.shapes.items():
        sure = sureness.get(name, {})
        mirrored = sure.get("mirror_disagreement")
        told = {
            measures.AGREEMENT: measures.agreement(sight.changes.get(name, ())),
            measures.WHOLE: whole,
            measures.EXTERNAL: sight.external.get(name),
            measures.PLAUSIBILITY: plausibility(shape, cohorts[name]),
            measures.CONFIDENCE: sure.get("confidence"),
            measures.EXPECTED: sure.get("expected_dice"),
            measures.MIRROR: None if mirrored is None else 1 - mirrored,
        }
        found[name] = {measure: value for measure, value in told.items() if value is not None}
    return found


def _rows(label: Label, sight: Sights, parts: Mapping[str, dict[str, float]]) -> Iterator[NewScore]:
    for name, own in parts.items():
        whole = measures.combined(own, empty=not sight.shapes[name].volume_ml)
        figures = own if whole is None else own | {measures.COMBINED: whole}
        for measure, value in figures.items():
            yield NewScore(label.id, label.id, name, measure, round(min(1.0, max(0.0, value)), 6))
