"""Four ways to learn from partial labels, each with the same network, feed, augmentation and steps in all.

complete    only cases that have everything. As none has all fourteen structures: a network for the organs on the
            thirteen-organ cases and one for the tumours on the cases whose tumours are annotated, half the steps each;
            a voxel is tumour where the second says so, else what the first says.
zeros       every label is taken as complete: what is not annotated is background.
merge       the paper's: an organ teacher and a tumour teacher (trained as in `complete`) label the training cases;
            where two opinions of a teacher disagree the voxel is background; tumour goes over organ, and what people
            drew over both; a student learns from these labels, taken as complete.
label-sets  flaredb: one network, the label-set loss.
label-sets+ the same with every tumour label positive-only: no case says where no tumour is.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from flaredb.labels.structures import FLARE23
from flaredb.metrics.overlap import dice
from flaredb.trainers import checkpoint
from flaredb.trainers.config import Config, change
from flaredb.trainers.loop import Training, train
from flaredb.trainers.predict import Predictor
from flaredb.trainers.samples import TrainingSet
from flaredb.volumes.reader import Volume
from partial.cohort import Case, Stored, training_set
from partial.plan import EARLIER, TEACHER_SHARE

Labels = NDArray[np.uint8]
Weights = dict[str, torch.Tensor]
TUMOR = FLARE23["tumor"].value
EVERYTHING = FLARE23.names


class Bench(NamedTuple):
    """What every method gets: the cohort, the configuration with all steps, a folder of its own, the device."""

    cohort: Stored
    config: Config
    folder: Path
    device: torch.device

    def fit(self, name: str, data: TrainingSet, steps: int, until: int | None = None) -> Weights:
        """Weights after training `until` (default: all) of so many steps; goes on where an earlier call stopped."""
        settings = {"steps": str(until or steps), "schedule_steps": str(steps), "checkpoint_every": str(until or steps)}
        run = Training(data, self.cohort.store, change(self.config, settings), self.folder / name, self.device)
        for _ in train(run):
            pass
        stage = checkpoint.load(self.folder / name)
        assert stage is not None
        return stage.weights

    def predictor(self, weights: Weights, classes: int) -> Predictor:
        """A network ready to predict."""
        return Predictor(self.config, weights, classes, self.device)


Model = Callable[[Volume], Labels]


def complete(bench: Bench) -> Model:
    """Two networks, each on the cases that are complete for it."""
    half = bench.config.steps // 2
    organs = _by_task(bench, "organ")
    tumors = _by_task(bench, "tumor")
    return _over(
        bench.predictor(bench.fit("organ", organs, bench.config.steps - half), len(FLARE23.organs) + 1),
        bench.predictor(bench.fit("tumor", tumors, half), 2),
    )


def zeros(bench: Bench) -> Model:
    """What is not annotated is background."""
    claims = {case.name: EVERYTHING for case in bench.cohort.training}
    return _alone(bench, training_set("all", bench.cohort.training, claims), bench.config.steps)


def merge(bench: Bench) -> Model:
    """Teachers label the training cases; agreement or background, then what people drew."""
    steps = round(bench.config.steps * TEACHER_SHARE)
    teachers = {}
    for task, classes in (("organ", len(FLARE23.organs) + 1), ("tumor", 2)):
        data = _by_task(bench, task)
        earlier = bench.fit(task, data, steps, round(steps * EARLIER))
        teachers[task] = [bench.predictor(weights, classes) for weights in (earlier, bench.fit(task, data, steps))]
    labels = {case.name: _merged(bench, case, teachers) for case in bench.cohort.training}
    claims = {case.name: EVERYTHING for case in bench.cohort.training}
    data = training_set("all", bench.cohort.training, claims, labels)
    return _alone(bench, data, bench.config.steps - 2 * steps)


def label_sets(bench: Bench) -> Model:
    """One network for all, from what the labels say and no more."""
    return _alone(bench, training_set("all", bench.cohort.training), bench.config.steps)


def label_sets_positive(bench: Bench) -> Model:
    """The same where no label says that there is no tumour."""
    data = training_set("all", bench.cohort.training, positive_only=("tumor",))
    return _alone(bench, data, bench.config.steps)


METHODS: Mapping[str, Callable[[Bench], Model]] = {
    "complete": complete,
    "zeros": zeros,
    "merge": merge,
    "label-sets": label_sets,
    "label-sets+": label_sets_positive,
}


def score(model: Model, cohort: Stored, count: int | None = None) -> list[dict[str, list[float | bool]]]:
    """DSC of every structure in every test case (both empty: 1), and whether the truth has it; of the first `count`."""
    rows = []
    for case in cohort.test[:count]:
        predicted, truth = model(cohort.store.open(case.image)), cohort.store.open(case.label).read()
        values = range(1, len(EVERYTHING) + 1)
        found = [round(dice(truth == value, predicted == value), 4) for value in values]
        rows.append({"dsc": found, "present": [bool((truth == value).any()) for value in values]})
    return rows


def _by_task(bench: Bench, task: str) -> TrainingSet:
    """The cases in which all structures of a task are annotated."""
    wanted = set(training_set(task, ()).task.structures)
    return training_set(task, [case for case in bench.cohort.training if wanted <= set(case.annotated)])


def _alone(bench: Bench, data: TrainingSet, steps: int) -> Model:
    weights = bench.fit("all", data, steps)
    return bench.predictor(weights, len(EVERYTHING) + 1).predict


def _over(organs: Predictor, tumors: Predictor) -> Model:
    """Tumour where the one says so, else what the other says."""
    return lambda image: np.where(tumors.predict(image) == 1, TUMOR, organs.predict(image)).astype(np.uint8)


def _merged(bench: Bench, case: Case, teachers: Mapping[str, Sequence[Predictor]]) -> str:
    """The digest of a training case's merged label."""
    store = bench.cohort.store
    volume = store.open(case.label)
    image, drawn = store.open(case.image), volume.read()
    merged = np.zeros_like(drawn)
    if set(FLARE23.organs) - set(case.annotated):
        merged = _agreed([teacher.predict(image) for teacher in teachers["organ"]])
    if "tumor" not in case.annotated:
        merged[_agreed([teacher.predict(image) for teacher in teachers["tumor"]]) == 1] = TUMOR
    merged[drawn > 0] = drawn[drawn > 0]
    return store.put_label(merged, volume.grid).volume


def _agreed(opinions: Sequence[Labels]) -> Labels:
    first, second = opinions
    return np.where(first == second, first, 0).astype(np.uint8)


def clean(bench: Bench) -> None:
    """Remove what training left."""
    shutil.rmtree(bench.folder, ignore_errors=True)
