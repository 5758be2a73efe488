"""Queries on cases: one CT each, with its patient, split, image volume and the file's own geometry."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, func, select

from flaredb.catalog import tables as t
from flaredb.catalog.database import Write
from flaredb.catalog.query import rows as answer
from flaredb.errors import InvalidDataError, NotFoundError
from flaredb.geometry import FileSpace, Grid

_CHUNK = 5000


@dataclass(frozen=True)
class Case:
    """A case as stored; `image` is the digest of its volume, None while its voxels are missing."""

    id: int
    name: str
    patient: str
    split: str
    image: str | None
    voxels_digest: str | None
    grid: Grid | None
    space: FileSpace | None
    file_sha256: str | None
    excluded: bool


def find(connection: Connection, name: str) -> Case:
    """A case by name or alias; the error names the closest ones."""
    row = connection.execute(_select().where(t.cases.c.name == current_name(connection, name))).first()
    if row is None:
        names = connection.execute(select(t.cases.c.name)).scalars().all()
        close = difflib.get_close_matches(name, names, n=3) or names[:3]
        hint = f"; close: {' '.join(close)}" if close else "; there are none yet: flaredb ingest images PATH"
        raise NotFoundError(f"no case {name!r}{hint}")
    return _case(row)


def current_name(connection: Connection, name: str) -> str:
    """The name a case bears now, from that or another it had."""
    query = select(t.cases.c.name).join(t.case_aliases, t.case_aliases.c.case_id == t.cases.c.id)
    return connection.execute(query.where(t.case_aliases.c.alias == name)).scalar() or name


def aliases(connection: Connection, case: int) -> list[str]:
    """Other names a case had, by its number, oldest first."""
    c = t.case_aliases.c
    return list(connection.execute(select(c.alias).where(c.case_id == case).order_by(c.id)).scalars())


def by_names(connection: Connection, names: Iterable[str]) -> dict[str, Case]:
    """Those of the named cases that exist."""
    found: dict[str, Case] = {}
    wanted = sorted(set(names))
    for start in range(0, len(wanted), _CHUNK):
        query = _select().where(t.cases.c.name.in_(wanted[start : start + _CHUNK]))
        found |= {row.name: _case(row) for row in connection.execute(query)}
    return found


def present_names(connection: Connection) -> dict[str, str]:
    """Every other name a case had → the name it bears now."""
    query = select(t.case_aliases.c.alias, t.cases.c.name).join(t.cases, t.cases.c.id == t.case_aliases.c.case_id)
    return {row.alias: row.name for row in connection.execute(query)}


def by_any_names(connection: Connection, names: set[str]) -> dict[str, Case]:
    """Those of the names that are a case's, or were."""
    renamed = {name: new for name, new in present_names(connection).items() if name in names}
    found = by_names(connection, names | set(renamed.values()))
    return found | {name: found[new] for name, new in renamed.items()}


def names(connection: Connection) -> list[str]:
    """Every case's name, sorted."""
    return list(connection.execute(select(t.cases.c.name).order_by(t.cases.c.name)).scalars())


def every(connection: Connection, split: str | None = None) -> list[Case]:
    """All cases, or those of a split, by name."""
    query = _select().order_by(t.cases.c.name)
    if split:
        query = query.where(t.cases.c.split == split)
    return [_case(row) for row in connection.execute(query)]


def matching(connection: Connection, where: str | None) -> list[str]:
    """Names of the cases for which an SQL condition on the view `case_facts` holds; all without a condition."""
    condition = where or "1 = 1"
    asked = f'SELECT "case" FROM case_facts WHERE ({condition}) ORDER BY "case"'  # noqa: S608  one query, no effects
    try:
        return [row["case"] for row in answer(connection, asked, {})]
    except InvalidDataError as error:
        raise InvalidDataError(f"--where: {error}; it filters the columns of case_facts") from error


def with_voxels(connection: Connection, digest: str) -> list[Case]:
    """Cases whose image has these voxels, on whatever grid."""
    return [_case(row) for row in connection.execute(_select().where(t.cases.c.voxels_digest == digest))]


def patient_id(write: Write, key: str) -> int:
    """The patient with this key, made if new."""
    found = write.connection.execute(select(t.patients.c.id).where(t.patients.c.key == key)).scalar()
    if found is not None:
        return int(found)
    (made,) = write.connection.execute(t.patients.insert().values(key=key)).inserted_primary_key or (0,)
    return int(made)


def add(write: Write, name: str, patient: str, split: str, facts: dict[str, Any]) -> int:
    """Add a case; `facts` are further columns (`image_facts`)."""
    values = {
        "name": name,
        "patient_id": patient_id(write, patient),
        "split": split,
        "operation_id": write.operation,
        **facts,
    }
    (made,) = write.connection.execute(t.cases.insert().values(values)).inserted_primary_key or (0,)
    return int(made)


def set_facts(write: Write, name: str, facts: dict[str, Any]) -> None:
    """Fill columns of a case, such as its image when that arrives after the registration, or its split."""
    write.connection.execute(t.cases.update().where(t.cases.c.name == name).values(facts))


def count(connection: Connection) -> int:
    """How many cases there are."""
    return int(connection.execute(select(func.count()).select_from(t.cases)).scalar_one())


def grid_facts(grid: Grid) -> dict[str, Any]:
    """Columns that hold a grid."""
    return {
        "slices": grid.shape[0],
        "rows": grid.shape[1],
        "columns": grid.shape[2],
        "spacing_z_mm": grid.spacing[0],
        "spacing_y_mm": grid.spacing[1],
        "spacing_x_mm": grid.spacing[2],
        "origin": grid.origin,
        "direction": grid.direction,
    }


def space_facts(space: FileSpace, name: str, sha256: str) -> dict[str, Any]:
    """Columns that hold a file's own geometry."""
    return {
        "file_name": name,
        "file_sha256": sha256,
        "file_shape": space.shape,
        "file_affine": space.affine,
        "file_orientation": space.orientation,
        "file_dtype": space.dtype,
        "file_pixdim": space.pixdim,
    }


def file_space(row: Row[Any]) -> FileSpace | None:
    """The file's geometry from the `file_` columns of a row."""
    if row.file_affine is None:
        return None
    return FileSpace(tuple(row.file_shape), tuple(row.file_affine), row.file_dtype, tuple(row.file_pixdim))


def _select() -> Select[Any]:
    return select(t.cases, t.patients.c.key.label("patient")).join(t.patients)


def _case(row: Row[Any]) -> Case:
    grid = None
    if row.slices is not None:
        shape = (row.slices, row.rows, row.columns)
        spacing = (row.spacing_z_mm, row.spacing_y_mm, row.spacing_x_mm)
        first, second, third = (tuple(line) for line in row.direction)
        grid = Grid(shape, spacing, tuple(row.origin), (first, second, third))
    return Case(
        row.id,
        row.name,
        row.patient,
        row.split,
        row.image,
        row.voxels_digest,
        grid,
        file_space(row),
        row.file_sha256,
        row.excluded,
    )
