"""The feed: from a training set to batches, drawn as data first and then read and resampled.

A sample is a pure function of (training set, configuration, step, index): random numbers come from a counter-based
generator, so a resumed or repeated run sees the same stream and no state is kept. Only the native voxels that a patch
needs are read, by tensorstore's own threads while the network works on the batches before; they travel to the device as
they are stored, and everything else happens there.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import cached_property
from typing import Any, NamedTuple, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import IterableDataset, get_worker_info

from flaredb.errors import InvalidDataError
from flaredb.labels.labelset import clipped
from flaredb.labels.lookup import Lookup, build_lookup
from flaredb.trainers.augment import apply_intensity, draw_intensity
from flaredb.trainers.balance import Balance, Pattern
from flaredb.trainers.config import Config, Triple
from flaredb.trainers.draws import Draw, Purpose, draw_geometry, generator, read_draw, triple
from flaredb.trainers.resample import Cut, make_cut, sample_codes, sample_image
from flaredb.trainers.samples import CaseItem, TrainingSet
from flaredb.volumes.reader import Reading, Volume
from flaredb.volumes.store import VolumeStore

_Item = TypeVar("_Item")
_AWAY = 0.4  # of the patch: how far from its centre the voxel may lie that a foreground patch is drawn for


class Batch(NamedTuple):
    """Patches and what is known of them.

    `image`: (batch, 1, z, y, x) float32, normalised. `allowed`: (batch, z, y, x) int64, bit k set where class k of the
    task is possible. `draws` says how each patch was made.
    """

    image: Tensor
    allowed: Tensor
    draws: tuple[Draw, ...]


class Fetched(NamedTuple):
    """The native voxels of a patch on the host: HU (int16) and each label's codes, of the boxes that `cut` names."""

    draw: Draw
    cut: Cut
    image: Tensor
    codes: tuple[Tensor, ...]


class _Case(NamedTuple):
    """A case with its volumes open and its tables on the device: code → offset for each label, place → classes."""

    image: Volume
    labels: tuple[Volume, ...]
    offsets: tuple[Tensor, ...]
    classes: Tensor


class _Coming(NamedTuple):
    """A patch whose voxels are being read."""

    draw: Draw
    cut: Cut
    image: Reading
    codes: tuple[Reading, ...]


