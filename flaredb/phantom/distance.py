"""Signed distances from points to the shapes of a body: tubes, melted ellipsoids, the wall and the diaphragm."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from flaredb.phantom.anatomy import Floats, Shape

CAVITY = ((-5.0, 0.0), (84.0, 126.0))  # centre and radii (y, x) of the abdominal wall's inside
DOMES = ((118.0, 0.0, -68.0, 75.0), (98.0, -34.0, 0.0, 70.0), (108.0, 2.0, 70.0, 75.0))  # z, y, x, depth


def near_rows(points: Floats, rows: Floats, margin: float) -> NDArray[np.intp]:
    """Indices of the points in the bounding box of the rows, widened by `margin` mm."""
    reach = rows[:, 3:].max() * 1.5 if rows.shape[1] == 4 else rows[:, 3:]
    low, high = (rows[:, :3] - reach).min(axis=0) - margin, (rows[:, :3] + reach).max(axis=0) + margin
    found = (points[0] > low[0]) & (points[0] < high[0])
    if not found.any():
        return np.empty(0, np.intp)
    for axis in (1, 2):
        found &= (points[axis] > low[axis]) & (points[axis] < high[axis])
    return np.flatnonzero(found)


def shape_distance(points: Floats, shape: Shape) -> tuple[Floats, Floats]:
    """Signed distance to a shape (mm, negative inside) and how far above its axis a point is, in radii."""
    if shape.part.kind == "blob":
        return _blob_distance(points, shape.rows), np.zeros(points.shape[1], np.float32)
    squash = np.array(shape.part.squash, np.float32)
    best = np.full(points.shape[1], np.inf, np.float32)
    rise = np.zeros(points.shape[1], np.float32)
    scaled = points / squash[:, None]
    for start, end in _segments(shape.rows, squash):
        near = near_rows(scaled, np.stack([start, end]), margin=12.0)  # no fat or voxel reaches further
        dz, dy, dx = (end - start)[:3]
        z, y, x = (scaled[axis, near] - start[axis] for axis in range(3))
        t = np.clip((z * dz + y * dy + x * dx) / max(dz * dz + dy * dy + dx * dx, 1e-6), 0, 1)
        above = t * dy - y
        radius = start[3] + t * (end[3] - start[3])
        distance = np.sqrt((z - t * dz) ** 2 + above**2 + (x - t * dx) ** 2) - radius
        closer = distance < best[near]
        best[near[closer]] = distance[closer]
        rise[near[closer]] = (above / radius)[closer]
    return best, rise


def _segments(rows: Floats, squash: Floats) -> Iterator[tuple[Floats, Floats]]:
    scaled = rows.copy()
    scaled[:, :3] /= squash
    return itertools.pairwise(scaled)


def _blob_distance(points: Floats, rows: Floats, melt: float = 9.0) -> Floats:
    """Smooth union of ellipsoids; `melt` mm is how far their seams are filled."""
    total: Floats | None = None
    for row in rows:
        distance = _ellipse3(points - row[:3, None], row[3:, None])
        if total is None:
            total = distance
            continue
        h = np.clip(0.5 + 0.5 * (total - distance) / melt, 0, 1)
        total = total + h * (distance - total) - melt * h * (1 - h)
    assert total is not None  # noqa: S101  a blob has rows
    return total


def _ellipse3(offset: Floats, radii: Floats) -> Floats:
    ratio = offset / radii
    k0 = np.sqrt(square(ratio))
    k1 = np.sqrt(square(ratio / radii))
    return np.asarray(k0 * (k0 - 1) / np.maximum(k1, 1e-6), np.float32)


def square(offset: Floats) -> Floats:
    """Squared length of vectors (3, n); explicit because NumPy sums short axes slowly."""
    return np.asarray(offset[0] ** 2 + offset[1] ** 2 + offset[2] ** 2, np.float32)


def ellipse(y: Floats, x: Floats, ry: float | Floats, rx: float | Floats) -> Floats:
    """Approximate signed distance to an upright elliptic cylinder, mm."""
    k0 = np.hypot(y / ry, x / rx)
    k1 = np.hypot(y / (ry * ry), x / (rx * rx))
    return np.asarray(k0 * (k0 - 1) / np.maximum(k1, 1e-6), np.float32)


def wall_distance(points: Floats) -> Floats:
    """Signed distance to the inside of the abdominal wall, mm."""
    (y, x), (ry, rx) = CAVITY
    return ellipse(points[1] - y, points[2] - x, ry, rx)


def diaphragm_distance(points: Floats) -> Floats:
    """Signed distance to the diaphragm, mm."""
    z, y, x = points
    height = np.full(z.shape, -np.inf, np.float32)
    for top, cy, cx, depth in DOMES:
        height = np.maximum(height, top - depth * (((x - cx) / 70) ** 2 + ((y - cy) / 76) ** 2))
    return np.asarray((z - height) / 1.4, np.float32)
