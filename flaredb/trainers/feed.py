"""The feed: from a training set to batches, drawn as data first and then read and resampled.

A sample is a pure function of (training set, configuration, step, index): random numbers come from a counter-based
generator, so a resumed or repeated run sees the same stream and no state is kept. Reads go through tensorstore's own
threads while the network works on the batch before.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import IterableDataset

from flaredb.errors import InvalidDataError
from flaredb.labels.lookup import Lookup, build_lookup
from flaredb.trainers.config import Config
from flaredb.trainers.resample import (
    Frame,
    coordinates,
    make_frame,
    native_box,
    rotation,
    sample_linear,
    sample_nearest,
)
from flaredb.trainers.samples import CaseItem, TrainingSet
from flaredb.volumes.reader import Volume
from flaredb.volumes.store import VolumeStore

_AWAY = 0.4  # of the patch: how far from its centre the voxel may lie that a foreground patch is drawn for


class Batch(NamedTuple):
    """Patches and what is known of them.

    `image`: (batch, 1, z, y, x) float32, normalised. `allowed`: (batch, z, y, x) int64, bit k set where class k of the
    task is possible. `draws` says how each patch was made.
    """

    image: Tensor
    allowed: Tensor
    draws: tuple[Draw, ...]


class Draw(NamedTuple):
    """All that was drawn for a patch: enough to make it again."""

    case: int
    frame: Frame
    gain: float
    shift: float
    noise: float
    noise_seed: int


class _Case(NamedTuple):
    """A case with its volumes open."""

    image: Volume
    labels: tuple[Volume, ...]
    lookup: Lookup


class Feed(IterableDataset[Batch]):
    """Batches of a training set from a step on, without end."""

    def __init__(
        self, data: TrainingSet, volumes: VolumeStore, config: Config, device: torch.device, start: int = 0
    ) -> None:
        if not data.cases:
            raise InvalidDataError("the snapshot has no case with anything decided for this task")
        self.data = data
        self.volumes = volumes
        self.config = config
        self.device = device
        self.start = start

    def __iter__(self) -> Iterator[Batch]:
        """The next batch is read and resampled while this one is used."""
        # One thread: a second team of torch's threads would take the cores from the network's.
        with ThreadPoolExecutor(1, initializer=torch.set_num_threads, initargs=(1,)) as ahead:
            step = self.start
            coming = ahead.submit(self.batch, step)
            while True:
                batch = coming.result()
                step += 1
                coming = ahead.submit(self.batch, step)
                yield batch

    def batch(self, step: int) -> Batch:
        """The batch of a step; the same whenever it is asked for."""
        draws = tuple(self.draw(step, index) for index in range(self.config.batch))
        made = [self.make(draw) for draw in draws]
        return Batch(torch.stack([m[0] for m in made])[:, None], torch.stack([m[1] for m in made]), draws)

    def draw(self, step: int, index: int) -> Draw:
        """Decide on a patch: case, place, turn, size, contrast and noise."""
        config = self.config
        random = np.random.Generator(np.random.Philox(key=config.seed, counter=[0, 0, step, index]))
        number, centre = self._place(random)
        turn = rotation(np.deg2rad(random.uniform(-config.rotation, config.rotation, 3)))
        turn *= random.uniform(1 - config.scale, 1 + config.scale)
        spacing = self._case(number).image.grid.spacing
        return Draw(
            number,
            make_frame(centre, spacing, config.spacing, config.patch, turn),
            gain=float(random.uniform(1 - config.contrast, 1 + config.contrast)),
            shift=float(random.uniform(-config.contrast, config.contrast)),
            noise=float(random.uniform(0, config.noise)),
            noise_seed=int(random.integers(1 << 62)),
        )

    def make(self, draw: Draw) -> tuple[Tensor, Tensor]:
        """Image (z, y, x) and allowed classes (z, y, x) of a draw."""
        case = self._case(draw.case)
        box = native_box(draw.frame, case.image.shape)
        reading = [volume.read_async(box) for volume in (case.image, *case.labels)]
        at = coordinates(draw.frame, box, self.device)
        image = normalised(torch.as_tensor(reading[0].result()).to(self.device), self.config)
        patch = sample_linear(image, at) + self._floor
        allowed = self._allowed(case.lookup, [torch.as_tensor(r.result().astype(np.int64)) for r in reading[1:]], at)
        generator = torch.Generator(self.device).manual_seed(draw.noise_seed)
        noise = torch.randn(patch.shape, generator=generator, device=self.device)
        return patch * draw.gain + draw.shift + noise * draw.noise, allowed

    def _allowed(self, lookup: Lookup, codes: list[Tensor], at: Tensor) -> Tensor:
        """Class masks at the patch's voxels; outside the scan everything is possible."""
        place = torch.zeros(at.shape[1:], dtype=torch.int64, device=self.device)
        inside = torch.ones_like(place, dtype=torch.bool)
        for table, own in zip(lookup.offsets, codes, strict=True):
            code, inside = sample_nearest(own.to(self.device), at)
            offsets = torch.as_tensor(table, device=self.device)
            place += offsets[code.clamp(max=len(offsets) - 1)]
        classes = torch.as_tensor(lookup.classes, device=self.device)
        return torch.where(inside, classes[place], (1 << (len(self.data.task.structures) + 1)) - 1)

    def _place(self, random: np.random.Generator) -> tuple[int, NDArray[np.float64]]:
        """A case and the voxel at the centre of the patch."""
        if random.random() < self.config.foreground and self._foreground:
            names = sorted(self._foreground)
            kinds = self._foreground[names[random.integers(len(names))]]
            choices = kinds[random.integers(len(kinds))]
            number, label, codes = choices[random.integers(len(choices))]
            volume = self._case(number).labels[label]
            places = volume.foreground[codes[random.integers(len(codes))]]
            # Not at the centre: a network learns soon that the centre of a patch is what it looks for.
            away = random.uniform(-_AWAY, _AWAY, 3) * self.config.patch * self.config.spacing / volume.grid.spacing
            return number, places[random.integers(len(places))] + away
        pattern = self._patterns[random.integers(len(self._patterns))]
        number = pattern[random.integers(len(pattern))]
        return number, random.uniform(0, np.asarray(self._case(number).image.shape) - 1)

    @cached_property
    def _patterns(self) -> list[list[int]]:
        """Cases in which people annotated the same and models labelled the same, together: drawn equally often, or the
        many that know little, or know it from a model, drown the few that know much."""
        found: dict[tuple[frozenset[str], ...], list[int]] = {}
        for number, case in enumerate(self.data.cases):
            known = (
                frozenset(name for label in case.labels if label.trust.human is human for name in label.trust.won)
                for human in (True, False)
            )
            found.setdefault(tuple(won.intersection(self.data.task.structures) for won in known), []).append(number)
        return list(found.values())

    @cached_property
    def _foreground(self) -> dict[str, list[list[tuple[int, int, list[int]]]]]:
        """Structure → by kind, human and generated: (case, label, codes) wherever a trusted label holds it."""
        found: dict[str, dict[bool, list[tuple[int, int, list[int]]]]] = {}
        for number in range(len(self.data.cases)):
            case = self._case(number)
            for place, (name, volume) in enumerate(zip(case.lookup.names, case.labels, strict=True)):
                trusts = [item.trust for item in self.data.cases[number].labels if item.trust.label == name]
                known = frozenset(s for trust in trusts for s in trust.structures)
                for structure in known.intersection(self.data.task.structures):
                    codes = [c for c in trusts[0].codes.codes_of(structure) if c in volume.foreground]
                    if codes:
                        by_kind = found.setdefault(structure, {})
                        by_kind.setdefault(trusts[0].human, []).append((number, place, codes))
        return {structure: [by_kind[kind] for kind in sorted(by_kind)] for structure, by_kind in found.items()}

    def _case(self, number: int) -> _Case:
        if number not in self._open:
            self._open[number] = self._open_case(self.data.cases[number])
        return self._open[number]

    @cached_property
    def _open(self) -> dict[int, _Case]:
        return {}

    def _open_case(self, item: CaseItem) -> _Case:
        lookup = build_lookup(self.data.space, self.data.task, [label.trust for label in item.labels])
        volumes = {label.trust.label: label.volume for label in item.labels}
        return _Case(
            self.volumes.open(item.image), tuple(self.volumes.open(volumes[name]) for name in lookup.names), lookup
        )

    @property
    def _floor(self) -> float:
        return (self.config.hu_low - self.config.hu_mean) / self.config.hu_std


def normalised(hu: Tensor, config: Config) -> Tensor:
    """HU clipped, in standard deviations above the lowest value: air, and what lies outside the scan, is 0."""
    return (hu.float().clamp(config.hu_low, config.hu_high) - config.hu_low) / config.hu_std
