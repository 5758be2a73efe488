"""Strides and kernels of a network's levels, chosen from the patch and its spacing; triples are (z, y, x)."""

from __future__ import annotations

from collections.abc import Sequence

from flaredb.errors import InvalidDataError

Shape = tuple[int, int, int]

_SMALLEST = 4  # voxels that an axis keeps
_ALIKE = 2.0  # spacings within this factor are as good as equal


def isotropic(levels: int, stem: Shape) -> tuple[list[Shape], list[Shape]]:
    """Strides and kernels of a network that halves every axis at every level after the first."""
    return [stem] + [(2, 2, 2)] * (levels - 1), [(3, 3, 3)] * levels


def fitted(levels: int, stem: Shape, spacing: Sequence[float], patch: Shape) -> tuple[list[Shape], list[Shape]]:
    """Strides and kernels by nnU-Net's rule (Isensee et al., Nature Methods 2021, supplement).

    An axis is halved while its spacing is within twice the finest and at least 4 voxels remain; a kernel is one voxel
    long along an axis twice as coarse as the finest or coarser, and three from the level on where it no longer is.
    InvalidDataError when no axis is left to halve.
    """
    size = [n // step for n, step in zip(patch, stem, strict=True)]
    mm = [space * step for space, step in zip(spacing, stem, strict=True)]
    strides, kernels = [stem], [_kernel(mm, (1, 1, 1))]
    for level in range(1, levels):
        large = [axis for axis in range(3) if size[axis] >= 2 * _SMALLEST]
        finest = min((mm[axis] for axis in large), default=0.0)
        halved = [axis for axis in large if mm[axis] < _ALIKE * finest]
        if not halved:
            raise InvalidDataError(
                f"patch {','.join(map(str, patch))} is too small for {levels} levels of channels: after {level} of them"
                f" no axis can be halved; take fewer channels or a larger patch"
            )
        stride = [2 if axis in halved else 1 for axis in range(3)]
        size = [n // step for n, step in zip(size, stride, strict=True)]
        mm = [space * step for space, step in zip(mm, stride, strict=True)]
        strides.append((stride[0], stride[1], stride[2]))
        kernels.append(_kernel(mm, kernels[-1]))
    return strides, kernels


def _kernel(mm: Sequence[float], before: Shape) -> Shape:
    z, y, x = (3 if old == 3 or space < _ALIKE * min(mm) else 1 for space, old in zip(mm, before, strict=True))
    return z, y, x
