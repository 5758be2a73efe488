"""Give scans and labels back as NIfTI: the same voxels, codes, type and geometry as they came in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from flaredb.catalog import cases, labels
from flaredb.catalog.labels import Label
from flaredb.catalog.standing import policy_in_force
from flaredb.errors import NotFoundError, UsageError
from flaredb.workflow.export.carry_out import File, Plan, Unit, carry_out
from flaredb.workflow.export.choice import ALL, CURRENT, Choice, ExportOptions, choose, space_of, withdrawn
from flaredb.workflow.export.values import Part, Recipe, Values, own_values
from flaredb.workflow.results import Result
from flaredb.workspace import Workspace

_MASK = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+ -]*")


def export_nifti(
    workspace: Workspace,
    destination: Path,
    options: ExportOptions = ExportOptions(),  # noqa: B008  frozen
) -> Result:
    """Write `images/CASE_0000.nii.gz`, `labels/SOURCE/REVISION/CASE.nii.gz` and `manifest.json`.

    `options.labels` is `all` (as when it is not given), a source, or `current`: then one file a case,
    `labels/current/CASE.nii.gz`, with the structures' own values; voxels of several possible structures hold the next
    free value (`ignore`) or 0 (`background`). Classes are the `structures` given, those of the
    snapshot's task, or all. With `split` everything stands in folders named after the splits.
    """
    which = options.labels or (CURRENT if options.snapshot else ALL)
    options = options._replace(labels=which)
    if options.structures and which != CURRENT:
        raise UsageError("--structures goes with --labels current; a source's files leave as they came")
    plan = (
        _plan_current(workspace, destination, options)
        if which == CURRENT
        else _plan_own(workspace, destination, options)
    )
    return carry_out(workspace, plan, options)


def request_of(options: ExportOptions, **more: Any) -> dict[str, Any]:
    """What was asked for, as the manifest and the log keep it; nothing of this machine."""
    return {
        "labels": options.labels,
        "undecided": options.undecided,
        "snapshot": options.snapshot,
        "where": options.where,
        "structures": list(options.structures) if options.structures else None,
        "split": options.split,
        **more,
    }


def head_of(choice: Choice, values: Values | None) -> dict[str, Any]:
    """The manifest's lines on what was current, and what the values mean."""
    head: dict[str, Any] = {"snapshot": choice.snapshot, "policy": choice.policy}
    if values:
        written = "as background (0)" if values.undecided == 0 else f"as {values.undecided}"
        head["codes"] = {"0": ["background"], **{str(v): list(names) for names, v in values.meanings}}
        head["undecided"] = {
            "value": values.undecided,
            "meaning": f"voxels that may be several of these, or that nobody speaks about, are written {written}",
        }
    return head


def _plan_current(workspace: Workspace, destination: Path, options: ExportOptions) -> Plan:
    choice = choose(workspace, options)
    values = own_values(workspace.structures, choice.structures)
    if options.undecided == "background":
        values = values._replace(undecided=0)
    units: list[Unit] = []
    silent = []
    for item in choice.labelled:
        top = f"{item.case.split}/" if options.split else ""
        units += _image(item.case, top)
        space = space_of(item)
        if item.parts and space:
            recipe = Recipe(item.parts, replace(space, dtype="uint8"), values)
            file = File(f"{top}labels/current/{item.case.name}.nii.gz", recipe, {"case": item.case.name, **item.facts})
            units.append(Unit(item.case.name, (file,)))
        else:
            silent.append(item.case.name)
    left_out = {"no-current-label": silent} if silent else {}
    return _plan(destination, options, head_of(choice, values), units, left_out)


def _plan_own(workspace: Workspace, destination: Path, options: ExportOptions) -> Plan:
    """Every label of all sources, or of one, as it came in."""
    which = options.labels
    with workspace.catalog.read() as connection:
        wanted = set(cases.matching(connection, options.where))
        known = {case.name: case for case in cases.every(connection) if case.name in wanted}
        if which != ALL:
            sources = [row["name"] for row in labels.sources(connection)]
            if which not in sources:
                raise NotFoundError(f"--labels {which}: give all, current or a source: {' '.join(sources)}")
        every = labels.every(connection) if which == ALL else labels.of_source(connection, str(which), newest=False)
        hidden = withdrawn(connection, None if which == ALL else which)
        policy = policy_in_force(connection)[1].digest
    units: list[Unit] = []
    for case in known.values():
        units += _image(case, f"{case.split}/" if options.split else "")
    gone = []
    for label in every:
        if label.case not in known or label.volume is None:
            continue
        case = known[label.case]
        if set(label.annotated) <= hidden.get(label.name, set()):
            gone.append(label.name)
            continue
        space = label.space or case.space
        if space:
            top = f"{case.split}/" if options.split else ""
            facts = _facts(label, hidden.get(label.name, set()))
            recipe = Recipe((Part(label.volume),), space)
            units.append(Unit(case.name, tuple(_label_files(label, recipe, f"{top}labels", facts))))
    head = {"snapshot": None, "policy": policy}
    return _plan(destination, options, head, units, {"withdrawn": gone} if gone else {})


def _plan(
    destination: Path, options: ExportOptions, head: dict[str, Any], units: list[Unit], left_out: dict[str, list[str]]
) -> Plan:
    request = request_of(options)
    return Plan("nifti", destination, request, head, tuple(units), (), lambda *_: {}, left_out)


def _image(case: cases.Case, top: str) -> Iterator[Unit]:
    if case.image and case.space:
        recipe = Recipe((Part(case.image),), case.space)
        file = File(f"{top}images/{case.name}_0000.nii.gz", recipe, {"case": case.name, "volume": case.image})
        yield Unit(case.name, (file,))


def _label_files(label: Label, recipe: Recipe, top: str, facts: dict[str, Any]) -> Iterator[File]:
    """The file of a label; a label that came as one mask a structure leaves so, in a folder named after its case."""
    place = f"{top}/{label.source}/{label.revision}/{label.case}"
    masks = {
        name: tuple(c for c, names in label.codes.masks if name in names) for _, n in label.codes.masks for name in n
    }
    if not masks or not all(_MASK.fullmatch(name) for name in masks):
        yield File(f"{place}.nii.gz", recipe, facts)
        return
    space = replace(recipe.space, dtype="uint8")
    for name, codes in sorted(masks.items()):
        yield File(f"{place}/{name}.nii.gz", recipe._replace(space=space, codes=codes), {**facts, "mask": name})


def _facts(label: Label, hidden: set[str]) -> dict[str, Any]:
    """For the manifest: whose label it is, what it speaks about, and what its codes mean."""
    return {
        "case": label.case,
        "label": label.name,
        "kind": label.kind,
        "annotated": {n: "exhaustive" if m.exhaustive else "positive-only" for n, m in label.annotated.items()},
        "withdrawn": sorted(hidden),
        "codes": {str(code): sorted(names) for code, names in label.codes.meanings},
        "ignored_codes": sorted(label.codes.ignored),
        "possible_codes": {str(code): sorted(names) for code, names in label.codes.possible},
        "volume": label.volume,
    }
