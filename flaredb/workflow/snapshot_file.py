"""A snapshot as one file, JSON or Parquet: all that a trainer needs on a host without the catalogue."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

from flaredb.catalog import cases, snapshots
from flaredb.catalog.snapshots import Item
from flaredb.errors import ConflictError, InvalidDataError, NotFoundError, UsageError
from flaredb.labels.labelset import Mode, Trust
from flaredb.labels.mappings import Mapping
from flaredb.labels.policy import HUMAN
from flaredb.labels.structures import Structure, StructureSet
from flaredb.labels.tasks import Task
from flaredb.trainers.samples import CaseItem, LabelItem, TrainingSet
from flaredb.workspace import Workspace

_NESTED = ("structures", "annotated", "grid")


def snapshot_export(workspace: Workspace, name: str, destination: Path) -> dict[str, Any]:
    """Write a snapshot to `FILE.json` or `FILE.parquet`; what was written, without the items.

    UsageError for another ending, NotFoundError without the folder, ConflictError if a purge took items of it.
    """
    writers = {".json": _write_json, ".parquet": _write_parquet}
    if destination.suffix not in writers:
        raise UsageError(f"{destination.name}: a snapshot is written as FILE.json or FILE.parquet")
    if not destination.parent.is_dir():
        raise NotFoundError(f"{destination.parent}: no such folder")
    with workspace.catalog.read() as connection:
        found = snapshots.find(connection, name)
        if missing := snapshots.lost(connection, found.id):
            raise ConflictError(f"{found.name} lost {missing} items with cases that were purged; make another")
        known = cases.by_names(connection, found.cases)
    head = {
        "snapshot": found.name,
        "digest": found.digest,
        "purpose": found.purpose,
        "task": {"name": found.task, "structures": list(found.structures)},
        "structures": [structure._asdict() for structure in workspace.structures.structures],
        "policy": found.policy,
        "created": found.created.isoformat(),
    }
    rows = [_row(item, known[item.case]) for item in found.items]
    part = destination.with_name(f".{destination.name}.part")
    with workspace.run("snapshot export", snapshot=found.name, destination=destination.name):
        writers[destination.suffix](part, head, rows)
        os.replace(part, destination)
    return {**head, "file": destination.name, "items": len(rows), "cases": len(found.cases)}


def read_snapshot(path: Path) -> TrainingSet:
    """The training set that `snapshot_export` wrote; the volumes are found by their digests."""
    if not path.is_file():
        raise NotFoundError(f"{path}: no such file")
    try:
        head, rows = _read_parquet(path) if path.suffix == ".parquet" else _read_json(path)
        space = StructureSet(tuple(Structure(**fields) for fields in head["structures"]))
        task = Task(head["task"]["name"], tuple(head["task"]["structures"]))
        by_case: dict[str, list[dict[str, Any]]] = {}
        for row in rows:
            by_case.setdefault(row["case"], []).append(row)
        made = tuple(_case_item(case, own) for case, own in by_case.items())
        return TrainingSet(head["snapshot"], space, task, made)
    except (AttributeError, KeyError, OSError, TypeError, ValueError) as error:
        raise InvalidDataError(f"{path.name} is not a snapshot that flaredb wrote: {error}") from error


def _row(item: Item, case: cases.Case) -> dict[str, Any]:
    label = item.label
    return {
        "case": item.case,
        "patient": item.patient,
        "split": case.split,
        "image": item.image,
        "grid": asdict(case.grid) if case.grid else None,
        "label": label.name,
        "volume": label.volume,
        "kind": label.kind,
        "role": item.role,
        "structures": list(item.structures),
        "annotated": {name: list(mode) for name, mode in label.annotated.items()},
        "mapping": label.codes.name,
        "codes": label.codes.text,
    }


def _case_item(case: str, rows: list[dict[str, Any]]) -> CaseItem:
    items = []
    for row in rows:
        names = frozenset(row["structures"])
        modes = {name: Mode(bool(mode[0]), tuple(mode[1])) for name, mode in row["annotated"].items()}
        codes = Mapping.from_text(row["mapping"], row["codes"])
        won = names if row["role"] == "won" else frozenset()
        trust = Trust(row["label"], row["kind"] in HUMAN, codes, modes, names, won)
        items.append(LabelItem(row["volume"], trust))
    return CaseItem(case, rows[0]["image"], tuple(items))


def _write_json(path: Path, head: dict[str, Any], rows: list[dict[str, Any]]) -> None:
    path.write_text(json.dumps({**head, "items": rows}, indent=1), encoding="utf-8")


def _read_json(path: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    document = json.loads(path.read_text(encoding="utf-8"))
    return document, document["items"]


def _write_parquet(path: Path, head: dict[str, Any], rows: list[dict[str, Any]]) -> None:
    arrow, parquet = _arrow()
    flat = [{name: json.dumps(row[name]) if name in _NESTED else row[name] for name in row} for row in rows]
    table = arrow.Table.from_pylist(flat)
    parquet.write_table(table.replace_schema_metadata({"flaredb": json.dumps(head)}), path)


def _read_parquet(path: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    _, parquet = _arrow()
    table = parquet.read_table(path)
    head = json.loads(table.schema.metadata[b"flaredb"])
    rows = [{n: json.loads(row[n]) if n in _NESTED else row[n] for n in row} for row in table.to_pylist()]
    return head, rows


def _arrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise UsageError("Parquet needs an extra: pip install 'flaredb[parquet]'; or write FILE.json") from error
    return pyarrow, pyarrow.parquet
