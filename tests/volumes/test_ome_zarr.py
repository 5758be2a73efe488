"""Image volumes are OME-Zarr that its own reader opens (where that is installed; flaredb does not need it)."""

from __future__ import annotations

import numpy as np
import pytest

from flaredb.geometry import Grid
from flaredb.volumes.store import VolumeStore


@pytest.mark.filterwarnings("ignore")  # another project's code
def test_the_readers_own_view_has_voxels_and_spacing(tmp_path):
    """The ome-zarr package finds one level with our voxels, axes z, y, x in millimetres, spacing and origin."""
    pytest.importorskip("ome_zarr", reason="ome-zarr is not installed")
    from ome_zarr.io import parse_url
    from ome_zarr.reader import Reader

    grid = Grid((5, 40, 70), (2.5, 0.8, 0.75), (-810.5, 12.25, -3.0))
    voxels = np.random.default_rng(0).integers(-1024, 2000, grid.shape).astype(np.int16)
    store = VolumeStore(tmp_path / "volumes")
    place = store.path(store.put_image(voxels, grid).volume)
    (node,) = Reader(parse_url(str(place)))()
    np.testing.assert_array_equal(np.asarray(node.data[0]), voxels)
    axes = [(axis["name"], axis["unit"]) for axis in node.metadata["axes"]]
    assert axes == [(name, "millimeter") for name in "zyx"]
    steps = {step["type"]: step[step["type"]] for step in node.metadata["coordinateTransformations"][0]}
    assert steps == {"scale": list(grid.spacing), "translation": list(grid.origin)}
