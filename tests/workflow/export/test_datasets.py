"""Data sets for nnU-Net, MSD and MONAI: what leaves comes back the same, and says what nobody knows."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from itertools import permutations, product
from pathlib import Path

import nibabel
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from monai.data import load_decathlon_datalist

from flaredb.catalog import cases, labels
from flaredb.errors import ConflictError, InvalidDataError, NotFoundError, UsageError
from flaredb.exchange.stored import file_space
from flaredb.exchange.write import write_nifti
from flaredb.workflow.case.events import case_exclude
from flaredb.workflow.export.choice import ExportOptions
from flaredb.workflow.export.monai import export_monai
from flaredb.workflow.export.msd import export_msd
from flaredb.workflow.export.nifti import export_nifti
from flaredb.workflow.export.nnunet import NnunetName, export_nnunet
from flaredb.workflow.ingest.annotated import stated
from flaredb.workflow.ingest.images import ImageOptions, ingest_images
from flaredb.workflow.ingest.labels import LabelOptions, ingest_labels
from flaredb.workflow.label.sources import withdraw_source
from flaredb.workflow.snapshot.create import snapshot_create
from flaredb.workspace import Workspace
from tests.builders import REAL_DATA
from tests.cohorts import SPACE, add_case, add_label, blocks, scan

TRUTH = LabelOptions("truth", "ground-truth")
CODES = ["uint8", "int8", "int16", "uint16", "int32", "uint32", "int64", "float32", "float64"]


@st.composite
def spaces(draw):
    """Any orientation, a rotation now and then, real spacings and origins as float32 holds them."""
    order = draw(st.sampled_from(list(permutations(range(3)))))
    signs = draw(st.sampled_from(list(product((-1.0, 1.0), repeat=3))))
    spacing = [draw(st.floats(0.5, 8.0, width=32)) for _ in range(3)]
    turn = np.eye(3)
    if draw(st.booleans()):
        angle = draw(st.floats(-0.3, 0.3))
        turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    affine = np.eye(4)
    affine[:3, :3] = (turn @ (np.eye(3)[:, order] * signs)) * spacing
    affine[:3, 3] = [draw(st.floats(-900, 900, width=32)) for _ in range(3)]
    shape = draw(st.tuples(*[st.integers(2, 7)] * 3))
    return file_space(shape, affine.astype(np.float32).astype(np.float64), np.dtype(np.int16), spacing)


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """An empty workspace to copy."""
    root = tmp_path_factory.mktemp("template") / "workspace"
    Workspace.create(root).close()
    return root


def make(root, template, drawn):
    """A workspace with one complete label a case: a space, the label file's type, and a seed each."""
    workspace = Workspace.open(shutil.copytree(template, root / "one"))
    for number, (space, kind, seed) in enumerate(drawn):
        random = np.random.default_rng(seed)
        scan(root / "in" / "i" / f"c{number}_0000.nii.gz", seed + 100 * number, space)
        codes = random.integers(0, 15, space.grid.shape).astype(np.uint8)
        (root / "in" / "l").mkdir(exist_ok=True)
        write_nifti(root / "in" / "l" / f"c{number}.nii.gz", codes, replace(space, dtype=kind))
    take(workspace, root / "in" / "i", root / "in" / "l")
    return workspace


def take(workspace, images, codes):
    """Import the scans and complete labels of two folders."""
    assert ingest_images(workspace, images, options=ImageOptions("train")).failed == 0
    assert ingest_labels(workspace, codes, stated("all", None, None), TRUTH).failed == 0


def held(workspace):
    """Everything of scans and labels that an export must keep: voxels with their grid, and the files' own space."""
    with workspace.catalog.read() as connection:
        scans = {c.name: (c.image, c.grid, c.space) for c in cases.every(connection)}
        drawn = {v.name: (v.volume, v.codes.text, v.space) for v in labels.every(connection)}
    return scans, drawn


