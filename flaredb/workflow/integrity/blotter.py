"""Take words out of texts, documents and files, so that nobody finds them again."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from flaredb.workspace import CONFIG

_TEXTS = {".json", ".jsonl", ".txt", ".log", ".csv", ".md", ".html", ".toml", ".svg", ".xml", ".yaml"}
_PICTURES = {".html", ".svg"}
_NO_TEXTS = ("volumes", "backups", "locks")


class Blotter:
    """Replaces words by stand-ins where they stand alone: no letter, digit or underscore before, none but `_` after.

    `kept`: names in which a word stays, such as `Case_1_b` where `Case_1` goes.
    """

    def __init__(self, words: Mapping[str, str], kept: Iterable[str] = ()) -> None:
        self._stand_ins: dict[str, str] = {}
        for word, stand_in in words.items():
            self._stand_ins |= dict.fromkeys((word, json.dumps(word)[1:-1], html.escape(word)), stand_in)
        self._stand_ins |= {name: name for name in kept if any(word in name for word in words)}
        # The longest first: a name that is kept is found before the word in it.
        listed = "|".join(re.escape(word) for word in sorted(self._stand_ins, key=len, reverse=True))
        self._pattern = re.compile(rf"(?<![A-Za-z0-9_])(?:{listed})(?![A-Za-z0-9])") if words else None

    def __call__(self, value: Any) -> Any:
        """A text or a document (lists, dictionaries with their keys) without the words."""
        if isinstance(value, str):
            return self._pattern.sub(lambda found: self._stand_ins[found[0]], value) if self._pattern else value
        if isinstance(value, dict):
            return {self(key): self(item) for key, item in value.items()}
        return [self(item) for item in value] if isinstance(value, list | tuple) else value


def blot_files(root: Path, blot: Blotter) -> None:
    """Delete files of a workspace that are named by a word, and pages and pictures that mention one; blot the texts.

    Volumes, the database and copies of it are left alone; a model's files are never deleted.
    """
    for path in sorted(root.rglob("*")):
        place = path.relative_to(root)
        if not path.is_file() or path.name == CONFIG or place.parts[0].startswith(("catalog.db", *_NO_TEXTS)):
            continue
        erasable = place.parts[0] != "models"
        if erasable and blot(place.as_posix()) != place.as_posix():
            path.unlink()
        elif path.suffix in _TEXTS:
            _blot_text(path, blot, erasable)
    for folder in sorted((f for f in root.rglob("*") if f.is_dir()), reverse=True):
        if blot(folder.name) != folder.name and not any(folder.iterdir()):
            folder.rmdir()


def _blot_text(path: Path, blot: Blotter, erasable: bool) -> None:
    text = path.read_text(encoding="utf-8", errors="surrogateescape")
    clean = _clean(text, path.suffix, blot)
    if clean == text:
        return
    if erasable and path.suffix in _PICTURES:
        path.unlink()
    else:
        path.write_text(clean, encoding="utf-8", errors="surrogateescape")


def _clean(text: str, suffix: str, blot: Blotter) -> str:
    """The text without the words; JSON stays JSON, whatever the words are."""
    if suffix not in (".json", ".jsonl") or blot(text) == text:
        return str(blot(text))
    try:
        if suffix == ".json":
            return json.dumps(blot(json.loads(text)), indent=1)
        return "".join(f"{json.dumps(blot(json.loads(line)))}\n" for line in text.splitlines())
    except ValueError:
        return str(blot(text))
