"""Which cases there are, what was annotated in each, and the arrays of one of them.

A case depends on its cohort and its index alone: any case can be made by itself, in any order, in any process, and
comes out bit for bit the same. Nothing here reads or writes files.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from flaredb.errors import InvalidDataError, NotFoundError
from flaredb.geometry import FileSpace, Grid, Shape, Triple
from flaredb.phantom.anatomy import FIVE, ORGANS, STRUCTURES, Floats
from flaredb.phantom.body import Canvas, Patient, draw_patient, draw_tumors

Split = Literal["train", "validation", "test"]
Pattern = Literal["tumor", "five+tumor", "five", "thirteen", "none", "complete"]
Labels = NDArray[np.uint8]

T = TypeVar("T", bound=np.generic)

TUMOR = STRUCTURES.index("tumor")
SHARES: dict[Pattern, int] = {"tumor": 888, "five+tumor": 609, "five": 453, "thirteen": 250}
"""Of FLARE23's 4,000 training cases; the rest has no annotation."""

ANNOTATED: dict[Pattern, tuple[str, ...]] = {
    "tumor": ("tumor",),
    "five+tumor": (*FIVE, "tumor"),
    "five": FIVE,
    "thirteen": ORGANS,
    "none": (),
    "complete": (*ORGANS, "tumor"),
}
"""What the annotators drew in a case of each pattern."""

EXTERNAL = {"liver": 1, "right_kidney": 2, "left_kidney": 2, "spleen": 3, "pancreas": 4}
"""FLARE21's values, which do not tell the kidneys apart."""

ORIENTATIONS = ("LPS", "RAS", "LAS", "LPS", "RAS", "LAS", "PSR")
"""Towards which end of the body the axes of a case's file grow; drawn with equal chances, so PSR is the rare one."""

_ANATOMY, _TUMORS, _SCAN, _NOISE, _EXTERNAL = range(5)
_SLAB = 400_000  # points painted at once: bounds memory at fine spacing


