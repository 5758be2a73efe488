"""Who takes how much room: all of it, once, by kind and source."""

from __future__ import annotations

import os
import time

from flaredb.workflow.ingest.labels import LabelOptions
from flaredb.workflow.integrity.usage import du
from flaredb.workspace import Workspace
from tests.cohorts import SPACE, add_case, add_label, blocks, flaredb


def allocated(path) -> int:
    """Bytes that a file or folder takes, as `du` counts them."""
    own = path.lstat().st_blocks * 512
    return own + sum(allocated(child) for child in path.iterdir()) if path.is_dir() else own


def inodes(path) -> int:
    return 1 + sum(inodes(child) for child in path.iterdir()) if path.is_dir() else 1


def test_everything_is_counted_once(judged):
    """Scans, labels by kind and source, models and the catalogue add up to what the files take."""
    with Workspace.open(judged) as workspace:
        rows = du(workspace)
        volumes = [workspace.volumes.path(digest) for digest in workspace.volumes.digests()]
        models = list((workspace.root / "models").iterdir())
        catalogue = list(workspace.root.glob("catalog.db*"))
        paths = [*volumes, *models, *catalogue]
        assert sum(row["objects"] for row in rows) == len(paths)
        assert sum(row["bytes"] for row in rows) == sum(map(allocated, paths)) > 0
        assert sum(row["inodes"] for row in rows) == sum(map(inodes, paths))
        keys = {(row["what"], row["source"]) for row in rows}
        assert len(keys) == len(rows)
        assert {what for what, _ in keys} == {
            "scan", "ground-truth", "tumor-only", "external", "pseudo", "model", "catalogue",
        }  # fmt: skip
        turns = {(row["what"], row["source"]): row["round"] for row in rows}
        assert turns["pseudo", "organ/1"] == "organ/1"
        assert {turns[key] for key in keys if key[0] == "model"} == {"organ/1"}
        assert turns["scan", ""] is None
    done = flaredb("du", workspace=judged)
    assert (done.code, len(done.json)) == (0, len(rows))


def test_a_shared_volume_counts_for_its_first_source(empty, tmp_path):
    """Equal labels of two sources are one volume."""
    add_case(empty, tmp_path, "a")
    for source in ("first", "second"):
        add_label(empty, tmp_path / source, "a", blocks(1), "liver", LabelOptions(source, "external"))
    assert [(row["what"], row["source"], row["objects"]) for row in du(empty) if row["what"] != "catalogue"] == [
        ("external", "first", 1),
        ("scan", "", 1),
    ]


def test_what_is_on_its_way_out_is_counted_apart(empty, tmp_path):
    """A volume nobody points at, one in the trash and a damaged one are not taken for scans or labels."""
    add_case(empty, tmp_path, "a")
    store = empty.volumes
    made = [store.put_label(blocks(value), SPACE.grid).volume for value in (1, 2, 3)]
    store.discard(made[0], time.time() + 60)
    store.quarantine(made[1])
    counted = {row["what"]: row["objects"] for row in du(empty) if row["what"] != "catalogue"}
    assert counted == {"scan": 1, "orphan": 1, "trash": 1, "quarantine": 1}


def test_a_workspace_with_nothing_in_it(empty):
    """Only the catalogue takes room."""
    (row,) = du(empty)
    assert (row["what"], row["objects"]) == ("catalogue", len(list(empty.root.glob("catalog.db*"))))
    assert row["bytes"] >= os.stat(empty.root / "catalog.db").st_blocks * 512
