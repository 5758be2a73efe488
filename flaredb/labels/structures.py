"""What can be segmented, and the states a voxel can be in.

A voxel's *state* is a pair (site, lesion): the site is background or one organ, the lesion is none or one lesion. Its
class is the lesion if there is one, else the site. A *label set*, the states a voxel may be in, is a bit mask with bit
`site + sites * lesion`; 14 sites and one lesion (FLARE23) take 28 bits.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

import numpy as np

from flaredb.errors import InvalidDataError, NotFoundError


class Structure(NamedTuple):
    """One thing to segment; `value` is its code in FLARE files and its class number in ours."""

    value: int
    name: str
    kind: Literal["organ", "lesion"] = "organ"
    nsd_tolerance_mm: float = 2.0
    tubular: bool = False


@dataclass(frozen=True)
class StructureSet:
    """The structures of a workspace, in order of their values 1, 2, 3 …; the algebra of states built on them."""

    structures: tuple[Structure, ...]

    def __post_init__(self) -> None:
        if [s.value for s in self.structures] != list(range(1, len(self.structures) + 1)):
            raise InvalidDataError("structure values must be 1, 2, 3 … without gaps")
        if len({s.name for s in self.structures}) != len(self.structures):
            raise InvalidDataError("structure names must differ")
        if self.sites * (len(self.lesions) + 1) > 64:
            raise InvalidDataError("more than 64 states: (organs + 1) × (lesions + 1) must be at most 64")

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names in order of value."""
        return tuple(s.name for s in self.structures)

    @cached_property
    def organs(self) -> tuple[str, ...]:
        """Names of the organs, in order of value; organ i is site i + 1."""
        return tuple(s.name for s in self.structures if s.kind == "organ")

    @cached_property
    def lesions(self) -> tuple[str, ...]:
        """Names of the lesions, in order of value."""
        return tuple(s.name for s in self.structures if s.kind == "lesion")

    @cached_property
    def sites(self) -> int:
        """Number of sites: background and every organ."""
        return len(self.organs) + 1

    @cached_property
    def dtype(self) -> np.dtype[np.unsignedinteger]:
        """The unsigned integer that holds a label set."""
        return np.dtype(np.uint32 if self.sites * (len(self.lesions) + 1) <= 32 else np.uint64)

    def __getitem__(self, name: str) -> Structure:
        for structure in self.structures:
            if structure.name == name:
                return structure
        raise NotFoundError(f"no structure {name!r}; there are: {' '.join(self.names)}")

    def check(self, names: Iterable[str]) -> tuple[str, ...]:
        """The names in order of value, without repeats; raises NotFoundError for an unknown one."""
        wanted = {self[name].name for name in names}
        return tuple(name for name in self.names if name in wanted)

    def states(self, sites: Iterable[str | None], lesions: Iterable[str | None]) -> int:
        """Bit mask of all pairs of the given sites (None = background) and lesions (None = no lesion)."""
        rows = [0 if site is None else self.organs.index(site) + 1 for site in sites]
        columns = [0 if lesion is None else self.lesions.index(lesion) + 1 for lesion in lesions]
        return sum(1 << (row + self.sites * column) for row in set(rows) for column in set(columns))

    @cached_property
    def all_sites(self) -> tuple[str | None, ...]:
        """Background and every organ."""
        return (None, *self.organs)

    @cached_property
    def all_lesions(self) -> tuple[str | None, ...]:
        """No lesion and every lesion."""
        return (None, *self.lesions)

    @cached_property
    def open(self) -> int:
        """The label set that allows everything: nothing is known."""
        return self.states(self.all_sites, self.all_lesions)


FLARE23 = StructureSet(
    (
        Structure(1, "liver", nsd_tolerance_mm=5),
        Structure(2, "right_kidney", nsd_tolerance_mm=3),
        Structure(3, "spleen", nsd_tolerance_mm=3),
        Structure(4, "pancreas", nsd_tolerance_mm=5),
        Structure(5, "aorta", tubular=True),
        Structure(6, "inferior_vena_cava", tubular=True),
        Structure(7, "right_adrenal_gland"),
        Structure(8, "left_adrenal_gland"),
        Structure(9, "gallbladder"),
        Structure(10, "esophagus", nsd_tolerance_mm=3, tubular=True),
        Structure(11, "stomach", nsd_tolerance_mm=5),
        Structure(12, "duodenum", nsd_tolerance_mm=7),
        Structure(13, "left_kidney", nsd_tolerance_mm=3),
        Structure(14, "tumor", kind="lesion"),
    )
)
