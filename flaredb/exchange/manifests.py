"""The cases that an nnU-Net or MSD `dataset.json` lists, and what is wrong with the list.

No file beside it is looked at. A list is an array of `{"image", "label"}` or of image paths; a case is named after its
image, without extension and channel.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from flaredb.errors import Finding, NotFoundError, Severity
from flaredb.exchange.casenames import is_case_name
from flaredb.exchange.findings import refusal
from flaredb.exchange.numbering import find_gaps
from flaredb.exchange.places import named_case

_LISTS = {
    "train": ("training", "numTraining"),
    "validation": ("validation", "numValidation"),
    "test": ("test", "numTest"),
}


class Entry(NamedTuple):
    """A listed case and the paths written beside it; `label` is None where none is listed."""

    case: str
    image: str | None
    label: str | None


class Manifest(NamedTuple):
    """What a manifest says: its entries by split, as listed, and how many it announces."""

    title: str | None
    licence: str | None
    lists: dict[str, tuple[Entry, ...]]
    announced: dict[str, int]
    findings: tuple[Finding, ...]
    """Entries that cannot be read."""

    @property
    def every(self) -> set[str]:
        """The cases of all lists."""
        return {entry.case for entries in self.lists.values() for entry in entries}


class Reviewed(NamedTuple):
    """The entries of one list that can be taken, and remarks on the list."""

    entries: tuple[Entry, ...]
    findings: tuple[Finding, ...]


def read_manifest(path: Path) -> Manifest:
    """Read a manifest; InvalidDataError if it is no JSON object or has no list of cases."""
    document = _document(path)
    findings: list[Finding] = []
    lists = {}
    for split, (key, _) in _LISTS.items():
        listed = document.get(key)
        if split == "train" and listed is None:
            listed = _second_version(document.get("dataset"))
        if listed is None:
            continue
        if not isinstance(listed, list):
            raise refusal(path, "not-a-manifest", f"`{key}` must be a list of cases")
        lists[split] = tuple(_entries(path, key, listed, findings))
    if not lists:
        raise refusal(path, "no-list", _without_list(document))
    announced = {}
    for split, (_, key) in _LISTS.items():
        if isinstance(document.get(key), int) and not isinstance(document[key], bool):
            announced[split] = document[key]
        elif document.get(key) is not None:
            findings.append(
                _finding(path, None, "count-differs", f"`{key}` is {document[key]!r:.100}, no number of cases")
            )
    licence = document.get("licence") or document.get("license")
    return Manifest(_text(document.get("name")), _text(licence), lists, announced, tuple(findings))


def choose_split(path: Path, manifest: Manifest, split: str | None) -> str:
    """Whose list is meant: the split's own; else the only list there is, whatever it is called."""
    wanted = split or "train"
    filled = [name for name, entries in manifest.lists.items() if entries]
    if wanted in filled or not filled:
        return wanted if wanted in manifest.lists else next(iter(manifest.lists))
    if len(filled) == 1 and split:
        return filled[0]
    there = ", ".join(f"{len(manifest.lists[name])} in `{_LISTS[name][0]}` (--split {name})" for name in filled)
    raise refusal(path, "no-list", f"there is no list `{_LISTS[wanted][0]}`; cases listed: {there}")


def review(path: Path, manifest: Manifest, split: str) -> Reviewed:
    """Hold one list against itself and the others: counts, gaps, names listed twice, cases in two splits."""
    listed = manifest.lists[split]
    findings = [*manifest.findings, *_counts(path, manifest, split), *_gaps(path, listed)]
    elsewhere = {
        entry.case: _LISTS[other][0] for other, entries in manifest.lists.items() if other != split for entry in entries
    }
    times = Counter(entry.case for entry in listed)
    different = Counter(entry.case for entry in set(listed))
    taken = []
    for entry in dict.fromkeys(listed):
        if entry.case in elsewhere:
            message = (
                f"listed in `{_LISTS[split][0]}` and in `{elsewhere[entry.case]}`; a case has one split: not taken"
            )
            findings.append(_finding(path, entry.case, "two-splits", message, "error"))
        elif different[entry.case] > 1:
            message = f"listed with {different[entry.case]} different files ({entry.image!r:.100}); none is taken"
            findings.append(_finding(path, entry.case, "duplicate-name", message, "error"))
        else:
            taken.append(entry)
            if times[entry.case] > 1:
                message = f"listed {times[entry.case]} times; taken once"
                findings.append(_finding(path, entry.case, "duplicate-name", message))
    return Reviewed(tuple(taken), tuple(findings))


