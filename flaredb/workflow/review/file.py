"""`review.json`: what an exported review holds, so that files come back to the labels they were made from."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

from flaredb.catalog.reviews import Item
from flaredb.errors import InvalidDataError, NotFoundError
from flaredb.version import __version__

FILE = "review.json"
UNFINISHED = f".{FILE}.part"
VERDICTS = "verdicts.csv"
TABLES = {"itksnap": "labels.txt", "slicer": "structures.ctbl"}
_FORMAT = 1
Program = Literal["itksnap", "slicer"]
PROGRAMS: tuple[Program, ...] = get_args(Program)


class Shown(NamedTuple):
    """A label under review: its name and voxels (None for structures that no label draws) and the structures."""

    label: str | None
    volume: str | None
    structures: tuple[str, ...]


class Exported(NamedTuple):
    """A case as exported: its labels, and its files by role (`image`, `label`): (path under the folder, sha256)."""

    case: str
    labels: tuple[Shown, ...]
    files: dict[str, tuple[str, str]]


@dataclass
class ReviewFile:
    """The content of `review.json`; `structures` is value → name."""

    review: str
    program: Program
    structures: dict[int, str]
    tables: dict[str, str] = field(default_factory=dict)
    cases: dict[str, Exported] = field(default_factory=dict)

    def write(self, folder: Path) -> None:
        """Put it into the folder, whole or not at all."""
        document = {
            "format": _FORMAT,
            "flaredb": __version__,
            "review": self.review,
            "for": self.program,
            "structures": {str(value): name for value, name in sorted(self.structures.items())},
            "tables": self.tables,
            "cases": [_case_document(case) for case in self.cases.values()],
        }
        beside = folder / UNFINISHED
        beside.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        beside.replace(folder / FILE)


def read_review_file(folder: Path) -> ReviewFile:
    """Read the folder's `review.json`; InvalidDataError if it is not as `write` made it."""
    path = folder / FILE
    if not path.is_file():
        raise NotFoundError(f"{folder.name} holds no {FILE}; give the folder that flaredb review export made")
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["format"] != _FORMAT:
            raise InvalidDataError(f"{FILE} is of format {document['format']!r}; this flaredb reads {_FORMAT}")
        exported = [_case_from(each) for each in document["cases"]]
        if document["for"] not in PROGRAMS:
            raise ValueError(f"made for {document['for']!r}")
        return ReviewFile(
            _text(document["review"]),
            document["for"],
            {int(value): _text(name) for value, name in document["structures"].items()},
            {_text(name): _text(sha256) for name, sha256 in document["tables"].items()},
            {each.case: each for each in exported},
        )
    except InvalidDataError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OSError) as error:
        raise InvalidDataError(
            f"{FILE} is damaged ({type(error).__name__}: {error}); export the review again"
        ) from error


def shown(listed: Sequence[Item]) -> tuple[Shown, ...]:
    """The labels of a case's items, with the structures each is looked at for."""
    labels = {item.label.name if item.label else None: item.label for item in listed}
    return tuple(
        Shown(name, label.volume if label else None, tuple(i.structure for i in listed if i.label == label))
        for name, label in labels.items()
    )


def _case_document(case: Exported) -> dict[str, Any]:
    return {
        "case": case.case,
        "labels": [label._asdict() for label in case.labels],
        "files": {role: {"path": path, "sha256": sha256} for role, (path, sha256) in case.files.items()},
    }


def _case_from(document: Any) -> Exported:
    labels = tuple(
        Shown(
            None if each["label"] is None else _text(each["label"]),
            None if each["volume"] is None else _text(each["volume"]),
            tuple(_text(name) for name in each["structures"]),
        )
        for each in document["labels"]
    )
    files = {_text(role): (_text(each["path"]), _text(each["sha256"])) for role, each in document["files"].items()}
    return Exported(_text(document["case"]), labels, files)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value
