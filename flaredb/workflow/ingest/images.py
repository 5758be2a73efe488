"""Bring scans in: each becomes a case with a volume, its own geometry kept."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from flaredb.catalog import cases, labels
from flaredb.catalog.database import Run
from flaredb.errors import Finding, InvalidDataError, StorageError
from flaredb.exchange.compare import check_geometry
from flaredb.exchange.dicom import series_digest
from flaredb.exchange.layouts import Ask, Found, find_images
from flaredb.exchange.numbering import shorten
from flaredb.exchange.read import Scan, read_image
from flaredb.volumes.layout import Digests
from flaredb.workflow.executors import in_order
from flaredb.workflow.ingest.room import room_for
from flaredb.workflow.ingest.searching import Remarks, known_names, place_of, planned, say_layout, told, veiled
from flaredb.workflow.results import Imported, Outcome, Tally
from flaredb.workspace import Workspace

_SAMPLE = 1_000_003  # at most this many voxels are sorted for percentiles


class _Stored(NamedTuple):
    """A scan whose voxels are stored; None for a file that a case holds already."""

    scan: Scan
    digests: Digests
    percentiles: tuple[float, float, float]


class ImageOptions(NamedTuple):
    """Settings of an import of scans."""

    split: str | None = None  # that of the registered case, else of the folder's name, else train
    allow_lossy: bool = False
    workers: int = 2
    source_dataset: str | None = None
    layout: str = "auto"
    pattern: str | None = None
    names: Path | None = None


def ingest_images(
    workspace: Workspace,
    path: Path,
    case: str | None = None,
    options: ImageOptions = ImageOptions(),  # noqa: B008  frozen
    dry_run: bool = False,
) -> Imported:
    """Import a file or everything in a folder; what is there already is `unchanged`, bad files become findings.

    A scan that differs from the one a case has is a finding, `image-replaced` where the case has labels already.
    Raises StorageError if the scans would not fit on the disk.
    """
    ask = Ask(options.layout, options.pattern, options.names, known_names(workspace))
    search = find_images(path, case, ask)
    found = under_present_names(workspace, search.found)
    with workspace.catalog.read() as connection:
        there = cases.by_names(connection, [item.case for item in found])
    missing = [item for item in found if not (item.case in there and there[item.case].image)]
    room = room_for(workspace.volumes.root, images=missing)
    say_layout(workspace, search, "ingest labels")
    if dry_run:
        outcomes = [(item, _foreseen(item, there.get(item.case))) for item in found]
        would = planned(path, search.layout, "cases", outcomes) | room.as_dict
        return Imported(
            None, findings=told(search.findings, path), would=would, layout=search.layout, left=dict(search.left)
        )
    room.check()

    remarks = Remarks(search.findings, path)
    tally = Tally(remarks.general)
    root = path if path.is_dir() else path.parent
    with workspace.run("ingest images", path=search.root, split=options.split) as run:
        with run.write() as write:
            write.add_findings(remarks.general)
        for item, outcome, findings in bring_images(workspace, run, found, options, root):
            tally.count(outcome, item.case, [*remarks.of(run, item, outcome), *findings])
    return Imported(*tally.result(write.operation), search.layout, dict(search.left))


def _foreseen(item: Found, known: cases.Case | None) -> str:
    """What would become of a file, as far as can be told without reading voxels."""
    if known is None or known.image is None:
        return "added"
    same = known.file_sha256 == _sha256(item)
    return "unchanged" if same else "refused unless its voxels are the same: the case has an image"


def bring_images(
    workspace: Workspace, run: Run, found: Sequence[Found], options: ImageOptions, root: Path
) -> Iterator[tuple[Found, Outcome, list[Finding]]]:
    """Import the files found under `root`, one after the other: each with what became of it, and remarks."""
    found = [veiled(item, root) for item in under_present_names(workspace, found)]

    def store(item: Found) -> _Stored | None:
        return _store(workspace, item, options.allow_lossy)

    stored = in_order(store, found, options.workers)
    for item, future in workspace.reporter.track(stored, "scans", len(found)):
        outcome, remarks = _enter(workspace, run, item, future, options, root)
        yield item, outcome, remarks


def under_present_names(workspace: Workspace, found: Sequence[Found]) -> list[Found]:
    """Files named after a case's former name are files of that case."""
    with workspace.catalog.read() as connection:
        renamed = cases.present_names(connection)
    return [item._replace(case=renamed.get(item.case, item.case)) for item in found]


def _store(workspace: Workspace, item: Found, allow_lossy: bool) -> _Stored | None:
    """Read, check and store the voxels, unless the case holds this very file."""
    with workspace.catalog.read() as connection:
        known = cases.by_names(connection, [item.case]).get(item.case)
    stored = known is not None and known.image is not None and workspace.volumes.has(known.image)
    if known and stored and known.file_sha256 == _sha256(item):
        return None
    scan = read_image(item.path, allow_lossy, item.part)
    return _Stored(scan, workspace.volumes.put_image(scan.voxels, scan.grid), _percentiles(scan.voxels))


