"""Intensities: what is drawn, how often, and what each change does."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy import ndimage, stats

from flaredb.errors import InvalidDataError
from flaredb.trainers.augment import Intensity, apply_intensity, draw_intensity, read_intensity, white_noise
from flaredb.trainers.config import Config
from flaredb.trainers.presets import PRESETS, load_config

SHAPE = (11, 16, 23)
CHANCES = ("noise", "blur", "brightness", "contrast", "low_resolution", "gamma_inverted", "gamma")
EVERYTHING = Intensity(
    gain=1.1,
    shift=-0.1,
    noise=0.05,
    noise_seed=7,
    blur=(0.5, 0.8, 1.0),
    brightness=0.9,
    contrast=1.2,
    low_resolution=0.6,
    gamma_inverted=0.8,
    gamma=1.4,
)
Floats = NDArray[np.float64]


def patch(seed: int = 0, shape: tuple[int, ...] = SHAPE) -> torch.Tensor:
    """Values as a CT has them: skewed, in lumps, off zero."""
    rough = np.random.default_rng(seed).normal(size=shape)
    return torch.as_tensor(np.exp(0.6 * ndimage.gaussian_filter(rough, 1.0) * 4) - 1.5, dtype=torch.float32)


def plain(**changes: object) -> Config:
    """Nothing is ever changed, but for what is named."""
    quiet = {f"{name}_chance": 0.0 for name in CHANCES}
    return replace(Config(), contrast=0.0, **{**quiet, **changes})  # type: ignore[arg-type]


def draws(config: Config, count: int = 4000) -> list[Intensity]:
    """Drawn one after the other from one stream."""
    random = np.random.default_rng(11)
    return [draw_intensity(random, config) for _ in range(count)]


def numpy_gamma(x: Floats, exponent: float) -> Floats:
    """The power between the ends, then mean and standard deviation put back."""
    raised = ((x - x.min()) / (x.max() - x.min())) ** exponent * (x.max() - x.min()) + x.min()
    return (raised - raised.mean()) / raised.std() * x.std() + x.mean()


def numpy_coarse(x: Floats, share: float) -> Floats:
    """Nearest down, linear up, voxel centres over the same extent, one axis after the other."""
    for axis, size in enumerate(x.shape):
        count = round(size * share)
        middles = (np.arange(count) + 0.5) * size / count
        kept = x.take(np.floor(middles).astype(int), axis)
        places = (np.arange(size) + 0.5) * count / size - 0.5
        x = np.apply_along_axis(lambda line, at=places: np.interp(at, np.arange(len(line)), line), axis, kept)
    return x


def numpy_blur(x: Floats, deviations: tuple[float, ...]) -> Floats:
    """Scipy's, to three standard deviations."""
    for axis, deviation in enumerate(deviations):
        reach = math.ceil(3 * deviation)
        x = ndimage.gaussian_filter1d(x, deviation, axis, mode="mirror", radius=reach)
    return x


@pytest.mark.parametrize(
    ("drawn", "expected"),
    [
        (Intensity(gain=1.3), lambda x: 1.3 * x),
        (Intensity(shift=0.2), lambda x: x + 0.2),
        (Intensity(gain=1.3, shift=0.2), lambda x: 1.3 * x + 0.2),
        (Intensity(brightness=0.8), lambda x: 0.8 * x),
        (Intensity(contrast=0.8), lambda x: np.clip((x - x.mean()) * 0.8 + x.mean(), x.min(), x.max())),
        (Intensity(contrast=1.25), lambda x: np.clip((x - x.mean()) * 1.25 + x.mean(), x.min(), x.max())),
        (Intensity(blur=(0.5, 0.7, 1.0)), lambda x: numpy_blur(x, (0.5, 0.7, 1.0))),
        (Intensity(low_resolution=0.5), lambda x: numpy_coarse(x, 0.5)),
        (Intensity(low_resolution=0.77), lambda x: numpy_coarse(x, 0.77)),
        (Intensity(gamma=1.5), lambda x: numpy_gamma(x, 1.5)),
        (Intensity(gamma_inverted=0.7), lambda x: -numpy_gamma(-x, 0.7)),
    ],
)
def test_definitions(drawn: Intensity, expected: Callable[[Floats], Floats]) -> None:
    """Each change is what its formula says, computed apart in double precision."""
    given = patch()
    np.testing.assert_allclose(apply_intensity(given, drawn), expected(given.double().numpy()), atol=2e-5)


