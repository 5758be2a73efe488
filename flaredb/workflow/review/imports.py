"""Take a review back: what people changed or called fine becomes ground truth at once; verdicts are kept."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from flaredb.catalog import acceptances, cases, reviews
from flaredb.catalog.cases import Case
from flaredb.catalog.database import Run, Write
from flaredb.catalog.labels import NewLabel, Presence
from flaredb.catalog.reviews import Item
from flaredb.errors import ConflictError, Finding, FlareError, InvalidDataError, NotFoundError, StorageError
from flaredb.exchange.colours import read_itksnap_table
from flaredb.exchange.places import find_inside
from flaredb.exchange.read import SUFFIXES
from flaredb.exchange.stored import sha256_of
from flaredb.labels.labelset import Mode
from flaredb.labels.mappings import Mapping, identity
from flaredb.labels.structures import StructureSet
from flaredb.workflow.executors import in_order
from flaredb.workflow.ingest.labels import LabelOptions, enter_label, exact_kind, find_presence, prepare_source
from flaredb.workflow.results import Outcome, Result, Tally
from flaredb.workflow.review.drawn import read_drawn
from flaredb.workflow.review.file import TABLES, VERDICTS, Exported, ReviewFile, read_review_file, shown
from flaredb.workflow.review.judge import Judgement, judge
from flaredb.workflow.review.reviewed import Codes, by_case, map_space, shown_map
from flaredb.workflow.review.verdicts import Said, read_verdicts
from flaredb.workspace import Workspace

_TRUTH = "ground-truth"
_WORKERS = 2


class _Back(NamedTuple):
    """A case that came back: what was exported, the case as it is, its items, and what was said."""

    exported: Exported
    case: Case
    items: list[Item]
    said: Said


class _Taken(NamedTuple):
    """What is to be entered of a case; `label` is None where nothing becomes ground truth."""

    label: NewLabel | None
    judgement: Judgement
    findings: list[Finding]


def review_import(workspace: Workspace, folder: Path, annotator: str = "") -> Result:
    """Import the folder of an exported review: labels of source `review/<name>`, verdicts, findings.

    Per case and structure: changed → ground truth; called fine → ground truth; called unusable → the label under
    review is rejected for it; anything else stays as it was. A file nobody touched says nothing. Again is `unchanged`.
    ConflictError if the folder was exported from another workspace.
    """
    file = read_review_file(folder)
    with workspace.catalog.read() as connection:
        review = reviews.find(connection, file.review)
        queue = by_case(connection, review)
        known = cases.by_any_names(connection, {*file.cases, *queue})
    _check(file, queue, known)
    names = {name: case.name for name, case in known.items()}
    table = _table(folder, file) if file.program == "itksnap" else None
    said, stray = read_verdicts(folder / VERDICTS, workspace.structures, names)
    back, gone = _matched(file, queue, known, said)
    tally = Tally([*stray, *gone, *_strange_files(folder, file)])
    options = LabelOptions(f"review/{review.name}", _TRUTH)
    operation = None
    said_so = {"folder": folder.name, "review": review.name, "annotator": annotator}
    with workspace.lock(f"review {review.name}"), workspace.run("review import", **said_so) as run:
        operation = _record(run, tally.findings)

        def read(each: _Back) -> _Taken:
            return _take(workspace, folder, table, each, options, annotator)

        for each, future in workspace.reporter.track(in_order(read, back, _WORKERS), "cases", len(back)):
            outcome, name, findings, number = _enter(run, each, future, options)
            operation = number or operation
            tally.count(outcome, name, findings)
    return tally.result(operation)


def _check(file: ReviewFile, queue: dict[str, list[Item]], known: dict[str, Case]) -> None:
    """ConflictError if the folder's labels are not those of the review here."""
    for exported in file.cases.values():
        case = known.get(exported.case)
        here = {(label.volume, label.structures) for label in shown(queue.get(case.name, []))} if case else set()
        if case and case.name in queue and here != {(label.volume, label.structures) for label in exported.labels}:
            raise ConflictError(
                f"the folder shows other labels of {case.name} than review {file.review} of this workspace"
            )


def _matched(
    file: ReviewFile, queue: dict[str, list[Item]], known: dict[str, Case], said: dict[str, Said]
) -> tuple[list[_Back], list[Finding]]:
    """The cases of the folder that are still in the review; findings on the others."""
    back, gone = [], 0
    for exported in file.cases.values():
        case = known.get(exported.case)
        if case and case.name in queue:
            back.append(_Back(exported, case, queue[case.name], said.get(case.name, Said())))
        else:
            gone += 1
    return back, [_gone(gone)] if gone else []


def _gone(number: int) -> Finding:
    """On cases that are not here any more; without their names, which an erased case must not get back."""
    message = (
        f"{number} cases of the folder are not in the review, or were erased: nothing was taken; delete their files"
    )
    return Finding("error", None, "not-in-review", message)


def _strange_files(folder: Path, file: ReviewFile) -> list[Finding]:
    """Volumes in the folder that the export did not make: a correction saved under another name is not taken."""
    ours = {path for exported in file.cases.values() for path, _ in exported.files.values()}
    found = []
    for path in sorted(folder.rglob("*")):
        place = path.relative_to(folder).as_posix()
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.name.lower().endswith(SUFFIXES) and place not in ours and not hidden:
            message = (
                "not a file of this review, so not looked into; save a correction over the label as it was exported"
            )
            found.append(Finding("warning", None, "strange-file", message, place))
    return found


