"""Hold a list of cases against the catalogue: what is new, what is announced, which files are to be imported."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from flaredb.catalog import cases, labels
from flaredb.catalog.database import Connection
from flaredb.catalog.labels import NewLabel, Presence
from flaredb.catalog.registration import NewCase
from flaredb.errors import Finding, InvalidDataError, NotFoundError
from flaredb.exchange.layouts import Found
from flaredb.labels.mappings import Mapping as Codes
from flaredb.workflow.ingest.annotated import Statement, resolve
from flaredb.workflow.ingest.labels import exact_kind
from flaredb.workflow.results import Outcome, Result, Tally
from flaredb.workspace import Workspace


class Said(NamedTuple):
    """Who labelled a case, and what was annotated."""

    source: str
    kind: str
    statement: Statement


class Listed(NamedTuple):
    """A case as a list names it; None for what the list does not say, or whose file is not there."""

    case: str
    split: str | None = None
    image: Path | None = None
    label: Path | None = None
    said: Said | None = None
    patient: str | None = None
    facts: Mapping[str, Any] = {}
    """Further columns of a new case; the same ones for all of a list."""


@dataclass
class Plan:
    """What is to be done, and what became of each case so far."""

    path: str
    new: dict[str, NewCase] = field(default_factory=dict)
    announced: list[NewLabel] = field(default_factory=list)
    images: dict[str, list[Found]] = field(default_factory=lambda: defaultdict(list))
    """By split."""
    labels: dict[tuple[str, str], list[tuple[Found, Statement]]] = field(default_factory=lambda: defaultdict(list))
    """By source and kind."""
    outcomes: dict[str, set[Outcome]] = field(default_factory=lambda: defaultdict(set))
    findings: list[Finding] = field(default_factory=list)

    def remark(self, finding: Finding) -> None:
        """A finding more; one of severity `error` makes its case fail."""
        self.findings.append(finding)
        if finding.severity == "error" and finding.case:
            self.outcomes[finding.case].add("failed")

    @property
    def would(self) -> dict[str, list[str]]:
        """What would be done, by name."""
        return {
            "cases": list(self.new),
            "announced": [f"{label.case}@{label.source}" for label in self.announced],
            "images": [found.case for group in self.images.values() for found in group],
            "labels": [f"{found.case}@{source}" for (source, _), group in self.labels.items() for found, _ in group],
        }

    def result(self, operation: int | None) -> Result:
        """The cases counted: failed if anything of a case failed, added if anything was new."""
        tally = Tally(finding for finding in self.findings if not finding.case)
        tally.findings = self.findings
        for case, outcomes in self.outcomes.items():
            outcome: Outcome = "failed" if "failed" in outcomes else "added" if "added" in outcomes else "unchanged"
            tally.count(outcome, case)
        return tally.result(operation)


@dataclass
class _Known:
    """What the catalogue holds of the listed cases."""

    cases: dict[str, cases.Case]
    said: dict[tuple[str, str], list[labels.Label]]
    splits: dict[str, str]
    """By patient."""


def make_plan(workspace: Workspace, connection: Connection, listed: Sequence[Listed], codes: Codes, place: str) -> Plan:
    """Hold a list against the catalogue. `place` is the list's name, for findings."""
    plan = Plan(place)
    known = _known(connection, {item.said.source for item in listed if item.said})
    renamed = cases.present_names(connection)
    for named in listed:
        item = named._replace(case=renamed.get(named.case, named.case))
        plan.outcomes[item.case].add("unchanged")
        if _place_case(workspace, plan, known, item) and item.said:
            _place_label(workspace, plan, known, item, codes)
    return plan


def _known(connection: Connection, sources: Iterable[str]) -> _Known:
    there = cases.every(connection)
    said: dict[tuple[str, str], list[labels.Label]] = defaultdict(list)
    for source in sources:
        for label in labels.of_source(connection, source, newest=False):
            said[label.case, source].append(label)
    return _Known({case.name: case for case in there}, said, {case.patient: case.split for case in there})


