"""What a label draws, beside what others draw of the same case: read from the volumes, told in figures."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from flaredb.catalog.labels import Label
from flaredb.geometry import Grid
from flaredb.labels.reliability import Overlap, Shape
from flaredb.labels.structures import StructureSet
from flaredb.metrics.components import find_components, shell
from flaredb.workspace import Workspace

Map = NDArray[np.uint8]
_NEAR = 2  # voxels: a lesion this close to an organ lies at it


class Drawing(NamedTuple):
    """A label to look at; `before`: those of the rounds before, the latest first; `others`: external ones of the case;
    `around`: labels that draw the organs, where the label itself draws none."""

    label: Label
    before: tuple[Label, ...] = ()
    others: tuple[Label, ...] = ()
    around: tuple[Label, ...] = ()


class Sights(NamedTuple):
    """What was seen, by structure that the label annotates: its shape; change from round to round, the latest first;
    mean Dice with external labels. `whole`: change of the whole map."""

    shapes: dict[str, Shape]
    changes: dict[str, tuple[float, ...]]
    external: dict[str, float]
    whole: tuple[float, ...]


def look(workspace: Workspace, drawing: Drawing) -> Sights:
    """Read a label and those beside it; StorageError if a volume is missing or altered."""
    space, label = workspace.structures, drawing.label
    values = {name: value for value, name in enumerate(space.names, start=1)}
    volume = workspace.volumes.open(label.volume or "")
    own = _as_values(volume.read(), label, values)
    maps = [own, *(_values_of(workspace, other, values) for other in drawing.before)]
    pairs = [Overlap.of(old, new, len(values) + 1) for new, old in itertools.pairwise(maps)]
    names = [name for name in space.names if name in label.annotated and len(label.codes.superset(name)) == 1]
    told = [_speaking(label, drawing.before, names, place) for place in range(len(pairs))]
    changes = {
        name: tuple(pair.change(values[name]) for pair, both in zip(pairs, told, strict=True) if name in both)
        for name in names
    }
    near = _organs(workspace, drawing, own, values)
    return Sights(
        _shapes(own, volume.grid, space, {name: values[name] for name in names}, near),
        changes,
        _external(workspace, drawing, own, values, names),
        tuple(pair.whole_change() for pair in pairs),
    )


def _speaking(label: Label, before: Sequence[Label], names: Sequence[str], place: int) -> set[str]:
    """Structures that both labels of a pair annotate."""
    pair = (label, *before)[place : place + 2]
    return {name for name in names if all(name in each.annotated for each in pair)}


def _values_of(workspace: Workspace, label: Label, values: Mapping[str, int]) -> Map:
    return _as_values(workspace.volumes.open(label.volume or "").read(), label, values)


def _as_values(codes: NDArray[Any], label: Label, values: Mapping[str, int]) -> Map:
    """Codes as structures' values; 0 for what is no single structure."""
    table = np.zeros(int(codes.max(initial=0)) + 1, np.uint8)
    for name, value in values.items():
        for code in label.codes.codes_of(name):
            if code < len(table):
                table[code] = value
    found: Map = table[codes]
    return found


def _external(
    workspace: Workspace, drawing: Drawing, own: Map, values: Mapping[str, int], names: Sequence[str]
) -> dict[str, float]:
    """Structure → mean Dice with the external labels; what one cannot tell apart is compared together."""
    dices: dict[str, list[float]] = {name: [] for name in names}
    for other in drawing.others:
        spoken = [name for name in names if name in other.annotated]
        merged = dict(values)
        for name in spoken:
            together = other.codes.superset(name)
            if together <= set(names):
                merged |= dict.fromkeys(together, min(values[each] for each in together))
        lookup = np.zeros(len(values) + 1, np.uint8)
        lookup[list(values.values())] = [merged[name] for name in values]
        theirs = _merged(workspace, other, merged)
        overlap = Overlap.of(lookup[own], theirs, len(values) + 1)
        for name in spoken:
            if other.codes.superset(name) <= set(names):
                dices[name].append(overlap.dice(merged[name]))
    return {name: float(np.mean(own)) for name, own in dices.items() if own}


def _merged(workspace: Workspace, label: Label, merged: Mapping[str, int]) -> Map:
    """Codes as values of the groups that the label cannot tell apart."""
    codes = workspace.volumes.open(label.volume or "").read()
    table = np.zeros(int(codes.max(initial=0)) + 1, np.uint8)
    for code, meant in label.codes.meanings:
        groups = {merged[name] for name in meant if name in merged}
        if code < len(table) and len(groups) == 1:
            table[code] = groups.pop()
    found: Map = table[codes]
    return found


def _organs(workspace: Workspace, drawing: Drawing, own: Map, values: Mapping[str, int]) -> NDArray[np.bool_] | None:
    """Where organs are: in the label itself, or in those that are current; None if nobody knows."""
    organs = workspace.structures.organs
    lookup = np.zeros(len(values) + 1, bool)
    lookup[[values[name] for name in organs]] = True
    if set(organs) & set(drawing.label.annotated):
        return np.asarray(lookup[own])
    around = [lookup[_values_of(workspace, label, values)] for label in drawing.around]
    return np.asarray(np.logical_or.reduce(around)) if around else None


def _shapes(
    own: Map, grid: Grid, space: StructureSet, values: Mapping[str, int], organs: NDArray[np.bool_] | None
) -> dict[str, Shape]:
    """Structure → its shape."""
    centres, found = {}, {}
    voxel_ml = float(np.prod(grid.spacing)) / 1000
    for name, value in values.items():
        pieces = find_components(own == value)
        if pieces is None:
            found[name] = Shape(0.0)
            continue
        total = int(pieces.sizes.sum())
        lesion = space[name].kind == "lesion"
        inside = _inside(pieces.numbers, pieces.box, organs) if lesion and organs is not None else 1.0
        found[name] = Shape(total * voxel_ml, int(pieces.sizes[0]) / total, None, inside)
        if not lesion:
            middle = np.argwhere(pieces.numbers > 0).mean(axis=0) + [side.start for side in pieces.box]
            centres[name] = middle * grid.spacing
    for name, centre in centres.items():
        others = [other for each, other in centres.items() if each != name]
        if others:
            z, y, x = (float(step) for step in centre - np.median(others, axis=0))
            found[name] = found[name]._replace(position=(z, y, x))
    return found


def _inside(numbers: NDArray[Any], box: tuple[slice, slice, slice], organs: NDArray[np.bool_]) -> float:
    """The share of a lesion's voxels that are of pieces with an organ in them or near."""
    wide = tuple(
        slice(max(0, side.start - _NEAR), min(size, side.stop + _NEAR))
        for side, size in zip(box, organs.shape, strict=True)
    )
    near = organs[wide]
    reach = near | shell(near, _NEAR) if near.any() else near
    offset = [side.start - outer.start for side, outer in zip(box, wide, strict=True)]
    reach = reach[tuple(slice(o, o + n) for o, n in zip(offset, numbers.shape, strict=True))]
    touched = np.unique(numbers[reach])
    drawn = int(np.count_nonzero(numbers))
    return int(np.count_nonzero(np.isin(numbers, touched[touched > 0]))) / drawn if drawn else 0.0
