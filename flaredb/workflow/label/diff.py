"""How two labels differ, and how far a source agrees with the others."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flaredb.catalog import labels
from flaredb.catalog.labels import Label
from flaredb.durable import settle
from flaredb.errors import ConflictError, NotFoundError
from flaredb.workspace import Workspace


def label_diff(workspace: Workspace, first: str, second: str) -> dict[str, Any]:
    """Structure by structure: voxels of both, Dice, what only one has; null where a label is silent about it."""
    with workspace.catalog.read() as connection:
        a, b = labels.find(connection, first), labels.find(connection, second)
    if a.case != b.case:
        raise ConflictError(f"{a.name} and {b.name} are of different cases")
    left, right = _codes(workspace, a), _codes(workspace, b)
    rows = [_compare(a, b, left, right, name) for name in workspace.structures.names]
    return {
        "first": a.name,
        "second": b.name,
        "same_voxels": a.volume == b.volume,
        "structures": [row for row in rows if row["first"] is not None or row["second"] is not None],
    }


def label_diff_picture(workspace: Workspace, first: str, second: str, destination: Path) -> None:
    """A PNG file of two labels over the scan, and of where they differ: what only one has, and only the other.

    Structures that one of them is silent about, or knows only together with others, differ nowhere. The slices are
    those that show most differences. NotFoundError without a scan.
    """
    from flaredb.workflow.pictures import Pane, overlay

    with workspace.catalog.read() as connection:
        a, b = labels.find(connection, first), labels.find(connection, second)
    image = workspace.image(a.case)
    left, right = _codes(workspace, a), _codes(workspace, b)
    drawn, gone = np.zeros((2, *left.shape), np.uint8), np.zeros((2, *left.shape), np.uint8)
    for structure in workspace.structures.structures:
        masks = _mask(a, left, structure.name), _mask(b, right, structure.name)
        for side, (own, other) in enumerate((masks, masks[::-1])):
            if own is not None:
                drawn[side][own] = structure.value
                if other is not None:
                    gone[side][own & ~other] = structure.value
    panes = [Pane(a.name.partition("@")[2], drawn[0]), Pane(b.name.partition("@")[2], drawn[1]),
             Pane("only the first", gone[0]), Pane("only the second", gone[1])]  # fmt: skip
    drawing = overlay(image.array, image.grid, panes, workspace.structures.names, by=np.maximum(*gone))
    if not destination.parent.is_dir():
        raise NotFoundError(f"no folder {destination.parent} for the picture")
    part = destination.with_name(f".{destination.name}.part")
    part.write_bytes(drawing)
    settle(part, destination)


def label_agreement(workspace: Workspace, source: str) -> list[dict[str, Any]]:
    """Mean Dice with every other source, by structure, over the cases where both annotate it (newest labels)."""
    with workspace.catalog.read() as connection:
        labels.source_number(connection, source)
        own = [label for label in labels.of_source(connection, source) if label.volume]
        others = [row["name"] for row in labels.sources(connection) if row["name"] != source]
        theirs = {name: {label.case: label for label in labels.of_source(connection, name)} for name in others}
    found: dict[tuple[str, str], list[float]] = defaultdict(list)
    for label in workspace.reporter.track(own, "cases", len(own)):
        codes = _codes(workspace, label)
        for name, by_case in theirs.items():
            other = by_case.get(label.case)
            if other is None or not other.volume:
                continue
            there = _codes(workspace, other)
            for structure in set(label.annotated) & set(other.annotated):
                row = _compare(label, other, codes, there, structure)
                if row["dice"] is not None:
                    found[name, structure].append(row["dice"])
    order = {structure: place for place, structure in enumerate(workspace.structures.names)}
    return [
        {"source": name, "structure": structure, "cases": len(dices), "dice": round(float(np.mean(dices)), 4)}
        for (name, structure), dices in sorted(found.items(), key=lambda item: (item[0][0], order[item[0][1]]))
    ]


def _codes(workspace: Workspace, label: Label) -> NDArray[Any]:
    if label.volume is None:
        raise NotFoundError(f"label {label.name} was announced without voxels; flaredb ingest labels PATH")
    return workspace.volumes.open(label.volume).read()


def _compare(a: Label, b: Label, left: NDArray[Any], right: NDArray[Any], name: str) -> dict[str, Any]:
    """Dice is 1 where both are empty, and null where one is silent or knows the structure only with others."""
    first, second = _mask(a, left, name), _mask(b, right, name)
    row: dict[str, Any] = {"structure": name, "first": None, "second": None, "dice": None}
    row |= {"only_first": None, "only_second": None}
    if first is not None:
        row["first"] = int(first.sum())
    if second is not None:
        row["second"] = int(second.sum())
    if first is not None and second is not None:
        both, total = int((first & second).sum()), row["first"] + row["second"]
        row["dice"] = 2 * both / total if total else 1.0
        row |= {"only_first": row["first"] - both, "only_second": row["second"] - both}
    return row


def _mask(label: Label, codes: NDArray[Any], name: str) -> NDArray[np.bool_] | None:
    if name not in label.annotated or len(label.codes.superset(name)) > 1:
        return None
    return np.isin(codes, label.codes.codes_of(name))
