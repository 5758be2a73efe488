"""Pictures: label overlays on CT slices, coverage by kind, scores by round. Each gives PNG bytes."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray

from flaredb.geometry import Grid

_WINDOW = (-160.0, 240.0)  # HU: soft tissue
_COLOURS = [
    "#5b9bd5",
    "#f2a154",
    "#6fbf73",
    "#d9534f",
    "#b28ad6",
    "#a1887f",
    "#ec8fc4",
    "#9e9e9e",
    "#c6c34a",
    "#4fc3c7",
    "#a9bcdf",
    "#f5c48a",
    "#a5d6a7",
    "#ff1f1f",
]
KIND_COLOURS = {
    "ground-truth": "#2e7d32",
    "tumor-only": "#7cb342",
    "external": "#f9a825",
    "pseudo": "#1976d2",
    "fused": "#7b1fa2",
    "undecided": "#e0e0e0",
}


class Pane(NamedTuple):
    """An overlay to draw: a title and codes (z, y, x) by structure value, or None for the bare scan."""

    title: str
    codes: NDArray[Any] | None


def overlay(
    image: NDArray[Any], grid: Grid, panes: Sequence[Pane], names: Sequence[str], by: NDArray[Any] | None = None
) -> bytes:
    """Axial and coronal slices of a case, one column a pane: those that show most structures of `by`.

    Without `by` those of the first pane that has codes.
    """
    shown = next((pane.codes for pane in panes if pane.codes is not None), None) if by is None else by
    axial, coronal = _best_slice(shown, 0, image), _best_slice(shown, 1, image)
    figure = Figure(figsize=(2.6 * len(panes), 4.6), facecolor="black")
    colours = ListedColormap(_COLOURS[: len(names)])
    for column, pane in enumerate(panes):
        for row, (axis, index) in enumerate(((0, axial), (1, coronal))):
            axes = figure.add_subplot(2, len(panes), row * len(panes) + column + 1)
            axes.axis("off")
            aspect = grid.spacing[1] / grid.spacing[2] if axis == 0 else grid.spacing[0] / grid.spacing[2]
            look: dict[str, Any] = {
                "aspect": aspect,
                "interpolation": "nearest",
                "origin": "upper" if axis == 0 else "lower",
            }
            slab = image.take(index, axis)
            axes.imshow(slab, cmap="gray", vmin=_WINDOW[0], vmax=_WINDOW[1], **{**look, "interpolation": "bilinear"})
            if pane.codes is not None:
                codes = pane.codes.take(index, axis)
                masked = np.ma.masked_equal(codes, 0)
                axes.imshow(masked, cmap=colours, vmin=0.5, vmax=len(names) + 0.5, alpha=0.65, **look)
            if row == 0:
                axes.set_title(pane.title, color="white", fontsize=9)
    present = sorted({int(c) for pane in panes if pane.codes is not None for c in np.unique(pane.codes) if c})
    handles = [Patch(color=_COLOURS[value - 1], label=names[value - 1].replace("_", " ")) for value in present]
    figure.legend(handles=handles, loc="lower center", ncol=7, fontsize=6, frameon=False, labelcolor="white")
    figure.subplots_adjust(left=0.01, right=0.99, top=0.93, bottom=0.11, wspace=0.02, hspace=0.02)
    return _png(figure)


def coverage(stages: Mapping[str, Mapping[str, Mapping[str, int]]], cases: int) -> bytes:
    """Stage → structure → kind → cases, as stacked bars; what is missing to `cases` is undecided."""
    figure = Figure(figsize=(3.2 * max(1, len(stages)), 3.6))
    structures = list(next(iter(stages.values()))) if stages else []
    for place, (stage, rows) in enumerate(stages.items()):
        axes = figure.add_subplot(1, len(stages), place + 1)
        left = np.zeros(len(structures))
        for kind, colour in KIND_COLOURS.items():
            width = np.array([rows[s].get(kind, 0) for s in structures], float)
            if kind == "undecided":
                width = cases - left
            axes.barh(range(len(structures)), width, left=left, color=colour, label=kind)
            left += width
        axes.set_title(stage, fontsize=9)
        axes.invert_yaxis()
        axes.set_xlim(0, cases)
        axes.set_yticks(
            range(len(structures)), [s.replace("_", " ") for s in structures] if place == 0 else [], fontsize=7
        )
        axes.tick_params(axis="x", labelsize=7)
        axes.set_xlabel("training cases", fontsize=8)
        axes.spines[["top", "right"]].set_visible(False)
    handles = [Patch(color=colour, label=kind) for kind, colour in KIND_COLOURS.items()]
    figure.legend(handles=handles, loc="lower center", ncol=6, fontsize=7, frameon=False)
    figure.tight_layout(rect=(0, 0.07, 1, 1))
    return _png(figure)


def progress(series: Mapping[str, Sequence[tuple[str, float]]], order: Sequence[str], control: str | None) -> bytes:
    """Structure → (round, mean DSC); `order` lists the rounds from left to right.

    The points of rounds are joined; `control`, no round, stands apart from them at the right.
    """
    figure = Figure(figsize=(7.0, 3.4))
    axes = figure.add_subplot()
    for number, (name, points) in enumerate(series.items()):
        colour = _COLOURS[number % len(_COLOURS)]
        joined = {order.index(place): dsc for place, dsc in points if place != control}
        apart = [dsc for place, dsc in points if place == control]
        look: dict[str, Any] = {"marker": "o", "ms": 4, "color": colour}
        axes.plot(list(joined), list(joined.values()), label=name.replace("_", " "), **look)
        axes.plot([len(order)] * len(apart), apart, linestyle="", markerfacecolor="white", **look)
    axes.set_ylim(0, 1)
    axes.set_ylabel("DSC, held-out mean", fontsize=8)
    named = [*order, control] if control else order
    axes.set_xticks(range(len(named)), named)
    axes.tick_params(labelsize=8)
    axes.grid(axis="y", alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(fontsize=6, ncol=1, loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
    figure.tight_layout()
    return _png(figure)


def _best_slice(codes: NDArray[Any] | None, axis: int, image: NDArray[Any]) -> int:
    """The slice with most different structures, and among those most voxels."""
    if codes is None or not codes.any():
        return int(image.shape[axis] // 2)
    slices = np.moveaxis(codes, axis, 0).reshape(codes.shape[axis], -1)
    return int(np.argmax([len(np.unique(s)) + (s > 0).mean() for s in slices]))


def _png(figure: Figure) -> bytes:
    FigureCanvasAgg(figure)
    buffer = io.BytesIO()
    with mpl.rc_context({"savefig.dpi": 130}):
        figure.savefig(buffer, format="png", facecolor=figure.get_facecolor(), metadata={"Software": None})
    return buffer.getvalue()
