"""Models that were trained elsewhere: where they came from, the cases they learnt from, the scores they came with"""

import sqlalchemy as sa
from alembic import op

from flaredb.catalog import types

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_ORIGIN = "origin IN ('trained', 'imported', 'nnunet')"
_KNOWN = "snapshot_id IS NOT NULL OR origin = 'nnunet'"


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        _rebuild_models()
    else:
        op.alter_column("models", "snapshot_id", nullable=True)
        op.add_column("models", sa.Column("origin", sa.Text(), server_default=sa.text("'trained'"), nullable=False))
        op.add_column("models", sa.Column("provenance", types.Json(), nullable=True))
        op.create_check_constraint(op.f("ck_models_origin"), "models", _ORIGIN)
        op.create_check_constraint(op.f("ck_models_snapshot"), "models", _KNOWN)
    op.create_table(
        "model_cases",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("model_id", sa.Integer(), nullable=False),
        sa.Column("case_name", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["model_id"], ["models.id"], name=op.f("fk_model_cases_model_id"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model_cases")),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_model_cases_model_id"), "model_cases", ["model_id"], unique=False)
    op.create_index(op.f("ix_model_cases_case_name"), "model_cases", ["case_name"], unique=False)
    op.create_table(
        "model_scores",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("model_id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("structure", sa.Integer(), nullable=False),
        sa.Column("protocol", sa.Text(), nullable=False),
        sa.Column("metric", sa.Text(), nullable=False),
        sa.Column("value", types.Real, nullable=False),
        sa.Column("operation_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_model_scores_case_id"), ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(
            ["model_id"], ["models.id"], name=op.f("fk_model_scores_model_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["operation_id"], ["operation_log.id"], name=op.f("fk_model_scores_operation_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["structure"], ["structures.value"], name=op.f("fk_model_scores_structure"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model_scores")),
        sa.UniqueConstraint(
            "model_id",
            "case_id",
            "structure",
            "protocol",
            "metric",
            name=op.f("uq_model_scores_model_id_case_id_structure_protocol_metric"),
        ),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_model_scores_case_id"), "model_scores", ["case_id"], unique=False)


def _rebuild_models() -> None:
    """SQLite cannot take back that a column must be filled; alembic's own rebuild loses the key's counter."""
    op.create_table(
        "models_new",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("task_id", sa.Integer(), nullable=False),
        sa.Column("snapshot_id", sa.Integer(), nullable=True),
        sa.Column("parent_id", sa.Integer(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("checkpoint", sa.Text(), nullable=True),
        sa.Column("config", types.Json(), nullable=False),
        sa.Column("steps", sa.Integer(), nullable=False),
        sa.Column("code_version", sa.Text(), nullable=False),
        sa.Column("environment", types.Json(), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("operation_id", sa.Integer(), nullable=False),
        sa.Column("origin", sa.Text(), server_default=sa.text("'trained'"), nullable=False),
        sa.Column("provenance", types.Json(), nullable=True),
        sa.CheckConstraint("state IN ('training', 'trained')", name=op.f("ck_models_state")),
        sa.CheckConstraint(_ORIGIN, name=op.f("ck_models_origin")),
        sa.CheckConstraint(_KNOWN, name=op.f("ck_models_snapshot")),
        sa.ForeignKeyConstraint(
            ["operation_id"], ["operation_log.id"], name=op.f("fk_models_operation_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(["parent_id"], ["models.id"], name=op.f("fk_models_parent_id"), ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(
            ["snapshot_id"], ["snapshots.id"], name=op.f("fk_models_snapshot_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_models_task_id"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_models")),
        sa.UniqueConstraint("name", name=op.f("uq_models_name")),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    kept = (
        "id, name, task_id, snapshot_id, parent_id, state, checkpoint, config, steps, code_version, environment, seed, "
        "operation_id"
    )
    op.execute(f"INSERT INTO models_new ({kept}) SELECT {kept} FROM models")  # noqa: S608  (no user text goes in)
    op.drop_table("models")
    op.rename_table("models_new", "models")
