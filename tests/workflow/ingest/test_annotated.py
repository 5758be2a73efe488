"""What a table says is annotated."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from flaredb.errors import InvalidDataError
from flaredb.workflow.ingest.annotated import read_table
from tests.builders import REAL_DATA

ANNOTATED = REAL_DATA / "manifests" / "flare23_annotated.csv"


@pytest.fixture
def auckland(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine half a day from UTC."""
    monkeypatch.setenv("TZ", "NZST-12")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def write(folder: Path, text: str) -> Path:
    """A table as a file."""
    path = folder / "t.csv"
    path.write_text(text)
    return path


@pytest.mark.skipif(not ANNOTATED.is_file(), reason="needs the manifests of the real data")
def test_the_table_of_flare23() -> None:
    """All 2,200 cases are there, with lists of names."""
    found = read_table(ANNOTATED)
    assert len(found) == 2200
    assert found["FLARE23_0002"].annotated == ("tumor",)
    assert sum("tumor" in statement.annotated for statement in found.values()) == 888 + 609


@pytest.mark.parametrize(
    ("date", "moment"),
    [
        ("2023-05-07", datetime(2023, 5, 7, tzinfo=UTC)),
        ("2023-05-07T10:00", datetime(2023, 5, 7, 10, tzinfo=UTC)),
        ("2023-05-07T10:00+02:00", datetime(2023, 5, 7, 8, tzinfo=UTC)),
        ("", None),
    ],
)
def test_dates_are_the_same_everywhere(tmp_path: Path, auckland: None, date: str, moment: datetime | None) -> None:
    """A date without a zone is taken in UTC, wherever the machine stands."""
    found = read_table(write(tmp_path, f"case,annotated,date\na,liver,{date}\n"))
    assert found["a"].annotated_at == moment


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("a,liver,spleen\n", "more cells"),
        ("a,liver\na,spleen\n", "stands twice"),
        ("b,liver\na,liver,2023-13-40\n", "more cells"),
    ],
)
def test_a_row_that_loses_something_is_refused(tmp_path: Path, rows: str, said: str) -> None:
    """A list written with commas, and two rows that contradict each other, are errors that name the case."""
    with pytest.raises(InvalidDataError, match=f"case a.*{said}"):
        read_table(write(tmp_path, f"case,annotated\n{rows}"))


@pytest.mark.parametrize("date", ["last week", "2023-13-01", "0001-01-01T00:00+23:00"])
def test_a_date_that_is_none_is_refused(tmp_path: Path, date: str) -> None:
    """A date that cannot be read, or that lies outside the calendar in UTC, names its case."""
    with pytest.raises(InvalidDataError, match=r"case a: .*2023-05-07"):
        read_table(write(tmp_path, f"case,annotated,date\na,liver,{date}\n"))


def test_equal_rows_are_one(tmp_path: Path) -> None:
    """A row that stands twice says the same once."""
    assert len(read_table(write(tmp_path, "case,annotated\na,liver\na,liver\n"))) == 1
