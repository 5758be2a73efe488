"""Finding files: names, junk, links, duplicates."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flaredb.errors import NotFoundError
from flaredb.exchange.casenames import is_case_name
from flaredb.exchange.layouts import Search, find_images, find_labels
from tests.exchange.builders import dicom


def touch(root: Path, *names: str) -> Path:
    """Make empty files."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def cases(search: Search) -> list[str]:
    """The names found."""
    return [found.case for found in search.found]


def rules(search: Search) -> list[tuple[str, str]]:
    """Severity and rule of the findings."""
    return [(finding.severity, finding.rule) for finding in search.findings]


def test_images_are_found_to_the_bottom_and_sorted(tmp_path: Path) -> None:
    """Every volume under a folder is found, named without extension and `_0000`, in the order of the names."""
    touch(tmp_path, "501-1000/B_0002_0000.nii.gz", "1-500/B_0001_0000.nii.gz", "a.mha", "c.d.nrrd", "e.NII", "x.txt")
    search = find_images(tmp_path)
    assert cases(search) == ["B_0001", "B_0002", "a", "c.d", "e"]
    assert search.found[0].path == tmp_path / "1-500" / "B_0001_0000.nii.gz"
    assert search.findings == ()


def test_junk_is_passed_over(tmp_path: Path) -> None:
    """Hidden files and what macOS leaves behind are no volumes."""
    touch(tmp_path, "a.nii.gz", "._a.nii.gz", ".b.nii.gz", "__MACOSX/c.nii.gz", ".git/d.nii.gz")
    search = find_images(tmp_path)
    assert cases(search) == ["a"]
    assert search.findings == ()


def test_label_suffix_is_taken_off_and_said(tmp_path: Path) -> None:
    """`_0000` left in a label's name is dropped with an info finding that names the case."""
    search = find_labels(touch(tmp_path, "a_0000.nii.gz", "b.nii.gz"))
    assert cases(search) == ["a", "b"]
    assert rules(search) == [("info", "label-name-suffix")]
    assert search.findings[0].case == "a"


def test_duplicates_are_refused_on_both_sides(tmp_path: Path) -> None:
    """Of two files for one case neither is taken."""
    search = find_images(touch(tmp_path, "1/a_0000.nii.gz", "2/a.nii", "b.nii.gz"))
    assert cases(search) == ["b"]
    assert rules(search) == [("error", "duplicate-name")] * 2
    assert {f.case for f in search.findings} == {"a"}


@pytest.mark.parametrize("name", ["a b", "a..b", "-a", "ä", "_a", "x" * 129, "a;rm"])
def test_bad_names_are_findings(tmp_path: Path, name: str) -> None:
    """A name that could do harm in a path is refused, and `--case` named as the way out."""
    search = find_images(touch(tmp_path, f"{name}.nii.gz"))
    assert cases(search) == []
    assert rules(search) == [("error", "bad-name")]
    assert "--case" in search.findings[0].message


@given(st.text(max_size=200))
def test_case_names_stay_inside_a_folder(name: str) -> None:
    """No accepted name can leave the folder it is put in."""
    if is_case_name(name):
        assert Path("/root", name).resolve().parent == Path("/root")
        assert name.isascii()
        assert not name.startswith(".")


def test_case_names_the_one_file(tmp_path: Path) -> None:
    """`case` overrides the name of a single file, is validated, and cannot name several."""
    touch(tmp_path, "a b.nii.gz")
    assert cases(find_images(tmp_path, case="good")) == ["good"]
    assert cases(find_labels(tmp_path / "a b.nii.gz", case="good")) == ["good"]
    assert rules(find_images(tmp_path, case="../x")) == [("error", "bad-name")]
    touch(tmp_path, "c.nii.gz")
    search = find_images(tmp_path, case="good")
    assert (cases(search), rules(search)) == ([], [("error", "several-files")])


def test_links_do_not_leave_the_folder(tmp_path: Path) -> None:
    """Links to files and folders outside are findings; links inside are followed to files, broken ones are findings."""
    touch(tmp_path, "out/secret.nii.gz", "in/real.nii.gz", "in/sub/other.nii.gz")
    (tmp_path / "in" / "leak.nii.gz").symlink_to(tmp_path / "out" / "secret.nii.gz")
    (tmp_path / "in" / "folder").symlink_to(tmp_path / "out")
    (tmp_path / "in" / "up.nii.gz").symlink_to("../out/secret.nii.gz")
    (tmp_path / "in" / "loop").symlink_to(tmp_path / "in")
    (tmp_path / "in" / "gone.nii.gz").symlink_to("nowhere.nii.gz")
    (tmp_path / "in" / "round.nii.gz").symlink_to("round.nii.gz")
    (tmp_path / "in" / "alias.nii.gz").symlink_to("sub/other.nii.gz")
    search = find_images(tmp_path / "in")
    assert cases(search) == ["alias", "other", "real"]
    assert rules(search).count(("error", "outside-root")) == 3
    assert rules(search).count(("error", "unreadable")) == 2


def test_a_linked_root_is_the_users_choice(tmp_path: Path) -> None:
    """The path itself may be a link."""
    touch(tmp_path, "out/a.nii.gz")
    (tmp_path / "in").symlink_to(tmp_path / "out")
    assert cases(find_images(tmp_path / "in")) == ["a"]


def test_dicom_folder_is_one_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of slices is one scan named after the folder, at the root or below, and no label."""
    dicom(tmp_path / "study" / "P01", [2.0 * height for height in range(10)])
    touch(tmp_path, "study/P01/readme.txt")
    assert [f[:2] for f in find_images(tmp_path).found] == [("P01", tmp_path / "study" / "P01")]
    assert cases(find_images(tmp_path / "study" / "P01")) == ["P01"]
    assert cases(find_images(tmp_path / "study" / "P01", case="Q")) == ["Q"]
    assert rules(find_labels(tmp_path)) == [("error", "nothing-found")]
    monkeypatch.chdir(tmp_path / "study" / "P01")
    assert cases(find_images(Path("."))) == ["P01"]


def test_a_single_slice_or_text_is_no_volume(tmp_path: Path) -> None:
    """A file of another kind is refused, a slice with the advice to give its folder."""
    folder = dicom(tmp_path / "s", [0.0])
    search = find_images(next(folder.iterdir()))
    assert rules(search) == [("warning", "dicom-skipped"), ("error", "unknown-format")]
    assert "folder" in search.findings[1].message
    assert rules(find_images(touch(tmp_path, "a.txt") / "a.txt")) == [("error", "unknown-format")]


def test_nothing_found_is_said(tmp_path: Path) -> None:
    """An empty folder is a finding that says what was looked for."""
    search = find_labels(tmp_path)
    assert rules(search) == [("error", "nothing-found")]
    assert ".nii.gz" in search.findings[0].message


def test_missing_path_is_not_found(tmp_path: Path) -> None:
    """A path that does not exist is NotFoundError."""
    for find in (find_images, find_labels):
        with pytest.raises(NotFoundError, match="no such"):
            find(tmp_path / ".." / "nowhere")
