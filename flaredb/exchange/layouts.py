"""Finding the files to import under a path, and the case each belongs to.

The name of a file is the name of its case, without the extension and without nnU-Net's channel `_0000`. Nothing is
read but the first bytes of files that may be DICOM slices.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from flaredb.errors import Finding, NotFoundError, Severity
from flaredb.exchange.dicom import is_dicom
from flaredb.exchange.read import SUFFIXES

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,127}")
_CHANNEL = "_0000"


class Found(NamedTuple):
    """A file, a folder of DICOM slices, or a folder of one mask a structure, and the name of its case.

    `part` names one series of a DICOM folder, empty where there is but one. `masks` are the (structure, file) pairs
    of a label that comes as one file a structure, under the folder `path`; empty for a label in one file.
    """

    case: str
    path: Path
    part: str = ""
    masks: tuple[tuple[str, Path], ...] = ()


class Search(NamedTuple):
    """What was found, sorted by case, and remarks on what was left out."""

    found: tuple[Found, ...]
    findings: tuple[Finding, ...]


def find_images(path: Path, case: str | None = None) -> Search:
    """Find the scans at `path`, a file or a folder searched to the bottom; a folder of DICOM slices is one scan.

    `case` names the case instead of the file; then there must be one file. Hidden files, `._*` and `__MACOSX` are
    passed over. Findings: `bad-name`, `duplicate-name` (none of the files is returned), `outside-root` (links that
    leave `path`), `unknown-format`, `several-files`, `nothing-found`, `unreadable`. Raises NotFoundError for a path
    that does not exist.
    """
    return _search(path, case, labels=False)


def find_labels(path: Path, case: str | None = None) -> Search:
    """Find the labels at `path` as `find_images` finds scans, but no DICOM.

    Label files are not supposed to end in `_0000`; those that do lose it, with an `info` finding `label-name-suffix`.
    """
    return _search(path, case, labels=True)


def is_case_name(name: str) -> bool:
    """Whether a name may name a case: it goes into paths, so letters, digits and `._+-` only, and no `..`."""
    return _NAME.fullmatch(name) is not None and ".." not in name


def case_name(path: Path) -> str:
    """The case a file is named after: `FLARE23_0001_0000.nii.gz` belongs to `FLARE23_0001`."""
    return _stem(path).removesuffix(_CHANNEL)


def _search(path: Path, case: str | None, labels: bool) -> Search:
    if not path.exists():
        raise NotFoundError(f"{path}: no such file or folder")
    findings: list[Finding] = []
    paths = list(_walk(path, findings, labels)) if path.is_dir() else list(_single(path, findings))
    if not paths and not findings:
        findings.append(_finding(path, "nothing-found", f"nothing to import; looked for {_wanted(labels)}"))
    if case is not None and len(paths) > 1:
        findings.append(_finding(path, "several-files", f"{len(paths)} files cannot all be case {case!r}; name one"))
        return Search((), tuple(findings))
    found = _named(paths, case, labels, findings)
    return Search(tuple(sorted(_unique(found, findings))), tuple(findings))


def _single(path: Path, findings: list[Finding]) -> Iterator[Path]:
    if _is_volume(path):
        yield path
    else:
        advice = "give the folder of the slices" if is_dicom(path) else f"not one of {', '.join(SUFFIXES)}"
        findings.append(_finding(path, "unknown-format", advice))


def _walk(root: Path, findings: list[Finding], labels: bool) -> Iterator[Path]:
    """Every volume under a folder, in the order of the names; links are followed to files inside the folder only."""

    def unreadable(error: OSError) -> None:
        findings.append(_finding(Path(error.filename), "unreadable", f"the folder cannot be read: {error.strerror}"))

    for name, folders, files in os.walk(root, onerror=unreadable):
        folder = Path(name)
        folders[:] = sorted(f for f in folders if _stays(root, folder / f, findings) and not (folder / f).is_symlink())
        here = [folder / f for f in sorted(files) if _stays(root, folder / f, findings)]
        volumes = [p for p in here if _is_volume(p)]
        yield from volumes
        if not volumes and not labels and _holds_slices(folder, here, findings):
            yield folder


def _stays(root: Path, path: Path, findings: list[Finding]) -> bool:
    """Whether a path met on the way is to be looked at: not hidden, not junk, not a link that leaves the root."""
    if path.name.startswith(".") or path.name == "__MACOSX":
        return False
    if path.is_symlink():
        if not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root)):
            message = "a link that leaves the folder; copy the file there, or import what it points to"
            findings.append(_finding(path, "outside-root", message))
            return False
        if not path.exists():
            findings.append(_finding(path, "unreadable", "a link to a file that is not there; fetch it first"))
            return False
    return True


def _holds_slices(folder: Path, paths: Iterable[Path], findings: list[Finding]) -> bool:
    try:
        return any(is_dicom(path) for path in paths)
    except OSError as error:
        findings.append(_finding(folder, "unreadable", f"a file in it cannot be read: {error.strerror}"))
        return False


def _named(paths: Iterable[Path], case: str | None, labels: bool, findings: list[Finding]) -> Iterator[Found]:
    for path in paths:
        name = case if case is not None else case_name(path)
        if not is_case_name(name):
            message = f"{name!r} cannot name a case: letters, digits, '.', '_', '+', '-', at most 128; use --case"
            findings.append(_finding(path, "bad-name", message))
            continue
        if labels and case is None and _stem(path).endswith(_CHANNEL):
            message = f"label files do not end in {_CHANNEL}; taken as case {name}"
            findings.append(_finding(path, "label-name-suffix", message, "info", name))
        yield Found(name, path)


def _unique(found: Iterable[Found], findings: list[Finding]) -> Iterator[Found]:
    """Those whose case no other file claims; the others become findings."""
    everything = list(found)
    times = Counter(item.case for item in everything)
    for item in everything:
        if times[item.case] == 1:
            yield item
        else:
            message = f"{times[item.case]} files name case {item.case}; import them from separate folders"
            findings.append(_finding(item.path, "duplicate-name", message, case=item.case))


def _finding(path: Path, rule: str, message: str, severity: Severity = "error", case: str | None = None) -> Finding:
    return Finding(severity, case, rule, message, str(path))


def _is_volume(path: Path) -> bool:
    return path.name.lower().endswith(SUFFIXES) and path.is_file()


def _stem(path: Path) -> str:
    """The name without a volume's extension; of a DICOM folder its name, even where the path is `.`."""
    name = path.resolve().name if path.is_dir() else path.name
    for suffix in SUFFIXES:
        if name.lower().endswith(suffix) and not path.is_dir():
            return name[: -len(suffix)]
    return name


def _wanted(labels: bool) -> str:
    return ", ".join(SUFFIXES) + ("" if labels else " and folders of DICOM slices")