@dataclass(frozen=True)
class Cohort:
    """A made-up cohort: how many cases of each split, and the seed that decides everything else.

    Indices run over training, validation and test cases in this order. `spacing` (z, y, x in mm) renders the same
    patients on that lattice; None gives each case its own coarse one, 5–8 × 4.8–6.2 × 4.8–6.2 mm.
    """

    seed: int = 0
    training: int = 40
    validation: int = 8
    test: int = 12
    spacing: Triple | None = None

    def __post_init__(self) -> None:
        if min(self.seed, self.training, self.validation, self.test) < 0:
            raise InvalidDataError("seed and numbers of cases cannot be negative")
        if self.spacing is not None and not all(0.3 <= step <= 20 for step in self.spacing):
            raise InvalidDataError(f"spacing {self.spacing} is not within 0.3–20 mm")

    def __len__(self) -> int:
        return self.training + self.validation + self.test

    def __iter__(self) -> Iterator[PhantomCase]:
        return (make_case(self, index) for index in range(len(self)))

    @property
    def names(self) -> tuple[str, ...]:
        """The name of each case, by index, as FLARE23 spells them."""
        return (
            *(f"FLARE23_{number:04d}" for number in range(1, self.training + 1)),
            *(f"FLARE23Ts_{number:04d}" for number in range(1, self.validation + 1)),
            *(f"FLARE23Ts_{number:04d}" for number in range(1001, 1001 + self.test)),
        )

    @property
    def splits(self) -> tuple[Split, ...]:
        """The split of each case, by index."""
        counts: dict[Split, int] = {"train": self.training, "validation": self.validation, "test": self.test}
        return tuple(split for split, count in counts.items() for _ in range(count))

    @property
    def patterns(self) -> tuple[Pattern, ...]:
        """What was annotated in each case, by index; the seed deals the training patterns out."""
        counts = {name: (2 * share * self.training + 4000) // 8000 for name, share in SHARES.items()}
        dealt: list[Pattern] = [name for name, count in counts.items() for _ in range(count)]
        dealt += ["none"] * (self.training - len(dealt))
        order = np.random.default_rng((self.seed, 1 << 32)).permutation(self.training)
        return (*(dealt[i] for i in order), *(["complete"] * (self.validation + self.test)))

    def index(self, name: str) -> int:
        """The index of a case; NotFoundError if there is none of that name."""
        try:
            return self.names.index(name)
        except ValueError:
            raise NotFoundError(f"no case {name}; there are {len(self)}, such as {self.names[:2]}") from None


@dataclass(frozen=True, eq=False)
class PhantomCase:
    """One made-up scan with everything that is known about it. Arrays are (z, y, x) on `grid`, LPS."""

    name: str
    split: Split
    patient: str
    image: NDArray[np.int16]
    """HU."""
    truth: Labels
    """All organs (1–13) and all tumours (14): what nobody has in practice."""
    annotated: tuple[str, ...]
    """The structures `label` speaks about; of validation and test cases all."""
    label: Labels | None
    """What the annotators handed out: of `annotated` only. Tumours are holes in the organs where they were annotated
    and drawn as organ where not. None if nothing was annotated."""
    external: Labels | None
    """Another group's organs in FLARE21's values 1–4, with that group's habitual errors; None for test cases."""
    grid: Grid
    space: FileSpace
    """How the case's files hold the arrays: `space.from_lps(image)` is what a file stores."""


def make_case(cohort: Cohort, index: int) -> PhantomCase:
    """Draw and paint the case of this index (0 ≤ index < len(cohort)); 0.1 s at the default spacing."""
    if not 0 <= index < len(cohort):
        raise NotFoundError(f"no case {index}; there are {len(cohort)}")
    split, pattern = cohort.splits[index], cohort.patterns[index]
    patient = draw_patient(_stream(cohort, index, _ANATOMY))
    bounds, space = _scan(cohort, patient, _stream(cohort, index, _SCAN))
    patient = _with_tumors(patient, pattern, bounds, _stream(cohort, index, _TUMORS))
    image, organs, truth = _render(patient, space.grid, bounds, _stream(cohort, index, _NOISE))
    annotated = ANNOTATED[pattern]
    return PhantomCase(
        name=cohort.names[index],
        split=split,
        patient=f"patient-{index + 1:04d}",
        image=image,
        truth=truth,
        annotated=annotated,
        label=annotate(organs, truth, annotated) if annotated else None,
        external=None if split == "test" else _external(organs, space.grid, _stream(cohort, index, _EXTERNAL)),
        grid=space.grid,
        space=space,
    )


def annotate(organs: Labels, truth: Labels, annotated: tuple[str, ...]) -> Labels:
    """What annotators of these structures draw, given the organs with and without tumours cut out of them."""
    source = truth if "tumor" in annotated else organs
    kept = np.zeros(len(STRUCTURES), np.uint8)
    for name in annotated:
        kept[STRUCTURES.index(name)] = STRUCTURES.index(name)
    return kept[source]


def _stream(cohort: Cohort, index: int, purpose: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(np.random.SeedSequence((cohort.seed, index, purpose))))


def _scan(cohort: Cohort, patient: Patient, rng: np.random.Generator) -> tuple[NDArray[np.float64], FileSpace]:
    """The scanned box, mm from the isocentre ((low, high) × (z, y, x)), and the file that holds it."""
    own = np.array([rng.uniform(5, 8), *[rng.uniform(4.8, 6.2)] * 2])
    width = patient.scale[2] * rng.uniform(308, 356)
    cut = rng.choice(["nothing", "top", "bottom"], p=[0.7, 0.15, 0.15])
    top = patient.scale[0] * (rng.uniform(88, 105) if cut == "top" else rng.uniform(128, 152))
    bottom = patient.scale[0] * (rng.uniform(-50, -30) if cut == "bottom" else rng.uniform(-128, -92))
    low = np.array([bottom, -width / 2 + rng.normal(0, 5), -width / 2 + rng.normal(0, 5)])
    extent = np.array([top - bottom, width, width])
    own[0] = min(own[0], extent[0] / 26)
    spacing = np.array(cohort.spacing or np.round(64 * own) / 64)  # exact in a header's float32
    shape = np.maximum(np.round(extent / spacing), 1).astype(int)
    origin = np.round(8 * rng.uniform((-900, -250, -200), (300, -100, -120))) / 8
    code = str(rng.choice(ORIENTATIONS))
    return np.stack([low, low + extent]), _file_space(code, shape, spacing, origin)


def _file_space(
    code: str, shape: NDArray[np.int_], spacing: NDArray[np.float64], origin: NDArray[np.float64]
) -> FileSpace:
    """A file whose axes grow towards the ends in `code` and whose (z, y, x) grid has this shape and origin, LPS."""
    matrix = np.eye(4)
    matrix[:3, :3] = 0
    matrix[:3, 3] = origin[::-1] * (-1, -1, 1)
    axes = [next(w for w, pair in enumerate(("RL", "AP", "IS")) if letter in pair) for letter in code]
    for axis, (letter, world) in enumerate(zip(code, axes, strict=True)):
        toward = 1.0 if letter in "LPS" else -1.0
        step = spacing[2 - world]
        in_ras = -1.0 if world < 2 else 1.0
        matrix[world, axis] = in_ras * toward * step
        if toward < 0:
            matrix[world, 3] += in_ras * step * (shape[2 - world] - 1)
    i, j, k = (2 - world for world in axes)
    return FileSpace(
        shape=(int(shape[i]), int(shape[j]), int(shape[k])),
        affine=tuple(float(value) + 0.0 for value in matrix.ravel()),
        dtype="int16",
        pixdim=(float(np.float32(spacing[i])), float(np.float32(spacing[j])), float(np.float32(spacing[k]))),
    )


def _with_tumors(patient: Patient, pattern: Pattern, bounds: NDArray[np.float64], rng: np.random.Generator) -> Patient:
    """The patient with 0–3 tumours in the field of view; cases annotated for tumours mostly have some."""
    chance = {"tumor": 1.0, "five+tumor": 0.9}.get(pattern, 0.62)
    count = int(rng.choice([1, 2, 3], p=[0.55, 0.3, 0.15])) if rng.random() < chance else 0
    return replace(patient, tumors=tuple(draw_tumors(patient, count, bounds[0, 0] + 14, bounds[1, 0] - 14, rng)))


def _render(
    patient: Patient, grid: Grid, bounds: NDArray[np.float64], rng: np.random.Generator
) -> tuple[NDArray[np.int16], Labels, Labels]:
    """Paint slab by slab: image (HU), organs with tumours drawn as organ, and the full truth."""
    nz, ny, nx = grid.shape
    z, y, x = ((bounds[0, i] + grid.spacing[i] * np.arange(grid.shape[i])).astype(np.float32) for i in range(3))
    hu = np.empty((nz, ny, nx), np.float32)
    organs = np.empty((nz, ny, nx), np.uint8)
    truth = np.empty((nz, ny, nx), np.uint8)
    thick = max(1, _SLAB // (ny * nx))
    for first in range(0, nz, thick):
        slab = slice(first, min(first + thick, nz))
        world = np.stack([a.ravel() for a in np.meshgrid(z[slab], y, x, indexing="ij")])
        canvas = Canvas(patient, patient.to_anatomy(world), blur=max(2.0, float(np.mean(grid.spacing))))
        canvas.paint()
        hu[slab] = canvas.hu.reshape(hu[slab].shape)
        organs[slab] = canvas.organs.reshape(hu[slab].shape)
        truth[slab] = np.where(canvas.tumor, TUMOR, canvas.organs).reshape(hu[slab].shape)
    return _acquire(hu, grid.shape, rng), organs, truth


def _acquire(hu: Floats, shape: Shape, rng: np.random.Generator) -> NDArray[np.int16]:
    """What a scanner makes of it: streaky low-frequency error, noise, a little blur, whole numbers."""
    sigma = rng.uniform(12, 26)
    smooth = np.zeros(shape, np.float32)
    for _ in range(10):
        waves = [
            np.cos(2 * np.pi * rng.uniform(1, 6) * np.arange(n) / n + rng.uniform(0, 6.3)).astype(np.float32)
            for n in shape
        ]
        smooth += rng.normal(0, 4) * waves[0][:, None, None] * waves[1][:, None] * waves[2]
    noise = rng.standard_normal(shape, dtype=np.float32)
    noisy = hu + smooth + np.float32(sigma) * noise
    return np.clip(np.rint(_blur(noisy)), -1024, 2000).astype(np.int16)


def _blur(volume: Floats, side: float = 0.12) -> Floats:
    """Mix each voxel with its neighbours along each axis, `side` from either; edges repeat."""
    for axis in range(3):
        padded = np.pad(volume, [(int(a == axis),) * 2 for a in range(3)], mode="edge")
        n = volume.shape[axis]
        low, high = padded.take(range(n), axis), padded.take(range(2, n + 2), axis)
        volume = (1 - 2 * side) * volume + side * (low + high)
    return volume.astype(np.float32)


def _external(organs: Labels, grid: Grid, rng: np.random.Generator) -> Labels:
    """The other group's labels: a hem on the liver, hollow kidneys, a thin spleen, a lost pancreas tail, a shift."""
    out = np.zeros_like(organs)
    steps = [max(1, round(6 / step)) for step in grid.spacing]
    liver = organs == STRUCTURES.index("liver")
    hem = _moved(_moved(liver, 0, -steps[0]), 2, steps[2])
    out[liver | (hem & (organs == 0))] = EXTERNAL["liver"]
    for name in ("right_kidney", "left_kidney"):
        kidney = organs == STRUCTURES.index(name)
        core = _eroded(kidney, [2 * step for step in steps])
        out[kidney & ~core] = EXTERNAL[name]
    out[_eroded(organs == STRUCTURES.index("spleen"), [0, steps[1], steps[2]])] = EXTERNAL["spleen"]
    pancreas = organs == STRUCTURES.index("pancreas")
    if rng.random() < 0.6 and pancreas.any():
        pancreas[:, :, int(np.quantile(np.nonzero(pancreas)[2], rng.uniform(0.5, 0.7))) :] = False
    out[pancreas] = EXTERNAL["pancreas"]
    return _moved(out, 1, steps[1]) if rng.random() < 0.5 else out


def _moved(array: NDArray[T], axis: int, steps: int) -> NDArray[T]:
    """The array shifted along an axis; zeros come in."""
    out = np.zeros_like(array)
    n = array.shape[axis]
    target = [slice(None)] * 3
    source = [slice(None)] * 3
    target[axis] = slice(max(steps, 0), n + min(steps, 0))
    source[axis] = slice(max(-steps, 0), n - max(steps, 0))
    out[tuple(target)] = array[tuple(source)]
    return out


def _eroded(mask: NDArray[np.bool_], steps: list[int]) -> NDArray[np.bool_]:
    """The mask less what lies within so many voxels of its outside along each axis."""
    out = mask.copy()
    for axis, count in enumerate(steps):
        for step in range(1, count + 1):
            out &= _moved(mask, axis, step) & _moved(mask, axis, -step)
    return out
