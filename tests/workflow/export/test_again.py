"""Exporting again, over something else, after a kill, from damaged volumes: nothing is lost and nothing half there."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from dataclasses import replace

import nibabel
import numpy as np
import pytest

from flaredb.catalog import cases
from flaredb.errors import ConflictError, NotFoundError, StorageError, UsageError
from flaredb.geometry import FileSpace, Grid
from flaredb.workflow.export.choice import ExportOptions
from flaredb.workflow.export.msd import export_msd
from flaredb.workflow.export.nifti import export_nifti
from flaredb.workflow.export.values import Part, Recipe, make
from flaredb.workflow.ingest.labels import LabelOptions
from tests.cohorts import PROGRAM, SPACE, add_case, add_label, blocks, environment, flaredb

TRUTH = LabelOptions("truth", "ground-truth")


@pytest.fixture
def two(empty, tmp_path):
    """Two labelled cases."""
    for number, name in enumerate("ab"):
        add_case(empty, tmp_path, name, number)
        add_label(empty, tmp_path / "l", name, blocks(1, 2), "all", TRUTH)
    return empty


def content(root):
    """Every file below a folder, hidden ones too, with its bytes."""
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_again_writes_only_what_is_missing(two, tmp_path):
    """The same export finds its files; one that was deleted comes back, byte for byte; no trace of the work is left."""
    root = tmp_path / "out"
    first = export_nifti(two, root)
    assert (first.added, first.unchanged) == (4, 0)
    before = content(root)
    assert set(before) == {*first.ids, "manifest.json"}
    assert export_nifti(two, root)[2:4] == (0, 4)
    assert content(root) == before
    (root / "labels" / "truth" / "1" / "a.nii.gz").unlink()
    again = export_nifti(two, root)
    assert again.ids == ("labels/truth/1/a.nii.gz",)
    after = content(root)
    assert {k: v for k, v in after.items() if k != "manifest.json"} == {
        k: v for k, v in before.items() if k != "manifest.json"
    }
    (root / "manifest.json").unlink()
    (root / "images" / ".0123456789abcdef0123456789abcdef.tmp").write_bytes(b"killed")
    assert export_nifti(two, root)[2:4] == (0, 4)
    assert set(content(root)) == set(before)


def test_what_differs_is_named_and_left(two, tmp_path):
    """A file that would become another stops the export before anything is written; `--overwrite` replaces it."""
    root = tmp_path / "out"
    export_nifti(two, root)
    place = root / "labels" / "truth" / "1" / "a.nii.gz"
    good = place.read_bytes()
    place.write_bytes(b"mine")
    (root / "images" / "b_0000.nii.gz").unlink()
    before = content(root)
    with pytest.raises(ConflictError, match=r"labels/truth/1/a\.nii\.gz; --overwrite"):
        export_nifti(two, root)
    assert content(root) == before
    assert export_nifti(two, root, ExportOptions(overwrite=True)).added == 2
    assert place.read_bytes() == good


def test_another_export_is_not_mixed_in(two, tmp_path):
    """Another request for the same folder is refused; with `--overwrite` the earlier one's files go, others stay."""
    root = tmp_path / "out"
    export_nifti(two, root)
    (root / "notes.txt").write_text("mine")
    (root / "labels" / "truth" / "1" / "b.nii.gz").write_bytes(b"changed by somebody")
    options = ExportOptions("current", overwrite=True)
    with pytest.raises(ConflictError, match="holds another export"):
        export_nifti(two, root, options._replace(overwrite=False))
    export_nifti(two, root, options)
    labels = {path for path in content(root) if path.startswith("labels/")}
    assert labels == {"labels/current/a.nii.gz", "labels/current/b.nii.gz", "labels/truth/1/b.nii.gz"}
    assert (root / "notes.txt").read_text(encoding="utf-8") == "mine"


def test_an_edited_list_is_not_replaced(two, tmp_path):
    """A `dataset.json` that somebody edited is theirs; one that flaredb wrote follows the cases."""
    root = tmp_path / "msd"
    export_msd(two, root)
    add_case(two, tmp_path, "c", 3)
    add_label(two, tmp_path / "l", "c", blocks(1, 2), "all", TRUTH)
    assert export_msd(two, root)[2:4] == (2, 4)
    document = json.loads((root / "dataset.json").read_text(encoding="utf-8"))
    assert document["numTraining"] == 3
    (root / "dataset.json").write_text(json.dumps(document | {"reference": "us"}))
    with pytest.raises(ConflictError, match=r"dataset\.json"):
        export_msd(two, root)


def test_equal_files_are_shared(two, tmp_path):
    """`--link` shares scans and labels with an earlier export of another layout, but not what was changed since."""
    first, second = tmp_path / "first", tmp_path / "second"
    export_nifti(two, first, ExportOptions("current"))
    (first / "images" / "b_0000.nii.gz").write_bytes(b"changed")
    export_msd(two, second, ExportOptions(link=first))
    shared = {
        path.name: path.stat().st_ino == (first / "images" / path.name.replace(".nii", "_0000.nii")).stat().st_ino
        for path in (second / "imagesTr").iterdir()
    }
    cloned = (second / "imagesTr" / "a.nii.gz").stat().st_nlink == 1  # the file system shares blocks, not names
    assert shared == {"a.nii.gz": not cloned, "b.nii.gz": False}
    assert np.array_equal(np.asarray(nibabel.load(second / "imagesTr" / "b.nii.gz").dataobj), original(two, "b"))
    with pytest.raises(NotFoundError, match=r"manifest\.json"):
        export_msd(two, tmp_path / "third", ExportOptions(link=tmp_path / "nothing"))


