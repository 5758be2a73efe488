"""Patterns and tables that say which case a file is of."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flaredb.errors import UsageError
from flaredb.exchange.casenames import padded
from flaredb.exchange.patterns import NameTable, Parts, Pattern

NAMES = st.from_regex(re.compile(r"[A-Za-z0-9_+-]{1,12}", re.ASCII), fullmatch=True)


def read(pattern: str, path: str, *structures: str) -> tuple[str, str] | None:
    """Case and structure that a pattern reads, or None."""
    return Pattern(pattern, structures).read(PurePosixPath(path))


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("{case}/{anything}.nii.gz", "P1/x.nii.gz", ("P1", "")),
        ("{case}/{anything}.nii.gz", "deep/er/P1/x.nii.gz", ("P1", "")),
        ("{case}/{anything}.nii.gz", "P1.nii.gz", None),
        ("{case}/seg/{structure}.nii.gz", "P1/seg/liver.nii.gz", ("P1", "liver")),
        ("{case}_{structure}.nii.gz", "A_6_liver_tumor.nii.gz", ("A_6", "liver_tumor")),
        ("{case}_{structure}.nii.gz", "A_6_unknown.nii.gz", ("A_6", "unknown")),
        ("{case}/{case}_ct.nii.gz", "P1/P1_ct.nii.gz", ("P1", "")),
        ("{case}/{case}_ct.nii.gz", "P1/P2_ct.nii.gz", None),
        ("ct.{case}.nii", "ctxP1xnii", None),
        ("./{case}.mha", "a.mha", ("a", "")),
    ],
)
def test_what_a_pattern_reads(pattern, path, expected):
    """Fields stand for parts of names, everything else for itself; known structures say where the case ends."""
    assert read(pattern, path, "liver", "tumor", "liver_tumor") == expected


@given(NAMES, NAMES)
def test_a_pattern_reads_what_was_written(case, structure):
    """What is put into the fields of a path comes back."""
    assert read("{case}/seg/{structure}.nii.gz", f"a/{case}/seg/{structure}.nii.gz") == Parts(case, structure)


@pytest.mark.parametrize("text", ["", "x.nii.gz", "{patient}.nii.gz", "{case.nii", "case}/{case}.nii"])
def test_a_pattern_that_is_none_is_refused(text):
    """Without fields, with unknown ones, or with a brace alone it is an error that says what to write."""
    with pytest.raises(UsageError, match="--pattern"):
        Pattern(text)


def test_a_table_names_files(tmp_path):
    """By path, by file name or without ending; names that no file bears are known."""
    table = tmp_path / "names.csv"
    table.write_text("file,case\na/x.nii.gz,P1\ny.nii.gz,P2\nz,P3\nnobody,P4\n")
    names = NameTable(table)
    below = {"a/x.nii.gz": "P1", "b/y.nii.gz": "P2", "z_0000.nii.gz": "P3", "other.nii.gz": None}
    assert {path: names.case_of(Path(path), PurePosixPath(path)) for path in below} == below
    assert names.unused == ["nobody"]


@pytest.mark.parametrize("text", ["case\nP1\n", "file,case\na,1\na,2\n"])
def test_a_table_that_is_none_is_refused(tmp_path, text):
    """Without a column of files, or with a file that stands twice."""
    (tmp_path / "n.csv").write_text(text)
    with pytest.raises(UsageError, match="--names"):
        NameTable(tmp_path / "n.csv")


@pytest.mark.parametrize(
    ("names", "known", "expected"),
    [
        (["Case1", "Case_00002"], [], {"Case1": "Case_00001"}),
        (["Case1", "Case12"], ["Case_00001"], {"Case1": "Case_00001", "Case12": "Case_00012"}),
        (["Case1", "Case2"], [], {}),
        (["Case1"], ["Case1", "Case_00001"], {}),
        (["Case1", "Case_001", "Case_0001"], [], {}),
        (["liver1"], ["Case_00001"], {}),
        (["P_3"], ["P_01"], {"P_3": "P_03"}),
    ],
)
def test_short_names_in_full(names, known, expected):
    """A number written short is padded as the others are, unless widths differ or the short name is a case's own."""
    assert padded(names, known) == expected
