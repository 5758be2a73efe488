"""Changes of intensity: drawn as plain numbers, then applied on whatever device the patch lies.

In the presets that say so, what is changed, how often and how far are nnU-Net's defaults, in its order: noise, blur,
brightness, contrast, low resolution, gamma of the inverted patch, gamma. Differences: a blur's kernel reaches to three
standard deviations, where nnU-Net rounds its length down for some; and noise is a function of its seed and the voxel's
index alone, so that a GPU makes the CPU's patch to within rounding.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from flaredb.trainers.config import Config, Range

_CHANCES = 7
_VALUES = 12
_TINY = 1e-7  # below this a spread is that of a constant patch


class Intensity(NamedTuple):
    """What is done to a patch's intensities, in this order; None where nothing is."""

    gain: float | None = None
    """Factor, before everything else."""
    shift: float | None = None
    """Added after the gain, in standard deviations of the normalisation."""
    noise: float | None = None
    """Standard deviation of the noise added to each voxel."""
    noise_seed: int = 0
    """Which noise: the same seed and shape give the same."""
    blur: tuple[float, float, float] | None = None
    """Standard deviations of the Gaussian along z, y, x, in voxels."""
    brightness: float | None = None
    """Factor."""
    contrast: float | None = None
    """Factor on the distance from the mean; the patch's range is kept."""
    low_resolution: float | None = None
    """Share of the voxels that are kept along each axis before the patch is enlarged again."""
    gamma_inverted: float | None = None
    """Exponent applied to the inverted patch."""
    gamma: float | None = None
    """Exponent applied to the patch between its lowest (0) and highest (1) value; mean and spread are kept."""


def read_intensity(document: Mapping[str, Any]) -> Intensity:
    """What `Intensity._asdict` wrote, through JSON or not."""
    blur = document.get("blur")
    return Intensity(**{**document, "blur": None if blur is None else tuple(blur)})


def draw_intensity(random: np.random.Generator, config: Config) -> Intensity:
    """Decide on a patch's intensities.

    Always takes the same count of random numbers, so that a changed chance or range changes its own transform alone:
    a seed; whether each of seven is done (noise, blur, brightness, contrast, low resolution, both gammas); and twelve
    values (gain, shift, noise, blur along z, y, x, brightness, contrast, low resolution, both gammas, one unused).
    """
    seed = int(random.integers(1 << 62))
    done = random.random(_CHANCES) < _chances(config)
    at = [float(value) for value in random.random(_VALUES)]
    plain = config.contrast > 0
    return Intensity(
        gain=_between(at[0], (1 - config.contrast, 1 + config.contrast)) if plain else None,
        shift=_between(at[1], (-config.contrast, config.contrast)) if plain else None,
        noise=_between(at[2], (0.0, config.noise)) if done[0] and config.noise > 0 else None,
        noise_seed=seed,
        blur=(_between(at[3], config.blur), _between(at[4], config.blur), _between(at[5], config.blur))
        if done[1]
        else None,
        brightness=_either_side(at[6], config.brightness) if done[2] else None,
        contrast=_either_side(at[7], config.contrast_range) if done[3] else None,
        low_resolution=_between(at[8], config.low_resolution) if done[4] else None,
        gamma_inverted=_either_side(at[9], config.gamma) if done[5] else None,
        gamma=_either_side(at[10], config.gamma) if done[6] else None,
    )


def apply_intensity(patch: Tensor, drawn: Intensity) -> Tensor:
    """A patch (z, y, x), float32 and normalised, with its intensities changed; the one given is not written to.

    Needs memory for two patches more. A constant patch stays finite. On a GPU nothing waits for the device.
    """
    patch = patch.clone()
    if drawn.gain is not None:
        patch.mul_(drawn.gain)
    if drawn.shift is not None:
        patch.add_(drawn.shift)
    if drawn.noise is not None:
        patch.add_(white_noise(patch.shape, drawn.noise_seed, patch.device), alpha=drawn.noise)
    if drawn.blur is not None:
        patch = _blurred(patch, drawn.blur)
    if drawn.brightness is not None:
        patch.mul_(drawn.brightness)
    if drawn.contrast is not None:
        _stretch(patch, drawn.contrast)
    if drawn.low_resolution is not None:
        patch = _coarsened(patch, drawn.low_resolution)
    if drawn.gamma_inverted is not None:
        patch = _with_gamma(patch, drawn.gamma_inverted, inverted=True)
    if drawn.gamma is not None:
        patch = _with_gamma(patch, drawn.gamma, inverted=False)
    return patch


