"""Bring labels in: each becomes a revision of a source, with what it annotates stated."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from numpy.typing import NDArray

from flaredb.catalog import acceptances, cases, fusing, labels, models, rounds
from flaredb.catalog.database import Run, Write
from flaredb.catalog.labels import NewLabel, Presence
from flaredb.errors import Finding, InvalidDataError, NotFoundError, StorageError
from flaredb.exchange.layouts import Ask, Found, Search, find_labels
from flaredb.exchange.read import Scan
from flaredb.labels.labelset import Mode
from flaredb.labels.mappings import Mapping
from flaredb.labels.policy import HUMAN, KINDS
from flaredb.metrics.extents import find_extents
from flaredb.workflow.executors import in_order
from flaredb.workflow.ingest.annotated import Statement, Statements, remarks, resolve
from flaredb.workflow.ingest.codebook import Codebook
from flaredb.workflow.ingest.doubts import find_misplaced, find_twin
from flaredb.workflow.ingest.images import record_failure, under_present_names
from flaredb.workflow.ingest.placing import Target, place
from flaredb.workflow.ingest.plausible import Shown, find_implausible
from flaredb.workflow.ingest.room import room_for
from flaredb.workflow.ingest.searching import Remarks, known_names, planned, say_layout, told
from flaredb.workflow.results import Imported, Outcome, Tally
from flaredb.workspace import Workspace


class LabelOptions(NamedTuple):
    """Settings of an import of labels: who made them, what their codes mean, whether they count at once."""

    source: str
    kind: str
    mapping: str = "identity"
    accepted: bool = True
    grid_from_label: bool = False
    supersedes: str | None = None
    model: str | None = None
    regrid: str | None = None
    annotator: str = ""
    """Of labels whose statement names none."""
    layout: str = "auto"
    pattern: str | None = None
    names: Path | None = None
    workers: int = 2
    turn: str | None = None
    """The round whose predictions these are: `source` is its name; what a label leaves empty is positive-only."""


class _Stored(NamedTuple):
    """A label whose voxels are stored, ready to be entered."""

    scan: Scan
    label: NewLabel
    findings: list[Finding]


def ingest_labels(
    workspace: Workspace,
    path: Path,
    statements: Statements,
    options: LabelOptions,
    case: str | None = None,
    dry_run: bool = False,
) -> Imported:
    """Import a file or everything in a folder as labels of one source.

    What is there already is `unchanged`; a file that does not fit its scan becomes a finding. Raises InvalidDataError
    before anything is read if nobody says what is annotated, StorageError if the labels would not fit on the disk.
    """
    if options.kind not in KINDS:
        raise InvalidDataError(f"kind {options.kind!r}; one of: {' '.join(KINDS)}")
    if options.model:
        with workspace.catalog.read() as connection:
            options = options._replace(model=models.find(connection, options.model).name)
    book = Codebook(options.mapping, workspace.structures)
    search = _find(workspace, path, book, options, case)
    found = under_present_names(workspace, search.found)
    for item in found:
        resolve(statements.of(item.case), workspace.structures, book.all_of(item), lambda _: True)
    new = _new(workspace, found, options.source)
    room = room_for(workspace.volumes.root, labels=new)
    say_layout(workspace, search, "ingest images")
    if dry_run:
        outcomes = _outcomes(workspace, found, statements, book, options)
        would = planned(path, search.layout, "labels", outcomes) | room.as_dict
        findings = (*told(search.findings, path), *_left_out(book, search))
        return Imported(None, findings=findings, would=would, layout=search.layout, left=dict(search.left))
    room.check()

    remarks = Remarks(search.findings, path)
    tally = Tally(remarks.general)
    recorded = {key: value.name if isinstance(value, Path) else value for key, value in options._asdict().items()}
    recorded["mapping"] = Path(options.mapping).name
    with workspace.run("ingest labels", path=search.root, **recorded) as run:
        with run.write() as write:
            write.add_findings([*remarks.general, *_left_out(book, search)])
            prepare_source(write, options)
        for brought in bring_labels(workspace, run, found, statements, options):
            said = remarks.of(run, brought.item, brought.outcome)
            tally.count(brought.outcome, brought.label, [*said, *brought.findings])
    tally.findings += _left_out(book, search)
    return Imported(*tally.result(write.operation), search.layout, dict(search.left))


def _find(workspace: Workspace, path: Path, book: Codebook, options: LabelOptions, case: str | None) -> Search:
    """Look for label files, knowing the cases there are and the names that masks may bear."""
    by_name = options.layout != "flat" or (options.pattern and "{structure}" in options.pattern)
    ask = Ask(
        options.layout,
        options.pattern,
        options.names,
        known_names(workspace),
        book.naming.known if by_name else frozenset(),
        options.kind not in HUMAN,
    )
    search = find_labels(path, case, ask)
    return search._replace(found=tuple(book.kept(search.found)))


def _left_out(book: Codebook, search: Search) -> list[Finding]:
    """A remark on the codes of a `dataset.json` whose names are of no structure."""
    if not any(not item.masks for item in search.found) or not book.mapping.left_out:
        return []
    message = f"codes of no structure of this workspace: {', '.join(book.mapping.left_out)[:400]}; "
    message += "where that is wrong, write a mapping: a TOML file with a table [codes]"
    return [Finding("info", None, "mapping-left-out", message, Path(book.name).name)]


def _new(workspace: Workspace, found: Sequence[Found], source: str) -> list[Found]:
    """Those of which the source has no label yet, by case and file name."""
    rows = workspace.sql(
        'SELECT DISTINCT c.name AS "case", l.file_name AS file FROM labels l JOIN cases c ON c.id = l.case_id '
        "JOIN sources s ON s.id = l.source_id WHERE s.name = :source AND l.volume IS NOT NULL",
        source=source,
    )
    there = {(row["case"], row["file"]) for row in rows}
    return [item for item in found if (item.case, item.called) not in there]


def _outcomes(
    workspace: Workspace, found: Sequence[Found], statements: Statements, book: Codebook, options: LabelOptions
) -> list[tuple[Found, str]]:
    """What would become of each label, as far as can be told without reading voxels."""
    with workspace.catalog.read() as connection:
        there = cases.by_names(connection, [item.case for item in found])
    outcomes = []
    for item in found:
        known = there.get(item.case)
        if (known is None or known.grid is None) and not options.grid_from_label:
            outcomes.append((item, "refused: no-case"))
        else:
            same = _stored_before(workspace, item, statements.of(item.case), book, options)
            outcomes.append((item, "unchanged" if same else "added"))
    return outcomes


class Brought(NamedTuple):
    """What became of a label file; `label` is the label's name, empty if it failed."""

    case: str
    item: Found
    outcome: Outcome
    label: str
    findings: list[Finding]