def test_noise_is_added() -> None:
    """Noise is the white noise of its seed, times its deviation."""
    given = patch()
    noisy = apply_intensity(given, Intensity(noise=0.3, noise_seed=99))
    torch.testing.assert_close(noisy - given, 0.3 * white_noise(given.shape, 99, given.device), atol=1e-6, rtol=1e-5)


def test_order() -> None:
    """All at once is one after the other in the order of the fields."""
    stepwise = patch()
    for name, value in EVERYTHING._asdict().items():
        if name != "noise_seed":
            stepwise = apply_intensity(stepwise, Intensity(noise_seed=EVERYTHING.noise_seed)._replace(**{name: value}))
    torch.testing.assert_close(apply_intensity(patch(), EVERYTHING), stepwise)


@pytest.mark.parametrize("exponent", [0.7, 1.0, 1.5])
def test_gamma_keeps_mean_and_spread(exponent: float) -> None:
    """Both gammas keep mean, spread and the order of values; an exponent of one changes nothing."""
    given = patch()
    for drawn in (Intensity(gamma=exponent), Intensity(gamma_inverted=exponent)):
        changed = apply_intensity(given, drawn)
        assert abs(changed.mean() - given.mean()) < 1e-5
        assert abs(changed.std() / given.std() - 1) < 1e-5
        ordered = changed.flatten()[given.flatten().argsort()]
        assert (ordered.diff() >= -1e-6).all()
        assert (torch.allclose(changed, given, atol=1e-5)) == (exponent == 1)


def test_contrast_keeps_the_range() -> None:
    """Nothing leaves the patch's own range, however strong the contrast; a weak one pulls in both ends."""
    given = patch()
    strong = apply_intensity(given, Intensity(contrast=3.0))
    assert (strong.min(), strong.max()) == (given.min(), given.max())
    weak = apply_intensity(given, Intensity(contrast=0.5))
    assert given.min() < weak.min()
    assert weak.max() < given.max()


def test_white_noise_is_white_and_normal() -> None:
    """Normal by Kolmogorov and Smirnov and by moments; no voxel knows its neighbours; seeds are strangers."""
    shape = torch.Size((24, 96, 96))
    fields = [white_noise(shape, seed, torch.device("cpu")).numpy() for seed in (0, 1, 2**31, 2**61 + 12345)]
    for field in fields:
        assert stats.kstest(field.ravel(), "norm").pvalue > 0.001
        assert abs(stats.kurtosis(field.ravel())) < 0.05
        for axis in range(3):
            for lag in (1, 2, 8):
                a, b = np.moveaxis(field, axis, 0)[lag:], np.moveaxis(field, axis, 0)[:-lag]
                assert abs(np.corrcoef(a.ravel(), b.ravel())[0, 1]) < 0.01
    for one, other in pairwise(fields):
        assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 0.01


def test_white_noise_is_a_function_of_index() -> None:
    """A value depends on seed and index alone: not on threads, and hardly a value of another seed is the same."""
    shape, before = torch.Size((9, 40, 41)), torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        one = white_noise(shape, 5, torch.device("cpu"))
        torch.set_num_threads(3)
        assert torch.equal(white_noise(shape, 5, torch.device("cpu")), one)
    finally:
        torch.set_num_threads(before)
    for other in (4, 6, 5 + (1 << 31), 5 + (1 << 61)):
        assert (white_noise(shape, other, torch.device("cpu")) == one).float().mean() < 0.01


def test_chances() -> None:
    """Each change comes as often as its chance says (chi-square, seven degrees of freedom) and by itself."""
    config = PRESETS["small"]
    drawn = draws(config)
    done = np.array([[getattr(one, name) is not None for name in CHANCES] for one in drawn])
    chances = np.array([getattr(config, f"{name}_chance") for name in CHANCES])
    expected, spread = len(drawn) * chances, len(drawn) * chances * (1 - chances)
    assert ((done.sum(0) - expected) ** 2 / spread).sum() < stats.chi2(len(CHANCES)).ppf(0.999)
    together = np.corrcoef(done.T.astype(float)) - np.eye(len(CHANCES))
    assert np.abs(together).max() < 0.06


