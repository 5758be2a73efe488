"""Configurations to start from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flaredb.errors import NotFoundError
from flaredb.trainers.config import Config, change

# What nnU-Net 2.8.1 does by default; the chances of blur and low resolution are its own times one half for the channel.
NNUNET_INTENSITY: dict[str, Any] = {
    "contrast": 0.0,
    "noise": 0.1,
    "noise_chance": 0.1,
    "blur_chance": 0.1,
    "brightness_chance": 0.15,
    "contrast_chance": 0.15,
    "low_resolution_chance": 0.125,
    "gamma_inverted_chance": 0.1,
    "gamma_chance": 0.3,
}

# nnU-Net's rotations, sizes and flips; about as far beyond a scan.
NNUNET_GEOMETRY: dict[str, Any] = {
    "rotation": 30.0,
    "rotate_chance": 0.2,
    "scale": 0.3,
    "scale_up": 0.4,
    "scale_chance": 0.2,
    "mirror": "zyx",
    "beyond": 0.15,
}

# The FLARE23 paper's window and normalisation.
PAPER_HU: dict[str, Any] = {"hu_low": -970.0, "hu_high": 279.0, "hu_mean": 80.3, "hu_std": 141.4}

# The paper's patch, schedule and optimiser, which are nnU-Net's.
PAPER_TRAINING: dict[str, Any] = {
    "spacing": (2.5, 0.8, 0.8),
    "patch": (48, 192, 192),
    "batch": 2,
    "stem": (1, 1, 1),
    "fit_levels": True,
    "deep_supervision": 3,
    "steps": 250_000,
    "optimiser": "sgd",
    "learning_rate": 0.01,
    "momentum": 0.99,
    "foreground": 0.34,
    "in_plane": True,
    "rotation": 180.0,
    "checkpoint_every": 1000,
    "validate_every": 5000,
}

PRESETS: dict[str, Config] = {
    "tiny": Config(),
    "small": Config(
        preset="small",
        spacing=(4.0, 1.2, 1.2),
        patch=(32, 128, 192),
        batch=2,
        channels=(16, 32, 64, 128, 256),
        stem=(1, 1, 1),
        steps=25_000,
        learning_rate=3e-3,
        foreground=0.34,
        checkpoint_every=500,
        validate_every=2500,
        deep_supervision=2,
        **PAPER_HU,
        **NNUNET_GEOMETRY,
        **NNUNET_INTENSITY,
    ),
    "base": Config(  # nnU-Net's default network, 31 million parameters
        preset="base",
        channels=(32, 64, 128, 256, 320, 320),
        **PAPER_HU,
        **NNUNET_INTENSITY,
        **NNUNET_GEOMETRY | PAPER_TRAINING,
    ),
    "large": Config(  # the paper's network, of the size of STU-Net-L
        preset="large",
        channels=(64, 128, 256, 512, 1024, 1024),
        blocks=2,
        elastic_chance=0.2,
        **PAPER_HU,
        **NNUNET_INTENSITY,
        **NNUNET_GEOMETRY | PAPER_TRAINING,
    ),
}


def load_config(preset: str, settings: Mapping[str, str] | None = None) -> Config:
    """A preset with single values replaced, given as text (`patch=24,40,40`)."""
    if preset not in PRESETS:
        raise NotFoundError(f"no preset {preset!r}; there are: {' '.join(PRESETS)}")
    return change(PRESETS[preset], settings or {})
