"""What must not be shown: words of DICOM headers that say who the patient is, and how they are kept out of names.

A name or path that holds one of them is not used: folders are called after patients and files after UIDs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

HIDDEN = "hidden"
_UID = re.compile(r"\d+(\.\d+){5,}")
_NAMES = ("PatientName", "OtherPatientNames", "PatientBirthName", "PatientMotherBirthName")
_STAFF = (
    "ReferringPhysicianName", "PerformingPhysicianName", "OperatorsName", "NameOfPhysiciansReadingStudy",
    "RequestingPhysician",
)  # fmt: skip
_IDS = ("PatientID", "OtherPatientIDs", "AccessionNumber", "PatientBirthDate")
_UIDS = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "FrameOfReferenceUID")
_LONG = 4  # letters from which a word is looked for inside other words, too
_NOBODY = re.compile(r"(anon\w*|unknown|none|no\W*id|deident\w*|patient|test|[0x]+)?", re.IGNORECASE)


class Identifiers(NamedTuple):
    """Words in small letters and digits; never shown, never stored."""

    words: frozenset[str] = frozenset()

    def are_in(self, text: str) -> bool:
        """Whether a text holds one of the words, or anything that looks like a UID."""
        tokens = set(_tokens(text))
        whole = "".join(_tokens(text))
        return bool(_UID.search(text) or tokens & self.words) or any(len(w) >= _LONG and w in whole for w in self.words)

    def shown(self, path: Path) -> str:
        """A path with the parts that hold one of the words replaced."""
        return Path(*(HIDDEN if self.are_in(part) else part for part in path.parts)).as_posix()

    def together(self, others: Iterable[Identifiers]) -> Identifiers:
        """These and others."""
        return Identifiers(self.words.union(*(other.words for other in others)))


def identifiers(dataset: Any) -> Identifiers:
    """The words of a header that identify somebody.

    Where the header says that the patient's identity was removed, its names and ids are pseudonyms: only UIDs count.
    """
    words = {"".join(_tokens(text)) for name in _UIDS for text in _texts(dataset.get(name))}
    words |= {t for name in _STAFF for text in _texts(dataset.get(name)) for t in _tokens(text) if len(t) >= _LONG}
    if str(dataset.get("PatientIdentityRemoved") or "").strip().upper() != "YES":
        words |= {"".join(_tokens(text)) for name in _IDS for text in _texts(dataset.get(name))}
        words |= {token for name in _NAMES for text in _texts(dataset.get(name)) for token in _tokens(text)}
    return Identifiers(frozenset(word for word in words if len(word) > 1))


def is_somebody(patient: str) -> bool:
    """Whether a patient id tells patients apart, unlike the empty one and `ANONYMOUS`."""
    return _NOBODY.fullmatch(patient.strip()) is None


def _texts(value: Any) -> list[str]:
    if value is None:
        return []
    return [str(part) for part in (value if isinstance(value, (list, tuple)) or _several(value) else [value])]


def _several(value: Any) -> bool:
    return hasattr(value, "append") and not isinstance(value, str)


def _tokens(text: str) -> list[str]:
    """Runs of letters and of digits in small letters, whatever is between them."""
    return re.findall(r"[^\W_]+", text.casefold())
