"""What an import found before it reads a voxel: told, planned, and recorded once the files come in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from flaredb.catalog import cases
from flaredb.catalog.database import Run
from flaredb.errors import Finding
from flaredb.exchange.dicom_cases import dicom_cases
from flaredb.exchange.layouts import Found, Search
from flaredb.workflow.results import Outcome
from flaredb.workspace import Workspace


class Remarks:
    """Findings of a search: those in `general` are told at once, notes on a file only if the file is not known yet."""

    def __init__(self, findings: Iterable[Finding], root: Path) -> None:
        self.general: list[Finding] = []
        self._root = root
        self._notes: dict[str, list[Finding]] = defaultdict(list)
        for finding in findings:
            if finding.severity == "info" and finding.case and finding.path:
                dicom = finding.rule.startswith("dicom-")  # whose paths may not be shown
                self._notes[finding.case if dicom else finding.path].append(finding)
            else:
                place = below(Path(finding.path), root) if finding.path else None
                self.general.append(finding._replace(path=place))

    def of(self, run: Run, item: Found, outcome: Outcome) -> list[Finding]:
        """The notes on a file that was dealt with, recorded; none if nothing changed."""
        own = self._notes.pop(item.case if item.shown else str(item.path), [])
        notes = [note._replace(path=place_of(item, self._root)) for note in own]
        if outcome == "unchanged" or not notes:
            return []
        with run.write() as write:
            write.add_findings(notes)
        return notes


def told(findings: Iterable[Finding], root: Path) -> tuple[Finding, ...]:
    """The findings with paths below what was imported: an absolute one says nothing on another machine."""
    return tuple(f._replace(path=below(Path(f.path), root) if f.path else None) for f in findings)


def known_names(workspace: Workspace) -> frozenset[str]:
    """Every name that a case has or had."""
    with workspace.catalog.read() as connection:
        return frozenset(cases.names(connection)) | frozenset(cases.present_names(connection))


def say_layout(workspace: Workspace, search: Search, other: str) -> None:
    """Tell what was recognised, and what was left for the other command."""
    if search.layout != "flat":
        workspace.reporter.say(f"layout {search.layout}: {len(search.found)} found")
    if search.left:
        left = ", ".join(f"{count} in {folder}" for folder, count in search.left)
        workspace.reporter.say(f"left for another import ({other}): {left}")


def planned(root: Path, layout: str, what: str, outcomes: list[tuple[Found, str]]) -> dict[str, Any]:
    """What `--dry-run` lists: the layout, the names that would be added, and what would become of each file."""
    files = [{"case": item.case, "file": place_of(item, root), "outcome": outcome} for item, outcome in outcomes]
    added = [row["case"] for row in files if row["outcome"] == "added"]
    return {"layout": layout, what: added, "files": files}


def place_of(item: Found, root: Path) -> str:
    """Where a file lies below what was imported, as it may be recorded."""
    return item.shown or below(item.path, root)


def veiled(item: Found, root: Path) -> Found:
    """A DICOM folder that a table or list named, with its place as it may be recorded; others as they are."""
    if item.shown or item.path.is_file():
        return item
    return item._replace(shown=dicom_cases(root, [item.path]).below(item.path, root))


def below(path: Path, root: Path) -> str:
    """Relative to what was imported: an absolute path says nothing on another machine."""
    folder = root if root.is_dir() else root.parent
    place = path.relative_to(folder).as_posix() if path.is_relative_to(folder) and path != folder else path.name
    return place.encode("utf-8", "backslashreplace").decode()