def _enter(
    workspace: Workspace, run: Run, item: Found, future: Future[_Stored | None], options: ImageOptions, root: Path
) -> tuple[Outcome, list[Finding]]:
    """Put a stored scan into the catalogue, or record why it could not be stored."""
    place = place_of(item, root)
    try:
        stored = future.result()
    except (InvalidDataError, StorageError) as error:
        return "failed", record_failure(run, item.case, place, error)
    with run.write() as write:
        known = cases.by_names(write.connection, [item.case]).get(item.case)
        misfit = _misfit(known, stored, place)
        if known and (stored is None or known.image):
            outcome, remarks = _existing(known, stored, place, options.split or known.split)
            if outcome == "failed" and (drawn := labels.of_case(write.connection, item.case)):
                remarks = [_replaced(item.case, drawn[-1].name, len(drawn), place)]
        elif misfit or stored is None:
            outcome, remarks = "failed", misfit
        else:
            outcome = "added"
            remarks = [f._replace(case=item.case, path=place) for f in stored.scan.findings]
            facts = _facts(stored, Path(place).name, options)
            twins = cases.with_voxels(write.connection, stored.digests.voxels)
            own = workspace.patient_key(item.case)
            named = workspace.patient_key(stored.scan.patient) if stored.scan.patient else own
            patient = twins[0].patient if twins else named
            if known:
                moved: dict[str, Any] = {"split": options.split or known.split}
                if known.patient == own:  # else somebody said whose scan it is
                    moved["patient_id"] = cases.patient_id(write, patient)
                said = {name: value for name, value in facts.items() if value is not None}
                cases.set_facts(write, item.case, said | moved)
            else:
                cases.add(write, item.case, patient, options.split or item.split or "train", facts)
            remarks += _twins(item.case, [twin.name for twin in twins if twin.name != item.case], place)
        write.add_findings(remarks)
    return outcome, remarks


def _misfit(known: cases.Case | None, stored: _Stored | None, place: str) -> list[Finding]:
    """A case that waits for its scan has labels on a grid already; the scan must lie on it."""
    if known is None or known.image or known.grid is None or stored is None:
        return []
    found = check_geometry(known.name, stored.scan.grid, known.grid, place)
    if found is None or found.severity != "error":
        return []
    return [found._replace(message=f"the case's labels lie on another grid: {found.message}")]


def _existing(known: cases.Case, stored: _Stored | None, place: str, split: str) -> tuple[Outcome, list[Finding]]:
    if stored is None or known.image == stored.digests.volume:
        message = f"the case stays in the split {known.split}; a split is not changed by importing again"
        return "unchanged", [
            Finding("warning", known.name, "split-kept", message, place)
        ] if known.split != split else []
    message = "the case has another image already; give this one another name with --case"
    return "failed", [Finding("error", known.name, "image-differs", message, place)]


def _replaced(case: str, newest: str, count: int, place: str) -> Finding:
    message = (
        f"not the image that the case's {count} labels were drawn on ({newest} is the newest), which stays; give this "
        "one another name with --case, and its own labels"
    )
    return Finding("error", case, "image-replaced", message, place)


def _twins(case: str, others: list[str], place: str) -> list[Finding]:
    """A remark on a scan whose voxels other cases hold, too."""
    if not others:
        return []
    message = f"the same voxels as {shorten(others)}; all count as one patient"
    return [Finding("warning", case, "duplicate-image", message, place)]


def _facts(stored: _Stored, name: str, options: ImageOptions) -> dict[str, Any]:
    low, middle, high = stored.percentiles
    return {
        "image": stored.digests.volume,
        "voxels_digest": stored.digests.voxels,
        "source_dataset": options.source_dataset,
        "hu_p0_5": low,
        "hu_p50": middle,
        "hu_p99_5": high,
        **cases.grid_facts(stored.scan.grid),
        **cases.space_facts(stored.scan.space, name, stored.scan.sha256),
    }


def _percentiles(voxels: NDArray[np.int16]) -> tuple[float, float, float]:
    sample = voxels.ravel()[:: max(1, voxels.size // _SAMPLE)]
    low, middle, high = np.percentile(sample, [0.5, 50, 99.5])
    return float(low), float(middle), float(high)


def record_failure(run: Run, case: str, place: str, error: InvalidDataError | StorageError) -> list[Finding]:
    """Record why a file did not come in; its findings, or one made of the error."""
    carried = error.findings if isinstance(error, InvalidDataError) else ()
    remarks = [f._replace(case=case, path=place) for f in carried]
    remarks = remarks or [Finding("error", case, "not-imported", str(error), place)]
    with run.write() as write:
        write.add_findings(remarks)
    return remarks


def _sha256(item: Found) -> str:
    """What `file_sha256` would be of a scan; empty for DICOM that cannot be read."""
    if item.shown:  # DICOM
        with contextlib.suppress(InvalidDataError):
            return series_digest(item.path, item.part)
        return ""
    with item.path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