class Feed(IterableDataset[Batch]):
    """Batches of a training set from a step on, without end.

    With several ranks each makes the patches `rank`, `rank + ranks`, … of a step's batch: together what one rank makes.
    Beside the batch in use, the native voxels of `config.ahead` + 2 batches are in memory: two bytes a voxel for the
    scan and one or more for each label, 10 to 40 MB for a patch of 48×192×192 at 2.5×0.8×0.8 mm and one label.
    InvalidDataError where no case says anything about the task, or ranks do not divide the batch.
    """

    def __init__(
        self,
        data: TrainingSet,
        volumes: VolumeStore,
        config: Config,
        device: torch.device,
        start: int = 0,
        rank: int = 0,
        ranks: int = 1,
    ) -> None:
        if not 0 <= rank < ranks:
            raise InvalidDataError(f"rank {rank} of {ranks}: ranks count from 0")
        if config.batch % ranks:
            raise InvalidDataError(f"a batch of {config.batch} cannot be shared by {ranks} ranks; --set batch={ranks}")
        self.data = data
        self.volumes = volumes
        self.config = config
        self.device = device
        self.start = start
        self.rank, self.ranks = rank, ranks
        self._balance = Balance(data, volumes, config.patterns, config.lesion_share)
        if not self._balance.cases:
            raise InvalidDataError("the snapshot has no case with anything decided for this task")

    def __iter__(self) -> Iterator[Batch]:
        """Batch after batch, the next ones being read meanwhile, and on a CPU the next one made."""
        if get_worker_info() is not None:
            raise InvalidDataError("the feed reads ahead without worker processes; use DataLoader(…, num_workers=0)")
        torch.get_num_threads()  # settles it for this thread, because the next line would settle it for all
        # One thread: a second team of torch's threads would take the cores from the network's.
        with ThreadPoolExecutor(1, initializer=torch.set_num_threads, initargs=(1,)) as ahead:
            steps = self._fetched(self.start)
            if self.device.type == "cpu":
                yield from _one_ahead(map(self._made, steps), ahead)
            else:
                yield from map(self._made, _one_ahead(steps, ahead))

    def batch(self, step: int) -> Batch:
        """The batch of a step (this rank's part of it); the same whenever it is asked for."""
        return self._made([self.fetch(draw) for draw in self._draws(step)])

    def draw(self, step: int, index: int) -> Draw:
        """Decide on a patch: case, place, turn, size, flips, deformation and intensities."""
        config = self.config
        number, centre = self._place(generator(config.seed, Purpose.PLACE, step, index))
        geometry = draw_geometry(config, step, index)
        return Draw(
            case=number,
            image=self.data.cases[number].image,
            native=self._case(number).image.grid.spacing,
            centre=centre,
            **geometry._asdict(),
            intensity=draw_intensity(generator(config.seed, Purpose.INTENSITY, step, index), config),
            spacing=config.spacing,
            patch=config.patch,
        )

    def make(self, draw: Draw) -> tuple[Tensor, Tensor]:
        """Image (z, y, x) and allowed classes (z, y, x) of a draw."""
        return self.finish(self.fetch(draw))

    def replay(self, document: Mapping[str, Any]) -> tuple[Tensor, Tensor]:
        """The patch that `Draw.document` describes, bit for bit; InvalidDataError if no case has its scan."""
        draw = read_draw(document)
        numbers = [n for n, case in enumerate(self.data.cases) if case.image == draw.image]
        if not numbers:
            raise InvalidDataError(f"no case of {self.data.snapshot} has the scan {draw.image[:12]} of this patch")
        return self.make(draw if draw.case in numbers else draw._replace(case=numbers[0]))

    def fetch(self, draw: Draw) -> Fetched:
        """The host's part: read the voxels that a draw needs; pinned for a GPU."""
        return self._arrived(self._asked(draw))

    def finish(self, fetched: Fetched) -> tuple[Tensor, Tensor]:
        """The device's part: resample, look up label sets, change intensities. As `make` gives them."""
        cut = fetched.cut
        hu = within(fetched.image.to(self.device, non_blocking=True), self.config)
        patch = sample_image(hu, cut)
        allowed, inside = self._allowed(fetched)
        if inside is not None:
            patch.masked_fill_(~inside, self.config.hu_low)
        patch.sub_(self.config.hu_mean).div_(self.config.hu_std)
        return apply_intensity(patch, fetched.draw.intensity), allowed

    def patterns(self) -> tuple[Pattern, ...]:
        """Which cases are annotated alike, and how often they are drawn where no structure is asked for."""
        return self._balance.patterns

    def _draws(self, step: int) -> list[Draw]:
        return [self.draw(step, index) for index in range(self.rank, self.config.batch, self.ranks)]

    def _fetched(self, start: int) -> Iterator[list[Fetched]]:
        """Step after step, the reads of `ahead` steps more under way."""
        asked = ([self._asked(draw) for draw in self._draws(step)] for step in itertools.count(start))
        coming = list(itertools.islice(asked, self.config.ahead))
        while True:
            coming.append(next(asked))
            yield [self._arrived(one) for one in coming.pop(0)]

    def _made(self, fetched: Sequence[Fetched]) -> Batch:
        made = [self.finish(one) for one in fetched]
        image, allowed = (torch.stack(parts) for parts in zip(*made, strict=True))
        return Batch(image[:, None], allowed, tuple(one.draw for one in fetched))

    def _asked(self, draw: Draw) -> _Coming:
        case = self._case(draw.case)
        cut = make_cut(draw.frame, case.image.shape)
        codes = tuple(label.read_async(cut.label) for label in case.labels)
        return _Coming(draw, cut, case.image.read_async(cut.image), codes)

    def _arrived(self, coming: _Coming) -> Fetched:
        case = self._case(coming.draw.case)
        codes = [
            _taken(reading.result(), len(table)) for reading, table in zip(coming.codes, case.offsets, strict=True)
        ]
        arrays = [torch.from_numpy(array) for array in (coming.image.result(), *codes)]
        if self.device.type == "cuda":
            arrays = [array.pin_memory() for array in arrays]
        return Fetched(coming.draw, coming.cut, arrays[0], tuple(arrays[1:]))

    def _allowed(self, fetched: Fetched) -> tuple[Tensor, Tensor | None]:
        """Class masks at the patch's voxels, all classes beyond the scan; and what is inside it (None: all)."""
        case = self._case(fetched.draw.case)
        codes, inside = sample_codes([own.to(self.device, non_blocking=True) for own in fetched.codes], fetched.cut)
        looked_up = (
            table.index_select(0, own.reshape(-1).int()) for table, own in zip(case.offsets, codes, strict=True)
        )
        allowed = next(looked_up)
        for offsets in looked_up:
            allowed += offsets
        if len(codes) > 1:  # the table of a single label says the classes themselves
            allowed = case.classes.index_select(0, allowed)
        allowed = allowed.reshape(fetched.cut.frame.patch)
        if inside is not None:
            allowed.masked_fill_(~inside, (1 << (len(self.data.task.structures) + 1)) - 1)
        return allowed, inside

    def _place(self, random: np.random.Generator) -> tuple[int, Triple]:
        """A case and the voxel at the centre of the patch."""
        held = self._balance.any_foreground(random) if random.random() < self.config.foreground else None
        if held is None:
            number = self._balance.any_case(random)
            low, high = self._room(number)
            within = np.asarray(self._case(number).image.shape) - 1
            return number, triple(random.uniform(np.maximum(low, 0), np.minimum(high, within)))
        number, voxel = held
        native = self._case(number).image.grid.spacing
        # Not at the centre: a network learns soon that the centre of a patch is what it looks for.
        away = random.uniform(-_AWAY, _AWAY, 3) * self.config.patch * self.config.spacing / native
        return number, triple(np.clip(voxel + away, *self._room(number)))

    def _room(self, number: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Lowest and highest native index of a patch's centre, so that no more of it lies beyond the scan than may.

        A patch longer than the scan holds the whole of it.
        """
        image = self._case(number).image
        patch = np.asarray(self.config.patch) * self.config.spacing / image.grid.spacing
        low = (0.5 - self.config.beyond) * patch - 0.5
        high = np.asarray(image.shape) - 1 - low
        return np.minimum(low, high), np.maximum(low, high)

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
        labels = tuple(self.volumes.open(volumes[name]) for name in lookup.names)
        offsets, classes = _tables(lookup)
        on_device = tuple(torch.as_tensor(table).to(self.device) for table in offsets)
        return _Case(self.volumes.open(item.image), labels, on_device, torch.as_tensor(classes).to(self.device))


def _one_ahead(items: Iterator[_Item], thread: Executor) -> Iterator[_Item]:
    """The items, the next one always being made in the thread."""
    coming = thread.submit(next, items)
    while True:
        item = coming.result()
        coming = thread.submit(next, items)
        yield item


def within(hu: Tensor, config: Config) -> Tensor:
    """HU clipped as the configuration says; whole numbers stay whole where its limits are."""
    whole = config.hu_low.is_integer() and config.hu_high.is_integer()
    if whole and not hu.is_floating_point():
        limits = torch.iinfo(hu.dtype)
        return hu.clamp(max(int(config.hu_low), limits.min), min(int(config.hu_high), limits.max))
    return hu.float().clamp_(config.hu_low, config.hu_high)


def _tables(lookup: Lookup) -> tuple[list[NDArray[Any]], NDArray[np.int64]]:
    """Code → offset for each label, or code → classes for a single one; and place → classes.

    A code beyond a label's codes is its last; so that bytes need no look at each, there is an entry for every byte.
    """
    single = len(lookup.offsets) == 1
    tables = [lookup.classes[table] if single else table.astype(np.int32) for table in lookup.offsets]
    return [np.pad(table, (0, max(0, 256 - len(table))), "edge") for table in tables], lookup.classes


def _taken(codes: NDArray[Any], size: int) -> NDArray[Any]:
    """Codes as torch takes them: bytes as they are, wider ones as int32; those beyond a table as its last entry."""
    return codes if codes.dtype == np.uint8 else clipped(codes, size - 1).astype(np.int32)
