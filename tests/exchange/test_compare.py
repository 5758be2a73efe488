"""Does a label fit its scan?"""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from flaredb.exchange.compare import check_geometry
from flaredb.geometry import Grid

IMAGE = Grid((60, 100, 100), (2.5, 0.8, 0.8), (-300.0, -150.0, -100.0))


def test_same_grid_needs_no_remark() -> None:
    """Equal grids, or grids a rounding error apart, are fine."""
    assert check_geometry("a", IMAGE, IMAGE, "a.nii.gz") is None
    assert check_geometry("a", replace(IMAGE, origin=(-300.0, -150.0, -100.0005)), IMAGE, "a.nii.gz") is None


@given(st.floats(0.0011, 0.0799))
def test_small_shifts_are_rounding(shift: float) -> None:
    """Up to a tenth of the smallest spacing the scan's grid is taken, and said so."""
    finding = check_geometry("a", replace(IMAGE, origin=(-300.0, -150.0 + shift, -100.0)), IMAGE, "a.nii.gz")
    assert finding is not None
    assert (finding.severity, finding.rule) == ("info", "geometry-rounding")


def test_spacing_error_adds_up_over_the_slices() -> None:
    """Spacing that differs a little is judged by the far corner, not by the header."""
    finding = check_geometry("a", replace(IMAGE, spacing=(2.51, 0.8, 0.8)), IMAGE, "a.nii.gz")
    assert finding is not None
    assert (finding.severity, finding.rule, finding.case, finding.path) == (
        "error",
        "geometry-mismatch",
        "a",
        "a.nii.gz",
    )
    assert "0.59 mm" in finding.message
    assert "--regrid nearest" in finding.message


def test_other_shape_names_both() -> None:
    """A label of another shape is refused with both shapes in words."""
    finding = check_geometry("a", replace(IMAGE, shape=(61, 100, 100)), IMAGE, "a.nii.gz")
    assert finding is not None
    assert (finding.severity, finding.rule) == ("error", "shape-mismatch")
    assert "61 × 100 × 100" in finding.message
    assert "60 × 100 × 100" in finding.message
