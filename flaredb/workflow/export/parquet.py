"""Write what the catalogue says as Parquet tables: cases, labels, provenance, and what is current."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from flaredb.catalog import cases, labels
from flaredb.catalog.labels import Label
from flaredb.catalog.standing import policy_in_force
from flaredb.durable import to_disk
from flaredb.errors import ConflictError, NotFoundError, StorageError, UsageError
from flaredb.exchange.datasets import encoded
from flaredb.exchange.stored import sha256_of
from flaredb.version import __version__
from flaredb.workflow.export.carry_out import refuse_place
from flaredb.workflow.export.choice import ALL, CURRENT, ExportOptions
from flaredb.workflow.export.record import MANIFEST, write_bytes
from flaredb.workflow.results import Result
from flaredb.workflow.snapshot.file import snapshot_export
from flaredb.workspace import Workspace

_BATCH = 100_000
_SNAPSHOT = "snapshot.parquet"


class Table(NamedTuple):
    """A table to write: its columns with their types, and its rows in portions."""

    columns: dict[str, str]  # text, number, real, time
    rows: Iterable[list[dict[str, Any]]]


def export_parquet(
    workspace: Workspace,
    destination: Path,
    options: ExportOptions = ExportOptions(),  # noqa: B008  frozen
) -> Result:
    """Write `cases.parquet`, `labels.parquet`, `provenance.parquet`, `current.parquet` and `manifest.json`.

    `options.labels` limits the labels to a source or to those that are `current`; `options.snapshot` adds
    `snapshot.parquet`. UsageError without pyarrow; ConflictError, before anything is replaced, for tables that would
    become others unless told to overwrite.
    """
    refuse_place(workspace, destination)
    arrow, parquet = _arrow()
    wanted = _Wanted.of(workspace, options)
    if options.dry_run:
        files = sorted(_tables(workspace, wanted))
        return Result(None, would={"root": destination.name, "files": files, "cases": len(wanted.cases)})
    parts: dict[str, Path] = {}
    request = {"labels": wanted.which, "snapshot": options.snapshot, "where": options.where}
    try:
        destination.mkdir(parents=True, exist_ok=True)
        with workspace.run("export parquet", destination=destination.name, **request) as run:
            tables = _tables(workspace, wanted)
            for name, table in workspace.reporter.track(tables.items(), "tables", len(tables)):
                parts[name] = destination / f".part.{name}"
                _write(arrow, parquet, parts[name], table)
            if options.snapshot:
                parts[_SNAPSHOT] = destination / f".part.{_SNAPSHOT}"
                snapshot_export(workspace, options.snapshot, parts[_SNAPSHOT])
            added = _publish(destination, parts, options.overwrite)
            with run.write() as write:
                pass
            _describe(workspace, destination, parts, request, write.operation)
    except OSError as error:
        raise StorageError(f"{destination.name}: {error.strerror or error}; the same command does it again") from error
    finally:
        for part in parts.values():
            part.unlink(missing_ok=True)
    return Result(write.operation, tuple(added), len(added), len(parts) - len(added))


class _Wanted(NamedTuple):
    """Which rows go out."""

    which: str
    cases: frozenset[str]
    labels: frozenset[str] | None  # None: of every label
    sources: tuple[str, ...]

    @classmethod
    def of(cls, workspace: Workspace, options: ExportOptions) -> _Wanted:
        """Resolve what was asked for; NotFoundError for an unknown source."""
        which = options.labels or ALL
        with workspace.catalog.read() as connection:
            names = frozenset(cases.matching(connection, options.where))
            sources = tuple(row["name"] for row in labels.sources(connection))
        if which not in (ALL, CURRENT, *sources):
            raise NotFoundError(f"--labels {which}: give all, current or a source: {' '.join(sources)}")
        kept = None
        if which == CURRENT:
            asked = "SELECT label FROM current_labels UNION SELECT label FROM current_contributors"
            kept = frozenset(row["label"] for row in workspace.sql(asked))
        return cls(which, names, kept, sources if which in (ALL, CURRENT) else (which,))

    def keeps(self, case: str, label: str) -> bool:
        """Whether a label's rows go out."""
        return case in self.cases and (self.labels is None or label in self.labels)


def _tables(workspace: Workspace, wanted: _Wanted) -> dict[str, Table]:
    about_case = [
        row for row in workspace.sql('SELECT * FROM case_facts ORDER BY "case"') if row["case"] in wanted.cases
    ]
    winners = workspace.sql('SELECT * FROM current_labels ORDER BY "case", structure')
    winners = [row for row in winners if wanted.keeps(row["case"], row["label"])]
    if wanted.which not in (ALL, CURRENT):
        winners = [row for row in winners if row["source"] == wanted.which]
    return {
        "cases.parquet": Table(_guessed(about_case), [about_case]),
        "current.parquet": Table(_CURRENT, [winners]),
        "labels.parquet": Table(_LABELS, _labels(workspace, wanted)),
        "provenance.parquet": Table(_PROVENANCE, _provenance(workspace, wanted)),
    }


