"""Real files: everything reads, labels fit, and what goes out is what came in."""

import gzip
from pathlib import Path

import nibabel
import numpy as np
import pytest

from flaredb.exchange.compare import check_geometry
from flaredb.exchange.layouts import find_images, find_labels
from flaredb.exchange.read import read_image, read_label
from flaredb.exchange.write import write_nifti
from tests.exchange.builders import real

LABELS = [
    "ircad_p01/labels.nii.gz",
    "totalseg/ct_labels/2022-08-04_v1.nii.gz",
    "dicom20/seg.nii.gz",
    "btcv/label0023_v1.nii.gz",
    "kits/case_00015/v1.nii.gz",
    "kits/case_00402/v1.nii.gz",
    "kits/case_00402/v3.nii.gz",
    "abdomenatlas/BDMAP_00000006_combined_labels.nii.gz",
    "abdomenatlas/BDMAP_00000006_liver_tumor.nii.gz",
    "hepaticvessel/hepaticvessel_002_manualMask.nii.gz",
]


def same_file(before: Path, after: Path) -> None:
    """Two NIfTI files hold the same values in the same order, affine, type and voxel size."""
    old, new = nibabel.load(before), nibabel.load(after)
    np.testing.assert_array_equal(new.affine, old.affine)
    np.testing.assert_array_equal(new.header["pixdim"][1:4], old.header["pixdim"][1:4])
    assert new.get_data_dtype() == old.get_data_dtype()
    assert new.shape == old.shape
    for k in range(old.shape[2]):
        np.testing.assert_array_equal(new.dataobj[..., k], np.rint(old.dataobj[..., k]))


@pytest.mark.parametrize("name", LABELS)
def test_label_goes_out_as_it_came_in(tmp_path: Path, name: str) -> None:
    """Codes, affine, type and voxel size survive reading and writing."""
    path = real(name)
    label = read_label(path)
    assert label.voxels.dtype.kind == "u"
    write_nifti(tmp_path / "a.nii", label.voxels, label.space)
    unpacked = tmp_path / "b.nii"  # because slicing a .nii.gz slice by slice is slow
    unpacked.write_bytes(gzip.decompress(path.read_bytes()))
    same_file(unpacked, tmp_path / "a.nii")


@pytest.mark.parametrize("name", ["ircad_p01/ct.nii.gz", "totalseg/ct.nii.gz", "totalseg/ct_sm.nii.gz"])
def test_scan_goes_out_as_it_came_in(tmp_path: Path, name: str) -> None:
    """HU, affine, type and voxel size survive reading and writing, int32 files included."""
    path = real(name)
    scan = read_image(path)
    assert scan.voxels.dtype == np.int16
    write_nifti(tmp_path / "a.nii.gz", scan.voxels, scan.space)
    again = read_image(tmp_path / "a.nii.gz")
    np.testing.assert_array_equal(again.voxels, scan.voxels)
    assert again.space == scan.space


@pytest.mark.parametrize(
    ("image", "labels"),
    [
        ("ircad_p01/ct.nii.gz", "ircad_p01/labels.nii.gz"),
        ("totalseg/ct.nii.gz", "totalseg/ct_labels"),
        ("totalseg/ct_sm.nii.gz", "totalseg/ct_sm_labels"),
        ("totalseg/ct_sm.nii.gz", "totalseg/ct_sm_organs"),
    ],
)
def test_labels_fit_their_scan(image: str, labels: str) -> None:
    """Labels found under a path lie on the grid of their scan without a remark."""
    grid = read_image(real(image)).grid
    search = find_labels(real(labels))
    assert search.found
    assert search.findings == ()
    for found in search.found:
        assert check_geometry(found.case, read_label(found.path).grid, grid, str(found.path)) is None


def test_flipped_label_fits_its_dicom_series() -> None:
    """A label with its y axis the other way round lies on the series, organs on organs."""
    (found,) = find_images(real("dicom20/dicom")).found
    scan, label = read_image(found.path), read_label(real("dicom20/seg.nii.gz"))
    assert scan.space.orientation != label.space.orientation
    assert check_geometry("d", label.grid, scan.grid, "seg.nii.gz") is None
    organ = scan.voxels[label.voxels == 5]
    assert 60 < organ.mean() < 120
    assert organ.std() < 40


def test_label_on_the_wrong_axis_is_noticed() -> None:
    """The published first version of a case lies elsewhere than its correction."""
    first, second = (read_label(real(f"kits/case_00402/v{i}.nii.gz")) for i in (1, 2))
    finding = check_geometry("case_00402", first.grid, second.grid, "v1.nii.gz")
    assert finding is not None
    assert finding.rule == "geometry-mismatch"


def test_same_codes_in_another_type_are_the_same() -> None:
    """An int32 and a uint8 file of the same codes read alike."""
    second, third = (read_label(real(f"kits/case_00402/v{i}.nii.gz")) for i in (2, 3))
    np.testing.assert_array_equal(second.voxels, third.voxels)
    assert second.voxels.dtype == third.voxels.dtype == np.uint8
