"""Reading scans and labels: which values are taken, which are refused."""

import hashlib
from pathlib import Path

import nibabel
import numpy as np
import pytest

from flaredb.errors import InvalidDataError, NotFoundError
from flaredb.exchange.read import read_image, read_label
from tests.exchange.builders import AFFINE, itk, nifti, ramp, rule_of


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_image_is_int16_zyx_and_keeps_its_space(tmp_path: Path, name: str) -> None:
    """A CT comes out as contiguous int16 (z, y, x) with affine, type, pixdim and digest of its file."""
    path = nifti(tmp_path / name, ramp())
    scan = read_image(path)
    assert scan.voxels.dtype == np.int16
    assert scan.voxels.flags.c_contiguous
    np.testing.assert_array_equal(scan.voxels, ramp().transpose(2, 1, 0))
    np.testing.assert_array_equal(scan.space.matrix, nibabel.load(path).affine)
    assert (scan.space.shape, scan.space.dtype, scan.space.orientation) == ((5, 4, 3), "int16", "LPS")
    np.testing.assert_allclose(scan.grid.spacing, (2.5, 0.8, 0.8), rtol=1e-6)
    assert scan.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert scan.findings == ()


@pytest.mark.parametrize("name", ["a.mha", "a.mhd", "a.nrrd"])
@pytest.mark.parametrize("compressed", [False, True])
def test_every_format_gives_the_same_scan(tmp_path: Path, name: str, compressed: bool) -> None:
    """MetaImage and NRRD give the voxels and the RAS affine that a NIfTI of the same scan gives."""
    array = ramp((3, 4, 5))
    scan = read_image(itk(tmp_path / name, array, compressed))
    np.testing.assert_array_equal(scan.voxels, array)
    assert scan.voxels.flags.c_contiguous
    expected = [[-0.8, 0, 0, 100], [0, -0.9, 0, 150], [0, 0, 2.5, -300], [0, 0, 0, 1]]
    np.testing.assert_allclose(scan.space.matrix, expected, atol=1e-12)
    np.testing.assert_allclose(scan.space.pixdim, (0.8, 0.9, 2.5), rtol=1e-6)
    assert scan.grid.shape == (3, 4, 5)


def test_mhd_digest_covers_its_data_file(tmp_path: Path) -> None:
    """Two .mhd files with one header and different voxels have different digests."""
    for folder, add in (("a", 0), ("b", 1)):
        (tmp_path / folder).mkdir()
        itk(tmp_path / folder / "c.mhd", ramp((3, 4, 5)) + np.int16(add))
    assert (tmp_path / "a" / "c.mhd").read_bytes() == (tmp_path / "b" / "c.mhd").read_bytes()
    assert read_image(tmp_path / "a" / "c.mhd").sha256 != read_image(tmp_path / "b" / "c.mhd").sha256


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.int64, np.float32, np.float64])
def test_whole_hu_of_any_type_are_taken(tmp_path: Path, dtype: type) -> None:
    """A CT stored in another type is read as the same int16 HU, and the space remembers the type."""
    scan = read_image(nifti(tmp_path / "a.nii", ramp(dtype=dtype)))
    np.testing.assert_array_equal(scan.voxels, ramp().transpose(2, 1, 0))
    assert scan.voxels.dtype == np.int16
    assert scan.space.dtype == np.dtype(dtype).name


def test_slope_and_intercept_are_applied(tmp_path: Path) -> None:
    """HU are slope × stored + intercept."""
    image = nibabel.Nifti1Image(ramp(), AFFINE)
    image.header.set_slope_inter(2, -1024)
    image.header.set_data_dtype(np.int16)
    path = tmp_path / "a.nii"
    path.write_bytes(_with_scaling(image, 2.0, -1024.0))
    np.testing.assert_array_equal(read_image(path).voxels, ramp().transpose(2, 1, 0) * 2 - 1024)


def _with_scaling(image: nibabel.Nifti1Image, slope: float, intercept: float) -> bytes:
    data = bytearray(nibabel.Nifti1Image(image.dataobj, image.affine).to_bytes())
    data[112:120] = np.array([slope, intercept], "<f4").tobytes()
    return bytes(data)


def test_float_noise_is_rounded_away(tmp_path: Path) -> None:
    """What lies within 0.001 of a whole number is that number, in scans and labels."""
    noisy = ramp(dtype=np.float64) + 6e-8
    np.testing.assert_array_equal(read_image(nifti(tmp_path / "a.nii", noisy)).voxels, ramp().transpose(2, 1, 0))
    np.testing.assert_array_equal(read_label(nifti(tmp_path / "b.nii", noisy)).voxels, ramp().transpose(2, 1, 0))


