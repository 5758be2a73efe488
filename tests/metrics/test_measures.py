"""Figures on request: distances as DeepMind's package has them, volumes, lesions found."""

import numpy as np
import pytest
from surface_distance import metrics as package

from flaredb.metrics.measures import hausdorff, measure
from tests.metrics.plain import package_distances


def boxes(*boxes, shape=(12, 12, 12)):
    """A mask of cubes, each from one corner to another."""
    mask = np.zeros(shape, bool)
    for low, high in boxes:
        mask[low[0] : high[0], low[1] : high[1], low[2] : high[2]] = True
    return mask


EMPTY, CUBE = boxes(), boxes(((1, 1, 1), (4, 4, 4)))


@pytest.mark.parametrize("seed", range(20))
def test_hd95_is_the_packages(seed):
    """The 95th percentile, weighted by area, the larger of both ways, whatever the spacing."""
    random = np.random.default_rng(seed)
    reference, prediction = (random.random((9, 8, 7)) < share for share in (0.3, random.choice([0.02, 0.3])))
    reference[4, 4, 4] = prediction[2, 3, 3] = True
    spacing = tuple(random.choice([0.4, 0.8, 1.0, 2.5, 5.0], 3))
    expected = package.compute_robust_hausdorff(package_distances(reference, prediction, spacing), 95)
    assert hausdorff(reference, prediction, spacing) == pytest.approx(expected, abs=1e-3)


def test_hd95_of_nothing():
    """Two empty masks are not apart; an empty one is no distance from another; a mask is none from itself."""
    assert hausdorff(EMPTY, EMPTY, (1, 1, 1)) == 0.0
    assert hausdorff(CUBE, EMPTY, (1, 1, 1)) is hausdorff(EMPTY, CUBE, (1, 1, 1)) is None
    assert hausdorff(CUBE, CUBE, (1, 1, 1)) == 0.0


def test_volumes():
    """Millilitres of both, the difference with its sign, its size as a share of the reference."""
    more = boxes(((1, 1, 1), (4, 4, 8)))
    found = measure(CUBE, more, (1, 2, 5), ["volume"], lesion=False)
    assert found == {"reference_ml": 0.27, "prediction_ml": 0.63, "volume_error_ml": 0.36, "volume_error": 1.3333}
    assert measure(more, CUBE, (1, 2, 5), ["volume"], lesion=False)["volume_error_ml"] == -0.36
    assert measure(EMPTY, CUBE, (1, 1, 1), ["volume"], lesion=False)["volume_error"] is None


def test_lesions_found():
    """A lesion counts as found when a tenth of it is predicted; a predicted one is false when it touches none."""
    reference = boxes(((0, 0, 0), (2, 2, 5)), ((4, 4, 4), (6, 6, 9)), ((9, 0, 0), (11, 2, 5)))
    prediction = boxes(((0, 0, 0), (1, 1, 2)), ((4, 4, 4), (5, 5, 5)), ((9, 9, 9), (10, 10, 10)))
    found = measure(reference, prediction, (1, 1, 1), ["detection"], lesion=True)
    assert found == {"lesions": 3, "detected": 1, "false_positives": 1}
    assert measure(EMPTY, EMPTY, (1, 1, 1), ["detection"], lesion=True) == dict.fromkeys(found, 0)
    assert measure(EMPTY, CUBE, (1, 1, 1), ["detection"], lesion=True)["false_positives"] == 1
    assert measure(CUBE, EMPTY, (1, 1, 1), ["detection"], lesion=True)["detected"] == 0
    assert measure(reference, prediction, (1, 1, 1), ["detection"], lesion=False) == {}


def test_each_lesion_is_held_against_its_own_size():
    """A tenth of a small lesion is not a tenth of a large one that comes after it."""
    reference = boxes(((0, 0, 0), (1, 1, 2)), ((4, 4, 4), (9, 9, 9)))
    found = measure(reference, boxes(((4, 4, 4), (5, 5, 6))), (1, 1, 1), ["detection"], lesion=True)
    assert (found["lesions"], found["detected"], found["false_positives"]) == (2, 0, 0)
