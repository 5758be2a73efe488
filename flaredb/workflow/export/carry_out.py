"""Carry out an export: compare with what is there, write what is missing, and say in a manifest what every file is.

Promised: a file appears whole or not at all; a file that is there and would become another is never replaced unless
told; what is there already is not written again; the manifest comes last, so that a folder with one is complete.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from flaredb.errors import ConflictError, Finding, InvalidDataError, StorageError, UsageError
from flaredb.exchange.datasets import encoded
from flaredb.exchange.stored import sha256_of
from flaredb.exchange.write import nifti_sha256, write_nifti
from flaredb.version import __version__
from flaredb.workflow.executors import in_order
from flaredb.workflow.export.choice import ExportOptions
from flaredb.workflow.export.links import Donor, link_file, linkable
from flaredb.workflow.export.record import JOURNAL, MANIFEST, Earlier, Written, earlier, read_files, write_bytes
from flaredb.workflow.export.values import Recipe, make
from flaredb.workflow.results import Result
from flaredb.workspace import Workspace

_TEMPORARY = re.compile(r"\.[0-9a-f]{32}\.tmp")
_SHOWN = 5
_PACKED = {"image": 0.6, "label": 0.03}  # of a raw byte, what gzip leaves; scans 0.3 to 0.6, labels about 0.01


class File(NamedTuple):
    """A file to write, its path within the export, and what the manifest says of it."""

    path: str
    recipe: Recipe
    facts: dict[str, Any]


class Unit(NamedTuple):
    """The files of one case that go out together or not at all."""

    case: str
    files: tuple[File, ...]


class Plan(NamedTuple):
    """All that an export is to hold. `documents` makes the further files from the units that went well."""

    layout: str
    root: Path
    request: dict[str, Any]
    head: dict[str, Any]
    units: tuple[Unit, ...]
    named: tuple[str, ...]  # the documents there may be
    documents: Callable[[Sequence[Unit], Mapping[str, Written]], dict[str, bytes]]
    left_out: dict[str, list[str]]


def carry_out(workspace: Workspace, plan: Plan, options: ExportOptions) -> Result:
    """Write what a plan holds. ConflictError, before anything is written, for files that are there and differ."""
    refuse_place(workspace, plan.root)
    if not plan.units:
        raise InvalidDataError("nothing to export: no case that is asked for has what this layout needs")
    try:
        state = earlier(plan.root, plan.request, options.overwrite)
        if options.dry_run:
            return _would(workspace, plan, state)
        place = plan.root.resolve()
        name = f"export to {place.name} {hashlib.sha256(str(place).encode()).hexdigest()[:8]}"
        said = {"destination": plan.root.name, **plan.request}
        with workspace.lock(name), workspace.run(f"export {plan.layout}", **said) as run:
            unchanged = _compare(workspace, plan, state, options)
            _refuse_too_large(workspace, plan, unchanged)
            written, findings = _write(workspace, plan, unchanged, options)
            with run.write() as write:
                write.add_findings(findings)
            _finish(plan, state, unchanged | written, write.operation)
    except OSError as error:
        about = Path(error.filename).name if error.filename else plan.root.name
        raise StorageError(f"{about}: {error.strerror or error}; the same command goes on where it stopped") from error
    failed = sum(finding.severity == "error" for finding in findings)
    if broken := [finding for finding in findings if finding.rule == "damaged-volume"]:
        raise StorageError(f"{len(broken)} cases were not exported, the others were; {broken[0].message}")
    return Result(write.operation, tuple(written), len(written), len(unchanged), failed, tuple(findings))


def refuse_place(workspace: Workspace, root: Path) -> None:
    """UsageError for a folder inside the workspace or its volumes, ConflictError for a file."""
    place = root.resolve()
    for own in (workspace.root.resolve(), workspace.volumes.root.resolve()):
        if place.is_relative_to(own) and not place.is_relative_to(workspace.round_folder("").resolve()):
            raise UsageError(f"{place.name} is inside the workspace; export to a folder outside of {own.name}")
    if any(folder.exists() and not folder.is_dir() for folder in (root, *root.parents)):
        raise ConflictError(f"{root} is not a folder; give a folder, new or of an earlier export")


def _would(workspace: Workspace, plan: Plan, state: Earlier) -> Result:
    """What would be written, with the bytes it would take and those that are free."""
    missing = [f for unit in plan.units for f in unit.files if not (plan.root / f.path).exists()]
    there = sum(len(unit.files) for unit in plan.units) - len(missing)
    would = {
        "root": plan.root.name,
        "files": [file.path for file in missing],
        "there": there,
        "bytes_needed": _bytes(workspace, missing),
        "bytes_free": _free(plan.root),
        "no_longer_part": _stale(plan, state),
        "left_out": plan.left_out,
    }
    return Result(None, would=would)


def _compare(workspace: Workspace, plan: Plan, state: Earlier, options: ExportOptions) -> dict[str, Written]:
    """The files that are there as they should be; ConflictError names those that are not, or should not be there."""
    _clear_temporary(plan)
    there = [file for unit in plan.units for file in unit.files if (plan.root / file.path).exists()]

    def held(file: File) -> Written | None:
        digest, known = sha256_of(plan.root / file.path), state.files.get(file.path)
        if known and (known.sha256, known.key) == (digest, file.recipe.key):
            return known
        made = make(workspace, file.recipe)
        same = nifti_sha256(plan.root / file.path, made.array, made.space) == digest
        return Written(digest, file.recipe.key, made.undecided, made.regridded) if same else None

    unchanged, differing = {}, []
    compared = in_order(held, there, options.workers)
    for file, future in workspace.reporter.track(compared, "comparing", len(there)):
        found = future.result()
        if found:
            unchanged[file.path] = found
        else:
            differing.append(file.path)
    edited = [n for n in plan.named if (plan.root / n).exists() and sha256_of(plan.root / n) != state.documents.get(n)]
    differing += edited
    stale = _stale(plan, state)
    if not options.overwrite:
        _refuse(plan, differing, "would become other files", "replaces them")
        _refuse(plan, stale, "are no longer part of this export", "removes them")
    for path in stale:
        (plan.root / path).unlink()
    return unchanged


def _refuse(plan: Plan, paths: Sequence[str], what: str, how: str) -> None:
    if paths:
        shown = " ".join(paths[:_SHOWN]) + (" …" if len(paths) > _SHOWN else "")
        raise ConflictError(f"{len(paths)} files in {plan.root} {what}: {shown}; --overwrite {how}")


def _stale(plan: Plan, state: Earlier) -> list[str]:
    """Files that an earlier run wrote, that are still as it wrote them, and that this one would not."""
    wanted = {*plan.named, *(file.path for unit in plan.units for file in unit.files)}
    known = {path: written.sha256 for path, written in state.files.items()} | state.documents
    gone = [path for path in known if path not in wanted and _inside(plan.root, path)]
    return [path for path in gone if sha256_of(plan.root / path) == known[path]]


def _inside(root: Path, path: str) -> bool:
    """Whether a manifest's path is a file under the root, and no way out of it."""
    return (root / path).is_file() and (root / path).resolve().is_relative_to(root.resolve())


