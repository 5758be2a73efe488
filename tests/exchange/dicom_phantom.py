"""Small DICOM files as hospitals write them, with identifiers planted in every place that has room for one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

CT = "1.2.840.10008.5.1.4.1.1.2"
ENHANCED_CT = "1.2.840.10008.5.1.4.1.1.2.1"
SECRETS = ("QUIXANO", "ALONSOX", "PAT-77331", "19470228", "ACC-90210", "MERLINO", "QUERGASSE")
AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
ROWS, COLUMNS = 6, 8


@dataclass
class Series:
    """A series to be written: where its slices lie, and whatever else of their header is asked for.

    `change` is called with each slice's dataset and number before it is written.
    """

    heights: Sequence[float] = tuple(2.5 * i for i in range(12))
    number: int = 3
    tilt: float = 0.0
    orientation: tuple[float, ...] = AXIAL
    size: tuple[int, int] = (ROWS, COLUMNS)
    syntax: str = ExplicitVRLittleEndian
    change: Callable[[Dataset, int], None] | None = None
    uid: str = field(default_factory=generate_uid)
    frame: str = field(default_factory=generate_uid)
    study: str = field(default_factory=generate_uid)
    seed: int = 0

    def stored(self, i: int) -> NDArray[np.int16]:
        """Stored values (row, column) of slice i, different in every voxel."""
        rows, columns = self.size
        ramp = np.arange(rows)[:, None] * 10 + np.arange(columns) + 100 * i + self.seed
        return ramp.astype(np.int16)


def write(folder: Path, series: Series, name: str = "IM") -> Path:
    """Write the slices of a series, the highest first by name; the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(len(series.heights)):
        dataset = slice_of(series, i)
        save(folder / f"{name}{len(series.heights) - i:04d}", dataset)
    return folder


def slice_of(series: Series, i: int) -> Dataset:
    """One slice of a series."""
    dataset = _identified(series)
    dataset.InstanceNumber = i + 1
    dataset.ImagePositionPatient = position(series, i)
    dataset.ImageOrientationPatient = list(series.orientation)
    dataset.PixelSpacing, dataset.SliceThickness = [0.9, 0.8], 2.5
    dataset.RescaleSlope, dataset.RescaleIntercept = 1, -1024
    _pixels(dataset, series.stored(i)[None], series)
    if series.change:
        series.change(dataset, i)
    return dataset


def position(series: Series, i: int) -> list[float]:
    """Where the first voxel of slice i lies, LPS mm; slices are stacked along their normal."""
    along = np.array(series.orientation)
    place = np.cross(along[:3], along[3:]) * series.heights[i] + np.array(
        [-100, -150 + series.tilt * series.heights[i], 0]
    )
    return [round(float(value), 6) for value in place]


def enhanced(path: Path, series: Series, frames: Sequence[dict[str, Any]] | None = None) -> Path:
    """Write the series as one file of many frames, in the order given (highest first); per-frame slope and intercept.

    `frames` may change `slope`, `intercept`, `acquisition` of each.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset = _identified(series)
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = ENHANCED_CT
    order = list(reversed(range(len(series.heights))))
    dataset.NumberOfFrames = len(order)
    shared = Dataset()
    shared.PixelMeasuresSequence = [_item(PixelSpacing=[0.9, 0.8], SliceThickness=2.5)]
    shared.PlaneOrientationSequence = [_item(ImageOrientationPatient=list(series.orientation))]
    dataset.SharedFunctionalGroupsSequence = [shared]
    groups = []
    for i in order:
        said = frames[i] if frames else {}
        group = Dataset()
        group.PlanePositionSequence = [_item(ImagePositionPatient=position(series, i))]
        rescale = {"RescaleSlope": said.get("slope", 1), "RescaleIntercept": said.get("intercept", -1024)}
        group.PixelValueTransformationSequence = [_item(**rescale, RescaleType="HU")]
        group.FrameContentSequence = [_item(FrameAcquisitionNumber=said.get("acquisition", 1))]
        groups.append(group)
    dataset.PerFrameFunctionalGroupsSequence = groups
    _pixels(dataset, np.stack([series.stored(i) for i in order]), series)
    if series.change:
        series.change(dataset, 0)
    save(path, dataset)
    return path


def save(path: Path, dataset: Dataset) -> Path:
    """Write a dataset as its transfer syntax says, with a preamble."""
    dataset.save_as(path, enforce_file_format=True)
    return path


def planted(series: Series) -> tuple[str, ...]:
    """Everything that must be found nowhere after an import."""
    return (*SECRETS, series.uid, series.frame, series.study)


def _identified(series: Series) -> Dataset:
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = series.syntax
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID = CT
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID = generate_uid()
    dataset.Modality, dataset.ImageType = "CT", ["ORIGINAL", "PRIMARY", "AXIAL"]
    dataset.PatientName, dataset.PatientID = "QUIXANO^ALONSOX", "PAT-77331"
    dataset.PatientBirthDate, dataset.PatientSex, dataset.AccessionNumber = "19470228", "M", "ACC-90210"
    dataset.ReferringPhysicianName, dataset.InstitutionAddress = "MERLINO", "QUERGASSE 1"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = series.study, series.uid
    dataset.FrameOfReferenceUID, dataset.SeriesNumber = series.frame, series.number
    dataset.StudyDate, dataset.StudyTime, dataset.StudyID = "20240105", "101112", "1"
    dataset.AcquisitionNumber, dataset.ContentTime = 1, "101500"
    dataset.StudyDescription = dataset.SeriesDescription = "ABDOMEN QUIXANO"
    return dataset


def _pixels(dataset: Dataset, stored: NDArray[np.int16], series: Series) -> None:
    dataset.Rows, dataset.Columns = series.size
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated = dataset.BitsStored = 16
    dataset.HighBit, dataset.PixelRepresentation = 15, 1
    dataset.PixelData = stored.astype("<i2").tobytes()


def _item(**attributes: Any) -> Dataset:
    dataset = Dataset()
    for name, value in attributes.items():
        setattr(dataset, name, value)
    return dataset


def segmentation(
    path: Path, slices: Sequence[Dataset], masks: dict[str, NDArray[Any]], kind: str = "BINARY", **options: Any
) -> Path:
    """Write a DICOM SEG of masks (slice, row, column), in the order of the slices, that refers to them."""
    import highdicom
    from pydicom.sr.codedict import codes

    path.parent.mkdir(parents=True, exist_ok=True)
    descriptions = [
        highdicom.seg.SegmentDescription(
            segment_number=number,
            segment_label=name,
            segmented_property_category=codes.SCT.Organ,
            segmented_property_type=codes.SCT.Liver,
            algorithm_type="MANUAL",
        )
        for number, name in enumerate(masks, start=1)
    ]
    pixels = np.stack([masks[name] for name in masks], axis=-1)
    made = highdicom.seg.Segmentation(
        source_images=list(slices),
        pixel_array=pixels.astype(np.float32 if kind == "FRACTIONAL" else np.uint8),
        segmentation_type=kind,
        segment_descriptions=descriptions,
        series_instance_uid=generate_uid(),
        series_number=100,
        sop_instance_uid=generate_uid(),
        instance_number=1,
        manufacturer="phantom",
        manufacturer_model_name="phantom",
        software_versions="1",
        device_serial_number="1",
        **options,
    )
    made.save_as(path)
    return path
