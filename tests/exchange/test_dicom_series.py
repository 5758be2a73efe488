"""DICOM as hospitals export it: a rule for each way a folder is not one clean series."""

import locale
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
    generate_uid,
)

from flaredb.errors import InvalidDataError
from flaredb.exchange.dicom import is_dicom, series_digest, series_in
from flaredb.exchange.read import read_image
from tests.exchange.builders import rule_of
from tests.exchange.dicom_phantom import Series, enhanced, planted, save, slice_of, write

EVEN = tuple(2.5 * i for i in range(12))
CORONAL = (1.0, 0.0, 0.0, 0.0, 0.0, -1.0)


def expected(series: Series) -> np.ndarray:
    """HU (z, y, x) of an axial series as the phantom writes it."""
    return np.stack([series.stored(i) for i in range(len(series.heights))]) - 1024


def rules(path: Path) -> list[str]:
    """Rules of the findings on what a folder holds."""
    return [finding.rule for finding in series_in(path).findings]


def parts(path: Path) -> list[tuple[str, int]]:
    """The parts of a folder and their slices."""
    return [(series.part, series.slices) for series in series_in(path).series]


def refused(path: Path, part: str = "") -> str:
    """The rule by which reading a part is refused."""
    with pytest.raises(InvalidDataError) as error:
        read_image(path, part=part)
    return rule_of(error)


def test_each_series_is_read_by_its_number(tmp_path: Path) -> None:
    """Two series of a folder are two parts, called by their numbers; without a part neither is guessed."""
    portal, late = Series(number=3), Series(number=12, seed=7, heights=EVEN[:10])
    write(write(tmp_path / "s", portal, "A"), late, "B")
    assert parts(tmp_path / "s") == [("3", 12), ("12", 10)]
    np.testing.assert_array_equal(read_image(tmp_path / "s", part="12").voxels, expected(late))
    np.testing.assert_array_equal(read_image(tmp_path / "s", part="3").voxels, expected(portal))
    assert refused(tmp_path / "s") == "dicom-series"
    assert refused(tmp_path / "s", "4") == "dicom-series"


def test_series_of_one_number_are_counted(tmp_path: Path) -> None:
    """Series that share a number, or have none, are still told apart, and the same way each time."""

    def nameless(dataset: Dataset, _: int) -> None:
        del dataset.SeriesNumber

    for name, series in {"A": Series(), "B": Series(), "C": Series(change=nameless)}.items():
        write(tmp_path / "s", series, name)
    assert sorted(part for part, _ in parts(tmp_path / "s")) == ["0.1", "3.1", "3.2"]
    assert parts(tmp_path / "s") == parts(tmp_path / "s")


def test_what_is_no_ct_is_left_out(tmp_path: Path) -> None:
    """Reports, other modalities, screen captures, structure sets and an index beside the scan are skipped, and said."""

    def as_other(modality: str, kind: str) -> Dataset:
        dataset = slice_of(Series(), 0)
        dataset.Modality, dataset.SOPClassUID, dataset.SeriesInstanceUID = modality, kind, generate_uid()
        dataset.file_meta.MediaStorageSOPClassUID = kind
        return dataset

    folder = write(tmp_path / "s", Series())
    others = {"SR": "88.67", "MR": "4", "RTSTRUCT": "481.3", "SEG": "66.4", "CT": "7"}
    for modality, end in others.items():
        save(folder / f"X{modality}", as_other(modality, f"1.2.840.10008.5.1.4.1.1.{end}"))
    (folder / "DICOMDIR").write_bytes((folder / "XSR").read_bytes())
    scan = read_image(folder)
    assert [f.rule for f in scan.findings] == ["dicom-not-ct"] * 5
    assert scan.voxels.shape == (12, 6, 8)


def test_copies_of_slices_are_dropped(tmp_path: Path) -> None:
    """A slice that is there twice with the same voxels counts once, and that is said."""
    folder = write(tmp_path / "s", Series())
    (folder / "copy").write_bytes((folder / "IM0004").read_bytes())
    scan = read_image(folder)
    np.testing.assert_array_equal(scan.voxels, expected(Series()))
    assert [f.rule for f in scan.findings] == ["dicom-duplicate-slices"]


