"""A model card: what a model learnt, from what, how it was set, how well it did; from the catalogue, nothing else."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from flaredb.workflow.model.show import model_show
from flaredb.workspace import Workspace

_TEX = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
_TEX |= {sign: f"\\{sign}" for sign in "&%$#_{}"}


class Table(NamedTuple):
    """A part of the card: a heading, sentences, and rows under columns."""

    heading: str
    says: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[Any, ...], ...] = ()


def model_card(workspace: Workspace, name: str, latex: bool = False) -> str:
    """A model's card as Markdown, or as a LaTeX fragment."""
    shown = model_show(workspace, name)
    parts = [_what(shown), _data(workspace, shown), _structures(shown), _scores(shown), _gate(shown), _settings(shown)]
    write = _latex if latex else _markdown
    return write(f"Model {shown['name']}", [part for part in parts if part.says or part.rows])


def _what(shown: dict[str, Any]) -> Table:
    origins = {"trained": "trained here", "imported": "trained on another host", "nnunet": "trained by nnU-Net"}
    says = [
        f"Segments {', '.join(shown['structures'])} in abdominal CT (task {shown['task']}); "
        f"{origins[shown['origin']]}, {shown['steps']} steps, seed {shown['seed']}, recorded "
        f"{shown['created'][:10]}, code {shown['code_version']}."
    ]
    if shown["parents"]:
        says.append(f"It started from {', which started from '.join(shown['parents'])}.")
    if shown["tainted"]:
        says.append("Caution: labels it learnt from, directly or through others, are withdrawn now.")
    if shown["learnt_from"] and shown["learnt_from"]["lost"]:
        says.append(f"{shown['learnt_from']['lost']} items of its snapshot were erased since.")
    if shown["checkpoint"]:
        says.append(f"SHA-256 of the weights: {shown['checkpoint']}.")
    return Table("What it is", tuple(says))


def _data(workspace: Workspace, shown: dict[str, Any]) -> Table:
    found = shown["learnt_from"]
    if found is None:
        if shown["origin"] != "nnunet":
            return Table("Training data")
        count = len(shown["training_cases"])
        told = f"{count} cases, as nnU-Net's files tell" if count else "cases that no file of nnU-Net's tells"
        return Table("Training data", (f"{told}.",))
    licences = {
        row["name"]: row["licence"] or "not stated"
        for row in workspace.sql("SELECT name, licence FROM sources ORDER BY name")
    }
    scans = workspace.sql(
        "SELECT DISTINCT coalesce(c.licence, 'not stated') AS licence FROM snapshot_items i JOIN snapshots s "
        "ON s.id = i.snapshot_id JOIN cases c ON c.id = i.case_id WHERE s.name = :name ORDER BY 1",
        name=found["name"],
    )
    says = f"Snapshot {found['name']} (SHA-256 {found['digest']}): {found['cases']} scans, {found['items']} labels. "
    says += f"Licences of the scans: {', '.join(row['licence'] for row in scans) or 'not stated'}."
    rows = tuple((row["source"], row["kind"], row["labels"], licences[row["source"]]) for row in found["sources"])
    return Table("Training data", (says,), ("source", "kind", "labels", "licence"), rows)


def _structures(shown: dict[str, Any]) -> Table:
    if shown["learnt_from"] is None:
        return Table("Structures")
    rows = tuple(shown["learnt_from"]["structures"].items())
    return Table("Structures", (), ("structure", "scans in which it is known throughout"), rows)


def _scores(shown: dict[str, Any]) -> Table:
    keys: dict[tuple[str, ...], dict[str, Any]] = {}
    for row in shown["scores"]:
        key = (row["structure"], row["protocol"], row["split"], row["source"] or "came with it")
        keys.setdefault(key, {"cases": row["cases"]})[row["metric"]] = row["mean"]
    rows = tuple(
        (*key, each["cases"], _figure(each.get("dsc")), _figure(each.get("nsd"))) for key, each in keys.items()
    )
    return Table("Scores", (), ("structure", "protocol", "split", "labels", "cases", "DSC", "NSD"), rows)


def _gate(shown: dict[str, Any]) -> Table:
    gate = shown["gate"]
    if not gate or not gate["report"]:
        return Table("Gate")
    rows = tuple(
        (name, _figure(row.get("champion")), _figure(row.get("challenger")), row["decision"])
        for name, row in gate["report"]["structures"].items()
    )
    says = f"Round {gate['round']} is {gate['state']}. Figures are means of DSC and NSD."
    return Table("Gate", (says,), ("structure", "champion", "challenger", "decision"), rows)


def _settings(shown: dict[str, Any]) -> Table:
    rows = tuple((key, _plain(value)) for key, value in sorted(shown["config"].items()))
    return Table("Settings", (), ("setting", "value"), rows)


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{key} {_plain(each)}" for key, each in value.items() if not isinstance(each, dict))
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _markdown(title: str, parts: Sequence[Table]) -> str:
    lines = [f"# {title}"]
    for part in parts:
        lines += ["", f"## {part.heading}", "", *part.says]
        if part.rows:
            lines += ["", _bars(part.columns), _bars(["---"] * len(part.columns)), *map(_bars, part.rows)]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)) + "\n"


def _bars(cells: Sequence[Any]) -> str:
    return f"| {' | '.join(str(cell).replace('|', chr(92) + '|') for cell in cells)} |"


def _latex(title: str, parts: Sequence[Table]) -> str:
    lines = [rf"\section*{{{_tex(title)}}}"]
    for part in parts:
        lines += [rf"\subsection*{{{_tex(part.heading)}}}", *map(_tex, part.says)]
        if part.rows:
            lines += ["", rf"\begin{{tabular}}{{{'l' * len(part.columns)}}}", r"\hline", _row(part.columns), r"\hline"]
            lines += [*map(_row, part.rows), r"\hline", r"\end{tabular}"]
    return "\n".join(lines) + "\n"


def _row(cells: Sequence[Any]) -> str:
    return " & ".join(map(_tex, cells)) + r" \\"


def _tex(value: Any) -> str:
    return "".join(_TEX.get(sign, sign) for sign in str(value))