def test_fractional_hu_need_allow_lossy(tmp_path: Path) -> None:
    """Half HU are refused, and the refusal names the option that rounds them and leaves a finding."""
    path = nifti(tmp_path / "a.nii", ramp(dtype=np.float32) + np.float32(0.25))
    with pytest.raises(InvalidDataError, match="--allow-lossy") as error:
        read_image(path)
    assert rule_of(error) == "hu-not-integer"
    scan = read_image(path, allow_lossy=True)
    np.testing.assert_array_equal(scan.voxels, ramp().transpose(2, 1, 0))
    assert [(f.severity, f.rule) for f in scan.findings] == [("warning", "hu-not-integer")]


@pytest.mark.parametrize("dtype", [np.int32, np.float32])
def test_hu_beyond_16_bits_need_allow_lossy(tmp_path: Path, dtype: type) -> None:
    """HU outside int16 are refused, or clipped with a finding."""
    array = ramp(dtype=dtype)
    array[0, 0, 0] = 40000
    path = nifti(tmp_path / "a.nii", array)
    with pytest.raises(InvalidDataError) as error:
        read_image(path)
    assert rule_of(error) == "hu-out-of-range"
    scan = read_image(path, allow_lossy=True)
    assert scan.voxels.max() == 32767
    assert [f.rule for f in scan.findings] == ["hu-out-of-range"]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_not_finite_is_refused_always(tmp_path: Path, bad: float) -> None:
    """NaN and infinity are refused in scans, even with allow_lossy, and in labels."""
    array = ramp(dtype=np.float32)
    array[1, 1, 1] = bad
    path = nifti(tmp_path / "a.nii", array)
    for read in (read_image, lambda p: read_image(p, allow_lossy=True), read_label):
        with pytest.raises(InvalidDataError) as error:
            read(path)
        assert rule_of(error) == "not-finite"


@pytest.mark.parametrize(
    ("highest", "stored", "kept"),
    [
        (255, np.int32, np.uint8),
        (513, np.float64, np.uint16),
        (65535, np.uint16, np.uint16),
        (70000, np.int64, np.uint32),
        (1, np.int8, np.uint8),
    ],
)
def test_label_takes_the_smallest_type(tmp_path: Path, highest: int, stored: type, kept: type) -> None:
    """Codes are kept in the smallest unsigned type that holds them, whatever the file's."""
    array = np.zeros((5, 4, 3), stored)
    array[1, 2, 0] = highest
    label = read_label(nifti(tmp_path / "a.nii.gz", array))
    assert label.voxels.dtype == kept
    assert label.voxels[0, 2, 1] == highest
    assert label.space.dtype == np.dtype(stored).name


@pytest.mark.parametrize(
    ("value", "dtype", "rule"),
    [
        (-1, np.int16, "label-negative"),
        (-3.0, np.float32, "label-negative"),
        (0.5, np.float32, "label-not-integer"),
        (2**33, np.int64, "label-out-of-range"),
    ],
)
def test_values_that_are_no_codes_are_refused(tmp_path: Path, value: float, dtype: type, rule: str) -> None:
    """Negative, fractional and enormous label values are refused, each by its own rule."""
    array = np.zeros((5, 4, 3), dtype)
    array[0, 0, 0] = value
    with pytest.raises(InvalidDataError) as error:
        read_label(nifti(tmp_path / "a.nii", array))
    assert rule_of(error) == rule


def test_big_slabs_are_converted_in_pieces(tmp_path: Path) -> None:
    """A volume of more voxels than a slab holds is converted without a seam."""
    array = np.random.default_rng(1).integers(-1000, 1000, (300, 200, 90)).astype(np.float32)
    np.testing.assert_array_equal(read_image(nifti(tmp_path / "a.nii", array)).voxels, array.transpose(2, 1, 0))


def test_missing_path_is_not_found(tmp_path: Path) -> None:
    """A path that does not exist is NotFoundError, not invalid data."""
    with pytest.raises(NotFoundError, match="no such file"):
        read_image(tmp_path / "a.nii.gz")


def test_unknown_kind_of_file_is_refused(tmp_path: Path) -> None:
    """The name decides which reader is used; no other is tried."""
    path = nifti(tmp_path / "a.nii", ramp()).rename(tmp_path / "a.jpg")
    with pytest.raises(InvalidDataError) as error:
        read_image(path)
    assert rule_of(error) == "unknown-format"