@pytest.mark.parametrize("mark", ["AcquisitionNumber", "TemporalPositionIdentifier", "ContentTime"])
def test_phases_of_one_series_are_parts(tmp_path: Path, mark: str) -> None:
    """Two phases at the same places are told apart by acquisition, temporal position or time, whichever does it."""

    def late(dataset: Dataset, i: int) -> None:
        setattr(dataset, mark, f"1017{i:02d}" if mark == "ContentTime" else 2)

    def early(dataset: Dataset, i: int) -> None:
        if mark == "ContentTime":
            dataset.ContentTime = f"1015{i:02d}"
        setattr(dataset, mark, f"1015{i:02d}" if mark == "ContentTime" else 1)

    first = Series(change=early)
    second = Series(change=late, seed=500, uid=first.uid)
    write(write(tmp_path / "s", second, "A"), first, "B")
    assert parts(tmp_path / "s") == [("3-1", 12), ("3-2", 12)]
    assert rules(tmp_path / "s") == ["dicom-mixed"]
    np.testing.assert_array_equal(read_image(tmp_path / "s", part="3-1").voxels, expected(first))
    np.testing.assert_array_equal(read_image(tmp_path / "s", part="3-2").voxels, expected(second))


def test_phases_that_nothing_tells_apart_are_refused(tmp_path: Path) -> None:
    """Different voxels at the same places, and no mark that separates them: refused, with the places."""
    first = Series()
    write(write(tmp_path / "s", first, "A"), Series(seed=500, uid=first.uid), "B")
    assert refused(tmp_path / "s") == "dicom-doubled-slices"


def test_a_scan_is_not_cut_up_by_the_second(tmp_path: Path) -> None:
    """A lost slice where a new second, or a new acquisition, begins is a lost slice, not a reason for two scans."""

    def times(dataset: Dataset, i: int) -> None:
        dataset.ContentTime, dataset.AcquisitionNumber = f"10150{i // 12}", i // 12

    def phases(dataset: Dataset, i: int) -> None:
        dataset.ContentTime = f"10150{i // 12}"

    lost = write(tmp_path / "a", Series([2.5 * (i + (i > 11)) for i in range(24)], change=times))
    assert refused(lost) == "dicom-missing-slices"
    twice = write(tmp_path / "b", Series([2.5 * (i % 24) for i in range(48)], change=phases))
    assert parts(twice) == [("3-1", 24), ("3-2", 24)]


def test_loss_before_is_said(tmp_path: Path) -> None:
    """A series that was compressed with loss somewhere before is taken, and that is said."""

    def lossy(dataset: Dataset, _: int) -> None:
        dataset.LossyImageCompression = "01"

    assert [f.rule for f in read_image(write(tmp_path / "s", Series(change=lossy))).findings] == ["dicom-lossy"]


def test_stations_with_other_spacing_are_parts(tmp_path: Path) -> None:
    """A series whose acquisitions follow each other with different spacing is one volume each."""

    def legs(dataset: Dataset, _: int) -> None:
        dataset.AcquisitionNumber = 2

    first = Series()
    write(
        write(tmp_path / "s", first, "A"), Series([101 + 5.0 * i for i in range(10)], change=legs, uid=first.uid), "B"
    )
    assert parts(tmp_path / "s") == [("3-1", 12), ("3-2", 10)]
    assert read_image(tmp_path / "s", part="3-2").grid.spacing == pytest.approx((5, 0.9, 0.8))


def test_mixed_orientations_are_parts(tmp_path: Path) -> None:
    """Coronal slices inside an axial series are a volume of their own; too few of them are left out."""
    first = Series()
    write(write(tmp_path / "s", first, "A"), Series(orientation=CORONAL, uid=first.uid), "B")
    assert [slices for _, slices in parts(tmp_path / "s")] == [12, 12]
    coronal = read_image(tmp_path / "s", part="3-2")
    assert coronal.grid.spacing == pytest.approx((0.9, 2.5, 0.8))
    few = write(tmp_path / "t", first, "A")
    write(few, Series(EVEN[:4], orientation=CORONAL, uid=first.uid), "B")
    assert [f.rule for f in read_image(few).findings] == ["dicom-skipped"]


