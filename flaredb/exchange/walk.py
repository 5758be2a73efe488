"""Every volume and DICOM folder under a folder, without junk and without links that lead out of it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from flaredb.errors import Finding, Severity
from flaredb.exchange.dicom import is_dicom
from flaredb.exchange.read import SUFFIXES


def walk(root: Path, findings: list[Finding], dicom: bool) -> Iterator[Path]:
    """Volumes in the order of the names, and with `dicom` the folders of slices; nothing is read but first bytes.

    Hidden files, `._*` and `__MACOSX` are passed over; links are followed to files inside `root` only. Findings:
    `outside-root`, `unreadable`.
    """

    def unreadable(error: OSError) -> None:
        findings.append(made(Path(error.filename), "unreadable", f"the folder cannot be read: {error.strerror}"))

    for name, folders, files in os.walk(root, onerror=unreadable):
        folder = Path(name)
        folders[:] = sorted(f for f in folders if _stays(root, folder / f, findings) and not (folder / f).is_symlink())
        here = [folder / f for f in sorted(files) if _stays(root, folder / f, findings)]
        volumes = [p for p in here if is_volume(p)]
        yield from volumes
        if dicom and _holds_slices(folder, (p for p in here if p not in volumes), findings):
            yield folder


def single(path: Path, findings: list[Finding]) -> Iterator[Path]:
    """A file that was named itself; a finding `unknown-format` if it is no volume."""
    if is_volume(path) or is_dicom(path):
        yield path
    else:
        findings.append(made(path, "unknown-format", f"not one of {', '.join(SUFFIXES)}, nor DICOM"))


def is_volume(path: Path) -> bool:
    """Whether a path is a file with a volume's extension."""
    return path.name.lower().endswith(SUFFIXES) and path.is_file()


def made(path: Path, rule: str, message: str, severity: Severity = "error", case: str | None = None) -> Finding:
    """A finding on a file."""
    return Finding(severity, case, rule, message, str(path))


def _stays(root: Path, path: Path, findings: list[Finding]) -> bool:
    """Whether a path met on the way is to be looked at: not hidden, not junk, not a link that leaves the root."""
    if path.name.startswith(".") or path.name == "__MACOSX":
        return False
    if path.is_symlink():
        if not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root)):
            message = "a link that leaves the folder; copy the file there, or import what it points to"
            findings.append(made(path, "outside-root", message))
            return False
        if not path.exists():
            findings.append(made(path, "unreadable", "a link to a file that is not there; fetch it first"))
            return False
    return True


def _holds_slices(folder: Path, paths: Iterable[Path], findings: list[Finding]) -> bool:
    try:
        return any(is_dicom(path) for path in paths)
    except OSError as error:
        findings.append(made(folder, "unreadable", f"a file in it cannot be read: {error.strerror}"))
        return False
