"""From the table of anatomy to voxels: draw a patient at random, then colour points in space.

Every choice is drawn before anything is painted, and painting looks at each point by itself; so one patient can be
painted on any lattice, in slabs of any thickness, and is the same patient.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from flaredb.phantom.anatomy import HOSTS, PARTS, STRUCTURES, Floats, Part, Shape
from flaredb.phantom.distance import diaphragm_distance, ellipse, near_rows, shape_distance, square, wall_distance

AIR, LUNG, FAT, MUSCLE = -1000.0, -860.0, -105.0, 55.0


class Tumor(NamedTuple):
    """A lesion: centre and radii (z, y, x) in mm of the anatomy, its organ's value (0: none), HU of inside and rim."""

    host: str
    value: int
    centre: Floats
    radii: Floats
    phases: Floats
    hu: float
    rim: float


@dataclass(frozen=True)
class Patient:
    """Everything random about a body: pose, build, shapes, tumours and smooth deformation."""

    scale: Floats
    rotation: Floats
    waves: Floats
    """(3, k, 7): per component k products of cosines: amplitude mm, then wave number and phase for z, y, x."""
    wall: float
    fat: float
    shapes: tuple[Shape, ...]
    tumors: tuple[Tumor, ...] = ()

    def to_anatomy(self, world: Floats) -> Floats:
        """Where points (3, n) of the scanner, mm from the isocentre, lie in the table's coordinates."""
        first, second, third = (self.rotation[:, i, None] * world[i] for i in range(3))
        turned = (first + second + third) / self.scale[:, None]
        return np.asarray(turned + np.stack([_cosines(turned, waves) for waves in self.waves]), np.float32)


@dataclass
class Canvas:
    """Points of one patient and what has been painted on them so far, all of length n."""

    patient: Patient
    points: Floats
    blur: float
    """Width in mm over which neighbours mix at an edge: the size of a voxel."""
    hu: Floats = field(init=False)
    organs: NDArray[np.uint8] = field(init=False)
    tumor: NDArray[np.bool_] = field(init=False)
    cavity: Floats = field(init=False)
    """Signed distance to the inside of the abdominal wall, mm; negative inside."""
    under: Floats = field(init=False)
    """Signed distance to the diaphragm, mm; negative below."""

    def __post_init__(self) -> None:
        count = self.points.shape[1]
        self.organs = np.zeros(count, np.uint8)
        self.tumor = np.zeros(count, np.bool_)
        self.cavity = wall_distance(self.points)
        self.under = diaphragm_distance(self.points)
        self.hu = np.full(count, AIR, np.float32)

    def paint(self) -> None:
        """Everything, from the skin to the tumours."""
        self._trunk()
        self._ribs()
        self._spine()
        for shape in self.patient.shapes:
            self._shape(shape)
        for tumor in self.patient.tumors:
            self._tumor(tumor)

    def _blend(self, distance: Floats, hu: float | Floats, where: NDArray[np.intp] | slice = slice(None)) -> None:
        share = np.clip(0.5 - distance / self.blur, 0, 1)
        self.hu[where] += share * (hu - self.hu[where])

    def _trunk(self) -> None:
        z, y, x = self.points
        patient = self.patient
        self._blend(self.cavity - patient.wall - patient.fat * (1 + 0.004 * y), FAT)
        self._blend(self.cavity - patient.wall, MUSCLE)
        back = ellipse(y - 88, np.abs(x) - 32, 19.0, 27.0)
        self._blend(back, MUSCLE)
        self._blend(self.cavity, FAT)
        self._blend(self.lung, LUNG + 25 * np.sin(z / 9) * np.sin(y / 7) * np.sin(x / 8))

    @property
    def lung(self) -> Floats:
        """Signed distance to the lungs, mm; negative inside."""
        y, x = self.points[1:]
        mediastinum = 34 - np.abs(x - 4) + np.minimum(y, 0) * 0.2
        spine = -ellipse(y - 62, x, 34.0, 36.0)
        inner = np.maximum(np.maximum(self.cavity + 1, 2 - self.under), np.maximum(mediastinum, spine))
        return np.asarray(inner, np.float32)

    def _ribs(self) -> None:
        z, y, x = self.points
        along = np.mod(z - 0.55 * y + 6, 27) - 13.5
        rib = np.hypot(along * 0.85, self.cavity - 6) - 5.5
        margin = np.maximum(-22 - (z - 0.55 * y), -46 - 0.9 * y)  # twelfth rib below, cartilage in front
        bright = 380 + 75 * np.clip(rib + 3, -2.5, 0)
        self._blend(np.maximum(rib, np.maximum(margin, 22 - np.abs(x))), bright)

    def _spine(self) -> None:
        z, y, x = self.points
        level = np.abs(np.mod(z + 8, 36) - 18)
        waist = 1.5 * np.cos(level / 18 * np.pi)
        body = ellipse(y - 54, x, 16.0 - waist, 22.0 - waist)
        bone = np.maximum(body, level - 13)
        arch = np.maximum(np.abs(ellipse(y - 79, x, 11.0, 14.0)) - 3.5, level - 14)
        process = np.maximum(np.maximum(np.abs(x) - 3.5, np.abs(y - 98) - 12), level - 9)
        wings = np.maximum(np.maximum(np.abs(x) - 36, np.abs(y - 76) - 4), level - 6)
        self._blend(body, 85)
        self._blend(ellipse(y - 79, x, 9.0, 12.0), 25)
        for distance in (arch, process, wings, bone):
            self._blend(distance, 190 + 260 * np.clip(1 + distance / 4, 0, 1))

    def _shape(self, shape: Shape) -> None:
        part = shape.part
        near = near_rows(self.points, shape.rows, part.fat + self.blur)
        if near.size == 0:
            return
        distance, rise = shape_distance(self.points[:, near], shape)
        if part.confined:
            distance = np.maximum(distance, np.maximum(self.cavity[near] + 1.5, self.under[near] + 1.5))
        if part.fat:
            self._blend(distance - part.fat, FAT, near)
            self.organs[near[distance < part.fat]] = 0
        inside = np.where(distance < -7, shape.hu - shape.rind, shape.hu)
        self._blend(distance, inside.astype(np.float32), near)
        if part.wall:
            lumen = np.where(rise > shape.air_above, AIR + 60, shape.contents)
            self._blend(distance + part.wall, lumen.astype(np.float32), near)
        if not part.inside:
            self.organs[near[distance < 0]] = shape.value

    def _tumor(self, tumor: Tumor) -> None:
        reach = np.concatenate([tumor.centre, tumor.radii * 1.3])[None]
        near = near_rows(self.points, reach, self.blur)
        offset = (self.points[:, near] - tumor.centre[:, None]) / tumor.radii[:, None]
        bumps = np.sin(offset * 2.6 + tumor.phases[:, None]).prod(axis=0)
        distance = (np.sqrt(square(offset)) - 1 - 0.22 * bumps) * tumor.radii.mean()
        allowed = self._may_grow(tumor, near)
        near, distance = near[allowed], distance[allowed].astype(np.float32)
        self._blend(distance, tumor.hu + tumor.rim * np.clip(1 + distance / 6, 0, 1), near)
        hit = near[distance < 0]
        self.tumor[hit] = True
        self.organs[hit] = tumor.value

    def _may_grow(self, tumor: Tumor, near: NDArray[np.intp]) -> NDArray[np.bool_]:
        """A tumour stays in its organ but may bulge into the fat around; elsewhere it avoids the labelled organs."""
        own = (self.organs[near] == tumor.value) & (tumor.value > 0)
        if tumor.host == "liver":
            return np.asarray(own, np.bool_)
        free = (self.organs[near] == 0) & (self.cavity[near] < 0) & (self.hu[near] < 150)
        above = self.under[near] > 0
        return np.asarray(own | (free & (above if tumor.host == "lung" else ~above)), np.bool_)