def original(workspace, case):
    """A scan in its file's axes."""
    return SPACE.from_lps(workspace.image(case).array)


def test_a_dry_run_writes_nothing(two, tmp_path):
    """It lists the files, the bytes they take and those that are free, and touches neither folder nor catalogue."""
    before = two.sql("SELECT count(*) AS n FROM operations")
    done = export_nifti(two, tmp_path / "out", ExportOptions(dry_run=True))
    assert len(done.would["files"]) == 4
    assert 0 < done.would["bytes_needed"] < done.would["bytes_free"]
    assert not (tmp_path / "out").exists()
    assert two.sql("SELECT count(*) AS n FROM operations") == before


def test_never_into_the_workspace(two, tmp_path):
    """A folder of the workspace is refused, whatever way leads there, and so is a file."""
    (tmp_path / "way").symlink_to(two.root)
    for place in (two.root, two.root / "out", tmp_path / "way" / "out", two.root / "volumes" / ".." / "x"):
        with pytest.raises(UsageError, match="inside the workspace"):
            export_nifti(two, place)
    (tmp_path / "file").write_text("")
    with pytest.raises(ConflictError, match="not a folder"):
        export_nifti(two, tmp_path / "file" / "out")


def test_damaged_volumes_do_not_leave(two, tmp_path):
    """A scan that holds other voxels than it was stored with stays behind with its label; the others go out."""
    with two.catalog.read() as connection:
        digest, other = cases.find(connection, "a").image, cases.find(connection, "b").image
    shard = two.volumes.path(digest) / "0" / "c" / "0" / "0" / "0"
    shard.write_bytes((two.volumes.path(other) / "0" / "c" / "0" / "0" / "0").read_bytes())
    with pytest.raises(StorageError, match="1 cases were not exported, the others were"):
        export_msd(two, tmp_path / "msd")
    names = {path for path in content(tmp_path / "msd") if path.endswith(".nii.gz")}
    assert names == {"imagesTr/b.nii.gz", "labelsTr/b.nii.gz"}
    document = json.loads((tmp_path / "msd" / "dataset.json").read_text(encoding="utf-8"))
    assert document["training"] == [{"image": "./imagesTr/b.nii.gz", "label": "./labelsTr/b.nii.gz"}]
    rules = {(row["case"], row["rule"]) for row in two.sql("SELECT * FROM findings")}
    assert ("a", "damaged-volume") in rules


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_an_export_that_was_stopped_goes_on(filled, tmp_path, number):
    """Stopped at any moment there are whole files only and no manifest; the same command completes them."""
    copy, out = tmp_path / "workspace", tmp_path / "out"
    subprocess.run(["cp", "-r", filled, copy], check=True)
    command = [PROGRAM, "-w", copy, "--json", "export", "nifti", out, "--workers", "1"]
    with subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        while running.poll() is None and not list(out.rglob("*.nii.gz")):
            time.sleep(0.002)
        os.kill(running.pid, number)
        running.communicate()
    stopped = running.returncode != 0
    assert running.returncode in (0, 130 if number == signal.SIGINT else -number)
    assert stopped != (out / "manifest.json").exists()
    for path in out.rglob("*.nii.gz"):
        nibabel.load(path).get_fdata()
    done = flaredb("export", "nifti", out, workspace=copy)
    assert done.code == 0
    assert done.json["added"] + done.json["unchanged"] == len(list(out.rglob("*.nii.gz")))
    assert done.json["unchanged"] > 0
    assert not [path for path in content(out) if path.rpartition("/")[2].startswith(".")]
    assert flaredb("export", "nifti", out, workspace=copy).json["added"] == 0


def test_a_label_that_was_padded_leaves_as_it_came(empty):
    """A label file that covered a part of its scan's lattice goes out with that part; one that cannot, on the whole."""
    grid = SPACE.grid
    codes = np.arange(np.prod(grid.shape), dtype=np.uint8).reshape(grid.shape)
    digest = empty.volumes.put_label(codes, grid).volume
    first = SPACE.matrix @ [1, 2, 0, 1]
    affine = SPACE.matrix.copy()
    affine[:, 3] = first
    part = FileSpace((4, 2, 4), tuple(affine.ravel()), "uint8", SPACE.pixdim)
    made = make(empty, Recipe((Part(digest),), part))
    assert not made.regridded
    np.testing.assert_array_equal(part.from_lps(made.array), SPACE.from_lps(codes)[1:5, 2:4, :])
    affine[0, 3] += 0.9
    moved = replace(part, affine=tuple(affine.ravel()))
    elsewhere = make(empty, Recipe((Part(digest),), moved))
    assert elsewhere.regridded
    assert elsewhere.space.grid.shape == grid.shape
    assert Grid.distance(elsewhere.space.grid, grid) < 1e-6
    np.testing.assert_array_equal(elsewhere.array, codes)
