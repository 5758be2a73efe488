"""Fuse labels of several sources into one of kind `fused`, case by case, with its parents and recipe recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, NamedTuple

from flaredb.catalog import acceptances, cases, fusing, labels
from flaredb.catalog.database import Connection, Run, Write
from flaredb.catalog.labels import Label, NewLabel, Presence
from flaredb.errors import Finding, InvalidDataError, StorageError
from flaredb.labels.fuse import Fused, Method
from flaredb.labels.fuse import fuse as fuse_codes
from flaredb.workflow.ingest.labels import find_presence
from flaredb.workflow.label.fuse_plan import Recipe, Taking, as_part, find_parts, find_recipe, find_weights, planned
from flaredb.workflow.results import Outcome, Result, Tally
from flaredb.workspace import Workspace

__all__ = ["FuseOptions", "fuse"]

_WHY = "accepted as they were fused"


class FuseOptions(NamedTuple):
    """Settings of a fusion: how contradictions are settled, in which structures (all by default) and cases.

    `accept`: the labels count at once; otherwise they wait, as predictions do.
    """

    method: Method = "agreement"
    structures: tuple[str, ...] = ()
    where: str | None = None
    accept: bool = False


class _Made(NamedTuple):
    """A fused label whose voxels are stored, and how far its parts contradicted each other."""

    label: NewLabel
    fused: Fused


def fuse(
    workspace: Workspace,
    sources: Sequence[str],
    name: str,
    options: FuseOptions = FuseOptions(),  # noqa: B008  frozen
    dry_run: bool = False,
) -> Result:
    """Fuse the newest labels of sources, of each case of which two or more have one, as labels of the source `name`.

    What was fused of the same labels is `unchanged`; where a part has a newer revision the fused label gets one.
    InvalidDataError if no case has two labels, or for `weighted` if a source was not measured; ConflictError if the
    source was made in another way.
    """
    asked = Recipe(options.method, tuple(sorted(set(sources))), workspace.structures.check(options.structures))
    if dry_run:
        recipe, taking, matching = _planned(workspace, name, asked, options)
        return Result(None, would=planned(name, recipe, taking, matching - len(taking)))
    with workspace.lock(f"source {name}"):
        recipe, taking, _ = _planned(workspace, name, asked, options)
        return _fuse_cases(workspace, name, recipe, taking, options)


def _planned(
    workspace: Workspace, name: str, asked: Recipe, options: FuseOptions
) -> tuple[Recipe, Sequence[Taking], int]:
    """The recipe with its weights, the cases that have two labels or more, and how many were looked at."""
    with workspace.catalog.read() as connection:
        recipe = find_recipe(connection, name, asked)
        matching = _matching(connection, options.where)
        taking = find_parts(connection, name, recipe, matching)
        if not taking:
            raise InvalidDataError(f"no case has labels of two of these sources: {' '.join(asked.sources)}")
        if recipe.method == "weighted":
            recipe = recipe._replace(weights=find_weights(connection, name, recipe, taking))
    return recipe, taking, len(matching)


def _matching(connection: Connection, where: str | None) -> list[str]:
    """Cases that hold and are not excluded."""
    excluded = {case.name for case in cases.every(connection) if case.excluded}
    return [name for name in cases.matching(connection, where) if name not in excluded]


def _fuse_cases(
    workspace: Workspace, name: str, recipe: Recipe, taking: Sequence[Taking], options: FuseOptions
) -> Result:
    tally = Tally()
    told = {"source": name, **recipe._asdict(), "where": options.where, "accept": options.accept}
    contradicted = undecided = voxels = 0
    with workspace.run("label fuse", **told) as run:
        with run.write() as write:
            labels.ensure_source(write, name, "fused", recipe.text)
        for case in workspace.reporter.track(taking, f"fusing {name}", len(taking)):
            if case.up_to_date and case.last:
                tally.count("unchanged", case.last.name)
                continue
            try:
                made = _make(workspace, name, recipe, case)
            except (InvalidDataError, StorageError) as error:
                tally.count("failed", case.case, [_failed(run, case.case, error)])
                continue
            outcome, label = _enter(run, case, made.label, options.accept)
            tally.count(outcome, label)
            contradicted += made.fused.contradictions
            undecided += made.fused.undecided
            voxels += made.fused.drawn
        with run.write() as write:
            if options.accept:
                _accept(write, name)
            if voxels:
                shares = f"{contradicted / voxels:.2%} of the voxels that any of them draws"
                message = (
                    f"{name}: the sources contradict each other in {shares}, {undecided / voxels:.2%} stay undecided"
                )
                tally.findings.append(Finding("info", None, "fused", message))
                write.add_findings(tally.findings[-1:])
    return tally.result(write.operation)


def _failed(run: Run, case: str, error: Exception) -> Finding:
    """A case whose labels cannot be fused is a finding."""
    finding = Finding("error", case, "not-fused", str(error))
    with run.write() as write:
        write.add_findings([finding])
    return finding


def _make(workspace: Workspace, name: str, recipe: Recipe, case: Taking) -> _Made:
    """Read the parts of a case, fuse them and store the voxels."""
    volumes = [workspace.volumes.open(label.volume) for label, _ in case.parts if label.volume]
    parts = [as_part(label, names) for label, names in case.parts]
    pairs = [(part, volume.read()) for part, volume in zip(parts, volumes, strict=True)]
    fused = fuse_codes(workspace.structures, pairs, recipe.method, recipe.weights)
    presence = find_presence(fused.voxels, fused.codes)
    label = NewLabel(
        case=case.case,
        source=name,
        kind="fused",
        volume=workspace.volumes.put_label(fused.voxels, volumes[0].grid).volume,
        codes=fused.codes,
        annotated=fused.annotated,
        presence={each: presence.get(each, Presence(0, None)) for each in fused.annotated},
        facts=_facts(workspace, case, str(fused.voxels.dtype)),
        annotated_at=datetime.now(UTC),
        parents=tuple(sorted(label.id for label, _ in case.parts)),
    )
    return _Made(label, fused)


def _facts(workspace: Workspace, case: Taking, dtype: str) -> dict[str, Any]:
    """A fused label is exported on its scan's own axes; without a scan, on those of the first part."""
    with workspace.catalog.read() as connection:
        known = cases.find(connection, case.case)
    space = known.space or next((label.space for label, _ in case.parts if label.space), None)
    if space is None:
        return {}
    facts = cases.space_facts(replace(space, dtype=dtype), "", "")
    return {key: value for key, value in facts.items() if key not in ("file_name", "file_sha256")}


