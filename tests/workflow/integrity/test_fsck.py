"""Planted damage: `fsck` names exactly what was harmed, and the repair that it proposes, word for word, mends it."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from flaredb.volumes.reader import SHARD
from flaredb.workflow.ingest.images import ImageOptions, ingest_images
from flaredb.workflow.ingest.labels import LabelOptions
from flaredb.workflow.integrity.fsck import Problem, fsck
from flaredb.workspace import Workspace
from tests.cohorts import SPACE, add_label, blocks, content, flaredb, scan
from tests.volumes.builders import flip, rezip

Kind, Object = str, str
ONE = SPACE.grid


class Planted(NamedTuple):
    """A workspace to harm, and the folder of the files it was made from."""

    workspace: Workspace
    files: Path

    def image(self, case: str) -> str:
        return str(self.workspace.sql("SELECT image FROM cases WHERE name = :case", case=case)[0]["image"])

    def label(self, case: str) -> str:
        return str(
            self.workspace.sql(
                "SELECT l.volume FROM labels l JOIN cases c ON c.id = l.case_id WHERE c.name = :case ORDER BY l.id",
                case=case,
            )[0]["volume"]
        )

    def place(self, digest: str) -> Path:
        return self.workspace.volumes.path(digest)

    def change(self, statement: str) -> None:
        with self.workspace.catalog.writer() as connection:
            connection.exec_driver_sql(statement)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two cases with a scan and a ground-truth label each, and two more labels of the first, one made of its first."""
    root = tmp_path_factory.mktemp("planted")
    files = root / "files"
    with Workspace.create(root / "workspace") as workspace:
        for seed, case in enumerate("ab"):
            ingest_images(
                workspace, scan(files / "images" / f"{case}_0000.nii.gz", seed), options=ImageOptions("train")
            )
            truth = LabelOptions("truth", "ground-truth")
            add_label(workspace, files / "truth", case, blocks(1 + seed, 3), "liver,right_kidney,spleen", truth)
        for source in ("later", "last"):
            options = LabelOptions(source, "ground-truth")
            add_label(workspace, files / source, "a", blocks(0, 1, len(source)), "liver,spleen", options, "pancreas")
        with workspace.catalog.writer() as connection:
            connection.exec_driver_sql("INSERT INTO label_parents (child_id, parent_id) VALUES (3, 1)")
        assert fsck(workspace, voxels=True, history=True).problems == ()
    return root


@pytest.fixture
def planted(made: Path, tmp_path: Path) -> Iterator[Planted]:
    """A copy to harm."""
    shutil.copytree(made / "workspace", tmp_path / "workspace")
    with Workspace.open(tmp_path / "workspace") as workspace:
        yield Planted(workspace, made / "files")


def old(path: Path) -> Path:
    """As if it had been there for two hours."""
    os.utime(path, (time.time() - 7200,) * 2)
    return path


def no_chunk_file(p: Planted) -> set[tuple[Kind, Object]]:
    """The file of a scan's chunks is gone."""
    (p.place(p.image("a")) / SHARD).unlink()
    return {("missing-chunk", p.image("a"))}


def no_chunks_in_zip(p: Planted) -> set[tuple[Kind, Object]]:
    """A label's zip has lost its chunks."""
    rezip(p.place(p.label("b")), without=SHARD)
    return {("missing-chunk", p.label("b"))}


def a_chunk_not_in_the_index(p: Planted) -> set[tuple[Kind, Object]]:
    """A scan's shard holds nothing but an index that names no place for its only chunk: it would read as background."""
    (p.place(p.image("a")) / SHARD).write_bytes(b"\xff" * 16 + b"\0" * 4)
    return {("missing-chunk", p.image("a"))}


def cut_shard(p: Planted) -> set[tuple[Kind, Object]]:
    """A scan's shard has lost its end."""
    shard = p.place(p.image("b")) / SHARD
    shard.write_bytes(shard.read_bytes()[:-30])
    return {("truncated-shard", p.image("b"))}


