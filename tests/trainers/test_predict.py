"""Prediction: windows cover a scan once and evenly, and what comes out lies on the scan's lattice."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from flaredb.geometry import Grid
from flaredb.trainers import predict as module
from flaredb.trainers.config import Config
from flaredb.trainers.feed import Feed
from flaredb.trainers.networks import build_network
from flaredb.trainers.predict import Predictor
from flaredb.volumes.reader import Volume
from tests.cohorts import tiny
from tests.trainers.builders import one_case, standard, store_at

CPU = torch.device("cpu")


class Constant(nn.Module):
    """Says the same class everywhere."""

    def __init__(self, classes: int, wanted: int) -> None:
        super().__init__()
        self.logits = torch.zeros(classes)
        self.logits[wanted] = 1.0

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        shape = (len(image), len(self.logits), *image.shape[2:])
        return self.logits[None, :, None, None, None].expand(shape)


class Threshold(nn.Module):
    """Class 1 where the image is bright, whatever the window."""

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        middle = standard(80, tiny())
        return torch.cat([middle - image, image - middle], 1)


class Sideways(nn.Module):
    """Class 1 in the half of the window with larger x: notices a flip that is not undone."""

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        x = torch.linspace(-1, 1, image.shape[-1]).expand(image.shape)
        return torch.cat([-x, x], 1)


def volume(folder: Path, array: np.ndarray, spacing: tuple[float, float, float] = (10, 10, 10)) -> Volume:
    """An image as a stored volume."""
    store = store_at(folder)
    return store.open(store.put_image(array.astype(np.int16), Grid(array.shape, spacing)).volume)


def predictor(network: nn.Module, config: Config | None = None, classes: int = 2) -> Predictor:
    """A predictor with a made-up network."""
    config = config or tiny(bf16="false")
    made = Predictor(config, build_network(config, classes).state_dict(), classes, CPU)
    made.network = network.eval()
    return made


def halves(shape: tuple[int, int, int]) -> np.ndarray:
    """Bright where z is large."""
    array = np.full(shape, -200)
    array[shape[0] // 2 :] = 250
    return array


@pytest.mark.parametrize("shape", [(1, 5, 3), (16, 16, 16), (17, 40, 33)])
@pytest.mark.parametrize("mirror", [(), (0, 1, 2)])
def test_constant_logits_give_one_class(tmp_path, shape, mirror):
    """A network of one mind fills the scan, whatever its size and the mirroring; uint8, of the scan's shape."""
    out = predictor(Constant(4, 3), classes=4).predict(volume(tmp_path, np.zeros(shape)), mirror)
    assert out.dtype == np.uint8
    assert out.shape == shape
    assert (out == 3).all()


def test_a_boundary_stays_where_it_is(tmp_path):
    """Predicted at the scan's spacing, over many windows, bright and dark come out voxel for voxel."""
    array = halves((37, 20, 41))
    out = predictor(Threshold()).predict(volume(tmp_path, array))
    np.testing.assert_array_equal(out, array > 80)


def test_a_boundary_survives_another_spacing(tmp_path):
    """Predicted at half the resolution the boundary moves by no more than a voxel."""
    array = halves((40, 24, 24))
    out = predictor(Threshold()).predict(volume(tmp_path, array, (5, 5, 5)))
    assert out.shape == array.shape
    wrong = np.flatnonzero((out != (array > 80)).any((1, 2)))
    assert set(wrong) <= {19, 20}


def test_mirroring_is_undone(tmp_path):
    """Averaged over a flip of x, a network that says left and right comes to a tie, flipped back each time."""
    image = volume(tmp_path, np.zeros((16, 16, 16)))
    made = predictor(Sideways())
    assert (made.predict(image) == (np.arange(16) >= 8)).all()
    assert (made.predict(image, (0, 1)) == made.predict(image)).all()
    windows = torch.zeros((1, 1, 16, 16, 16))
    torch.testing.assert_close(made._forward(windows, (2,)), torch.zeros((1, 2, 16, 16, 16)))


@given(
    shape=st.tuples(*[st.integers(16, 70)] * 3),
    overlap=st.sampled_from([0.0, 0.25, 0.5, 0.75]),
)
def test_windows_cover_a_scan(shape, overlap):
    """Every voxel is in a window, none sticks out, neighbours overlap as asked."""
    patch = (16, 12, 16)
    corners = list(module._corners(shape, patch, overlap))
    covered = np.zeros(shape, bool)
    for corner in corners:
        box = module._box(corner, patch)
        assert all(side.start >= 0 and side.stop <= size for side, size in zip(box, shape, strict=True))
        covered[box] = True
    assert covered.all()
    for axis, length in enumerate(patch):
        starts = sorted({corner[axis] for corner in corners})
        assert all(b - a <= length * (1 - overlap) + 1 for a, b in pairwise(starts))


def test_one_window_is_the_network(tmp_path):
    """Where one patch covers the scan the sliding window gives the network's own logits."""
    config = tiny(bf16="false")
    network = build_network(config, 3)
    made = Predictor(config, network.state_dict(), 3, CPU)
    scan = torch.randn((16, 16, 16), generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        torch.testing.assert_close(made._logits(scan, ()), network.eval()(scan[None, None])[0], atol=1e-5, rtol=1e-5)


def test_a_small_scan_is_padded_with_air(tmp_path):
    """A scan smaller than a patch is predicted as if air were around it."""
    config = tiny(bf16="false")
    network = build_network(config, 3)
    made = Predictor(config, network.state_dict(), 3, CPU)
    array = np.random.default_rng(0).integers(-900, 300, (10, 12, 9))
    array[0, 0, 0] = -2000  # so that the lowest value is air's
    small = made.predict(volume(tmp_path, array))
    padded = np.full((16, 16, 16), -2000)
    padded[:10, :12, :9] = array
    whole = made.predict(volume(tmp_path, padded))
    np.testing.assert_array_equal(small, whole[:10, :12, :9])


def test_padding_does_not_depend_on_the_scan(tmp_path):
    """What a scan smaller than a patch is padded with is air, even where the scan holds none."""
    seen = []

    class Watching(Constant):
        def forward(self, image: torch.Tensor) -> torch.Tensor:
            seen.append(image)
            return super().forward(image)

    predictor(Watching(2, 1)).predict(volume(tmp_path, np.full((8, 8, 8), 100)))
    assert float(seen[0][0, 0, 0, 0, 0]) == pytest.approx(standard(100, tiny()), rel=1e-4)
    assert float(seen[0][0, 0, -1, -1, -1]) == pytest.approx(standard(-1000, tiny()), rel=1e-4)


def test_training_and_prediction_see_the_same_values(tmp_path):
    """A voxel of some HU is the same number to the network in training and in prediction, scan and air alike."""
    grid = Grid((16, 16, 16), (10.0, 10.0, 10.0))
    array = np.full(grid.shape, 100, np.int16)
    data = one_case(store_at(tmp_path), array, np.zeros(grid.shape, np.uint8), grid, "liver")
    feed = Feed(data, store_at(tmp_path), tiny(rotation=0, scale=0, noise=0, contrast=0), CPU)
    draw = feed.draw(0, 0)
    image, _ = feed.make(draw._replace(frame=draw.frame._replace(centre=np.full(3, 7.5))))
    made = predictor(Constant(2, 1))
    torch.testing.assert_close(made._resampled(volume(tmp_path, array)), image, atol=1e-4, rtol=0)
