"""A data set to train from elsewhere: one scan and one label a case, on the scan's axes, and a list of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from flaredb.errors import UsageError
from flaredb.exchange.datasets import Listing, Pair
from flaredb.geometry import FileSpace
from flaredb.workflow.export.carry_out import File, Plan, Unit
from flaredb.workflow.export.choice import CURRENT, ExportOptions, Labelled, choose, numbered
from flaredb.workflow.export.nifti import head_of, request_of
from flaredb.workflow.export.record import Written
from flaredb.workflow.export.values import Part, Recipe, Values
from flaredb.workspace import Workspace

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")
_ORTHONORMAL = 1e-5


class Places(NamedTuple):
    """Where files go: `{group}` is Tr or Ts, `{case}` the case's name."""

    image: str
    label: str


class Layout(NamedTuple):
    """A way to lay out a data set; `documents` writes its lists from the cases, and says if scans are sheared."""

    name: str
    places: Places
    documents: Callable[[Listing, bool], dict[str, bytes]]
    named: tuple[str, ...]
    always_split: bool = False


def dataset_plan(workspace: Workspace, root: Path, options: ExportOptions, layout: Layout, title: str) -> Plan:
    """The files of a data set. Training are the labelled cases of that split; the others go as test cases.

    With `split` (or where the layout always tells them apart) labelled validation cases stand in a list of their own.
    Left out are excluded cases, those without a scan, and training cases whose patient is in another split.
    """
    options = options._replace(labels=options.labels or CURRENT)
    choice = choose(workspace, options)
    values = numbered(choice, workspace.structures, str(options.labels), options.undecided)
    left_out: dict[str, list[str]] = {}
    judged = {k for i in choice.labelled if i.case.split != "train" for k in _person(i)}
    roles: dict[str, str] = {}
    units = []
    for item in choice.labelled:
        name = item.case.name
        if reason := _unfit(item, judged):
            left_out.setdefault(reason, []).append(name)
            continue
        roles[name] = _role(item, values, options.split or layout.always_split)
        units.append(_unit(item, values, layout.places, "Ts" if roles[name] == "test" else "Tr"))

    def documents(complete: Sequence[Unit], files: Mapping[str, Written]) -> dict[str, bytes]:
        pairs: dict[str, list[Pair]] = {"train": [], "validation": [], "test": []}
        for unit in complete:
            image, label = unit.files[0], unit.files[1].path if len(unit.files) > 1 else None
            pairs[roles[unit.case]].append(Pair(unit.case, image.path, label))
        undecided = any(files[f.path].undecided for unit in complete for f in unit.files[1:])
        ignore = values.undecided if undecided and values.undecided else None
        listing = Listing(title, values.names, ignore, pairs["train"], pairs["validation"], pairs["test"])
        return layout.documents(listing, any(_sheared(unit.files[0].recipe.space) for unit in complete))

    request = request_of(options, title=title)
    head = head_of(choice, values)
    return Plan(layout.name, root, request, head, tuple(units), layout.named, documents, left_out)


def title_of(workspace: Workspace, given: str | None) -> str:
    """The name of a data set: as given, else the workspace's folder's; UsageError for one that names no folder."""
    if given is None:
        return re.sub(r"[^A-Za-z0-9]+", "", workspace.root.name) or "flaredb"
    if not _NAME.fullmatch(given):
        raise UsageError(f"--name {given!r}: letters, digits, '.', '_', '+' and '-'")
    return given


def _unfit(item: Labelled, judged: set[str]) -> str | None:
    """Why a case cannot be in a data set."""
    if item.case.excluded:
        return "excluded"
    if item.case.image is None or item.case.space is None:
        return "no-scan"
    if item.case.split == "train" and item.parts and judged.intersection(_person(item)):
        return "patient-in-another-split"
    return None


def _person(item: Labelled) -> set[str]:
    return {key for key in (item.case.patient, item.case.voxels_digest) if key}


def _role(item: Labelled, values: Values, split: bool) -> str:
    labelled = bool(item.spoken.intersection(values.task.structures))
    if item.case.split == "train" and labelled:
        return "train"
    return "validation" if item.case.split == "validation" and labelled and split else "test"


def _unit(item: Labelled, values: Values, places: Places, group: str) -> Unit:
    """The scan as it came in and, where anybody speaks about the structures, its label."""
    case = item.case
    space = case.space
    if space is None or case.image is None:  # `_unfit` has seen to it
        raise UsageError(f"case {case.name} has no scan")
    names = {"group": group, "case": case.name}
    facts = {"case": case.name, "volume": case.image}
    files = [File(places.image.format(**names), Recipe((Part(case.image),), space), facts)]
    if item.spoken.intersection(values.task.structures):
        recipe = Recipe(item.parts, replace(space, dtype=_integer(item)), values)
        files.append(File(places.label.format(**names), recipe, {"case": case.name, **item.facts}))
    return Unit(case.name, tuple(files))


def _integer(item: Labelled) -> str:
    """The type of the label's own file if it is one, and of whole numbers; else the smallest."""
    types = {label.space.dtype for label in item.labels if label.space}
    kept = len(item.labels) == 1 and len(types) == 1 and np.dtype(next(iter(types))).kind in "iu"
    return next(iter(types)) if kept else "uint8"


def _sheared(space: FileSpace) -> bool:
    """Whether the axes are not at right angles: ITK refuses such files."""
    direction = space.matrix[:3, :3] / np.linalg.norm(space.matrix[:3, :3], axis=0)
    return bool(np.abs(direction.T @ direction - np.eye(3)).max() > _ORTHONORMAL)