_CURRENT = {
    **dict.fromkeys(("case", "structure", "label", "source", "kind"), "text"),
    "revision": "number",
    "exhaustive": "number",
    "reason": "text",
    "since": "number",
}
_PROVENANCE = {
    **dict.fromkeys(("case", "label", "source", "kind"), "text"),
    "revision": "number",
    "structure": "text",
    "annotated": "text",
    "voxels": "number",
    **dict.fromkeys(("round", "model", "annotator"), "text"),
    "created": "time",
    "accepted": "number",
    "withdrawn": "number",
}
_LABELS = {
    **dict.fromkeys(("case", "label", "source", "kind"), "text"),
    "revision": "number",
    **dict.fromkeys(("volume", "mapping", "codes", "annotated", "positive_only", "annotator"), "text"),
    "annotated_at": "time",
    **dict.fromkeys(("model", "file_dtype", "file_orientation", "file_affine"), "text"),
}


def _labels(workspace: Workspace, wanted: _Wanted) -> Iterator[list[dict[str, Any]]]:
    """A row a label, a source at a time."""
    for source in wanted.sources:
        with workspace.catalog.read() as connection:
            found = labels.of_source(connection, source, newest=False)
        yield [_label_row(label) for label in found if wanted.keeps(label.case, label.name)]


def _label_row(label: Label) -> dict[str, Any]:
    modes = label.annotated
    return {
        "case": label.case,
        "label": label.name,
        "source": label.source,
        "kind": label.kind,
        "revision": label.revision,
        "volume": label.volume,
        "mapping": label.codes.name,
        "codes": label.codes.text,
        "annotated": " ".join(modes),
        "positive_only": " ".join(name for name, mode in modes.items() if not mode.exhaustive),
        "annotator": label.annotator,
        "annotated_at": label.annotated_at,
        "model": label.model,
        "file_dtype": label.space and label.space.dtype,
        "file_orientation": label.space and label.space.orientation,
        "file_affine": label.space and json.dumps(label.space.affine),
    }


def _provenance(workspace: Workspace, wanted: _Wanted) -> Iterator[list[dict[str, Any]]]:
    """A row a label and structure, a source at a time."""
    asked = 'SELECT * FROM label_provenance WHERE source = :source ORDER BY "case", revision, structure'
    for source in wanted.sources:
        yield [row for row in workspace.sql(asked, source=source) if wanted.keeps(row["case"], row["label"])]


def _guessed(rows: list[dict[str, Any]]) -> dict[str, str]:
    """Columns of rows whose columns people made: numbers where all are, else text."""
    found = {}
    for name in rows[0] if rows else ("case",):
        values = [row[name] for row in rows if row[name] is not None]
        whole = values and all(isinstance(value, int) for value in values)
        real = values and all(isinstance(value, int | float) for value in values)
        found[name] = "number" if whole else "real" if real else "text"
    return found


def _write(arrow: Any, parquet: Any, path: Path, table: Table) -> None:
    types = {
        "text": arrow.string(),
        "number": arrow.int64(),
        "real": arrow.float64(),
        "time": arrow.timestamp("us", tz="UTC"),
    }
    schema = arrow.schema([(name, types[kind]) for name, kind in table.columns.items()])
    with parquet.ParquetWriter(path, schema) as writer:
        for portion in table.rows:
            for start in range(0, len(portion), _BATCH):
                ready = [_cells(row, table.columns) for row in portion[start : start + _BATCH]]
                writer.write_table(arrow.Table.from_pylist(ready, schema=schema))
    to_disk(path)


def _cells(row: Mapping[str, Any], columns: Mapping[str, str]) -> dict[str, Any]:
    return {name: _cell(row[name], kind) for name, kind in columns.items()}


def _cell(value: Any, kind: str) -> Any:
    if value is None:
        return None
    if kind == "time":
        return datetime.fromisoformat(value) if isinstance(value, str) else value
    if kind == "text" and not isinstance(value, str):
        return value.isoformat() if hasattr(value, "isoformat") else str(value)
    return int(value) if kind == "number" else value


def _publish(destination: Path, parts: Mapping[str, Path], overwrite: bool) -> list[str]:
    """Give the tables their names; those that are there and equal are left alone."""
    there = {name for name in parts if (destination / name).exists()}
    changed = [name for name in parts if name in there and sha256_of(parts[name]) != sha256_of(destination / name)]
    if changed and not overwrite:
        named = " ".join(changed)
        raise ConflictError(f"{len(changed)} tables in {destination} would change: {named}; --overwrite replaces them")
    added = [name for name in parts if name not in there or name in changed]
    for name in added:
        parts[name].replace(destination / name)
    return added


def _describe(
    workspace: Workspace, destination: Path, parts: Mapping[str, Path], request: dict[str, Any], operation: int
) -> None:
    with workspace.catalog.read() as connection:
        policy = policy_in_force(connection)[1].digest
    files = [{"file": name, "sha256": sha256_of(destination / name)} for name in parts]
    manifest = {"flaredb": __version__, "layout": "parquet", "request": request, "policy": policy, "files": files}
    place = destination / MANIFEST
    before = json.loads(place.read_text(encoding="utf-8")) if place.is_file() else {}
    if {key: value for key, value in before.items() if key != "operation"} != manifest:
        write_bytes(place, encoded({"operation": operation, **manifest}))


def _arrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise UsageError("Parquet needs an extra: pip install 'flaredb[parquet]'") from error
    return pyarrow, pyarrow.parquet
