"""Real scans and labels through the command line, from import to export, and a small training on them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import SimpleITK

from flaredb.labels.structures import FLARE23
from tests.cohorts import flaredb, sets

DATA = Path(os.environ.get("FLAREDB_TEST_DATA") or Path(__file__).parents[2] / "shared" / "data")
pytestmark = pytest.mark.skipif(not DATA.exists(), reason=f"{DATA} is not on this machine (FLAREDB_TEST_DATA)")

IRCAD = "liver,right_kidney,spleen,left_kidney,tumor"
NAMES = FLARE23.names
ORGANS = ",".join(name for name in NAMES if name not in ("esophagus", "liver", "tumor"))
SMALL = ["2023-08-29", "2023-09-20", "2023-10-26", "2025-04-15", "2026_fast"]
V1, V2 = "2022-08-04_v1", "2026_fast_v2"
EXTERNAL = ("--kind", "external")


def label_files() -> dict[str, Path]:
    """Label name → the file it comes from."""
    ct, small = DATA / "totalseg" / "ct_labels", DATA / "totalseg" / "ct_sm_labels"
    return {
        "ircad_p01@ircad@1": DATA / "ircad_p01" / "labels.nii.gz",
        "ct@totalseg@1": ct / f"{V1}.nii.gz",
        "ct@totalseg@2": ct / f"{V2}.nii.gz",
        **{f"ct_sm@totalseg@{i}": small / f"{name}.nii.gz" for i, name in enumerate(SMALL, start=1)},
        "ct_sm@totalseg@6": small / "2026_liver_only.nii.gz",
        "dicom20@totalseg@1": DATA / "dicom20" / "seg.nii.gz",
    }


def image_files() -> dict[str, Path]:
    """Case → the file or folder it comes from."""
    return {
        "ircad_p01": DATA / "ircad_p01" / "ct.nii.gz",
        "ct": DATA / "totalseg" / "ct.nii.gz",
        "ct_sm": DATA / "totalseg" / "ct_sm.nii.gz",
        "dicom20": DATA / "dicom20" / "dicom",
    }


def import_all(root: Path) -> list[dict[str, Any]]:
    """Import everything; what each import said."""
    table = json.loads((DATA / "ircad_p01" / "label_map.json").read_text(encoding="utf-8"))
    lines = [f'{code} = "{NAMES[value - 1]}"' for code, value in table["to_FLARE23"].items()]
    mapping = root.with_name("ircad.toml")
    mapping.write_text("\n".join(["range = 513", "[codes]", *lines]))
    commands: list[tuple[object, ...]] = [
        ("images", path, "--case", case, "--split", "validation" if case == "dicom20" else "train")
        for case, path in image_files().items()
    ]
    for name, path in label_files().items():
        case, source, _ = name.split("@")
        common = ("labels", path, "--case", case, "--source", source)
        if source == "ircad":
            commands.append((*common, "--kind", "ground-truth", "--annotated", IRCAD, "--mapping", mapping))
            continue
        annotated = "liver" if "liver_only" in path.name else ORGANS
        annotated = (
            f"{annotated},liver" if case in ("ct_sm", "dicom20") and "liver_only" not in path.name else annotated
        )
        version = "totalsegmentator-v1" if V1 in path.name else "totalsegmentator-v2"
        commands.append((*common, *EXTERNAL, "--annotated", annotated, "--mapping", version))
    done = [flaredb("ingest", *command, workspace=root) for command in commands]
    assert [d.code for d in done] == [0] * len(done), [d.err for d in done]
    return [d.json for d in done]


@pytest.fixture(scope="session")
def imported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict[str, Any]]]:
    root = tmp_path_factory.mktemp("real") / "workspace"
    assert flaredb("init", root).code == 0
    return root, import_all(root)


def current(root: Path, case: str) -> dict[str, dict[str, Any]]:
    rows = flaredb("label", "current", case, workspace=root).json
    assert {row["case"] for row in rows} == {case}
    return {row["structure"]: row for row in rows}


def test_everything_comes_in(imported):
    """Four scans and ten labels are added, each under the name that its command gave, and no file fails."""
    _, said = imported
    assert [(d["added"], d["unchanged"], d["failed"]) for d in said] == [(1, 0, 0)] * len(said)
    assert [name for d in said for name in d["ids"]] == [*image_files(), *label_files()]


def test_importing_again_changes_nothing(imported):
    """The same imports find everything unchanged; an older revision does not become the newest."""
    root, said = imported
    before = flaredb("label", "current", workspace=root).json
    again = import_all(root)
    assert [(d["added"], d["unchanged"], d["failed"]) for d in again] == [(0, 1, 0)] * len(said)
    assert flaredb("label", "current", workspace=root).json == before


def test_ground_truth_is_current_for_what_it_annotates(imported):
    """The expert's five structures are current; of the nine others nobody speaks."""
    rows = current(imported[0], "ircad_p01")
    assert {name for name, row in rows.items() if row["label"]} == set(IRCAD.split(","))
    assert all(
        (row["label"], row["kind"], row["exhaustive"]) == ("ircad_p01@ircad@1", "ground-truth", True)
        for row in rows.values()
        if row["label"]
    )
    assert len(rows) == 14
    assert all(row["reason"] and not row["contributors"] for row in rows.values())


def test_a_liver_only_revision_supersedes_the_liver_only(imported):
    """The sixth version of the crop wins the liver; the other organs stay with the fifth, nobody has the esophagus."""
    rows = current(imported[0], "ct_sm")
    assert rows["liver"]["label"] == "ct_sm@totalseg@6"
    others = {row["label"] for name, row in rows.items() if name not in ("liver", "esophagus", "tumor")}
    assert others == {"ct_sm@totalseg@5"}
    assert rows["esophagus"]["label"] is None
    assert rows["tumor"]["label"] is None


