"""Checks on MetaImage and NRRD files that ITK does not make.

A header may name another file as its data, anywhere on the disk; ITK follows it. ITK reads a damaged compressed
MetaImage without a complaint, and crashes on one that declares absurdly many axes and on an NRRD whose fields are
longer than its own messages. All that is refused here, before ITK sees the file.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from flaredb.exchange.findings import refusal

_HEADER_LIMIT = 1 << 20
_CHUNK = 1 << 22
_MOST_AXES = 10  # that MetaImage has room for
_LONGEST = 400  # characters of an NRRD field; the directions of four axes take some 250
_DIGITS = 15  # of a number that no program takes for another


class Payload(NamedTuple):
    """Where the voxels of a MetaImage or NRRD file are: in which file, from which byte, deflated or not.

    `checked` is True for formats whose reader notices damage itself.
    """

    path: Path
    start: int
    compressed: bool
    checked: bool


def locate(path: Path) -> Payload:
    """Find the voxels of a `.mha`, `.mhd` or `.nrrd` file.

    Raises InvalidDataError: `unreadable` for a header that makes no sense, `outside-root` for data elsewhere than in
    the file itself (`.mha`, `.nrrd`) or in the same folder (`.mhd`), `empty` for a file of no bytes.
    """
    with path.open("rb") as handle:
        head = handle.read(_HEADER_LIMIT)
    if not head:
        raise refusal(path, "empty", "the file is empty; copy it again")
    return _locate_nrrd(path, head) if path.name.lower().endswith(".nrrd") else _locate_meta(path, head)


def verify(header: Path, payload: Payload, expected: int) -> None:
    """Refuse (`unreadable`) a payload that does not hold `expected` bytes, or whose checksum is wrong."""
    if payload.checked:
        return
    try:
        held = _inflated(payload, expected) if payload.compressed else payload.path.stat().st_size - payload.start
    except zlib.error as error:
        raise refusal(header, "unreadable", f"the compressed voxels are damaged ({error}); copy it again") from error
    if held < expected:
        raise refusal(header, "unreadable", f"cut short: {held:,} of {expected:,} bytes of voxels; copy it again")


def _locate_nrrd(path: Path, head: bytes) -> Payload:
    if not head.startswith(b"NRRD"):
        raise refusal(path, "unreadable", "the file does not begin with an NRRD header")
    text = head.replace(b"\r\n", b"\n").partition(b"\n\n")[0]
    for line in text.split(b"\n"):
        name, colon, value = line.partition(b":")
        if colon and len(line) > _LONGEST and not value.startswith(b"=") and name.strip().lower() != b"content":
            raise refusal(path, "unreadable", f"a line of its header has {len(line):,} characters; the file is damaged")
        if name.strip().lower() in (b"data file", b"datafile"):
            raise refusal(path, "outside-root", "the voxels are in another file; store them in the .nrrd itself")
    return Payload(path, 0, compressed=False, checked=True)


def _locate_meta(path: Path, head: bytes) -> Payload:
    fields, start = _meta_fields(path, head)
    _check_numbers(path, fields)
    if fields.get("binarydata", "true").lower() != "true":
        raise refusal(path, "unreadable", "voxels stored as text are not read; save the file as binary")
    data = fields["elementdatafile"]
    compressed = fields.get("compresseddata", "false").lower() == "true"
    if data.upper() == "LOCAL":
        return Payload(path, start, compressed, checked=False)
    if not path.name.lower().endswith(".mhd") or data in ("", ".", "..") or Path(data).name != data:
        raise refusal(path, "outside-root", f"the voxels are said to be in {data!r}; only a file beside a .mhd is read")
    beside = path.parent / data
    if not beside.is_file() or beside.resolve().parent != path.resolve().parent:
        raise refusal(path, "unreadable", f"the voxels are said to be in {data!r}, which is not beside the header")
    skip = fields.get("headersize", "0")
    return Payload(beside, int(skip) if skip.isdigit() else 0, compressed, checked=False)


def _check_numbers(path: Path, fields: dict[str, str]) -> None:
    """Refuse (`unreadable`) counts that are none: ITK sizes its arrays by them without looking."""
    axes = fields.get("ndims", "")
    if not axes.isascii() or not axes.isdigit() or len(axes) > 2 or not 1 <= int(axes) <= _MOST_AXES:
        raise refusal(path, "unreadable", f"NDims is {axes[:40]!r}; a number of axes up to {_MOST_AXES} is needed")
    sizes = fields.get("dimsize", "").split()
    if len(sizes) != int(axes) or not all(s.isascii() and s.isdigit() and len(s) < _DIGITS for s in sizes):
        raise refusal(path, "unreadable", f"DimSize is {' '.join(sizes)[:40]!r}; {axes} sizes are needed")
    for name in ("elementnumberofchannels", "headersize", "compresseddatasize"):
        text = fields.get(name, "0").removeprefix("-")
        if not text.isascii() or not text.isdigit() or len(text) > _DIGITS:
            raise refusal(path, "unreadable", f"{name} is {fields[name][:40]!r}; a number is needed")


def _meta_fields(path: Path, head: bytes) -> tuple[dict[str, str], int]:
    """The `key = value` lines up to ElementDataFile, keys in lower case, and where the bytes after them begin."""
    fields: dict[str, str] = {}
    position = 0
    for line in head.splitlines(keepends=True):
        position += len(line)
        key, equals, value = line.decode("latin-1").partition("=")
        if not equals:
            break
        fields[key.strip().lower()] = value.strip()
        if key.strip().lower() == "elementdatafile":
            return fields, position
    raise refusal(path, "unreadable", "the file does not begin with a MetaImage header")


def _inflated(payload: Payload, expected: int) -> int:
    """How many bytes the payload inflates to, counted no further than needed; the checksum is compared at its end."""
    inflate = zlib.decompressobj(wbits=47)
    held = 0
    for chunk in _chunks(payload):
        pending = True
        while pending and held <= expected:
            produced = len(inflate.decompress(chunk, _CHUNK))
            held += produced
            chunk = inflate.unconsumed_tail
            pending = produced == _CHUNK or bool(chunk)
        if inflate.eof or held > expected:
            return held
    return min(held, expected - 1)  # the stream never ended


def _chunks(payload: Payload) -> Iterator[bytes]:
    with payload.path.open("rb") as handle:
        handle.seek(payload.start)
        while chunk := handle.read(_CHUNK):
            yield chunk
