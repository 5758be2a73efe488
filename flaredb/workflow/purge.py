"""Erase cases or a patient for good: voxels, names, paths and every mention. There is no way back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from flaredb.catalog import cases, history, purge
from flaredb.catalog.purge import Blotter, Doomed
from flaredb.errors import NotFoundError, UsageError
from flaredb.workflow.results import Result
from flaredb.workflow.taint import tainted
from flaredb.workspace import CONFIG, Workspace

_TEXTS = {".json", ".jsonl", ".txt", ".log", ".csv", ".md", ".html", ".toml", ".svg"}


def case_purge(
    workspace: Workspace, case: str | None, why: str, patient: str | None = None, yes: bool = False
) -> Result:
    """Erase a case, or all cases of a patient (its name or its key); without `yes` only say what would go."""
    with workspace.catalog.read() as connection:
        numbers = _chosen(workspace, cases.every(connection), case and cases.find(connection, case).name, patient)
        doom = purge.doomed(connection, numbers)
        own = dict.fromkeys(doom.labels, frozenset(workspace.structures.names))
        would = {
            "cases": list(doom.names),
            "labels": len(doom.labels),
            "volumes": len(doom.volumes),
            "tainted": tainted(connection, own),
            "reminders": _reminders(workspace, history.runs(connection, 100_000)),
        }
    if not yes:
        return Result(None, would=would)
    blot = Blotter(doom.words)
    with workspace.run("case purge", cases=numbers, why=blot(why)) as run, run.write() as write:
        purge.erase(write, doom, blot(why), workspace.actor or "")
    for digest in doom.volumes:
        if workspace.volumes.has(digest):
            workspace.volumes.remove(digest)
    _blot_files(workspace, doom)
    purge.overwrite(workspace.catalog)
    names = tuple(f"purged-{number}" for number in numbers)
    return Result(write.operation, names, added=len(numbers), would={"reminders": would["reminders"]})


def _chosen(workspace: Workspace, every: Sequence[cases.Case], name: str | None, patient: str | None) -> list[int]:
    if (name is None) == (patient is None):
        raise UsageError("give a case, or --patient ID")
    if patient is None:
        return [case.id for case in every if case.name == name]
    found = [case.id for case in every if case.patient in (patient, workspace.patient_key(patient))]
    if not found:
        raise NotFoundError("no case is of this patient; flaredb case list shows the keys of patients")
    return found


def _reminders(workspace: Workspace, runs: list[dict[str, Any]]) -> list[str]:
    """Copies that left the catalogue, which nobody but people can reach."""
    copies = [
        f"{row['command']} on {row['started']:.10}: {json.dumps(row['arguments'])}"
        for row in runs
        if str(row["command"]).split()[0] in ("export", "backup") or row["command"] == "snapshot export"
    ]
    kept = sorted(path.name for path in (workspace.root / "backups").glob("*"))
    return copies + [f"backups/{name} may hold it; delete it" for name in kept]


def _blot_files(workspace: Workspace, doom: Doomed) -> None:
    """Delete pictures and reports that mention a case; blot it out of the other texts."""
    blot = Blotter(doom.words)
    for path in sorted(workspace.root.rglob("*")):
        if not path.is_file() or path.name == CONFIG or not _ours(workspace, path):
            continue
        if blot(path.name) != path.name:
            path.unlink()
        elif path.suffix in _TEXTS:
            text = path.read_text(encoding="utf-8", errors="surrogateescape")
            if blot(text) == text:
                continue
            if path.suffix in (".html", ".svg"):
                path.unlink()
            else:
                path.write_text(blot(text), encoding="utf-8", errors="surrogateescape")


def _ours(workspace: Workspace, path: Path) -> bool:
    """Whether a file may hold words of the catalogue: no volume, no database, no backup."""
    first = path.relative_to(workspace.root).parts[0]
    return first not in ("volumes", "backups", "locks") and not first.startswith("catalog.db")
