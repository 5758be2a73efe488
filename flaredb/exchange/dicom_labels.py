"""Which cases DICOM SEG files are labels of, and which structures they hold."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import NamedTuple

from flaredb.errors import Finding, InvalidDataError
from flaredb.exchange.dicom_cases import Cases, dicom_cases
from flaredb.exchange.dicom_names import HIDDEN
from flaredb.exchange.dicom_seg import Segments, is_seg, matching, segments_of
from flaredb.exchange.walk import walk

SEGMENTS = "segments"


class SegLabel(NamedTuple):
    """A SEG file, the case it is of, and the names of the structures in it, each once."""

    path: Path
    case: str
    names: tuple[str, ...]


class SegLabels(NamedTuple):
    """SEG files that can be imported, findings on them, and what of their paths may be shown."""

    found: tuple[SegLabel, ...]
    findings: tuple[Finding, ...]
    shown: Cases


def seg_labels(root: Path, names: Collection[str], case_of: Callable[[Path], str | None]) -> SegLabels:
    """Find SEG files and the case of each.

    It is what `case_of` says, else the case of the DICOM series it refers to, which is looked for under `root`, too,
    else the file's name. `names` are what segments may be called. Findings:
    `unknown-segment`, `nothing-found` (no segment is known), `seg-case-unknown` and `duplicate-name`.
    """
    folders = [path for path in walk(root, [], dicom=True) if path.is_dir()] if root.is_dir() else []
    files = [file for folder in folders for file in sorted(folder.iterdir())] if root.is_dir() else [root]
    findings: list[Finding] = []
    shown: dict[str, str] = {}
    headers: dict[Path, Segments] = {}
    for path in (file for file in files if is_seg(file)):
        try:
            headers[path] = segments_of(path)
            shown |= _ways(path, root, headers[path].identifiers.shown(path))
        except InvalidDataError as error:
            shown[str(path)] = HIDDEN
            findings += [finding._replace(path=HIDDEN) for finding in error.findings]
    said = {path: case_of(path) for path in headers}
    of_series = {} if all(said.values()) else _cases_of_series(root, folders)
    found = []
    for path, header in headers.items():
        place = shown[str(path)]
        known, remarks = _known(header, names, place)
        findings += remarks
        name = said[path] or _case(path, header, of_series)
        if name is None:
            message = "nothing says which case it is of; import it with --case, or together with its scan's folder"
            findings.append(Finding("error", None, "seg-case-unknown", message, place))
        elif known:
            found.append(SegLabel(path, name, known))
    times = Counter(label.case for label in found)
    findings += [
        Finding(
            "error", label.case, "duplicate-name", f"{times[label.case]} files are of one case", shown[str(label.path)]
        )
        for label in found
        if times[label.case] > 1
    ]
    return SegLabels(tuple(label for label in found if times[label.case] == 1), tuple(findings), Cases(shown=shown))


def _cases_of_series(root: Path, scans: Iterable[Path]) -> dict[str, set[str]]:
    """Series → the cases that its folder makes."""
    cases: dict[str, set[str]] = defaultdict(set)
    for candidate in dicom_cases(root, scans).found:
        cases[candidate.series].add(candidate.name)
    return cases


def _known(header: Segments, names: Collection[str], place: str) -> tuple[tuple[str, ...], list[Finding]]:
    """The names that segments of a SEG mean, and a finding for each label that means none."""
    findings = []
    known = []
    for label in header.labels.values():
        name = matching(label, names)
        if name:
            known.append(name)
        else:
            said = HIDDEN if header.identifiers.are_in(label) else label
            message = (
                f"the mapping has no structure {said!r}; the segment is left out; name it in a mapping under [names]"
            )
            findings.append(Finding("warning", None, "unknown-segment", message, place))
    if not known:
        findings.append(Finding("error", None, "nothing-found", "no segment is a structure of the mapping", place))
    return tuple(sorted(set(known))), findings


def _case(path: Path, header: Segments, of_series: dict[str, set[str]]) -> str | None:
    """The case a SEG is of; None where that is not said or not clear."""
    cases = of_series.get(header.series, set())
    if cases:
        return next(iter(cases)) if len(cases) == 1 else None
    return None if header.identifiers.are_in(path.name) else path.name.removesuffix(path.suffix)


def _ways(path: Path, root: Path, shown: str) -> dict[str, str]:
    """What may be shown of a file's path and of the folders from the root to it."""
    ways = {}
    there, masked = path, Path(shown)
    while True:
        ways[str(there)] = masked.as_posix()
        if there in (root, there.parent):
            return ways
        there, masked = there.parent, masked.parent
