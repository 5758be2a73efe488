"""Numbered names told briefly, and what is missing between them."""

from hypothesis import given
from hypothesis import strategies as st

from flaredb.exchange.numbering import find_gaps, shorten


def test_a_single_hole_is_named() -> None:
    """One missing number is told by its name, with the zeros of its neighbours."""
    (gap,) = find_gaps(["A_0001", "A_0003", "A_0002", "A_0005"])
    assert (gap.first, gap.last, gap.listed, gap.missing, gap.text) == ("A_0001", "A_0005", 4, 1, "A_0004")


def test_long_holes_are_ranges_and_many_are_cut() -> None:
    """Holes are told as ranges; after eight of them only their number is told."""
    (gap,) = find_gaps(["c_1", "c_1000000000000"])
    assert (gap.missing, gap.text) == (999999999998, "c_2 … c_999999999999")
    (gap,) = find_gaps(f"c_{number}" for number in range(0, 60, 2))
    assert gap.text.startswith("c_1, c_3, ")
    assert gap.text.endswith("c_15 and 21 more")


def test_series_are_told_apart() -> None:
    """Each prefix has its own numbers; names without a number have no gaps."""
    assert find_gaps(["a_1", "b_9", "a_2", "plain", "9", "10"]) == []
    assert [gap.text for gap in find_gaps(["Case9", "Case11", "x1_5", "x1_7"])] == ["Case10", "x1_6"]


def test_shorten() -> None:
    """Names become ranges; names without a number stay as they are."""
    assert shorten(["a_01", "a_02", "a_03", "b"]) == "a_01 … a_03, b"
    assert shorten([]) == ""


@given(st.sets(st.integers(0, 200), min_size=1))
def test_gaps_are_what_is_missing(numbers: set[int]) -> None:
    """The count of a gap is that of the numbers between the smallest and the largest that are not there."""
    missing = set(range(min(numbers), max(numbers))) - numbers
    gaps = find_gaps(f"FLARE23_{number:04d}" for number in numbers)
    assert sum(gap.missing for gap in gaps) == len(missing)
    if missing:
        assert gaps[0].text.startswith(f"FLARE23_{min(missing):04d}")