def _place_case(workspace: Workspace, plan: Plan, known: _Known, item: Listed) -> bool:
    """Plan the case itself; False with a finding if it cannot come in."""
    there = known.cases.get(item.case)
    patient = workspace.patient_key(item.patient or item.case)
    split = item.split or "train"
    if there:
        split = there.split
        if item.split not in (None, split):
            message = f"the case stays in the split {split}; flaredb case describe changes it"
            plan.remark(Finding("warning", item.case, "split-kept", message, plan.path))
        if item.patient and there.patient != patient:
            message = "the case keeps the patient it has; flaredb case describe changes it"
            plan.remark(Finding("warning", item.case, "patient-kept", message, plan.path))
    elif item.case in plan.new:
        first = plan.new[item.case]
        if item.split not in (None, first.split) or (item.patient and patient != first.patient):
            message = "another row gives this case another split or patient; this row is left out"
            plan.remark(Finding("error", item.case, "two-splits", message, plan.path))
            return False
        split = first.split
    else:
        if known.splits.setdefault(patient, split) != split:
            other = known.splits[patient]
            message = f"its patient has cases in the split {other}; a patient has one split, so not in {split}"
            plan.remark(Finding("error", item.case, "two-splits", message, plan.path))
            return False
        plan.new[item.case] = NewCase(item.case, patient, split, dict(item.facts))
    if item.image:
        plan.images[split].append(Found(item.case, item.image))
    return True


def _place_label(workspace: Workspace, plan: Plan, known: _Known, item: Listed, codes: Codes) -> None:
    """Plan the label of a listed case: its file if that can be imported, else an announcement."""
    case, said = known.cases.get(item.case), item.said
    if said is None:
        return
    if item.label and (item.image or (case and case.grid)):
        plan.labels[said.source, said.kind].append((Found(item.case, item.label), said.statement))
        return
    if item.label:
        message = "its file is there, its scan is not: announced only; import the scan, then run this again"
        plan.remark(Finding("warning", item.case, "label-waits", message, plan.path))
    try:
        label = _announcement(workspace, item.case, said, codes)
    except (InvalidDataError, NotFoundError) as error:
        plan.remark(Finding("error", item.case, "annotated-wrong", str(error), plan.path))
        return
    before = known.said[item.case, said.source]
    other = next((old for old in before if old.volume), None)
    if any(_same(old, label) for old in before):
        return
    if other:
        message = f"{other.name} has voxels and annotates {' '.join(other.annotated)}, not what the list says; "
        message += "import its file again with what is true: flaredb ingest labels PATH --annotated-from FILE.csv"
        plan.remark(Finding("error", item.case, "annotated-differs", message, plan.path))
        return
    plan.announced.append(label)


def _announcement(workspace: Workspace, case: str, said: Said, codes: Codes) -> NewLabel:
    statement = said.statement
    if statement.annotated == ("present",):
        raise InvalidDataError("a label without voxels cannot annotate what is present in it; name the structures")
    annotated = resolve(statement, workspace.structures, codes, lambda _: False)
    if not annotated:
        raise InvalidDataError("the label speaks about nothing; name the structures it annotates")
    return NewLabel(
        case=case,
        source=said.source,
        kind=exact_kind(workspace, statement.kind or said.kind, annotated),
        volume=None,
        codes=codes,
        annotated=annotated,
        presence=dict.fromkeys(annotated, Presence(0, None)),
        facts={},
        annotated_at=statement.annotated_at or datetime.now(UTC),
        annotator=statement.annotator,
    )


def _same(old: labels.Label, new: NewLabel) -> bool:
    """Whether a source has said this before, with voxels or without."""
    before = (old.annotated, old.kind, old.annotator)
    return before == (new.annotated, new.kind, new.annotator)