def whole(described):
    """The same with the types of label files that are no whole numbers left open: data sets hold none."""
    scans, drawn = described
    return scans, {
        name: (volume, text, space if np.dtype(space.dtype).kind in "iu" else replace(space, dtype="uint8"))
        for name, (volume, text, space) in drawn.items()
    }


@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(drawn=st.lists(st.tuples(spaces(), st.sampled_from(CODES), st.integers(0, 99)), min_size=2, max_size=4))
def test_what_leaves_comes_back_the_same(tmp_path_factory, template, drawn):
    """Exported as NIfTI, nnU-Net or MSD and imported again: voxels, grid, affine, codes and type are those before."""
    root = tmp_path_factory.mktemp("identity")
    with make(root, template, drawn) as workspace:
        before = held(workspace)
        export_nifti(workspace, root / "nifti")
        export_nnunet(workspace, root / "raw", ExportOptions("truth"), NnunetName(7, "Odd"))
        export_msd(workspace, root / "msd", ExportOptions("truth"))
    folders = {
        "nifti": (root / "nifti" / "images", root / "nifti" / "labels" / "truth" / "1"),
        "nnunet": (root / "raw" / "Dataset007_Odd" / "imagesTr", root / "raw" / "Dataset007_Odd" / "labelsTr"),
        "msd": (root / "msd" / "imagesTr", root / "msd" / "labelsTr"),
    }
    for name, (images, codes) in folders.items():
        with Workspace.open(shutil.copytree(template, root / f"again-{name}")) as other:
            take(other, images, codes)
            assert held(other) == (before if name == "nifti" else whole(before)), name
    shutil.rmtree(root)


@pytest.mark.skipif(not REAL_DATA.exists(), reason=f"{REAL_DATA} is not on this machine (FLAREDB_TEST_DATA)")
def test_real_files_come_back_the_same(empty, tmp_path):
    """A real scan and the label that a model made of it leave as nnU-Net wants them and come back, classes named."""
    folder = REAL_DATA / "totalseg"
    ingest_images(empty, folder / "ct_sm.nii.gz")
    options = LabelOptions("totalseg", "external", mapping="totalsegmentator-v2")
    ingest_labels(empty, folder / "ct_sm_labels" / "2026_fast.nii.gz", stated("all", None, None), options, "ct_sm")
    scans, _ = held(empty)
    organs = tuple(empty.structures.organs)
    export_nnunet(empty, tmp_path / "raw", ExportOptions("totalseg", structures=organs), NnunetName(1, "Real"))
    export_nifti(empty, tmp_path / "out", ExportOptions("totalseg"))
    root = tmp_path / "raw" / "Dataset001_Real"
    wanted = empty.current("ct_sm", "organ").array
    with Workspace.create(tmp_path / "again") as other:
        ingest_images(other, root / "imagesTr")
        assert ingest_labels(other, root / "labelsTr", stated(",".join(organs), None, None), TRUTH).failed == 0
        assert held(other)[0] == scans
        np.testing.assert_array_equal(other.label("ct_sm@truth").array, wanted)
    came = nibabel.load(folder / "ct_sm_labels" / "2026_fast.nii.gz")
    left = nibabel.load(tmp_path / "out" / "labels" / "totalseg" / "1" / "ct_sm.nii.gz")
    np.testing.assert_array_equal(np.asarray(left.dataobj), np.asarray(came.dataobj))
    np.testing.assert_array_equal(left.affine, came.affine)
    assert left.get_data_dtype() == came.get_data_dtype()


