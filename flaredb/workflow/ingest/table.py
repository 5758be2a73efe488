"""Bring in the cases of a table people wrote: one row a label, or a case."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from flaredb.catalog.tables import SPLITS
from flaredb.errors import Finding, InvalidDataError
from flaredb.exchange.casenames import is_case_name
from flaredb.exchange.numbering import shorten
from flaredb.exchange.places import find_inside, named_case
from flaredb.exchange.tables import Row, Sheet, read_sheet, refused_row
from flaredb.labels.policy import KINDS
from flaredb.workflow.ingest.annotated import statement_of
from flaredb.workflow.ingest.listing import Listed, Said
from flaredb.workflow.ingest.register import Listing, bring_in, preview
from flaredb.workflow.results import Result
from flaredb.workspace import Workspace

COLUMNS = (
    "case", "image", "label", "patient", "source", "kind", "annotated", "positive_only", "annotator", "date", "split",
    "centre",
)  # fmt: skip


class TableOptions(NamedTuple):
    """Settings of an import of a table; source and kind hold for rows that name none."""

    source: str | None = None
    kind: str | None = None
    mapping: str = "identity"
    workers: int = 2


def ingest_table(
    workspace: Workspace,
    path: Path,
    options: TableOptions = TableOptions(),  # noqa: B008  frozen
    dry_run: bool = False,
) -> Result:
    """Register the cases of a table and announce their labels; import the scans and labels whose files are there.

    A row that cannot be taken becomes a finding, the others come in. Raises InvalidDataError for a table without a
    column that names cases.
    """
    if options.kind not in (None, *KINDS):
        raise InvalidDataError(f"kind {options.kind!r}; one of: {' '.join(KINDS)}")
    sheet = read_sheet(path)
    if not {"case", "image"} & set(sheet.columns):
        raise InvalidDataError(f"{path.name}: needs a column case or image; it may have: {','.join(COLUMNS)}")
    findings = list(_unknown_columns(path, sheet))
    listed = []
    for row in sheet.rows:
        try:
            listed.append(_listed(path, row, options))
        except InvalidDataError as error:
            findings.append(refused_row(path, row, _case_of(row), error))
    listed = _once(path, listed, findings)
    findings += _files_missing(path, sheet, listed)
    listing = Listing(path, listed, findings, options.mapping, options.workers)
    if dry_run:
        return preview(workspace, listing)
    return bring_in(workspace, workspace.run("ingest table", path=path.name, **options._asdict()), listing)


def _listed(path: Path, row: Row, options: TableOptions) -> Listed:
    """A row as a listed case; InvalidDataError says what is wrong with it."""
    statement = statement_of(row)
    case = _case_of(row)
    if not is_case_name(case):
        raise InvalidDataError(f"{case[:200]!r} cannot name a case: letters, digits and ._+-, at most 128")
    split = row.get("split") or None
    if split not in (None, *SPLITS):
        raise InvalidDataError(f"split {split!r:.100}; one of: {' '.join(SPLITS)}")
    files = {name: find_inside(path.parent, row.get(name)) if row.get(name) else None for name in ("image", "label")}
    source, kind = row.get("source") or options.source, statement.kind or options.kind
    said = None
    if statement.annotated or statement.positive_only:
        if not source or not kind:
            raise InvalidDataError("a label needs a source and a kind: columns source,kind, or --source and --kind")
        said = Said(source, kind, statement)
    elif row.get("label"):
        raise InvalidDataError("a label needs the structures it annotates: column annotated")
    facts = {"centre": row.get("centre") or None}
    return Listed(case, split, files["image"], files["label"], said, row.get("patient") or None, facts)


def _case_of(row: Row) -> str:
    """The case a row is about; without a name, that of its image."""
    return row.get("case") or named_case(row.get("image"))


def _once(path: Path, listed: list[Listed], findings: list[Finding]) -> list[Listed]:
    """The rows without those that stand twice; of rows that contradict each other none is taken."""
    groups: dict[tuple[str, str, str], list[Listed]] = defaultdict(list)
    for item in listed:
        source, annotator = (item.said.source, item.said.statement.annotator) if item.said else ("", "")
        groups[item.case, source, annotator].append(item)
    taken = []
    for (case, source, _), rows in groups.items():
        of = f" of source {source}" if source else ""
        if len(rows) == 1:
            taken += rows
        elif all(row == rows[0] for row in rows):
            taken.append(rows[0])
            message = f"{len(rows)} equal rows{of}; taken once"
            findings.append(Finding("warning", case, "duplicate-row", message, path.name))
        else:
            message = f"{len(rows)} rows{of} that say different things; none is taken"
            findings.append(Finding("error", case, "duplicate-row", message, path.name))
    return taken


def _files_missing(path: Path, sheet: Sheet, listed: list[Listed]) -> Iterable[Finding]:
    """A remark on the files that the table names and that are not there."""
    there = {item.case: item for item in listed}
    for column in ("image", "label"):
        wanted = {_case_of(row) for row in sheet.rows if row.get(column)} & set(there)
        missing = [name for name in wanted if getattr(there[name], column) is None]
        if missing:
            done = "registered without" if column == "image" else "announced only"
            message = f"{len(missing)} files of the column {column} are not there; {done}: {shorten(missing)}"
            case = missing[0] if len(missing) == 1 else None
            yield Finding("warning", case, "file-missing", message, path.name)


def _unknown_columns(path: Path, sheet: Sheet) -> Iterable[Finding]:
    unknown = [name for name in sheet.columns if name and name not in COLUMNS]
    if unknown:
        message = f"columns that are not read: {', '.join(unknown)[:200]}; read are {','.join(COLUMNS)}"
        yield Finding("warning", None, "unknown-column", message, path.name)
