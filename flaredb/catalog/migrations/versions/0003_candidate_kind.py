"""A candidate tells its label's kind, and coverage is read from one index"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("candidates", sa.Column("kind", sa.Text(), server_default=sa.text("''"), nullable=False))
    op.execute("UPDATE candidates SET kind = (SELECT kind FROM labels WHERE labels.id = candidates.label_id)")
    op.drop_column("candidates", "human")
    op.drop_index(op.f("ix_candidates_case_id"), "candidates")
    op.create_index("ix_candidates_coverage", "candidates", ["case_id", "kind", "strong", "weak"])
