"""The tables. What happened is appended; voxels are named by digest; "current" is asked of a policy, never stored.

Integer keys inside, text names outside; states are text with a check; every foreign key restricts. The columns of
`cases` and `labels` that begin with `file_` tell how the file held its array, so that export can give it back.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from flaredb.catalog.types import Flag, Json, Real, UtcTime

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

SPLITS = ("train", "validation", "test")
ROUND_STATES = ("open", "trained", "predicted", "evaluated", "promoted", "rejected", "rolled-back")
CLOSED_STATES = ("promoted", "rejected", "rolled-back")


def _table(name: str, *items: Any) -> Table:
    return Table(name, metadata, *items, sqlite_strict=True, sqlite_autoincrement=True)


def _key() -> Column[int]:
    return Column("id", Integer, primary_key=True)


def _ref(name: str, target: str, nullable: bool = False, index: bool = False) -> Column[int]:
    return Column(name, Integer, ForeignKey(target, ondelete="RESTRICT"), nullable=nullable, index=index)


def _one_of(column: str, values: tuple[str, ...]) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


def _text(name: str, **options: Any) -> Column[str]:
    return Column(name, Text, **{"nullable": False, **options})


def _file_columns() -> list[Column[Any]]:
    """Where an array came from and how its file held it."""
    return [
        _text("file_name", nullable=True),
        _text("file_sha256", nullable=True),
        Column("file_shape", Json, nullable=True),
        Column("file_affine", Json, nullable=True),
        _text("file_orientation", nullable=True),
        _text("file_dtype", nullable=True),
        Column("file_pixdim", Json, nullable=True),
    ]


KINDS = ("ground-truth", "tumor-only", "external", "pseudo", "fused")

runs = _table(
    "runs",
    _key(),
    _text("command"),
    Column("arguments", Json, nullable=False),
    _text("actor"),
    _text("host"),
    _text("version"),
    Column("started", UtcTime, nullable=False),
    Column("ended", UtcTime),
    _text("outcome", nullable=True),
    Column("counts", Json),
)

operations = _table("operations", _key(), _ref("run_id", "runs.id", index=True), Column("at", UtcTime, nullable=False))

structures = _table(
    "structures",
    Column("value", Integer, primary_key=True, autoincrement=False),
    _text("name", unique=True),
    _text("kind"),
    Column("nsd_tolerance_mm", Real, nullable=False),
    Column("tubular", Flag, nullable=False),
    _one_of("kind", ("organ", "lesion")),
)

patients = _table("patients", _key(), _text("key", unique=True))

cases = _table(
    "cases",
    _key(),
    _text("name", unique=True),
    _ref("patient_id", "patients.id", index=True),
    _text("split"),
    _text("source_dataset", nullable=True),
    _text("image", nullable=True, index=True),
    _text("voxels_digest", nullable=True, index=True),
    Column("slices", Integer),
    Column("rows", Integer),
    Column("columns", Integer),
    Column("spacing_z_mm", Real),
    Column("spacing_y_mm", Real),
    Column("spacing_x_mm", Real),
    Column("origin", Json),
    Column("direction", Json),
    Column("hu_p0_5", Real),
    Column("hu_p50", Real),
    Column("hu_p99_5", Real),
    *_file_columns(),
    _text("licence", nullable=True),
    Column("excluded", Flag, nullable=False, server_default=text("0")),
    _ref("operation_id", "operations.id"),
    _one_of("split", SPLITS),
)

sources = _table(
    "sources",
    _key(),
    _text("name", unique=True),
    _text("default_kind"),
    _text("recipe", nullable=True),
    _ref("supersedes_id", "sources.id", nullable=True),
    _text("licence", nullable=True),
    _text("citation", nullable=True),
    _ref("operation_id", "operations.id"),
    _one_of("default_kind", KINDS),
)

mappings = _table("mappings", _key(), _text("name"), _text("digest", unique=True), _text("text"))
tasks = _table("tasks", _key(), _text("name"), _text("digest", unique=True), Column("structures", Json, nullable=False))
policies = _table(
    "policies", _key(), _text("digest"), _text("text"), _text("why"), _ref("operation_id", "operations.id")
)

snapshots = _table(
    "snapshots",
    _key(),
    _text("name", unique=True),
    _text("digest", unique=True),
    _text("purpose"),
    _text("title", nullable=True),
    _ref("task_id", "tasks.id"),
    _ref("policy_id", "policies.id"),
    _ref("operation_id", "operations.id"),
    _one_of("purpose", ("train", "reference")),
)

models = _table(
    "models",
    _key(),
    _text("name", unique=True),
    _ref("task_id", "tasks.id"),
    _ref("snapshot_id", "snapshots.id"),
    _ref("parent_id", "models.id", nullable=True),
    _text("state"),
    _text("checkpoint", nullable=True),
    Column("config", Json, nullable=False),
    Column("steps", Integer, nullable=False),
    _text("code_version"),
    Column("environment", Json, nullable=False),
    Column("seed", Integer, nullable=False),
    _ref("operation_id", "operations.id"),
    _one_of("state", ("training", "trained")),
)

labels = _table(
    "labels",
    _key(),
    _ref("case_id", "cases.id"),
    _ref("source_id", "sources.id", index=True),
    _text("annotator", server_default=text("''")),
    Column("revision", Integer, nullable=False),
    _text("kind"),
    _text("volume", nullable=True, index=True),
    _ref("mapping_id", "mappings.id"),
    Column("annotated_at", UtcTime, nullable=False),
    _ref("model_id", "models.id", nullable=True, index=True),
    *_file_columns(),
    _ref("operation_id", "operations.id"),
    UniqueConstraint("case_id", "source_id", "annotator", "revision"),
    _one_of("kind", KINDS),
)

label_structures = _table(
    "label_structures",
    _key(),
    _ref("label_id", "labels.id"),
    Column("structure", Integer, ForeignKey("structures.value", ondelete="RESTRICT"), nullable=False),
    _text("mode"),
    _text("within", server_default=text("''")),
    Column("superset", Flag, nullable=False),
    Column("voxels", Integer, nullable=False),
    Column("box", Json),
    UniqueConstraint("label_id", "structure"),
    _one_of("mode", ("exhaustive", "positive-only")),
)

label_parents = _table(
    "label_parents",
    _key(),
    _ref("child_id", "labels.id"),
    _ref("parent_id", "labels.id", index=True),
    UniqueConstraint("child_id", "parent_id"),
)

rounds = _table(
    "rounds",
    _key(),
    _ref("task_id", "tasks.id"),
    _text("task"),
    Column("number", Integer, nullable=False),
    _text("state"),
    _ref("snapshot_id", "snapshots.id"),
    _ref("reference_id", "snapshots.id"),
    _ref("model_id", "models.id", nullable=True),
    _ref("source_id", "sources.id", nullable=True),
    Column("settings", Json, nullable=False),
    _ref("operation_id", "operations.id"),
    UniqueConstraint("task", "number"),
    _one_of("state", ROUND_STATES),
)
# One open round a task: a second `round start` fails in the database, whoever sends it.
Index(
    "uq_rounds_open",
    rounds.c.task,
    unique=True,
    sqlite_where=rounds.c.state.not_in(CLOSED_STATES),
    postgresql_where=rounds.c.state.not_in(CLOSED_STATES),
)

round_events = _table(
    "round_events",
    _key(),
    _ref("round_id", "rounds.id", index=True),
    _text("state"),
    _text("why"),
    Column("report", Json),
    _ref("operation_id", "operations.id"),
    _one_of("state", ROUND_STATES),
)

_EITHER = "(source_id IS NULL) <> (label_id IS NULL)"

acceptances = _table(
    "acceptances",
    _key(),
    _ref("source_id", "sources.id", nullable=True, index=True),
    _ref("label_id", "labels.id", nullable=True, index=True),
    Column("structure", Integer, ForeignKey("structures.value", ondelete="RESTRICT"), nullable=False),
    _text("event"),
    Column("at_import", Flag, nullable=False, server_default=text("0")),
    _text("why"),
    _ref("round_id", "rounds.id", nullable=True),
    _ref("operation_id", "operations.id"),
    CheckConstraint(_EITHER, name="either"),
    _one_of("event", ("accepted", "revoked")),
)

withdrawals = _table(
    "withdrawals",
    _key(),
    _ref("source_id", "sources.id", nullable=True, index=True),
    _ref("label_id", "labels.id", nullable=True, index=True),
    Column("structure", Integer, ForeignKey("structures.value", ondelete="RESTRICT"), nullable=False),
    _text("event"),
    _text("why"),
    _ref("operation_id", "operations.id"),
    CheckConstraint(_EITHER, name="either"),
    _one_of("event", ("withdrawn", "restored")),
)

snapshot_items = _table(
    "snapshot_items",
    _key(),
    _ref("snapshot_id", "snapshots.id"),
    _ref("case_id", "cases.id", index=True),
    _ref("label_id", "labels.id", index=True),
    _text("role"),
    Column("structures", Json, nullable=False),
    UniqueConstraint("snapshot_id", "case_id", "label_id", "role"),
    _one_of("role", ("won", "contributes")),
)

scores = _table(
    "scores",
    _key(),
    _ref("label_id", "labels.id", index=True),
    Column("structure", Integer, ForeignKey("structures.value", ondelete="RESTRICT"), nullable=False),
    _ref("reference_id", "labels.id"),
    _text("protocol"),
    _text("metric"),
    Column("value", Real, nullable=False),
    _ref("operation_id", "operations.id"),
    UniqueConstraint("label_id", "structure", "reference_id", "protocol", "metric"),
)

findings = _table(
    "findings",
    _key(),
    _text("severity"),
    _text("case_name", nullable=True),
    _text("rule"),
    _text("message"),
    _text("path", nullable=True),
    _ref("operation_id", "operations.id"),
    _one_of("severity", ("error", "warning", "info")),
)
