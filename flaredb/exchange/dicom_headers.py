"""What a DICOM file's header says of its slices, read with pydicom; voxels are not touched.

Kept: geometry, how to get HU, which series and acquisition. Names, ids and UIDs stay in memory, and only to see to it
that nothing shown or stored carries them (`Identifiers`) and to tell patients and series apart.
"""

from __future__ import annotations

import hashlib
import logging
import math
import struct
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from flaredb.errors import UsageError
from flaredb.exchange.dicom_names import Identifiers, identifiers
from flaredb.exchange.findings import refusal

CT_CLASSES = {"1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.2.1", "1.2.840.10008.5.1.4.1.1.2.2"}
SLICE = Path("a DICOM file")  # because names of files hold names of patients and UIDs
UNNAMED = "?"  # before the digest of a series that has no UID: it may be of another patient
INDEX_CLASS = "1.2.840.10008.1.3.10"
# What pydicom raises on files that are damaged or none at all.
DAMAGE = (
    OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, IndexError, NotImplementedError,
    OverflowError, RuntimeError, MemoryError, struct.error,
)  # fmt: skip
_TAGS = [
    "SOPClassUID", "SOPInstanceUID", "Modality", "ImageType", "StudyInstanceUID", "SeriesInstanceUID", "SeriesNumber",
    "FrameOfReferenceUID", "AcquisitionNumber", "TemporalPositionIdentifier", "ContentTime", "AcquisitionTime",
    "Rows", "Columns", "NumberOfFrames", "SamplesPerPixel", "BitsAllocated", "BitsStored", "PixelRepresentation",
    "PixelSpacing", "ImagePositionPatient", "ImageOrientationPatient", "RescaleSlope", "RescaleIntercept",
    "LossyImageCompression", "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence",
    "PatientName", "PatientID", "OtherPatientIDs", "OtherPatientNames", "PatientBirthName", "PatientBirthDate",
    "PatientMotherBirthName", "AccessionNumber", "PatientIdentityRemoved", "ReferringPhysicianName",
    "PerformingPhysicianName", "OperatorsName", "NameOfPhysiciansReadingStudy", "RequestingPhysician",
]  # fmt: skip
_FIRST_ELEMENTS = {0x0000, 0x0001, 0x0005, 0x0008, 0x0012, 0x0016, 0x0018}
_FIRST_VRS = {b"UL", b"OB", b"CS", b"DA", b"UI", b"SH", b"LO"}


class Frame(NamedTuple):
    """One slice: the file, its number in there from 0, and where it lies.

    Size and spacing (mm) are (x, y): along a row, then down a column. `position` is the LPS place (mm) of the first
    voxel, `orientation` the LPS cosines of a row and of a column; both are empty where the file does not say. HU is
    stored value × `slope` + `intercept`. `phase` holds what may tell acquisitions of one series apart: acquisition
    number, temporal position, and a time.
    """

    path: Path
    number: int
    position: tuple[float, ...]
    orientation: tuple[float, ...]
    size: tuple[int, int]
    spacing: tuple[float, ...]
    slope: float
    intercept: float
    bits: int
    signed: bool
    scout: bool
    phase: tuple[str, str, str]


class Header(NamedTuple):
    """A file: its frames, the series they are of (`series`: a digest, never shown), or why it is no CT (`skip`)."""

    path: Path
    series: str
    number: str
    skip: str
    lossy: bool
    frames: tuple[Frame, ...]
    identifiers: Identifiers
    patient: str


def pydicom() -> ModuleType:
    """The library, told to keep quiet; UsageError names the extra where it is not installed."""
    try:
        import pydicom
        import pydicom.config
    except ImportError as error:
        raise UsageError("reading DICOM needs pydicom; pip install 'flaredb[dicom]'") from error
    pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
    pydicom.config.convert_wrong_length_to_UN = True  # or a wrong length raises what is no ValueError
    logging.getLogger("pydicom").setLevel(logging.CRITICAL + 1)  # because its messages quote the file
    warnings.filterwarnings("ignore", module="pydicom")
    return pydicom


def is_dicom(path: Path) -> bool:
    """Whether a file is a DICOM one: by `DICM` at byte 128, or by a first element that only DICOM begins with.

    An index named DICOMDIR and hidden files are none.
    """
    if path.name.startswith(".") or path.name.upper() == "DICOMDIR" or not path.is_file():
        return False
    with path.open("rb") as handle:
        head = handle.read(132)
    return head[128:] == b"DICM" or _begins_bare(head)


def read_header(path: Path) -> Header:
    """Read one file's header; raises InvalidDataError with rule `unreadable` or `bad-geometry`, naming no file."""
    library = pydicom()
    try:
        dataset = library.dcmread(path, stop_before_pixels=True, force=True, specific_tags=_TAGS)
        return _header(path, dataset)
    except UsageError:
        raise
    except DAMAGE as error:
        if hasattr(error, "findings"):
            raise
        raise refusal(SLICE, "unreadable", "a DICOM header is damaged; copy the file again") from None


def sop_class(path: Path) -> str:
    """The kind of object in a DICOM file, as the UID of its class; empty when it does not say or is damaged."""
    try:
        return _class_of(pydicom().dcmread(path, stop_before_pixels=True, force=True, specific_tags=["SOPClassUID"]))
    except DAMAGE:
        return ""


def digest(*parts: object) -> str:
    """Stands for ids in memory, so that they are not carried about."""
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()[:16]


