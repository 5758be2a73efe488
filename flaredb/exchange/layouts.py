"""Finding the files to import under a path, and the case each belongs to.

The name of a file is the name of its case, without the extension and without nnU-Net's channel `_0000`, unless a
pattern or a table of names says otherwise. Nothing is read but the first bytes of files that may be DICOM slices.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from flaredb.errors import Finding, NotFoundError, UsageError
from flaredb.exchange import folders
from flaredb.exchange.casenames import CHANNEL, case_name, is_case_name, padded, stem
from flaredb.exchange.dicom_cases import Cases, dicom_cases
from flaredb.exchange.dicom_labels import SEGMENTS, SegLabel, seg_labels
from flaredb.exchange.numbering import shorten
from flaredb.exchange.patterns import NameTable, Pattern
from flaredb.exchange.read import SUFFIXES
from flaredb.exchange.walk import is_volume, made, single, walk


class Found(NamedTuple):
    """A file, a folder of DICOM slices, or a folder of one mask a structure, and the name of its case.

    `part` names one series of a DICOM folder, empty where there is but one; it is `SEGMENTS` for a DICOM SEG.
    `masks` are the (structure, file) pairs of a label that comes as one file a structure, under the folder `path`;
    empty for a label in one file. `split` is the one that the file's folder is named after, None if it says
    nothing. `shown` is the path from the root as it may be recorded where the path itself may name a patient
    (DICOM), else empty.
    """

    case: str
    path: Path
    part: str = ""
    masks: tuple[tuple[str, Path], ...] = ()
    split: str | None = None
    shown: str = ""

    @property
    def called(self) -> str:
        """The name of the file or folder, as it may be recorded."""
        return Path(self.shown or self.path).name


class Search(NamedTuple):
    """What was found, sorted by case, the original before its correction; remarks on what was left out.

    `layout` is what was recognised; `left` counts the files by folder that are for the other command. `root` is the
    name of what was searched, as it may be recorded.
    """

    found: tuple[Found, ...]
    findings: tuple[Finding, ...]
    layout: str = "flat"
    left: tuple[tuple[str, int], ...] = ()
    root: str = ""


class Ask(NamedTuple):
    """How to look: a layout of `folders.LAYOUTS`, or a pattern; a table of names; what is known already.

    `known` are cases that there are, `structures` names that a mask's file may bear. `generated` tells labels of
    another group's model (True) from those that people drew (False) where a folder holds both; None takes all.
    """

    layout: str = "flat"
    pattern: str | None = None
    names: Path | None = None
    known: frozenset[str] = frozenset()
    structures: frozenset[str] = frozenset()
    generated: bool | None = None


@dataclass
class _File:
    """A file on its way to be found."""

    path: Path
    below: PurePosixPath
    place: folders.Place
    case: str = ""
    structure: str = ""
    part: str = ""


@dataclass
class _Look:
    """One search: what was asked, and what has been remarked so far."""

    root: Path
    case: str | None
    ask: Ask
    labels: bool
    findings: list[Finding] = field(default_factory=list)
    left: Counter[str] = field(default_factory=Counter)
    dicom: Cases = field(default_factory=Cases)
    segments: tuple[SegLabel, ...] = ()

    def remark(self, path: Path, rule: str, message: str) -> None:
        """An error on a file."""
        self.findings.append(made(path, rule, message))


def find_images(path: Path, case: str | None = None, ask: Ask = Ask()) -> Search:  # noqa: B008  frozen
    """Find the scans at `path`, a file or a folder searched to the bottom; a folder of DICOM slices is one scan.

    `case` names the case instead of the file; then there must be one file. Hidden files, `._*` and `__MACOSX` are
    passed over. Findings: `bad-name`, `duplicate-name` (none of the files is returned), `outside-root` (links that
    leave `path`), `unknown-format`, `several-files`, `nothing-found`, `unreadable`, `extra-channel`, `name-padded`,
    `unclear-role`, `not-matched`, `name-unused`, `layout-differs`. Raises NotFoundError for a path that does not
    exist, UsageError for a pattern or table of names that is none.
    """
    return _search(_Look(path, case, ask, labels=False))


def find_labels(path: Path, case: str | None = None, ask: Ask = Ask()) -> Search:  # noqa: B008  frozen
    """Find the labels at `path` as `find_images` finds scans, of DICOM the SEG files.

    Label files are not supposed to end in `_0000`; those that do lose it, with an `info` finding `label-name-suffix`.
    Files in a folder of corrections follow the file they correct, with an `info` finding `corrected-file`. A folder
    of files named after structures is one label, its `masks`; further findings: `unknown-structure`,
    `several-collections`.
    """
    return _search(_Look(path, case, ask, labels=True))


def _search(look: _Look) -> Search:
    if look.ask.layout not in folders.LAYOUTS:
        raise UsageError(f"--layout {look.ask.layout!r}; one of: {' '.join(folders.LAYOUTS)}")
    if not look.root.exists():
        raise NotFoundError(f"{look.root}: no such file or folder")
    pattern = Pattern(look.ask.pattern, look.ask.structures) if look.ask.pattern else None
    table = NameTable(look.ask.names) if look.ask.names else None
    files = _files(look)
    layout = _layout(look, files)
    if not files and not look.segments and not look.findings:
        look.remark(look.root, "nothing-found", f"nothing to import; looked for {_wanted(look.labels)}")
    files = _matching(look, files, pattern) if pattern else _of_role(look, files, layout)
    for file in files:
        named = table.case_of(file.path, file.below) if table else None
        named = f"{named}-{file.part}" if named and file.part else named
        if look.case is not None or named is not None:
            file.case = look.case if look.case is not None else named or ""
        elif not file.case and not file.structure:
            file.case = case_name(file.path)
    _table_remarks(look, table)
    if look.labels and look.ask.layout != "flat" and not pattern:
        files = _one_collection(look, files)
    found = [
        *_masks(look, files),
        *_whole(look, files, layout),
        *_segmented(look),
    ]  # corrections come last, and sorting keeps the order
    found.sort(key=lambda item: item.case)
    found = [item._replace(shown=look.dicom.below(item.path, look.root)) for item in found]
    findings = tuple(look.dicom.veiled(look.findings))
    return Search(tuple(found), findings, layout, tuple(sorted(look.left.items())), look.dicom.name(look.root))


def _files(look: _Look) -> list[_File]:
    """Everything under the root that could be one of those wanted."""
    root = look.root
    if root.is_dir():
        paths = list(walk(root, look.findings, dicom=not look.labels))
        if look.ask.layout == "dicom":
            paths = [path for path in paths if not is_volume(path)]
    else:
        paths = list(single(root, look.findings))
    name = root.resolve().name if root.is_dir() else ""
    belows = [PurePosixPath(p.relative_to(root).as_posix() if root.is_dir() else p.name) for p in paths]
    files = [_File(path, below, folders.place(below, name)) for path, below in zip(paths, belows, strict=True)]
    return _series(look, files)


def _series(look: _Look, files: list[_File]) -> list[_File]:
    """DICOM folders and files as the series they hold, with the names of their cases; other files as they are."""
    volumes = [file for file in files if is_volume(file.path)]
    if look.labels:
        segments = seg_labels(look.root, look.ask.structures, look.case)
        look.dicom, look.segments = segments.shown, segments.found
        look.findings += segments.findings
        return volumes
    slices = {file.path: file for file in files if not is_volume(file.path)}
    look.dicom = dicom_cases(look.root, slices)
    look.findings += look.dicom.findings
    return volumes + [replace(slices[c.path], case=c.name, part=c.part) for c in look.dicom.found]


def _layout(look: _Look, files: list[_File]) -> str:
    """The layout asked for, else the one that is recognised."""
    asked = look.ask.layout
    if asked in ("flat", "dicom") or not files:
        return "flat" if asked == "auto" else asked
    if not look.root.is_dir():
        return "flat" if asked == "auto" else asked
    seen = folders.recognise(look.root, [f.below for f in files], all(f.path.is_dir() for f in files))
    if asked not in ("auto", seen):
        message = f"names and folders look like the layout {seen}, not {asked}; they were read as {asked}"
        look.findings.append(made(look.root, "layout-differs", message, "warning"))
    return seen if asked == "auto" else asked


def _matching(look: _Look, files: list[_File], pattern: Pattern) -> list[_File]:
    """The files for which the pattern holds, with what it reads from their paths."""
    kept = []
    for file in files:
        parts = pattern.read(file.below)
        if parts:
            file.case, file.structure = parts
            kept.append(file)
    missed = len(files) - len(kept)
    if missed:
        example = next(f.below for f in files if f not in kept)
        message = f"{missed} of {len(files)} files do not match {pattern.text}, such as {example}; they were left out"
        look.findings.append(made(look.root, "not-matched", message, "info" if kept else "error"))
    return kept


def _of_role(look: _Look, files: list[_File], layout: str) -> list[_File]:
    """The scans of a collection, or its labels; everything where no folder below the root tells them apart."""
    if look.ask.layout == "flat":
        return files
    if layout == "nnunet" and not look.labels:
        files = _first_channel(look, files)
    if not any(file.place.role and file.place.below for file in files):
        return files
    own = "label" if look.labels else "image"
    kept = []
    for file in files:
        role = file.place.role or ("image" if stem(file.path).endswith(CHANNEL) or file.path.is_dir() else None)
        if role is None:
            message = "neither in a folder of images nor of labels; import its folder by itself, or move it"
            look.findings.append(made(file.path, "unclear-role", message, "warning"))
        elif role == own:
            kept.append(file)
        else:
            look.left[file.place.collection] += 1
    if not kept:
        other = "images" if look.labels else "labels"
        look.remark(look.root, "nothing-found", f"{sum(look.left.values())} files, all of them {other} by their folder")
    return kept


def _segmented(look: _Look) -> Iterator[Found]:
    """DICOM SEG files, each a label whose structures are all in one file."""
    for label in look.segments:
        if _nameable(look, label.path, label.case):
            yield Found(label.case, label.path, SEGMENTS, tuple((name, label.path) for name in label.names))


def _first_channel(look: _Look, files: list[_File]) -> list[_File]:
    others = folders.channels(file.path for file in files)
    for path in sorted(others):
        message = f"a further channel of {stem(path)[:-5]}; only channel {CHANNEL} is taken"
        look.findings.append(made(path, "extra-channel", message, "warning", stem(path)[:-5]))
    return [file for file in files if file.path not in others]


def _table_remarks(look: _Look, table: NameTable | None) -> None:
    if table and table.unused:
        message = f"{len(table.unused)} names in {table.path.name} are of no file: {shorten(table.unused)}"
        look.findings.append(made(table.path, "name-unused", message, "warning"))


def _masks(look: _Look, files: list[_File]) -> Iterator[Found]:
    """Files of one structure each, put together by case."""
    groups: dict[tuple[Path, str], list[_File]] = defaultdict(list)
    unknown: dict[str, int] = Counter()
    for file in _mask_files(look, files):
        if file.structure in look.ask.structures:
            groups[file.path.parent, file.case].append(file)
        else:
            unknown[file.structure] += 1
    for name, times in sorted(unknown.items()):
        message = f"the mapping has no structure {name!r}: {times} file(s) left out; name it in a mapping under [names]"
        look.findings.append(made(look.root, "unknown-structure", message, "warning"))
    if unknown and not groups:
        look.remark(look.root, "nothing-found", "no file is named after a structure that the mapping has")
    for (folder, case), members in groups.items():
        masks = tuple(sorted((file.structure, file.path) for file in members))
        if _nameable(look, folder, case):
            yield Found(case, folder, masks=masks)


def _mask_files(look: _Look, files: list[_File]) -> Iterator[_File]:
    """Those files that hold one structure each: a pattern says so, or all the names in their folder."""
    if any(file.structure for file in files):
        yield from (file for file in files if file.structure)
        return
    if not look.labels or look.ask.layout == "flat" or look.ask.pattern:
        return
    by_folder: dict[Path, list[_File]] = defaultdict(list)
    for file in files:
        by_folder[file.path.parent].append(file)
    for folder, members in by_folder.items():
        if len(members) > 1 and sum(stem(f.path) in look.ask.structures for f in members) * 2 > len(members):
            for file in members:
                file.structure = stem(file.path)
                file.case = look.case if look.case is not None else _folder_case(folder)
                yield file


def _folder_case(folder: Path) -> str:
    """The case a folder of masks is named after: `s0001/segmentations` is of s0001."""
    resolved = folder.resolve()
    generic = folders.place(PurePosixPath(resolved.name, "x"), "").role == "label"
    return resolved.parent.name if generic else resolved.name


def _whole(look: _Look, files: list[_File], layout: str) -> list[Found]:
    """Files that are a scan or a label each."""
    files = [file for file in files if not file.structure]
    if look.case is not None and len(files) > 1:
        message = f"{len(files)} files cannot all be case {look.case!r}; name one"
        look.remark(look.root, "several-files", message)
        return []
    files = [file for file in files if _nameable(look, file.path, file.case)]
    if look.case is None and layout != "flat":
        _pad(look, files)
    for file in files:
        if look.labels and look.case is None and not look.ask.pattern and stem(file.path).endswith(CHANNEL):
            message = f"label files do not end in {CHANNEL}; taken as case {file.case}"
            look.findings.append(made(file.path, "label-name-suffix", message, "info", file.case))
    return list(_unique(look, files))


def _nameable(look: _Look, path: Path, name: str) -> bool:
    if not is_case_name(name):
        message = f"{name!r} cannot name a case: letters, digits, '.', '_', '+', '-', at most 128; use --case"
        look.remark(path, "bad-name", message)
        return False
    return True


def _pad(look: _Look, files: list[_File]) -> None:
    """Give names that were written short, such as `Case1` among `Case_00002`, in full."""
    full = padded((file.case for file in files), look.ask.known)
    for file in files:
        if file.case in full:
            message = f"{file.case} is {full[file.case]} written short; taken as that"
            file.case = full[file.case]
            look.findings.append(made(file.path, "name-padded", message, "info", file.case))


def _one_collection(look: _Look, files: list[_File]) -> list[_File]:
    """The labels of one maker: people's, or those of one group's model; none and a finding where that is not one."""
    pseudo = [file for file in files if file.place.pseudo]
    if look.ask.generated is not None and 0 < len(pseudo) < len(files):
        for file in files:
            if file.place.pseudo != look.ask.generated:
                look.left[file.place.collection] += 1
        files = [file for file in files if file.place.pseudo == look.ask.generated]
    cases: dict[str, set[str]] = defaultdict(set)
    for file in files:
        if file.place.pseudo:
            cases[file.place.collection].add(file.case)
    if len(cases) > 1 and sum(map(len, cases.values())) > len(set().union(*cases.values())):
        message = f"labels of {len(cases)} collections for the same cases; import one of: {', '.join(sorted(cases))}"
        look.remark(look.root, "several-collections", message)
        return []
    return files


def _unique(look: _Look, files: Iterable[_File]) -> Iterator[Found]:
    """Those whose case no other file claims; the others become findings. A correction follows what it corrects."""
    claims: dict[tuple[bool, str], list[_File]] = defaultdict(list)
    for file in files:
        claims[file.place.fix and look.labels and look.ask.layout != "flat", file.case].append(file)
    for (fix, case), claimed in sorted(claims.items()):
        for file in claimed:
            if len(claimed) > 1:
                message = f"{len(claimed)} files name case {case}; import them from separate folders"
                look.findings.append(made(file.path, "duplicate-name", message, "error", case))
                continue
            if fix and (False, case) in claims:
                message = "a corrected file; it comes in after the one it corrects, as a newer revision"
                look.findings.append(made(file.path, "corrected-file", message, "info", case))
            yield Found(case, file.path, file.part, split=None if look.labels else file.place.split)


def _wanted(labels: bool) -> str:
    return ", ".join(SUFFIXES) + ("" if labels else " and folders of DICOM slices")