def bring_labels(
    workspace: Workspace, run: Run, found: Sequence[Found], statements: Statements, options: LabelOptions
) -> Iterator[Brought]:
    """Import the files found as labels of a source that is there, one after the other."""
    book = Codebook(options.mapping, workspace.structures)
    said = {item.path: statements.of(item.case) for item in found}
    found = under_present_names(workspace, found)

    def store(item: Found) -> _Stored | str:
        statement = said[item.path]
        known = _stored_before(workspace, item, statement, book, options)
        return known or _store(workspace, item, statement, book, options)

    stored = in_order(store, found, options.workers)
    for item, future in workspace.reporter.track(stored, "labels", len(found)):
        outcome, remarked, name = _enter(run, item, future, options, workspace.patient_key(item.case))
        yield Brought(item.case, item, outcome, name, remarked)


def prepare_source(write: Write, options: LabelOptions) -> None:
    """Make the source unless it is there; ConflictError if a round owns it or it is of the other kind."""
    if options.turn != options.source:
        rounds.refuse_source(write.connection, options.source)
    number = labels.ensure_source(write, options.source, options.kind)
    if options.supersedes:
        labels.set_supersedes(write, number, options.supersedes)


def _stored_before(
    workspace: Workspace, item: Found, statement: Statement, book: Codebook, options: LabelOptions
) -> str | None:
    """The label that the source made of this very file, saying the same; None if it must be read to be known."""
    if statement.annotated == ("present",):
        return None
    try:
        digest = book.sha256(item)
    except OSError:  # the reader says what is wrong with the file
        return None
    with workspace.catalog.read() as connection:
        known = labels.of_file(connection, item.case, options.source, digest)
    for label in known:
        if label.volume is None or not book.means_the_same(label, item) or not workspace.volumes.has(label.volume):
            continue
        try:
            annotated = resolve(statement, workspace.structures, label.codes, lambda _: True)
        except InvalidDataError:  # a mask is missing for what is said to be annotated; reading it tells which
            continue
        kind = exact_kind(workspace, statement.kind or options.kind, annotated)
        if options.turn:  # what was empty was only known once the file had been read
            annotated = label.annotated if set(annotated) == set(label.annotated) else annotated
        said = (annotated, kind, statement.annotator or options.annotator, options.model)
        if said == (label.annotated, label.kind, label.annotator, label.model if options.turn else options.model):
            return label.name
    return None


