"""Writing NIfTI: what comes out is what came in."""

from itertools import permutations, product
from pathlib import Path

import nibabel
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flaredb.errors import InvalidDataError
from flaredb.exchange import write as write_module
from flaredb.exchange.read import read_image, read_label
from flaredb.exchange.stored import file_space
from flaredb.exchange.write import write_nifti
from flaredb.geometry import FileSpace
from tests.exchange.builders import AFFINE, dicom, nifti, ramp, rule_of

TYPES = ["uint8", "int8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64"]
SPACE = file_space((5, 4, 3), AFFINE, np.dtype(np.int16), (0.8, 0.8, 2.5))


@st.composite
def spaces(draw: st.DrawFn) -> FileSpace:
    """Any orientation, small rotations and shears, real spacings, any type."""
    order = draw(st.sampled_from(list(permutations(range(3)))))
    signs = draw(st.sampled_from(list(product((-1.0, 1.0), repeat=3))))
    spacing = [draw(st.floats(0.4, 8.0)) for _ in range(3)]
    noise = np.array([[draw(st.floats(-0.2, 0.2)) for _ in range(3)] for _ in range(3)])
    affine = np.eye(4)
    affine[:3, :3] = (np.eye(3)[:, order] * signs + draw(st.booleans()) * noise) * spacing
    affine[:3, 3] = [draw(st.floats(-2000, 2000)) for _ in range(3)]
    shape = draw(st.tuples(*[st.integers(1, 6)] * 3))
    dtype = np.dtype(draw(st.sampled_from(TYPES)))
    pixdim = spacing if draw(st.booleans()) else [draw(st.floats(0.4, 8.0)) for _ in range(3)]
    return file_space(shape, affine, dtype, pixdim)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(space=spaces(), seed=st.integers(0, 2**32 - 1), name=st.sampled_from(["a.nii", "a.nii.gz"]))
def test_round_trip_is_exact(tmp_path: Path, space: FileSpace, seed: int, name: str) -> None:
    """Written and read again, voxels are identical, affine and pixdim to float32, type kept, in any orientation."""
    voxels = np.random.default_rng(seed).integers(0, 127, space.grid.shape).astype(np.int16)
    path = tmp_path / name
    write_nifti(path, voxels, space)
    scan = read_label(path)
    np.testing.assert_array_equal(scan.voxels, voxels)
    np.testing.assert_allclose(scan.space.matrix, space.matrix, rtol=1e-6, atol=1e-6)
    assert (scan.space.dtype, scan.space.shape, scan.space.pixdim) == (space.dtype, space.shape, space.pixdim)
    np.testing.assert_array_equal(np.asarray(nibabel.load(path).dataobj), space.from_lps(voxels))


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32])
def test_nibabel_file_comes_out_as_it_went_in(tmp_path: Path, dtype: type) -> None:
    """A file read and written again has the original's array, affine and type."""
    affine = AFFINE[[1, 0, 2, 3]]
    before = nibabel.load(nifti(tmp_path / "a.nii.gz", ramp(dtype=dtype), affine))
    scan = read_image(tmp_path / "a.nii.gz")
    write_nifti(tmp_path / "b.nii.gz", scan.voxels, scan.space)
    after = nibabel.load(tmp_path / "b.nii.gz")
    np.testing.assert_array_equal(np.asarray(after.dataobj), np.asarray(before.dataobj))
    np.testing.assert_array_equal(after.affine, before.affine)
    assert after.get_data_dtype() == before.get_data_dtype()
    assert after.header["sform_code"] == 1


def test_quaternion_is_given_only_where_it_says_the_same(tmp_path: Path) -> None:
    """qform agrees with sform, or is switched off for a sheared affine."""
    sheared = AFFINE.copy()
    sheared[0, 2] = 0.7
    for name, affine, code in (("a.nii", AFFINE, 1), ("b.nii", sheared, 0)):
        space = file_space((5, 4, 3), affine, np.dtype(np.int16), (0.8, 0.8, 2.5))
        write_nifti(tmp_path / name, ramp((3, 4, 5)), space)
        header = nibabel.load(tmp_path / name).header
        assert header["qform_code"] == code
        np.testing.assert_allclose(header.get_sform(), affine, rtol=1e-6)
        if code:
            np.testing.assert_allclose(header.get_qform(), affine, rtol=1e-5, atol=1e-5)


