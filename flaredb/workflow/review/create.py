"""Make a queue of labels for people to look at."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from flaredb.catalog import cases, current, labels, reviews
from flaredb.catalog.database import Connection
from flaredb.catalog.labels import Label
from flaredb.catalog.reviews import NewItem
from flaredb.errors import ConflictError, Finding, InvalidDataError, UsageError
from flaredb.labels.policy import HUMAN
from flaredb.workflow.results import Result
from flaredb.workflow.review.rank import by_chance, by_disagreement, by_reliability
from flaredb.workspace import Workspace

CRITERIA = ("disagreement", "reliability", "random")
_NAME = re.compile(r"[A-Za-z0-9][\w.+-]*", re.ASCII)
_Queue = dict[str, list[NewItem]]


class ReviewOptions(NamedTuple):
    """What to look at and who does; `by` is a criterion or an SQL condition on `case_facts`, `cases` the most cases."""

    by: str = "disagreement"
    cases: int = 50
    source: str | None = None
    structures: tuple[str, ...] = ()
    where: str | None = None
    name: str | None = None
    assignee: str | None = None
    seed: int = 0


def review_create(workspace: Workspace, options: ReviewOptions) -> Result:
    """Choose cases and record, for each and its structures, the label to look at.

    That is the label that is current (or that contributes most where none is), unless people made it; with a source,
    that source's newest label, whoever made it. A structure asked for by name about which no label speaks is to be
    drawn. Cases that wait in another review are left out. The same name and choice again is `unchanged`.
    """
    structures = workspace.structures.check(options.structures)
    _check(options)
    criterion = _criterion(options, structures)
    with workspace.catalog.read() as connection:
        known = reviews.named(connection, options.name) if options.name else None
        if known:
            return _again(known, criterion)
        queue, left_out = _queue(workspace, connection, options, structures)
    findings = [_left_out(left_out)] if left_out else []
    chosen = _ranked(workspace, queue, options)[: options.cases]
    if not chosen:
        raise InvalidDataError(_nothing(options, left_out))
    items = [item for case in chosen for item in queue[case]]
    with workspace.run("review create", **options._asdict()) as run, run.write() as write:
        name = options.name or _free_name(write.connection, options.by)
        if reviews.named(write.connection, name):
            raise ConflictError(f"review {name} exists; give another --name")
        reviews.add(write, name, criterion, items, options.assignee)
    workspace.reporter.say(f"{len(chosen)} cases, {len(items)} structures; flaredb review export {name} DIR")
    return Result(write.operation, (name,), added=1, findings=tuple(findings))


def _check(options: ReviewOptions) -> None:
    if options.cases < 1:
        raise UsageError("-n must be at least 1")
    if options.name is not None and (not _NAME.fullmatch(options.name) or ".." in options.name):
        raise InvalidDataError(f"review {options.name!r}: letters, digits, '.', '_', '+' and '-'")


def _criterion(options: ReviewOptions, structures: Sequence[str]) -> str:
    """The choice in words, to be kept and compared."""
    said = [options.by, f"cases={options.cases}"]
    said += [f"seed={options.seed}"] if options.by == "random" else []
    said += [f"source={options.source}"] if options.source else []
    said += [f"structures={','.join(structures)}"] if structures else []
    said += [f"where={options.where}"] if options.where else []
    return "; ".join(said)


def _again(known: reviews.Review, criterion: str) -> Result:
    if known.criterion != criterion:
        raise ConflictError(f"review {known.name} exists, chosen by: {known.criterion}; give another --name")
    return Result(None, (known.name,), unchanged=1)


def _queue(
    workspace: Workspace, connection: Connection, options: ReviewOptions, structures: Sequence[str]
) -> tuple[_Queue, int]:
    """Case → what could be looked at; and how many cases were left out because they wait in another review."""
    wanted = set(cases.matching(connection, options.where))
    if options.by not in CRITERIA:
        wanted &= _matching(connection, options.by)
    known = {case.name: case for case in cases.every(connection) if case.name in wanted and not case.excluded}
    source = options.source
    shown = _of_source(connection, source, set(known)) if source else _current(connection, list(known))
    queue: _Queue = {}
    for name, case in known.items():
        spoken = shown.get(name, {})
        items = [NewItem(case.id, s, label) for s in workspace.structures.names if (label := spoken.get(s)) is not None]
        if not options.source and case.image:
            items += [NewItem(case.id, structure, None) for structure in structures if structure not in spoken]
        items = [item for item in items if not structures or item.structure in structures]
        if items:
            queue[name] = items
    waiting = reviews.waiting(connection)
    free = {name: items for name, items in queue.items() if items[0].case not in waiting}
    return free, len(queue) - len(free)


def _matching(connection: Connection, by: str) -> set[str]:
    """Cases for which a condition holds; the error tells what else could have been meant."""
    try:
        return set(cases.matching(connection, by))
    except InvalidDataError as error:
        reason = str(error).removeprefix("--where: ")
        raise InvalidDataError(f"--by {by!r} is none of {', '.join(CRITERIA)}, and no condition: {reason}") from error


def _current(connection: Connection, names: list[str]) -> dict[str, dict[str, int | None]]:
    """Case → structure → the label to look at; None where people made it."""
    now = current.now(connection, names)
    voices = {
        (case, each.structure): [voice for voice in (each.winner, *each.contributors) if voice]
        for case, spoken in now.items()
        for each in spoken
    }
    found = labels.by_ids(connection, {voice.number for listed in voices.values() for voice in listed})
    shown: dict[str, dict[str, int | None]] = {}
    for (case, structure), listed in voices.items():
        exact = [voice for voice in listed if _tells_apart(found[voice.number], structure)]
        if exact:
            shown.setdefault(case, {})[structure] = None if exact[0].kind in HUMAN else exact[0].number
    return shown


def _of_source(connection: Connection, source: str, names: set[str]) -> dict[str, dict[str, int | None]]:
    """Case → structure → the source's newest label."""
    labels.source_number(connection, source)
    return {
        label.case: {name: label.id for name in label.annotated if _tells_apart(label, name)}
        for label in labels.of_source(connection, source)
        if label.case in names and label.volume
    }


def _tells_apart(label: Label, structure: str) -> bool:
    """Whether the label draws this very structure, not one of several."""
    return len(label.codes.superset(structure)) == 1


def _ranked(workspace: Workspace, queue: _Queue, options: ReviewOptions) -> list[str]:
    if options.by == "disagreement":
        return by_disagreement(workspace, queue)
    if options.by == "reliability":
        return by_reliability(workspace, queue)
    return by_chance(queue, options.seed) if options.by == "random" else sorted(queue)


def _free_name(connection: Connection, by: str) -> str:
    """`random-2` for the second review by chance; `sql-1` for the first by a condition."""
    stem = by if by in CRITERIA else "sql"
    names = {review.name for review in reviews.every(connection)}
    return next(name for number in range(1, len(names) + 2) if (name := f"{stem}-{number}") not in names)


def _left_out(number: int) -> Finding:
    message = f"{number} cases wait in other reviews and were left out; flaredb review list"
    return Finding("info", None, "waits-elsewhere", message)


def _nothing(options: ReviewOptions, left_out: int) -> str:
    if left_out:
        return f"nothing else to look at: {left_out} cases wait in other reviews; flaredb review list"
    if options.by == "disagreement":
        return "nothing to look at: in no case do two sources speak about the same structure; try --by random"
    if options.by == "reliability":
        return "nothing to look at: no label to look at has a reliability score; try --by disagreement"
    return "nothing to look at: no case has such a label (people's own are looked at with --source NAME)"
