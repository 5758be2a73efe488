"""Labels that lie elsewhere than their scan: put right and said, or refused and said; what goes out afterwards."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest

from flaredb.workflow.export.nifti import export_nifti
from flaredb.workflow.integrity.fsck import fsck
from tests.builders import REAL_DATA
from tests.cohorts import SPACE, add_case, flaredb

RAS = SPACE.matrix
CODES = np.arange(120, dtype=np.uint8).reshape(SPACE.shape) % 3  # in file order (x, y, z)
LOST = np.diag([-2.0, -2.0, 3.0, 1.0])


def save(path: Path, array: Any, affine: Any = RAS) -> Path:
    """A label as nibabel writes it, in file order."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = nibabel.Nifti1Image(np.ascontiguousarray(array), affine)
    image.header.set_sform(affine, 1)
    image.header["qform_code"] = 0
    nibabel.save(image, path)
    return path


def shifted(*voxels: float, scale: float = 1.0) -> Any:
    """The affine of a file whose first voxel is that of the scan at (x, y, z)."""
    affine = RAS.copy()
    affine[:3, 3] = (RAS @ np.array([*voxels, 1.0]))[:3]
    affine[:3, :3] *= scale
    return affine


def same_file(out: Path, path: Path) -> None:
    """Two files hold the same array, type and affine."""
    one, two = nibabel.load(out), nibabel.load(path)
    np.testing.assert_array_equal(np.asarray(one.dataobj), np.asarray(two.dataobj))
    np.testing.assert_allclose(one.affine, two.affine, atol=1e-5)
    assert one.get_data_dtype() == two.get_data_dtype()


def bring(workspace: Any, path: Path, *more: object, code: int = 0) -> dict[str, Any]:
    """Import a label of case `a`; the document printed."""
    common = ("--case", "a", "--source", "s", "--kind", "external", "--annotated", "liver,right_kidney")
    done = flaredb("ingest", "labels", path, *common, *more, workspace=workspace.root)
    assert done.code == code, done.out + done.err
    return done.json


def said(document: dict[str, Any]) -> list[tuple[str, str]]:
    """(severity, rule) of the findings."""
    return [(f["severity"], f["rule"]) for f in document["findings"]]


def stored(workspace: Any) -> Any:
    """The codes of the label in the axes of the scan's file."""
    return SPACE.from_lps(workspace.label("a@s@1").array)


@pytest.fixture
def one(empty, tmp_path):
    """A workspace with the scan `a`."""
    add_case(empty, tmp_path / "images", "a")
    return empty


def test_a_label_on_the_lattice_is_silent(one, tmp_path):
    """Flipped axes with the same physical space, and directions off by 1e-8, need no remark."""
    flip = RAS.copy()
    flip[:3, 3] = (RAS @ [5, 0, 3, 1])[:3]
    flip[:3, [0, 2]] *= -1
    flip[0, 1] += 1e-8
    assert said(bring(one, save(tmp_path / "f.nii.gz", CODES[::-1, :, ::-1], flip))) == []
    np.testing.assert_array_equal(stored(one), CODES)


def test_rounding_is_told_and_millimetres_are_refused(one, tmp_path):
    """A tenth of a millimetre is taken for rounding, a whole voxel for a wrong header, with the scan's own shape."""
    assert said(bring(one, save(tmp_path / "a.nii.gz", CODES, shifted(0.05, 0, 0)))) == [("info", "geometry-rounding")]
    for affine in (shifted(0, 0, 1), shifted(0.5, 0, 0), shifted(0, 0, 0, scale=1.1)):
        document = bring(one, save(tmp_path / "b.nii.gz", CODES, affine), code=1)
        assert said(document) == [("error", "geometry-mismatch")]
        assert "--regrid nearest" in document["findings"][0]["message"]


def test_a_cropped_label_is_padded(one, tmp_path):
    """A box of the lattice comes in where it lies, the rest is background, and the finding says what that asserts."""
    path = save(tmp_path / "a.nii.gz", CODES[1:5, 2:, 1:3], shifted(1, 2, 1))
    document = bring(one, path)
    assert said(document) == [("warning", "label-cropped")]
    assert "z 1 to 2, y 2 to 4, x 1 to 4" in document["findings"][0]["message"]
    assert "--positive-only" in document["findings"][0]["message"]
    whole = np.zeros_like(CODES)
    whole[1:5, 2:, 1:3] = CODES[1:5, 2:, 1:3]
    np.testing.assert_array_equal(stored(one), whole)
    assert bring(one, path)["unchanged"] == 1
    assert fsck(one, voxels=True).problems == ()


