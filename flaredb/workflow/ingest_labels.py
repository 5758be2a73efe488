"""Bring labels in: each becomes a revision of a source, with what it annotates stated."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from flaredb.catalog import acceptances, cases, labels, rounds
from flaredb.catalog.database import Run, Write
from flaredb.catalog.labels import NewLabel, Presence
from flaredb.errors import Finding, InvalidDataError, NotFoundError, StorageError
from flaredb.exchange.layouts import Found, find_labels
from flaredb.exchange.read import Scan, read_label
from flaredb.labels.mappings import Mapping, load_mapping
from flaredb.labels.policy import KINDS
from flaredb.workflow.annotated import Statement, Statements, remarks, resolve
from flaredb.workflow.doubts import find_misplaced, find_twin
from flaredb.workflow.executors import in_order
from flaredb.workflow.ingest_images import record_failure, under_present_names
from flaredb.workflow.placing import Target, place
from flaredb.workflow.results import Outcome, Result, Tally
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
    workers: int = 2


class _Stored(NamedTuple):
    """A label whose voxels are stored, ready to be entered."""

    scan: Scan
    label: NewLabel
    findings: list[Finding]


def ingest_labels(
    workspace: Workspace, path: Path, statements: Statements, options: LabelOptions, case: str | None = None
) -> Result:
    """Import a file or everything in a folder as labels of one source.

    What is there already is `unchanged`; a file that does not fit its scan becomes a finding. Raises InvalidDataError
    before anything is read if nobody says what is annotated.
    """
    if options.kind not in KINDS:
        raise InvalidDataError(f"kind {options.kind!r}; one of: {' '.join(KINDS)}")
    mapping = load_mapping(options.mapping, workspace.structures)
    search = find_labels(path, case)
    for item in search.found:
        resolve(statements.of(item.case), workspace.structures, mapping, lambda _: True)

    tally = Tally(search.findings)
    with workspace.run("ingest labels", path=path.name, **options._asdict()) as run:
        with run.write() as write:
            write.add_findings(search.findings)
            prepare_source(write, options)
        for brought in bring_labels(workspace, run, search.found, statements, options):
            tally.count(brought.outcome, brought.label, brought.findings)
    return tally.result(write.operation)


class Brought(NamedTuple):
    """What became of a label file; `label` is the label's name, empty if it failed."""

    case: str
    outcome: Outcome
    label: str
    findings: list[Finding]


def bring_labels(
    workspace: Workspace, run: Run, found: Sequence[Found], statements: Statements, options: LabelOptions
) -> Iterator[Brought]:
    """Import the files found as labels of a source that is there, one after the other."""
    mapping = load_mapping(options.mapping, workspace.structures)
    said = {item.path: statements.of(item.case) for item in found}
    found = under_present_names(workspace, found)

    def store(item: Found) -> _Stored:
        return _store(workspace, item, said[item.path], mapping, options)

    stored = in_order(store, found, options.workers)
    for item, future in workspace.reporter.track(stored, "labels", len(found)):
        outcome, remarked, name = _enter(run, item, future, options, workspace.patient_key(item.case))
        yield Brought(item.case, outcome, name, remarked)


def prepare_source(write: Write, options: LabelOptions) -> None:
    """Make the source unless it is there; ConflictError if a round owns it or it is of the other kind."""
    rounds.refuse_source(write.connection, options.source)
    number = labels.ensure_source(write, options.source, options.kind)
    if options.supersedes:
        labels.set_supersedes(write, number, options.supersedes)


