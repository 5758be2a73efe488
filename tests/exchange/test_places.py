"""Paths that a list names stay under its folder."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flaredb.errors import InvalidDataError
from flaredb.exchange.places import find_inside


def test_files_inside_are_found(tmp_path: Path) -> None:
    """A path under the folder is found as written, or with nnU-Net's channel; one that is not there is None."""
    (tmp_path / "imagesTr").mkdir()
    for name in ("a.nii.gz", "b_0000.nii.gz"):
        (tmp_path / "imagesTr" / name).touch()
    assert find_inside(tmp_path, "./imagesTr/a.nii.gz") == tmp_path / "imagesTr" / "a.nii.gz"
    assert find_inside(tmp_path, "imagesTr\\a.nii.gz") == tmp_path / "imagesTr" / "a.nii.gz"
    assert find_inside(tmp_path, "imagesTr/b.nii.gz") == tmp_path / "imagesTr" / "b_0000.nii.gz"
    assert find_inside(tmp_path, "imagesTr/c.nii.gz") is None
    assert find_inside(tmp_path, "imagesTr") is None
    assert find_inside(tmp_path, "x" * 5000 + ".nii.gz") is None


@pytest.mark.parametrize(
    "text", ["../a.nii.gz", "x/../../a.nii.gz", "/etc/passwd", "C:\\a.nii", "..\\a.nii", "a\0b.nii", "\\\\host\\a.nii"]
)
def test_paths_outside_are_refused(tmp_path: Path, text: str) -> None:
    """`..`, absolute paths of any system and zero bytes are refused, whether the file is there or not."""
    (tmp_path / "a.nii.gz").touch()
    (tmp_path / "list").mkdir()
    with pytest.raises(InvalidDataError) as refused:
        find_inside(tmp_path / "list", text)
    assert [finding.rule for finding in refused.value.findings] == ["outside-root"]


def test_links_that_leave_are_refused(tmp_path: Path) -> None:
    """A link to a file outside is refused; one to a file inside is followed."""
    (tmp_path / "a.nii.gz").touch()
    root = tmp_path / "list"
    root.mkdir()
    (root / "b.nii.gz").touch()
    (root / "out.nii.gz").symlink_to(tmp_path / "a.nii.gz")
    (root / "in.nii.gz").symlink_to(root / "b.nii.gz")
    with pytest.raises(InvalidDataError, match="leaves the folder"):
        find_inside(root, "out.nii.gz")
    assert find_inside(root, "in.nii.gz") == root / "in.nii.gz"


@given(st.lists(st.sampled_from(["..", ".", "", "sub", "secret.nii", "/", "\\"]), max_size=6))
def test_nothing_outside_is_ever_found(tmp_path_factory: pytest.TempPathFactory, parts: list[str]) -> None:
    """However a path is put together, what is found lies inside."""
    top = tmp_path_factory.getbasetemp() / "places"
    (top / "list" / "sub").mkdir(parents=True, exist_ok=True)
    (top / "secret.nii").touch()
    (top / "list" / "sub" / "secret.nii").touch()
    try:
        found = find_inside(top / "list", "/".join(parts))
    except InvalidDataError:
        return
    assert found is None or Path(os.path.realpath(found)).is_relative_to(top / "list")
