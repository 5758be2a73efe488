"""Labels that come as one mask a structure: what the names of the files mean, and what their overlaps do.

A mapping says so under `[names]`, as it does for codes: a structure, several (a superset), `"background"`, or
`"ignore"`, which leaves the file alone. Where masks overlap, a lesion is the lesion; organs are what they have in
common (`kidneys` and `left_kidney` are the left one); two organs that have nothing in common say nothing there,
because the label contradicts itself.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from flaredb.labels.mappings import BACKGROUND, find_document, meaning_of
from flaredb.labels.mappings import Mapping as Codes
from flaredb.labels.structures import StructureSet


class Naming(NamedTuple):
    """What files named after structures hold: name → structures, none for background; `skipped` are left alone."""

    name: str
    meanings: Mapping[str, frozenset[str]]
    skipped: frozenset[str] = frozenset()

    @property
    def known(self) -> frozenset[str]:
        """Names that a file may bear."""
        return frozenset(self.meanings) | self.skipped


def load_naming(name: str, structures: StructureSet) -> Naming:
    """The names of a mapping: those under `[names]`, else the structures' own. Errors as of `load_mapping`."""
    found = find_document(name)
    own = {each: frozenset({each}) for each in structures.names}
    if found is None or "names" not in found.document:
        return Naming(found.name if found else "identity", own)
    table, others = found.document["names"], found.document.get("other_names", [])
    if not isinstance(table, dict) or not isinstance(others, list):
        raise found.refusal('[names] must be a table with lines such as kidney_left = "left_kidney"')
    meanings = {str(each): BACKGROUND for each in others}
    skipped = set()
    for each, meaning in table.items():
        if meaning == "ignore":
            skipped.add(each)
        elif meaning == "background":
            meanings[each] = BACKGROUND
        else:
            meanings[each] = meaning_of(found, each, meaning, structures)
    return Naming(found.name, meanings, frozenset(skipped))


def expected(naming: Naming, masks: Iterable[str]) -> Codes:
    """The mapping of a label made of these masks, before anything is known of their overlaps."""
    return joined(naming, {code: (name,) for code, name in enumerate(masks, start=1)}, ())


def joined(naming: Naming, combinations: Mapping[int, tuple[str, ...]], lesions: Collection[str]) -> Codes:
    """The mapping of codes that stand for combinations of masks; `lesions` are the structures that are lesions."""
    meanings: dict[int, frozenset[str]] = {}
    ignored = set()
    for code, names in combinations.items():
        meaning = _together([naming.meanings[name] for name in names], lesions)
        if meaning is None:
            ignored.add(code)
        else:
            meanings[code] = meaning
    overlaps = tuple((code, names) for code, names in sorted(combinations.items()))
    top = max(combinations, default=0)
    return Codes(naming.name, tuple(sorted(meanings.items())), frozenset(ignored), top, overlaps)


def contradictions(codes: Codes) -> dict[int, tuple[str, ...]]:
    """The codes where masks contradict each other, and the masks."""
    return {code: names for code, names in codes.masks if code in codes.ignored}


def _together(meanings: list[frozenset[str]], lesions: Collection[str]) -> frozenset[str] | None:
    """What a voxel in several masks is; None if that cannot be."""
    said = [meaning for meaning in meanings if meaning]
    if not said:
        return BACKGROUND
    drawn = [meaning for meaning in said if meaning & set(lesions)]
    common = frozenset.intersection(*(drawn or said))
    return common or None
