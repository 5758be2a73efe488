"""Write a snapshot as one file, JSON or Parquet: all that a trainer needs on a host without the catalogue."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

from flaredb.catalog import cases, snapshots
from flaredb.catalog.snapshots import Item
from flaredb.errors import ConflictError, NotFoundError, UsageError
from flaredb.workflow.snapshot.read import FORMAT, NESTED, arrow, items_digest
from flaredb.workspace import Workspace


def snapshot_export(workspace: Workspace, name: str, destination: Path) -> dict[str, Any]:
    """Write a snapshot to `FILE.json` or `FILE.parquet`; what was written, without the items.

    UsageError for another ending, NotFoundError without the folder, ConflictError if a purge took items of it, or a
    case has lost its image.
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
    if gone := next((item.case for item in found.items if item.image is None), None):
        raise ConflictError(f"case {gone} has lost its image; flaredb ingest images PATH --case {gone}")
    head = {
        **FORMAT,
        "snapshot": found.name,
        "digest": found.digest,
        "purpose": found.purpose,
        "task": {"name": found.task, "structures": list(found.structures)},
        "structures": [structure._asdict() for structure in workspace.structures.structures],
        "policy": found.policy,
        "created": found.created.isoformat(),
    }
    rows = [_row(item, known[item.case]) for item in found.items]
    head["items_sha256"] = items_digest(rows)
    part = destination.with_name(f".{destination.name}.part")
    with workspace.run("snapshot export", snapshot=found.name, destination=destination.name):
        writers[destination.suffix](part, head, rows)
        os.replace(part, destination)
    return {**head, "file": destination.name, "items": len(rows), "cases": len(found.cases)}


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


def _write_json(path: Path, head: dict[str, Any], rows: list[dict[str, Any]]) -> None:
    path.write_text(json.dumps({**head, "items": rows}, indent=1), encoding="utf-8")


def _write_parquet(path: Path, head: dict[str, Any], rows: list[dict[str, Any]]) -> None:
    pyarrow, parquet = arrow()
    flat = [{name: json.dumps(row[name]) if name in NESTED else row[name] for name in row} for row in rows]
    table = pyarrow.Table.from_pylist(flat)
    parquet.write_table(table.replace_schema_metadata({"flaredb": json.dumps(head)}), path)
