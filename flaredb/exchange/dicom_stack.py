"""Slices put in order to a volume: evenly spaced, alike, none missing, none twice; or the reason why they are not."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from flaredb.exchange.dicom_headers import Frame

LEAST_SLICES = 10
SAME_PLACE = 0.01  # mm; positions are written with that many digits
UNEVEN = 0.1  # of the spacing: how far a slice may lie off its place
JITTER = 0.005  # of the spacing: below this nobody need be told
TILT = 0.1  # degrees
_SHOWN = 6


class Remark(NamedTuple):
    """A rule and what to say of it; where is added by whoever knows."""

    rule: str
    message: str


class Stack(NamedTuple):
    """Frames from low to high along their normal, with remarks on how they lie."""

    frames: tuple[Frame, ...]
    remarks: tuple[Remark, ...]

    @property
    def columns(self) -> NDArray[np.float64]:
        """LPS steps (mm) along a row, down a column and from slice to slice, as columns of a 3 × 3 matrix."""
        (dx, dy), cosines = self.frames[0].spacing, np.array(self.frames[0].orientation)
        return np.stack([cosines[:3] * dx, cosines[3:] * dy, _step(self.frames)], axis=1)

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Voxel size (x, y, z), mm."""
        dx, dy = self.frames[0].spacing
        return dx, dy, float(np.linalg.norm(_step(self.frames)))


def stack(frames: Sequence[Frame]) -> Stack | Remark:
    """Order frames that are alike in size, spacing and orientation; the rule they break where they make no volume.

    Rules: `dicom-not-a-volume` (all at one place), `dicom-doubled-slices`, `dicom-missing-slices` (gaps of whole
    slices), `dicom-uneven`. A volume may carry the remarks `dicom-jitter` and `gantry-tilt`.
    """
    levels = heights(frames)
    ordered = [frames[index] for index in np.argsort(levels, kind="stable")]
    levels = np.sort(levels)
    steps = np.diff(levels)
    if len(ordered) < 2 or levels[-1] - levels[0] <= SAME_PLACE:
        return Remark("dicom-not-a-volume", f"all {len(ordered)} slices lie at one place, as in bolus tracking")
    if steps.min() <= SAME_PLACE:
        twice = levels[1:][steps <= SAME_PLACE]
        return Remark("dicom-doubled-slices", f"several slices lie at {_places(twice)} and differ; keep one of each")
    return _even(ordered, levels, steps)


def heights(frames: Sequence[Frame]) -> NDArray[np.float64]:
    """Where each frame lies along the normal of the first, mm."""
    along = np.array(frames[0].orientation)
    return np.array([frame.position for frame in frames]) @ np.cross(along[:3], along[3:])


def _even(ordered: list[Frame], levels: NDArray[np.float64], steps: NDArray[np.float64]) -> Stack | Remark:
    usual = float(np.median(steps))
    gaps = np.rint(steps / usual)
    whole = bool((np.abs(steps - gaps * usual) <= UNEVEN * usual).all())
    if whole and (gaps > 1).any():
        lost = [level + usual * k for level, gap in zip(levels, gaps, strict=False) for k in range(1, int(gap))]
        message = f"{len(lost)} slices are missing, at {_places(lost)} along the scan; export the series again"
        return Remark("dicom-missing-slices", message)
    positions = np.array([frame.position for frame in ordered])
    regular = np.linspace(positions[0], positions[-1], len(ordered))
    off = float(np.linalg.norm(positions - regular, axis=1).max())
    mean = float(np.mean(steps))
    if off > UNEVEN * mean:
        message = (
            f"slices are unevenly spaced: steps of {steps.min():.3f} to {steps.max():.3f} mm, a slice lies "
            f"{off:.3f} mm off its place; export an evenly spaced reconstruction"
        )
        return Remark("dicom-uneven", message)
    return Stack(tuple(ordered), tuple(_remarks(ordered, off, mean)))


def _remarks(ordered: Sequence[Frame], off: float, step: float) -> list[Remark]:
    found = []
    if off > max(JITTER * step, SAME_PLACE):
        message = f"slices lie up to {off:.3f} mm off even places {step:.3f} mm apart; taken as even"
        found.append(Remark("dicom-jitter", message))
    cosines = np.array(ordered[0].orientation)
    direction = _step(ordered)
    lean = np.dot(direction, np.cross(cosines[:3], cosines[3:])) / np.linalg.norm(direction)
    angle = math.degrees(math.acos(min(1.0, abs(float(lean)))))
    if angle > TILT:
        message = f"slices are shifted against each other by a tilt of {angle:.1f}°; kept as they lie, not resampled"
        found.append(Remark("gantry-tilt", message))
    return found


def _step(ordered: Sequence[Frame]) -> NDArray[np.float64]:
    """From one slice to the next, LPS mm."""
    first, last = np.array(ordered[0].position), np.array(ordered[-1].position)
    step: NDArray[np.float64] = (last - first) / (len(ordered) - 1)
    return step


def _places(levels: Sequence[float] | NDArray[np.float64]) -> str:
    shown = ", ".join(f"{level:.1f}" for level in levels[:_SHOWN])
    return f"{shown}{', …' if len(levels) > _SHOWN else ''} mm"