def _refuse_too_large(workspace: Workspace, plan: Plan, unchanged: Mapping[str, Written]) -> None:
    missing = [file for unit in plan.units for file in unit.files if file.path not in unchanged]
    needed, free = _bytes(workspace, missing), _free(plan.root)
    if needed > free:
        raise StorageError(f"the export needs about {needed:,} bytes, {free:,} are free; make room or narrow --where")


def _bytes(workspace: Workspace, files: Sequence[File]) -> int:
    """About how many bytes files will take."""
    total = 0.0
    for file in files:
        x, y, z = file.recipe.space.shape
        image = file.recipe.values is None and file.facts.get("label") is None
        width = {"8": 1, "16": 2, "32": 4, "64": 8}.get("".join(c for c in file.recipe.space.dtype if c.isdigit()), 2)
        total += 512 + x * y * z * min(width, 2 if image else 1) * _PACKED["image" if image else "label"]
    return int(total)


def _free(root: Path) -> int:
    """Bytes free where the export is to be."""
    return shutil.disk_usage(next(folder for folder in (root, *root.absolute().parents) if folder.exists())).free


def _write(
    workspace: Workspace, plan: Plan, unchanged: Mapping[str, Written], options: ExportOptions
) -> tuple[dict[str, Written], list[Finding]]:
    """Write what is missing, a unit at a time; what was written, and why something was not."""
    donors = linkable(*read_files(options.link), options.link) if options.link else {}
    pending = [unit for unit in plan.units if any(file.path not in unchanged for file in unit.files)]
    written: dict[str, Written] = {}
    findings: list[Finding] = []

    def work(unit: Unit) -> dict[str, Written]:
        return _write_unit(workspace, plan.root, unit, set(unchanged), donors)

    plan.root.mkdir(parents=True, exist_ok=True)
    with (plan.root / JOURNAL).open("a", encoding="utf-8") as journal:
        journal.write(json.dumps({"request": plan.request}) + "\n")
        done = in_order(work, pending, options.workers)
        for unit, future in workspace.reporter.track(done, "cases", len(pending)):
            try:
                made = future.result()
            except (StorageError, InvalidDataError) as error:
                rule = "damaged-volume" if isinstance(error, StorageError) else "not-exported"
                findings.append(Finding("error", unit.case, rule, str(error), unit.files[0].path))
                continue
            for path, entry in made.items():
                journal.write(json.dumps({"file": path, **entry._asdict()}) + "\n")
                findings += _remarks(unit.case, path, entry)
            journal.flush()
            written |= made
    return written, findings


