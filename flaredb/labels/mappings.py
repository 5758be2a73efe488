"""Mappings: what the codes of a label file mean.

A mapping is TOML: a table `[codes]` with `code = "structure"`, `code = ["right_kidney", "left_kidney"]` (a superset:
one of these), `"background"` or `"ignore"` (says nothing). Codes not named are background up to `range`, the largest
code the file may hold (by default the largest named one); a code beyond it says nothing and is a finding.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any

from flaredb.errors import InvalidDataError, NotFoundError
from flaredb.labels.structures import StructureSet

BACKGROUND: frozenset[str] = frozenset()
_MAX_CODE = 65535


@dataclass(frozen=True)
class Mapping:
    """Codes of a label file and the structures each may stand for.

    `meanings` lists (code, structures): one name for a plain code, several for a superset, none for background;
    `ignored` lists codes that say nothing; `top` is the largest code the mapping speaks about.
    """

    name: str
    meanings: tuple[tuple[int, frozenset[str]], ...]
    ignored: frozenset[int] = frozenset()
    top: int = 0

    @cached_property
    def table(self) -> dict[int, frozenset[str]]:
        """Code → structures, for the codes that mean any."""
        return dict(self.meanings)

    @cached_property
    def structures(self) -> frozenset[str]:
        """Every structure some code may stand for."""
        return frozenset(name for _, names in self.meanings for name in names)

    def superset(self, structure: str) -> frozenset[str]:
        """The structures that this mapping cannot tell from `structure`; just itself if it can."""
        together: frozenset[str] = frozenset({structure})
        for _, names in self.meanings:
            if structure in names:
                together |= names
        return together

    def codes_of(self, structure: str) -> list[int]:
        """Codes that mean exactly this structure."""
        return [code for code, names in self.meanings if names == {structure}]

    @cached_property
    def text(self) -> str:
        """The mapping as canonical JSON, as the catalogue keeps it."""
        codes = {str(code): sorted(names) for code, names in sorted(self.meanings)}
        return json.dumps({"codes": codes, "ignore": sorted(self.ignored), "range": self.top}, sort_keys=True)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the text: equal mappings have equal digests whatever they are called."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @classmethod
    def from_text(cls, name: str, text: str) -> Mapping:
        """Read what `text` wrote."""
        stored = json.loads(text)
        meanings = tuple((int(code), frozenset(names)) for code, names in stored["codes"].items())
        return cls(name, tuple(sorted(meanings)), frozenset(stored["ignore"]), stored["range"])


def load_mapping(name: str, structures: StructureSet) -> Mapping:
    """A mapping by name (`identity`, `flare21`, …) or from a TOML file; checked against the structures.

    Structures that the mapping names and the workspace does not have become background when the mapping is one of
    ours, and are an error when it is the user's own file.
    """
    if name == "identity":
        return identity(structures)
    builtin = resources.files("flaredb.labels") / "maps" / f"{name}.toml"
    if name in available() and builtin.is_file():
        document = tomllib.loads(builtin.read_text(encoding="utf-8"))
        return _parse(name, document, structures, strict=False)
    path = Path(name)
    if path.suffix != ".toml" or not path.is_file():
        known = " ".join(["identity", *available()])
        raise NotFoundError(f"no mapping {name!r}; give a .toml file or one of: {known}")
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidDataError(f"mapping {path.name}: not valid TOML: {error}") from error
    return _parse(path.stem, document, structures, strict=True)


def available() -> list[str]:
    """Names of the mappings that come with flaredb, `identity` apart."""
    return sorted(f.name.removesuffix(".toml") for f in (resources.files("flaredb.labels") / "maps").iterdir())


def identity(structures: StructureSet) -> Mapping:
    """Every structure by its own value."""
    meanings = tuple((s.value, frozenset({s.name})) for s in structures.structures)
    return Mapping("identity", meanings, top=len(structures.structures))


def _parse(name: str, document: dict[str, Any], structures: StructureSet, strict: bool) -> Mapping:
    codes = document.get("codes")
    if not isinstance(codes, dict) or not codes:
        raise InvalidDataError(f'mapping {name}: needs a table [codes] with lines such as 1 = "liver"')
    meanings: dict[int, frozenset[str]] = {}
    ignored: set[int] = set()
    for key, meaning in codes.items():
        code = _code(name, key)
        if code in meanings or code in ignored:
            raise InvalidDataError(f"mapping {name}: code {key!r} stands twice")
        if meaning == "ignore":
            ignored.add(code)
        elif meaning == "background":
            meanings[code] = BACKGROUND
        else:
            meanings[code] = _members(name, key, meaning, structures, strict)
    top = document.get("range", max([*meanings, *ignored]))
    if isinstance(top, bool) or not isinstance(top, int) or not max([*meanings, *ignored]) <= top <= _MAX_CODE:
        raise InvalidDataError(f"mapping {name}: range must be an integer from the largest code to {_MAX_CODE}")
    return Mapping(name, tuple(sorted(meanings.items())), frozenset(ignored), top)


def _code(name: str, key: str) -> int:
    if not key.isdecimal() or not 0 <= int(key) <= _MAX_CODE:
        raise InvalidDataError(f"mapping {name}: code {key!r} is not an integer from 0 to {_MAX_CODE}")
    return int(key)


def _members(name: str, key: str, meaning: Any, structures: StructureSet, strict: bool) -> frozenset[str]:
    members = [meaning] if isinstance(meaning, str) else meaning
    if not isinstance(members, list) or not members or not all(isinstance(m, str) for m in members):
        raise InvalidDataError(f"mapping {name}: code {key} must be a structure, a list of them, background or ignore")
    unknown = [m for m in members if m not in structures.names]
    if unknown and strict:
        raise InvalidDataError(
            f"mapping {name}: code {key} names {unknown[0]!r}; this workspace has: {' '.join(structures.names)}"
        )
    if len(members) > 1 and any(structures[m].kind == "lesion" for m in members if m not in unknown):
        raise InvalidDataError(f"mapping {name}: code {key}: a superset is a list of organs, not of lesions")
    return BACKGROUND if unknown else frozenset(members)