def draw_patient(rng: np.random.Generator) -> Patient:
    """A body without tumours: pose, build, phase, shapes."""
    scale = (rng.uniform(0.91, 1.09) * rng.uniform(0.965, 1.035, 3)).astype(np.float32)
    rotation = _rotation(np.deg2rad(rng.normal(0, (4.0, 2.5, 2.5))))
    phase = _phase(rng)
    moves: dict[str, _Move] = {}
    for part in PARTS:
        moves.setdefault(part.group or part.name, _move(rng, part))
    gallbladder = rng.random() > 0.09
    shapes = [_vary(part, moves[part.group or part.name], phase, rng) for part in PARTS]
    return Patient(
        scale=scale,
        rotation=rotation,
        waves=_draw_waves(rng),
        wall=float(rng.uniform(11, 17)),
        fat=float(rng.uniform(6, 30)),
        shapes=tuple(s for s in shapes if gallbladder or s.part.name != "gallbladder"),
    )


def draw_tumors(patient: Patient, count: int, low: float, high: float, rng: np.random.Generator) -> list[Tumor]:
    """Up to `count` tumours with centres between the heights `low` and `high` (mm); the first is in a big organ."""
    shares = np.array([share for share, _ in HOSTS.values()])
    tumors: list[Tumor] = []
    for position in range(count):
        host = str(rng.choice(list(HOSTS), p=shares / shares.sum()))
        if position == 0 and host in ("colon", "lung") and rng.random() < 0.5:
            host = "liver"
        tumors += _draw_tumor(patient, host, low, high, rng) or _draw_tumor(patient, "liver", low, high, rng)
    return tumors


