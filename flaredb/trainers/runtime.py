"""The machine a model runs on: device, precision, and what to write down about it."""

from __future__ import annotations

import platform
from contextlib import AbstractContextManager

import monai
import torch

from flaredb.errors import InvalidDataError


def find_device(name: str = "auto") -> torch.device:
    """`auto` takes a GPU if there is one."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name == "cuda" and not torch.cuda.is_available():
        raise InvalidDataError("--device cuda: no GPU is visible here; use --device cpu")
    return torch.device(name)


def autocast(device: torch.device, bf16: bool) -> AbstractContextManager[None]:
    """bfloat16 where it is safe, or full precision."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=bf16)


def set_threads(count: int) -> None:
    """How many threads torch computes with in this process."""
    torch.set_num_threads(count)


def environment(device: torch.device) -> dict[str, str]:
    """Versions and hardware, for the model's record."""
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "monai": monai.__version__,
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else platform.machine(),
        "threads": str(torch.get_num_threads()),
    }
