"""A few small files, laid out as a challenge hands them out, to try the commands on."""

from __future__ import annotations

from pathlib import Path

from flaredb.errors import ConflictError
from flaredb.phantom import Cohort
from flaredb.progress import Reporter
from flaredb.workflow.demo.cohort import write_cohort


def tour_files(folder: Path, seed: int = 0, reporter: Reporter | None = None) -> int:
    """Write twelve training and three validation cases; how many."""
    if folder.exists() and any(folder.iterdir()):
        raise ConflictError(f"{folder} is not empty; give a new folder")
    cohort = Cohort(seed=seed, training=12, validation=3, test=0)
    write_cohort(folder, cohort, reporter or Reporter())
    return len(cohort)
