"""MetaImage and NRRD: what ITK would not notice is noticed here."""

import contextlib
from pathlib import Path

import numpy as np
import pytest
import SimpleITK
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flaredb.errors import InvalidDataError
from flaredb.exchange.read import read_image
from tests.exchange.builders import itk, ramp, rule_of

NOISE = np.random.default_rng(0).integers(-1000, 1000, (10, 20, 30)).astype(np.int16)


def refused(path: Path) -> str:
    """The rule by which reading `path` is refused."""
    with pytest.raises(InvalidDataError) as error:
        read_image(path)
    return rule_of(error)


def replaced(path: Path, old: str, new: str) -> Path:
    """Change the text header of a file."""
    data = path.read_bytes()
    assert old.encode() in data
    path.write_bytes(data.replace(old.encode(), new.encode(), 1))
    return path


@pytest.mark.parametrize("name", ["a.mha", "a.nrrd"])
@pytest.mark.parametrize("compressed", [False, True])
def test_cut_short_is_unreadable(
    tmp_path: Path, name: str, compressed: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    """A truncated file is refused, and nothing is printed."""
    path = itk(tmp_path / name, NOISE, compressed)
    path.write_bytes(path.read_bytes()[:-2000])
    assert refused(path) == "unreadable"
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", ["a.mha", "a.mhd", "a.nrrd"])
def test_damaged_compressed_voxels_are_unreadable(tmp_path: Path, name: str, capfd: pytest.CaptureFixture[str]) -> None:
    """Flipped bits in compressed voxels are refused; ITK reads such a MetaImage without a word."""
    path = itk(tmp_path / name, NOISE, compressed=True)
    data_file = tmp_path / "a.zraw" if name == "a.mhd" else path
    data = bytearray(data_file.read_bytes())
    data[-3000] ^= 0xFF
    data_file.write_bytes(data)
    assert refused(path) == "unreadable"
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", ["a.mha", "a.nrrd"])
def test_text_file_is_unreadable(tmp_path: Path, name: str) -> None:
    """A text file with a scan's name is refused."""
    (tmp_path / name).write_text("nothing to see\n" * 50)
    assert refused(tmp_path / name) == "unreadable"


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("a.mha", "= LOCAL", "= /etc/passwd"),
        ("a.mha", "= LOCAL", "= beside.raw"),
        ("a.mhd", "= a.raw", "= ../a.raw"),
        ("a.mhd", "= a.raw", "= LIST"),
        ("a.mhd", "= a.raw", "= gone.raw"),
        ("a.nrrd", "encoding: raw", "encoding: raw\ndata file: /etc/passwd"),
        ("a.nrrd", "encoding: raw", "encoding: raw\nDATAFILE: x.raw"),
    ],
)
def test_headers_do_not_lead_elsewhere(tmp_path: Path, name: str, old: str, new: str) -> None:
    """A header cannot make another file of the disk be read as voxels."""
    path = itk(tmp_path / name, ramp((3, 4, 5)))
    assert refused(replaced(path, old, new)) in ("outside-root", "unreadable")


def test_data_file_linked_elsewhere_is_refused(tmp_path: Path) -> None:
    """A .mhd whose data is a link out of its folder is refused."""
    (tmp_path / "in").mkdir()
    path = itk(tmp_path / "in" / "a.mhd", ramp((3, 4, 5)))
    (tmp_path / "in" / "a.raw").rename(tmp_path / "b.raw")
    (tmp_path / "in" / "a.raw").symlink_to(tmp_path / "b.raw")
    assert refused(path) == "unreadable"


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("DimSize = 5 4 3", "DimSize = 30000 30000 30000", "absurd-size"),
        ("DimSize = 5 4 3", "DimSize = 5 0 3", "empty"),
        ("ElementSpacing = 0.8", "ElementSpacing = 0.0", "bad-geometry"),
        ("ElementSpacing = 0.8", "ElementSpacing = -1", "bad-geometry"),
        ("TransformMatrix = 1", "TransformMatrix = 0", "bad-geometry"),
        ("BinaryData = True", "BinaryData = False", "unreadable"),
    ],
)
def test_lying_headers_are_refused(tmp_path: Path, old: str, new: str, rule: str) -> None:
    """Size and geometry are judged from the header, before voxels are read."""
    assert refused(replaced(itk(tmp_path / "a.mha", ramp((3, 4, 5))), old, new)) == rule