def _store(workspace: Workspace, item: Found, statement: Statement, book: Codebook, options: LabelOptions) -> _Stored:
    """Read a label, hold it against its scan and store its voxels on the scan's grid."""
    with workspace.catalog.read() as connection:
        known = cases.by_names(connection, [item.case]).get(item.case)
    if (known is None or known.grid is None) and not options.grid_from_label:
        message = f"there is no scan {item.case}; import it first, or take its grid from the label: --grid-from-label"
        raise InvalidDataError(message, [Finding("error", item.case, "no-case", message)])
    reading = book.read(item, known.grid if known else None)
    mapping = reading.mapping
    scan = place(reading.scan, Target(item.case, known, item.path.with_name(item.called)), options.regrid)
    findings = list(scan.findings)
    presence = find_presence(scan.voxels, mapping)
    absent = Presence(0, None)
    annotated = _annotated(workspace, item, statement, mapping, presence)
    empty = [name for name in annotated if not presence.get(name, absent).voxels]
    if options.turn:  # a missed structure must not teach its absence
        annotated = annotated | {name: Mode(exhaustive=False) for name in empty}
        empty = []
    findings += remarks(item.case, statement, empty, item.called)
    findings += book.remarks(item, reading)
    findings += find_misplaced(workspace, known, scan.voxels, mapping, item.called)
    shown = Shown(scan.voxels, mapping, presence, statement.kind or options.kind, item.called, scan.grid.voxel_ml)
    findings += find_implausible(workspace, known, shown, list(annotated))
    volume = workspace.volumes.put_label(scan.voxels, scan.grid).volume
    label = NewLabel(
        case=item.case,
        source=options.source,
        kind=exact_kind(workspace, statement.kind or options.kind, annotated),
        volume=volume,
        codes=mapping,
        annotated=annotated,
        presence={name: presence.get(name, absent) for name in annotated},
        facts=cases.space_facts(scan.space, item.called, scan.sha256),
        annotated_at=statement.annotated_at or datetime.now(UTC),
        annotator=statement.annotator or options.annotator,
        model=options.model,
    )
    return _Stored(scan, label, findings)


def _annotated(
    workspace: Workspace, item: Found, statement: Statement, mapping: Mapping, presence: dict[str, Presence]
) -> dict[str, Mode]:
    """Structure → mode of a label that was read; InvalidDataError if it speaks about nothing, or lacks a file."""
    try:
        annotated = resolve(statement, workspace.structures, mapping, lambda name: name in presence)
    except InvalidDataError as error:
        if not item.masks:
            raise
        message = f"{error}: a file is missing; add an empty one, or do not say that the structure is annotated"
        raise InvalidDataError(message, [Finding("error", item.case, "mask-missing", message)]) from error
    if not annotated:
        message = "the label speaks about nothing; say with --annotated what it would have drawn"
        raise InvalidDataError(message, [Finding("error", item.case, "annotated-nothing", message)])
    return annotated


def _enter(
    run: Run, item: Found, future: Future[_Stored | str], options: LabelOptions, patient: str
) -> tuple[Outcome, list[Finding], str]:
    """Put a stored label into the catalogue, or record why it could not be stored; a name is of one that is there."""
    try:
        stored = future.result()
    except (InvalidDataError, StorageError, NotFoundError) as error:
        failure = error if not isinstance(error, NotFoundError) else InvalidDataError(str(error))
        return "failed", record_failure(run, item.case, item.called, failure), ""
    if isinstance(stored, str):
        return "unchanged", [], stored
    scan, label, findings = stored
    with run.write() as write:
        known = cases.by_names(write.connection, [item.case]).get(item.case)
        if known is None:
            cases.add(write, item.case, patient, "train", cases.grid_facts(scan.grid))
        elif known.grid is None:
            cases.set_facts(write, item.case, cases.grid_facts(scan.grid))
        findings += find_twin(write, label)
        outcome, name = enter_label(write, label, options.accepted)
        if outcome == "added":
            write.add_findings(findings)
    return outcome, findings if outcome == "added" else [], name


def enter_label(write: Write, label: NewLabel, accepted: bool) -> tuple[Outcome, str]:
    """Add a label unless its source has said the same of this case before; accept it if it is to count at once."""
    known = labels.same(write.connection, label)
    if known:
        return "unchanged", known
    number, name = labels.add(write, label)
    source = labels.source_number(write.connection, label.source)
    if accepted:
        acceptances.accept_at_import(write, source, label.annotated)
    elif standing := acceptances.accepted(write, source).intersection(label.annotated):
        acceptances.record(write, ("label", number), standing, "revoked", fusing.NOT_ASKED)
    return "added", name


def find_presence(codes: NDArray[Any], mapping: Mapping) -> dict[str, Presence]:
    """Structure → its voxels and bounding box, for structures that are there; supersets count for each member."""
    there = find_extents(codes)
    found = {}
    for name in mapping.structures:
        own = [there[code] for code, names in mapping.meanings if name in names and code in there]
        if own:
            firsts, lasts = zip(*((extent.first, extent.last) for extent in own), strict=True)
            z, y, x = (min(axis) for axis in zip(*firsts, strict=True))
            box = (z, y, x), tuple(max(axis) for axis in zip(*lasts, strict=True))
            found[name] = Presence(sum(extent.voxels for extent in own), box)
    return found


def exact_kind(workspace: Workspace, kind: str, annotated: dict[str, Any]) -> str:
    """A ground-truth label that annotates lesions alone is `tumor-only`."""
    lesions_alone = annotated and set(annotated) <= set(workspace.structures.lesions)
    return "tumor-only" if kind == "ground-truth" and lesions_alone else kind