def test_values() -> None:
    """Values fill their ranges; factors fall below one as often as above."""
    config = replace(plain(**{f"{name}_chance": 1.0 for name in CHANCES}), contrast=0.15)
    drawn = draws(config, 2000)
    ends = {
        "gain": (0.85, 1.15),
        "shift": (-0.15, 0.15),
        "noise": (0, 0.1),
        "brightness": config.brightness,
        "contrast": config.contrast_range,
        "low_resolution": config.low_resolution,
        "gamma": config.gamma,
        "gamma_inverted": config.gamma,
    }
    for name, (low, high) in ends.items():
        values = np.array([getattr(one, name) for one in drawn])
        assert low <= values.min() < low + 0.01 * (high - low)
        assert high - 0.01 * (high - low) < values.max() <= high
        assert abs(np.median(values) - (1 if "gamma" in name else (low + high) / 2)) < 0.03 * (high - low)
    blurs = np.array([one.blur for one in drawn])
    assert config.blur[0] <= blurs.min() < blurs.max() <= config.blur[1]
    assert np.abs(np.corrcoef(blurs.T) - np.eye(3)).max() < 0.08  # each axis has its own


def test_tiny_is_as_it_was() -> None:
    """`tiny` turns gain, shift and noise a little for every patch, and nothing else."""
    for one in draws(PRESETS["tiny"], 200):
        assert {name for name, value in one._asdict().items() if value is not None} == {
            "gain",
            "shift",
            "noise",
            "noise_seed",
        }


def test_a_chance_moves_its_own_change_alone() -> None:
    """With another chance or range the other changes are drawn as before."""
    config = PRESETS["small"]
    other = replace(config, blur_chance=0.9, gamma=(0.5, 2.0), noise_chance=0.0)
    for before, after in zip(draws(config, 200), draws(other, 200), strict=True):
        for name in ("noise_seed", "brightness", "contrast", "low_resolution"):
            assert getattr(before, name) == getattr(after, name)
        assert (before.gamma is None) == (after.gamma is None)


def test_nothing_drawn_changes_nothing() -> None:
    """Chances of zero leave every patch as it is, bit for bit."""
    for one in draws(plain(), 20):
        assert torch.equal(apply_intensity(patch(), one), patch())


def test_same_draw_same_bits_and_input_untouched() -> None:
    """A draw, through JSON too, makes the same bits again; the patch given is never written to."""
    for drawn in [EVERYTHING, *draws(PRESETS["small"], 40)]:
        given = patch(3)
        first = apply_intensity(given, drawn)
        assert torch.equal(given, patch(3))
        again = read_intensity(json.loads(json.dumps(drawn._asdict())))
        assert again == drawn
        assert torch.equal(apply_intensity(given, again), first)
        assert first.dtype == torch.float32
        assert first.shape == given.shape


@pytest.mark.parametrize("shape", [SHAPE, (1, 1, 1), (1, 5, 2), (2, 1, 40)])
@pytest.mark.parametrize("value", [0.0, -1.3, 1e-20, 0.3])
def test_constant_patches_stay_finite(shape: tuple[int, int, int], value: float) -> None:
    """A patch of air alone, of any size, comes through every change finite, and constant without noise."""
    given = torch.full(shape, value)
    assert torch.isfinite(apply_intensity(given, EVERYTHING)).all()
    quiet = apply_intensity(given, EVERYTHING._replace(noise=None))
    torch.testing.assert_close(quiet, torch.full(shape, (value * 1.1 - 0.1) * 0.9), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    "settings",
    [
        {"blur_chance": "1.1"},
        {"noise_chance": "-0.1"},
        {"gamma": "1.5,0.7"},
        {"gamma": "0.7"},
        {"brightness": "0,1"},
        {"low_resolution": "0.5,1.5"},
        {"contrast_range": "nan,1"},
        {"gamma_chance": "often"},
    ],
)
def test_settings_that_mean_nothing(settings: dict[str, str]) -> None:
    """Chances outside 0 to 1 and ranges that are none are refused by name."""
    with pytest.raises(InvalidDataError, match=next(iter(settings))):
        load_config("small", settings)


def test_settings_by_text() -> None:
    """Ranges and chances are set like any other value."""
    config = load_config("tiny", {"gamma": "0.5,2", "gamma_chance": "1"})
    assert (config.gamma, config.gamma_chance) == ((0.5, 2.0), 1.0)
