"""Paths that a manifest or a table names: taken under its folder, and never outside it."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath, PureWindowsPath

from flaredb.exchange.findings import refusal
from flaredb.exchange.read import SUFFIXES

_CHANNEL = "_0000"


def find_inside(root: Path, text: str) -> Path | None:
    """The file of this name under `root`, or None if there is none.

    nnU-Net's manifests leave out the channel, so `x_0000.nii.gz` is found for `x.nii.gz`. Raises InvalidDataError with
    a finding `outside-root` for an absolute path, one with `..` and a link that leaves `root`.
    """
    plain = text.replace("\\", "/")
    absolute = PurePosixPath(plain).is_absolute() or PureWindowsPath(text).drive
    if absolute or ".." in plain.split("/") or "\0" in text:
        raise refusal(Path(text), "outside-root", f"{text!r} is no path inside the folder of the list")
    for name in (plain, _with_channel(plain)):
        path = root / name
        try:
            found = path.is_file()
        except OSError:  # a name longer than the file system takes names no file
            found = False
        if found and not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root)):
            raise refusal(path, "outside-root", f"{text!r} is a link that leaves the folder of the list")
        if found:
            return path
    return None


def named_case(text: str) -> str:
    """The case that a path in a list is named after: its last part, without extension and channel."""
    return _split(text.replace("\\", "/").rpartition("/")[2])[0].removesuffix(_CHANNEL)


def _with_channel(name: str) -> str:
    stem, suffix = _split(name)
    return f"{stem}{_CHANNEL}{suffix}"


def _split(name: str) -> tuple[str, str]:
    """A file's name and its volume's extension."""
    suffix = next((suffix for suffix in SUFFIXES if name.lower().endswith(suffix)), "")
    return name[: len(name) - len(suffix)], name[len(name) - len(suffix) :]
