"""What `flaredb demo` does, fixed before there was a trainer: cohort, seeds and steps, the same for every round."""

from __future__ import annotations

from typing import Final, NamedTuple


class Turn(NamedTuple):
    """A round of the demo: its task, its steps, and the task whose latest model it starts from (None: from scratch)."""

    task: str
    steps: int
    warm: str | None


CASES: Final = 60
STEPS: Final = 400
TURNS: Final = (
    Turn("organ", STEPS, None),
    Turn("organ", STEPS, "organ"),
    Turn("tumor", STEPS, None),
    Turn("all", STEPS, "organ"),
)
# The control goes on from the first organ model for as many steps as the second organ round, on the labels that the
# first one had: what it gains is training, what the round gains beyond it is pseudo labels.
CONTROL: Final = Turn("organ", STEPS, "organ")
BENCHMARK_SEEDS: Final = tuple(range(10))