@pytest.mark.parametrize("name", ["a.mha", "a.nrrd"])
def test_four_axes_are_refused_or_squeezed(tmp_path: Path, name: str) -> None:
    """Several volumes in a file are refused; one volume with a fourth axis of one is read."""
    assert refused(itk4(tmp_path / name, 2)) == "not-3d"
    np.testing.assert_array_equal(read_image(itk4(tmp_path / name, 1)).voxels, ramp((1, 3, 4, 5))[0])


def itk4(path: Path, times: int) -> Path:
    """Write a 4-D file."""
    image = SimpleITK.JoinSeries([SimpleITK.GetImageFromArray(v) for v in ramp((times, 3, 4, 5))])
    SimpleITK.WriteImage(image, str(path))
    return path


def test_colour_is_refused(tmp_path: Path) -> None:
    """Three numbers a voxel are no HU."""
    image = SimpleITK.GetImageFromArray(np.zeros((3, 4, 5, 3), np.uint8), isVector=True)
    SimpleITK.WriteImage(image, str(tmp_path / "a.mha"))
    assert refused(tmp_path / "a.mha") == "not-3d"


def test_compressed_size_above_a_chunk_is_verified(tmp_path: Path) -> None:
    """A volume that inflates to more than is inflated at once is read."""
    array = np.zeros((70, 200, 200), np.int16)
    array[-1, -1, -1] = 7
    np.testing.assert_array_equal(read_image(itk(tmp_path / "a.mha", array, compressed=True)).voxels, array)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from(["a.mha", "a.nrrd"]),
    flips=st.lists(st.tuples(st.integers(0, 250), st.integers(0, 255)), min_size=1, max_size=3),
)
def test_damaged_headers_are_read_or_refused(tmp_path: Path, name: str, flips: list[tuple[int, int]]) -> None:
    """No damage to a header brings anything but a scan or a refusal."""
    path = itk(tmp_path / name, ramp((3, 4, 5)))
    data = bytearray(path.read_bytes())
    for offset, byte in flips:
        data[offset] = byte
    path.write_bytes(data)
    with contextlib.suppress(InvalidDataError):
        assert read_image(path, allow_lossy=True).voxels.ndim == 3


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("a.mha", "NDims = 3", "NDims = 99999999999999999999"),
        ("a.mha", "NDims = 3", "NDims = -1"),
        ("a.mha", "NDims = 3", "NDims = 4"),
        ("a.mha", "DimSize = ", "DimSize = x "),
        ("a.mha", "ElementDataFile", "HeaderSize = 1e999\nElementDataFile"),
        ("a.nrrd", "encoding: ", "encoding: " + "x" * 5000),
        ("a.nrrd", "dimension: 3", "dimension: " + "3" * 5000),
    ],
)
def test_headers_that_crash_itk_never_reach_it(tmp_path: Path, name: str, old: str, new: str) -> None:
    """Counts that are none and endless fields are refused in words; ITK would take the process with it."""
    path = itk(tmp_path / name, ramp((3, 4, 5)))
    path.write_bytes(path.read_bytes().replace(old.encode(), new.encode(), 1))
    with pytest.raises(InvalidDataError) as error:
        read_image(path)
    assert rule_of(error) == "unreadable"


def test_long_notes_in_an_nrrd_header_are_none_of_our_business(tmp_path: Path) -> None:
    """Key and value pairs and comments, in which Slicer keeps a lot, may be long."""
    path = itk(tmp_path / "a.nrrd", ramp((3, 4, 5)))
    note = b"note:=" + b"x" * 5000 + b"\n# " + b"y" * 5000 + b"\n\n"
    path.write_bytes(path.read_bytes().replace(b"\n\n", b"\n" + note, 1))
    assert read_image(path).voxels.shape == (3, 4, 5)
