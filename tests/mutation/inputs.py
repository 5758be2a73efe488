"""The inputs: whole files of every kind that import reads, damaged one by one, with the command that reads each."""

from __future__ import annotations

import gzip
import json
import os
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import NamedTuple

import numpy as np

from tests.cohorts import SPACE, codes, scan
from tests.exchange.builders import dicom, itk
from tests.mutation import damage

CASE = "whole"
LABEL = ("ingest", "labels", "{}", "--case", CASE, "--source", "s", "--kind", "external", "--annotated", "liver")
BOMB_BYTES = 1 << 30
GOOD = 2  # whole scans in a folder of damaged ones


class Input(NamedTuple):
    """A damaged input: what it was, what was done to it, and the command that meets it.

    `least`: how many undamaged items are among it, which must come in.
    """

    kind: str
    damage: str
    command: tuple[str, ...]
    least: int = 0


def make(folder: Path, count: int, random: Random) -> Iterator[Input]:
    """Whole files first, one of each kind, then `count` damaged inputs, each in a folder of its own."""
    whole = _Whole(folder / "whole")
    kinds = sorted(_KINDS)
    for number in range(count):
        own = folder / f"{number:05d}"
        own.mkdir()
        kind = kinds[number % len(kinds)]
        done, command = _KINDS[kind](whole, own, random)
        yield Input(kind, done, command, GOOD if kind == "folder" else 0)


