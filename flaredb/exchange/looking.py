"""What a search for files to import is asked, goes through, and answers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from flaredb.errors import Finding
from flaredb.exchange import folders
from flaredb.exchange.casenames import is_case_name
from flaredb.exchange.dicom_cases import Cases
from flaredb.exchange.dicom_labels import SegLabel
from flaredb.exchange.walk import made


class Found(NamedTuple):
    """A file, a folder of DICOM slices, or a folder of one mask a structure, and the name of its case.

    `part` names one series of a DICOM folder, empty where there is but one; it is `SEGMENTS` for a DICOM SEG.
    `masks` are the (structure, file) pairs of a label that comes as one file a structure, under the folder `path`;
    empty for a label in one file. `split` is the one that the file's folder is named after, None if it says
    nothing. `shown` is the path from the root as it may be recorded where the path itself may name a patient
    (DICOM), else empty.
    """

    case: str
    path: Path
    part: str = ""
    masks: tuple[tuple[str, Path], ...] = ()
    split: str | None = None
    shown: str = ""

    @property
    def called(self) -> str:
        """The name of the file or folder, as it may be recorded."""
        return Path(self.shown or self.path).name.encode("utf-8", "backslashreplace").decode()


class Search(NamedTuple):
    """What was found, sorted by case, the original before its correction; remarks on what was left out.

    `layout` is what was recognised; `left` counts the files by folder that are for the other command. `root` is the
    name of what was searched, as it may be recorded.
    """

    found: tuple[Found, ...]
    findings: tuple[Finding, ...]
    layout: str = "flat"
    left: tuple[tuple[str, int], ...] = ()
    root: str = ""


class Ask(NamedTuple):
    """How to look: a layout of `folders.LAYOUTS`, or a pattern; a table of names; what is known already.

    `known` are cases that there are, `structures` names that a mask's file may bear. `generated` tells labels of
    another group's model (True) from those that people drew (False) where a folder holds both; None takes all.
    """

    layout: str = "flat"
    pattern: str | None = None
    names: Path | None = None
    known: frozenset[str] = frozenset()
    structures: frozenset[str] = frozenset()
    generated: bool | None = None


@dataclass
class File:
    """A file on its way to be found."""

    path: Path
    below: PurePosixPath
    place: folders.Place
    case: str = ""
    structure: str = ""
    part: str = ""


@dataclass
class Look:
    """One search: what was asked, and what has been remarked so far."""

    root: Path
    case: str | None
    ask: Ask
    labels: bool
    findings: list[Finding] = field(default_factory=list)
    left: Counter[str] = field(default_factory=Counter)
    dicom: Cases = field(default_factory=Cases)
    segments: tuple[SegLabel, ...] = ()

    def remark(self, path: Path, rule: str, message: str) -> None:
        """An error on a file."""
        self.findings.append(made(path, rule, message))


def nameable(look: Look, path: Path, name: str) -> bool:
    """Whether a name may name a case; a finding `bad-name` if not."""
    if not is_case_name(name):
        message = f"{name!r} cannot name a case: letters, digits, '.', '_', '+', '-', at most 128; use --case"
        look.remark(path, "bad-name", message)
        return False
    return True
