"""Tables people write: what is read, what is refused."""

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flaredb.errors import InvalidDataError, NotFoundError
from flaredb.exchange.tables import read_sheet


def write(folder: Path, text: str | bytes) -> Path:
    """A file with exactly these bytes."""
    path = folder / "t.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_rows_are_read_by_column(tmp_path: Path, mark: str, end: str) -> None:
    """Byte order marks, line ends, spaces round cells, empty lines and quoted cells make no difference."""
    lines = [mark + "case , annotated", " a ,liver spleen", "", ",", 'b,"x,y"', "c"]
    sheet = read_sheet(write(tmp_path, end.join(lines)), "case")
    assert sheet.columns == ("case", "annotated")
    assert [(row.number, row.get("case"), row.get("annotated")) for row in sheet.rows] == [
        (1, "a", "liver spleen"),
        (4, "b", "x,y"),
        (5, "c", ""),
    ]
    assert sheet.rows[0].get("date") == ""
    assert not any(row.surplus for row in sheet.rows)


def test_cells_beyond_the_header_are_marked(tmp_path: Path) -> None:
    """A list written with commas has more cells than the header; empty ones at the end are no harm."""
    sheet = read_sheet(write(tmp_path, "case,annotated\na,liver,spleen\nb,liver,,\n"))
    assert [row.surplus for row in sheet.rows] == [True, False]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "needs the columns case"),
        ("case,annotated\n", "no row"),
        ("case\n\n , \n", "no row"),
        ("name,annotated\na,liver\n", "it has: name, annotated"),
        ("case;annotated\na;liver\n", "needs the columns"),
        ("case,case\na,b\n", "case stands twice"),
        (b"case\n\xff\xfe\n", "UTF-8"),
        (b"case\na\0b\n", "zero bytes"),
        ("case\n" + "x" * 200_000 + "\n", "CSV"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path: Path, text: str | bytes, said: str) -> None:
    """Empty files, other separators, missing or doubled columns, other encodings: an error that says which."""
    with pytest.raises(InvalidDataError, match=said):
        read_sheet(write(tmp_path, text), "case")


def test_no_file(tmp_path: Path) -> None:
    """A table that is not there, or is a folder, is not found."""
    for path in (tmp_path / "t.csv", tmp_path):
        with pytest.raises(NotFoundError):
            read_sheet(path)


cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)


@given(st.lists(st.lists(cells, min_size=2, max_size=2), min_size=1, max_size=6))
def test_what_was_written_is_read(tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]) -> None:
    """Cells come back as written, apart from the space round them, line breaks and quotes within them included."""
    path = tmp_path_factory.getbasetemp() / "written.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["case", "annotated"], *rows])
    expected = [tuple(cell.strip() for cell in row) for row in rows if any(cell.strip() for cell in row)]
    if not expected:
        return
    found = [(row.get("case"), row.get("annotated")) for row in read_sheet(path).rows]
    assert found == expected
