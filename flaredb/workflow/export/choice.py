"""Which cases and labels go out, and which value stands for which structures."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from flaredb.catalog import cases, current, labels, snapshots
from flaredb.catalog.cases import Case
from flaredb.catalog.database import Connection
from flaredb.catalog.labels import Label
from flaredb.catalog.query import rows
from flaredb.catalog.standing import policy_in_force
from flaredb.errors import ConflictError, InvalidDataError, NotFoundError, UsageError
from flaredb.geometry import FileSpace
from flaredb.labels.resolve import Role, entries, trusts
from flaredb.labels.structures import StructureSet
from flaredb.labels.tasks import Task
from flaredb.workflow.export.values import Part, Values
from flaredb.workspace import Workspace

CURRENT = "current"
ALL = "all"


class ExportOptions(NamedTuple):
    """What is exported, and how."""

    labels: str | None = None  # current, all or a source; None: what the layout is for
    undecided: str = "ignore"  # or background
    snapshot: str | None = None
    where: str | None = None
    structures: tuple[str, ...] | None = None
    split: bool = False
    link: Path | None = None
    overwrite: bool = False
    dry_run: bool = False
    workers: int = 2


class Labelled(NamedTuple):
    """A case with the labels that say what its voxels are, each as far as it is trusted; none where nobody speaks."""

    case: Case
    parts: tuple[Part, ...]
    labels: tuple[Label, ...]
    spoken: frozenset[str]

    @property
    def facts(self) -> dict[str, Any]:
        """For the manifest: each label with what it is trusted about."""
        trusted: dict[str, set[str]] = defaultdict(set)
        for part in self.parts:
            if part.trust:
                trusted[part.trust.label] |= part.trust.structures
        return {"labels": [{"label": name, "structures": sorted(trusted[name])} for name in sorted(trusted)]}


class Choice(NamedTuple):
    """Cases by name, what was frozen or in force, and the cases that were left out by reason."""

    labelled: tuple[Labelled, ...]
    snapshot: str | None
    policy: str
    structures: tuple[str, ...]  # of the snapshot's task or as asked; else those of the workspace
    left_out: dict[str, list[str]]


def choose(workspace: Workspace, options: ExportOptions) -> Choice:
    """The cases with one set of labels each: what is current, was frozen in a snapshot, or came from one source.

    NotFoundError for an unknown source, snapshot or structure; UsageError for options that contradict each other.
    """
    which = options.labels or CURRENT
    if which == ALL:
        raise UsageError("--labels all: a data set has one label a case; give current or a source")
    if options.snapshot and which != CURRENT:
        raise UsageError("--snapshot goes with --labels current: it says what was current")
    asked = workspace.structures.check(options.structures) if options.structures else workspace.structures.names
    with workspace.catalog.read() as connection:
        wanted = set(cases.matching(connection, options.where))
        known = {case.name: case for case in cases.every(connection) if case.name in wanted}
        policy = policy_in_force(connection)[1].digest
        if options.snapshot:
            return _frozen(connection, options, known)
        if which == CURRENT:
            found = list(_current(connection, workspace.structures, known))
        else:
            found = list(_of_source(connection, which, known))
    return Choice(tuple(found), None, policy, asked, {})


def _frozen(connection: Connection, options: ExportOptions, known: Mapping[str, Case]) -> Choice:
    found = snapshots.find(connection, options.snapshot or "")
    if missing := snapshots.lost(connection, found.id):
        raise ConflictError(f"{found.name} lost {missing} items with cases that were purged; make another")
    by_case: dict[str, list[tuple[Label, Role, tuple[str, ...]]]] = defaultdict(list)
    for item in found.items:
        by_case[item.case].append((item.label, "won" if item.role == "won" else "contributes", item.structures))
    asked = tuple(name for name in found.structures if name in (options.structures or found.structures))
    if unknown := set(options.structures or ()) - set(found.structures):
        raise NotFoundError(f"{found.name} is about {' '.join(found.structures)}; not about {' '.join(unknown)}")
    labelled = tuple(_labelled(known[name], rows) for name, rows in by_case.items() if name in known)
    return Choice(labelled, found.name, found.policy, asked, {})


def _current(connection: Connection, space: StructureSet, known: Mapping[str, Case]) -> Iterable[Labelled]:
    spoken = current.now(connection, known)
    voices = [v for listed in spoken.values() for c in listed for v in (c.winner, *c.contributors) if v]
    versions = labels.by_ids(connection, {voice.number for voice in voices})
    for name, case in known.items():
        chosen = entries(space, spoken.get(name, []), versions)
        yield _labelled(case, [(versions[e.label], e.role, e.structures) for e in chosen])


def _of_source(connection: Connection, source: str, known: Mapping[str, Case]) -> Iterable[Labelled]:
    """For every case and structure the newest label of the source that annotates it and is not withdrawn for it."""
    hidden = withdrawn(connection, source)
    speaks: dict[str, dict[str, Label]] = defaultdict(dict)
    for label in labels.of_source(connection, source, newest=False):
        if label.volume:
            speaks[label.case] |= dict.fromkeys(set(label.annotated) - hidden.get(label.name, set()), label)
    if not speaks:
        labels.source_number(connection, source)
    for name, case in known.items():
        own = speaks.get(name, {})
        voices = {label.id: label for label in own.values()}
        about = {n: tuple(s for s, label in own.items() if label.id == n) for n in voices}
        yield _labelled(case, [(voices[n], "won", about[n]) for n in sorted(voices)])


def withdrawn(connection: Connection, source: str | None = None) -> dict[str, set[str]]:
    """Label → the structures for which it is withdrawn; of one source, or of all."""
    found: dict[str, set[str]] = defaultdict(set)
    if not rows(connection, "SELECT 1 AS one FROM withdrawals LIMIT 1", {}):
        return found
    asked = "SELECT label, structure FROM label_provenance WHERE withdrawn = 1"
    one = {"source": source} if source else {}
    for row in rows(connection, asked + (" AND source = :source" if source else ""), one):
        found[row["label"]].add(row["structure"])
    return found


def _labelled(case: Case, voices: list[tuple[Label, Role, tuple[str, ...]]]) -> Labelled:
    held = [(label, role, names) for label, role, names in voices if label.volume]
    parts = [Part(label.volume or "", t) for (label, *_), t in zip(held, trusts(held), strict=True)]
    spoken = frozenset(name for _, _, names in held for name in names)
    return Labelled(case, tuple(parts), tuple(label for label, *_ in held), spoken)


def space_of(item: Labelled) -> FileSpace | None:
    """The space of a case's scan file; of a case that has only labels, that of the first on its grid."""
    if item.case.space or item.case.grid is None:
        return item.case.space
    fitting = (v.space for v in item.labels if v.space and v.space.grid.shape == item.case.grid.shape)
    return next(fitting, None)


