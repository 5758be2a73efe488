"""Networks: MONAI's DynUNet, with logits at the resolution of its input."""

from __future__ import annotations

from typing import cast

import torch
from monai.networks.nets.dynunet import DynUNet
from torch import Tensor, nn

from flaredb.trainers.config import Config


class Network(nn.Module):
    """A U-Net whose first level may stride; logits (batch, classes, z, y, x) have the size of the input."""

    def __init__(self, config: Config, classes: int) -> None:
        super().__init__()
        levels = len(config.channels)
        strides = [config.stem] + [(2, 2, 2)] * (levels - 1)
        self.body = DynUNet(
            spatial_dims=3,
            in_channels=1,
            out_channels=classes,
            kernel_size=[(3, 3, 3)] * levels,
            strides=strides,
            upsample_kernel_size=strides[1:],
            filters=list(config.channels),
            norm_name=("INSTANCE", {"affine": True}),
        )

    def forward(self, image: Tensor) -> Tensor:
        """From (batch, 1, z, y, x)."""
        logits = self.body(image)
        if logits.shape[2:] != image.shape[2:]:
            logits = nn.functional.interpolate(logits, size=image.shape[2:], mode="trilinear")
        return cast(Tensor, logits)


def build_network(config: Config, classes: int) -> Network:
    """A network with weights drawn from the configuration's seed (He initialisation, DynUNet's own)."""
    torch.manual_seed(config.seed)
    return Network(config, classes)