@pytest.fixture
def partly(empty, tmp_path):
    """Four training cases (all structures, liver alone, kidneys as one, none), one validation and one test case."""
    for number, name in enumerate(["all", "liver", "kidneys", "nothing"]):
        add_case(empty, tmp_path, name, number)
    add_case(empty, tmp_path, "val", 5, "validation")
    add_case(empty, tmp_path, "test", 6, "test")
    add_label(empty, tmp_path / "l", "all", blocks(1, 3, 14, 2), "liver,spleen,right_kidney,tumor", TRUTH)
    add_label(empty, tmp_path / "l", "liver", blocks(0, 1), "liver", TRUTH)
    add_label(empty, tmp_path / "l", "val", blocks(3, 1), "liver,spleen", TRUTH)
    pseudo = LabelOptions("flare21", "external", mapping="flare21")
    add_label(empty, tmp_path / "e", "kidneys", blocks(2, 1), "all", pseudo)
    return empty


def along_x(path):
    """The codes of a file of `SPACE` along its first axis."""
    return [int(v) for v in np.asarray(nibabel.load(path).dataobj)[:, 0, 0]]


def test_nnunet_gets_consecutive_classes_and_an_ignore_label(partly, tmp_path):
    """Classes count 1, 2, 3 … in the structures' order; what is not known of them is the value after the last."""
    options = ExportOptions(structures=("liver", "spleen"))
    done = export_nnunet(partly, tmp_path / "raw", options, NnunetName(12, "Abdomen"))
    root = tmp_path / "raw" / "Dataset012_Abdomen"
    document = json.loads((root / "dataset.json").read_text(encoding="utf-8"))
    assert document["labels"] == {"background": 0, "liver": 1, "spleen": 2, "ignore": 3}
    assert document["numTraining"] == len(list((root / "imagesTr").iterdir())) == 3
    assert (document["file_ending"], document["channel_names"]) == (".nii.gz", {"0": "CT"})
    assert along_x(root / "labelsTr" / "all.nii.gz") == [1, 2, 3, 0, 0, 0]  # a tumour's site is not known
    assert along_x(root / "labelsTr" / "liver.nii.gz") == [3, 1, 3, 3, 3, 3]
    assert sorted(p.name for p in (root / "imagesTs").iterdir()) == [
        "nothing_0000.nii.gz", "test_0000.nii.gz", "val_0000.nii.gz",
    ]  # fmt: skip
    manifest = json.loads((root / "manifest.json").read_text(encoding="utf-8"))
    rows = {row["file"]: row for row in manifest["files"]}
    assert set(rows) == set(done.ids)
    assert rows["labelsTr/liver.nii.gz"]["undecided_voxels"] == 5 * 20
    assert rows["labelsTr/liver.nii.gz"]["labels"] == [{"label": "liver@truth@1", "structures": ["liver"]}]
    assert manifest["undecided"]["value"] == 3
    assert (manifest["operation"], len(manifest["policy"])) == (done.operation, 64)