def test_missing_slices_are_named_by_place(tmp_path: Path) -> None:
    """Gaps of whole slices are refused, saying where."""
    folder = write(tmp_path / "s", Series([h for h in (2.5 * i for i in range(16)) if h not in (12.5, 25.0, 27.5)]))
    with pytest.raises(InvalidDataError, match=r"3 slices are missing, at 12\.5, 25\.0, 27\.5 mm"):
        read_image(folder)


def test_jitter_is_taken_as_even_and_said(tmp_path: Path) -> None:
    """Slices a little off their places are read as even, with a finding; far off they are refused."""
    little = read_image(write(tmp_path / "a", Series([h + 0.05 * (i % 2) for i, h in enumerate(EVEN)])))
    assert [f.rule for f in little.findings] == ["dicom-jitter"]
    assert refused(write(tmp_path / "b", Series([h + 0.6 * (i > 5) for i, h in enumerate(EVEN)]))) == "dicom-uneven"


def test_bolus_tracking_is_skipped(tmp_path: Path) -> None:
    """Many slices at one place are no volume."""
    write(tmp_path / "s", Series([30.0] * 12, number=2), "A")
    write(tmp_path / "s", Series(), "B")
    scan = read_image(tmp_path / "s")
    assert scan.voxels.shape == (12, 6, 8)
    assert [f.rule for f in scan.findings] == ["dicom-skipped"]


def test_tilt_is_said_and_kept(tmp_path: Path) -> None:
    """A tilted gantry gives a sheared lattice that holds every slice where it lies, and a finding."""
    series = Series(tilt=0.2)
    scan = read_image(write(tmp_path / "s", series))
    assert [f.rule for f in scan.findings] == ["gantry-tilt"]
    top = scan.grid.affine @ (11, 0, 0, 1)
    np.testing.assert_allclose(top[:3], (EVEN[11], -150 + 0.2 * EVEN[11], -100), atol=1e-6)


