"""DICOM SEG: segments go where their frames lie, overlaps and all, or are refused."""

from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.uid import RLELossless

from flaredb.errors import InvalidDataError
from flaredb.exchange.dicom_seg import is_seg, matching, read_seg, segments_of
from flaredb.exchange.layouts import Ask, find_labels
from flaredb.exchange.read import Scan, read_image
from flaredb.geometry import Grid
from tests.exchange.builders import rule_of
from tests.exchange.dicom_phantom import Series, planted, segmentation, slice_of, write

SHAPE = (12, 6, 8)
NAMES = frozenset({"liver", "tumor", "right_kidney"})


def drawn(low: int, high: int) -> np.ndarray:
    """A mask (z, y, x) of some voxels on slices low to high, lopsided in every direction."""
    mask = np.zeros(SHAPE, np.uint8)
    mask[low:high, 1:4, 2:7] = 1
    mask[low, 1, 2] = 0
    return mask


def scan_and_slices(folder: Path, series: Series) -> tuple[Scan, list[pydicom.Dataset]]:
    """The scan of a series, and its slices from low to high."""
    slices = [slice_of(series, i) for i in range(len(series.heights))]
    return read_image(write(folder, series)), slices


def read(path: Path, grid: Grid | None, *names: str) -> tuple[Scan, dict[str, np.ndarray]]:
    """A SEG as read on a grid, and name → mask."""
    scan, meanings = read_seg(path, [(name, path) for name in names], grid)
    return scan, {
        name: np.isin(scan.voxels, [code for code, together in meanings.items() if name in together]) for name in names
    }


@pytest.mark.parametrize("kind", ["BINARY", "FRACTIONAL", "LABELMAP"])
def test_segments_come_back(tmp_path: Path, kind: str) -> None:
    """Every segment is exactly its mask on the scan's lattice, whatever the order of slices."""
    scan, slices = scan_and_slices(tmp_path / "s", Series())
    masks = {"liver": drawn(2, 9), "tumor": drawn(10, 12)}
    backward = {name: mask[::-1] for name, mask in masks.items()}
    path = segmentation(tmp_path / "SEG", slices[::-1], backward, kind)
    assert is_seg(path)
    label, found = read(path, scan.grid, *masks)
    for name, mask in masks.items():
        np.testing.assert_array_equal(found[name], mask.astype(bool))
    assert label.grid == scan.grid
    assert label.space.grid.distance(scan.grid) < 1e-3
    assert [f.rule for f in label.findings] == (["seg-fractional"] if kind == "FRACTIONAL" else [])


def test_overlaps_are_kept(tmp_path: Path) -> None:
    """Where segments overlap, both are there."""
    scan, slices = scan_and_slices(tmp_path / "s", Series())
    masks = {"liver": drawn(2, 9), "tumor": drawn(5, 11)}
    _, found = read(segmentation(tmp_path / "SEG", slices, masks), scan.grid, *masks)
    assert (found["liver"] & found["tumor"]).any()
    for name, mask in masks.items():
        np.testing.assert_array_equal(found[name], mask.astype(bool))


@pytest.mark.parametrize(
    "series", [Series(tilt=0.2), Series(orientation=(1.0, 0, 0, 0, 0, -1.0))], ids=["tilt", "coronal"]
)
def test_segments_follow_the_lattice(tmp_path: Path, series: Series) -> None:
    """On a tilted or coronal scan segments lie where the file's own slices do."""
    scan, slices = scan_and_slices(tmp_path / "s", series)
    _, found = read(segmentation(tmp_path / "SEG", slices, {"liver": drawn(2, 9)}), scan.grid, "liver")
    own = drawn(2, 9).transpose(2, 1, 0)  # as the scan's file has its axes: column, row, slice
    np.testing.assert_array_equal(scan.space.from_lps(found["liver"]), own.astype(bool))


def test_coded_frames_and_one_frame(tmp_path: Path) -> None:
    """Run-length coded frames and a segment on a single slice are read."""
    scan, slices = scan_and_slices(tmp_path / "s", Series())
    one = {"liver": drawn(4, 5)}
    for name, options in {"A": {}, "B": {"kind": "FRACTIONAL", "transfer_syntax_uid": RLELossless}}.items():
        _, found = read(segmentation(tmp_path / name, slices, one, **options), scan.grid, "liver")
        np.testing.assert_array_equal(found["liver"], one["liver"].astype(bool))


def test_a_probability_of_one_half_is_drawn(tmp_path: Path) -> None:
    """Of a fractional segment voxels count from one half."""
    scan, slices = scan_and_slices(tmp_path / "s", Series())
    share = drawn(2, 9) * np.linspace(0, 1, 8)
    _, found = read(segmentation(tmp_path / "SEG", slices, {"liver": share}, "FRACTIONAL"), scan.grid, "liver")
    np.testing.assert_array_equal(found["liver"], np.rint(share * 255) >= 127.5)


