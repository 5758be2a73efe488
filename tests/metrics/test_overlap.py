import numpy as np
import pytest

from flaredb.errors import InvalidDataError
from flaredb.metrics import dice


def mask(*points):
    array = np.zeros((3, 3, 3), bool)
    for point in points:
        array[point] = True
    return array


def test_half_shared():
    """Two masks of two voxels that share one have a DSC of one half."""
    assert dice(mask((0, 0, 0), (0, 0, 1)), mask((0, 0, 1), (0, 0, 2))) == 0.5


def test_nothing_on_both_sides():
    """Two empty masks agree fully, one empty mask not at all."""
    assert dice(mask(), mask()) == 1.0
    assert dice(mask((0, 0, 0)), mask()) == 0.0


@pytest.mark.parametrize("shape", [(3, 3, 1), (1, 3, 3), (3, 3)])
def test_shapes_must_match(shape):
    """A prediction of another shape is refused, also where NumPy would broadcast it."""
    with pytest.raises(InvalidDataError) as caught:
        dice(mask(), np.zeros(shape, bool))
    assert [finding.rule for finding in caught.value.findings] == ["score-shape"]
