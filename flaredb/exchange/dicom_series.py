"""Which volumes the DICOM files of a folder hold.

Files are sorted by series. A series is one volume, unless its slices differ in size, spacing or orientation, or do
not stack as a whole: then it is one volume for each way they are alike, or for each acquisition, temporal position or
time that sets them apart cleanly. Nothing is guessed beyond that; what does not stack is refused with its rule.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

from flaredb.errors import InvalidDataError
from flaredb.exchange.dicom_headers import Frame, Header, is_dicom, read_header
from flaredb.exchange.dicom_names import Identifiers, is_somebody
from flaredb.exchange.dicom_pixels import same_voxels
from flaredb.exchange.dicom_stack import LEAST_SLICES, SAME_PLACE, Remark, Stack, heights, stack

_ACQUISITION, _TEMPORAL, _TIME = range(3)  # places in `Frame.phase`


class Volume(NamedTuple):
    """Slices that make a volume, or a `Remark` why they do not, with what is to be said of them.

    `part` tells it from the others of its folder; `series` is a digest that is never shown; `patient` is the id in the
    headers, empty where they differ or the id stands for nobody.
    """

    part: str
    series: str
    frames: tuple[Frame, ...]
    stack: Stack | Remark
    remarks: tuple[Remark, ...]
    patient: str = ""


class Holding(NamedTuple):
    """What a folder holds: volumes, what was left out, and words not to be shown.

    `fault` says why nothing of it can be taken: one of its headers is damaged.
    """

    volumes: tuple[Volume, ...]
    remarks: tuple[Remark, ...]
    identifiers: Identifiers
    fault: Remark | None = None


def look_into(path: Path) -> Holding:
    """Read the headers of a file, or of the files of a folder, and sort their slices into volumes.

    Where a header is damaged there are none, as it may have been of any of them.
    """
    headers, faults = _headers(path)
    words = Identifiers().together(header.identifiers for header in headers)
    if faults:
        return Holding((), (), words, faults[0])
    series: dict[str, list[Header]] = defaultdict(list)
    left: dict[str, int] = defaultdict(int)
    for header in headers:
        if header.skip:
            left[header.skip] += header.skip != "index"
        else:
            series[header.series].append(header)
    remarks = [Remark("dicom-not-ct", f"{n} files are no CT ({why}); left out") for why, n in left.items() if n]
    named = [(name, series[key]) for key, name in _series_names(series).items()]
    sorted_out = [(name, _volumes(items, remarks)) for name, items in named]
    volumes = [
        volume._replace(part=f"{name}-{number}" if len(found) > 1 else name)
        for name, found in sorted_out
        for number, volume in enumerate(found, start=1)
    ]
    if len(volumes) == 1:
        volumes = [volumes[0]._replace(part="")]
    return Holding(tuple(volumes), _counted(remarks), words)


def _counted(remarks: Sequence[Remark]) -> tuple[Remark, ...]:
    """Each remark once, with how often it was made."""
    times = Counter(remarks)
    return tuple(r if n == 1 else Remark(r.rule, f"{r.message} ({n} times)") for r, n in times.items())


def _headers(path: Path) -> tuple[list[Header], list[Remark]]:
    """The headers that can be read, and what is wrong with the others, told by their places among the files."""
    try:
        files = [file for file in ([path] if path.is_file() else sorted(path.iterdir())) if is_dicom(file)]
    except OSError as error:
        return [], [Remark("unreadable", f"the folder or a file in it cannot be read: {error.strerror}")]
    headers, faults = [], []
    for number, file in enumerate(files, start=1):
        try:
            headers.append(read_header(file))
        except InvalidDataError as error:
            (finding,) = error.findings
            faults.append(Remark(finding.rule, f"{finding.message} (file {number} of {len(files)} by name)"))
    return headers, faults


def _series_names(series: dict[str, list[Header]]) -> dict[str, str]:
    """Series → its number in the study, or where that is missing or not the only one, with a count."""
    numbers: dict[str, list[str]] = defaultdict(list)
    for key, headers in sorted(series.items()):
        numbers[headers[0].number].append(key)
    names = {}
    for number, keys in sorted(numbers.items(), key=lambda item: (len(item[0]), item[0])):
        for count, key in enumerate(keys, start=1):
            names[key] = number if number and len(keys) == 1 else f"{number or 0}.{count}"
    return names


def _volumes(headers: Sequence[Header], remarks: list[Remark]) -> list[Volume]:
    """The volumes of one series; what is left out is added to `remarks`."""
    every = [frame for header in headers for frame in header.frames]
    scouts = sum(frame.scout for frame in every)
    if scouts:
        remarks.append(Remark("dicom-skipped", f"a scout of {scouts} slices was left out"))
    frames = [frame for frame in every if not frame.scout]
    if len(frames) < LEAST_SLICES:
        if frames:
            remarks.append(Remark("dicom-skipped", f"a short series of {len(frames)} slices was left out"))
        return []
    lost = [frame for frame in frames if not (frame.position and frame.orientation and frame.spacing)]
    if lost:
        message = f"{len(lost)} slices without position, orientation or spacing; export the series again"
        return [Volume("", headers[0].series, tuple(frames), Remark("bad-geometry", message), ())]
    notes = [Remark("dicom-lossy", "compressed with loss before it came here; taken as it is")]
    found = []
    for alike in _alike(frames):
        for volume in _acquisitions(alike):
            if len(volume.frames) < LEAST_SLICES:
                remarks.append(Remark("dicom-skipped", f"a short series of {len(volume.frames)} slices was left out"))
            elif isinstance(volume.stack, Remark) and volume.stack.rule == "dicom-not-a-volume":
                remarks.append(Remark("dicom-skipped", f"{volume.stack.message}; left out"))
            else:
                noted = volume.remarks + tuple(notes if any(header.lossy for header in headers) else ())
                found.append(volume._replace(series=headers[0].series, remarks=noted, patient=_patient(headers)))
    if len(found) > 1:
        message = f"a series holds {len(found)} volumes of different slices or acquisitions; each is a case"
        remarks.append(Remark("dicom-mixed", message))
    return found


def _patient(headers: Sequence[Header]) -> str:
    ids = {header.patient for header in headers}
    return ids.pop() if len(ids) == 1 and is_somebody(min(ids)) else ""


def _alike(frames: Iterable[Frame]) -> list[list[Frame]]:
    """Frames that may lie in one volume: of one size, spacing and orientation but for rounding."""
    groups: list[list[Frame]] = []
    for frame in frames:
        for group in groups:
            first = group[0]
            same = frame.size == first.size and np.allclose(frame.spacing, first.spacing, rtol=1e-4)
            if same and np.abs(np.subtract(frame.orientation, first.orientation)).max() <= 1e-3:
                group.append(frame)
                break
        else:
            groups.append([frame])
    return groups


def _acquisitions(frames: Sequence[Frame]) -> list[Volume]:
    """Frames that are alike as one volume, or as several where that is clean; else one that says what is wrong."""
    whole = stack(frames)
    if isinstance(whole, Stack):
        return [Volume("", "", tuple(frames), whole, whole.remarks)]
    for phases in _ways(frames, whole.rule) if len(frames) >= LEAST_SLICES else ():
        stacks = [stack(phase) for phase in phases]
        good = [s for s in stacks if isinstance(s, Stack) and len(s.frames) >= LEAST_SLICES]
        if len(phases) > 1 and len(good) == len([p for p in phases if len(p) >= LEAST_SLICES]) > 0:
            return [
                Volume("", "", tuple(phase), made, made.remarks if isinstance(made, Stack) else ())
                for phase, made in zip(phases, stacks, strict=True)
            ]
    kept, dropped = _without_copies(frames)
    again = stack(kept) if dropped else whole
    remarks = (*dropped, *(again.remarks if isinstance(again, Stack) else ()))
    return [Volume("", "", tuple(kept), again, remarks)]


def _ways(frames: Sequence[Frame], rule: str) -> Iterator[list[list[Frame]]]:
    """How frames that do not stack may be set apart.

    Slices at one place: by any mark; by time only into as many as there are slices at a place, as every second of a
    scan has its own. Uneven steps: by acquisition, if each is long enough. Missing slices: not at all, as pieces of a
    scan look the same.
    """
    if rule == "dicom-doubled-slices":
        most = max(Counter(np.round(heights(frames) / SAME_PLACE).astype(int).tolist()).values())
        times = _phased(frames, _TIME)
        yield from (_phased(frames, _ACQUISITION), _phased(frames, _TEMPORAL), times if len(times) == most else [])
        yield _blocks(frames)
    elif rule == "dicom-uneven":
        phases = _phased(frames, _ACQUISITION)
        yield phases if min(map(len, phases)) >= LEAST_SLICES else []


def _phased(frames: Sequence[Frame], index: int) -> list[list[Frame]]:
    """Frames by one of their marks of phase, in its order."""
    return _groups(sorted(frames, key=lambda frame: _by_number(frame.phase[index])), lambda frame: frame.phase[index])


def _blocks(frames: Sequence[Frame]) -> list[list[Frame]]:
    """Frames in order of time, cut into as many blocks as there are slices at each place, if times are told apart."""
    places = len({round(level / SAME_PLACE) for level in heights(frames)})
    times = sorted(frames, key=lambda frame: _by_number(frame.phase[_TIME]))
    if len(frames) % places or len(frames) == places:
        return []
    blocks = [times[start : start + places] for start in range(0, len(times), places)]
    apart = all(a[-1].phase[_TIME] != b[0].phase[_TIME] for a, b in pairwise(blocks))
    return blocks if apart else []


def _without_copies(frames: Sequence[Frame]) -> tuple[list[Frame], tuple[Remark, ...]]:
    """Frames less those that repeat the voxels of another at the same place."""
    kept: list[Frame] = []
    copies = 0
    order = np.argsort(heights(frames), kind="stable")
    for frame in (frames[index] for index in order):
        beside = [other for other in kept[-2:] if np.allclose(other.position, frame.position, rtol=0, atol=SAME_PLACE)]
        if any(same_voxels([other, frame]) for other in beside):
            copies += 1
        else:
            kept.append(frame)
    if not copies:
        return list(frames), ()
    return kept, (
        Remark("dicom-duplicate-slices", f"{copies} slices came twice with the same voxels; one of each kept"),
    )


def _groups(frames: Iterable[Frame], key: Callable[[Frame], Hashable]) -> list[list[Frame]]:
    found: dict[Hashable, list[Frame]] = defaultdict(list)
    for frame in frames:
        found[key(frame)].append(frame)
    return list(found.values())


def _by_number(text: str) -> tuple[float, str]:
    """An order in which 2 comes before 10."""
    return (float(text) if text.replace(".", "", 1).isdecimal() else 0.0), text
