"""Names and colours of codes, as the viewers' own tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from flaredb.errors import InvalidDataError
from flaredb.exchange.colours import colour_of, itksnap_table, read_itksnap_table, slicer_table
from flaredb.labels.structures import FLARE23


def test_colours_are_told_apart_and_tables_read_back(tmp_path: Path) -> None:
    """No two structures look alike; ITK-SNAP's table gives names by value, Slicer's is as its manual says."""
    names = {s.value: s.name for s in FLARE23.structures}
    colours = [colour_of(value) for value in names]
    nearest = min(
        sum(abs(a - b) for a, b in zip(x, y, strict=True)) for i, x in enumerate(colours) for y in colours[:i]
    )
    assert nearest > 30
    (tmp_path / "labels.txt").write_text(itksnap_table(names))
    assert read_itksnap_table(tmp_path / "labels.txt") == names
    lines = slicer_table(names).splitlines()
    assert lines[:3] == ["# Color table file", "# 15 values", "0 background 0 0 0 0"]
    assert all(len(line.split()) == 6 for line in lines[2:])


@pytest.mark.parametrize("line", ["1 2 3", '1 0 0 0 1 1 1 "a"\n1 0 0 0 1 1 1 "b"', '999999 0 0 0 1 1 1 "a"', "\udcff"])
def test_a_damaged_table_is_refused(tmp_path: Path, line: str) -> None:
    """With the number of the line; bytes that are no text, too."""
    (tmp_path / "labels.txt").write_bytes(line.encode("utf-8", "surrogateescape"))
    with pytest.raises(InvalidDataError, match=r"labels\.txt"):
        read_itksnap_table(tmp_path / "labels.txt")