def _enter(run: Run, case: Taking, label: NewLabel, accept: bool) -> tuple[Outcome, str]:
    """Add the label, unless the newest one is made of the same parts and says the same."""
    last = case.last
    if last and _same(last, label) and case.made_of == set(label.parents):
        return "unchanged", last.name
    with run.write() as write:
        number, name = labels.add(write, label)
        source = labels.source_number(write.connection, label.source)
        standing = acceptances.accepted(write, source).intersection(label.annotated)
        if standing and not accept:
            acceptances.record(write, ("label", number), standing, "revoked", fusing.NOT_ASKED)
    return "added", name


def _same(last: Label, label: NewLabel) -> bool:
    """Whether two labels of a source say the same of a case."""
    return (last.volume, last.codes.digest, last.annotated) == (label.volume, label.codes.digest, label.annotated)


def _accept(write: Write, name: str) -> None:
    """Accept the source for what its labels speak about, and its newest labels that wait for it."""
    source = labels.source_number(write.connection, name)
    spoken = {structure for names in labels.annotated_by(write.connection, source).values() for structure in names}
    if fresh := spoken - acceptances.accepted(write, source):
        acceptances.record(write, ("source", source), sorted(fresh), "accepted", _WHY)
    waiting = fusing.waiting(write.connection)
    own = {label.id: waiting[label.id] for label in labels.of_source(write.connection, name) if label.id in waiting}
    if own:
        acceptances.record_labels(write, own, "accepted", _WHY)