def _document(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise NotFoundError(f"{path}: no such file")
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise refusal(path, "not-json", f"not JSON: {error}") from error
    if not isinstance(document, dict):
        raise refusal(path, "not-a-manifest", "not a manifest: a JSON object with a list `training` is wanted")
    return document


def _refuse_constant(text: str) -> None:
    raise ValueError(f"{text} is no JSON value")


def _second_version(dataset: Any) -> list[Any] | None:
    """nnU-Net v2's optional `dataset`: case → its images and label."""
    if not isinstance(dataset, dict):
        return None
    return [
        {"case": name, "image": files.get("images"), "label": files.get("label")} if isinstance(files, dict) else None
        for name, files in dataset.items()
    ]


def _without_list(document: dict[str, Any]) -> str:
    announced = document.get("numTraining")
    counted = f"`numTraining` announces {announced!r:.100} cases, but " if announced is not None else ""
    hint = "nnU-Net v2 names its cases by their files alone: flaredb ingest images imagesTr, then ingest labels"
    return f"{counted}no list `training` names them; {hint}"


def _entries(path: Path, key: str, listed: list[Any], findings: list[Finding]) -> Iterator[Entry]:
    for number, item in enumerate(listed, start=1):
        try:
            entry = _entry(item)
        except ValueError as error:
            findings.append(_finding(path, None, "bad-entry", f"`{key}` entry {number}: {error}", "error"))
            continue
        if is_case_name(entry.case):
            yield entry
        else:
            message = f"`{key}` entry {number}: {entry.case[:200]!r} cannot name a case: letters, digits and ._+-"
            findings.append(_finding(path, None, "bad-name", message, "error"))


def _entry(item: Any) -> Entry:
    """An item as an entry; ValueError says what is wrong with it."""
    fields = item if isinstance(item, dict) else {"image": item}
    image, label = _file(fields.get("image")), _file(fields.get("label"))
    if image is None and label is None:
        raise ValueError("names no file")
    name = fields.get("case") or named_case(image or label or "")
    if not isinstance(name, str):
        raise ValueError(f"case {name!r:.100} is no name")
    return Entry(name, image, label)


def _file(value: Any) -> str | None:
    """One path, or None for none."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise ValueError(f"{value!r:.100} is not the path of one file")
    return value


def _counts(path: Path, manifest: Manifest, split: str) -> Iterator[Finding]:
    key, count = _LISTS[split]
    listed, announced = len(manifest.lists[split]), manifest.announced.get(split)
    if announced is not None and announced != listed:
        message = f"`{count}` announces {announced} cases, `{key}` lists {listed}"
        yield _finding(path, None, "count-differs", message)


def _gaps(path: Path, listed: tuple[Entry, ...]) -> Iterator[Finding]:
    for gap in find_gaps(entry.case for entry in listed):
        message = f"{gap.missing} missing between {gap.first} and {gap.last}: {gap.text}"
        case = gap.text if gap.missing == 1 else None
        # A list that leaves out more than it holds is a choice of cases, not a list with a hole.
        yield _finding(path, case, "numbering-gap", message, "warning" if gap.missing < gap.listed else "info")


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value.strip() and value.isprintable() else None


def _finding(path: Path, case: str | None, rule: str, message: str, severity: Severity = "warning") -> Finding:
    return Finding(severity, case, rule, message, path.name)
