"""Training sets of a few phantom cases, without a catalogue."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

from flaredb.geometry import Grid
from flaredb.labels.labelset import Mode, Trust
from flaredb.labels.mappings import identity
from flaredb.labels.structures import FLARE23
from flaredb.labels.tasks import find_task
from flaredb.phantom import Cohort, PhantomCase, make_case
from flaredb.trainers.config import Config
from flaredb.trainers.samples import CaseItem, LabelItem, TrainingSet
from flaredb.volumes.store import VolumeStore

COHORT = Cohort(seed=0, training=8, validation=2, test=0, spacing=(10.0, 10.0, 10.0))


def trust(name: str, *structures: str) -> Trust:
    """A person's label with FLARE's own codes, trusted about these structures."""
    names = frozenset(structures)
    return Trust(name, True, identity(FLARE23), dict.fromkeys(structures, Mode()), names, names)


def training_set(store: VolumeStore, task: str = "organ", cases: int = 5) -> TrainingSet:
    """The first annotated cases of the cohort, stored as volumes."""
    items = []
    for made in map(_phantom, range(len(COHORT))):
        if made.label is None or len(items) == cases:
            continue
        image = store.put_image(made.image, made.grid).volume
        label = store.put_label(made.label, made.grid).volume
        items.append(CaseItem(made.name, image, (LabelItem(label, trust(f"{made.name}@t@1", *made.annotated)),)))
    return TrainingSet("s-test", FLARE23, find_task(FLARE23, task), tuple(items))


@cache
def _phantom(index: int) -> PhantomCase:
    return make_case(COHORT, index)


def one_case(store: VolumeStore, image: np.ndarray, codes: np.ndarray, grid: Grid, *structures: str) -> TrainingSet:
    """A training set of one case for the task `all`."""
    item = CaseItem(
        "a",
        store.put_image(image, grid).volume,
        (LabelItem(store.put_label(codes, grid).volume, trust("a@t@1", *structures)),),
    )
    return TrainingSet("s-one", FLARE23, find_task(FLARE23, "all"), (item,))


def store_at(folder: Path) -> VolumeStore:
    """A store of volumes in a folder."""
    return VolumeStore(folder / "volumes")


def standard(hu: float, config: Config) -> float:
    """What a network sees of a value in HU: clipped, less the mean, by the standard deviation."""
    return (min(max(hu, config.hu_low), config.hu_high) - config.hu_mean) / config.hu_std
