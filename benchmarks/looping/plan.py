"""What was fixed and committed before the loop was held against anything: cohort, steps, seeds, measures.

Network, patches and learning rate are those of `partial/plan.py`, and so are the measures.
"""

from __future__ import annotations

from typing import Final

CASES: Final = 60
"""Of training: 13 with tumours, 9 with five organs and tumours, 7 with five organs, 4 with thirteen, 27 with none."""
VALIDATION: Final = 8
"""With complete truth, for the gate alone; no method learns from them."""
TEST: Final = 24
"""With complete truth, for reporting alone."""

STEPS: Final = 8400
"""Optimiser steps of every method in all; how the loop divides them over its rounds is in `chosen.py`."""

EVALUATION_SEEDS: Final = (201, 202, 203)
TUNING_SEEDS: Final = (11, 12, 13)
"""Of cohort, weights and stream of patches at once."""
