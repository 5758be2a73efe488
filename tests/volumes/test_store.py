"""The store of volumes: what goes in comes out, named by content, once."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import numpy as np
import pytest
import zarr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from flaredb.errors import InvalidDataError, StorageError
from flaredb.geometry import Grid
from flaredb.volumes.foreground import PER_CODE
from flaredb.volumes.store import VolumeStore
from tests.builders import grid
from tests.volumes.builders import SHAPE, files, image, label, put, voxels

KINDS = pytest.mark.parametrize("kind", ["image", "label"])
FEW = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
shapes = st.one_of(st.just((1, 1, 1)), st.tuples(st.integers(1, 4), st.integers(1, 70), st.integers(1, 70)))
codes = st.sampled_from(
    [(np.uint8, 255), (np.int8, 127), (np.uint16, 513), (np.int16, 3), (np.int32, 70_000), (np.int64, 4), (">u2", 300)]
)


@st.composite
def labels(draw: st.DrawFn) -> np.ndarray:
    """Labels of every type a file may have: mostly background, some empty."""
    dtype, top = draw(codes)
    fill = st.one_of(st.just(0), st.integers(0, top))
    return draw(arrays.arrays(dtype, draw(shapes), elements=st.integers(0, top), fill=fill))


@FEW
@given(arrays.arrays(np.int16, shapes))
def test_images_come_back(hu: np.ndarray) -> None:
    """Any int16 image reads back equal, on its grid, and verifies."""
    with tempfile.TemporaryDirectory() as folder:
        store = VolumeStore(Path(folder))
        digest = store.put_image(hu, grid(hu.shape)).volume
        volume = store.open(digest)
        np.testing.assert_array_equal(volume.read(), hu)
        assert volume.read().dtype == np.int16
        assert volume.grid == grid(hu.shape)
        assert volume.shape == hu.shape
        assert store.verify(digest) is None


@FEW
@given(labels())
def test_labels_come_back(drawn: np.ndarray) -> None:
    """Any label reads back with the same codes in the smallest type, whatever the file's type, and verifies."""
    with tempfile.TemporaryDirectory() as folder:
        store = VolumeStore(Path(folder))
        digest = store.put_label(drawn, grid(drawn.shape)).volume
        read = store.open(digest).read()
        np.testing.assert_array_equal(read, drawn)
        assert read.dtype == np.min_scalar_type(int(drawn.max()))
        assert store.verify(digest) is None


@FEW
@given(labels(), st.sampled_from([np.uint32, np.int32, np.int64, np.uint64, ">u4"]))
def test_a_labels_type_and_memory_order_do_not_count(drawn: np.ndarray, dtype: str) -> None:
    """The same codes have the same digests in any type and stride, and are stored once."""
    with tempfile.TemporaryDirectory() as folder:
        store = VolumeStore(Path(folder))
        digests = store.put_label(drawn, grid(drawn.shape))
        before = files(Path(folder))
        assert store.put_label(drawn.astype(dtype), grid(drawn.shape)) == digests
        assert store.put_label(np.asfortranarray(drawn), grid(drawn.shape)) == digests
        assert files(Path(folder)) == before


@KINDS
def test_putting_twice_keeps_one_copy(tmp_path: Path, kind: str) -> None:
    """The same content again writes no file anew (its age apart) and leaves nothing staged."""
    store = VolumeStore(tmp_path)
    digest = put(store, kind)
    before = {file: (file.stat().st_ino, file.read_bytes()) for file in files(tmp_path)}
    assert put(store, kind) == digest
    assert {file: (file.stat().st_ino, file.read_bytes()) for file in files(tmp_path)} == before
    assert list(store.digests()) == [digest]
    assert store.staged() == []


@pytest.mark.parametrize(
    "other",
    [
        Grid(SHAPE, (2.5, 0.8, 0.91), (-10.5, -9.5, -8.5)),
        Grid(SHAPE, (2.5, 0.8, 0.9), (-10.5, -9.5, -8.4)),
        Grid(SHAPE, (2.5, 0.8, 0.9), (-10.5, -9.5, -8.5), ((1.0, 0.0, 0.0), (0.0, 0.0, -1.0), (0.0, 1.0, 0.0))),
    ],
    ids=["spacing", "origin", "direction"],
)
def test_another_grid_is_another_volume_of_the_same_voxels(tmp_path: Path, other: Grid) -> None:
    """The volume's digest names voxels on their grid; the voxels' digest finds duplicates."""
    store = VolumeStore(tmp_path)
    here, there = store.put_image(image(), grid(SHAPE)), store.put_image(image(), other)
    assert here.volume != there.volume
    assert here.voxels == there.voxels
    assert store.open(there.volume).grid == other


def test_kinds_shapes_and_values_tell_volumes_apart(tmp_path: Path) -> None:
    """An image and a label of equal numbers, equal bytes in another shape and one other voxel all differ."""
    store = VolumeStore(tmp_path)
    flat = np.arange(24, dtype=np.int16)
    changed = flat.copy()
    changed[23] = 7
    found = [
        store.put_image(flat.reshape(2, 3, 4), grid((2, 3, 4))),
        store.put_image(flat.reshape(4, 3, 2), grid((4, 3, 2))),
        store.put_image(changed.reshape(2, 3, 4), grid((2, 3, 4))),
        store.put_label(flat.reshape(2, 3, 4), grid((2, 3, 4))),
    ]
    assert len({digests.volume for digests in found}) == 4
    assert len({digests.voxels for digests in found}) == 4