def white_noise(shape: torch.Size, seed: int, device: torch.device) -> Tensor:
    """Independent standard normal values, float32: a function of seed and index, equal on every device to rounding.

    A 32-bit hash of the index (lowbias32, C. Wellons' "hash-prospector"), keyed by the seed, gives uniform values, two
    of which make two normal ones (Box and Muller 1958).
    """
    pairs = (math.prod(shape) + 1) // 2
    # SeedSequence, so that seeds that are near or share bits have nothing in common
    keys = [_signed(int(key)) for key in np.random.SeedSequence(seed).generate_state(3)]
    radius = _uniform(0, pairs, keys, device).log_().mul_(-2).sqrt_()
    angle = _uniform(pairs, pairs, keys, device).mul_(2 * math.pi)
    noise = torch.cat((angle.cos().mul_(radius), angle.sin_().mul_(radius)))
    return noise[: math.prod(shape)].reshape(shape)


def _uniform(first: int, count: int, keys: list[int], device: torch.device) -> Tensor:
    """Values between 0 and 1, of a stretch of indices."""
    bits = torch.arange(first, first + count, dtype=torch.int32, device=device)
    bits.mul_(keys[0] | 1)
    for key, shift, factor in ((keys[1], 16, 0x7FEB352D), (keys[2], 15, 0x846CA68B)):
        bits.bitwise_xor_(key)
        bits.bitwise_xor_((bits >> shift).bitwise_and_((1 << 32 - shift) - 1)).mul_(_signed(factor))
    bits.bitwise_xor_((bits >> 16).bitwise_and_(0xFFFF))
    # 24 bits fill a float's mantissa; half a step off zero, of which there is no logarithm
    return bits.bitwise_right_shift_(8).bitwise_and_(0xFFFFFF).float().add_(0.5).mul_(2.0**-24)


def _chances(config: Config) -> tuple[float, ...]:
    return (config.noise_chance, config.blur_chance, config.brightness_chance, config.contrast_chance,
            config.low_resolution_chance, config.gamma_inverted_chance, config.gamma_chance)  # fmt: skip


def _between(at: float, ends: Range) -> float:
    return ends[0] + at * (ends[1] - ends[0])


def _either_side(at: float, ends: Range) -> float:
    """Below 1 as often as above it, as nnU-Net draws factors, wherever the range holds both."""
    low, high = ends
    if not low < 1 < high:
        return _between(at, ends)
    return low + 2 * at * (1 - low) if at < 0.5 else 1 + (2 * at - 1) * (high - 1)


def _signed(bits: int) -> int:
    """The lowest 32 bits as an int32, as torch wants them."""
    return (bits + (1 << 31)) % (1 << 32) - (1 << 31)


def _blurred(patch: Tensor, deviations: tuple[float, float, float]) -> Tensor:
    """Gaussian along each axis in turn, out to three standard deviations, mirrored at the border."""
    for axis, deviation in enumerate(deviations):
        length = patch.shape[axis]
        reach = min(math.ceil(3 * deviation), length - 1)
        weights = [math.exp(-0.5 * (step / deviation) ** 2) for step in range(-reach, reach + 1)]
        before, after = patch.narrow(axis, 1, reach), patch.narrow(axis, length - 1 - reach, reach)
        padded = torch.cat((before.flip(axis), patch, after.flip(axis)), axis)
        blurred = torch.zeros_like(patch)
        for first, weight in enumerate(weights):
            blurred.add_(padded.narrow(axis, first, length), alpha=weight / sum(weights))
        patch = blurred
    return patch


def _stretch(patch: Tensor, factor: float) -> None:
    """Contrast, in place: away from the mean or towards it, within the values there were."""
    mean = patch.mean()
    low, high = torch.aminmax(patch)
    patch.mul_(factor).add_(mean * (1 - factor)).clamp_(low, high)


def _coarsened(patch: Tensor, share: float) -> Tensor:
    """Fewer voxels, the nearest of each, and back by linear interpolation, both over the same extent."""
    fewer = [max(1, round(size * share)) for size in patch.shape]
    coarse = patch
    for axis, (size, count) in enumerate(zip(patch.shape, fewer, strict=True)):
        places = (torch.arange(count, device=patch.device) + 0.5) * (size / count)
        coarse = coarse.index_select(axis, places.long().clamp_(max=size - 1))
    return torch.nn.functional.interpolate(coarse[None, None], patch.shape, mode="trilinear")[0, 0]


def _with_gamma(patch: Tensor, exponent: float, *, inverted: bool) -> Tensor:
    """`t ** exponent` with t from 0 at the lowest value to 1 at the highest, brought back to mean and spread; in place.

    Inverted: t is 1 at the lowest, and the result is turned back. Only an affine map is left after the power, so the
    range needs not be restored before mean and spread are.
    """
    low, high = torch.aminmax(patch)
    mean = patch.mean()
    spread = _spread(patch - mean)
    raised = (high - patch if inverted else patch - low).div_((high - low).clamp(min=_TINY)).pow_(exponent)
    raised.sub_(raised.mean())
    factor = spread / _spread(raised).clamp(min=_TINY) * (-1 if inverted else 1)
    return raised.mul_(factor).add_(mean)


def _spread(centred: Tensor) -> Tensor:
    """Standard deviation of values whose mean is 0; several times faster than `torch.std` on a CPU."""
    return centred.square().mean().sqrt()