def numbered(choice: Choice, space: StructureSet, which: str, undecided: str) -> Values:
    """Values 1, 2, 3 … for the structures that anybody speaks about, and the next for what is undecided.

    A source's own codes are kept where they are such already; a superset of its codes is a class of its own.
    """
    spoken = frozenset(name for item in choice.labelled for name in item.spoken)
    about = tuple(name for name in choice.structures if name in spoken)
    if not about:
        raise InvalidDataError("no label speaks about these structures; flaredb status shows what there is")
    if which == CURRENT:
        meanings = _count(space, {(name,) for name in about})
    else:
        codes = {label.codes.digest: label.codes for item in choice.labelled for label in item.labels}
        held = {names for mapping in codes.values() for _, names in mapping.meanings}
        own = {space.check(names) for names in held if names and names <= set(about)}
        meanings = _count(space, own)
        if len(codes) == 1:
            table = {space.check(names): code for code, names in next(iter(codes.values())).meanings if names}
            kept = sorted(((names, table[names]) for names in own), key=lambda pair: pair[1])
            several = len(table) != sum(bool(names) for _, names in next(iter(codes.values())).meanings)
            if not several and [value for _, value in kept] == list(range(1, len(kept) + 1)):
                meanings = tuple(kept)
    return Values(Task("export", about), meanings, len(meanings) + 1 if undecided == "ignore" else 0)


def _count(space: StructureSet, meanings: Collection[tuple[str, ...]]) -> tuple[tuple[tuple[str, ...], int], ...]:
    """Values in the order of the structures; a superset comes where its first member would."""
    ordered = sorted(meanings, key=lambda names: [space[name].value for name in names])
    return tuple((names, value) for value, names in enumerate(ordered, start=1))
