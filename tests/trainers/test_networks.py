"""Networks and presets: sizes, levels, initial weights, several resolutions, optimisers."""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from monai.networks.nets.dynunet import DynUNet
from torch import nn

from flaredb.errors import InvalidDataError
from flaredb.trainers.config import Config, change, level_shapes
from flaredb.trainers.levels import fitted
from flaredb.trainers.networks import Network, build_network, build_optimiser
from flaredb.trainers.presets import PRESETS, load_config
from flaredb.trainers.runtime import training_autocast
from tests.cohorts import tiny

SIZES = {"tiny": (0.76, 0.01), "small": (5.65, 0.01), "base": (31, 0.02), "large": (440, 0.02)}
"""Millions of parameters with 15 classes, and the relative tolerance: small is blackbean's, large the paper's."""


def deep(**changes: object) -> Config:
    """A small network of four levels, two of them coarser ones with logits."""
    return tiny(**{"channels": "4,8,8,8", "patch": "16,16,16", "deep_supervision": 2, **changes})


@pytest.mark.parametrize("name", SIZES)
def test_presets_have_the_size_they_are_known_for(name):
    """Parameters are counted on a device without memory; logits have the size of the patch."""
    config = load_config(name)
    with torch.device("meta"):
        network = Network(config, 15).eval()
        logits = network(torch.empty((1, 1, *config.patch)))
    millions, tolerance = SIZES[name]
    assert sum(p.numel() for p in network.parameters()) / 1e6 == pytest.approx(millions, rel=tolerance)
    assert logits.shape == (1, 15, *config.patch)


def test_large_is_the_papers():
    """Patch, batch, optimiser, schedule, spacing and window are those of the paper."""
    config = PRESETS["large"]
    assert (config.patch, config.batch, config.spacing) == ((48, 192, 192), 2, (2.5, 0.8, 0.8))
    assert (config.optimiser, config.learning_rate, config.momentum) == ("sgd", 0.01, 0.99)
    assert config.steps == config.horizon == 1000 * 250
    assert (config.hu_low, config.hu_high, config.hu_mean, config.hu_std) == (-970, 279, 80.3, 141.4)


def test_small_predicts():
    """The deployed size runs on a processor."""
    config = load_config("small")
    network = build_network(config, 15).eval()
    with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16):
        logits = network(torch.zeros((1, 1, *config.patch)))
    assert logits.shape == (1, 15, 32, 128, 192)
    assert torch.isfinite(logits).all()


def test_the_network_is_monais():
    """Weights drawn and logits computed are DynUNet's own, bit for bit; so are those of an older file of weights, which
    held every layer twice."""
    config = tiny(channels="4,8,16", stem="1,1,1")
    network = build_network(config, 5).eval()
    torch.manual_seed(config.seed)
    strides = [(1, 1, 1), (2, 2, 2), (2, 2, 2)]
    rival = DynUNet(
        3, 1, 5, [(3, 3, 3)] * 3, strides, strides[1:], filters=[4, 8, 16], norm_name=("INSTANCE", {"affine": True})
    ).eval()
    image = torch.randn((1, 1, 16, 16, 16), generator=torch.Generator().manual_seed(0))
    assert torch.equal(network(image), rival(image))
    older = {f"body.{name}": value for name, value in rival.state_dict().items()}
    assert any("skip_layers" in name for name in older)
    other = build_network(replace(config, seed=7), 5).eval()
    assert not torch.equal(other(image), rival(image))
    other.load_state_dict(older)
    assert torch.equal(other(image), rival(image))


def test_weights_are_stored_once():
    """No two entries of a file of weights are the same layer."""
    for config in (deep(), deep(blocks=2)):
        state = build_network(config, 3).state_dict()
        assert len({value.data_ptr() for value in state.values()}) == len(state)