def _take(
    workspace: Workspace, folder: Path, table: dict[int, str] | None, back: _Back, options: LabelOptions, annotator: str
) -> _Taken:
    """Read what came back of a case and store its voxels if some of it becomes ground truth."""
    case, said = back.case, back.said
    if said.refused:
        raise InvalidDataError("; ".join(finding.message for finding in said.refused), said.refused)
    assert case.grid  # noqa: S101  it was exported
    path, sha256 = _label_file(folder, back)
    before = shown_map(workspace, back.items, case.grid)
    now = sha256_of(path)
    drawn = read_drawn(path, case.name, case.grid, workspace.structures, table) if now != sha256 else None
    found = judge(case.name, back.items, before, drawn, said, workspace.structures)
    findings = [*(drawn.findings if drawn else ()), *found.findings]
    if not found.truth:
        return _Taken(None, found, findings)
    codes = drawn.codes if drawn else before
    mapping = _mapping(workspace.structures, codes)
    presence = find_presence(codes, mapping)
    annotated = {name: Mode() for name in found.truth}
    label = NewLabel(
        case=case.name,
        source=options.source,
        kind=exact_kind(workspace, _TRUTH, annotated),
        volume=workspace.volumes.put_label(codes, case.grid).volume,
        codes=mapping,
        annotated=annotated,
        presence={name: presence.get(name, Presence(0, None)) for name in found.truth},
        facts=cases.space_facts(map_space(case, case.grid), path.name, now),
        annotated_at=datetime.now(UTC),
        annotator=annotator or next((item.assignee for item in back.items if item.assignee), ""),
        parents=tuple(sorted({i.label.id for i in back.items if i.label and i.structure in found.truth})),
    )
    return _Taken(label, found, findings)


def _table(folder: Path, file: ReviewFile) -> dict[int, str]:
    """Value → name as the viewer's label descriptions say, which people may have saved anew; else as exported."""
    path = folder / TABLES["itksnap"]
    return read_itksnap_table(path) if path.exists() else file.structures


def _label_file(folder: Path, back: _Back) -> tuple[Path, str]:
    """The case's label and the digest it was exported with; its place comes from `review.json` alone."""
    place, sha256 = back.exported.files.get("label", ("", ""))
    path = find_inside(folder, place) if place else None
    if path is None:
        message = f"{place or 'its label'} is not there; flaredb review export {folder.name} again writes it as it was"
        raise InvalidDataError(message, [Finding("error", back.case.name, "file-missing", message, place or None)])
    return path, sha256


def _mapping(space: StructureSet, codes: Codes) -> Mapping:
    """Every structure by its value; what was drawn without a known name says nothing."""
    plain, strange = identity(space), len(space.names) + 1
    if not (codes == strange).any():
        return plain
    return replace(plain, name="review", ignored=frozenset({strange}), top=strange)


def _enter(
    run: Run, back: _Back, future: Future[_Taken], options: LabelOptions
) -> tuple[Outcome, str, list[Finding], int | None]:
    """Put a case's label, refusals and verdicts into the catalogue in one transaction, or say why not."""
    case = back.case.name
    try:
        label, judgement, findings = future.result()
    except (InvalidDataError, StorageError, NotFoundError) as error:
        failures = _failures(case, error)
        return "failed", case, failures, _record(run, failures)
    with run.write() as write:
        outcome: Outcome = "unchanged"
        name = case
        if label:
            prepare_source(write, options)
            outcome, name = enter_label(write, label, accepted=True)
        refused = _refuse(write, back, judgement, options.source)
        verdicts = {
            item.id: verdict
            for item in back.items
            if (verdict := judgement.verdicts.get(item.structure)) and verdict != item.verdict
        }
        reviews.set_verdicts(write, verdicts)
        write.add_findings(reviews.unrecorded(write.connection, findings))
    done = outcome == "added" or refused or verdicts
    return ("added" if done else "unchanged"), name, findings, write.operation


def _refuse(write: Write, back: _Back, judgement: Judgement, source: str) -> bool:
    """Reject the labels under review for structures in which they are unusable; False if all of it was done before."""
    done = {item.label.id: reviews.revoked(write.connection, item.label.id) for item in back.items if item.label}
    fresh = [
        (item.label.id, item.structure)
        for item in back.items
        if item.label and item.structure in judgement.unusable and item.structure not in done[item.label.id]
    ]
    for label, structure in fresh:
        acceptances.record(write, ("label", label), [structure], "revoked", f"{source}: unusable")
    return bool(fresh)


def _record(run: Run, findings: list[Finding]) -> int | None:
    """Keep findings that are new; the operation, or None if there was nothing to keep."""
    if not findings:
        return None
    with run.write() as write:
        write.add_findings(reviews.unrecorded(write.connection, findings))
    return write.operation


def _failures(case: str, error: FlareError) -> list[Finding]:
    """An error as findings on the case."""
    found = error.findings if isinstance(error, InvalidDataError) else ()
    return [each._replace(case=case) for each in found] or [Finding("error", case, "unreadable", str(error))]