def _draw_tumor(patient: Patient, host: str, low: float, high: float, rng: np.random.Generator) -> list[Tumor]:
    """A tumour centred on tissue of its host inside the field of view; none if there is no such place."""
    shape = next((s for s in patient.shapes if s.part.name == host), None)
    if shape is None:
        points = rng.uniform((60, -60, -110), (140, 60, 110), (600, 3)).T.astype(np.float32)
    else:
        row = shape.rows[rng.integers(len(shape.rows), size=600)]
        reach = row[:, 3:] if row.shape[1] == 6 else row[:, 3:4]
        points = (row[:, :3] + rng.uniform(-1, 1, (600, 3)) * reach).T.astype(np.float32)
    canvas = Canvas(patient, points, blur=1.0)
    canvas.paint()
    height = points[0] * patient.scale[0]
    good = (height > low) & (height < high)
    good &= (canvas.lung < -8) if shape is None else (shape_distance(points, shape)[0] < -3)
    value = 0 if shape is None else shape.value
    good &= (canvas.organs == value) & ~canvas.tumor
    if not good.any():
        return []
    largest = HOSTS[host][1]
    radius = 10 + (largest - 10) * rng.beta(1.6, 1.6)
    base = shape.hu - shape.rind if shape is not None else 70.0
    rim = float(rng.choice([0.0, 45.0], p=[0.65, 0.35]))
    return [
        Tumor(
            host=host,
            value=value,
            centre=points[:, int(np.flatnonzero(good)[0])],
            radii=(radius * rng.uniform(0.85, 1.15, 3)).astype(np.float32),
            phases=rng.uniform(0, 2 * np.pi, 3).astype(np.float32),
            hu=float(max(base - rng.uniform(38, 60), 5)),
            rim=rim,
        )
    ]


class _Move(NamedTuple):
    shift: Floats
    scale: float
    stretch: Floats


def _move(rng: np.random.Generator, part: Part) -> _Move:
    stretch = rng.uniform(0.94, 1.06, 3).astype(np.float32)
    return _Move(rng.normal(0, part.jitter, 3).astype(np.float32), float(rng.uniform(0.92, 1.09)), stretch)


def _phase(rng: np.random.Generator) -> Floats:
    """Shares of native, arterial and portal enhancement: mostly portal, some early, a few without contrast."""
    early = rng.uniform(0, 0.35) if rng.random() < 0.72 else rng.uniform(0.55, 1)
    native = 0.0 if rng.random() < 0.9 else rng.uniform(0.6, 0.95)
    return np.array([native, early * (1 - native), (1 - early) * (1 - native)], np.float32)


def _vary(part: Part, move: _Move, phase: Floats, rng: np.random.Generator) -> Shape:
    """The part of the table as one patient has it."""
    rows = np.array(part.rows, np.float32)
    centre = rows[:, :3].mean(axis=0)
    own = rng.normal(0, part.wander, rows[:, :3].shape)
    rows[:, :3] = centre + (rows[:, :3] - centre) * move.scale * move.stretch + move.shift + own
    rows[:, 3:] *= move.scale * rng.uniform(0.94, 1.06)
    if part.kind == "tube":
        rows = _refine(rows)
    return Shape(
        part=part,
        rows=rows,
        value=STRUCTURES.index(part.name) if part.name in STRUCTURES else 0,
        hu=float(np.dot(phase, part.hu) + rng.normal(0, 9)),
        rind=float(part.rind * phase[1]),
        contents=float(rng.choice([12.0, 35.0, 60.0, 170.0], p=[0.35, 0.3, 0.2, 0.15]) + rng.normal(0, 8)),
        air_above=float(rng.uniform(-0.1, 1.3)) if part.name != "duodenum" else float(rng.uniform(0.3, 2)),
    )


def _refine(rows: Floats, steps: int = 3) -> Floats:
    """Catmull-Rom spline through the rows (m, 4), `steps` pieces between two of them."""
    padded = np.concatenate([2 * rows[:1] - rows[1:2], rows, 2 * rows[-1:] - rows[-2:-1]])
    padded[[0, -1], 3] = rows[[0, -1], 3]
    t = (np.arange(steps) / steps)[:, None]
    pieces = [
        0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
        for a, b, c, d in zip(padded, padded[1:], padded[2:], padded[3:], strict=False)
    ]
    return np.concatenate([*pieces, rows[-1:]]).astype(np.float32)


def _draw_waves(rng: np.random.Generator, modes: int = 6) -> Floats:
    length = rng.uniform(90, 300, (3, modes, 3))
    amplitude = rng.normal(0, 0.0105, (3, modes)) * length.min(axis=2)
    phase = rng.uniform(0, 2 * np.pi, (3, modes, 3))
    return np.concatenate([amplitude[..., None], 2 * np.pi / length, phase], axis=2).astype(np.float32)


def _cosines(points: Floats, waves: Floats) -> Floats:
    """Sum over rows (amplitude, three wave numbers, three phases) of amplitude × product of cosines."""
    total = np.zeros(points.shape[1], np.float32)
    for amplitude, *rest in waves:
        factors = [np.cos(points[axis] * rest[axis] + rest[axis + 3]) for axis in range(3)]
        total += amplitude * factors[0] * factors[1] * factors[2]
    return total


def _rotation(angles: Floats) -> Floats:
    """3×3 matrix turning about z, y and x by these angles (radians)."""
    matrix = np.eye(3)
    for angle, (i, j) in zip(angles, ((1, 2), (0, 2), (0, 1)), strict=True):
        turn = np.eye(3)
        turn[[i, j], [i, j]] = np.cos(angle)
        turn[i, j], turn[j, i] = -np.sin(angle), np.sin(angle)
        matrix = turn @ matrix
    return matrix.astype(np.float32)
