"""Events of cases, supersessions, tombstones, reviews, leases, and the log of what was current"""

import sqlalchemy as sa
from alembic import op

from flaredb.catalog import types

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Views of these names show the rows joined with what belongs to them.
    op.rename_table("operations", "operation_log")
    op.rename_table("findings", "finding_log")
    op.add_column("cases", sa.Column("centre", sa.Text(), nullable=True))
    op.add_column("snapshots", sa.Column("condition", sa.Text(), nullable=True))
    op.create_table(
        "leases",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("since", types.UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_leases")),
        sa.UniqueConstraint("name", name=op.f("uq_leases_name")),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_table(
        "reviews",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("criterion", sa.Text(), nullable=False),
        sa.Column("operation_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["operation_id"], ["operation_log.id"], name=op.f("fk_reviews_operation_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reviews")),
        sa.UniqueConstraint("name", name=op.f("uq_reviews_name")),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_table(
        "tombstones",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("labels", sa.Integer(), nullable=False),
        sa.Column("operation_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["operation_id"], ["operation_log.id"], name=op.f("fk_tombstones_operation_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tombstones")),
        sa.UniqueConstraint("case_id", name=op.f("uq_tombstones_case_id")),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_table(
        "case_aliases",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("alias", sa.Text(), nullable=False),
        sa.Column("operation_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_case_aliases_case_id"), ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(
            ["operation_id"], ["operation_log.id"], name=op.f("fk_case_aliases_operation_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_aliases")),
        sa.UniqueConstraint("alias", name=op.f("uq_case_aliases_alias")),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_case_aliases_case_id"), "case_aliases", ["case_id"], unique=False)

    op.create_table(
        "case_events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("operation_id", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "event IN ('excluded', 'included', 'renamed', 'described', 'same', 'distinct')",
            name=op.f("ck_case_events_event"),
        ),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_case_events_case_id"), ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(
            ["operation_id"], ["operation_log.id"], name=op.f("fk_case_events_operation_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_events")),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_case_events_case_id"), "case_events", ["case_id"], unique=False)

    op.create_table(
        "finding_events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("finding_id", sa.Integer(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("operation_id", sa.Integer(), nullable=False),
        sa.CheckConstraint("event IN ('acknowledged')", name=op.f("ck_finding_events_event")),
        sa.ForeignKeyConstraint(
            ["finding_id"], ["finding_log.id"], name=op.f("fk_finding_events_finding_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["operation_id"], ["operation_log.id"], name=op.f("fk_finding_events_operation_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_finding_events")),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_finding_events_finding_id"), "finding_events", ["finding_id"], unique=False)

    op.create_table(
        "supersessions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("older_id", sa.Integer(), nullable=False),
        sa.Column("operation_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["older_id"], ["sources.id"], name=op.f("fk_supersessions_older_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["operation_id"], ["operation_log.id"], name=op.f("fk_supersessions_operation_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["source_id"], ["sources.id"], name=op.f("fk_supersessions_source_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_supersessions")),
        sa.UniqueConstraint("source_id", "older_id", name=op.f("uq_supersessions_source_id_older_id")),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_supersessions_older_id"), "supersessions", ["older_id"], unique=False)

    op.create_table(
        "snapshot_losses",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("snapshot_id", sa.Integer(), nullable=False),
        sa.Column("items", sa.Integer(), nullable=False),
        sa.Column("tombstone_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["snapshot_id"], ["snapshots.id"], name=op.f("fk_snapshot_losses_snapshot_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["tombstone_id"], ["tombstones.id"], name=op.f("fk_snapshot_losses_tombstone_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_snapshot_losses")),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_snapshot_losses_snapshot_id"), "snapshot_losses", ["snapshot_id"], unique=False)

    op.create_table(
        "candidates",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("label_id", sa.Integer(), nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("human", types.Flag(), nullable=False),
        sa.Column("annotated_at", types.UtcTime(), nullable=False),
        sa.Column(
            "strong", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), server_default=sa.text("0"), nullable=False
        ),
        sa.Column(
            "weak", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), server_default=sa.text("0"), nullable=False
        ),
        sa.Column(
            "accepted",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            server_default=sa.text("0"),
            nullable=False,
        ),
        sa.Column(
            "revoked", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), server_default=sa.text("0"), nullable=False
        ),
        sa.Column(
            "withdrawn",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            server_default=sa.text("0"),
            nullable=False,
        ),
        sa.Column(
            "restored",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            server_default=sa.text("0"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_candidates_case_id"), ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["label_id"], ["labels.id"], name=op.f("fk_candidates_label_id"), ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(
            ["source_id"], ["sources.id"], name=op.f("fk_candidates_source_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_candidates")),
        sa.UniqueConstraint("label_id", name=op.f("uq_candidates_label_id")),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_candidates_case_id"), "candidates", ["case_id"], unique=False)
    op.create_index(op.f("ix_candidates_source_id"), "candidates", ["source_id"], unique=False)

    op.create_table(
        "current_history",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("structure", sa.Integer(), nullable=False),
        sa.Column("label_id", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("policy_id", sa.Integer(), nullable=False),
        sa.Column("from_operation", sa.Integer(), nullable=False),
        sa.Column("to_operation", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["case_id"], ["cases.id"], name=op.f("fk_current_history_case_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["from_operation"],
            ["operation_log.id"],
            name=op.f("fk_current_history_from_operation"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["label_id"], ["labels.id"], name=op.f("fk_current_history_label_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["policy_id"], ["policies.id"], name=op.f("fk_current_history_policy_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["structure"], ["structures.value"], name=op.f("fk_current_history_structure"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["to_operation"], ["operation_log.id"], name=op.f("fk_current_history_to_operation"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_current_history")),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_current_history_case_id"), "current_history", ["case_id"], unique=False)
    op.create_index(op.f("ix_current_history_label_id"), "current_history", ["label_id"], unique=False)
    op.create_index(
        "ix_current_history_open",
        "current_history",
        ["case_id", "structure", "place", "label_id"],
        unique=True,
        sqlite_where=sa.text("to_operation IS NULL"),
        postgresql_where=sa.text("to_operation IS NULL"),
    )

    op.create_table(
        "review_items",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("review_id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("label_id", sa.Integer(), nullable=True),
        sa.Column("structures", types.Json(), nullable=False),
        sa.Column("assignee", sa.Text(), nullable=True),
        sa.Column("verdict", sa.Text(), nullable=True),
        sa.Column("at", types.UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_review_items_case_id"), ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(
            ["label_id"], ["labels.id"], name=op.f("fk_review_items_label_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["review_id"], ["reviews.id"], name=op.f("fk_review_items_review_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_items")),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_review_items_case_id"), "review_items", ["case_id"], unique=False)
    op.create_index(op.f("ix_review_items_label_id"), "review_items", ["label_id"], unique=False)
    op.create_index(op.f("ix_review_items_review_id"), "review_items", ["review_id"], unique=False)

    op.execute(
        "INSERT INTO supersessions (source_id, older_id, operation_id) "
        "SELECT id, supersedes_id, operation_id FROM sources WHERE supersedes_id IS NOT NULL"
    )
    if op.get_bind().dialect.name == "sqlite":
        _rebuild_sources()
    else:
        op.drop_column("sources", "supersedes_id")


def _rebuild_sources() -> None:
    """SQLite cannot drop a column that refers to another table; alembic's own rebuild loses the key's counter."""
    op.create_table(
        "sources_new",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("default_kind", sa.Text(), nullable=False),
        sa.Column("recipe", sa.Text(), nullable=True),
        sa.Column("licence", sa.Text(), nullable=True),
        sa.Column("citation", sa.Text(), nullable=True),
        sa.Column("operation_id", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "default_kind IN ('ground-truth', 'tumor-only', 'external', 'pseudo', 'fused')",
            name=op.f("ck_sources_default_kind"),
        ),
        sa.ForeignKeyConstraint(
            ["operation_id"], ["operation_log.id"], name=op.f("fk_sources_operation_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sources")),
        sa.UniqueConstraint("name", name=op.f("uq_sources_name")),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.execute(
        "INSERT INTO sources_new SELECT id, name, default_kind, recipe, licence, citation, operation_id FROM sources"
    )
    op.drop_table("sources")
    op.rename_table("sources_new", "sources")