class _Whole:
    """Undamaged files to start from."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.scan = scan(folder / f"{CASE}_0000.nii.gz")
        self.label = codes(folder / f"{CASE}.nii", 1)
        random = np.random.default_rng(0)
        array = random.integers(-900, 900, SPACE.grid.shape).astype(np.int16)
        self.meta = itk(folder / "a.mha", array)
        self.packed = itk(folder / "b.mha", array, compressed=True)
        self.detached = itk(folder / "c.mhd", array)
        self.nrrd = itk(folder / "a.nrrd", array)
        self.packed_nrrd = itk(folder / "b.nrrd", array, compressed=True)
        self.series = dicom(folder / "series", [2.0 * i for i in range(12)])
        names = [f"case{i}" for i in range(3)]
        listed = [{"image": f"./imagesTr/{n}.nii.gz", "label": f"./labelsTr/{n}.nii.gz"} for n in names]
        document = {
            "name": "made", "licence": "none", "labels": {"0": "background", "1": "liver"}, "modality": {"0": "CT"},
            "numTraining": 3, "numTest": 1, "training": listed, "test": ["./imagesTs/t.nii.gz"],
            "file_ending": ".nii.gz",
        }  # fmt: skip
        self.manifest = json.dumps(document)
        self.annotated = "case,annotated,date\n" + "".join(
            f"{n},liver spleen,2024-05-0{i}\n" for i, n in enumerate(names, 1)
        )
        self.table = "case,image,label,patient,source,kind,annotated,annotator,date,split,centre\n" + "".join(
            f"{n},{n}.nii.gz,,p{n},s,external,liver,Ada,2024-05-07,train,here\n" for n in names
        )
        self.absent = f"case,date,annotator\n{CASE},2024-05-07,Ada\nnobody,,\n"
        self.mapping = 'range = 20\n[codes]\n1 = "liver"\n2 = ["right_kidney", "left_kidney"]\n3 = "ignore"\n'

    def bomb(self, declared: bool) -> Path:
        """A few MB that unpack to a GiB of zeros, which the header declares or does not; made once."""
        path = self.folder / f"bomb-{declared}.nii.gz"
        if not path.exists():
            head = bytearray(self.label.read_bytes()[:352])
            if declared:
                struct.pack_into("<3h", head, 42, 32767, 16384, 1)
            with gzip.open(path, "wb", 1) as stream:
                stream.write(head)
                for _ in range(BOMB_BYTES >> 24):
                    stream.write(bytes(1 << 24))
        return path


Made = tuple[str, tuple[str, ...]]


def _scan(path: Path) -> tuple[str, ...]:
    return ("ingest", "images", str(path), "--case", f"case-{path.parent.name}")


def _label(path: Path, *more: str) -> tuple[str, ...]:
    return (*(part.format(path) for part in LABEL), *more)


def _zipped(whole: _Whole, own: Path, random: Random) -> Made:
    done, content = damage.bytes_of(whole.scan.read_bytes(), random)
    (own / "a.nii.gz").write_bytes(content)
    return done, _scan(own / "a.nii.gz")


def _plain(whole: _Whole, own: Path, random: Random) -> Made:
    done, content = damage.bytes_of(whole.label.read_bytes(), random)
    (own / "a.nii").write_bytes(content)
    return done, _label(own / "a.nii")


def _header(whole: _Whole, own: Path, random: Random) -> Made:
    """A NIfTI header with absurd fields; zipped again, so that only the header is wrong."""
    label = random.random() < 0.5
    content = whole.label.read_bytes() if label else gzip.decompress(whole.scan.read_bytes())
    done, content = damage.nifti_header(content, random)
    path = own / "a.nii.gz"
    path.write_bytes(gzip.compress(content))
    return done, _label(path, *random.choice([(), ("--regrid", "nearest")])) if label else _scan(path)


def _values(whole: _Whole, own: Path, random: Random) -> Made:
    """Labels and scans of floats that are no numbers, too large or not whole."""
    array = np.zeros(SPACE.shape, random.choice([np.float32, np.float64]))
    with np.errstate(all="ignore"):
        array.ravel()[:: random.choice([1, 7, 100])] = random.choice([*damage.ODD_FLOATS, 0.5, 70000, -5, 2**33, 2**63])
    head = bytearray(whole.label.read_bytes()[:352])
    struct.pack_into("<hh", head, 70, *((16, 32) if array.dtype == np.float32 else (64, 64)))
    path = own / "a.nii.gz"
    path.write_bytes(gzip.compress(bytes(head) + array.tobytes()))
    value = f"{array.dtype} {array.ravel()[0]}"
    return value, random.choice([_label(path), _scan(path), (*_scan(path), "--allow-lossy")])


def _meta(whole: _Whole, own: Path, random: Random) -> Made:
    source = random.choice([whole.meta, whole.packed, whole.detached])
    if source == whole.detached:
        (own / "c.raw").write_bytes(source.with_suffix(".raw").read_bytes())
    return _text(source, own, b"ElementDataFile", b"=", random)


def _nrrd(whole: _Whole, own: Path, random: Random) -> Made:
    return _text(random.choice([whole.nrrd, whole.packed_nrrd]), own, b"\n\n", b":", random)


def _text(source: Path, own: Path, end: bytes, separator: bytes, random: Random) -> Made:
    content = source.read_bytes()
    if end == b"ElementDataFile" and random.random() < 0.25:
        odd = random.choice(["LIST", "/etc/passwd", "../whole/c.raw", "a%03d.raw 1 9 1", "c.raw", "", "x.mhd", "."])
        done, content = f"data={odd}", content.partition(end)[0] + f"ElementDataFile = {odd}\n".encode()
    elif random.random() < 0.6:
        done, content = damage.text_header(content, end, separator, random)
    else:
        done, content = damage.bytes_of(content, random)
    path = own / source.name
    path.write_bytes(content)
    return done, random.choice([_scan(path), _label(path)])


def _series(whole: _Whole, own: Path, random: Random) -> Made:
    """A DICOM series with one to three damaged slices."""
    slices = sorted(whole.series.iterdir())
    hit = random.sample(range(len(slices)), random.choice([1, 1, 3]))
    done = ""
    for number, file in enumerate(slices):
        content = file.read_bytes()
        if number in hit:
            done, content = damage.bytes_of(content, random)
        (own / file.name).write_bytes(content)
    return done, ("ingest", "images", str(own), "--case", f"case-{own.name}")


def _manifest(whole: _Whole, own: Path, random: Random) -> Made:
    path = own / "dataset.json"
    table = own / "annotated.csv"
    done, content = damage.document(whole.manifest, random)
    path.write_bytes(content)
    table.write_text(whole.annotated)
    more = ("--source", "m", "--kind", "ground-truth", "--annotated-from", str(table))
    return done, ("ingest", "manifest", str(path), *random.choice([(), more, (*more, "--dry-run")]))


def _table(whole: _Whole, own: Path, random: Random) -> Made:
    path = own / "table.csv"
    done, content = damage.table(whole.table, random)
    path.write_bytes(content)
    return done, ("ingest", "table", str(path))


def _absent(whole: _Whole, own: Path, random: Random) -> Made:
    path = own / "absent.csv"
    done, content = damage.table(whole.absent, random)
    path.write_bytes(content)
    return done, ("ingest", "absent", str(path), "--structures", "tumor", "--source", "reports")


def _statement(whole: _Whole, own: Path, random: Random) -> Made:
    path = own / "annotated.csv"
    done, content = damage.table(whole.annotated.replace("case1", CASE), random)
    path.write_bytes(content)
    command = LABEL[:-2]
    return done, (*(part.format(whole.label) for part in command), "--annotated-from", str(path))


def _mapping(whole: _Whole, own: Path, random: Random) -> Made:
    path = own / "mapping.toml"
    if random.random() < 0.6:
        lines = whole.mapping.splitlines()
        lines[random.randrange(len(lines))] = random.choice(
            ['1 = "lever"', "range = -1", f"range = {10**12}", '99999999999 = "liver"', '-1 = "liver"', "[codes",
             "1 = []", '"a" = "liver"', '1 = ["liver", 3]', "1 = 5", 'background = "liver"', "codes = 3", "[codes.x]"]
        )  # fmt: skip
        done, content = "line", "\n".join(lines).encode()
    else:
        done, content = damage.bytes_of(whole.mapping.encode(), random)
    path.write_bytes(content)
    return done, _label(whole.label, "--mapping", str(path))


def _place(whole: _Whole, own: Path, random: Random) -> Made:
    """Files that are none: links out of the folder, in a ring, to nowhere; folders and pipes named like scans."""
    what = random.choice(["outside", "ring", "nowhere", "folder", "pipe", "device", "name", "table", "manifest"])
    path = own / "a.nii.gz"
    if what in ("table", "manifest"):
        os.symlink("/etc/passwd", own / "link.nii.gz")
        odd = random.choice(
            ["../whole/whole_0000.nii.gz", str(whole.scan), "link.nii.gz", "..", "a/../../x", "\\\\x\\y"]
        )
        if what == "table":
            (own / "t.csv").write_text(f"case,image\nx,{odd}\n")
            return f"table {odd}", ("ingest", "table", str(own / "t.csv"))
        (own / "dataset.json").write_text(json.dumps({"training": [{"image": odd, "label": odd}]}))
        return f"manifest {odd}", ("ingest", "manifest", str(own / "dataset.json"))
    if what == "folder":
        path.mkdir()
    elif what == "pipe":
        os.mkfifo(path)
    elif what == "name":
        path = own / (random.choice(["a b", "é", "-x", "..a", "x" * 200, "a\nb", "💥"]) + ".nii.gz")
        path.write_bytes(whole.scan.read_bytes())
        return "name", ("ingest", "images", str(own))
    else:
        os.symlink({"outside": "/etc/passwd", "ring": path.name, "nowhere": "gone", "device": "/dev/zero"}[what], path)
    return what, ("ingest", "images", str(random.choice([own, path])))


def _huge(whole: _Whole, own: Path, random: Random) -> Made:
    """Headers that declare far more than there is, and gzip files that hold far more than they declare."""
    what = random.choice(["declared", "declared", "bomb", "nrrd", "meta", "true"])
    path = own / "a.nii.gz"
    if what == "declared":
        head = bytearray(whole.label.read_bytes()[:352])
        struct.pack_into("<3h", head, 42, *random.choice([(32767, 32767, 32767), (20000, 20000, 5), (32767, 1, 1)]))
        path.write_bytes(gzip.compress(bytes(head) + bytes(1000)))
    elif what in ("bomb", "true"):
        os.link(whole.bomb(what == "true"), path)
    else:
        source, field = (whole.packed_nrrd, b"sizes: ") if what == "nrrd" else (whole.packed, b"DimSize = ")
        before, _, after = source.read_bytes().partition(field)
        path = own / source.name
        path.write_bytes(before + field + b"60000 60000 60000" + after[after.index(b"\n") :])
    return what, random.choice([_scan(path), _label(path)])


def _axes(whole: _Whole, own: Path, random: Random) -> Made:
    """More or fewer axes, empty ones, and lattices that no rule expects."""
    head = bytearray(whole.label.read_bytes()[:352])
    shape = random.choice([(6, 5, 4, 2), (6, 5), (6,), (0, 5, 4), (6, 5, 4, 1, 3), (1, 1, 1), (120, 1, 1), (5, 6, 4)])
    struct.pack_into("<8h", head, 40, len(shape), *shape, *[1] * (7 - len(shape)))
    spread = random.choice([1.0, 1.0001, 1e3, 1e-3])
    struct.pack_into("<4f", head, 280, -2 * spread, random.choice([0, 0.3, 1e-3]), 0, random.choice([8.0, 0.0, 1e9]))
    path = own / "a.nii"
    path.write_bytes(bytes(head) + bytes(2 * int(np.prod(shape))))
    return f"{shape} × {spread}", _label(path, *random.choice([(), ("--regrid", "nearest")]))


def _folder(whole: _Whole, own: Path, random: Random) -> Made:
    """A folder of whole and damaged scans, with what archives and systems leave lying about."""
    for number in range(GOOD):
        (own / f"good-{own.name}-{number}_0000.nii.gz").write_bytes(whole.scan.read_bytes())
    done = []
    for number in range(random.choice([1, 3, 6])):
        what, content = damage.bytes_of(whole.scan.read_bytes(), random)
        (own / f"bad-{own.name}-{number}.nii.gz").write_bytes(content)
        done.append(what)
    (own / "__MACOSX").mkdir()
    (own / "__MACOSX" / "._a.nii.gz").write_bytes(b"Mac")
    (own / "._b.nii.gz").write_bytes(b"Mac")
    (own / "Thumbs.db").write_bytes(random.randbytes(100))
    os.symlink("..", own / "up")
    os.mkfifo(own / "pipe.nii.gz")
    return " ".join(done), ("ingest", "images", str(own), "--workers", random.choice(["1", "2", "4"]))


def _masks(whole: _Whole, own: Path, random: Random) -> Made:
    """A label of one file a structure, one of them damaged."""
    files = [own / CASE / "seg" / f"{name}.nii.gz" for name in ("liver", "spleen", "pancreas")]
    files[0].parent.mkdir(parents=True)
    for file in files:
        file.write_bytes(gzip.compress(whole.label.read_bytes()))
    hit = random.choice(files)
    done, content = random.choice([damage.bytes_of, damage.nifti_header])(whole.label.read_bytes(), random)
    hit.write_bytes(random.choice([gzip.compress(content), content]))
    command = ("ingest", "labels", str(own), "--source", "masks", "--kind", "external", "--annotated", "liver,spleen")
    return done, (*command, "--pattern", "{case}/seg/{structure}.nii.gz")


def _options(whole: _Whole, own: Path, random: Random) -> Made:
    """Patterns and tables of names that make no sense."""
    (own / "a_0000.nii.gz").write_bytes(whole.scan.read_bytes())
    if random.random() < 0.5:
        odd = random.choice(
            ["", "{", "}", "{}", "{case}", "{case}{case}", "{case}/{case}.nii.gz", "../{case}", "/{case}", "{x}", "**",
             "{case}" * 50, "{structure}.nii.gz", "[", "(?P<case>", "{case!r}", "{case:>9}", "\\", "{anything}", "a\nb"]
        )  # fmt: skip
        return f"pattern {odd[:30]!r}", ("ingest", "images", str(own), "--pattern", odd)
    done, content = damage.table(f"file,case\na_0000.nii.gz,{own.name}\nb.nii.gz,b\n", random)
    (own / "names.csv").write_bytes(content)
    return f"names {done}", ("ingest", "images", str(own), "--names", str(own / "names.csv"))


_KINDS: dict[str, Callable[[_Whole, Path, Random], Made]] = {
    "absent table": _absent,
    "annotated table": _statement,
    "axes": _axes,
    "dicom": _series,
    "folder": _folder,
    "huge": _huge,
    "manifest": _manifest,
    "mapping": _mapping,
    "masks": _masks,
    "metaimage": _meta,
    "nifti header": _header,
    "nifti label": _plain,
    "nifti.gz scan": _zipped,
    "nrrd": _nrrd,
    "options": _options,
    "place": _place,
    "table": _table,
    "values": _values,
}
