"""Catalogue and volumes: what `fsck` finds, what `gc` removes, what `status` counts."""

from __future__ import annotations

import os
import shutil
import time

import numpy as np
import pytest

from flaredb.workflow.integrity.fsck import fsck
from flaredb.workflow.integrity.gc import gc
from tests.cohorts import SPACE, content, flaredb


def kinds(workspace, voxels=False):
    return [problem["kind"] for problem in fsck(workspace, voxels).problems]


def age(path, seconds=7200):
    """Make a file or folder older."""
    os.utime(path, (time.time() - seconds,) * 2)


def test_gc_removes_what_nobody_points_at(workspace):
    """An orphan and a stale staging folder go, after being named; what is referenced or young stays."""
    before = content(workspace)
    orphan = workspace.volumes.put_label(np.full(SPACE.grid.shape, 3, np.uint8), SPACE.grid).volume
    young = workspace.volumes.put_image(np.full(SPACE.grid.shape, 3, np.int16), SPACE.grid).volume
    staged = workspace.volumes.root / "staging" / "1-dead"
    staged.mkdir(parents=True)
    (staged / "part").write_bytes(b"x")
    age(workspace.volumes.path(orphan))
    age(staged)
    assert sorted(kinds(workspace)) == ["orphan-volume", "orphan-volume", "stale-staging"]
    shown = gc(workspace)
    assert (shown.operation, shown.would) == (None, {"trash": [orphan], "remove": [], "staged": ["1-dead"]})
    assert orphan in set(workspace.volumes.digests())
    for digest in workspace.volumes.digests():
        if digest != young:
            age(workspace.volumes.path(digest))
    done = gc(workspace, yes=True)
    assert (done.ids, done.added) == ((orphan,), 2)
    assert kinds(workspace, voxels=True) == ["orphan-volume"]
    assert young in set(workspace.volumes.digests())
    assert content(workspace) == before


def test_a_missing_volume_is_found(workspace):
    """A row whose volume is gone is a problem that names its owner and a repair; the program exits 6."""
    (row,) = workspace.sql("SELECT image FROM cases WHERE name = 'FLARE23_0001'")
    shutil.rmtree(workspace.volumes.path(row["image"]))
    (problem,) = fsck(workspace).problems
    assert (problem["kind"], problem["object"]) == ("row-without-volume", row["image"])
    assert "FLARE23_0001" in problem["message"]
    assert problem["repair"]
    done = flaredb("fsck", workspace=workspace.root)
    assert done.code == 6
    assert set(done.json) == {"checked", "problems"}


def test_importing_again_repairs_a_missing_volume(workspace, files):
    """The repair that `fsck` names works: importing the file again brings the voxels back."""
    (row,) = workspace.sql("SELECT image FROM cases WHERE name = 'FLARE23_0001'")
    shutil.rmtree(workspace.volumes.path(row["image"]))
    for folder in ("imagesTr2200", "unlabeledTr1800"):
        flaredb("ingest", "images", files / folder, workspace=workspace.root)
    assert kinds(workspace, voxels=True) == []


def test_damage_is_found_by_reading(workspace):
    """A volume with a flipped byte, or with its voxels lost, is found with `--voxels`."""
    rows = workspace.sql("SELECT image FROM cases ORDER BY name LIMIT 2")
    chunks = [workspace.volumes.path(row["image"]) / "0" / "c" / "0" / "0" / "0" for row in rows]
    damaged = bytearray(chunks[0].read_bytes())
    damaged[len(damaged) // 2] ^= 0xFF
    chunks[0].write_bytes(damaged)
    chunks[1].unlink()
    assert sorted(kinds(workspace, voxels=True)) == ["altered-voxels", "missing-chunk"]


def test_a_model_without_weights_is_found(after_round):
    """A trained model whose weights are gone is a problem."""
    (row,) = after_round.sql("SELECT name FROM models")
    (after_round.model_folder(row["name"]) / "weights.safetensors").unlink()
    assert kinds(after_round) == ["model-without-weights"]


def spoil(workspace, statement):
    """Change the derived tables behind the catalogue's back."""
    with workspace.catalog.writer() as connection:
        connection.exec_driver_sql(statement)


SPOILT = {
    "UPDATE current_history SET to_operation = from_operation WHERE id = 5": {"log-not-policy", "log-not-events"},
    "UPDATE current_history SET place = 3 WHERE id = 5": {"log-not-policy", "log-not-events"},
    "UPDATE current_history SET reason = 'because' WHERE id = 5": {"log-not-events"},
    "DELETE FROM current_history WHERE id = 5": {"log-not-policy", "log-not-events"},
    "UPDATE candidates SET withdrawn = 2 WHERE id = 3": {"candidate-not-events"},
}


@pytest.mark.parametrize("statement", SPOILT)
def test_a_log_that_is_not_what_the_events_say_is_found_and_repaired(workspace, statement):
    """By the policy where what is current is wrong, by the events in any case; `--repair --yes` makes it right."""
    before = workspace.sql("SELECT * FROM current_labels ORDER BY 1, 2")
    assert fsck(workspace, history=True).problems == ()
    spoil(workspace, statement)
    found = fsck(workspace, history=True).problems
    assert {problem["kind"] for problem in found} == SPOILT[statement]
    assert set(kinds(workspace)) == SPOILT[statement] & {"log-not-policy"}
    assert {problem["repair"] for problem in found} == {"flaredb fsck --repair --yes"}
    done = flaredb("fsck", "--history", "--repair", workspace=workspace.root)
    assert done.code == 6
    done = flaredb("fsck", "--history", "--repair", "--yes", workspace=workspace.root)
    assert (done.code, done.json["problems"]) == (0, [])
    assert workspace.sql("SELECT * FROM current_labels ORDER BY 1, 2") == before
