"""Reading DICOM SEG: named segments whose frames are put on a scan's lattice by where they lie, overlaps kept.

Frames may come in any order, leave slices out and lie in any direction along the lattice's axes; what does not lie on
its voxels is refused, not resampled.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from flaredb.errors import Finding, InvalidDataError
from flaredb.exchange.compare import TOLERANCE
from flaredb.exchange.dicom_headers import DAMAGE, digest, is_dicom, pydicom, sop_class
from flaredb.exchange.dicom_names import Identifiers, identifiers
from flaredb.exchange.findings import refusal, remark
from flaredb.exchange.mask_files import masks_sha256
from flaredb.exchange.masks import combine_masks
from flaredb.exchange.read import Scan
from flaredb.exchange.stored import file_space
from flaredb.geometry import Grid

SEG_CLASSES = {"1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7"}
_HEAD, _MARK = 4096, b"1.2.840.10008.5.1.4.1.1.66."  # its class stands early in every SEG
_SEG = Path("a DICOM SEG")  # said instead of the file's name, which often is a UID
_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


class Segments(NamedTuple):
    """What a SEG's header says: segment number → label, the series it is of (a digest), and words not to be shown."""

    labels: dict[int, str]
    series: str
    identifiers: Identifiers


class _Plane(NamedTuple):
    """A frame: its number in the file, first voxel (LPS mm), steps (mm) along a row and down a column."""

    number: int
    origin: NDArray[np.float64]
    along: NDArray[np.float64]
    down: NDArray[np.float64]


def is_seg(path: Path) -> bool:
    """Whether a file is a DICOM SEG."""
    if not is_dicom(path):
        return False
    with path.open("rb") as handle:
        head = handle.read(_HEAD)
    return _MARK in head and sop_class(path) in SEG_CLASSES


def segments_of(path: Path) -> Segments:
    """The segments of a SEG, from its header; raises InvalidDataError with rule `unreadable`, naming no file."""
    try:
        dataset = pydicom().dcmread(path, stop_before_pixels=True, force=True)
        labels = {int(item.SegmentNumber): str(item.SegmentLabel).strip() for item in dataset.SegmentSequence}
        referenced = dataset.get("ReferencedSeriesSequence") or [{}]
        uid = str(referenced[0].get("SeriesInstanceUID") or "")
        return Segments(labels, digest(uid) if uid else "", identifiers(dataset))
    except DAMAGE:
        raise refusal(_SEG, "unreadable", "its header is damaged or lists no segments; export it again") from None


def matching(label: str, names: Collection[str]) -> str | None:
    """The one of `names` that a segment's label means: `Right Kidney` is `right_kidney`; None if there is none."""
    return {_plain(name): name for name in names}.get(_plain(label))


def read_seg(
    path: Path, masks: Sequence[tuple[str, Path]], grid: Grid | None
) -> tuple[Scan, dict[int, tuple[str, ...]]]:
    """The label that a SEG makes on the lattice of its scan, and code → the names whose segments meet in it.

    `masks` has the names to read; segments whose labels mean the same name are taken together. Probabilities count
    from one half, with a finding `seg-fractional`. Raises InvalidDataError with rule `seg-without-scan`,
    `seg-off-lattice`, `seg-outside`, `dicom-compressed` or `unreadable`, naming no file.
    """
    if grid is None:
        raise refusal(_SEG, "seg-without-scan", "segments are placed on their scan; import the scan first")
    try:
        reader = _Masks(path, [name for name, _ in masks], grid)
        codes, meanings = combine_masks(reader)
    except InvalidDataError:
        raise
    except DAMAGE:
        raise refusal(_SEG, "unreadable", "its frames are damaged or do not say where they lie; export it") from None
    affine = _LPS_TO_RAS @ grid.affine[np.ix_([2, 1, 0, 3], [2, 1, 0, 3])]
    space = file_space(grid.shape[::-1], affine, codes.dtype, grid.spacing[::-1])
    return Scan(codes, space, grid, masks_sha256(masks), tuple(reader.findings)), meanings


