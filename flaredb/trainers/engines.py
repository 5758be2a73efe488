"""What computes a window: torch in a precision, or OpenVINO on a CPU. An engine takes windows and gives logits."""

from __future__ import annotations

import importlib.util
import math
import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from flaredb.errors import InvalidDataError, UsageError
from flaredb.trainers.config import Config, Shape, level_shapes

ENGINES = ("auto", "torch", "openvino")
PRECISIONS = ("auto", "fp32", "bf16", "fp16")
Engine = Callable[[Tensor], Tensor]
"""From (windows, 1, z, y, x) to float32 logits (windows, classes, z, y, x)."""


def find_engine(name: str, device: torch.device) -> str:
    """`auto` is OpenVINO on a CPU where it is installed; UsageError for what cannot be had."""
    if name not in ENGINES:
        raise UsageError(f"engine {name!r}; one of: {' '.join(ENGINES)}")
    installed = importlib.util.find_spec("openvino") is not None
    if name == "auto":
        return "openvino" if device.type == "cpu" and installed else "torch"
    if name == "openvino" and not installed:
        raise UsageError("engine openvino needs an extra: pip install 'flaredb[openvino]'")
    if name == "openvino" and device.type != "cpu":
        raise UsageError("engine openvino computes on the CPU; give --device cpu, or --engine torch")
    return name


def find_precision(name: str, config: Config, device: torch.device) -> str:
    """`auto` is the precision of training; UsageError for what cannot be had."""
    if name not in PRECISIONS:
        raise UsageError(f"precision {name!r}; one of: {' '.join(PRECISIONS)}")
    if name == "fp16" and device.type == "cpu":
        raise UsageError("precision fp16 needs a GPU; use bf16 or fp32 on a CPU")
    return ("bf16" if config.bf16 else "fp32") if name == "auto" else name


def make_engine(name: str, network: nn.Module, config: Config, device: torch.device, precision: str) -> Engine:
    """An engine of a resolved name and precision; `network` is in evaluation mode on the device."""
    if name == "openvino":
        return _OpenVino(network, config, precision)
    return _Torch(network, device, precision)


class _Torch:
    def __init__(self, network: nn.Module, device: torch.device, precision: str) -> None:
        self._network, self._device, self._precision = network, device, precision

    def __call__(self, windows: Tensor) -> Tensor:
        dtype = torch.float16 if self._precision == "fp16" else torch.bfloat16
        with torch.autocast(self._device.type, dtype, enabled=self._precision != "fp32"):
            logits: Tensor = self._network(windows)
        return logits.float()


def _smallest(config: Config) -> Shape:
    """A window that leaves two voxels an axis on the network's lowest level."""
    strides, _ = level_shapes(config)
    z, y, x = (2 * math.prod(stride) for stride in zip(*strides, strict=True))
    return z, y, x


class _OpenVino:
    """Compiled for one window of the network's patch; windows are computed one after the other."""

    def __init__(self, network: nn.Module, config: Config, precision: str) -> None:
        import openvino

        example = torch.zeros(1, 1, *_smallest(config))
        core: Any = openvino.Core()
        try:
            with torch.no_grad(), warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of torch about itself
                # Traced: torch.export takes instance normalisation apart, which is slower and takes more memory.
                traced: Any = torch.jit.trace(network, example, check_trace=False)  # type: ignore[no-untyped-call]
                model = openvino.convert_model(traced, example_input=example, input=[1, 1, *config.patch])
            hints = {
                "PERFORMANCE_HINT": "LATENCY",
                "INFERENCE_PRECISION_HINT": "f32" if precision == "fp32" else "bf16",
                "INFERENCE_NUM_THREADS": torch.get_num_threads(),
            }
            self._request = core.compile_model(model, "CPU", hints).create_infer_request()
        except RuntimeError as error:
            reason = str(error).strip().splitlines()[-1]
            raise InvalidDataError(f"OpenVINO cannot run this network ({reason}); use --engine torch") from error

    def __call__(self, windows: Tensor) -> Tensor:
        found = []
        for window in windows:
            self._request.infer([window[None].contiguous().numpy()], share_inputs=True)
            found.append(torch.from_numpy(self._request.get_output_tensor(0).data.copy()))
        return found[0] if len(found) == 1 else torch.cat(found)
