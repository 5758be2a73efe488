"""Bring in reports that say "none": each becomes a label that holds nothing and says so exhaustively."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from flaredb.catalog import cases
from flaredb.catalog.cases import Case
from flaredb.catalog.database import Run
from flaredb.catalog.labels import NewLabel, Presence
from flaredb.errors import Finding, InvalidDataError
from flaredb.exchange.tables import Row, read_sheet, refused_row
from flaredb.labels.labelset import Mode
from flaredb.labels.mappings import identity
from flaredb.workflow.ingest.annotated import Statement, statement_of
from flaredb.workflow.ingest.labels import LabelOptions, enter_label, exact_kind, prepare_source
from flaredb.workflow.results import Outcome, Result, Tally
from flaredb.workspace import Workspace

_TRUTH = "ground-truth"


def ingest_absent(
    workspace: Workspace, path: Path, structures: Iterable[str], source: str, dry_run: bool = False
) -> Result:
    """For every case of a table, a ground-truth label of the source on which none of the structures is present.

    The table has a column case and may have date and annotator. A case that is unknown, or whose grid is, becomes a
    finding and fails.
    """
    names = workspace.structures.check(structures)
    if not names:
        raise InvalidDataError("say which structures the reports call absent: --structures tumor")
    sheet = read_sheet(path, "case")
    with workspace.catalog.read() as connection:
        known = cases.by_any_names(connection, {row.get("case") for row in sheet.rows})
    findings = []
    fit: list[tuple[Case, Statement]] = []
    for row in sheet.rows:
        try:
            fit.append((_case_of(known, row), statement_of(row)))
        except InvalidDataError as error:
            findings.append(refused_row(path, row, row.get("case"), error))
    if dry_run:
        return Result(None, findings=tuple(findings), would={"labels": [f"{case.name}@{source}" for case, _ in fit]})
    tally = Tally(findings)
    with workspace.run("ingest absent", path=path.name, structures=names, source=source) as run:
        with run.write() as write:
            prepare_source(write, LabelOptions(source, _TRUTH))
            write.add_findings(findings)
        for found, statement in workspace.reporter.track(fit, "reports", len(fit)):
            outcome, name = _enter(workspace, run, found, names, source, statement)
            tally.count(outcome, name)
    return tally.result(write.operation)


def _case_of(known: dict[str, Case], row: Row) -> Case:
    name = row.get("case")
    if name not in known:
        raise _problem("no-case", f"there is no case {name[:200]!r}; flaredb ingest images PATH")
    if known[name].grid is None:
        raise _problem("no-grid", "the case has no voxels yet, so its grid is unknown; flaredb ingest images PATH")
    return known[name]


def _problem(rule: str, message: str) -> InvalidDataError:
    return InvalidDataError(message, [Finding("error", None, rule, message)])


def _facts(case: Case) -> dict[str, Any]:
    """The columns of a file that is not there, laid out as the scan's, so that the label can be written as one."""
    if case.space is None:
        return {}
    facts = cases.space_facts(replace(case.space, dtype="uint8"), "", "")
    return {name: value for name, value in facts.items() if name not in ("file_name", "file_sha256")}


def _enter(
    workspace: Workspace, run: Run, case: Case, names: tuple[str, ...], source: str, statement: Statement
) -> tuple[Outcome, str]:
    """Store an empty volume on the case's grid and enter the label."""
    assert case.grid  # noqa: S101  checked when the row was read
    annotated = {name: Mode() for name in names}
    volume = workspace.volumes.put_label(np.zeros(case.grid.shape, np.uint8), case.grid).volume
    label = NewLabel(
        case=case.name,
        source=source,
        kind=exact_kind(workspace, _TRUTH, annotated),
        volume=volume,
        codes=identity(workspace.structures),
        annotated=annotated,
        presence=dict.fromkeys(names, Presence(0, None)),
        facts=_facts(case),
        annotated_at=statement.annotated_at or datetime.now(UTC),
        annotator=statement.annotator,
    )
    with run.write() as write:
        return enter_label(write, label, accepted=True)
