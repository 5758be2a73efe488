"""Crashes and company: a killed writer, two writers at once, a reader in another process."""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from flaredb.volumes.store import VolumeStore
from tests.volumes.builders import files, image, put, put_many, total, voxels

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("kind", "step"),
    [("image", "zarr.json"), ("image", "rename"), ("label", "foreground.npz"), ("label", "volume.zip")],
)
def test_a_killed_writer_leaves_only_staging(tmp_path: Path, kind: str, step: str) -> None:
    """After kill -9 at any step there is no volume, the next writer succeeds, and what was staged can be cleared."""
    killed = [sys.executable, "-m", "tests.volumes.builders", str(tmp_path), kind, step]
    assert subprocess.run(killed, cwd=ROOT, check=False).returncode == -9
    store = VolumeStore(tmp_path)
    assert list(store.digests()) == []
    (left,) = store.staged()
    assert all(left in file.parents or file.parent == store.pins.folder for file in files(tmp_path))
    assert store.pins.oldest() is None
    assert store.stale() == [left]
    digest = put(store, kind)
    assert store.verify(digest) is None
    np.testing.assert_array_equal(store.open(digest).read(), voxels(kind))
    assert store.staged() == [left]
    assert store.clear_staging(left.stat().st_mtime) == 0
    assert store.clear_staging(time.time() + 1) == 1
    assert store.staged() == []
    assert list(store.digests()) == [digest]


def test_two_processes_put_the_same_content_at_once_and_read_it(tmp_path: Path) -> None:
    """Both succeed and one copy is kept; a process that decoded and one it spawned read the same."""
    store = VolumeStore(tmp_path)
    seen = put(store, "image")
    assert store.open(seen).read().sum(dtype=np.int64) == image().sum(dtype=np.int64)
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        first, second = list(pool.map(put_many, [tmp_path, tmp_path], [20, 20]))
        sums = list(pool.map(total, [tmp_path, tmp_path], [seen, seen]))
    assert first == second
    assert len(set(first)) == 40
    assert set(store.digests()) == {*first, seen}
    assert [store.verify(digest) for digest in first] == [None] * 40
    assert store.staged() == []
    assert sums == [int(image().sum(dtype=np.int64))] * 2