def test_a_padded_label_goes_out_as_it_came(one, tmp_path):
    """Cut again: the file's own box, order of axes, affine and type; brought in again it is unchanged."""
    flip = shifted(4, 2, 1)
    flip[:3, 0] *= -1
    path = save(tmp_path / "a.nii.gz", CODES[1:5, 2:, 1:3][::-1].astype(np.int32), flip)
    bring(one, path)
    export_nifti(one, tmp_path / "out")
    out = tmp_path / "out" / "labels" / "s" / "1" / "a.nii.gz"
    same_file(out, path)
    assert bring(one, out)["unchanged"] == 1
    assert fsck(one, voxels=True).problems == ()


def test_a_cropped_label_a_little_off_is_told_and_put_on_the_lattice(one, tmp_path):
    """What lies a tenth of a millimetre off comes in as part of the lattice, and leaves as that part."""
    document = bring(one, save(tmp_path / "a.nii.gz", CODES[1:5, 2:, 1:3], shifted(1.05, 2, 1)))
    assert said(document) == [("info", "geometry-rounding"), ("warning", "label-cropped")]
    export_nifti(one, tmp_path / "out")
    same_file(
        tmp_path / "out" / "labels" / "s" / "1" / "a.nii.gz",
        save(tmp_path / "b.nii.gz", CODES[1:5, 2:, 1:3], shifted(1, 2, 1)),
    )


def test_a_label_larger_than_its_scan_is_cut_if_nothing_is_lost(one, tmp_path):
    """Background beyond the scan is cut off and said; a labelled voxel there refuses the label."""
    large = np.zeros((8, 9, 5), np.uint8)
    large[1:7, 3:8, :4] = CODES
    path = save(tmp_path / "a.nii.gz", large, shifted(-1, -3, 0))
    assert said(bring(one, path)) == [("warning", "label-exceeds-scan")]
    np.testing.assert_array_equal(stored(one), CODES)
    export_nifti(one, tmp_path / "out")
    written = nibabel.load(tmp_path / "out" / "labels" / "s" / "1" / "a.nii.gz")
    np.testing.assert_array_equal(np.asarray(written.dataobj), CODES)
    np.testing.assert_allclose(written.affine, RAS, atol=1e-5)
    large[0, 0, 0] = 1
    document = bring(one, save(tmp_path / "b.nii.gz", large, shifted(-1, -3, 0)), code=1)
    assert said(document) == [("error", "label-outside-scan")]
    assert document["findings"][0]["message"].startswith("1 labelled voxels")


def test_another_grid_is_resampled_only_on_request(one, tmp_path):
    """Half the spacing is refused with the option named; with it each voxel comes from the nearest, and is told."""
    fine = np.repeat(np.repeat(np.repeat(CODES, 2, 0), 2, 1), 2, 2)
    path = save(tmp_path / "a.nii.gz", fine, shifted(-0.25, -0.25, -0.25, scale=0.5))
    document = bring(one, path, code=1)
    assert said(document) == [("error", "shape-mismatch")]
    assert "--regrid nearest" in document["findings"][0]["message"]
    document = bring(one, path, "--regrid", "nearest")
    assert said(document) == [("warning", "regridded")]
    for part in ("8 × 10 × 12", "4 × 5 × 6", "(1.5, 1, 1)", "(3, 2, 2)", "ml"):
        assert part in document["findings"][0]["message"]
    np.testing.assert_array_equal(stored(one), CODES)
    assert one.label("a@s@1").grid == one.image("a").grid
    row = one.sql("SELECT file_name, file_shape FROM labels")[0]
    assert row["file_name"] == "a.nii.gz"


def test_resampling_that_leaves_nothing_is_refused(one, tmp_path):
    """A label that lies somewhere else altogether does not become an empty one."""
    far = save(tmp_path / "a.nii.gz", CODES, shifted(100.3, 0, 0))
    assert said(bring(one, far, "--regrid", "nearest", code=1)) == [("error", "label-outside-scan")]


def test_lost_geometry_is_taken_from_the_scan(one, tmp_path):
    """Zero origin and plain directions, the spacing right or 1: the scan's geometry is taken, and goes out."""
    for number, steps in enumerate([(2.0, 2.0, 3.0), (1.0, 1.0, 1.0)], start=1):
        array = (number == CODES).astype(np.uint8)
        path = save(tmp_path / f"{number}.nii.gz", array, np.diag([-steps[0], -steps[1], steps[2], 1.0]))
        assert said(bring(one, path)) == [("warning", "geometry-lost")]
        np.testing.assert_array_equal(SPACE.from_lps(one.label(f"a@s@{number}").array), array)
    export_nifti(one, tmp_path / "out")
    for number in (1, 2):
        written = nibabel.load(tmp_path / "out" / "labels" / "s" / str(number) / "a.nii.gz")
        np.testing.assert_allclose(written.affine, RAS, atol=1e-6)
        np.testing.assert_allclose(written.header.get_zooms(), (2, 2, 3))


