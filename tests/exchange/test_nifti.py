"""NIfTI files as they arrive: damaged, lying, odd."""

import contextlib
import gzip
import tracemalloc
from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flaredb.errors import InvalidDataError
from flaredb.exchange.read import read_image
from flaredb.exchange.write import write_nifti
from tests.exchange.builders import AFFINE, nifti, ramp, rule_of


def refused(path: Path) -> str:
    """The rule by which reading `path` is refused."""
    with pytest.raises(InvalidDataError) as error:
        read_image(path)
    assert path.name in str(error.value)
    return rule_of(error)


def edited(path: Path, offset: int, values: list[float], dtype: str) -> Path:
    """Overwrite header fields of a plain NIfTI-1 file."""
    data = bytearray(nifti(path, ramp()).read_bytes())
    new = np.array(values, dtype).tobytes()
    data[offset : offset + len(new)] = new
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("keep", [0.02, 0.5, 0.99])
def test_truncated_gzip_is_unreadable(tmp_path: Path, keep: float) -> None:
    """A .nii.gz cut anywhere is refused, even where only the checksum is missing."""
    array = np.random.default_rng(0).integers(-1000, 1000, (30, 30, 10)).astype(np.int16)
    path = nifti(tmp_path / "a.nii.gz", array)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * keep)])
    assert refused(path) == "unreadable"


def test_wrong_gzip_checksum_is_unreadable(tmp_path: Path) -> None:
    """The checksum after the last voxel is compared; nibabel alone would not look."""
    path = nifti(tmp_path / "a.nii.gz", ramp())
    data = bytearray(path.read_bytes())
    data[-6] ^= 0xFF
    path.write_bytes(data)
    assert refused(path) == "unreadable"


def test_truncated_plain_file_is_unreadable(tmp_path: Path) -> None:
    """A .nii with voxels missing is refused."""
    path = nifti(tmp_path / "a.nii", ramp((20, 20, 20)))
    path.write_bytes(path.read_bytes()[:-1])
    assert refused(path) == "unreadable"


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_text_file_is_unreadable(tmp_path: Path, name: str) -> None:
    """A text file with a scan's name is refused."""
    (tmp_path / name).write_text("<html>404 not found</html>" * 100)
    assert refused(tmp_path / name) == "unreadable"


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.mha", "a.nrrd"])
def test_empty_file_is_empty(tmp_path: Path, name: str) -> None:
    """A file of no bytes is refused as such."""
    (tmp_path / name).touch()
    assert refused(tmp_path / name) == "empty"


@pytest.mark.parametrize("shape", [(5, 4, 3, 2), (5, 4)])
def test_other_than_three_axes_is_refused(tmp_path: Path, shape: tuple[int, ...]) -> None:
    """Time series and single pictures are not volumes."""
    assert refused(nifti(tmp_path / "a.nii.gz", ramp(shape))) == "not-3d"


def test_a_fourth_axis_of_one_is_squeezed(tmp_path: Path) -> None:
    """A 4-D file of one volume is that volume."""
    scan = read_image(nifti(tmp_path / "a.nii.gz", ramp((5, 4, 3, 1))))
    assert scan.voxels.shape == (3, 4, 5)
    assert scan.space.shape == (5, 4, 3)


def test_no_voxels_is_empty(tmp_path: Path) -> None:
    """An axis of size zero is refused."""
    assert refused(edited(tmp_path / "a.nii", 42, [5, 0, 3], "<i2")) == "empty"


def test_negative_size_is_unreadable(tmp_path: Path) -> None:
    """A negative axis is refused."""
    assert refused(edited(tmp_path / "a.nii", 42, [5, -4, 3], "<i2")) == "unreadable"


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_absurd_size_is_refused_without_allocating(tmp_path: Path, name: str) -> None:
    """A header of 32,000³ voxels over a small file is refused before memory is asked for."""
    data = edited(tmp_path / "a.nii", 42, [32000, 32000, 32000], "<i2").read_bytes()
    path = tmp_path / name
    path.write_bytes(gzip.compress(data) if name.endswith("gz") else data)
    tracemalloc.start()
    assert refused(path) == "absurd-size"
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()


def test_zero_spacing_is_bad_geometry(tmp_path: Path) -> None:
    """A voxel size of zero in the header is refused, not taken for one."""
    assert refused(edited(tmp_path / "a.nii", 80, [0.0], "<f4")) == "bad-geometry"


@pytest.mark.parametrize("row", [[0, 0, 0, 5], [np.nan, 0, 0, 5]])
def test_singular_affine_is_bad_geometry(tmp_path: Path, row: list[float]) -> None:
    """An affine that loses an axis or is not a number is refused."""
    assert refused(edited(tmp_path / "a.nii", 280, row, "<f4")) == "bad-geometry"