@pytest.mark.parametrize(
    ("moved", "rule"),
    [((0.0, 0.0, 1.2), "seg-off-lattice"), ((0.4, 0, 0), "seg-off-lattice"), ((-8, 0, 0), "seg-outside")],
)
def test_segments_of_another_lattice_are_refused(tmp_path: Path, moved: tuple[float, ...], rule: str) -> None:
    """Frames between the scan's voxels, or beyond them, are refused."""
    scan, slices = scan_and_slices(tmp_path / "s", Series())
    for one in slices:
        one.ImagePositionPatient = [a + b for a, b in zip(one.ImagePositionPatient, moved, strict=True)]
    path = segmentation(tmp_path / "SEG", slices, {"liver": drawn(2, 9)})
    with pytest.raises(InvalidDataError) as error:
        read(path, scan.grid, "liver")
    assert rule_of(error) == rule


def test_segments_need_their_scan(tmp_path: Path) -> None:
    """Without the scan there is no lattice to place them on."""
    _, slices = scan_and_slices(tmp_path / "s", Series())
    with pytest.raises(InvalidDataError) as error:
        read(segmentation(tmp_path / "SEG", slices, {"liver": drawn(2, 9)}), None, "liver")
    assert rule_of(error) == "seg-without-scan"


def test_damage_is_refused(tmp_path: Path) -> None:
    """A SEG that was cut short is refused, in its header or in its frames."""
    scan, slices = scan_and_slices(tmp_path / "s", Series())
    path = segmentation(tmp_path / "SEG", slices, {"liver": drawn(2, 9)})
    whole = path.read_bytes()
    for cut in (len(whole) - 20, len(whole) - 400, 900):
        path.write_bytes(whole[:cut])
        with pytest.raises(InvalidDataError) as error:
            read(path, scan.grid, "liver")
        assert rule_of(error) == "unreadable"
    with pytest.raises(InvalidDataError) as error:
        segments_of(path)
    assert rule_of(error) == "unreadable"


def test_segments_of_one_name_are_taken_together(tmp_path: Path) -> None:
    """Several segments that mean one structure are one mask, and that is said."""
    scan, slices = scan_and_slices(tmp_path / "s", Series())
    path = segmentation(tmp_path / "SEG", slices, {"Tumor": drawn(2, 4), "tumor ": drawn(6, 9)})
    label, found = read(path, scan.grid, "tumor")
    np.testing.assert_array_equal(found["tumor"], (drawn(2, 4) | drawn(6, 9)).astype(bool))
    assert [f.rule for f in label.findings] == ["segments-together"]


def test_labels_of_segments_are_plain_names() -> None:
    """Case and gaps in a segment's label do not matter; other words do."""
    assert matching("Right Kidney", NAMES) == "right_kidney"
    assert matching("right-kidney ", NAMES) == "right_kidney"
    assert matching("kidney", NAMES) is None


def test_the_case_is_that_of_the_series(tmp_path: Path) -> None:
    """In a tree a SEG belongs to the series it refers to; alone it is named after its file, unless that is a UID."""
    _, slices = scan_and_slices(tmp_path / "study" / "CT1", Series())
    path = segmentation(tmp_path / "study" / "SG" / "seg.dcm", slices, {"liver": drawn(2, 9), "Mass": drawn(3, 4)})
    search = find_labels(tmp_path, ask=Ask("auto", structures=NAMES))
    assert [(item.case, item.path) for item in search.found] == [("CT1", path)]
    assert [finding.rule for finding in search.findings] == ["unknown-segment"]
    (alone,) = find_labels(path, ask=Ask("auto", structures=NAMES)).found
    assert (alone.case, alone.called) == ("seg", "seg.dcm")
    uid = path.rename(path.with_name(f"{slices[0].SeriesInstanceUID}.dcm"))
    search = find_labels(uid, ask=Ask("auto", structures=NAMES))
    assert not search.found
    assert "seg-case-unknown" in [finding.rule for finding in search.findings]
    (named,) = find_labels(uid, case="P7", ask=Ask("auto", structures=NAMES)).found
    assert (named.case, named.called) == ("P7", "hidden")


def test_nothing_said_of_a_seg_identifies_anybody(tmp_path: Path) -> None:
    """Names of segments, files and folders that hold a name or a UID are not repeated."""
    series = Series()
    _, slices = scan_and_slices(tmp_path / "QUIXANO" / "CT1", series)
    folder = tmp_path / "QUIXANO" / series.study
    segmentation(folder / f"{series.uid}.dcm", slices, {"liver": drawn(2, 9), "lesion of Quixano": drawn(3, 4)})
    search = find_labels(tmp_path / "QUIXANO", ask=Ask("auto", structures=NAMES))
    said = repr((search.findings, search.root, [(item.case, item.shown) for item in search.found]))
    assert len(search.found) == 1
    assert not [word for word in planted(series) if word.lower() in said.lower()]
