"""Labels that come as one file a structure: which files make up the label of which case."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from flaredb.exchange import folders
from flaredb.exchange.casenames import stem
from flaredb.exchange.looking import File, Found, Look, nameable
from flaredb.exchange.walk import made


def structure_files(look: Look, files: list[File]) -> Iterator[Found]:
    """Files of one structure each, put together by case."""
    groups: dict[tuple[Path, str], list[File]] = defaultdict(list)
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
    twice = {case for case, times in Counter(case for _, case in groups).items() if times > 1}
    for (folder, case), members in groups.items():
        masks = tuple(sorted((file.structure, file.path) for file in members))
        if case in twice or len(dict(masks)) < len(masks):
            message = f"several files of one structure are of case {case}; import them from separate folders"
            look.findings.append(made(folder, "duplicate-name", message, "error", case))
        elif nameable(look, folder, case):
            yield Found(case, folder, masks=masks)


def _mask_files(look: Look, files: list[File]) -> Iterator[File]:
    """Those files that hold one structure each: a pattern says so, or all the names in their folder."""
    if any(file.structure for file in files):
        yield from (file for file in files if file.structure)
        return
    if not look.labels or look.ask.layout == "flat" or look.ask.pattern:
        return
    by_folder: dict[Path, list[File]] = defaultdict(list)
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