def test_a_newer_class_map_supersedes_an_older_one(imported):
    """Of the two versions with different class maps the second is current, for what was annotated."""
    rows = current(imported[0], "ct")
    assert {row["label"] for row in rows.values()} == {"ct@totalseg@2", None}
    assert rows["liver"]["label"] is None
    assert rows["pancreas"]["label"] == "ct@totalseg@2"


def test_every_loser_is_told_why(imported):
    """`label explain` lists every version of the crop with an outcome and a reason."""
    for row in flaredb("label", "explain", "ct_sm", workspace=imported[0]).json:
        expected = {"liver": 6, "esophagus": 0, "tumor": 0}.get(row["structure"], 5)
        assert len(row["candidates"]) == expected
        assert all(c["reason"] and c["outcome"] in ("won", "superseded") for c in row["candidates"])
        assert [c["label"] for c in row["candidates"] if c["outcome"] == "won"] == [row["winner"]] * bool(expected)


def test_labels_are_counted_by_kind(imported):
    """A question in SQL gets the number of annotated structures by kind."""
    query = "SELECT kind, count(*) AS n FROM label_provenance GROUP BY kind"
    rows = {row["kind"]: row["n"] for row in flaredb("sql", query, workspace=imported[0]).json}
    assert rows == {"ground-truth": 5, "external": 2 * 11 + 5 * 12 + 1 + 12}


def test_export_gives_back_what_came_in(imported, tmp_path):
    """Every image and label leaves with the voxels, codes and affine of its file, the flipped one included."""
    root, _ = imported
    done = flaredb("export", "nifti", tmp_path / "out", workspace=root)
    assert (done.code, done.json["added"]) == (0, 4 + len(label_files()))
    for name, path in label_files().items():
        case, source, revision = name.split("@")
        same_file(tmp_path / "out" / "labels" / source / revision / f"{case}.nii.gz", path)
    for case, path in image_files().items():
        out = tmp_path / "out" / "images" / f"{case}_0000.nii.gz"
        if path.is_file():
            same_file(out, path)
        else:
            same_series(out, path)
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text(encoding="utf-8"))
    assert len(manifest["files"]) == done.json["added"]
    assert all(len(row["volume"]) == 64 for row in manifest["files"])


def same_file(out: Path, original: Path) -> None:
    written, wanted = nibabel.load(out), nibabel.load(original)
    np.testing.assert_array_equal(np.asarray(written.dataobj), np.asarray(wanted.dataobj))
    np.testing.assert_allclose(written.affine, wanted.affine, atol=1e-6)
    assert nibabel.aff2axcodes(written.affine) == nibabel.aff2axcodes(wanted.affine)


def same_series(out: Path, folder: Path) -> None:
    written = SimpleITK.ReadImage(str(out))
    reader = SimpleITK.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    wanted = reader.Execute()
    np.testing.assert_array_equal(SimpleITK.GetArrayFromImage(written), SimpleITK.GetArrayFromImage(wanted))
    np.testing.assert_allclose(written.GetOrigin(), wanted.GetOrigin(), atol=1e-3)
    np.testing.assert_allclose(written.GetSpacing(), wanted.GetSpacing(), atol=1e-5)
    np.testing.assert_allclose(written.GetDirection(), wanted.GetDirection(), atol=1e-6)


def test_catalogue_and_volumes_agree(imported):
    """`fsck --voxels` reads every volume and finds nothing wrong; a version of other codes is a volume of its own."""
    done = flaredb("fsck", "--voxels", workspace=imported[0])
    assert (done.code, done.json["problems"]) == (0, [])
    assert done.json["checked"] == 4 + len(label_files())


@pytest.fixture(scope="session")
def trained(imported) -> tuple[Path, dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Four steps, four more, and eight at once."""
    root, _ = imported
    task = ("train", "--task", "organ", "--preset", "tiny", "--device", "cpu")
    first = flaredb(*task, *sets(steps=4, schedule_steps=8), workspace=root)
    assert first.code == 0, first.err
    resumed = flaredb("train", "--resume", first.json["model"], "--set", "steps=8", "--device", "cpu", workspace=root)
    assert resumed.code == 0, resumed.err
    whole = flaredb(*task, *sets(steps=8), workspace=root)
    assert whole.code == 0, whole.err
    return root, first.json, resumed.json, whole.json


def test_resumed_training_is_training(trained):
    """Four steps and four more give the very losses of eight steps, from the same snapshot."""
    _, first, resumed, whole = trained
    assert resumed["losses"] == whole["losses"]
    assert first["losses"] == whole["losses"][:4]
    assert first["snapshot"] == resumed["snapshot"] == whole["snapshot"]
    assert len({first["model"], resumed["model"], whole["model"]}) == 3


def test_prediction_and_evaluation(trained):
    """A model labels the DICOM series on its own lattice, and is scored only on what the reference annotates."""
    root, _, _, whole = trained
    done = flaredb("predict", "--model", whole["model"], "--where", "\"case\" = 'dicom20'", workspace=root)
    assert (done.code, done.json["added"]) == (0, 1), done.err
    scored = flaredb("evaluate", "--model", whole["model"], "--against", "totalseg", workspace=root)
    assert scored.code == 0, scored.err
    (row,) = scored.json["cases"]
    assert row["case"] == "dicom20"
    assert set(row["structures"]) == {*ORGANS.split(","), "liver"}
    assert all(0 <= value <= 1 for scores in row["structures"].values() for value in scores.values())
    assert scored.json["tumor"] is None