def test_equal_input_gives_equal_bytes(tmp_path: Path) -> None:
    """The gzip header holds neither time nor name."""
    write_nifti(tmp_path / "a.nii.gz", ramp((3, 4, 5)), SPACE)
    write_nifti(tmp_path / "b.nii.gz", ramp((3, 4, 5)), SPACE)
    assert (tmp_path / "a.nii.gz").read_bytes() == (tmp_path / "b.nii.gz").read_bytes()


@pytest.mark.parametrize(
    ("wanted", "highest", "given", "found"),
    [
        ("uint8", 300, np.uint16, np.int16),
        ("float16", 200, np.uint8, np.uint8),
        ("bool", 1, np.uint8, np.uint8),
        ("int16", 40000, np.uint16, np.uint16),
        ("float32", 2**24 + 1, np.uint32, np.int32),
        ("int8", 7, np.uint8, np.int8),
    ],
)
def test_type_that_cannot_hold_the_values_is_replaced(
    tmp_path: Path, wanted: str, highest: int, given: type, found: type
) -> None:
    """Where the file's type is unknown to NIfTI or too small, the smallest that holds every value is written."""
    array = np.zeros((3, 4, 5), given)
    array[2, 1, 0] = highest
    space = file_space((5, 4, 3), AFFINE, np.dtype(wanted), (0.8, 0.8, 2.5))
    write_nifti(tmp_path / "a.nii", array, space)
    assert nibabel.load(tmp_path / "a.nii").get_data_dtype() == found
    np.testing.assert_array_equal(read_label(tmp_path / "a.nii").voxels, array)


def test_wrong_shape_and_wrong_name_are_refused(tmp_path: Path) -> None:
    """Nothing is written for an array of another shape or a name that is not NIfTI's."""
    for name, shape, rule in (("a.nii", (5, 4, 3), "shape-mismatch"), ("a.mha", (3, 4, 5), "unknown-format")):
        with pytest.raises(InvalidDataError) as error:
            write_nifti(tmp_path / name, ramp(shape), SPACE)
        assert rule_of(error) == rule
    assert list(tmp_path.iterdir()) == []


def test_failure_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write that fails halfway leaves what was there and no rubbish."""
    path = tmp_path / "a.nii.gz"
    path.write_bytes(b"old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(write_module, "_write", full)
    with pytest.raises(OSError, match="No space"):
        write_nifti(path, ramp((3, 4, 5)), SPACE)
    assert [p.name for p in tmp_path.iterdir()] == ["a.nii.gz"]
    assert path.read_bytes() == b"old"


def test_long_axis_takes_nifti2(tmp_path: Path) -> None:
    """An axis beyond NIfTI-1's 32,767 is written as NIfTI-2."""
    space = file_space((1, 2, 40000), AFFINE, np.dtype(np.uint8), (0.8, 0.8, 2.5))
    array = (np.arange(80000) % 200).astype(np.uint8).reshape(40000, 2, 1)
    write_nifti(tmp_path / "a.nii", array, space)
    assert isinstance(nibabel.load(tmp_path / "a.nii"), nibabel.Nifti2Image)
    np.testing.assert_array_equal(read_label(tmp_path / "a.nii").voxels, array)


def test_dicom_scan_is_written_in_its_place(tmp_path: Path) -> None:
    """A DICOM series written as NIfTI lies where the slices lay."""
    scan = read_image(dicom(tmp_path / "s", [2.5 * i for i in range(12)]))
    write_nifti(tmp_path / "s.nii.gz", scan.voxels, scan.space)
    again = read_image(tmp_path / "s.nii.gz")
    np.testing.assert_array_equal(again.voxels, scan.voxels)
    assert again.grid.distance(scan.grid) < 1e-4