def test_lost_geometry_of_two_readings_is_refused(one, tmp_path):
    """Where the order of the voxels and the header say different things, nobody chooses."""
    document = bring(one, save(tmp_path / "a.nii.gz", CODES, np.diag([2.0, 2.0, 3.0, 1.0])), code=1)
    assert said(document) == [("error", "geometry-lost")]
    assert "LPS" in document["findings"][0]["message"]
    assert "RAS" in document["findings"][0]["message"]


def test_a_placeless_label_without_a_scan_is_remarked(empty, tmp_path):
    """A case made from a label whose header holds no place says so."""
    document = bring(empty, save(tmp_path / "a.nii.gz", CODES, LOST), "--grid-from-label")
    assert (document["added"], said(document)) == (1, [("warning", "geometry-lost")])


@pytest.mark.parametrize("more", [(), ("--regrid", "nearest")])
def test_axes_in_another_order_are_refused(one, tmp_path, more):
    """An array of the scan's sizes in another order is not resampled into nonsense; the order is named."""
    document = bring(one, save(tmp_path / "a.nii.gz", CODES.transpose(2, 1, 0), RAS), *more, code=1)
    assert said(document) == [("error", "wrong-axis")]
    assert "its axes x, y, z" in document["findings"][0]["message"]


@pytest.mark.parametrize("more", [(), ("--regrid", "nearest")])
def test_an_axis_counted_backwards_is_refused(one, tmp_path, more):
    """A header that begins at the scan's corner and goes the other way: either may be wrong, the axis is named."""
    affine = RAS.copy()
    affine[2, 2] *= -1
    document = bring(one, save(tmp_path / "a.nii.gz", CODES, affine), *more, code=1)
    assert said(document) == [("error", "wrong-axis")]
    assert "along z" in document["findings"][0]["message"]


def test_directions_itk_refuses_are_put_right(one, tmp_path):
    """A scan a little off the right angle is put right; its labels, off likewise, lie on it; far off is refused."""
    skewed = RAS.copy()
    skewed[0, 1] += 0.015 * 2
    array = np.arange(60**3, dtype=np.int16).reshape(60, 60, 60)
    done = flaredb("ingest", "images", save(tmp_path / "b_0000.nii.gz", array, skewed), workspace=one.root)
    assert said(done.json) == [("warning", "direction-repaired")]
    assert np.allclose(np.linalg.det(np.asarray(one.image("b").grid.direction)), 1)
    common = ("--source", "s", "--kind", "external", "--annotated", "liver")
    liver = (np.arange(60) // 9 == 0).astype(np.uint8)[:, None, None] * np.ones_like(array, np.uint8)
    path = save(tmp_path / "b.nii.gz", liver, skewed)
    done = flaredb("ingest", "labels", path, "--case", "b", *common, workspace=one.root)
    assert (done.code, said(done.json)) == (0, [("warning", "direction-repaired")])
    assert one.label("b@s@1").grid == one.image("b").grid
    assert fsck(one, voxels=True).problems == ()
    skewed[0, 1] += 1
    document = bring(one, save(tmp_path / "c.nii.gz", CODES, skewed), code=1)
    assert said(document) == [("error", "sheared")]


@pytest.mark.parametrize("dtype", [np.float64, np.int32, np.float32, np.int8])
def test_codes_of_any_type_are_codes(one, tmp_path, dtype):
    """Whole numbers are codes whatever type holds them, and go out in it."""
    bring(one, save(tmp_path / "a.nii.gz", CODES.astype(dtype)))
    np.testing.assert_array_equal(stored(one), CODES)
    export_nifti(one, tmp_path / "out")
    assert nibabel.load(tmp_path / "out" / "labels" / "s" / "1" / "a.nii.gz").get_data_dtype() == dtype


@pytest.mark.skipif(not REAL_DATA.exists(), reason="needs the real data")
def test_kits_402_on_the_wrong_axis(empty):
    """Of the published versions, with the grid of the second: the first is refused, the third is unchanged."""
    kits = ("--source", "kits", "--kind", "ground-truth", "--annotated", "tumor", "--mapping", "kits23")
    told = []
    for version in (2, 1, 3):
        path = REAL_DATA / "kits" / "case_00402" / f"v{version}.nii.gz"
        command = ("ingest", "labels", path, "--case", "case_00402", *kits, "--grid-from-label")
        told.append(flaredb(*command, workspace=empty.root))
    assert [(d.code, d.json["added"], d.json["unchanged"]) for d in told] == [(0, 1, 0), (1, 0, 0), (0, 0, 1)]
    assert [said(d.json) for d in told] == [[], [("error", "wrong-axis")], []]
