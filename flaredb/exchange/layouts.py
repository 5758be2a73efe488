"""Finding the files to import under a path, and the case each belongs to.

The name of a file is the name of its case, without the extension and without nnU-Net's channel `_0000`, unless a
pattern or a table of names says otherwise. Nothing is read but the first bytes of files that may be DICOM slices.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath

from flaredb.errors import NotFoundError, UsageError
from flaredb.exchange import folders
from flaredb.exchange.casenames import CHANNEL, case_name, padded, stem
from flaredb.exchange.dicom_cases import dicom_cases
from flaredb.exchange.dicom_labels import SEGMENTS, seg_labels
from flaredb.exchange.dicom_names import HIDDEN
from flaredb.exchange.looking import Ask, File, Found, Look, Search, nameable
from flaredb.exchange.numbering import shorten
from flaredb.exchange.patterns import NameTable, Pattern
from flaredb.exchange.read import SUFFIXES
from flaredb.exchange.roles import layout_of, of_role, one_collection
from flaredb.exchange.structure_files import structure_files
from flaredb.exchange.walk import is_volume, made, single, walk

__all__ = ["Ask", "Found", "Search", "find_images", "find_labels"]


def find_images(path: Path, case: str | None = None, ask: Ask = Ask()) -> Search:  # noqa: B008  frozen
    """Find the scans at `path`, a file or a folder searched to the bottom; a folder of DICOM slices is one scan.

    `case` names the case instead of the file; then there must be one file. Hidden files, `._*` and `__MACOSX` are
    passed over. Findings: `bad-name`, `duplicate-name` (none of the files is returned), `outside-root` (links that
    leave `path`), `unknown-format`, `several-files`, `nothing-found`, `unreadable`, `extra-channel`, `name-padded`,
    `unclear-role`, `not-matched`, `name-unused`, `layout-differs`. Raises NotFoundError for a path that does not
    exist, UsageError for a pattern or table of names that is none.
    """
    return _search(Look(path, case, ask, labels=False))


def find_labels(path: Path, case: str | None = None, ask: Ask = Ask()) -> Search:  # noqa: B008  frozen
    """Find the labels at `path` as `find_images` finds scans, of DICOM the SEG files.

    Label files are not supposed to end in `_0000`; those that do lose it, with an `info` finding `label-name-suffix`.
    Files in a folder of corrections follow the file they correct, with an `info` finding `corrected-file`. A folder
    of files named after structures is one label, its `masks`; further findings: `unknown-structure`,
    `several-collections`.
    """
    return _search(Look(path, case, ask, labels=True))


def _search(look: Look) -> Search:
    if look.ask.layout not in folders.LAYOUTS:
        raise UsageError(f"--layout {look.ask.layout!r}; one of: {' '.join(folders.LAYOUTS)}")
    if not look.root.exists():
        raise NotFoundError(f"{look.root}: no such file or folder")
    pattern = Pattern(look.ask.pattern, look.ask.structures) if look.ask.pattern else None
    table = NameTable(look.ask.names) if look.ask.names else None
    files = _files(look, table)
    layout = layout_of(look, files)
    if not files and not look.segments and not look.findings:
        look.remark(look.root, "nothing-found", f"nothing to import; looked for {_wanted(look.labels)}")
    files = _matching(look, files, pattern) if pattern else of_role(look, files, layout)
    for file in files:
        named = table.case_of(file.path, file.below) if table else None
        named = f"{named}-{file.part}" if named and file.part else named
        if look.case is not None or named is not None:
            file.case = look.case if look.case is not None else named or ""
        elif not file.case and not file.structure:
            file.case = case_name(file.path)
    _table_remarks(look, table)
    if look.labels and look.ask.layout != "flat" and not pattern:
        files = one_collection(look, files)
    found = [
        *structure_files(look, files),
        *_whole(look, files, layout),
        *_segmented(look),
    ]  # corrections come last, and sorting keeps the order
    found.sort(key=lambda item: item.case)
    found = [item._replace(shown=look.dicom.below(item.path, look.root)) for item in found]
    findings = tuple(look.dicom.veiled(look.findings, {item.case for item in found}))
    return Search(tuple(found), findings, layout, tuple(sorted(look.left.items())), look.dicom.name(look.root))


def _files(look: Look, table: NameTable | None) -> list[File]:
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
    files = [File(path, below, folders.place(below, name)) for path, below in zip(paths, belows, strict=True)]
    return _series(look, files, table)


def _series(look: Look, files: list[File], table: NameTable | None) -> list[File]:
    """DICOM folders and files as the series they hold, with the names of their cases; other files as they are."""
    volumes = [file for file in files if is_volume(file.path)]
    if look.labels:

        def case_of(path: Path) -> str | None:
            below = PurePosixPath(path.relative_to(look.root).as_posix() if path != look.root else path.name)
            return look.case or (table.case_of(path, below) if table else None)

        segments = seg_labels(look.root, look.ask.structures, case_of)
        look.dicom, look.segments = segments.shown, segments.found
        look.findings += segments.findings
        return volumes
    slices = {file.path: file for file in files if not is_volume(file.path)}
    look.dicom = dicom_cases(look.root, slices)
    look.findings += look.dicom.findings
    return volumes + [replace(slices[c.path], case=c.name, part=c.part) for c in look.dicom.found]


def _matching(look: Look, files: list[File], pattern: Pattern) -> list[File]:
    """The files for which the pattern holds, with what it reads from their paths."""
    kept = []
    for file in files:
        parts = pattern.read(_shown(look, file))
        if parts:
            case, file.structure = parts
            file.case = file.case if HIDDEN in case else f"{case}-{file.part}" if file.part else case
            kept.append(file)
    missed = len(files) - len(kept)
    if missed:
        example = next(_shown(look, f) for f in files if f not in kept)
        message = f"{missed} of {len(files)} files do not match {pattern.text}, such as {example}; they were left out"
        look.findings.append(made(look.root, "not-matched", message, "info" if kept else "error"))
    return kept


def _shown(look: Look, file: File) -> PurePosixPath:
    """Its path below the root, without what identifies a patient."""
    return PurePosixPath(look.dicom.below(file.path, look.root) or file.below)


def _segmented(look: Look) -> Iterator[Found]:
    """DICOM SEG files, each a label whose structures are all in one file."""
    for label in look.segments:
        if nameable(look, label.path, label.case):
            yield Found(label.case, label.path, SEGMENTS, tuple((name, label.path) for name in label.names))


def _table_remarks(look: Look, table: NameTable | None) -> None:
    if table and table.unused:
        message = f"{len(table.unused)} names in {table.path.name} are of no file: {shorten(table.unused)}"
        look.findings.append(made(table.path, "name-unused", message, "warning"))


def _whole(look: Look, files: list[File], layout: str) -> list[Found]:
    """Files that are a scan or a label each."""
    files = [file for file in files if not file.structure]
    if look.case is not None and len(files) > 1:
        message = f"{len(files)} files cannot all be case {look.case!r}; name one"
        if any(file.part for file in files):
            message = f"{len(files)} series cannot all be case {look.case!r}; import them without --case, then rename"
        look.remark(look.root, "several-files", message)
        return []
    files = [file for file in files if nameable(look, file.path, file.case)]
    if look.case is None and layout != "flat":
        _pad(look, files)
    for file in files:
        if look.labels and look.case is None and not look.ask.pattern and stem(file.path).endswith(CHANNEL):
            message = f"label files do not end in {CHANNEL}; taken as case {file.case}"
            look.findings.append(made(file.path, "label-name-suffix", message, "info", file.case))
    return list(_unique(look, files))


def _pad(look: Look, files: list[File]) -> None:
    """Give names that were written short, such as `Case1` among `Case_00002`, in full."""
    full = padded((file.case for file in files), look.ask.known)
    for file in files:
        if file.case in full:
            message = f"{file.case} is {full[file.case]} written short; taken as that"
            file.case = full[file.case]
            look.findings.append(made(file.path, "name-padded", message, "info", file.case))


def _unique(look: Look, files: Iterable[File]) -> Iterator[Found]:
    """Those whose case no other file claims; the others become findings. A correction follows what it corrects."""
    claims: dict[tuple[bool, str], list[File]] = defaultdict(list)
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
    return ", ".join(SUFFIXES) + (" and DICOM SEG" if labels else " and folders of DICOM slices")
