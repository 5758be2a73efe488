"""Networks: MONAI's DynUNet, with logits at the resolution of its input, and the optimiser that trains them."""

from __future__ import annotations

from typing import Any

import torch
from monai.networks.blocks.dynunet_block import UnetResBlock
from monai.networks.nets.dynunet import DynUNet
from torch import Tensor, nn

from flaredb.trainers.config import Config, Shape, level_shapes

_NORM = ("INSTANCE", {"affine": True})
_TWICE = "body.skip_layers."  # DynUNet holds every layer a second time under this name; so did older files of weights


class Network(nn.Module):
    """A U-Net whose first level may stride.

    From (batch, 1, z, y, x) to logits (batch, classes, z, y, x) at the size of the input. In training, with
    `deep_supervision` = n, a tuple: these, then the logits of the next n levels at their own resolutions.
    """

    def __init__(self, config: Config, classes: int) -> None:
        super().__init__()
        strides, kernels = level_shapes(config)
        self.body = DynUNet(
            spatial_dims=3,
            in_channels=1,
            out_channels=classes,
            kernel_size=kernels,
            strides=strides,
            upsample_kernel_size=strides[1:],
            filters=list(config.channels),
            norm_name=_NORM,
            res_block=config.blocks > 0,
            deep_supervision=config.deep_supervision > 0,
            deep_supr_num=max(1, config.deep_supervision),
        )
        del self.body.skip_layers  # the layers again: weights would be stored twice
        if config.blocks:
            _deepen(self.body, config, kernels)
        self.register_load_state_dict_pre_hook(_forget_copies)  # type: ignore[no-untyped-call]

    def forward(self, image: Tensor) -> Tensor | tuple[Tensor, ...]:
        """From (batch, 1, z, y, x)."""
        heads = list(self.body.deep_supervision_heads) if self.training and self.body.deep_supervision else []
        skips = [self.body.input_block(image)]
        for down in self.body.downsamples:
            skips.append(down(skips[-1]))
        features = self.body.bottleneck(skips[-1])
        coarser = []
        for level, up in zip(range(len(skips) - 1, -1, -1), self.body.upsamples, strict=True):
            features = up(features, skips.pop())
            if 1 <= level <= len(heads):
                coarser.append(heads[level - 1](features))
        logits: Tensor = self.body.output_block(features)
        if logits.shape[2:] != image.shape[2:]:
            logits = nn.functional.interpolate(logits, size=image.shape[2:], mode="trilinear")
        return (logits, *reversed(coarser)) if coarser else logits


def build_network(config: Config, classes: int) -> Network:
    """A network with weights drawn from the configuration's seed.

    He initialisation for the leaky ReLU of slope 0.01: normal, of standard deviation √(2 / (1 + 0.01²) / fan-in).
    """
    torch.manual_seed(config.seed)
    return Network(config, classes)


def build_optimiser(network: nn.Module, config: Config) -> torch.optim.Optimizer:
    """AdamW, or SGD with Nesterov's momentum."""
    if config.optimiser == "sgd":
        return torch.optim.SGD(
            network.parameters(),
            lr=config.learning_rate,
            momentum=config.momentum,
            nesterov=config.momentum > 0,
            weight_decay=config.weight_decay,
        )
    return torch.optim.AdamW(network.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay)


def _deepen(body: DynUNet, config: Config, kernels: list[Shape]) -> None:
    """`config.blocks` residual blocks a level on both sides, as in STU-Net (Huang et al., arXiv 2304.06716)."""

    def more(width: int, kernel: Shape) -> list[nn.Module]:
        return [UnetResBlock(3, width, width, kernel, 1, _NORM) for _ in range(config.blocks - 1)]

    widths = config.channels
    body.input_block = nn.Sequential(body.input_block, *more(widths[0], kernels[0]))
    for level, down in enumerate(body.downsamples, start=1):
        body.downsamples[level - 1] = nn.Sequential(down, *more(widths[level], kernels[level]))
    body.bottleneck = nn.Sequential(body.bottleneck, *more(widths[-1], kernels[-1]))
    for level, up in zip(range(len(widths) - 2, -1, -1), body.upsamples, strict=True):
        first = UnetResBlock(3, 2 * widths[level], widths[level], kernels[level + 1], 1, _NORM)
        up.conv_block = nn.Sequential(first, *more(widths[level], kernels[level + 1]))
    body.apply(DynUNet.initialize_weights)


def _forget_copies(module: nn.Module, weights: dict[str, Any], *_: Any) -> None:
    for name in [name for name in weights if name.startswith(_TWICE)]:
        del weights[name]
