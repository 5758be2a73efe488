"""What was fixed and committed before any two methods were compared: cohorts, network, steps, seeds, measures.

The methods' own definitions are in `methods.py`; what of label sets was chosen on `TUNING_SEEDS` is in `chosen.py`.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Setting(NamedTuple):
    """A cohort of FLARE23's annotated patterns; `contrast` scales soft tissue about `PIVOT_HU`, `noise` is added."""

    training: int
    """Cases of which FLARE23's share (2,200 of 4,000) is annotated; the others are not used."""
    contrast: float
    noise: float


SETTINGS: Final = {
    "easy": Setting(training=73, contrast=1.0, noise=0.0),  # 16 tumour, 11 five + tumour, 8 five, 5 thirteen
    "hard": Setting(training=46, contrast=0.6, noise=20.0),  # 10 tumour, 7 five + tumour, 5 five, 3 thirteen
}
PIVOT_HU: Final = 60.0
SOFT_HU: Final = (-20.0, 260.0)
"""Values between these are soft tissue, whose contrast a setting may lower."""

TEST_CASES: Final = 24
"""Of each cohort, with complete truth."""
EVALUATION_SEEDS: Final = (101, 102, 103, 104, 105)
TUNING_SEEDS: Final = (1, 2, 3)
"""Of cohort, weights and stream of patches at once."""

PRESET: Final = "tiny"
SHARED: Final = {
    "spacing": "7.5,6.5,6.5",
    "patch": "16,32,32",
    "batch": "2",
    "channels": "16,32,64",
    "bf16": "false",
    "learning_rate": "1e-2",
    "lesion_share": "0",
    "lesion_dice": "1",
}
"""Of every network of every method, beside the preset's values. A lesion is like any other structure."""
STEPS: Final = 2400
"""Optimiser steps of a method in all: of both networks of `complete`, of both teachers and the student of `merge`."""
TEACHER_SHARE: Final = 0.25
"""Of the steps, for each of the two teachers of `merge`; the student has the rest."""
EARLIER: Final = 0.75
"""Of a teacher's steps: where the second opinion comes from that must agree."""

RARE: Final = (
    "aorta", "inferior_vena_cava", "right_adrenal_gland", "left_adrenal_gland", "gallbladder", "esophagus", "stomach",
    "duodenum",
)  # fmt: skip
"""The organs that only the thirteen-organ annotations know."""
RESAMPLES: Final = 10_000
"""Of the bootstrap: seeds with replacement, then the cases of each."""
