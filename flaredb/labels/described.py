"""What the codes of a data set mean, from the `labels` of its `dataset.json`: nnU-Net's two versions and the MSD's.

Names are those of the workspace, written with spaces or capitals too, and a few others that are in use for the same.
A code whose name is none of them is background and is told; it says nothing where the name is that of a lesion, which
may lie inside an organ.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

from flaredb.errors import InvalidDataError
from flaredb.labels.structures import StructureSet

_LESION = re.compile(r"tumou?rs?|cancers?|lesions?|cysts?|metastas[ei]s|mass(es)?|nodules?")
_SAME = {
    "tumour": "tumor", "cancer": "tumor", "lesion": "tumor", "postcava": "inferior_vena_cava",
    "ivc": "inferior_vena_cava", "gall_bladder": "gallbladder", "oesophagus": "esophagus",
}  # fmt: skip
_SIDES = ("right", "left")


class Described(NamedTuple):
    """Code → meaning, as in the table `[codes]` of a mapping; and the codes whose names are of no structure."""

    codes: dict[str, Any]
    left_out: tuple[str, ...]


def read_described(path: Path, structures: StructureSet) -> Described:
    """Read the codes of a `dataset.json`; InvalidDataError if it does not say what they mean."""
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
        labels = document["labels"]
    except (OSError, ValueError, RecursionError, KeyError, TypeError) as error:
        raise InvalidDataError(f"mapping {path.name}: no JSON object with a table `labels`: {error}") from error
    if not isinstance(labels, dict) or not labels:
        raise InvalidDataError(f"mapping {path.name}: `labels` must be a table of names and codes")
    codes: dict[str, Any] = {}
    left_out = []
    for code, name in sorted(_names(path, labels).items()):
        plain = _plain(name)
        meaning = "background" if not code else "ignore" if plain == "ignore" else _meaning(plain, structures)
        if meaning is None:
            meaning = "ignore" if any(_LESION.fullmatch(word) for word in plain.split("_")) else "background"
            left_out.append(f"{code} {name[:60]} ({'says nothing' if meaning == 'ignore' else 'background'})")
        codes[str(code)] = meaning
    return Described(codes, tuple(left_out))


def structure_named(name: str, structures: StructureSet) -> str | list[str] | None:
    """The structure, or the organs it may be, that a name stands for; None if it is none of the workspace's."""
    return _meaning(_plain(name), structures)


def _names(path: Path, labels: dict[str, Any]) -> dict[int, str]:
    """Code → name. Version 2 has regions: a code's name is that of the smallest region it is in."""
    if all(key.isdecimal() and isinstance(value, str) for key, value in labels.items()):
        return {int(key): value for key, value in labels.items()}
    regions: list[tuple[int, str, list[int]]] = []
    for name, value in labels.items():
        codes = value if isinstance(value, list) else [value]
        if not codes or not all(isinstance(code, int) and not isinstance(code, bool) and code >= 0 for code in codes):
            raise InvalidDataError(f"mapping {path.name}: `labels`: {name[:60]!r} has no code, but {value!r:.60}")
        regions.append((len(codes), name, codes))
    found: dict[int, str] = {}
    for _, name, codes in sorted(regions, key=lambda region: region[0]):
        for code in codes:
            found.setdefault(code, name)
    return found


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def _meaning(plain: str, structures: StructureSet) -> str | list[str] | None:
    plain = _SAME.get(plain, plain)
    if plain in structures.names:
        return plain
    words = [word for word in plain.split("_") if word not in _SIDES]
    if len(words) < len(plain.split("_")):  # kidney_left is left_kidney
        side = next(word for word in plain.split("_") if word in _SIDES)
        return name if (name := "_".join([side, *words])) in structures.names else None
    both = [name for side in _SIDES if (name := f"{side}_{plain.removesuffix('s')}") in structures.names]
    return both if len(both) == len(_SIDES) else None