def _store(workspace: Workspace, item: Found, statement: Statement, mapping: Mapping, options: LabelOptions) -> _Stored:
    """Read a label, hold it against its scan and store its voxels on the scan's grid."""
    with workspace.catalog.read() as connection:
        known = cases.by_names(connection, [item.case]).get(item.case)
    if (known is None or known.grid is None) and not options.grid_from_label:
        message = f"there is no scan {item.case}; import it first, or take its grid from the label: --grid-from-label"
        raise InvalidDataError(message, [Finding("error", item.case, "no-case", message)])
    scan = place(read_label(item.path), Target(item.case, known, item.path), options.regrid)
    findings = list(scan.findings)
    presence = find_presence(scan.voxels, mapping)
    absent = Presence(0, None)
    annotated = resolve(statement, workspace.structures, mapping, lambda name: presence.get(name, absent).voxels > 0)
    if not annotated:
        message = "the label speaks about nothing; say with --annotated what it would have drawn"
        raise InvalidDataError(message, [Finding("error", item.case, "annotated-nothing", message)])
    findings += remarks(
        item.case, statement, [n for n in annotated if not presence.get(n, absent).voxels], item.path.name
    )
    findings += _out_of_range(item, scan.voxels, mapping)
    findings += find_misplaced(workspace, known, scan.voxels, mapping, item.path.name)
    volume = workspace.volumes.put_label(scan.voxels, scan.grid).volume
    label = NewLabel(
        case=item.case,
        source=options.source,
        kind=exact_kind(workspace, statement.kind or options.kind, annotated),
        volume=volume,
        codes=mapping,
        annotated=annotated,
        presence={name: presence.get(name, absent) for name in annotated},
        facts=cases.space_facts(scan.space, item.path.name, scan.sha256),
        annotated_at=statement.annotated_at or datetime.now(UTC),
        annotator=statement.annotator,
        model=options.model,
    )
    return _Stored(scan, label, findings)


def _enter(
    run: Run, item: Found, future: Future[_Stored], options: LabelOptions, patient: str
) -> tuple[Outcome, list[Finding], str]:
    """Put a stored label into the catalogue, or record why it could not be stored."""
    try:
        scan, label, findings = future.result()
    except (InvalidDataError, StorageError, NotFoundError) as error:
        failure = error if not isinstance(error, NotFoundError) else InvalidDataError(str(error))
        return "failed", record_failure(run, item.case, item.path.name, failure), ""
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
        acceptances.record(write, ("label", number), standing, "revoked", "imported as not accepted")
    return "added", name


def find_presence(codes: NDArray[Any], mapping: Mapping) -> dict[str, Presence]:
    """Structure → its voxels and bounding box, for structures that are there; supersets count for each member."""
    counts = np.bincount(codes.ravel(), minlength=mapping.top + 1)
    found = {}
    for name in mapping.structures:
        own = [code for code, names in mapping.meanings if name in names and counts[code]]
        if own:
            found[name] = Presence(int(counts[own].sum()), _box(np.isin(codes, own)))
    return found


def _box(mask: NDArray[np.bool_]) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """First and last index of a non-empty mask along z, y, x."""
    low, high = [], []
    for axis in range(3):
        others = tuple(other for other in range(3) if other != axis)
        places = np.flatnonzero(mask.any(axis=others))
        low.append(int(places[0]))
        high.append(int(places[-1]))
    return (low[0], low[1], low[2]), (high[0], high[1], high[2])


def exact_kind(workspace: Workspace, kind: str, annotated: dict[str, Any]) -> str:
    """A ground-truth label that annotates lesions alone is `tumor-only`."""
    lesions_alone = annotated and set(annotated) <= set(workspace.structures.lesions)
    return "tumor-only" if kind == "ground-truth" and lesions_alone else kind


def _out_of_range(item: Found, codes: NDArray[Any], mapping: Mapping) -> list[Finding]:
    beyond = np.unique(codes[codes > mapping.top])
    if not len(beyond):
        return []
    shown = " ".join(str(code) for code in beyond[:8])
    message = f"codes beyond {mapping.top}, the last that mapping {mapping.name} knows: {shown}; they say nothing"
    return [Finding("warning", item.case, "code-out-of-range", message, item.path.name)]
