"""The first schema"""

import sqlalchemy as sa
from alembic import op

from flaredb.catalog import types

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "mappings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mappings")),
        sa.UniqueConstraint("digest", name=op.f("uq_mappings_digest")),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_table(
        "patients",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patients")),
        sa.UniqueConstraint("key", name=op.f("uq_patients_key")),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_table(
        "runs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("command", sa.Text(), nullable=False),
        sa.Column("arguments", types.Json(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("started", types.UtcTime(), nullable=False),
        sa.Column("ended", types.UtcTime(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("counts", types.Json(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_runs")),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_table(
        "structures",
        sa.Column("value", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("nsd_tolerance_mm", sa.Double().with_variant(sa.REAL(), "sqlite"), nullable=False),
        sa.Column("tubular", types.Flag(), nullable=False),
        sa.CheckConstraint("kind IN ('organ', 'lesion')", name=op.f("ck_structures_kind")),
        sa.PrimaryKeyConstraint("value", name=op.f("pk_structures")),
        sa.UniqueConstraint("name", name=op.f("uq_structures_name")),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_table(
        "tasks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("structures", types.Json(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tasks")),
        sa.UniqueConstraint("digest", name=op.f("uq_tasks_digest")),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_table(
        "operations",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("at", types.UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_operations_run_id"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_operations")),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    with op.batch_alter_table("operations", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_operations_run_id"), ["run_id"], unique=False)

    op.create_table(
        "cases",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("patient_id", sa.Integer(), nullable=False),
        sa.Column("split", sa.Text(), nullable=False),
        sa.Column("source_dataset", sa.Text(), nullable=True),
        sa.Column("image", sa.Text(), nullable=True),
        sa.Column("voxels_digest", sa.Text(), nullable=True),
        sa.Column("slices", sa.Integer(), nullable=True),
        sa.Column("rows", sa.Integer(), nullable=True),
        sa.Column("columns", sa.Integer(), nullable=True),
        sa.Column("spacing_z_mm", sa.Double().with_variant(sa.REAL(), "sqlite"), nullable=True),
        sa.Column("spacing_y_mm", sa.Double().with_variant(sa.REAL(), "sqlite"), nullable=True),
        sa.Column("spacing_x_mm", sa.Double().with_variant(sa.REAL(), "sqlite"), nullable=True),
        sa.Column("origin", types.Json(), nullable=True),
        sa.Column("direction", types.Json(), nullable=True),
        sa.Column("hu_p0_5", sa.Double().with_variant(sa.REAL(), "sqlite"), nullable=True),
        sa.Column("hu_p50", sa.Double().with_variant(sa.REAL(), "sqlite"), nullable=True),
        sa.Column("hu_p99_5", sa.Double().with_variant(sa.REAL(), "sqlite"), nullable=True),
        sa.Column("file_name", sa.Text(), nullable=True),
        sa.Column("file_sha256", sa.Text(), nullable=True),
        sa.Column("file_shape", types.Json(), nullable=True),
        sa.Column("file_affine", types.Json(), nullable=True),
        sa.Column("file_orientation", sa.Text(), nullable=True),
        sa.Column("file_dtype", sa.Text(), nullable=True),
        sa.Column("file_pixdim", types.Json(), nullable=True),
        sa.Column("licence", sa.Text(), nullable=True),
        sa.Column("excluded", types.Flag(), server_default=sa.text("0"), nullable=False),
        sa.Column("operation_id", sa.Integer(), nullable=False),
        sa.CheckConstraint("split IN ('train', 'validation', 'test')", name=op.f("ck_cases_split")),
        sa.ForeignKeyConstraint(
            ["operation_id"], ["operations.id"], name=op.f("fk_cases_operation_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], name=op.f("fk_cases_patient_id"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cases")),
        sa.UniqueConstraint("name", name=op.f("uq_cases_name")),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    with op.batch_alter_table("cases", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_cases_image"), ["image"], unique=False)
        batch_op.create_index(batch_op.f("ix_cases_patient_id"), ["patient_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_cases_voxels_digest"), ["voxels_digest"], unique=False)

    op.create_table(
        "findings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("case_name", sa.Text(), nullable=True),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=True),
        sa.Column("operation_id", sa.Integer(), nullable=False),
        sa.CheckConstraint("severity IN ('error', 'warning', 'info')", name=op.f("ck_findings_severity")),
        sa.ForeignKeyConstraint(
            ["operation_id"], ["operations.id"], name=op.f("fk_findings_operation_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_findings")),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_table(
        "policies",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("operation_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["operation_id"], ["operations.id"], name=op.f("fk_policies_operation_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policies")),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_table(
        "sources",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("default_kind", sa.Text(), nullable=False),
        sa.Column("recipe", sa.Text(), nullable=True),
        sa.Column("supersedes_id", sa.Integer(), nullable=True),
        sa.Column("licence", sa.Text(), nullable=True),
        sa.Column("citation", sa.Text(), nullable=True),
        sa.Column("operation_id", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "default_kind IN ('ground-truth', 'tumor-only', 'external', 'pseudo', 'fused')",
            name=op.f("ck_sources_default_kind"),
        ),
        sa.ForeignKeyConstraint(
            ["operation_id"], ["operations.id"], name=op.f("fk_sources_operation_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["supersedes_id"], ["sources.id"], name=op.f("fk_sources_supersedes_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sources")),
        sa.UniqueConstraint("name", name=op.f("uq_sources_name")),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_table(
        "snapshots",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("task_id", sa.Integer(), nullable=False),
        sa.Column("policy_id", sa.Integer(), nullable=False),
        sa.Column("operation_id", sa.Integer(), nullable=False),
        sa.CheckConstraint("purpose IN ('train', 'reference')", name=op.f("ck_snapshots_purpose")),
        sa.ForeignKeyConstraint(
            ["operation_id"], ["operations.id"], name=op.f("fk_snapshots_operation_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["policy_id"], ["policies.id"], name=op.f("fk_snapshots_policy_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_snapshots_task_id"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_snapshots")),
        sa.UniqueConstraint("digest", name=op.f("uq_snapshots_digest")),
        sa.UniqueConstraint("name", name=op.f("uq_snapshots_name")),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_table(
        "models",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("task_id", sa.Integer(), nullable=False),
        sa.Column("snapshot_id", sa.Integer(), nullable=False),
        sa.Column("parent_id", sa.Integer(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("checkpoint", sa.Text(), nullable=True),
        sa.Column("config", types.Json(), nullable=False),
        sa.Column("steps", sa.Integer(), nullable=False),
        sa.Column("code_version", sa.Text(), nullable=False),
        sa.Column("environment", types.Json(), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("operation_id", sa.Integer(), nullable=False),
        sa.CheckConstraint("state IN ('training', 'trained')", name=op.f("ck_models_state")),
        sa.ForeignKeyConstraint(
            ["operation_id"], ["operations.id"], name=op.f("fk_models_operation_id"), ondelete="RESTRICT"
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
    op.create_table(
        "labels",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("annotator", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("volume", sa.Text(), nullable=True),
        sa.Column("mapping_id", sa.Integer(), nullable=False),
        sa.Column("annotated_at", types.UtcTime(), nullable=False),
        sa.Column("model_id", sa.Integer(), nullable=True),
        sa.Column("file_name", sa.Text(), nullable=True),
        sa.Column("file_sha256", sa.Text(), nullable=True),
        sa.Column("file_shape", types.Json(), nullable=True),
        sa.Column("file_affine", types.Json(), nullable=True),
        sa.Column("file_orientation", sa.Text(), nullable=True),
        sa.Column("file_dtype", sa.Text(), nullable=True),
        sa.Column("file_pixdim", types.Json(), nullable=True),
        sa.Column("operation_id", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('ground-truth', 'tumor-only', 'external', 'pseudo', 'fused')", name=op.f("ck_labels_kind")
        ),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_labels_case_id"), ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(
            ["mapping_id"], ["mappings.id"], name=op.f("fk_labels_mapping_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(["model_id"], ["models.id"], name=op.f("fk_labels_model_id"), ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(
            ["operation_id"], ["operations.id"], name=op.f("fk_labels_operation_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"], name=op.f("fk_labels_source_id"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_labels")),
        sa.UniqueConstraint(
            "case_id", "source_id", "annotator", "revision", name=op.f("uq_labels_case_id_source_id_annotator_revision")
        ),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    with op.batch_alter_table("labels", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_labels_model_id"), ["model_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_labels_source_id"), ["source_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_labels_volume"), ["volume"], unique=False)

    op.create_table(
        "rounds",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("task_id", sa.Integer(), nullable=False),
        sa.Column("task", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("snapshot_id", sa.Integer(), nullable=False),
        sa.Column("reference_id", sa.Integer(), nullable=False),
        sa.Column("model_id", sa.Integer(), nullable=True),
        sa.Column("source_id", sa.Integer(), nullable=True),
        sa.Column("settings", types.Json(), nullable=False),
        sa.Column("operation_id", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "state IN ('open', 'trained', 'predicted', 'evaluated', 'promoted', 'rejected', 'rolled-back')",
            name=op.f("ck_rounds_state"),
        ),
        sa.ForeignKeyConstraint(["model_id"], ["models.id"], name=op.f("fk_rounds_model_id"), ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(
            ["operation_id"], ["operations.id"], name=op.f("fk_rounds_operation_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["reference_id"], ["snapshots.id"], name=op.f("fk_rounds_reference_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["snapshot_id"], ["snapshots.id"], name=op.f("fk_rounds_snapshot_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"], name=op.f("fk_rounds_source_id"), ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_rounds_task_id"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rounds")),
        sa.UniqueConstraint("task", "number", name=op.f("uq_rounds_task_number")),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    with op.batch_alter_table("rounds", schema=None) as batch_op:
        batch_op.create_index(
            "uq_rounds_open",
            ["task"],
            unique=True,
            sqlite_where=sa.text("(state NOT IN ('promoted', 'rejected', 'rolled-back'))"),
            postgresql_where=sa.text("(state NOT IN ('promoted', 'rejected', 'rolled-back'))"),
        )

    op.create_table(
        "acceptances",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=True),
        sa.Column("label_id", sa.Integer(), nullable=True),
        sa.Column("structure", sa.Integer(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("at_import", types.Flag(), server_default=sa.text("0"), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("round_id", sa.Integer(), nullable=True),
        sa.Column("operation_id", sa.Integer(), nullable=False),
        sa.CheckConstraint("event IN ('accepted', 'revoked')", name=op.f("ck_acceptances_event")),
        sa.CheckConstraint("(source_id IS NULL) <> (label_id IS NULL)", name=op.f("ck_acceptances_either")),
        sa.ForeignKeyConstraint(["label_id"], ["labels.id"], name=op.f("fk_acceptances_label_id"), ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(
            ["operation_id"], ["operations.id"], name=op.f("fk_acceptances_operation_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(["round_id"], ["rounds.id"], name=op.f("fk_acceptances_round_id"), ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(
            ["source_id"], ["sources.id"], name=op.f("fk_acceptances_source_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["structure"], ["structures.value"], name=op.f("fk_acceptances_structure"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_acceptances")),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    with op.batch_alter_table("acceptances", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_acceptances_label_id"), ["label_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_acceptances_source_id"), ["source_id"], unique=False)

    op.create_table(
        "label_parents",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("child_id", sa.Integer(), nullable=False),
        sa.Column("parent_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["child_id"], ["labels.id"], name=op.f("fk_label_parents_child_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["labels.id"], name=op.f("fk_label_parents_parent_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_label_parents")),
        sa.UniqueConstraint("child_id", "parent_id", name=op.f("uq_label_parents_child_id_parent_id")),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    with op.batch_alter_table("label_parents", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_label_parents_parent_id"), ["parent_id"], unique=False)

    op.create_table(
        "label_structures",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("label_id", sa.Integer(), nullable=False),
        sa.Column("structure", sa.Integer(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("within", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("superset", types.Flag(), nullable=False),
        sa.Column("voxels", sa.Integer(), nullable=False),
        sa.Column("box", types.Json(), nullable=True),
        sa.CheckConstraint("mode IN ('exhaustive', 'positive-only')", name=op.f("ck_label_structures_mode")),
        sa.ForeignKeyConstraint(
            ["label_id"], ["labels.id"], name=op.f("fk_label_structures_label_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["structure"], ["structures.value"], name=op.f("fk_label_structures_structure"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_label_structures")),
        sa.UniqueConstraint("label_id", "structure", name=op.f("uq_label_structures_label_id_structure")),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_table(
        "round_events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("report", types.Json(), nullable=True),
        sa.Column("operation_id", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "state IN ('open', 'trained', 'predicted', 'evaluated', 'promoted', 'rejected', 'rolled-back')",
            name=op.f("ck_round_events_state"),
        ),
        sa.ForeignKeyConstraint(
            ["operation_id"], ["operations.id"], name=op.f("fk_round_events_operation_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["round_id"], ["rounds.id"], name=op.f("fk_round_events_round_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_round_events")),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    with op.batch_alter_table("round_events", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_round_events_round_id"), ["round_id"], unique=False)

    op.create_table(
        "scores",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("label_id", sa.Integer(), nullable=False),
        sa.Column("structure", sa.Integer(), nullable=False),
        sa.Column("reference_id", sa.Integer(), nullable=False),
        sa.Column("protocol", sa.Text(), nullable=False),
        sa.Column("metric", sa.Text(), nullable=False),
        sa.Column("value", sa.Double().with_variant(sa.REAL(), "sqlite"), nullable=False),
        sa.Column("operation_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["label_id"], ["labels.id"], name=op.f("fk_scores_label_id"), ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(
            ["operation_id"], ["operations.id"], name=op.f("fk_scores_operation_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["reference_id"], ["labels.id"], name=op.f("fk_scores_reference_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["structure"], ["structures.value"], name=op.f("fk_scores_structure"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scores")),
        sa.UniqueConstraint(
            "label_id",
            "structure",
            "reference_id",
            "protocol",
            "metric",
            name=op.f("uq_scores_label_id_structure_reference_id_protocol_metric"),
        ),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    with op.batch_alter_table("scores", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_scores_label_id"), ["label_id"], unique=False)

    op.create_table(
        "snapshot_items",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("snapshot_id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("label_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("structures", types.Json(), nullable=False),
        sa.CheckConstraint("role IN ('won', 'contributes')", name=op.f("ck_snapshot_items_role")),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_snapshot_items_case_id"), ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(
            ["label_id"], ["labels.id"], name=op.f("fk_snapshot_items_label_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["snapshot_id"], ["snapshots.id"], name=op.f("fk_snapshot_items_snapshot_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_snapshot_items")),
        sa.UniqueConstraint(
            "snapshot_id",
            "case_id",
            "label_id",
            "role",
            name=op.f("uq_snapshot_items_snapshot_id_case_id_label_id_role"),
        ),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    with op.batch_alter_table("snapshot_items", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_snapshot_items_case_id"), ["case_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_snapshot_items_label_id"), ["label_id"], unique=False)

    op.create_table(
        "withdrawals",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=True),
        sa.Column("label_id", sa.Integer(), nullable=True),
        sa.Column("structure", sa.Integer(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("operation_id", sa.Integer(), nullable=False),
        sa.CheckConstraint("event IN ('withdrawn', 'restored')", name=op.f("ck_withdrawals_event")),
        sa.CheckConstraint("(source_id IS NULL) <> (label_id IS NULL)", name=op.f("ck_withdrawals_either")),
        sa.ForeignKeyConstraint(["label_id"], ["labels.id"], name=op.f("fk_withdrawals_label_id"), ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(
            ["operation_id"], ["operations.id"], name=op.f("fk_withdrawals_operation_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["source_id"], ["sources.id"], name=op.f("fk_withdrawals_source_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["structure"], ["structures.value"], name=op.f("fk_withdrawals_structure"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_withdrawals")),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    with op.batch_alter_table("withdrawals", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_withdrawals_label_id"), ["label_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_withdrawals_source_id"), ["source_id"], unique=False)