class _Masks(Mapping[str, "NDArray[np.bool_]"]):
    """Masks (z, y, x) by name on a grid, made from frames when asked for."""

    def __init__(self, path: Path, names: Sequence[str], grid: Grid) -> None:
        self.dataset: Any = pydicom().dcmread(path, force=True)
        self.grid = grid
        self.kind = str(self.dataset.SegmentationType).upper()
        self.findings: list[Finding] = []
        self.numbers: dict[str, list[int]] = {name: [] for name in names}
        for item in self.dataset.SegmentSequence:
            name = matching(str(item.SegmentLabel), names)
            if name:
                self.numbers[name].append(int(item.SegmentNumber))
        self.planes = _planes(self.dataset, self.kind)
        self._remark()

    def _remark(self) -> None:
        for name, numbers in self.numbers.items():
            if len(numbers) > 1:
                message = f"{len(numbers)} segments are called {name}; taken together"
                self.findings.append(remark(_SEG, "segments-together", message))
        if self.kind == "FRACTIONAL":
            message = "holds probabilities or shares of voxels; one half and more counts as drawn"
            self.findings.append(remark(_SEG, "seg-fractional", message))

    def __getitem__(self, name: str) -> NDArray[np.bool_]:
        mask = np.zeros(self.grid.shape, bool)
        for number in self.numbers[name]:
            key = 0 if self.kind == "LABELMAP" else number
            for plane, frame in self._frames(self.planes[key]):
                drawn = frame == number if self.kind == "LABELMAP" else frame >= self._least
                _draw(mask, self.grid, plane, drawn)
        return mask

    def __iter__(self) -> Iterator[str]:
        return iter(self.numbers)

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def _least(self) -> float:
        """The smallest value that is drawn."""
        return float(self.dataset.MaximumFractionalValue) / 2 if self.kind == "FRACTIONAL" else 1.0

    def _frames(self, planes: Sequence[_Plane]) -> Iterator[tuple[_Plane, NDArray[Any]]]:
        from pydicom.pixels.utils import iter_pixels

        numbers = [plane.number for plane in planes]
        if int(self.dataset.get("NumberOfFrames") or 1) == 1:
            numbers = [0] * len(planes)
        if numbers:
            yield from zip(planes, iter_pixels(self.dataset, indices=numbers, raw=True), strict=True)


def _planes(dataset: Any, kind: str) -> dict[int, list[_Plane]]:
    """The frames of each segment; of a map of labels all under 0."""
    shared = (dataset.get("SharedFunctionalGroupsSequence") or [{}])[0]
    found: dict[int, list[_Plane]] = defaultdict(list)
    for number, group in enumerate(dataset.PerFrameFunctionalGroupsSequence):

        def said(sequence: str, group: Any = group) -> Any:
            return (group.get(sequence) or shared.get(sequence))[0]

        segment = 0
        if kind != "LABELMAP":
            segment = int(said("SegmentIdentificationSequence").ReferencedSegmentNumber)
        cosines = np.array(said("PlaneOrientationSequence").ImageOrientationPatient, float)
        down, along = (float(step) for step in said("PixelMeasuresSequence").PixelSpacing)
        origin = np.array(said("PlanePositionSequence").ImagePositionPatient, float)
        found[segment].append(_Plane(number, origin, cosines[:3] * along, cosines[3:] * down))
    return found


def _draw(mask: NDArray[np.bool_], grid: Grid, plane: _Plane, drawn: NDArray[np.bool_]) -> None:
    """Set the voxels of a frame (row, column) that are drawn; refused where they are none of the lattice."""
    rows, columns = drawn.shape
    inverse = np.linalg.inv(grid.affine)
    corners = [plane.origin + c * plane.along + r * plane.down for r, c in ((0, 0), (0, columns - 1), (rows - 1, 0))]
    exact = np.array([inverse @ (*corner[::-1], 1.0) for corner in corners])[:, :3]
    voxels = np.rint(exact)
    off = float((np.abs(exact - voxels) * grid.spacing).max())
    steps = np.diff(voxels[[0, 1]], axis=0)[0], np.diff(voxels[[0, 2]], axis=0)[0]
    along, down = steps[0] / max(columns - 1, 1), steps[1] / max(rows - 1, 1)
    if off > TOLERANCE * min(grid.spacing) or not all(
        sorted(np.abs(step)) in ([0, 0, 1], [0, 0, 0]) for step in (along, down)
    ):
        message = f"a frame lies {off:.3g} mm beside the scan's voxels; segments of another lattice are not resampled"
        raise refusal(_SEG, "seg-off-lattice", message)
    row, column = np.nonzero(drawn)
    places = (voxels[0] + column[:, None] * along + row[:, None] * down).astype(np.int64)
    if places.size and ((places < 0) | (places >= grid.shape)).any():
        raise refusal(_SEG, "seg-outside", "something is drawn outside the scan; check that both belong to one case")
    mask[tuple(places.T)] = True


def _plain(name: str) -> str:
    """A name without case and with one sort of gap."""
    return re.sub(r"[^a-z0-9]+", "_", name.casefold()).strip("_")
