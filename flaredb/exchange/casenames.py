"""From the name of a file to the name of its case."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from flaredb.exchange.read import SUFFIXES

CHANNEL = "_0000"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,127}")
_NUMBERED = re.compile(r"([A-Za-z]+)_?([0-9]+)")
_PADDED = re.compile(r"([A-Za-z]+)_([0-9]+)")


def is_case_name(name: str) -> bool:
    """Whether a name may name a case: it goes into paths, so letters, digits and `._+-` only, and no `..`."""
    return _NAME.fullmatch(name) is not None and ".." not in name


def case_name(path: Path) -> str:
    """The case a file is named after: `FLARE23_0001_0000.nii.gz` belongs to `FLARE23_0001`."""
    return stem(path).removesuffix(CHANNEL)


def stem(path: Path) -> str:
    """The name without a volume's extension; of a DICOM folder its name, even where the path is `.`."""
    if path.is_dir():
        return path.resolve().name
    return next((path.name[: -len(s)] for s in SUFFIXES if path.name.lower().endswith(s)), path.name)


def padded(names: Iterable[str], known: Iterable[str]) -> dict[str, str]:
    """Names written short → in full: `Case1` is `Case_00001` where the others, or the cases known, are padded so.

    Only for names that are letters and a number, and only where one width is in use; a known case keeps its name.
    """
    here, there = set(names), set(known)
    series: dict[str, dict[int, str]] = defaultdict(dict)  # letters → number → known case
    widths: dict[str, set[int]] = defaultdict(set)
    for name in here | there:
        match = _PADDED.fullmatch(name)
        if match and len(match[2]) > 1 and match[2].startswith("0"):
            widths[match[1]].add(len(match[2]))
            if name in there:
                series[match[1]][int(match[2])] = name
    found = {}
    for name in here - there:
        match = _NUMBERED.fullmatch(name)
        if not match or (len(match[2]) > 1 and match[2].startswith("0")):
            continue
        letters, number = match[1], int(match[2])
        width = max(widths[letters], default=0)
        full = series[letters].get(number) or (f"{letters}_{number:0{width}d}" if len(widths[letters]) == 1 else name)
        if full != name:
            found[name] = full
    return found