def test_each_slice_has_its_own_rescale(tmp_path: Path) -> None:
    """HU are exact where slope and intercept differ from slice to slice, whole or not."""

    def rescaled(dataset: Dataset, i: int) -> None:
        dataset.RescaleSlope, dataset.RescaleIntercept = [("1", "-1024"), ("2", "-1000"), ("0.5", "0")][i % 3]
        dataset.PixelData = (Series().stored(i) // 2 * 2).astype("<i2").tobytes()

    scan = read_image(write(tmp_path / "s", Series(change=rescaled)))
    for i, (slope, intercept) in enumerate([(1, -1024), (2, -1000), (0.5, 0)] * 4):
        np.testing.assert_array_equal(scan.voxels[i], Series().stored(i) // 2 * 2 * slope + intercept)


def test_unused_high_bits_are_no_part_of_a_voxel(tmp_path: Path) -> None:
    """Of 16 bits that hold 12, the upper four are not read, as where overlays lie in them."""

    def twelve(dataset: Dataset, i: int) -> None:
        dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 12, 11, 0
        dataset.PixelData = (Series().stored(i).astype("<u2") | 0x5000).tobytes()

    scan = read_image(write(tmp_path / "s", Series(change=twelve)))
    np.testing.assert_array_equal(scan.voxels, expected(Series()))


@pytest.mark.parametrize(
    "syntax",
    [ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian, RLELossless, JPEGLSLossless],
    ids=lambda uid: uid.name,
)
def test_transfer_syntaxes(tmp_path: Path, syntax: str) -> None:
    """However voxels are coded without loss, they are the same."""

    def coded(dataset: Dataset, i: int) -> None:
        if syntax == ExplicitVRBigEndian:
            dataset.PixelData = Series().stored(i).astype(">i2").tobytes()
            dataset["PixelData"].VR = "OW"
        if syntax in (RLELossless, JPEGLSLossless):
            dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
            dataset.compress(syntax, generate_instance_uid=False)

    folder = write(tmp_path / "s", Series(syntax=syntax, change=coded))
    spoken = locale.setlocale(locale.LC_ALL, "C.UTF-8")
    np.testing.assert_array_equal(read_image(folder).voxels, expected(Series()))
    assert locale.setlocale(locale.LC_ALL) == spoken  # GDCM sets the process's to C


def test_files_without_preamble_are_recognised(tmp_path: Path) -> None:
    """Slices written without the 128 bytes and `DICM` are DICOM all the same; a text or a picture is not."""

    def bare(path: Path) -> None:
        path.write_bytes(path.read_bytes()[132:])

    folder = write(tmp_path / "s", Series())
    for path in folder.iterdir():
        bare(path)
    np.testing.assert_array_equal(read_image(folder).voxels, expected(Series()))
    for content in (b"", b"hello, this is text", b"\x89PNG\r\n\x1a\n" + bytes(40), b"\x08\x00"):
        (tmp_path / "x").write_bytes(content)
        assert not is_dicom(tmp_path / "x")


def test_datasets_without_meta_are_read(tmp_path: Path) -> None:
    """Slices without preamble and without the group that says how they are coded are read as they look."""
    folder = tmp_path / "s"
    folder.mkdir()
    series = Series(syntax=ImplicitVRLittleEndian)
    for i in range(12):
        dataset = slice_of(series, i)
        del dataset.file_meta
        dataset.save_as(folder / f"{i}", implicit_vr=True, little_endian=True, enforce_file_format=False)
    np.testing.assert_array_equal(read_image(folder).voxels, expected(series))


def test_frames_of_one_file_are_placed_by_position(tmp_path: Path) -> None:
    """An enhanced file is a volume: frames go where they say they lie, each with its own rescale."""
    frames = [{"slope": 1 + i % 2, "intercept": -1000 - i} for i in range(12)]
    path = enhanced(tmp_path / "s" / "ENH", Series(), frames)
    for place in (path, path.parent):
        scan = read_image(place)
        for i, frame in enumerate(frames):
            np.testing.assert_array_equal(scan.voxels[i], Series().stored(i) * frame["slope"] + frame["intercept"])
        assert scan.grid.spacing == pytest.approx((2.5, 0.9, 0.8))
        assert scan.grid.origin == pytest.approx((0, -150, -100))


def test_phases_in_one_file_are_parts(tmp_path: Path) -> None:
    """Two acquisitions among the frames of one file are two volumes."""
    series = Series((*EVEN, *EVEN))
    enhanced(tmp_path / "s" / "ENH", series, [{"acquisition": 1 + (i > 11)} for i in range(24)])
    assert parts(tmp_path / "s") == [("3-1", 12), ("3-2", 12)]
    np.testing.assert_array_equal(read_image(tmp_path / "s", part="3-2").voxels, expected(series)[12:])


def test_a_file_that_cannot_be_decoded_is_refused_clearly(tmp_path: Path) -> None:
    """Several frames in a coding that nothing here decodes are refused by its name, not read as something else."""

    def coded(dataset: Dataset, _: int) -> None:
        dataset.file_meta.TransferSyntaxUID = JPEGLosslessSV1
        from pydicom.encaps import encapsulate

        dataset.PixelData = encapsulate([bytes(100)] * 12)
        dataset["PixelData"].is_undefined_length = True

    path = enhanced(tmp_path / "s" / "ENH", Series(change=coded))
    assert refused(path) == "dicom-compressed"


def test_damaged_voxels_are_refused(tmp_path: Path) -> None:
    """A slice whose voxels are cut short is refused, saying which."""
    folder = write(tmp_path / "s", Series())
    path = folder / "IM0005"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InvalidDataError, match="damaged"):
        read_image(folder)


def test_the_digest_is_known_without_reading_voxels(tmp_path: Path) -> None:
    """The digest of a part from its files is the one that reading gives."""
    folder = write(write(tmp_path / "s", Series(number=1), "A"), Series(number=2, seed=3), "B")
    for part in ("1", "2"):
        assert series_digest(folder, part) == read_image(folder, part=part).sha256


def test_nothing_said_of_a_folder_identifies_anybody(tmp_path: Path) -> None:
    """Parts, names, findings and refusals hold no name, id, date of birth or UID, whatever is wrong."""
    series = Series()
    folder = write(tmp_path / "QUIXANO^ALONSOX" / series.uid, series)
    write(folder, Series([1.0, 2.0]), "B")
    said = [repr(series_in(folder)), repr(read_image(folder))]
    (folder / "IM0003").unlink()
    (folder / "IM0001").write_bytes((folder / "IM0001").read_bytes()[:400])
    for part in ("", "7"):
        with pytest.raises(InvalidDataError) as error:
            read_image(folder, part=part)
        said.append(repr((str(error.value), error.value.findings)))
    said.append(repr(series_in(folder)))
    assert not [word for word in planted(series) for text in said if word in text]
