"""Which cases the DICOM folders of a tree hold, and what of their paths may be shown.

A folder of one series is a case named after the folder. Of several series each is a case, `<folder>-<series number>`.
Folders of one name are told apart by the folder above. A folder that is called after the patient or after a UID cannot
name a case: its cases are called `ct-` and the beginning of a digest of their first file, the same each time.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from flaredb.errors import Finding
from flaredb.exchange.dicom import Folder, Series, series_in
from flaredb.exchange.dicom_headers import UNNAMED
from flaredb.exchange.dicom_names import HIDDEN

_HIDDEN_NAME = "dicom-name-hidden"
_ODD = re.compile(r"[^A-Za-z0-9._+-]+")


class Candidate(NamedTuple):
    """A series of a DICOM folder (or file) and the name its case gets unless the user gives another."""

    path: Path
    part: str
    name: str
    series: str


class Cases(NamedTuple):
    """Series found under a root; `shown` is path → the same without what identifies patients, for all on the way."""

    found: tuple[Candidate, ...] = ()
    findings: tuple[Finding, ...] = ()
    shown: Mapping[str, str] = MappingProxyType({})

    def veiled(self, findings: Iterable[Finding], cases: Collection[str]) -> list[Finding]:
        """Findings whose paths say no more than may be shown; of names that were given, only those of `cases`."""
        told = [finding for finding in findings if finding.rule != _HIDDEN_NAME or finding.case in cases]
        return [finding._replace(path=self.show(finding.path)) if finding.path else finding for finding in told]

    def below(self, path: Path, root: Path) -> str:
        """The path from the root as it may be recorded; empty for one that is not of DICOM."""
        if str(path) not in self.shown:
            return ""
        depth = len(path.relative_to(root).parts) if path.is_relative_to(root) else 1
        return Path(*Path(self.shown[str(path)]).parts[-max(depth, 1) :]).as_posix()

    def name(self, root: Path) -> str:
        """What the root is called, as it may be recorded."""
        return Path(self.shown[str(root)]).name if str(root) in self.shown else root.name

    def show(self, path: str) -> str:
        """A path as it may be shown: by the nearest folder on its way that is known."""
        for place in (Path(path), *Path(path).parents):
            if str(place) in self.shown:
                below = Path(path).relative_to(place)
                return (Path(self.shown[str(place)]) / below).as_posix()
        return path


def dicom_cases(root: Path, folders: Iterable[Path]) -> Cases:
    """Look into folders of slices, or files of many frames, under `root`.

    Findings beside those of `series_in`: `dicom-scattered` (slices of one series in several folders; none of it is
    returned) and, of severity `info`, `dicom-name-hidden`.
    """
    looked = [(path, series_in(path)) for path in folders]
    findings = [finding for _, folder in looked for finding in folder.findings]
    scattered = _scattered(looked)
    candidates = []
    for path, folder in looked:
        if path.is_file() and not folder.series:
            message = "one slice, or no CT; give the folder of the slices"
            findings.append(Finding("error", None, "unknown-format", message, folder.shown))
    for path, folder, series, name in _named(looked):
        if series.key in scattered:
            message = "slices of this series lie in several folders; put each series into a folder of its own"
            findings.append(Finding("error", name, "dicom-scattered", message, folder.shown))
            continue
        if name == series.name:
            message = f"the folder's name names the patient, is a UID, or is another's too; the case is called {name}"
            findings.append(Finding("info", name, _HIDDEN_NAME, message, folder.shown))
        candidates.append(Candidate(path, series.part, name, series.key))
    return Cases(tuple(candidates), tuple(findings), _shown(root, looked))


def _name(path: Path, folder: Folder, series: Series, above: int = 0) -> str:
    """What the path's last parts call the case, as far as they may be shown; else the digest that stands for it."""
    shown = Path(folder.shown if above else path.resolve().name).parts[-above - 1 :]
    if not folder.named or HIDDEN in shown or len(shown) <= above:
        return series.name
    last = shown[-1] if path.is_dir() else shown[-1].removesuffix(path.suffix)
    name = _ODD.sub("_", "-".join([*shown[:-1], last])).strip("_.-")
    return f"{name}-{series.part}" if name and series.part else name or series.name


def _named(looked: Iterable[tuple[Path, Folder]]) -> Iterator[tuple[Path, Folder, Series, str]]:
    """Every series with its name: the folder's; where folders share it, with the one above before it; else a digest."""
    everything = [(path, folder, series) for path, folder in looked for series in folder.series]
    names = [_name(*item) for item in everything]
    for above in (1, 2):
        times = Counter(names)
        names = [
            name if times[name] == 1 else _name(*item, above) if above == 1 else item[2].name
            for item, name in zip(everything, names, strict=True)
        ]
    yield from ((*item, name) for item, name in zip(everything, names, strict=True))


def _scattered(looked: Iterable[tuple[Path, Folder]]) -> set[str]:
    """Series whose slices are in several folders, none of them at the same place: not copies, but pieces."""
    places: dict[str, list[frozenset[tuple[float, ...]]]] = defaultdict(list)
    for _, folder in looked:
        pieces: dict[str, frozenset[tuple[float, ...]]] = {}
        for series in folder.series:
            pieces[series.key] = pieces.get(series.key, frozenset()) | series.places
        for key, there in pieces.items():
            places[key].append(there)
    return {
        key
        for key, sets in places.items()
        if len(sets) > 1 and not key.startswith(UNNAMED) and len(frozenset().union(*sets)) == sum(map(len, sets))
    }


def _shown(root: Path, looked: Iterable[tuple[Path, Folder]]) -> dict[str, str]:
    """What may be shown of each folder and of those between it and the root."""
    shown: dict[str, str] = {}
    for path, folder in looked:
        there, masked = path, Path(folder.shown)
        while True:
            if str(there) not in shown or masked.as_posix() != there.as_posix():
                shown[str(there)] = masked.as_posix()
            if there in (root, there.parent):
                break
            there, masked = there.parent, masked.parent
    return shown
