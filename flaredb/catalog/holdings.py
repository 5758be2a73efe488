"""Which volumes the catalogue points at, in one query, and what it says of the lattice they lie on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Select, select

from flaredb.catalog import tables as t
from flaredb.catalog.cases import file_space, grid_facts
from flaredb.catalog.database import Write
from flaredb.geometry import FileSpace, Grid


class Holding(NamedTuple):
    """A case or label that points at a volume; `grid` is the case's, `number` the row's."""

    volume: str
    what: str  # case or label
    name: str
    number: int
    case: str
    grid: Grid | None
    voxels_digest: str | None = None  # of a case: that of the voxels alone
    space: FileSpace | None = None  # of a case: how its file held them
    file: str | None = None
    orientation: str = ""  # of a case: that of its file, such as LPS

    @property
    def owner(self) -> str:
        """`case FLARE23_0001` or `label FLARE23_0001@flare23@1`."""
        return f"{self.what} {self.name}"


def holdings(connection: Connection) -> Iterator[Holding]:
    """Every pointer at a volume: first those of cases, then those of labels, oldest first."""
    c = t.cases.c
    grids: dict[int, tuple[str, Grid | None]] = {}
    for row in connection.execute(select(t.cases).order_by(c.id)):
        grids[row.id] = row.name, _grid(row)
        if row.image is not None:
            own = (row.voxels_digest, _space(row), row.file_name, row.file_orientation or "")
            yield Holding(row.image, "case", row.name, row.id, row.name, grids[row.id][1], *own)
    for row in connection.execute(_labels()):
        case, grid = grids[row.case_id]
        name = f"{case}@{row.source}@{row.revision}"
        yield Holding(row.volume, "label", name, row.id, case, grid, file=row.file_name)


def pointed_at(connection: Connection) -> set[str]:
    """The digests alone."""
    volumes = select(t.labels.c.volume).where(t.labels.c.volume.is_not(None)).distinct()
    return images(connection).union(connection.execute(volumes).scalars())


def images(connection: Connection) -> set[str]:
    """The digests of scans."""
    return set(connection.execute(select(t.cases.c.image).where(t.cases.c.image.is_not(None))).scalars())


def rounds_of_sources(connection: Connection) -> dict[str, str]:
    """Source → the round whose predictions it holds, `organ/2`."""
    query = select(t.sources.c.name, t.rounds.c.task, t.rounds.c.number).join(t.sources)
    return {row.name: f"{row.task}/{row.number}" for row in connection.execute(query)}


def rounds_of_models(connection: Connection) -> dict[str, str]:
    """Model → the round that trained it."""
    query = select(t.models.c.name, t.rounds.c.task, t.rounds.c.number).join(t.models)
    return {row.name: f"{row.task}/{row.number}" for row in connection.execute(query)}


def set_grid(write: Write, case: str, grid: Grid) -> None:
    """Correct what the catalogue says of a case's lattice."""
    write.connection.execute(t.cases.update().where(t.cases.c.name == case).values(grid_facts(grid)))


def set_file_affine(write: Write, case: str, affine: tuple[float, ...]) -> None:
    """Correct what the catalogue says of the affine that a case's file had."""
    write.connection.execute(t.cases.update().where(t.cases.c.name == case).values(file_affine=affine))


def _labels() -> Select[Any]:
    c = t.labels.c
    return (
        select(c.id, c.case_id, c.volume, c.revision, c.file_name, t.sources.c.name.label("source"))
        .join(t.sources)
        .where(c.volume.is_not(None))
        .order_by(c.id)
    )


def _grid(row: Row[Any]) -> Grid | None:
    """The lattice as the row says; None if it says none, or none that can be understood."""
    try:
        spacing = (float(row.spacing_z_mm), float(row.spacing_y_mm), float(row.spacing_x_mm))
        first, second, third = ((float(x), float(y), float(z)) for x, y, z in row.direction)
        z, y, x = (float(value) for value in row.origin)
    except (TypeError, ValueError):
        return None
    return Grid((row.slices, row.rows, row.columns), spacing, (z, y, x), (first, second, third))


def _space(row: Row[Any]) -> FileSpace | None:
    try:
        return file_space(row)
    except (TypeError, ValueError):
        return None
