"""Ways to damage bytes, headers, documents and tables; all chance comes from the generator that is handed in."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from random import Random
from typing import Any

ODD_NUMBERS = [0, -1, 1, 2, 7, 255, 32767, -32768, 10**6, 2**31 - 1, -(2**31), 2**63 - 1]
ODD_FLOATS = [0.0, -0.0, -1.0, 1e-30, 1e30, 3.4e38, float("nan"), float("inf"), float("-inf")]
ODD_TEXTS = [
    "", " ", "nan", "-1", "1e999", "99999999999999999999", "../../../etc/passwd", "/etc/passwd", "..", ".",
    "a\0b", "a\nb", "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"), "x" * 5000, "%s%n%03d", "CON",
    "~/x", "file:///etc/passwd", "$HOME", "-rf", "'; DROP TABLE cases; --", "\u202egnp", "True", "null",
]  # fmt: skip
NIFTI_FIELDS = {
    "sizeof_hdr": (0, "i"), "ndim": (40, "h"), "dim1": (42, "h"), "dim2": (44, "h"), "dim3": (46, "h"),
    "dim4": (48, "h"), "datatype": (70, "h"), "bitpix": (72, "h"), "qfac": (76, "f"), "pixdim1": (80, "f"),
    "pixdim2": (84, "f"), "pixdim3": (88, "f"), "vox_offset": (108, "f"), "scl_slope": (112, "f"),
    "scl_inter": (116, "f"), "qform_code": (252, "h"), "sform_code": (254, "h"), "quatern_b": (256, "f"),
    "srow_x0": (280, "f"), "srow_x3": (292, "f"), "srow_y1": (300, "f"), "srow_z0": (312, "f"), "srow_z2": (320, "f"),
    "magic": (344, "i"),
}  # fmt: skip


def bytes_of(content: bytes, random: Random) -> tuple[str, bytes]:
    """Flip bits, cut, blank, double, insert or empty: what was done, and the bytes."""
    name = random.choice(["flip", "flip", "flip-head", "flip-head", "cut", "cut", "blank", "double", "insert", "swap"])
    return name, _BYTES[name](content, random)


def nifti_header(content: bytes, random: Random) -> tuple[str, bytes]:
    """One or two fields of a NIfTI-1 header with absurd values."""
    changed, done = bytearray(content), []
    for name in random.sample(sorted(NIFTI_FIELDS), random.choice([1, 1, 2])):
        place, code = NIFTI_FIELDS[name]
        value: Any = random.choice(ODD_FLOATS if code == "f" else ODD_NUMBERS)
        if code == "h":
            value = max(-32768, min(32767, value))
        elif code == "i":
            value = max(-(2**31), min(2**31 - 1, value))
        struct.pack_into("<" + code, changed, place, value)
        done.append(f"{name}={value}")
    return " ".join(done), bytes(changed)


def text_header(content: bytes, end: bytes, separator: bytes, random: Random) -> tuple[str, bytes]:
    """One line of a text header (all before `end`) with another value, doubled or gone."""
    head, found, rest = content.partition(end)
    lines = head.split(b"\n")
    place = random.randrange(len(lines))
    key, equals, value = lines[place].partition(separator)
    what = random.choice(["value", "value", "value", "value", "gone", "doubled"])
    if what == "gone":
        del lines[place]
    elif what == "doubled":
        lines.insert(place, lines[place])
    else:
        parts = value.split()
        odd = str(random.choice([*ODD_NUMBERS, *ODD_FLOATS, *ODD_TEXTS])).encode("utf-8", "replace")
        if parts and random.random() < 0.7:
            parts[random.randrange(len(parts))] = odd
            value = b" ".join(parts)
        else:
            value = odd
        lines[place] = key + equals + b" " + value
        what = f"{key.decode('latin-1')[:20]}={value.decode('latin-1')[:30]!r}"
    return what, b"\n".join(lines) + found + rest


def document(content: str, random: Random) -> tuple[str, bytes]:
    """A JSON document with a node of another type, cut, or no JSON at all."""
    what = random.choice(["node", "node", "node", "node", "node", "cut", "deep", "number", "bytes"])
    if what == "cut":
        return what, content[: random.randrange(len(content))].encode()
    if what == "deep":
        return what, b"[" * 100_000
    if what == "number":
        return what, content.replace("1", "1" * 6000, 1).encode()
    if what == "bytes":
        return bytes_of(content.encode(), random)
    value = json.loads(content)
    places: list[tuple[Any, Any]] = []
    _nodes(value, places)
    holder, key = random.choice(places)
    odd = random.choice([None, True, 0, -1, 1.5, 1e308, [], {}, [[]], {"a": 1}, [None], *ODD_TEXTS])
    holder[key] = odd
    return f"{key}={str(odd)[:30]!r}", json.dumps(value).encode()


def table(content: str, random: Random) -> tuple[str, bytes]:
    """A CSV table with an odd cell, column, quote or encoding."""
    what = random.choice(["cell", "cell", "cell", "cell", "header", "column", "quote", "encoding", "bytes", "empty"])
    rows = [line.split(",") for line in content.splitlines()]
    if what in ("cell", "header"):
        row = rows[0 if what == "header" else random.randrange(len(rows))]
        row[random.randrange(len(row))] = random.choice(ODD_TEXTS)
    elif what == "column":
        row = random.choice(rows)
        row.insert(random.randrange(len(row) + 1), random.choice(row))
    elif what == "quote":
        rows[random.randrange(len(rows))][0] = '"never closed'
    text = "\n".join(",".join(row) for row in rows) + "\n"
    if what == "encoding":
        return what, random.choice([text.encode("utf-16"), b"\xff\xfe" + text.encode(), b"\xe9\xe8," + text.encode()])
    if what == "bytes":
        return bytes_of(text.encode(), random)
    return what, b"" if what == "empty" else text.encode("utf-8", "replace")


def _nodes(value: Any, found: list[tuple[Any, Any]]) -> None:
    """Every (holder, key) of a document."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in list(pairs):
        found.append((value, key))
        _nodes(item, found)


def _flip(content: bytes, random: Random, end: int | None = None) -> bytes:
    changed = bytearray(content)
    for _ in range(random.choice([1, 1, 2, 8, 64])):
        changed[random.randrange(min(len(changed), end or len(changed)))] ^= 1 << random.randrange(8)
    return bytes(changed)


def _blank(content: bytes, random: Random) -> bytes:
    begin = random.randrange(len(content))
    length = random.choice([1, 16, 512])
    return content[:begin] + bytes(len(content[begin : begin + length])) + content[begin + length :]


def _insert(content: bytes, random: Random) -> bytes:
    begin = random.randrange(len(content))
    return content[:begin] + random.randbytes(random.choice([1, 3, 100])) + content[begin:]


def _swap(content: bytes, random: Random) -> bytes:
    middle = random.randrange(len(content))
    return content[middle:] + content[:middle]


_BYTES: dict[str, Callable[[bytes, Random], bytes]] = {
    "flip": _flip,
    "flip-head": lambda content, random: _flip(content, random, 352),
    "cut": lambda content, random: content[: random.choice([0, 1, 10, 352, random.randrange(len(content))])],
    "blank": _blank,
    "double": lambda content, _: content + content,
    "insert": _insert,
    "swap": _swap,
}