def test_undecided_can_be_background(partly, tmp_path):
    """With `background` there is no ignore label, and the manifest says how many voxels became background."""
    export_nnunet(partly, tmp_path / "raw", ExportOptions(undecided="background", structures=("liver", "spleen")))
    (root,) = (tmp_path / "raw").iterdir()
    assert json.loads((root / "dataset.json").read_text(encoding="utf-8"))["labels"] == {
        "background": 0,
        "liver": 1,
        "spleen": 2,
    }
    assert along_x(root / "labelsTr" / "liver.nii.gz") == [0, 1, 0, 0, 0, 0]
    manifest = json.loads((root / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["undecided_voxels"] > 0
    assert "background" in manifest["undecided"]["meaning"]


def test_a_source_keeps_its_codes_and_its_supersets(partly, tmp_path):
    """A source's codes stay where they count 1, 2, 3 …; a code for both kidneys is a class of its own."""
    export_msd(partly, tmp_path / "msd", ExportOptions("flare21"))
    document = json.loads((tmp_path / "msd" / "dataset.json").read_text(encoding="utf-8"))
    assert document["labels"] == {
        "0": "background", "1": "liver", "2": "kidneys", "3": "spleen", "4": "pancreas",
    }  # fmt: skip
    assert document["training"] == [{"image": "./imagesTr/kidneys.nii.gz", "label": "./labelsTr/kidneys.nii.gz"}]
    assert along_x(tmp_path / "msd" / "labelsTr" / "kidneys.nii.gz") == [2, 1, 0, 0, 0, 0]
    with partly.catalog.read() as connection:
        (before,) = labels.of_source(connection, "flare21")
    again = LabelOptions("again", "external", mapping=str(tmp_path / "msd" / "dataset.json"))
    ingest_labels(partly, tmp_path / "msd" / "labelsTr", stated("all", None, None), again)
    with partly.catalog.read() as connection:
        (after,) = labels.of_source(connection, "again")
    assert (after.volume, after.codes.table, after.annotated) == (before.volume, *meant(before))


def meant(label):
    """What a label's codes mean, with background said, and what it annotates."""
    return {0: frozenset(), **label.codes.table}, label.annotated


def test_a_newer_revision_speaks_for_what_it_annotates_only(partly, tmp_path):
    """A source's later liver-only label replaces the liver of its earlier one, nothing else; withdrawn, it does not."""
    add_label(partly, tmp_path / "2", "all", blocks(0, 0, 0, 0, 1), "liver", TRUTH)
    options = ExportOptions("truth", structures=("liver", "spleen", "right_kidney"))
    export_monai(partly, tmp_path / "one", options)
    assert along_x(tmp_path / "one" / "labels" / "all.nii.gz") == [0, 3, 4, 2, 1, 0]
    withdraw_source(partly, "truth", "drawn on another scan", yes=True)
    with pytest.raises(InvalidDataError, match="no label speaks"):
        export_monai(partly, tmp_path / "two", options)


def test_splits_stay_apart(partly, tmp_path):
    """`--split` trains with labelled validation cases as nnU-Net's validation fold; test cases never."""
    options = ExportOptions(split=True, structures=("liver",))
    export_nnunet(partly, tmp_path / "raw", options)
    (root,) = (tmp_path / "raw").iterdir()
    assert json.loads((root / "splits_final.json").read_text(encoding="utf-8")) == [
        {"train": ["all", "kidneys", "liver"], "val": ["val"]}
    ]
    assert json.loads((root / "dataset.json").read_text(encoding="utf-8"))["numTraining"] == 4
    export_msd(partly, tmp_path / "msd", options)
    document = json.loads((tmp_path / "msd" / "dataset.json").read_text(encoding="utf-8"))
    assert [row["image"] for row in document["validation"]] == ["./imagesTr/val.nii.gz"]
    assert (document["numTraining"], document["numTest"]) == (3, 2)


def test_monai_reads_its_list(partly, tmp_path):
    """MONAI's own reader finds every file of the list, by split."""
    export_monai(partly, tmp_path / "out", ExportOptions(structures=("liver",)))
    place = str(tmp_path / "out" / "datalist.json")
    for key, count in (("training", 3), ("validation", 1)):
        rows = load_decathlon_datalist(place, is_segmentation=True, data_list_key=key)
        assert len(rows) == count
        assert all(Path(row["image"]).is_file() and Path(row["label"]).is_file() for row in rows)
    assert len(load_decathlon_datalist(place, is_segmentation=True, data_list_key="test")) == 2


def test_cases_that_must_not_train_are_left_out(partly, tmp_path):
    """An excluded case, and a training case whose patient is judged in another split, are left out and named."""
    case_exclude(partly, "liver", "motion")
    add_case(partly, tmp_path / "twin", "twin", 5)  # the voxels of `val`
    add_label(partly, tmp_path / "l", "twin", blocks(1), "liver", TRUTH)
    export_nnunet(partly, tmp_path / "raw", ExportOptions(structures=("liver",)))
    (root,) = (tmp_path / "raw").iterdir()
    manifest = json.loads((root / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["left_out"] == {"excluded": ["liver"], "patient-in-another-split": ["twin"]}
    assert not list(root.rglob("liver*"))


def test_version_1_of_nnunet(partly, tmp_path):
    """Task501_Name with the list that version 1 reads; it has no ignore label, so background must be asked for."""
    with pytest.raises(UsageError, match="--undecided background"):
        export_nnunet(partly, tmp_path / "raw", ExportOptions(), NnunetName(501, "A", first=True))
    options = ExportOptions(undecided="background", structures=("liver",))
    export_nnunet(partly, tmp_path / "raw", options, NnunetName(501, "A", first=True))
    document = json.loads((tmp_path / "raw" / "Task501_A" / "dataset.json").read_text(encoding="utf-8"))
    assert {"image": "./imagesTr/all.nii.gz", "label": "./labelsTr/all.nii.gz"} in document["training"]
    assert (tmp_path / "raw" / "Task501_A" / "imagesTr" / "all_0000.nii.gz").is_file()


def test_the_labels_lie_on_the_scans_axes(empty, tmp_path):
    """A label whose file was laid out otherwise than its scan's goes out on the scan's axes; as NIfTI on its own."""
    add_case(empty, tmp_path, "a")
    turned = np.diag([-1.0, 1.0, 1.0, 1.0]) @ SPACE.matrix
    turned[0, 3] = SPACE.matrix[0, 3] + SPACE.matrix[0, 0] * (SPACE.shape[0] - 1)
    space = file_space(SPACE.shape, turned, np.dtype(np.uint8), SPACE.pixdim)
    write_nifti(tmp_path / "a.nii.gz", blocks(1, 2).astype(np.uint8), space)
    assert ingest_labels(empty, tmp_path / "a.nii.gz", stated("all", None, None), TRUTH).failed == 0
    export_msd(empty, tmp_path / "msd", ExportOptions("truth"))
    export_nifti(empty, tmp_path / "out")
    image = nibabel.load(tmp_path / "msd" / "imagesTr" / "a.nii.gz")
    assert np.array_equal(nibabel.load(tmp_path / "msd" / "labelsTr" / "a.nii.gz").affine, image.affine)
    own = nibabel.load(tmp_path / "out" / "labels" / "truth" / "1" / "a.nii.gz")
    assert np.array_equal(own.affine, nibabel.load(tmp_path / "a.nii.gz").affine)
    assert not np.array_equal(own.affine, image.affine)


def test_a_number_is_taken_once(partly, tmp_path):
    """nnU-Net cannot tell two data sets of one number apart: the second is refused."""
    export_nnunet(partly, tmp_path / "raw", name=NnunetName(9, "First"))
    with pytest.raises(ConflictError, match="Dataset009_First has that number"):
        export_nnunet(partly, tmp_path / "raw", name=NnunetName(9, "Second"))


def test_a_snapshot_leaves_as_it_was_frozen(partly, tmp_path):
    """What a snapshot froze goes out, about its task's structures, whatever has become current since."""
    name = snapshot_create(partly, "organ").ids[0]
    add_label(partly, tmp_path / "2", "liver", blocks(0, 0, 1), "liver", TRUTH)
    export_nifti(partly, tmp_path / "then", ExportOptions(snapshot=name, structures=("liver",)))
    export_nifti(partly, tmp_path / "now", ExportOptions("current", structures=("liver",)))
    assert along_x(tmp_path / "then" / "labels" / "current" / "liver.nii.gz") == [0, 1, 0, 0, 0, 0]
    assert along_x(tmp_path / "now" / "labels" / "current" / "liver.nii.gz") == [0, 0, 1, 0, 0, 0]
    manifest = json.loads((tmp_path / "then" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["snapshot"] == name
    with pytest.raises(UsageError, match="--labels current"):
        export_nnunet(partly, tmp_path / "raw", ExportOptions("truth", snapshot=name))
    with pytest.raises(NotFoundError, match="tumor"):
        export_nnunet(partly, tmp_path / "raw", ExportOptions(snapshot=name, structures=("tumor",)))
