"""Reading DICOM: a folder of slices, or one file of many frames, holds one volume or several.

Slices are put in order by where they lie, and the affine comes from their positions, so that a tilted gantry is
described as it is. Patients, ids and UIDs are asked for only so that nothing shown or stored carries them; what is
said of a file says which of how many it is, not its name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from flaredb.errors import Finding, InvalidDataError
from flaredb.exchange.dicom_headers import Frame, is_dicom
from flaredb.exchange.dicom_names import HIDDEN
from flaredb.exchange.dicom_pixels import read_frames
from flaredb.exchange.dicom_series import Holding, Volume, look_into
from flaredb.exchange.dicom_stack import LEAST_SLICES, Remark, Stack
from flaredb.exchange.findings import refusal
from flaredb.exchange.itk import ras_affine
from flaredb.exchange.stored import Stored, check_geometry, file_space, sha256_of

__all__ = ["LEAST_SLICES", "Folder", "Series", "is_dicom", "read_series", "series_digest", "series_in"]


class Series(NamedTuple):
    """A volume of a folder: how to ask for it (`part`, empty for an only one), what it is, and how many slices.

    `name` may name a case, as `part` added to a folder's name may not where the folder is called after the patient.
    `key` is a digest that is equal for slices of one series in other folders, and `places` where they lie (mm).
    """

    part: str
    what: str
    slices: int
    name: str
    key: str
    places: frozenset[tuple[float, ...]]


class Folder(NamedTuple):
    """What a folder or file of DICOM holds, with a path that may be shown, and findings on what was left out.

    `named` is False where the path's last part says who the patient is.
    """

    series: tuple[Series, ...]
    shown: str
    named: bool
    findings: tuple[Finding, ...]


def series_in(path: Path) -> Folder:
    """The volumes of a folder of slices, or of one file, from their headers.

    A folder whose headers are damaged holds nothing, and a finding `unreadable`. Findings otherwise: `dicom-skipped`
    (scouts, series under ten slices, slices all at one place), `dicom-not-ct`, `dicom-mixed`.
    """
    held = look_into(path)
    said = path if path.name else Path(path.resolve().name)  # such as `.`
    shown = held.identifiers.shown(said) if held.identifiers.words or not held.fault else HIDDEN
    if held.fault:
        return Folder((), shown, False, (Finding("error", None, *held.fault, path=shown),))
    left = held.remarks if len(held.volumes) != 1 else ()  # what lies beside an only one is said when it is read
    findings = tuple(Finding("warning", None, *remark, path=shown) for remark in left)
    series = tuple(_series(volume) for volume in held.volumes)
    return Folder(series, shown, not held.identifiers.are_in(path.resolve().name), findings)


def read_series(path: Path, part: str = "") -> Stored:
    """Read a volume of a folder or file; file axes are (column, row, slice from low to high).

    `part` says which, as `series_in` names it; it may be left out where there is but one. The digest is the sha256
    over the sorted sha256s of the files. Raises InvalidDataError with rule `dicom-series` (none, several, or no such
    part), one of the rules of `stack`, `bad-geometry`, `absurd-size`, `dicom-compressed`, `dicom-colour` or
    `unreadable`.
    """
    try:
        held = look_into(path)
        volume = _choose(held, part)
        if isinstance(volume.stack, Remark):
            raise refusal(path, *volume.stack)
        return _read(path, held, volume, volume.stack)
    except InvalidDataError as error:
        raise _safe(error) from None


def series_digest(path: Path, part: str = "") -> str:
    """The digest that `read_series` would give, from headers and bytes alone; the same errors."""
    try:
        return _digest(_choose(look_into(path), part).frames)
    except InvalidDataError as error:
        raise _safe(error) from None


def _series(volume: Volume) -> Series:
    first = volume.frames[0]
    thick = f", {volume.stack.columns[2, 2]:.3g} mm apart" if isinstance(volume.stack, Stack) else ""
    what = f"{len(volume.frames)} slices of {first.size[0]} × {first.size[1]}{thick}"
    name = "ct-" + sha256_of(first.path)[:12] + (f"-{volume.part}" if volume.part else "")
    places = frozenset(tuple(round(p, 2) for p in frame.position) for frame in volume.frames)
    return Series(volume.part, what, len(volume.frames), name, volume.series, places)


def _choose(held: Holding, part: str) -> Volume:
    if held.fault:
        raise refusal(Path(HIDDEN), *held.fault)
    found = [volume for volume in held.volumes if part in ("", volume.part)]
    if len(found) == 1:
        return found[0]
    if held.volumes:
        said = ", ".join(f"{volume.part or 'the only one'} ({len(volume.frames)} slices)" for volume in held.volumes)
        raise refusal(Path(HIDDEN), "dicom-series", f"{len(held.volumes)} volumes here: {said}; import the folder")
    why = "; ".join(remark.message for remark in held.remarks) or "no DICOM files"
    raise refusal(Path(HIDDEN), "dicom-series", f"no series of {LEAST_SLICES} CT slices or more: {why}")


def _read(path: Path, held: Holding, volume: Volume, stacked: Stack) -> Stored:
    pixdim = stacked.spacing
    affine = ras_affine(stacked.columns, np.array(stacked.frames[0].position))
    check_geometry(path, affine, pixdim)
    voxels = read_frames(stacked.frames).transpose(2, 1, 0)
    space = file_space((*stacked.frames[0].size, len(stacked.frames)), affine, voxels.dtype, pixdim)
    left = held.remarks if len(held.volumes) == 1 else ()
    remarks = tuple(Finding("warning", None, *remark, path=HIDDEN) for remark in (*volume.remarks, *left))
    return Stored(voxels, 1.0, 0.0, space, _digest(volume.frames), remarks, volume.patient)


def _digest(frames: Sequence[Frame]) -> str:
    """Over the sorted digests of the files the frames are in."""
    digests = sorted(sha256_of(file) for file in {frame.path for frame in frames})
    return hashlib.sha256("".join(digests).encode()).hexdigest()


def _safe(error: InvalidDataError) -> InvalidDataError:
    """The same refusal without a path, which may name a patient; the caller knows what may be shown."""
    findings = [finding._replace(path=HIDDEN) for finding in error.findings]
    return InvalidDataError("; ".join(finding.message for finding in findings), findings)
