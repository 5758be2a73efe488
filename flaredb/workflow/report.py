"""A page that shows a workspace: rounds and their gates, coverage by kind, labels before and after."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jinja2

from flaredb.catalog import cases, history, labels, rounds, snapshots
from flaredb.catalog.database import Connection
from flaredb.catalog.rounds import Round
from flaredb.labels.policy import HUMAN
from flaredb.workflow.pictures import Pane, coverage, overlay, progress
from flaredb.workflow.rounds.show import round_show
from flaredb.workflow.status import status
from flaredb.workspace import Workspace

_SHOWN = 3  # cases with overlays


def report(
    workspace: Workspace,
    destination: Path,
    title: str | None = None,
    rows: Sequence[dict[str, Any]] = (),
    control: dict[str, Any] | None = None,
    conclusion: str | None = None,
) -> Path:
    """Write a self-contained HTML page; `rows` are scored rounds as the demo makes them. The page's path."""
    with workspace.catalog.read() as connection:
        turns = rounds.every(connection)
        operation = history.last_operation(connection)
        covered = _coverage(workspace, connection, turns)
        training = len(cases.every(connection, "train"))
    shown = [round_show(workspace, turn.name) for turn in turns]
    everything = [*rows, *([control] if control else [])]
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("flaredb.workflow"), autoescape=True, undefined=jinja2.ChainableUndefined
    )
    page = environment.get_template("report.html").render(
        title=title or workspace.root.name,
        counts=status(workspace),
        operation=operation,
        rows=[{"state": None, "accepted": None, "decision": None, **row} for row in everything],
        conclusion=conclusion,
        progress=_text(_progress(rows, control)) if rows else None,
        coverage=_text(coverage(covered, training)) if covered else None,
        overlays=[(name, _text(picture)) for name, picture in _overlays(workspace, turns)],
        gates=[turn for turn in shown if turn["gate"]],
        figure=lambda means, key: f"{means[key]:.3f}" if means else "–",
        number=lambda value: "–" if value is None else f"{value:.3f}",
    )
    destination.parent.mkdir(parents=True, exist_ok=True)
    temporary = destination.with_name(f".{destination.name}.part")
    temporary.write_text(page, encoding="utf-8")
    temporary.replace(destination)
    return destination


def _coverage(
    workspace: Workspace, connection: Connection, turns: Sequence[Round]
) -> dict[str, dict[str, dict[str, int]]]:
    """Round → structure → kind → training cases whose winner is of that kind."""
    stages: dict[str, dict[str, dict[str, int]]] = {}
    for turn in turns:
        rows: dict[str, dict[str, int]] = {name: {} for name in workspace.structures.names}
        for item in snapshots.find(connection, turn.snapshot).items:
            if item.role == "won":
                for name in item.structures:
                    rows[name][item.label.kind] = rows[name].get(item.label.kind, 0) + 1
        stages[f"{turn.name} trained from"] = rows
    return stages


def _overlays(workspace: Workspace, turns: Sequence[Round]) -> list[tuple[str, bytes]]:
    """Some held-out cases with truth, the first organ round and the last round of several structures."""
    wide = [turn.name for turn in turns if turn.task != "tumor"]
    if not wide:
        return []
    chosen = list(dict.fromkeys([wide[0], wide[-1]]))
    pictures: list[tuple[str, bytes]] = []
    with workspace.catalog.read() as connection:
        held_out = [case for split in ("test", "validation") for case in cases.every(connection, split) if case.image]
        found = {case.name: labels.of_case(connection, case.name) for case in held_out}
    for case in held_out:
        human = [label for label in found[case.name] if label.kind in HUMAN]
        made = {label.source: label for label in found[case.name]}
        if human and all(name in made for name in chosen) and len(pictures) < _SHOWN:
            image = workspace.image(case.name)
            picked = [("truth", human[-1]), *((name, made[name]) for name in chosen)]
            panes = [Pane("scan", None), *(Pane(text, workspace.label(label.name).array) for text, label in picked)]
            pictures.append((case.name, overlay(image.array, image.grid, panes, workspace.structures.names)))
    return pictures


def _progress(rows: Sequence[dict[str, Any]], control: dict[str, Any] | None) -> bytes:
    """Scores by round; the tumour's over the cases that have one, for finding none where there is none scores 1."""
    series: dict[str, list[tuple[str, float]]] = {}
    for row in [*rows, *([control] if control else [])]:
        for name, means in row["structures"].items():
            found = row["tumor_present"] if name == "tumor" else means
            if found:
                shown = "tumor, where present" if name == "tumor" else name
                series.setdefault(shown, []).append((row["round"], found["dsc"]))
    return progress(series, [row["round"] for row in rows], control["round"] if control else None)


def _text(picture: bytes) -> str:
    return base64.b64encode(picture).decode()
