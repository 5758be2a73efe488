"""The cohort of a setting and a seed as volumes, and the training sets that the methods make of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from flaredb.labels.labelset import Mode, Trust
from flaredb.labels.mappings import identity
from flaredb.labels.structures import FLARE23
from flaredb.labels.tasks import find_task
from flaredb.phantom import Cohort, make_case
from flaredb.trainers.samples import CaseItem, LabelItem, TrainingSet
from flaredb.volumes.store import VolumeStore
from partial.plan import PIVOT_HU, SETTINGS, SOFT_HU, TEST_CASES, Setting


class Case(NamedTuple):
    """A stored case: digests of its image and of its label (of a test case: the whole truth), and what is annotated."""

    name: str
    split: str
    image: str
    label: str
    annotated: tuple[str, ...]


class Stored(NamedTuple):
    """A cohort on disk."""

    store: VolumeStore
    training: tuple[Case, ...]
    test: tuple[Case, ...]


def store_cohort(folder: Path, setting: str, seed: int) -> Stored:
    """Make the cohort, or read it where it was made before."""
    home = folder / f"{setting}-{seed}"
    store = VolumeStore(home / "volumes")
    table = home / "cases.json"
    if not table.exists():
        rule = SETTINGS[setting]
        cohort = Cohort(seed=seed, training=rule.training, validation=0, test=TEST_CASES)
        wanted = [index for index, pattern in enumerate(cohort.patterns) if pattern != "none"]
        cases = [_store_case(store, cohort, index, rule) for index in wanted]
        table.with_suffix(".part").write_text(json.dumps(cases))
        table.with_suffix(".part").rename(table)
    cases = [Case(*row[:4], tuple(row[4])) for row in json.loads(table.read_text())]
    training = tuple(case for case in cases if case.split == "train")
    return Stored(store, training, tuple(case for case in cases if case.split == "test"))


def _store_case(store: VolumeStore, cohort: Cohort, index: int, rule: Setting) -> Case:
    made = make_case(cohort, index)
    random = np.random.Generator(np.random.Philox(np.random.SeedSequence((cohort.seed, index, 99))))
    image = store.put_image(harder(made.image, rule, random), made.grid).volume
    label = store.put_label(made.truth if made.split == "test" else made.label, made.grid).volume
    return Case(made.name, made.split, image, label, made.annotated)


def harder(image: NDArray[np.int16], rule: Setting, random: np.random.Generator) -> NDArray[np.int16]:
    """The scan with less contrast between soft tissues and more noise."""
    hu = image.astype(np.float32)
    low, high = SOFT_HU
    soft = np.clip(hu, low, high)
    hu += (rule.contrast - 1) * (soft - PIVOT_HU) * ((hu > low) & (hu < high))
    hu += rule.noise * random.standard_normal(hu.shape, dtype=np.float32)
    return np.clip(np.rint(hu), -1024, 2000).astype(np.int16)


def training_set(
    task: str,
    cases: Sequence[Case],
    claims: Mapping[str, Sequence[str]] | None = None,
    labels: Mapping[str, str] | None = None,
    positive_only: Sequence[str] = (),
) -> TrainingSet:
    """Cases for a task. `claims` and `labels` replace by case name what is annotated and the label's digest."""
    items = []
    for case in cases:
        annotated = (claims or {}).get(case.name, case.annotated)
        modes = {name: Mode(exhaustive=name not in positive_only) for name in annotated}
        won = frozenset(name for name, mode in modes.items() if mode.exhaustive)
        trust = Trust(f"{case.name}@a@1", True, identity(FLARE23), modes, frozenset(annotated), won)
        label = (labels or {}).get(case.name, case.label)
        items.append(CaseItem(case.name, case.image, (LabelItem(label, trust),)))
    return TrainingSet("s-benchmark", FLARE23, find_task(FLARE23, task), tuple(items))