def test_voxels_off_their_grid_are_refused(tmp_path: Path) -> None:
    """The grid's shape is the array's."""
    with pytest.raises(ValueError, match="shape"):
        VolumeStore(tmp_path).put_image(image(), grid((5, 5, 5)))


# Fails for the negative one: it is stored as 255.
@pytest.mark.parametrize("wrong", [np.array([[[2**32]]]), np.array([[[-1]]], np.int16)], ids=["too large", "negative"])
def test_codes_that_cannot_be_stored_are_refused(tmp_path: Path, wrong: np.ndarray) -> None:
    """A code is never stored as another one."""
    with pytest.raises(InvalidDataError):
        VolumeStore(tmp_path).put_label(wrong, grid((1, 1, 1)))


def test_a_label_takes_one_file(tmp_path: Path) -> None:
    """160,000 labels must not be a million files: one file each, in a folder that others share."""
    store = VolumeStore(tmp_path)
    digest = put(store, "label")
    assert files(tmp_path / "labels") == [store.path(digest)]
    assert store.path(digest).parent.name == digest[:2]
    assert 0 < store.size(digest) <= 16384


@KINDS
def test_zarr_python_opens_a_volume(tmp_path: Path, kind: str) -> None:
    """Another reader finds the array and OME-Zarr's axes and spacing, in the zip as in the folder."""
    store = VolumeStore(tmp_path)
    path = store.path(put(store, kind))
    place = path if kind == "image" else zarr.storage.ZipStore(path, mode="r")
    group = zarr.open_group(place, mode="r")
    np.testing.assert_array_equal(group["0"][:], voxels(kind))
    (multiscale,) = group.attrs["ome"]["multiscales"]
    assert [axis["name"] for axis in multiscale["axes"]] == ["z", "y", "x"]
    assert {axis["unit"] for axis in multiscale["axes"]} == {"millimeter"}
    scale, translation = multiscale["datasets"][0]["coordinateTransformations"]
    assert tuple(scale["scale"]) == grid(SHAPE).spacing
    assert tuple(translation["translation"]) == grid(SHAPE).origin


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> VolumeStore:
    """A store with one image and one label."""
    store = VolumeStore(tmp_path_factory.mktemp("volumes"))
    put(store, "image")
    put(store, "label")
    return store


@FEW
@given(st.data(), st.sampled_from(["image", "label"]))
def test_a_box_is_a_slice(stored: VolumeStore, data: st.DataObject, kind: str) -> None:
    """Any box reads what slicing the whole array gives, at once or later."""
    volume = stored.open(put(stored, kind))
    ends = [sorted(data.draw(st.tuples(st.integers(0, n), st.integers(0, n)))) for n in SHAPE]
    box = tuple(slice(low, high) for low, high in ends)
    np.testing.assert_array_equal(volume.read(box), voxels(kind)[box])
    np.testing.assert_array_equal(volume.read_async(box).result(), voxels(kind)[box])


def test_the_foreground_index_points_at_its_codes(stored: VolumeStore) -> None:
    """Every code but background is there, its voxels hold it, none twice, as many as there are up to the limit."""
    codes = label()
    found = stored.open(put(stored, "label")).foreground
    assert set(found) == {1, 2, 14}
    for code, places in found.items():
        assert (codes[tuple(places.T)] == code).all()
        assert len(np.unique(places, axis=0)) == len(places) == PER_CODE


@FEW
@given(labels())
def test_the_foreground_index_is_made_from_the_content(drawn: np.ndarray) -> None:
    """Two stores index the same label alike, whatever type it came in; a rare code is indexed whole."""
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
        first = VolumeStore(Path(one)).put_label(drawn, grid(drawn.shape)).volume
        second = VolumeStore(Path(two)).put_label(drawn.astype(np.int64), grid(drawn.shape)).volume
        here = VolumeStore(Path(one)).open(first).foreground
        there = VolumeStore(Path(two)).open(second).foreground
    values, counts = np.unique(drawn[drawn > 0], return_counts=True)
    assert {code: len(places) for code, places in here.items()} == dict(
        zip(values.tolist(), np.minimum(counts, PER_CODE).tolist(), strict=True)
    )
    for code in here:
        np.testing.assert_array_equal(here[code], there[code])
        assert (drawn[tuple(here[code].T)] == code).all()


@KINDS
def test_a_removed_volume_is_missing(tmp_path: Path, kind: str) -> None:
    """What was removed is a StorageError with a way to repair it, leaves no voxel, and can be stored again."""
    store = VolumeStore(tmp_path)
    digest = put(store, kind)
    store.remove(digest)
    with pytest.raises(StorageError, match="missing"):
        store.open(digest)
    assert "missing" in (store.verify(digest) or "")
    assert [file for file in files(tmp_path) if file.parent != store.pins.folder] == []
    assert put(store, kind) == digest
    assert store.verify(digest) is None


def test_metadata_names_the_content(tmp_path: Path) -> None:
    """The group carries its own digest and grid, so that a volume is known without the catalogue."""
    store = VolumeStore(tmp_path)
    digest = put(store, "image")
    own = json.loads((store.path(digest) / "zarr.json").read_text(encoding="utf-8"))["attributes"]["flaredb"]
    assert own["digest"] == digest
    assert own["kind"] == "image"
    assert own["grid"]["spacing"] == list(grid(SHAPE).spacing)
