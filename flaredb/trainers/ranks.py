"""Training on several devices at once: who takes part, and what they say to each other.

`torchrun --nproc-per-node K -m flaredb train …` starts K processes. Each makes its part of every batch, gradients are
averaged, and all hold the same weights. Rank 0 alone touches catalogue, checkpoints and pictures, and tells the others
what to train. K processes compute what one would with the whole batch, up to rounding: cross-entropy is a mean over
voxels, and the sums that the batch's Dice is made of are taken over all ranks (`training_loss`).
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from flaredb.errors import InvalidDataError

_STARTED = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")  # what torchrun sets


class Team(NamedTuple):
    """The processes that train together, and which of them this is."""

    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this process writes: the first of several, or the only one."""
        return self.rank == 0

    def check(self, batch: int) -> None:
        """InvalidDataError unless every rank gets as many patches as the others."""
        if batch % self.size:
            raise InvalidDataError(f"batch {batch} cannot be divided over {self.size} processes; --set batch=N")

    def wrap(self, network: nn.Module) -> nn.Module:
        """The network with its gradients averaged over ranks; all begin with the weights of rank 0."""
        if self.size == 1:
            return network
        device = next(network.parameters()).device
        return DistributedDataParallel(network, device_ids=[device] if device.type == "cuda" else None)

    def mean(self, values: Sequence[float], device: torch.device) -> list[float]:
        """The mean of each value over ranks, the same on all."""
        if self.size == 1:
            return list(values)
        tensor = torch.tensor(values, dtype=torch.float64, device=device)
        distributed.all_reduce(tensor)
        return [float(value) for value in (tensor / self.size).tolist()]

    def share(self, document: dict[str, Any] | None = None) -> dict[str, Any]:
        """What rank 0 hands over, on every rank: plain values and tensors, on the CPU. Nothing is unpickled."""
        if self.size == 1:
            return document or {}
        buffer = io.BytesIO()
        if self.leads:
            torch.save(document or {}, buffer)
        length = torch.tensor([buffer.tell()])
        distributed.broadcast(length, 0)
        sent = torch.frombuffer(buffer.getbuffer(), dtype=torch.uint8).clone() if self.leads else _empty(length)
        distributed.broadcast(sent, 0)
        read = torch.load(io.BytesIO(sent.numpy().tobytes()), map_location="cpu", weights_only=True)
        return cast(dict[str, Any], read)

    def union(self, values: Tensor) -> Tensor:
        """All values that any rank has, ascending, the same on all; `values`: (n) integers, ascending."""
        if self.size == 1:
            return values
        lengths = [torch.zeros(1, dtype=torch.int64, device=values.device) for _ in range(self.size)]
        distributed.all_gather(lengths, torch.tensor([len(values)], device=values.device))
        longest = max(int(length) for length in lengths)
        padded = torch.cat([values, values[-1:].expand(longest - len(values))])  # a value again changes nothing
        gathered = [torch.empty_like(padded) for _ in range(self.size)]
        distributed.all_gather(gathered, padded)
        return torch.as_tensor(torch.unique(torch.cat(gathered)))

    def total(self, values: Tensor) -> Tensor:
        """The sum over ranks; its gradient is the sum of what all ranks make of it."""
        return values if self.size == 1 else cast(Tensor, _Total.apply(values))  # type: ignore[no-untyped-call]

    def gather(self, table: Tensor) -> Tensor:
        """The sum over ranks of a table of numbers on the CPU, the same on all."""
        if self.size > 1:
            distributed.all_reduce(table)
        return table


class _Total(torch.autograd.Function):
    """The sum of a tensor over ranks, both ways."""

    @staticmethod
    def forward(_ctx: Any, values: Tensor) -> Tensor:
        return _summed(values)

    @staticmethod
    def backward(_ctx: Any, *gradients: Tensor) -> Tensor:
        return _summed(gradients[0])


ALONE = Team()


def expected() -> Team:
    """What torchrun's environment says, before anybody has met."""
    if any(name not in os.environ for name in _STARTED):
        return ALONE
    return Team(int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"]))


@contextmanager
def joined() -> Iterator[Team]:
    """Meet the other ranks, if torchrun started several, and part at the end."""
    team = expected()
    if team.size == 1:
        yield team
        return
    cuda = torch.cuda.is_available() and distributed.is_nccl_available()
    distributed.init_process_group("cpu:gloo,cuda:nccl" if cuda else "gloo")
    try:
        yield team
    finally:
        distributed.destroy_process_group()


def own_device(device: torch.device) -> torch.device:
    """A rank's own GPU, where there are several; the device itself otherwise."""
    if device.type != "cuda" or expected().size == 1:
        return device
    own = torch.device("cuda", int(os.environ["LOCAL_RANK"]) % torch.cuda.device_count())
    torch.cuda.set_device(own)
    return own


def _empty(length: Tensor) -> Tensor:
    return torch.empty(int(length), dtype=torch.uint8)


def _summed(values: Tensor) -> Tensor:
    total = values.clone()
    distributed.all_reduce(total)
    return total
