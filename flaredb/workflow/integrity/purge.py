"""Erase cases or a patient for good: voxels, names, paths and every mention. There is no way back.

Files go before rows: whoever is interrupted finds the case still there, and the same command again ends it.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from typing import Any

from flaredb.catalog import cases, history, purge
from flaredb.catalog.database import Connection
from flaredb.catalog.purge import Doomed
from flaredb.errors import NotFoundError, UsageError
from flaredb.workflow.commands import clear
from flaredb.workflow.integrity.blotter import Blotter, blot_files
from flaredb.workflow.provenance.taint import tainted
from flaredb.workflow.results import Result
from flaredb.workspace import Workspace

_COPYING = ("export nifti", "snapshot export")
_ELSEWHERE = "copies of the catalogue or the workspace made elsewhere are not known here; delete it there too"


def case_purge(
    workspace: Workspace, case: str | None, why: str, patient: str | None = None, yes: bool = False
) -> Result:
    """Erase a case, or all cases of a patient (its name or its key); without `yes` only say what would go."""
    with workspace.catalog.read() as connection:
        numbers = _chosen(workspace, cases.every(connection), case and cases.find(connection, case).name, patient)
        doom = purge.doomed(connection, numbers)
        would = _would(workspace, connection, doom)
    if not yes:
        return Result(None, would=would)
    blot = Blotter(doom.words, doom.kept)
    with workspace.run("case purge", cases=numbers, why=blot(why)) as run, run.write() as write:
        doom = purge.doomed(write.connection, numbers)  # with the lock held, so that nothing is added meanwhile
        blot = Blotter(doom.words, doom.kept)
        clear(workspace.root)  # exported scans, and what programs made of them
        blot_files(workspace.root, blot)
        for model in would["tainted"]["models"]:  # TensorBoard's pictures of patches show whom it learnt from
            shutil.rmtree(workspace.model_folder(model) / "board", ignore_errors=True)
        for digest in doom.volumes:
            workspace.volumes.remove(digest)
        purge.erase(write, doom, blot(why), blot(workspace.actor or ""), blot)
    purge.overwrite(workspace.catalog)
    names = tuple(f"purged-{number}" for number in numbers)
    return Result(write.operation, names, added=len(numbers), would={"reminders": blot(would["reminders"])})


def _would(workspace: Workspace, connection: Connection, doom: Doomed) -> dict[str, Any]:
    own = dict.fromkeys(doom.labels, frozenset(workspace.structures.names))
    return {
        "cases": list(doom.names),
        "labels": len(doom.labels),
        "volumes": len(doom.volumes),
        "tainted": tainted(connection, own),
        "reminders": _reminders(workspace, connection),
    }


def _chosen(workspace: Workspace, every: Sequence[cases.Case], name: str | None, patient: str | None) -> list[int]:
    if (name is None) == (patient is None):
        raise UsageError("give a case, or --patient ID")
    if patient is None:
        return [case.id for case in every if case.name == name]
    found = [case.id for case in every if case.patient in (patient, workspace.patient_key(patient))]
    if not found:
        raise NotFoundError("no case is of this patient; flaredb case list shows the keys of patients")
    return found


def _reminders(workspace: Workspace, connection: Connection) -> list[str]:
    """Copies that left the catalogue, which nobody but people can reach."""
    copies = [
        f"{row['command']} on {row['started']:.10}: {' '.join(map(str, row['arguments'].values()))}"
        for row in history.runs(connection, None, commands=_COPYING)
    ]
    kept = [*workspace.root.glob("backups/*"), *workspace.root.glob("catalog.db.*"), *workspace.root.rglob("*.parquet")]
    there = sorted(path.relative_to(workspace.root).as_posix() for path in kept)
    return [*copies, *(f"{path} may hold it; delete it" for path in there), _ELSEWHERE]
