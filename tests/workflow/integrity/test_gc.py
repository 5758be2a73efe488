"""Throwing away takes two steps; nothing that somebody points at, or is about to point at, is lost."""

from __future__ import annotations

import multiprocessing
import os
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from flaredb.errors import StorageError
from flaredb.volumes.store import VolumeStore
from flaredb.workflow.ingest.labels import LabelOptions
from flaredb.workflow.integrity.fsck import fsck
from flaredb.workflow.integrity.gc import gc
from flaredb.workspace import Workspace
from tests.cohorts import SPACE, add_case, add_label, blocks, flaredb
from tests.volumes.builders import put_and_enter, put_to_pin, throw_away

HOUR = 3600.0


def orphan(workspace: Workspace, code: int = 9, age: float = 2 * HOUR) -> str:
    """A volume that nobody points at."""
    digest = workspace.volumes.put_label(np.full(SPACE.grid.shape, code), SPACE.grid).volume
    os.utime(workspace.volumes.path(digest), (time.time() - age,) * 2)
    return digest


def test_the_first_gc_moves_and_a_later_one_removes(empty: Workspace) -> None:
    """Until the age floor is over a second time, a volume lies in the trash; without `yes` nothing moves."""
    digest = orphan(empty)
    assert gc(empty).would == {"trash": [digest], "remove": [], "staged": []}
    assert empty.volumes.has(digest)
    assert gc(empty, yes=True).ids == (digest,)
    assert not empty.volumes.has(digest)
    assert gc(empty, yes=True).ids == ()
    thrown = empty.volumes.root / "trash" / f"{digest}.zarr.zip"
    os.utime(thrown, (time.time() - 2 * HOUR,) * 2)
    assert gc(empty).would == {"trash": [], "remove": [digest], "staged": []}
    assert thrown.exists()
    assert gc(empty, yes=True).ids == (digest,)
    assert not thrown.exists()


def test_without_a_floor_both_steps_are_done_at_once(empty: Workspace) -> None:
    """`--age 0` is for who needs the room now; the young are left alone otherwise."""
    digest = orphan(empty, age=60)
    assert gc(empty, yes=True).ids == ()
    assert gc(empty, yes=True, age_floor_s=0).ids == (digest,)
    assert empty.volumes.trashed() == {}
    assert list(empty.volumes.digests()) == []


def test_what_is_pointed_at_again_comes_back(empty: Workspace, tmp_path: Path) -> None:
    """A volume in the trash that a row points at, as after restoring an older catalogue, is put back and sound."""
    add_case(empty, tmp_path, "a")
    (row,) = empty.sql("SELECT image FROM cases")
    empty.volumes.discard(row["image"], time.time() + 60)
    os.utime(empty.volumes.root / "trash" / f"{row['image']}.zarr", (0, 0))
    assert [problem["kind"] for problem in fsck(empty).problems] == ["row-without-volume"]
    assert gc(empty).would == {"trash": [], "bring_back": [row["image"]], "remove": [], "staged": []}
    gc(empty, yes=True)
    assert fsck(empty, voxels=True).problems == ()
    assert empty.volumes.trashed() == {}


def test_what_is_put_again_is_whole_while_the_old_is_in_the_trash(empty: Workspace, tmp_path: Path) -> None:
    """Importing what was thrown away puts it anew, and the next gc removes only the old one."""
    add_case(empty, tmp_path, "a")
    digest = empty.volumes.put_label(blocks(1), SPACE.grid).volume
    empty.volumes.discard(digest, time.time() + 60)
    add_label(empty, tmp_path / "s", "a", blocks(1), "liver", LabelOptions("s", "external"))
    assert digest in empty.volumes.trashed()
    gc(empty, yes=True, age_floor_s=0)
    assert empty.volumes.trashed() == {}
    assert fsck(empty, voxels=True).problems == ()


@pytest.mark.parametrize("kind", ["image", "label"])
def test_what_a_living_process_put_is_left_alone(tmp_path: Path, kind: str) -> None:
    """Whatever the floor, and also if the volume was old before it was put again; once the process ended it goes."""
    store = VolumeStore(tmp_path)
    digest = put_to_pin(tmp_path, kind)
    os.utime(store.path(digest), (0, 0))
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn) as pool:
        assert pool.submit(put_to_pin, tmp_path, kind, keep=True).result() == digest
        assert not VolumeStore(tmp_path).discard(digest, VolumeStore(tmp_path).settled(0))
    assert VolumeStore(tmp_path).discard(digest, VolumeStore(tmp_path).settled(0))


def test_an_import_and_a_gc_at_once_lose_nothing(empty: Workspace, tmp_path: Path) -> None:
    """One process puts volumes that lie there unused and enters them; another throws away all it may, all the time."""
    for code in range(12):
        digest = empty.volumes.put_label(np.full(SPACE.grid.shape, code, np.uint8), SPACE.grid).volume
        os.utime(empty.volumes.path(digest), (0, 0))
    add_case(empty, tmp_path, "a")
    root, done = empty.root, tmp_path / "done"
    empty.close()
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=spawn) as pool:
        throwing = pool.submit(throw_away, root, done)
        entering = pool.submit(put_and_enter, root, SPACE.grid, 12, done)
        entered, thrown = entering.result(), throwing.result()
    with Workspace.open(root) as workspace:
        assert fsck(workspace, voxels=True).problems == ()
        assert set(entered) == {row["volume"] for row in workspace.sql("SELECT volume FROM labels")}
        assert all(workspace.volumes.verify(digest) is None for digest in entered)
    assert thrown > 1


def test_a_label_takes_two_inodes_at_most(workspace: Workspace) -> None:
    """Of a whole cohort's labels, each file and its share of the folders that fan them out; and few bytes."""
    labels = workspace.volumes.root / "labels"
    volumes = len(list(labels.glob("??/*.zarr.zip")))
    assert volumes > 10
    inodes = sum(1 for _ in labels.rglob("*"))
    assert inodes <= 2 * volumes
    rows = [row for row in flaredb("du", workspace=workspace.root).json if row["what"] in ("ground-truth", "external")]
    assert sum(row["inodes"] for row in rows) <= 2 * sum(row["objects"] for row in rows)


def test_a_full_disk_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    """Where no file can grow, as on a full disk: an error that says what to do; nothing staged, nothing stored."""
    spawn = multiprocessing.get_context("spawn")
    for kind in ("image", "label"):
        with ProcessPoolExecutor(1, mp_context=spawn) as pool, pytest.raises(StorageError, match="does not fit"):
            pool.submit(put_to_pin, tmp_path / kind, kind, limit=200).result()
        store = VolumeStore(tmp_path / kind)
        assert list(store.digests()) == []
        assert store.staged() == []
        assert store.verify(put_to_pin(tmp_path / kind, kind)) is None