def cut_zip(p: Planted) -> set[tuple[Kind, Object]]:
    """A label's zip has lost its end."""
    zipped = p.place(p.label("b"))
    zipped.write_bytes(zipped.read_bytes()[: zipped.stat().st_size // 2])
    return {("truncated-shard", p.label("b"))}


def flipped_bit(p: Planted) -> set[tuple[Kind, Object]]:
    """One bit of a scan's chunk, which has no checksum of its own."""
    flip(p.place(p.image("a")) / SHARD, 40)
    return {("altered-voxels", p.image("a"))}


def flipped_bit_in_a_zip(p: Planted) -> set[tuple[Kind, Object]]:
    """One bit of a label's chunk."""
    zipped = p.place(p.label("b"))
    flip(zipped, zipped.read_bytes().index(SHARD.encode()) + len(SHARD) + 6)
    return {("damaged-voxels", p.label("b"))}


def swapped_volumes(p: Planted) -> set[tuple[Kind, Object]]:
    """Two scans bear each other's names."""
    one, other = p.place(p.image("a")), p.place(p.image("b"))
    one.rename(one.parent / "between")
    other.rename(one)
    (one.parent / "between").rename(other)
    return {("swapped-volume", p.image("a")), ("swapped-volume", p.image("b"))}


def swapped_shards(p: Planted) -> set[tuple[Kind, Object]]:
    """Two scans hold each other's voxels, under their own metadata."""
    shards = [p.place(p.image(case)) / SHARD for case in "ab"]
    first, second = (shard.read_bytes() for shard in shards)
    shards[0].write_bytes(second)
    shards[1].write_bytes(first)
    return {("swapped-volume", p.image("a")), ("swapped-volume", p.image("b"))}


def orphan(p: Planted) -> set[tuple[Kind, Object]]:
    """A volume that nobody points at."""
    digest = p.workspace.volumes.put_label(np.full(ONE.shape, 9), ONE).volume
    old(p.place(digest))
    return {("orphan-volume", digest)}


def no_scan(p: Planted) -> set[tuple[Kind, Object]]:
    """A case whose scan is gone."""
    shutil.rmtree(p.place(p.image("b")))
    return {("row-without-volume", p.image("b"))}


def no_label(p: Planted) -> set[tuple[Kind, Object]]:
    """A label whose volume is gone; what it annotates only in part is part of the command."""
    volume = str(p.workspace.sql("SELECT volume FROM labels WHERE id = 3")[0]["volume"])
    p.place(volume).unlink()
    return {("row-without-volume", volume)}


def thrown_away(p: Planted) -> set[tuple[Kind, Object]]:
    """A volume that lies in the trash although somebody points at it, as after restoring an older catalogue."""
    p.workspace.volumes.discard(p.label("b"), time.time() + 60)
    return {("row-without-volume", p.label("b"))}


def staging(p: Planted) -> set[tuple[Kind, Object]]:
    """What a killed writer left."""
    left = p.workspace.volumes.root / "staging" / "1-dead"
    left.mkdir(parents=True)
    (left / "part").write_bytes(b"x")
    old(left)
    return {("stale-staging", "1-dead")}


def wrong_shape(p: Planted) -> set[tuple[Kind, Object]]:
    """The metadata of a scan's array say another shape."""
    file = p.place(p.image("a")) / "0" / "zarr.json"
    metadata = json.loads(file.read_text(encoding="utf-8"))
    metadata["shape"][0] += 1
    file.write_text(json.dumps(metadata))
    return {("wrong-metadata", p.image("a"))}


def other_grid_in_the_metadata(p: Planted) -> set[tuple[Kind, Object]]:
    """The metadata of a scan, not the catalogue, say another spacing."""
    file = p.place(p.image("a")) / "zarr.json"
    metadata = json.loads(file.read_text(encoding="utf-8"))
    metadata["attributes"]["flaredb"]["grid"]["spacing"][0] = 9.0
    file.write_text(json.dumps(metadata))
    return {("wrong-metadata", p.image("a"))}


def no_metadata_in_zip(p: Planted) -> set[tuple[Kind, Object]]:
    """A label's zip has lost the metadata of its array."""
    rezip(p.place(p.label("a")), without="0/zarr.json")
    return {("wrong-metadata", p.label("a"))}


def other_foreground(p: Planted) -> set[tuple[Kind, Object]]:
    """A label's foreground index is that of another."""
    with zipfile.ZipFile(p.place(p.label("b"))) as other:
        index = other.read("foreground.npz")
    rezip(p.place(p.label("a")), without="foreground.npz")
    with zipfile.ZipFile(p.place(p.label("a")), "a") as archive:
        archive.writestr("foreground.npz", index)
    return {("damaged-index", p.label("a"))}


def other_spacing(p: Planted) -> set[tuple[Kind, Object]]:
    """Somebody changed a case's spacing in the catalogue."""
    p.change("UPDATE cases SET spacing_z_mm = 5.0 WHERE name = 'a'")
    return {("geometry-differs", "case a")}


def other_direction(p: Planted) -> set[tuple[Kind, Object]]:
    """Somebody made nonsense of a case's direction in the catalogue."""
    p.change("UPDATE cases SET direction = '[[1, 0, 0]]' WHERE name = 'b'")
    return {("geometry-differs", "case b")}


def other_file_affine(p: Planted) -> set[tuple[Kind, Object]]:
    """Somebody changed the affine that a case's file had."""
    p.change("UPDATE cases SET file_affine = replace(file_affine, '9', '19') WHERE name = 'a'")
    return {("geometry-differs", "case a")}


def label_made_of_itself(p: Planted) -> set[tuple[Kind, Object]]:
    """A label is made of one that was made of it."""
    p.change("INSERT INTO label_parents (child_id, parent_id) VALUES (1, 3)")
    return {("lineage-cycle", "a@truth@1")}


def sources_before_each_other(p: Planted) -> set[tuple[Kind, Object]]:
    """Two sources supersede each other."""
    for newer, older in ((1, 2), (2, 1)):
        p.change(f"INSERT INTO supersessions (source_id, older_id, operation_id) VALUES ({newer}, {older}, 8)")
    return {("lineage-cycle", "truth")}


Plant = Callable[[Planted], set[tuple[Kind, Object]]]
TEN: tuple[Plant, ...] = (
    no_chunk_file, cut_shard, flipped_bit, swapped_volumes, orphan, no_scan, staging, wrong_shape, other_spacing,
    label_made_of_itself,
)  # fmt: skip
MORE: tuple[Plant, ...] = (
    no_chunks_in_zip, a_chunk_not_in_the_index, cut_zip, flipped_bit_in_a_zip, swapped_shards, no_label, thrown_away,
    other_grid_in_the_metadata, no_metadata_in_zip, other_foreground, other_direction, other_file_affine,
    sources_before_each_other,
)  # fmt: skip
BY_VOXELS = {flipped_bit, flipped_bit_in_a_zip, swapped_shards, other_foreground}
BY_IMPORT = {
    no_chunk_file, no_chunks_in_zip, a_chunk_not_in_the_index, cut_shard, cut_zip, flipped_bit, flipped_bit_in_a_zip,
    no_scan, no_label,
}  # fmt: skip
BY_GC = {orphan, staging}


def named(problems: tuple[Problem, ...]) -> set[tuple[Kind, Object]]:
    return {(problem["kind"], problem["object"]) for problem in problems}


def commands(problem: Problem, files: Path) -> list[list[str]]:
    """The commands of a proposed repair, without the other ways it names; FOLDER is where the file is."""
    text = problem["repair"].partition("; or ")[0]
    said = [shlex.split(part)[1:] for part in re.findall(r"flaredb [^,;]*(?:,\w[^,; ]*[^,;]*)*", text)]
    source = re.search(r"--source (\w+)", text)
    folder = files / (source[1] if source else "images")
    return [[word.replace("FOLDER", str(folder)) for word in words] for words in said]


@pytest.mark.parametrize("plant", [*TEN, *MORE], ids=lambda plant: plant.__name__)
def test_planted_damage_is_named_and_mended(planted: Planted, plant: Plant) -> None:
    """The kind and the object, nothing else, without reading voxels where that can be; then the repair mends it."""
    workspace = planted.workspace
    before = content(workspace)
    affine = workspace.sql("SELECT file_affine FROM cases ORDER BY id")
    expected = plant(planted)
    assert named(fsck(workspace).problems) == (set() if plant in BY_VOXELS else expected)
    found = fsck(workspace, voxels=True).problems
    assert named(found) == expected
    assert flaredb("fsck", "--voxels", workspace=workspace.root).code == (0 if plant in BY_GC else 6)
    assert ("ingest" in found[0]["repair"]) == (plant in BY_IMPORT)
    for problem in found:
        for words in commands(problem, planted.files):
            done = flaredb(*words, workspace=workspace.root)
            assert done.code in (0, 6), (words, done.out, done.err)
    assert fsck(workspace, voxels=True, history=True).problems == ()
    assert content(workspace) == before
    for was, now in zip(affine, workspace.sql("SELECT file_affine FROM cases ORDER BY id"), strict=True):
        np.testing.assert_allclose(json.loads(now["file_affine"]), json.loads(was["file_affine"]), atol=1e-9)


@pytest.mark.parametrize("plant", [no_chunk_file, swapped_volumes, wrong_shape, other_spacing, label_made_of_itself])
def test_repair_is_shown_before_it_is_done(planted: Planted, plant: Plant) -> None:
    """`--repair` without `--yes` says what it would do to what, and changes neither files nor rows."""
    plant(planted)
    root = planted.workspace.volumes.root
    before = {file: file.read_bytes() for file in root.rglob("*") if file.is_file()}
    problems = fsck(planted.workspace).problems
    done = flaredb("fsck", "--repair", workspace=planted.workspace.root)
    assert done.code == 6
    key = {
        no_chunk_file: "set_aside", swapped_volumes: "rewrite", wrong_shape: "rewrite", other_spacing: "correct",
        label_made_of_itself: "take_back",
    }[plant]  # fmt: skip
    assert list(done.json["would"]) == [key]
    assert {file: file.read_bytes() for file in root.rglob("*") if file.is_file()} == before
    assert fsck(planted.workspace).problems == problems


def test_a_damaged_volume_is_kept(planted: Planted) -> None:
    """What is set aside is not deleted while its volume is missing, and is removed by gc when that is there again."""
    no_chunk_file(planted)
    digest, store = planted.image("a"), planted.workspace.volumes
    flaredb("fsck", "--repair", "--yes", workspace=planted.workspace.root)
    flaredb("gc", "--yes", "--age", 0, workspace=planted.workspace.root)
    assert set(store.quarantined()) == {digest}
    ingest_images(planted.workspace, planted.files / "images")
    assert store.verify(digest) is None
    flaredb("gc", "--yes", "--age", 0, workspace=planted.workspace.root)
    assert store.quarantined() == {}


def test_a_purge_takes_what_was_set_aside_too(planted: Planted) -> None:
    """Voxels of an erased case are nowhere: not in their place, not in quarantine, not in the trash."""
    digest, store = planted.image("b"), planted.workspace.volumes
    store.quarantine(digest)
    store.discard(planted.label("b"), time.time() + 60)
    flaredb("case", "purge", "b", "--why", "asked to", "--yes", workspace=planted.workspace.root)
    assert (store.quarantined(), store.trashed()) == ({}, {})
    assert fsck(planted.workspace, voxels=True).problems == ()
