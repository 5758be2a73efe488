"""Do catalogue and volumes agree? `fsck` finds what is wrong, `repair` mends it, `gc` removes what nobody points at."""

from __future__ import annotations

from flaredb.workflow.fsck import Check, fsck
from flaredb.workflow.gc import AGE_FLOOR_S, gc
from flaredb.workflow.repair import repair

__all__ = ["AGE_FLOOR_S", "Check", "fsck", "gc", "repair"]