def test_training_sees_every_level_and_prediction_one():
    """In training the finest logits come first, each level at its own resolution; in prediction they come alone."""
    for config in (deep(), deep(blocks=2), deep(stem="2,2,2", patch="32,32,32")):
        network = build_network(config, 3)
        image = torch.zeros((2, 1, *config.patch))
        outputs = network.train()(image)
        step = config.stem[0]
        sizes = [config.patch, *(tuple(n // step // f for n in config.patch) for f in (2, 4))]
        assert [tuple(level.shape) for level in outputs] == [(2, 3, *size) for size in sizes]
        assert network.eval()(image).shape == (2, 3, *config.patch)
    assert isinstance(build_network(tiny(), 3).train()(torch.zeros((1, 1, 16, 16, 16))), torch.Tensor)


@pytest.mark.parametrize("blocks", [0, 1, 2])
def test_every_weight_learns(blocks):
    """In training each parameter gets a gradient: none is forgotten, as data-parallel training demands."""
    network = build_network(deep(blocks=blocks), 3).train()
    sum(level.square().sum() for level in network(torch.randn((1, 1, 16, 16, 16)))).backward()
    # A bias-free transposed convolution before a norm and the like all have one; nothing is left at None.
    assert [name for name, value in network.named_parameters() if value.grad is None] == []


@pytest.mark.parametrize("blocks", [0, 2])
def test_weights_begin_as_he_says(blocks):
    """Every convolution's weights are drawn with standard deviation √(2 / 1.0001 / fan-in), biases are 0."""
    network = build_network(deep(channels="16,32,32,32", blocks=blocks), 3)
    seen = 0
    for module in network.modules():
        if not isinstance(module, (nn.Conv3d, nn.ConvTranspose3d)):
            continue
        count = module.weight.numel()
        fan_in = module.weight.shape[1] * math.prod(module.kernel_size)
        expected = math.sqrt(2 / 1.0001 / fan_in)
        assert float(module.weight.detach().std()) == pytest.approx(expected, rel=5 / math.sqrt(2 * count))
        assert abs(float(module.weight.detach().mean())) < 5 * expected / math.sqrt(count)
        assert module.bias is None or not module.bias.any()
        seen += count
    assert seen > 50_000


def test_the_seed_decides_the_weights():
    """The same seed gives the same weights, another one others."""
    first, again, other = (build_network(deep(seed=seed), 3).state_dict() for seed in (3, 3, 4))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not all(torch.equal(first[name], other[name]) for name in first)


def test_optimisers_are_those_of_the_settings():
    """SGD with Nesterov's momentum, or AdamW, with the learning rate and weight decay of the settings."""
    network = build_network(tiny(), 3)
    sgd = build_optimiser(network, tiny(optimiser="sgd", momentum=0.9, learning_rate=0.01, weight_decay=0.001))
    assert isinstance(sgd, torch.optim.SGD)
    (group,) = sgd.param_groups
    assert (group["lr"], group["momentum"], group["nesterov"], group["weight_decay"]) == (0.01, 0.9, True, 0.001)
    assert len(group["params"]) == len(list(network.parameters()))
    assert not build_optimiser(network, tiny(optimiser="sgd", momentum=0)).param_groups[0]["nesterov"]
    adam = build_optimiser(network, tiny())
    assert isinstance(adam, torch.optim.AdamW)
    assert adam.param_groups[0]["weight_decay"] == tiny().weight_decay


def test_thick_slices_are_halved_later():
    """At 2.5 × 0.8 × 0.8 mm the first step is in the plane alone, as nnU-Net plans it, and the last one spares z."""
    strides, kernels = level_shapes(PRESETS["base"])
    assert strides == [(1, 1, 1), (1, 2, 2), (2, 2, 2), (2, 2, 2), (2, 2, 2), (1, 2, 2)]
    assert kernels == [(1, 3, 3)] + [(3, 3, 3)] * 5
    assert level_shapes(PRESETS["large"]) == (strides, kernels)
    assert fitted(4, (1, 1, 1), (5.0, 0.7, 0.7), (16, 256, 256)) == (
        [(1, 1, 1), (1, 2, 2), (1, 2, 2), (2, 2, 2)],
        [(1, 3, 3), (1, 3, 3), (3, 3, 3), (3, 3, 3)],
    )


@given(
    spacing=st.tuples(*[st.floats(0.3, 8)] * 3),
    halvings=st.tuples(*[st.integers(0, 6)] * 3),
    levels=st.integers(3, 7),
)
@settings(max_examples=200, deadline=None)
def test_levels_fit_the_patch(spacing, halvings, levels):
    """An axis is halved only while 4 voxels remain, at each level one at least, the coarsest one never alone; or the
    patch is refused."""
    patch = tuple(4 * 2**n for n in halvings)
    if max(halvings) < levels - 1:
        with suppress(InvalidDataError):  # axes may take turns, so it may fit all the same
            fitted(levels, (1, 1, 1), spacing, patch)
        return
    strides, kernels = fitted(levels, (1, 1, 1), spacing, patch)
    assert len(strides) == len(kernels) == levels
    assert all(any(step == 2 for step in stride) for stride in strides[1:])
    for axis in range(3):
        down = math.prod(stride[axis] for stride in strides)
        assert patch[axis] // down >= 4
        lengths = [kernel[axis] for kernel in kernels]
        assert lengths == sorted(lengths)


def test_equal_axes_are_halved_together():
    """At equal spacing every level halves all axes, until the patch is used up: then it is refused."""
    strides, kernels = fitted(3, (1, 1, 1), (1.0, 1.0, 1.0), (16, 16, 16))
    assert (strides, kernels) == ([(1, 1, 1), (2, 2, 2), (2, 2, 2)], [(3, 3, 3)] * 3)
    with pytest.raises(InvalidDataError, match="too small"):
        fitted(4, (1, 1, 1), (1.0, 1.0, 1.0), (16, 16, 16))


@pytest.mark.parametrize("name", SIZES)
def test_a_presets_patch_fits_its_network(name):
    """Patches are whole multiples of all strides, and one voxel more is refused."""
    config = load_config(name)
    down = [math.prod(along) for along in zip(*level_shapes(config)[0], strict=True)]
    assert all(size % step == 0 for size, step in zip(config.patch, down, strict=True))
    with pytest.raises(InvalidDataError, match="multiples"):
        change(config, {"patch": ",".join(str(size + 1) for size in config.patch)})


@pytest.mark.parametrize(
    "wrong",
    [
        {"deep_supervision": "5"},
        {"deep_supervision": "-1"},
        {"optimiser": "adam"},
        {"momentum": "1"},
        {"blocks": "-1"},
        {"dice_form": "mean"},
        {"patch": "8,32,32"},
        {"stem": "5,1,1"},
    ],
)
def test_a_network_that_cannot_be_is_refused(wrong):
    """Settings of network, loss and optimiser that cannot work are refused by a message that names them."""
    with pytest.raises(InvalidDataError, match=next(iter(wrong))):
        load_config("base", wrong)


@pytest.mark.parametrize("slices", [16, 24])
def test_gradients_are_those_of_full_precision_but_for_rounding(slices):
    """In the precision a patch is trained in every convolution's gradient is near that in float32: at the coarsest
    level two slices are left, of which bfloat16's gradients are garbage on some processors, or three."""
    config = deep(patch=f"{slices},32,32", stem="1,1,1", channels="4,8,16,64", deep_supervision="0", bf16="true")
    torch.manual_seed(0)
    network, image = build_network(config, 3), torch.randn(1, 1, *config.patch)
    network.train()
    found = []
    for precision in (torch.autocast("cpu", enabled=False), training_autocast(torch.device("cpu"), config)):
        network.zero_grad()
        with precision:
            logits = network(image)
        logits.float().softmax(1)[:, 1].mean().backward()
        found.append({name: p.grad.clone() for name, p in network.named_parameters() if name.endswith("conv.weight")})
    for name, exact in found[0].items():
        assert float((found[1][name] - exact).norm() / exact.norm()) < 0.6, name