def _write_unit(
    workspace: Workspace, root: Path, unit: Unit, unchanged: set[str], donors: Mapping[str, Donor]
) -> dict[str, Written]:
    """Write the files of a case; where one cannot be made, those made before it are taken back."""
    made: dict[str, Written] = {}
    try:
        for file in unit.files:
            if file.path in unchanged:
                continue
            place = root / file.path
            place.parent.mkdir(parents=True, exist_ok=True)
            donor = donors.get(file.recipe.key)
            linked = link_file(donor, place) if donor else None
            if linked:
                made[file.path] = Written(linked.sha256, file.recipe.key, linked.undecided, linked.regridded)
                continue
            voxels = make(workspace, file.recipe)
            digest = write_nifti(place, voxels.array, voxels.space)
            made[file.path] = Written(digest, file.recipe.key, voxels.undecided, voxels.regridded)
    except BaseException:
        for path in made:
            (root / path).unlink(missing_ok=True)
        raise
    return made


def _remarks(case: str, path: str, entry: Written) -> list[Finding]:
    if not entry.regridded:
        return []
    message = "the file that came in had another lattice; written on that of its scan"
    return [Finding("warning", case, "export-regridded", message, path)]


def _finish(plan: Plan, state: Earlier, files: dict[str, Written], operation: int) -> None:
    """Write the documents and the manifest, unless they are there already, and drop the journal."""
    whole = [all(file.path in files for file in unit.files) for unit in plan.units]
    complete = [unit for unit, good in zip(plan.units, whole, strict=True) if good]
    torn = [unit for unit, good in zip(plan.units, whole, strict=True) if not good]
    for path in {file.path for unit in torn for file in unit.files}.intersection(files):
        (plan.root / path).unlink()
    documents = plan.documents(complete, files)
    with (plan.root / JOURNAL).open("a", encoding="utf-8") as journal:
        for name, content in documents.items():
            line = {"document": name, "sha256": hashlib.sha256(content).hexdigest()}
            journal.write(json.dumps(line) + "\n")
    for name in plan.named:
        if name in documents:
            write_bytes(plan.root / name, documents[name])
        else:
            (plan.root / name).unlink(missing_ok=True)
    listed = [_entry(file, files[file.path], plan.root) for unit in complete for file in unit.files]
    manifest = {
        "flaredb": __version__,
        "layout": plan.layout,
        "request": plan.request,
        **plan.head,
        "undecided_voxels": sum(entry.get("undecided_voxels", 0) for entry in listed),
        "left_out": plan.left_out,
        "documents": [{"file": n, "sha256": hashlib.sha256(c).hexdigest()} for n, c in documents.items()],
        "files": listed,
    }
    before = {key: value for key, value in (state.manifest or {}).items() if key != "operation"}
    if before != json.loads(json.dumps(manifest)):
        write_bytes(plan.root / MANIFEST, encoded({"operation": operation, **manifest}))
    (plan.root / JOURNAL).unlink(missing_ok=True)


def _entry(file: File, written: Written, root: Path) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "file": file.path,
        "sha256": written.sha256,
        "bytes": (root / file.path).stat().st_size,
        "key": written.key,
        **file.facts,
        "volumes": sorted({part.volume for part in file.recipe.parts}),
    }
    if file.recipe.values is not None:
        entry["undecided_voxels"] = written.undecided
    if written.regridded:
        entry["regridded"] = True
    return entry


def _clear_temporary(plan: Plan) -> None:
    """Remove what a killed run was writing; the lock says that no other is."""
    for folder in sorted({(plan.root / file.path).parent for unit in plan.units for file in unit.files}):
        if folder.is_dir():
            for path in folder.iterdir():
                if _TEMPORARY.fullmatch(path.name):
                    path.unlink()
