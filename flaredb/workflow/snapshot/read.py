"""Read a snapshot from its file, JSON or Parquet: a host with that file and the volumes trains without a catalogue."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

from flaredb.errors import InvalidDataError, NotFoundError, UsageError
from flaredb.geometry import Grid
from flaredb.labels.labelset import Mode, Trust
from flaredb.labels.mappings import Mapping
from flaredb.labels.policy import HUMAN, KINDS
from flaredb.labels.structures import Structure, StructureSet
from flaredb.labels.tasks import Task
from flaredb.trainers.samples import CaseItem, LabelItem, TrainingSet

FORMAT = {"format": "flaredb-snapshot", "version": 1}
NESTED = ("structures", "annotated", "grid")  # JSON inside Parquet
_DIGEST = re.compile(r"[0-9a-f]{64}")
_ROLES = ("won", "contributes")

Row = dict[str, Any]


def read_training_set(path: Path) -> TrainingSet:
    """The training set that `flaredb snapshot export` wrote; the volumes are found by their digests.

    Everything is checked before anything is used: NotFoundError without the file, InvalidDataError, which names the
    item and what is wrong with it, for one that flaredb did not write, or that has since been changed.
    """
    if not path.is_file():
        raise NotFoundError(f"{path}: no such file; flaredb snapshot export ID FILE.json writes one")
    try:
        head, rows = _read_parquet(path) if path.suffix == ".parquet" else _read_json(path)
        space, task = _check_head(head)
        by_case: dict[str, list[Row]] = {}
        for number, row in enumerate(rows):
            _check_row(row, f"item {number}", space)
            by_case.setdefault(row["case"], []).append(row)
        if not by_case:
            raise ValueError("it holds no items")
        if head.get("items_sha256", items_digest(rows)) != items_digest(rows):  # the first files did not say it
            raise ValueError("its items have been changed since")
        made = tuple(_case_item(case, own) for case, own in by_case.items())
    except (AttributeError, KeyError, LookupError, OSError, TypeError, ValueError, RecursionError) as error:
        said = f"{error} is missing" if type(error) is KeyError else error
        raise InvalidDataError(f"{path.name} is not a snapshot that flaredb wrote: {said}") from error
    return TrainingSet(head["snapshot"], space, task, made, digest=head["digest"])


def items_digest(rows: list[dict[str, Any]]) -> str:
    """SHA-256 of a file's items as JSON: the snapshot's own digest holds the names that cases had when it was made."""
    return hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()


def _check_head(head: Row) -> tuple[StructureSet, Task]:
    """The structures and the task; ValueError or KeyError for what cannot be."""
    found = {key: head.get(key, FORMAT[key]) for key in FORMAT}  # the first files did not say it
    if found != FORMAT:
        raise ValueError(f"it is a {found['format']} of version {found['version']}; install a newer flaredb")
    if not _DIGEST.fullmatch(head["digest"]) or head["snapshot"] != f"s-{head['digest'][:12]}":
        raise ValueError(f"{head['snapshot']} is not named by its digest")
    if head.get("purpose", "train") != "train":
        raise ValueError("it holds references, which no model may learn from")
    space = StructureSet(tuple(Structure(**fields) for fields in head["structures"]))
    task = Task(head["task"]["name"], tuple(head["task"]["structures"]))
    if space.check(task.structures) != task.structures or not task.structures:
        raise ValueError("the task's structures are none, or not in order of value")
    return space, task


def _check_row(row: Row, where: str, space: StructureSet) -> None:
    """ValueError or KeyError, with the item, for what cannot be."""
    where = f"{where} ({row['case']})"
    rules = {
        "case, patient and label are named": all(
            isinstance(row[k], str) and row[k] for k in ("case", "patient", "label")
        ),
        "image and volume are digests": all(_DIGEST.fullmatch(row[key]) for key in ("image", "volume")),
        f"kind is one of {' '.join(KINDS)}": row["kind"] in KINDS,
        f"role is one of {' '.join(_ROLES)}": row["role"] in _ROLES,
        "split is train": row["split"] == "train",
        "structures are a list of some": isinstance(row["structures"], list) and bool(row["structures"]),
        "the label annotates its structures": set(row["structures"]) <= set(row["annotated"]),
        "grid has a shape": len(row["grid"]["shape"]) == 3 and min(row["grid"]["shape"]) > 0,
    }
    for rule, holds in rules.items():
        if not holds:
            raise ValueError(f"{where}: not so: {rule}")
    Grid(*(_tuples(row["grid"][key]) for key in ("shape", "spacing", "origin", "direction")))
    space.check(row["annotated"])
    space.check(Mapping.from_text(row["mapping"], row["codes"]).structures)


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def _case_item(case: str, rows: list[Row]) -> CaseItem:
    if len({(row["image"], row["patient"]) for row in rows}) > 1:
        raise ValueError(f"case {case} has two images or patients")
    return CaseItem(case, rows[0]["image"], tuple(LabelItem(row["volume"], _trust(row)) for row in rows))


def _trust(row: Row) -> Trust:
    names = frozenset(row["structures"])
    modes = {name: Mode(bool(mode[0]), tuple(mode[1])) for name, mode in row["annotated"].items()}
    codes = Mapping.from_text(row["mapping"], row["codes"])
    won = names if row["role"] == "won" else frozenset()
    return Trust(row["label"], row["kind"] in HUMAN, codes, modes, names, won)


def _read_json(path: Path) -> tuple[Row, list[Row]]:
    document = json.loads(path.read_text(encoding="utf-8"))
    return document, document["items"]


def _read_parquet(path: Path) -> tuple[Row, list[Row]]:
    _, parquet = arrow()
    table = parquet.read_table(path)
    head = json.loads(table.schema.metadata[b"flaredb"])
    rows = [{n: json.loads(row[n]) if n in NESTED else row[n] for n in row} for row in table.to_pylist()]
    return head, rows


def arrow() -> tuple[Any, Any]:
    """pyarrow and pyarrow.parquet; UsageError that says how to get them."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise UsageError("Parquet needs an extra: pip install 'flaredb[parquet]'; or write FILE.json") from error
    return pyarrow, pyarrow.parquet
