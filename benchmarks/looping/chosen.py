"""What of the loop was chosen on the tuning seeds: its rounds, and settings of a task beside those for label sets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from flaredb.workflow.demo.plan import Turn
from looping.plan import STEPS

TURNS: Final = (
    Turn("organ", 1200, None),
    Turn("organ", 600, "organ"),
    Turn("organ", 600, "organ"),
    Turn("tumor", 200, None),
    Turn("tumor", 200, "tumor"),
    Turn("all", 2800, "organ"),
    Turn("all", 2800, "all"),
)
"""Three rounds for organs, two for tumours, then the joint model, twice; the last one is compared."""
assert sum(turn.steps for turn in TURNS) == STEPS

SETTINGS: Final[Mapping[str, Mapping[str, str]]] = {"all": {"lesion_share": "0.4"}}
