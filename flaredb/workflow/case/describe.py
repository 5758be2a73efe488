"""Say of cases whose they are, which split they belong to and where they come from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from flaredb.catalog.case_events import describe
from flaredb.catalog.cases import Case, by_any_names
from flaredb.catalog.database import Connection, Write
from flaredb.catalog.registration import described, in_snapshots
from flaredb.catalog.tables import SPLITS
from flaredb.errors import Finding, InvalidDataError
from flaredb.exchange.casenames import is_case_name
from flaredb.exchange.tables import Row, read_sheet
from flaredb.workflow.results import Outcome, Result, Tally
from flaredb.workspace import Workspace

COLUMNS = ("patient", "split", "source_dataset", "licence", "centre")


class _Change(NamedTuple):
    """What a row changes of a case: new values by column, those it has already left out."""

    id: int
    case: str
    before: tuple[str, str]
    """Patient and split as stored."""
    facts: dict[str, Any]

    @property
    def patient(self) -> str:
        """The patient after the change."""
        return str(self.facts.get("patient", self.before[0]))

    @property
    def split(self) -> str:
        """The split after the change."""
        return str(self.facts.get("split", self.before[1]))


def case_describe(workspace: Workspace, path: Path, dry_run: bool = False) -> Result:
    """Set patient, split, source_dataset, licence and centre of cases from a table with a column case.

    Empty cells leave things as they are. Patients are kept as salted hashes. Refused with a finding: a case that is
    unknown, another split for a case that a snapshot used, and what would put a patient into two splits.
    """
    sheet = read_sheet(path, "case")
    if not set(COLUMNS) & set(sheet.columns):
        raise InvalidDataError(f"{path.name}: needs a column to set; it may have: {','.join(COLUMNS)}")
    if dry_run:
        with workspace.catalog.read() as connection:
            changes, findings = _changes(workspace, connection, path, sheet.rows)
        return Result(None, findings=tuple(findings), would={"cases": [c.case for c in changes if c.facts]})
    with workspace.run("case describe", path=path.name) as run, run.write() as write:
        changes, findings = _changes(workspace, write.connection, path, sheet.rows)
        write.add_findings(findings)
        tally = Tally(findings)
        for change in changes:
            tally.count(_apply(write, change, path.name), change.case)
    return tally.result(write.operation)


def _apply(write: Write, change: _Change, place: str) -> Outcome:
    if not change.facts:
        return "unchanged"
    describe(write, change.id, change.facts, f"{place} says so")
    return "added"


def _changes(
    workspace: Workspace, connection: Connection, path: Path, rows: Iterable[Row]
) -> tuple[list[_Change], list[Finding]]:
    """What the rows change, and why some of them cannot."""
    rows = list(rows)
    known = by_any_names(connection, {row.get("case") for row in rows})
    used, stored = in_snapshots(connection), described(connection)
    changes: dict[str, _Change] = {}
    findings = []
    for row in rows:
        name = row.get("case")
        name = known[name].name if name in known else name
        refused = _refusal(row, known, used, name in changes)
        if refused:
            rule, message = refused
            named = name if is_case_name(name) else None
            findings.append(Finding("error", named, rule, f"row {row.number}: {message}", path.name))
        else:
            wanted = _wanted(workspace, row)
            now = stored[known[name].id]
            facts = {key: new for key, new in wanted.items() if new != now[key]}
            changes[name] = _Change(known[name].id, name, (now["patient"], now["split"]), facts)
    splits = {case: (facts["patient"], facts["split"]) for case, facts in stored.items()}
    for name in _apart(list(changes.values()), splits):
        message = f"its patient would have cases in other splits than {changes.pop(name).split}; a patient has one"
        findings.append(Finding("error", name, "two-splits", message, path.name))
    return list(changes.values()), findings


def _wanted(workspace: Workspace, row: Row) -> dict[str, str]:
    wanted = {column: row.get(column) for column in COLUMNS if row.get(column)}
    if "patient" in wanted:
        wanted["patient"] = workspace.patient_key(wanted["patient"])
    return wanted


def _refusal(row: Row, known: dict[str, Case], used: set[int], again: bool) -> tuple[str, str] | None:
    """The rule that a row breaks by itself, and how; None if it breaks none."""
    name, split = row.get("case"), row.get("split")
    if row.surplus:
        return "bad-row", "more cells than columns"
    if name not in known:
        return "no-case", f"there is no case {name[:200]!r}"
    if again:
        return "duplicate-row", "the case stands twice; the first row counts"
    if split and split not in SPLITS:
        return "bad-row", f"split {split!r:.100}; one of: {' '.join(SPLITS)}"
    if split and split != known[name].split and known[name].id in used:
        return "split-in-use", f"the case was used by a snapshot as {known[name].split}; its split stays"
    return None


def _apart(changes: list[_Change], splits: dict[int, tuple[str, str]]) -> list[str]:
    """Cases whose change of patient or split would leave their patient in two splits; `splits` by case as stored.

    A refused change may make another one wrong, so this goes on until all that is left fits.
    """
    refused: list[str] = []
    while True:
        after = splits | {c.id: (c.patient, c.split) for c in changes if c.case not in refused}
        by_patient: dict[str, set[str]] = defaultdict(set)
        for patient, split in after.values():
            by_patient[patient].add(split)
        wrong = [
            change.case
            for change in changes
            if change.case not in refused
            and {"patient", "split"} & set(change.facts)
            and len(by_patient[change.patient]) > 1
        ]
        if not wrong:
            return refused
        refused += wrong