def _begins_bare(head: bytes) -> bool:
    """Whether bytes look like a DICOM file without its preamble: an early element with a type or a small length."""
    if len(head) < 12:
        return False
    group, element = struct.unpack("<HH", head[:4])
    if group not in (0x0002, 0x0008) or element not in _FIRST_ELEMENTS:
        return False
    (length,) = struct.unpack("<I", head[4:8])
    return head[4:6] in _FIRST_VRS or (length <= 64 and length % 2 == 0)


def _class_of(dataset: Any) -> str:
    meta = getattr(dataset, "file_meta", None)
    return str(dataset.get("SOPClassUID") or (meta.get("MediaStorageSOPClassUID") if meta else "") or "")


def _header(path: Path, dataset: Any) -> Header:
    kind = _class_of(dataset)
    modality = str(dataset.get("Modality") or "").upper()
    if not kind and not modality:
        raise refusal(
            SLICE, "unreadable", "a DICOM header says neither what it is nor of which modality; copy it again"
        )
    uid = str(dataset.get("SeriesInstanceUID") or "")
    number = str(dataset.get("SeriesNumber") or "")
    study = (dataset.get("StudyInstanceUID"), number, dataset.get("FrameOfReferenceUID"))
    skip = _why_not(kind, modality)
    return Header(
        path,
        digest(uid) if uid else UNNAMED + digest(*study),
        number if number.isdecimal() else "",
        skip,
        str(dataset.get("LossyImageCompression") or "") == "01",
        () if skip else tuple(_frames(path, dataset)),
        identifiers(dataset),
        str(dataset.get("PatientID") or "").strip(),
    )


def _why_not(kind: str, modality: str) -> str:
    """Why a file is no CT; empty for CT."""
    if kind == INDEX_CLASS:
        return "index"
    if modality not in ("", "CT"):
        return modality if modality.isalnum() else "other"
    return "" if kind in CT_CLASSES or not kind else "no CT image"


def _frames(path: Path, dataset: Any) -> Iterator[Frame]:
    rows, columns = dataset.get("Rows"), dataset.get("Columns")
    if not rows or not columns or not dataset.get("BitsStored"):
        raise refusal(SLICE, "unreadable", "a DICOM header ends before it says how large the slice is; copy it again")
    if int(dataset.get("SamplesPerPixel") or 1) != 1:
        raise refusal(SLICE, "dicom-colour", "a slice is in colour; export the series as grey CT slices")
    shared = dataset.get("SharedFunctionalGroupsSequence") or [{}]
    groups = dataset.get("PerFrameFunctionalGroupsSequence") or [None]
    count = int(dataset.get("NumberOfFrames") or 1)
    if count != len(groups):
        raise refusal(SLICE, "unreadable", f"{count} frames are announced and {len(groups)} described; export it again")
    for index, group in enumerate(groups):
        yield _frame(path, index, dataset, _Places(dataset, [] if group is None else [group, shared[0]]))


class _Places:
    """Where a frame's attributes may be: its own functional group, the shared one, or the file itself."""

    def __init__(self, dataset: Any, groups: list[Any]) -> None:
        self.dataset = dataset
        self.groups = groups

    def get(self, sequence: str, name: str) -> Any:
        """An attribute of a frame, None where nobody says it."""
        for group in self.groups:
            for item in group.get(sequence) or []:
                if item.get(name) is not None:
                    return item.get(name)
        return self.dataset.get(name)


def _frame(path: Path, index: int, dataset: Any, places: _Places) -> Frame:
    content, plane = "FrameContentSequence", "PlaneOrientationSequence"
    rescale = "PixelValueTransformationSequence"
    down_along = _numbers(places.get("PixelMeasuresSequence", "PixelSpacing"), 2)
    kinds = places.get("CTImageFrameTypeSequence", "FrameType") or dataset.get("ImageType") or ()
    slope, intercept = places.get(rescale, "RescaleSlope"), places.get(rescale, "RescaleIntercept")
    acquisition = places.get(content, "FrameAcquisitionNumber") or dataset.get("AcquisitionNumber")
    temporal = places.get(content, "TemporalPositionIndex") or dataset.get("TemporalPositionIdentifier")
    time = places.get(content, "FrameAcquisitionDateTime") or dataset.get("ContentTime")
    return Frame(
        path,
        index,
        _numbers(places.get("PlanePositionSequence", "ImagePositionPatient"), 3),
        _numbers(places.get(plane, "ImageOrientationPatient"), 6),
        (int(dataset.Columns), int(dataset.Rows)),
        down_along[::-1],
        _number(1.0 if slope is None else slope),
        _number(0.0 if intercept is None else intercept),
        int(dataset.BitsStored),
        bool(dataset.get("PixelRepresentation")),
        "LOCALIZER" in (str(part).upper() for part in ([kinds] if isinstance(kinds, str) else kinds)),
        (str(acquisition or ""), str(temporal or ""), str(time or dataset.get("AcquisitionTime") or "")),
    )


def _number(value: Any) -> float:
    return _numbers([value], 1)[0]


def _numbers(values: Any, count: int) -> tuple[float, ...]:
    """The numbers of a tag; an absent tag gives an empty tuple."""
    if values is None or values == "":
        return ()
    try:
        found = tuple(float(value) for value in values)
    except (TypeError, ValueError):
        found = ()
    if len(found) != count or not all(map(math.isfinite, found)):
        raise refusal(SLICE, "bad-geometry", "position, orientation, spacing or rescale of a slice is no number")
    return found
