"""What an export remembers at its place: the manifest of a finished one, the journal of one that was interrupted."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from flaredb.errors import ConflictError, InvalidDataError

MANIFEST = "manifest.json"
JOURNAL = ".flaredb-export"


class Written(NamedTuple):
    """A file that is there: its digest, the key of its recipe, and what was seen when it was made."""

    sha256: str
    key: str
    undecided: int
    regridded: bool = False


class Earlier(NamedTuple):
    """What an earlier run left at the place."""

    files: dict[str, Written]
    documents: dict[str, str]
    manifest: dict[str, Any] | None


def earlier(root: Path, wanted: Mapping[str, Any], overwrite: bool) -> Earlier:
    """The manifest and the journal of earlier runs; ConflictError if they were of another request."""
    if not root.exists():
        return Earlier({}, {}, None)
    manifest, files = read_files(root)
    lines = _journal_lines(root)
    requests = [line["request"] for line in lines if "request" in line]
    requests += [manifest["request"]] if manifest else []
    for request in requests:
        if request != wanted and not overwrite:
            raise ConflictError(
                f"{root} holds another export ({_described(request)}); give another folder, or --overwrite"
            )
    for line in lines:
        if "file" in line:
            files[line["file"]] = Written(line["sha256"], line["key"], line["undecided"], line["regridded"])
    documents = {entry["file"]: entry["sha256"] for entry in (manifest or {}).get("documents", [])}
    documents |= {line["document"]: line["sha256"] for line in lines if "document" in line}
    return Earlier(files, documents, manifest)


def read_files(root: Path) -> tuple[dict[str, Any] | None, dict[str, Written]]:
    """The manifest of an export and its files; None and nothing where there is none. InvalidDataError if unreadable."""
    place = root / MANIFEST
    if not place.is_file():
        return None, {}
    try:
        manifest = json.loads(place.read_text(encoding="utf-8"))
        files = {
            e["file"]: Written(e["sha256"], e["key"], e.get("undecided_voxels", 0), "regridded" in e)
            for e in manifest["files"]
        }
        return {"request": manifest["request"], **manifest}, files
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidDataError(f"{root.name}/{MANIFEST} is no manifest that flaredb wrote; move it away") from error


def _journal_lines(root: Path) -> list[Any]:
    """What an interrupted run had noted; a last line that was cut short is left out."""
    if not (root / JOURNAL).is_file():
        return []
    lines = (root / JOURNAL).read_text(encoding="utf-8", errors="replace").split("\n")[:-1]
    found = []
    for line in lines:
        try:
            found.append(json.loads(line))
        except ValueError:  # cut short when the machine went down: the file is compared byte by byte instead
            continue
    return found


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file whole, or leave the one that is there."""
    if path.is_file() and path.read_bytes() == content:
        return
    part = path.with_name(f".{path.name}.part")
    with part.open("wb") as handle:
        handle.write(content)
        handle.flush()
        os.fsync(handle.fileno())
    part.replace(path)


def _described(request: Mapping[str, Any]) -> str:
    said = {key: " ".join(value) if isinstance(value, list) else value for key, value in request.items()}
    return ", ".join(f"{key} {value}" for key, value in said.items() if value not in (None, False))
