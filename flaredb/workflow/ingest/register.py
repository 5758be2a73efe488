"""Bring in what a list names: cases with or without voxels, labels with or without files.

A case is registered first, its image null; a label without a file is announced: a revision of its source that says
what is annotated and is never a candidate. Nothing is accepted by announcing; the import of the voxels decides.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple

from flaredb.catalog import cases
from flaredb.catalog.database import Run, Write
from flaredb.catalog.registration import add_cases, announce
from flaredb.errors import ConflictError, Finding, InvalidDataError
from flaredb.labels.mappings import load_mapping
from flaredb.workflow.ingest.annotated import Statements
from flaredb.workflow.ingest.images import ImageOptions, bring_images
from flaredb.workflow.ingest.labels import LabelOptions, bring_labels, prepare_source
from flaredb.workflow.ingest.listing import Listed, Plan, make_plan
from flaredb.workflow.results import Result
from flaredb.workspace import Workspace


class Listing(NamedTuple):
    """A list with the cases that can be taken, what is wrong with it, and how its label files are read."""

    path: Path
    listed: Sequence[Listed]
    findings: Sequence[Finding]
    mapping: str = "identity"
    workers: int = 2


def bring_in(workspace: Workspace, command: AbstractContextManager[Run], listing: Listing) -> Result:
    """Register, announce and import what is listed; `command` is what it is recorded under.

    A source that cannot be had makes its labels fail; if it is the only one, its error is raised.
    """
    codes = load_mapping(listing.mapping, workspace.structures)
    with command as run:
        with run.write() as write:
            listed, refused = _open_sources(write, listing)
            plan = make_plan(workspace, write.connection, listed, codes, listing.path.name)
            remarks, plan.findings = plan.findings, []
            for finding in [*listing.findings, *refused]:
                plan.remark(finding)
            plan.findings += remarks
            _enter_plan(write, plan)
        _bring_files(workspace, run, plan, listing)
    return plan.result(write.operation)


def preview(workspace: Workspace, listing: Listing) -> Result:
    """What `bring_in` would do; nothing is changed."""
    codes = load_mapping(listing.mapping, workspace.structures)
    with workspace.catalog.read() as connection:
        plan = make_plan(workspace, connection, listing.listed, codes, listing.path.name)
    return Result(None, findings=(*listing.findings, *plan.findings), would=plan.would)


def _open_sources(write: Write, listing: Listing) -> tuple[list[Listed], list[Finding]]:
    """Make the sources; the listed cases without the labels of those that are refused, and findings on these."""
    refused: dict[tuple[str, str], str] = {}
    wanted = dict.fromkeys((item.said.source, item.said.kind) for item in listing.listed if item.said)
    for source, kind in wanted:
        try:
            prepare_source(write, LabelOptions(source, kind))
        except (ConflictError, InvalidDataError) as error:
            if len(wanted) == 1:
                raise
            refused[source, kind] = str(error)
    listed, findings = [], []
    for item in listing.listed:
        reason = refused.get((item.said.source, item.said.kind)) if item.said else None
        listed.append(item._replace(said=None) if reason else item)
        if reason:
            findings.append(Finding("error", item.case, "source-refused", reason, listing.path.name))
    return listed, findings


def _enter_plan(write: Write, plan: Plan) -> None:
    """Register the new cases, announce labels and record the findings; their sources are there."""
    add_cases(write, list(plan.new.values()))
    announce(write, plan.announced)
    write.add_findings(plan.findings)
    for name in [*plan.new, *(label.case for label in plan.announced)]:
        plan.outcomes[name].add("added")


def _bring_files(workspace: Workspace, run: Run, plan: Plan, listing: Listing) -> None:
    """Import the scans and labels whose files are there."""
    for split, found in plan.images.items():
        options = ImageOptions(split, workers=listing.workers)
        for item, outcome, remarks in bring_images(workspace, run, found, options, listing.path.parent):
            plan.outcomes[item.case].add(outcome)
            plan.findings += remarks
    for (source, kind), pairs in plan.labels.items():
        statements = Statements({found.case: statement for found, statement in pairs})
        label_options = LabelOptions(source, kind, listing.mapping, workers=listing.workers)
        for brought in bring_labels(workspace, run, [found for found, _ in pairs], statements, label_options):
            plan.outcomes[brought.case].add(brought.outcome)
            plan.findings += brought.findings
    if plan.images:
        with run.write() as write:
            remarks = _patients_apart(cases.every(write.connection), set(plan.outcomes), plan.path)
            write.add_findings(remarks)
        plan.findings += remarks


def _patients_apart(there: Iterable[cases.Case], names: set[str], place: str) -> list[Finding]:
    """A warning for each of the named cases whose patient has a case in another split."""
    splits: dict[str, set[str]] = defaultdict(set)
    everyone = list(there)
    for case in everyone:
        splits[case.patient].add(case.split)
    message = "its patient has cases in other splits too ({}); put them into one: flaredb case describe"
    return [
        Finding("warning", case.name, "two-splits", message.format(", ".join(sorted(splits[case.patient]))), place)
        for case in everyone
        if case.name in names and len(splits[case.patient]) > 1
    ]
