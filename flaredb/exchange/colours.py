"""Tables that give a label's codes names and colours in ITK-SNAP (label descriptions) and in 3D Slicer (`.ctbl`)."""

from __future__ import annotations

import colorsys
import re
from collections.abc import Mapping
from pathlib import Path

from flaredb.exchange.findings import refusal

Rgb = tuple[int, int, int]
_TURN = 0.61803398875  # of the colour wheel between neighbours, the golden ratio: no two of many come close
_LINE = re.compile(r'\s*(\d+)\s+\d+\s+\d+\s+\d+\s+[\d.]+\s+\d\s+\d\s+"(.*)"\s*')
_HEADER = """\
################################################
# ITK-SnAP Label Description File
# File format:
# IDX   -R-  -G-  -B-  -A--  VIS MSH  LABEL
# Fields:
#    IDX:   Zero-based index
#    -R-:   Red color component (0..255)
#    -G-:   Green color component (0..255)
#    -B-:   Blue color component (0..255)
#    -A-:   Label transparency (0.00 .. 1.00)
#    VIS:   Label visibility (0 or 1)
#    MSH:   Label mesh visibility (0 or 1)
#  LABEL:   Label description
################################################
"""


def colour_of(value: int) -> Rgb:
    """The colour of a code, always the same: red, green, blue from 0 to 255."""
    red, green, blue = colorsys.hsv_to_rgb(value * _TURN % 1, 0.55 + 0.3 * (value % 2), 0.95 - 0.2 * (value % 3 == 2))
    return round(red * 255), round(green * 255), round(blue * 255)


def itksnap_table(names: Mapping[int, str]) -> str:
    """The text of a label description file: code → name, background first."""
    lines = ['    0     0    0    0        0  0  0    "Clear Label"']
    for value, name in sorted(names.items()):
        red, green, blue = colour_of(value)
        lines.append(f'{value:5}   {red:3}  {green:3}  {blue:3}        1  1  1    "{name}"')
    return _HEADER + "\n".join(lines) + "\n"


def slicer_table(names: Mapping[int, str]) -> str:
    """The text of a `.ctbl` colour table: code → name, background first."""
    lines = ["# Color table file", f"# {len(names) + 1} values", "0 background 0 0 0 0"]
    for value, name in sorted(names.items()):
        lines.append(f"{value} {name.replace(' ', '_')} {' '.join(str(channel) for channel in colour_of(value))} 255")
    return "\n".join(lines) + "\n"


def read_itksnap_table(path: Path) -> dict[int, str]:
    """Code → name from a label description file, without background; InvalidDataError (`bad-table`) for another."""
    found: dict[int, str] = {}
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (UnicodeDecodeError, OSError) as error:
        raise refusal(path, "bad-table", f"cannot be read as text ({error})") from error
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if not match or len(match[1]) > 5 or int(match[1]) in found:
            raise refusal(path, "bad-table", f'line {number} is no new row such as: 1 255 0 0 1 1 1 "liver"')
        found[int(match[1])] = match[2].strip()
    found.pop(0, None)
    return found
