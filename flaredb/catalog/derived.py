"""Tables derived from the events: candidates in a fast form, and the log of what was current from when to when.

Every event keeps them (`flaredb.catalog.current`), `fsck` makes them again from the events and compares.
"""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer
from sqlalchemy import text as sql

from flaredb.catalog.schema import key, partial_index, ref, table, text
from flaredb.catalog.types import Bits, UtcTime

BITS = ("strong", "weak", "accepted", "revoked", "withdrawn", "restored")

# A label as a candidate, its structures as bits, so that a whole case is decided at once. `strong`: it can win;
# `weak`: positive-only or superset; the others: what was decided on this very label, whatever on its source.
candidates = table(
    "candidates",
    key(),
    ref("case_id", "cases.id"),
    ref("label_id", "labels.id", unique=True),
    ref("source_id", "sources.id", index=True),
    Column("revision", Integer, nullable=False),
    text("kind", server_default=sql("''")),
    Column("annotated_at", UtcTime, nullable=False),
    *(Column(name, Bits, nullable=False, server_default=sql("0")) for name in BITS),
    Index("ix_candidates_coverage", "case_id", "kind", "strong", "weak"),
)

# From which operation to which a label was current for a structure: `place` 0 is the winner, 1, 2, … contribute.
current_history = table(
    "current_history",
    key(),
    ref("case_id", "cases.id", index=True),
    Column("structure", Integer, ForeignKey("structures.value", ondelete="RESTRICT"), nullable=False),
    ref("label_id", "labels.id", index=True),
    Column("place", Integer, nullable=False),
    text("reason"),
    ref("policy_id", "policies.id"),
    ref("from_operation", "operation_log.id"),
    ref("to_operation", "operation_log.id", nullable=True),
)
partial_index(
    "ix_current_history_open",
    current_history.c.case_id,
    current_history.c.structure,
    current_history.c.place,
    current_history.c.label_id,
    where=current_history.c.to_operation.is_(None),
)
