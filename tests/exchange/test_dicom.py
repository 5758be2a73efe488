"""Folders of DICOM slices: order, geometry, and what is refused."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from flaredb.errors import InvalidDataError
from flaredb.exchange.dicom import is_dicom
from flaredb.exchange.read import read_image
from tests.exchange.builders import dicom, rule_of

EVEN = [2.5 * i for i in range(12)]


def refused(path: Path) -> str:
    """The rule by which reading `path` is refused."""
    with pytest.raises(InvalidDataError) as error:
        read_image(path)
    return rule_of(error)


def test_slices_are_ordered_by_position(tmp_path: Path) -> None:
    """A series is one scan in HU, ordered from low to high whatever the files are called."""
    scan = read_image(dicom(tmp_path / "s", EVEN))
    expected = np.arange(6)[:, None] * 10 + np.arange(8) + 100 * np.arange(12)[:, None, None]
    np.testing.assert_array_equal(scan.voxels, expected)
    np.testing.assert_allclose(scan.grid.spacing, (2.5, 0.9, 0.8))
    np.testing.assert_allclose(scan.grid.origin, (0, -150, -100))
    assert scan.space.orientation == "LPS"
    assert scan.findings == ()


def test_digest_depends_on_slices_not_on_names(tmp_path: Path) -> None:
    """Renaming a series leaves its digest; another slice changes it."""
    first = read_image(dicom(tmp_path / "a", EVEN))
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    for i, path in enumerate(sorted((tmp_path / "b").iterdir())):
        path.rename(path.with_name(f"x{99 - i}"))
    assert read_image(tmp_path / "b").sha256 == first.sha256
    assert read_image(dicom(tmp_path / "c", [*EVEN, 30.0])).sha256 != first.sha256


def test_gantry_tilt_is_in_the_affine(tmp_path: Path) -> None:
    """Slices that shift as they rise give a sheared affine, not a wrong spacing."""
    scan = read_image(dicom(tmp_path / "s", EVEN, tilt=0.2))
    np.testing.assert_allclose(scan.space.matrix[:3, 2], (0, -0.5, 2.5), atol=1e-9)


@pytest.mark.parametrize(
    ("heights", "rule"),
    [
        ([h for h in EVEN if h != 12.5], "dicom-missing-slices"),
        ([*EVEN, 12.5], "dicom-doubled-slices"),
        ([h + (h > 10) * 0.6 for h in EVEN], "dicom-uneven"),
    ],
)
def test_irregular_slices_are_refused(tmp_path: Path, heights: list[float], rule: str) -> None:
    """A missing, doubled or shifted slice is refused; resampling over it would invent a scan."""
    assert refused(dicom(tmp_path / "s", heights)) == rule


def test_two_series_are_refused(tmp_path: Path) -> None:
    """Which of two series is the case is not guessed."""
    dicom(tmp_path / "s", EVEN, series="1.2.3")
    assert refused(dicom(tmp_path / "s", EVEN, series="1.2.4")) == "dicom-series"


def test_too_few_slices_are_refused(tmp_path: Path) -> None:
    """A series under ten slices is no scan."""
    assert refused(dicom(tmp_path / "s", EVEN[:9])) == "dicom-series"


def test_scouts_are_skipped_with_a_finding(tmp_path: Path) -> None:
    """A scout and a short series beside the scan are left out, and said so."""
    dicom(tmp_path / "s", EVEN)
    dicom(tmp_path / "s", [0.0], series="1.2.9", kind="ORIGINAL\\PRIMARY\\LOCALIZER")
    dicom(tmp_path / "s", [0.0, 5.0], series="1.2.8")
    scan = read_image(tmp_path / "s")
    assert scan.voxels.shape == (12, 6, 8)
    assert [f.rule for f in scan.findings] == ["dicom-skipped", "dicom-skipped"]


def test_slices_of_different_size_are_left_out(tmp_path: Path) -> None:
    """Slices of one series that differ in size from the others are no part of its volume, and said so."""
    dicom(tmp_path / "s", EVEN)
    path = dicom(tmp_path / "t", [30.0], columns=9) / "1.2.3-001.dcm"
    path.rename(tmp_path / "s" / "z.dcm")
    scan = read_image(tmp_path / "s")
    assert scan.voxels.shape == (12, 6, 8)
    assert [f.rule for f in scan.findings] == ["dicom-skipped"]


def test_damaged_slice_is_counted_out(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A truncated slice is refused, told by its place among the files, for names of files may name patients."""
    folder = dicom(tmp_path / "s", EVEN)
    path = sorted(folder.iterdir())[3]
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(InvalidDataError, match="file 4 of 12 by name"):
        read_image(folder)
    assert capfd.readouterr() == ("", "")


def test_folder_without_slices_is_refused(tmp_path: Path) -> None:
    """A folder of anything else is no series."""
    (tmp_path / "notes.txt").write_text("hello")
    assert refused(tmp_path) == "dicom-series"


def test_patient_names_appear_nowhere(tmp_path: Path) -> None:
    """Neither a scan nor a refusal mentions the patient."""
    scan = read_image(dicom(tmp_path / "s", EVEN))
    assert "SECRET" not in repr((scan.space, scan.findings, scan.sha256))
    with pytest.raises(InvalidDataError) as error:
        read_image(dicom(tmp_path / "t", EVEN[:4]))
    assert "SECRET" not in repr((error.value, error.value.findings))


def test_slices_are_known_by_their_mark(tmp_path: Path) -> None:
    """DICOM is told by its bytes, under any name; DICOMDIR and hidden files are none."""
    path = sorted(dicom(tmp_path / "s", [0.0]).iterdir())[0]
    assert is_dicom(path)
    for name, expected in (("IM0001", True), ("DICOMDIR", False), ("._x", False)):
        path = path.rename(path.with_name(name))
        assert is_dicom(path) is expected
    assert not is_dicom(tmp_path)
    (tmp_path / "short").write_bytes(b"DICM")
    assert not is_dicom(tmp_path / "short")