def test_parallel_axes_are_bad_geometry(tmp_path: Path) -> None:
    """An affine with two axes along one direction is refused."""
    assert refused(edited(tmp_path / "a.nii", 280, [1, 0, 0, 0, 1, 0, 0, 0], "<f4")) == "bad-geometry"


def test_colour_is_refused(tmp_path: Path) -> None:
    """RGB voxels are no HU."""
    colour = np.zeros((5, 4, 3), [("R", "u1"), ("G", "u1"), ("B", "u1")])
    assert refused(nifti(tmp_path / "a.nii", colour)) == "unknown-format"


@pytest.mark.parametrize(("skew", "said"), [(1e-9, []), (0.002, ["direction-repaired"]), (0.7, ["gantry-tilt"])])
def test_directions_that_itk_refuses(tmp_path: Path, skew: float, said: list[str]) -> None:
    """Slices that lean are left so; a little off the right angle is put right, the spacing kept; both are remarked."""
    affine = AFFINE.copy()
    affine[0, 2] = skew
    path = nifti(tmp_path / "a.nii.gz", ramp(), affine)
    scan = read_image(path)
    assert [(f.severity, f.rule) for f in scan.findings] == [("warning", rule) for rule in said]
    repaired = "direction-repaired" in said
    np.testing.assert_allclose(scan.space.matrix, nibabel.load(path).affine, atol=0.003 if repaired else 0)
    assert scan.space.grid.distance(scan.grid) < 1e-9
    write_nifti(tmp_path / "b.nii.gz", scan.voxels, scan.space)
    if not skew > 0.1:
        SimpleITK.ReadImage(str(tmp_path / "b.nii.gz"))
    again = read_image(tmp_path / "b.nii.gz")
    np.testing.assert_array_equal(again.voxels, scan.voxels)
    assert again.space.pixdim == scan.space.pixdim
    assert [f.rule for f in again.findings] == [rule for rule in said if rule == "gantry-tilt"]


def test_axes_that_lean_on_each_other_are_refused(tmp_path: Path) -> None:
    """Rows that do not stand upright on columns are no scan's geometry."""
    affine = AFFINE.copy()
    affine[0, 1] = 0.3
    with pytest.raises(InvalidDataError) as error:
        read_image(nifti(tmp_path / "a.nii.gz", ramp(), affine))
    assert rule_of(error) == "sheared"


def test_header_without_orientation_leaves_a_warning(tmp_path: Path) -> None:
    """With neither sform nor qform nibabel's guess is taken, and said to be one."""
    path = edited(tmp_path / "a.nii", 252, [0, 0], "<i2")
    scan = read_image(path)
    np.testing.assert_array_equal(scan.space.matrix, nibabel.load(path).affine)
    assert [(f.severity, f.rule) for f in scan.findings] == [("warning", "no-orientation")]


def test_nifti2_and_big_endian_are_read(tmp_path: Path) -> None:
    """The other spellings of NIfTI give the same scan."""
    nibabel.save(nibabel.Nifti2Image(ramp(), AFFINE), tmp_path / "two.nii")
    header = nibabel.Nifti1Header(endianness=">")
    header.set_data_dtype(">i2")
    big = nibabel.Nifti1Image(ramp(), AFFINE, header)
    nibabel.save(big, tmp_path / "big.nii")
    for name in ("two.nii", "big.nii"):
        scan = read_image(tmp_path / name)
        np.testing.assert_array_equal(scan.voxels, ramp().transpose(2, 1, 0))
        assert scan.space.dtype == "int16"


def test_gzip_of_several_members_is_read(tmp_path: Path) -> None:
    """What bgzip and pigz write, members one after another, is one file."""
    data = nifti(tmp_path / "a.nii", ramp()).read_bytes()
    path = tmp_path / "a.nii.gz"
    path.write_bytes(gzip.compress(data[:400]) + gzip.compress(data[400:]))
    np.testing.assert_array_equal(read_image(path).voxels, ramp().transpose(2, 1, 0))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(flips=st.lists(st.tuples(st.integers(0, 351), st.integers(1, 255)), min_size=1, max_size=4))
def test_damaged_headers_are_read_or_refused(tmp_path: Path, flips: list[tuple[int, int]]) -> None:
    """No damage to a header brings anything but a scan or a refusal: no warning, no foreign exception."""
    data = bytearray(nibabel.Nifti1Image(ramp(), AFFINE).to_bytes())
    for offset, bits in flips:
        data[offset] ^= bits
    path = tmp_path / "a.nii"
    path.write_bytes(data)
    with contextlib.suppress(InvalidDataError):
        assert read_image(path, allow_lossy=True).voxels.ndim == 3
