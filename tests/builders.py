"""Small values to test with: structure sets, mappings, trusted labels, grids, and a catalogue with a few rows."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flaredb.catalog import cases, labels, policies, structures
from flaredb.catalog.database import Catalog, Write
from flaredb.catalog.labels import NewLabel, Presence
from flaredb.geometry import Grid
from flaredb.labels.labelset import Mode, Trust
from flaredb.labels.mappings import Mapping as Codes
from flaredb.labels.mappings import identity
from flaredb.labels.policy import Candidate, Policy
from flaredb.labels.structures import FLARE23, Structure, StructureSet

REAL_DATA = Path(os.environ.get("FLAREDB_TEST_DATA") or Path(__file__).parents[2] / "shared" / "data")
ORGANS = FLARE23.organs
KIDNEYS = ("right_kidney", "left_kidney")
FLARE21 = {1: "liver", 2: KIDNEYS, 3: "spleen", 4: "pancreas"}
TWO_LESIONS = StructureSet(
    (
        Structure(1, "liver"),
        Structure(2, "tumor", kind="lesion"),
        Structure(3, "right_kidney"),
        Structure(4, "left_kidney"),
        Structure(5, "cyst", kind="lesion"),
    )
)


def mapping(codes: Mapping[int, str | Iterable[str]], ignored: Iterable[int] = (), top: int = 0) -> Codes:
    """A mapping from code → structure, several, or none for background."""
    meanings = {code: frozenset([names] if isinstance(names, str) else names) for code, names in codes.items()}
    return Codes("made", tuple(sorted(meanings.items())), frozenset(ignored), max([top, *meanings, *ignored]))


def modes(*names: str, positive: Iterable[str] = (), within: Mapping[str, tuple[str, ...]] | None = None) -> dict:
    """What a label annotates: `names` exhaustively, `positive` as far as drawn, `within` only inside some organs."""
    stated = {name: Mode() for name in names} | {name: Mode(exhaustive=False) for name in positive}
    return stated | {name: Mode(True, organs) for name, organs in (within or {}).items()}


def trust(
    annotated: dict[str, Mode],
    codes: Codes | None = None,
    label: str = "case@source@1",
    human: bool = True,
    about: Iterable[str] | None = None,
    won: Iterable[str] | None = None,
) -> Trust:
    """A label trusted about all it annotates, of which it won all, unless told otherwise."""
    about = frozenset(annotated if about is None else about)
    won = about if won is None else frozenset(won)
    return Trust(label, human, codes or identity(FLARE23), annotated, about, won)


def voxels(*codes: int) -> NDArray[Any]:
    """Codes of a few voxels."""
    return np.array(codes, np.uint16)


def pairs(space: StructureSet, label_set: int) -> set[tuple[str | None, str | None]]:
    """A label set in words: (site, lesion) pairs, None for background and for no lesion."""
    return {
        (site, lesion)
        for site in space.all_sites
        for lesion in space.all_lesions
        if int(label_set) & space.states([site], [lesion])
    }


def candidate(structure: str = "liver", **changes: Any) -> Candidate:
    """An accepted, exhaustive ground-truth label that annotates the structure; `label` follows source and number."""
    number = changes.get("number", 1)
    source, revision = changes.get("source", f"source{number}"), changes.get("revision", 1)
    facts: dict[str, Any] = {
        "label": f"case@{source}@{revision}",
        "number": number,
        "source": source,
        "kind": "ground-truth",
        "revision": revision,
        "exhaustive": True,
        "superset": False,
        "accepted": 0,
        "annotated_at": "2023-01-01T00:00:00+00:00",
    }
    return Candidate(structure, **(facts | changes))


def grid(
    shape: tuple[int, int, int], spacing: tuple[float, float, float] = (2.5, 0.8, 0.9), origin: float = -10.5
) -> Grid:
    """A grid along the patient's axes."""
    return Grid(shape, spacing, (origin, origin + 1, origin + 2))


def new_catalog(where: Path | str, space: StructureSet = FLARE23) -> Catalog:
    """A catalogue with its structures and the policy as it comes, at a URL or as a file of a folder."""
    catalog = Catalog(where if isinstance(where, str) else f"sqlite:///{where}/catalog.db")
    catalog.upgrade()
    with catalog.run("init", {}) as run, run.write() as write:
        structures.store(write.connection, space)
        policies.apply(write, Policy(), "the rules as they come")
    return catalog


def add_case(write: Write, name: str = "case1", split: str = "train") -> int:
    """A case whose voxels are not there yet."""
    return cases.add(write, name, f"patient of {name}", split, {})


def add_label(
    write: Write, source: str = "truth", case: str = "case1", annotated: dict[str, Mode] | None = None, **changes: Any
) -> tuple[int, str]:
    """A label of a source (made if new); by default ground truth of the liver."""
    kind = changes.get("kind", "ground-truth")
    labels.ensure_source(write, source, kind)
    annotated = annotated or modes("liver")
    facts: dict[str, Any] = {
        "kind": kind,
        "volume": "0" * 64,
        "codes": identity(FLARE23),
        "presence": {name: Presence(10, ((0, 0, 0), (2, 2, 3))) for name in annotated},
        "facts": {},
        "annotated_at": datetime(2023, 1, 1, tzinfo=UTC),
    }
    return labels.add(write, NewLabel(case, source, annotated=annotated, **(facts | changes)))
