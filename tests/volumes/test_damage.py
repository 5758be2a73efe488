"""Damage is told: a missing, cut or altered volume is an error, never background."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from flaredb.errors import StorageError
from flaredb.volumes import layout
from flaredb.volumes.integrity import salvage
from flaredb.volumes.layout import VolumeKind
from flaredb.volumes.store import VolumeStore
from tests.builders import grid
from tests.volumes.builders import SHAPE, files, flip, image, label, put, rezip, voxels

KINDS = pytest.mark.parametrize("kind", ["image", "label"])
SMALL = (3, 4, 5)
SHARD = "0/c/0/0/0"
STRIDE = 7  # bytes between the flips that are tried


def cut(path: Path) -> None:
    """Lose the second half of a file."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path: Path) -> None:
    """Lose all of a file but its name."""
    path.write_bytes(b"")


def told(store: VolumeStore, digest: str) -> None:
    """Verifying says what is wrong, and reading is a StorageError or gives what was written."""
    assert store.verify(digest)
    with pytest.raises(StorageError):
        store.open(digest).read()


# Fails for a cut or empty shard: Volume.read raises tensorstore's ValueError instead of StorageError.
@pytest.mark.parametrize("member", [SHARD, "zarr.json", "0/zarr.json"])
@pytest.mark.parametrize("harm", [Path.unlink, cut, empty], ids=["missing", "cut", "empty"])
def test_a_damaged_image_is_told(tmp_path: Path, member: str, harm: Callable[[Path], None]) -> None:
    """Whichever file of an image is lost, cut or emptied."""
    store = VolumeStore(tmp_path)
    digest = put(store, "image")
    harm(store.path(digest) / member)
    told(store, digest)


@pytest.mark.parametrize("member", [SHARD, "zarr.json", "0/zarr.json"])
def test_a_label_without_one_of_its_parts_is_told(tmp_path: Path, member: str) -> None:
    """A zip that was written again without its shard or metadata."""
    store = VolumeStore(tmp_path)
    digest = put(store, "label")
    rezip(store.path(digest), without=member)
    told(store, digest)


def test_a_label_without_its_foreground_index_is_told(tmp_path: Path) -> None:
    """The feed would stop on it, so verifying notices, and asking for it is a StorageError."""
    store = VolumeStore(tmp_path)
    digest = put(store, "label")
    rezip(store.path(digest), without="foreground.npz")
    with pytest.raises(StorageError):
        store.open(digest).foreground  # noqa: B018
    assert store.verify(digest)


@pytest.mark.parametrize("harm", [cut, empty], ids=["cut", "empty"])
def test_a_cut_label_is_told(tmp_path: Path, harm: Callable[[Path], None]) -> None:
    """A zip without its end."""
    store = VolumeStore(tmp_path)
    digest = put(store, "label")
    harm(store.path(digest))
    told(store, digest)


@KINDS
def test_a_flipped_payload_byte_is_told(tmp_path: Path, kind: str) -> None:
    """One bit in the first stored chunk is enough, for reading and for verifying."""
    store = VolumeStore(tmp_path)
    digest = put(store, kind)
    path = store.path(digest)
    content = (path if kind == "label" else path / SHARD).read_bytes()
    start = content.index(b"0/c/0/0/0") + 9 if kind == "label" else 0
    flip(path if kind == "label" else path / SHARD, start + 20)
    told(store, digest)


# Fails for labels: verify does not look at the foreground index, and some flips in the zip make it raise.
@KINDS
def test_no_flipped_bit_changes_what_is_read_in_silence(tmp_path: Path, kind: str) -> None:
    """Wherever a bit flips, verifying tells it without failing itself, or grid, voxels and index are as written."""
    store = VolumeStore(tmp_path)
    digest = put(store, kind, SMALL)
    index = store.open(digest).foreground if kind == "label" else {}
    silent = []
    path = store.path(digest)
    for file in [path] if kind == "label" else files(path):
        content = file.read_bytes()
        for place in range(0, len(content), STRIDE):
            flip(file, place, bit=place % 8)
            trouble = trouble_untold(store, digest, kind, index)
            if trouble:
                silent.append(f"{file.name} byte {place}: {trouble}")
            file.write_bytes(content)
    assert not silent, f"{len(silent)} of the flips, such as: " + "; ".join(silent[:: len(silent) // 8 + 1])


def trouble_untold(store: VolumeStore, digest: str, kind: str, index: dict[int, np.ndarray]) -> str | None:
    """What is wrong with a volume that verifies."""
    try:
        if store.verify(digest):
            return None
    except Exception as error:
        return f"verify raises {type(error).__name__}"
    volume = store.open(digest)
    if volume.grid != grid(SMALL) or not np.array_equal(volume.read(), voxels(kind, SMALL)):
        return "other grid or voxels"
    if kind == "image":
        return None
    try:
        same = [np.array_equal(volume.foreground.get(code, 0), places) for code, places in index.items()]
    except Exception as error:
        return f"foreground raises {type(error).__name__}"
    return None if all(same) else "other foreground index"


def test_an_empty_label_is_not_a_damaged_one(tmp_path: Path) -> None:
    """A label of background alone stores its shard, so that losing it is noticed."""
    store = VolumeStore(tmp_path)
    digest = store.put_label(np.zeros(SMALL, np.uint8), grid(SMALL)).volume
    assert store.verify(digest) is None
    assert store.open(digest).foreground == {}
    rezip(store.path(digest), without=SHARD)
    told(store, digest)


def test_a_volume_under_anothers_name_is_told(tmp_path: Path) -> None:
    """Voxels that are whole but not those that the name promises; by the metadata, and where only the shard is."""
    store = VolumeStore(tmp_path)
    first = store.put_label(label(SMALL), grid(SMALL)).volume
    second = store.put_label(label(SMALL) + 1, grid(SMALL)).volume
    store.path(second).write_bytes(store.path(first).read_bytes())
    assert first[:12] in (store.verify(second) or "")
    assert store.verify(first) is None
    images = [store.put_image(image(SMALL, shift), grid(SMALL)).volume for shift in (0, 1)]
    (store.path(images[0]) / SHARD).write_bytes((store.path(images[1]) / SHARD).read_bytes())
    assert store.look(images[0]).trouble is None
    assert "other voxels" in (store.verify(images[0]) or "")


@KINDS
def test_voxels_are_salvaged_from_a_volume_packed_as_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: VolumeKind
) -> None:
    """Where metadata say a wrong shape, the shard gives its voxels on the lattice asked for, however it is chunked."""
    store = VolumeStore(tmp_path)
    with monkeypatch.context() as before:
        before.setitem(layout.CHUNK, kind, (2, 32, 16))
        digest = put(store, kind)
    path = store.path(digest)
    metadata = json.loads(text_of(path, "0/zarr.json")) | {"shape": [1, 2, 3]}
    replace(path, "0/zarr.json", json.dumps(metadata))
    told(store, digest)
    salvaged = {layout.digests(kind, array, lattice).volume for array, lattice in salvage(path, grid(SHAPE))}
    assert digest in salvaged


def text_of(path: Path, member: str) -> str:
    """A member of an image's folder or a label's zip."""
    if path.is_dir():
        return (path / member).read_text(encoding="utf-8")
    with zipfile.ZipFile(path) as archive:
        return archive.read(member).decode()


def replace(path: Path, member: str, text: str) -> None:
    """Change a member of an image's folder or a label's zip."""
    if path.is_dir():
        (path / member).write_text(text)
        return
    rezip(path, without=member)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(member, text)
