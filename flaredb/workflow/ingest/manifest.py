"""Bring in the cases of an nnU-Net or MSD `dataset.json`, with or without the files beside it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from flaredb.errors import Finding, InvalidDataError
from flaredb.exchange.casenames import is_case_name
from flaredb.exchange.manifests import Entry, Manifest, choose_split, read_manifest, review
from flaredb.exchange.numbering import shorten
from flaredb.exchange.places import find_inside
from flaredb.labels.policy import KINDS
from flaredb.workflow.ingest.annotated import Statements
from flaredb.workflow.ingest.listing import Listed, Said
from flaredb.workflow.ingest.register import Listing, bring_in, preview
from flaredb.workflow.results import Result
from flaredb.workspace import Workspace


class ManifestOptions(NamedTuple):
    """Settings of an import of a manifest; without a source no label is announced or imported."""

    split: str | None = None
    """Whose list is read; None for training."""
    source: str | None = None
    kind: str | None = None
    mapping: str = "identity"
    add_cases: bool = False
    """Register cases that only the table of what is annotated names."""
    workers: int = 2


def ingest_manifest(
    workspace: Workspace,
    path: Path,
    statements: Statements | None = None,
    options: ManifestOptions = ManifestOptions(),  # noqa: B008  frozen
    dry_run: bool = False,
) -> Result:
    """Register the cases of one list and announce their labels; import the scans and labels whose files are there.

    What the list gets wrong becomes a finding. Raises InvalidDataError for a file that lists no cases, and for a
    source of which nobody says what its labels annotate.
    """
    _check_options(statements, options)
    manifest = read_manifest(path)
    split = choose_split(path, manifest, options.split)
    reviewed = review(path, manifest, split)
    given = options.split or split
    findings = [*reviewed.findings, *_other_lists(path, manifest, split)]
    listed = [item for entry in reviewed.entries if (item := _listed(path, manifest, entry, given, findings))]
    findings += _files_missing(path, reviewed.entries, listed)
    listed = _with_labels(path, manifest, listed, reviewed.entries, statements, options, findings)
    listing = Listing(path, listed, findings, options.mapping, options.workers)
    if dry_run:
        return preview(workspace, listing)
    return bring_in(workspace, workspace.run("ingest manifest", path=path.name, **options._asdict()), listing)


def _check_options(statements: Statements | None, options: ManifestOptions) -> None:
    if options.kind not in (None, *KINDS):
        raise InvalidDataError(f"kind {options.kind!r}; one of: {' '.join(KINDS)}")
    if bool(options.source) != bool(options.kind) or bool(options.source) != bool(statements):
        raise InvalidDataError(
            "labels need all of: --source NAME, --kind KIND and what they annotate, --annotated-from FILE.csv; "
            "without the three, cases and scans alone come in"
        )
    if options.add_cases and not statements:
        raise InvalidDataError("--add-cases adds the cases of --annotated-from FILE.csv; give that table")


def _listed(path: Path, manifest: Manifest, entry: Entry, split: str, findings: list[Finding]) -> Listed | None:
    """An entry with the files that are there; None and a finding if it points outside the manifest's folder."""
    try:
        image = find_inside(path.parent, entry.image) if entry.image else None
        label = find_inside(path.parent, entry.label) if entry.label else None
    except InvalidDataError as error:
        findings += [finding._replace(case=entry.case, path=path.name) for finding in error.findings]
        return None
    facts = {"source_dataset": manifest.title, "licence": manifest.licence}
    return Listed(entry.case, split, image, label, facts=facts)


def _other_lists(path: Path, manifest: Manifest, split: str) -> list[Finding]:
    """What else the manifest lists, which nobody should take for imported."""
    others = {name: len(entries) for name, entries in manifest.lists.items() if name != split and entries}
    return [
        Finding("info", None, "other-list", f"{n} cases of its list {name} were left out; --split {name}", path.name)
        for name, n in others.items()
    ]


def _files_missing(path: Path, entries: tuple[Entry, ...], listed: list[Listed]) -> list[Finding]:
    """A remark if some scans are there and others are not."""
    wanted = {entry.case for entry in entries if entry.image}
    missing = [item.case for item in listed if item.case in wanted and not item.image]
    if not missing or len(missing) == len(listed):
        return []
    message = f"{len(missing)} scans are not there, their cases are registered without: {shorten(missing)}"
    return [Finding("warning", missing[0] if len(missing) == 1 else None, "file-missing", message, path.name)]


def _with_labels(
    path: Path,
    manifest: Manifest,
    listed: list[Listed],
    entries: tuple[Entry, ...],
    statements: Statements | None,
    options: ManifestOptions,
    findings: list[Finding],
) -> list[Listed]:
    """The listed cases with who labelled them and what; more cases if those of the table are to be added."""
    labelled = {entry.case for entry in entries if entry.label}
    if statements is None or not options.source or not options.kind:
        if labelled:
            message = f"{len(labelled)} labels were left out; give --source, --kind and --annotated-from"
            findings.append(Finding("info", None, "labels-left-out", message, path.name))
        return listed
    found, silent = [], []
    for item in listed:
        statement = statements.by_case.get(item.case, statements.default if item.case in labelled else None)
        if statement:
            found.append(item._replace(said=Said(options.source, options.kind, statement)))
        else:
            found.append(item)
            silent += [item.case] if item.case in labelled else []
    findings += [_not_annotated(path, case) for case in silent]
    extra = [name for name in statements.by_case if name not in manifest.every]
    findings += _not_listed(path, extra, options.add_cases)
    if options.add_cases:
        facts = {"source_dataset": manifest.title, "licence": manifest.licence}
        split = listed[0].split if listed else options.split
        for name in filter(is_case_name, extra):
            said = Said(options.source, options.kind, statements.by_case[name])
            found.append(Listed(name, split, said=said, facts=facts))
    return found


def _not_annotated(path: Path, case: str) -> Finding:
    message = "its label is listed, but --annotated-from does not say what it annotates: registered without a label"
    return Finding("error", case, "not-annotated", message, path.name)


def _not_listed(path: Path, names: list[str], added: bool) -> list[Finding]:
    """Remarks on the cases that the table speaks about and no list names."""
    bad = [name for name in names if not is_case_name(name)]
    found = [
        Finding("error", None, "bad-name", f"--annotated-from: {name[:200]!r} cannot name a case", path.name)
        for name in bad
    ]
    names = [name for name in names if name not in bad]
    if names:
        done = "registered all the same" if added else "left out; --add-cases registers what is left out"
        plural = "cases are" if len(names) > 1 else "case is"
        message = f"{len(names)} {plural} annotated but not listed: {shorten(names)}; {done}"
        found.append(Finding("warning", names[0] if len(names) == 1 else None, "not-listed", message, path.name))
    return found
