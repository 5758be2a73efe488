"""The cases of a list: registered, announced, imported where files are there; what the list gets wrong is said."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from flaredb.errors import ConflictError, InvalidDataError
from flaredb.workflow.ingest.annotated import stated
from flaredb.workflow.ingest.images import ImageOptions, ingest_images
from flaredb.workflow.ingest.labels import LabelOptions
from flaredb.workflow.ingest.manifest import ManifestOptions, ingest_manifest
from flaredb.workflow.integrity.fsck import fsck
from flaredb.workflow.provenance.current import label_current
from flaredb.workflow.status import status
from tests.builders import REAL_DATA
from tests.cohorts import add_label, blocks, codes, content, flaredb, rules, scan

MANIFESTS = REAL_DATA / "manifests"
real = pytest.mark.skipif(not MANIFESTS.is_dir(), reason="needs the manifests of the real data")
TRUTH = ManifestOptions(source="flare23", kind="ground-truth")
LABELS = LabelOptions("flare23", "ground-truth")


def write(folder: Path, *names: str, **more: Any) -> Path:
    """A manifest that lists these cases for training."""
    folder.mkdir(parents=True, exist_ok=True)
    training = [{"image": f"./imagesTr/{n}.nii.gz", "label": f"./labelsTr/{n}.nii.gz"} for n in names]
    path = folder / "dataset.json"
    path.write_text(json.dumps({"name": "FLARE23", "training": training} | more))
    return path


def table(folder: Path, **annotated: str) -> Path:
    """What is annotated, by case."""
    path = folder / "annotated.csv"
    path.write_text("case,annotated\n" + "".join(f"{case},{names}\n" for case, names in annotated.items()))
    return path


def patterns(workspace: Any) -> list[tuple[int, int]]:
    """How many structures are annotated in how many cases, the most frequent first."""
    return [(len(row["structures"]), row["cases"]) for row in status(workspace)["patterns"]]


@real
def test_the_authors_list(empty):
    """By the list alone there are 2,199 cases; the finding names the missing one; with the table's there are 2,200."""
    common = ("ingest", "manifest", MANIFESTS / "dataset_2200.json", "--source", "flare23", "--kind", "ground-truth")
    common = (*common, "--annotated-from", MANIFESTS / "flare23_annotated.csv")
    began = time.monotonic()
    done = flaredb(*common, workspace=empty.root)
    assert time.monotonic() - began < 20
    assert (done.code, done.json["added"], done.json["failed"], len(done.json["ids"])) == (0, 2199, 0, 2199)
    messages = [finding["message"] for finding in done.json["findings"] if finding["case"] == "FLARE23_0874"]
    assert len(messages) == 2
    assert all("FLARE23_0874" in message for message in messages)
    assert patterns(empty) == [(1, 887), (6, 609), (5, 453), (13, 250)]
    assert status(empty)["cases"] == 2199
    again = flaredb(*common, workspace=empty.root).json
    assert (again["added"], again["unchanged"], again["failed"]) == (0, 2199, 0)
    more = flaredb(*common, "--add-cases", workspace=empty.root).json
    assert (more["ids"], more["unchanged"]) == (["FLARE23_0874"], 2199)
    assert patterns(empty) == [(1, 888), (6, 609), (5, 453), (13, 250)]
    query = """SELECT count(DISTINCT "case") AS n FROM label_provenance WHERE structure = 'pancreas' AND "case" NOT IN
               (SELECT "case" FROM label_provenance WHERE structure = 'tumor')"""
    assert flaredb("sql", query, workspace=empty.root).json == [{"n": 703}]
    kinds = empty.sql('SELECT kind, count(DISTINCT "case") AS n FROM label_provenance GROUP BY kind ORDER BY kind')
    assert [tuple(row.values()) for row in kinds] == [("ground-truth", 1312), ("tumor-only", 888)]
    assert fsck(empty).problems == ()


@real
def test_a_list_without_labels(empty):
    """Without a source only cases are registered, and it is said that labels were left out."""
    done = ingest_manifest(empty, MANIFESTS / "dataset_organ.json")
    assert (done.added, done.failed) == (222, 0)
    assert rules(done) == ["count-differs", "numbering-gap", "other-list", "labels-left-out"]
    assert empty.sql("SELECT count(*) AS n FROM labels") == [{"n": 0}]
    assert {row["split"] for row in empty.sql("SELECT split FROM cases")} == {"train"}
    done = ingest_manifest(empty, MANIFESTS / "dataset_organ.json", options=ManifestOptions("test"))
    assert (done.added, done.failed) == (100, 0)
    counts = empty.sql("SELECT split, count(*) AS n FROM cases GROUP BY split ORDER BY split")
    assert [tuple(row.values()) for row in counts] == [("test", 100), ("train", 222)]


def test_an_announced_label_wins_nothing_until_its_voxels_come(empty, tmp_path):
    """What is annotated is known, nothing is current; the scan fills the case, the file becomes the next revision."""
    path, said = write(tmp_path, "a"), table(tmp_path, a="liver spleen")
    done = ingest_manifest(empty, path, stated(None, None, said), TRUTH)
    assert (done.ids, done.findings) == (("a",), ())
    rows = empty.sql("SELECT label, structure, annotated, voxels FROM label_provenance ORDER BY structure")
    assert [tuple(row.values())[:3] for row in rows] == [
        ("a@flare23@1", "liver", "exhaustive"),
        ("a@flare23@1", "spleen", "exhaustive"),
    ]
    assert {row["label"] for row in label_current(empty, "a")} == {None}
    assert ingest_images(empty, scan(tmp_path / "a_0000.nii.gz")).ids == ("a",)
    assert add_label(empty, tmp_path / "l", "a", blocks(1, 3), "liver,spleen", LABELS).ids == ("a@flare23@2",)
    assert {row["label"] for row in label_current(empty, "a")} == {None, "a@flare23@2"}
    again = ingest_manifest(empty, path, stated(None, None, said), TRUTH)
    assert (again.added, again.unchanged, again.failed) == (0, 1, 0)
    assert fsck(empty).problems == ()


def test_announcing_accepts_nothing(empty, tmp_path):
    """A label that was kept from counting stays so when its source announces others."""
    assert ingest_images(empty, scan(tmp_path / "a_0000.nii.gz")).added == 1
    add_label(empty, tmp_path / "l", "a", blocks(1), "liver", LABELS._replace(accepted=False))
    ingest_manifest(empty, write(tmp_path, "b"), stated("liver", None, None), TRUTH)
    assert {row["label"] for row in label_current(empty, "a")} == {None}


def test_an_announcement_does_not_speak_over_voxels(empty, tmp_path):
    """A list that says otherwise of a label whose voxels are there is a finding, and the label stays as it is."""
    assert ingest_images(empty, scan(tmp_path / "a_0000.nii.gz")).added == 1
    add_label(empty, tmp_path / "l", "a", blocks(1), "liver", LABELS)
    before = content(empty)
    done = ingest_manifest(empty, write(tmp_path, "a"), stated("liver,spleen", None, None), TRUTH)
    assert (done.failed, rules(done)) == (1, ["annotated-differs"])
    assert content(empty) == before


def test_a_corrected_announcement_is_a_new_revision(empty, tmp_path):
    """Saying something else of a label without voxels is its next revision; saying the first again is nothing new."""
    path = write(tmp_path, "a")
    for annotated, added in (("liver", 1), ("liver,spleen", 1), ("liver", 0)):
        assert ingest_manifest(empty, path, stated(annotated, None, None), TRUTH).added == added
    labels = empty.sql("SELECT DISTINCT label FROM label_provenance ORDER BY label")
    assert [row["label"] for row in labels] == ["a@flare23@1", "a@flare23@2"]


def test_files_beside_the_list_come_in(empty, tmp_path):
    """Scans and labels that are there are imported, with or without the channel in the name; the rest is registered."""
    path, said = write(tmp_path, "a_1", "a_2", "a_3"), table(tmp_path, a_1="liver", a_2="liver spleen", a_3="tumor")
    scan(tmp_path / "imagesTr" / "a_1_0000.nii.gz", 1)
    scan(tmp_path / "imagesTr" / "a_2.nii.gz", 2)
    scan(tmp_path / "imagesTr" / "unlisted_0000.nii.gz", 3)
    codes(tmp_path / "labelsTr" / "a_1.nii.gz", blocks(1))
    codes(tmp_path / "labelsTr" / "a_3.nii.gz", blocks(14))
    done = ingest_manifest(empty, path, stated(None, None, said), TRUTH)
    assert (sorted(done.ids), done.failed) == (["a_1", "a_2", "a_3"], 0)
    assert rules(done) == ["file-missing", "label-waits"]
    rows = empty.sql("SELECT c.name, c.image IS NOT NULL, l.volume IS NOT NULL FROM cases c JOIN labels l "
                     "ON l.case_id = c.id ORDER BY c.name")  # fmt: skip
    assert [tuple(row.values()) for row in rows] == [("a_1", 1, 1), ("a_2", 1, 0), ("a_3", 0, 0)]
    assert {row["label"] for row in label_current(empty, "a_1")} == {None, "a_1@flare23@1"}
    before = content(empty)
    again = ingest_manifest(empty, path, stated(None, None, said), TRUTH)
    assert (again.added, again.unchanged, again.failed) == (0, 3, 0)
    assert content(empty) == before
    scan(tmp_path / "imagesTr" / "a_3_0000.nii.gz", 4)
    assert ingest_manifest(empty, path, stated(None, None, said), TRUTH).ids == ("a_3",)
    assert {row["label"] for row in label_current(empty, "a_3")} == {None, "a_3@flare23@2"}
    assert fsck(empty, voxels=True).problems == ()


def test_a_label_beside_the_list_finds_its_scan_in_the_workspace(empty, tmp_path):
    """A label's file is imported where the scan came in before, from wherever; nothing waits."""
    assert ingest_images(empty, scan(tmp_path / "a_0000.nii.gz")).added == 1
    path = write(tmp_path / "list", "a")
    codes(tmp_path / "list" / "labelsTr" / "a.nii.gz", blocks(1))
    done = ingest_manifest(empty, path, stated("liver", None, None), TRUTH)
    assert (done.ids, done.findings) == (("a",), ())
    assert {row["label"] for row in label_current(empty, "a")} == {None, "a@flare23@1"}


def test_the_table_says_the_kind(empty, tmp_path):
    """A kind in the table's row holds for that case, announced as imported."""
    (tmp_path / "t.csv").write_text("case,annotated,kind\na,liver,external\nb,liver,\n")
    options = ManifestOptions(source="s", kind="pseudo")
    ingest_manifest(empty, write(tmp_path, "a", "b"), stated(None, None, tmp_path / "t.csv"), options)
    rows = empty.sql('SELECT "case", kind FROM label_provenance ORDER BY 1')
    assert [tuple(row.values()) for row in rows] == [("a", "external"), ("b", "pseudo")]


def test_cases_of_the_other_lists(empty, tmp_path):
    """What the table says of a case of another list is no surprise; a bare path of that list has no label."""
    path, said = write(tmp_path, "a", test=["t.nii.gz"]), table(tmp_path, a="liver", t="liver")
    done = ingest_manifest(empty, path, stated(None, None, said), TRUTH)
    assert (done.ids, rules(done)) == (("a",), ["other-list"])
    done = ingest_manifest(empty, path, stated("liver", None, None), TRUTH._replace(split="test"))
    assert (done.ids, rules(done)) == (("t",), ["other-list"])
    assert {row["case"] for row in empty.sql('SELECT "case" FROM label_provenance')} == {"a"}


def test_a_bad_file_fails_alone(empty, tmp_path):
    """A scan that cannot be read makes its case fail, with its label; the others come in."""
    path = write(tmp_path, "a", "b")
    scan(tmp_path / "imagesTr" / "a_0000.nii.gz", 1)
    (tmp_path / "imagesTr" / "b_0000.nii.gz").write_bytes(b"no scan")
    for name in "ab":
        codes(tmp_path / "labelsTr" / f"{name}.nii.gz", blocks(1))
    done = flaredb("ingest", "manifest", path, "--source", "flare23", "--kind", "ground-truth", "--annotated", "liver",
                   workspace=empty.root)  # fmt: skip
    assert (done.code, done.json["ids"], done.json["failed"]) == (1, ["a"], 1)
    assert {finding["case"] for finding in done.json["findings"]} == {"b"}
    assert [row["name"] for row in empty.sql("SELECT name FROM cases WHERE image IS NULL")] == ["b"]


@pytest.mark.parametrize("image", ["../secret.nii.gz", "/etc/secret.nii.gz", "imagesTr/../../secret.nii.gz"])
def test_a_path_outside_is_refused(empty, tmp_path, image):
    """A list cannot bring in files outside its folder: a finding, and neither file nor case comes in."""
    scan(tmp_path / "secret.nii.gz")
    path = write(tmp_path / "list", "a", training=[{"image": image}, {"image": "imagesTr/a.nii.gz"}])
    done = flaredb("ingest", "manifest", path, workspace=empty.root)
    assert (done.code, done.json["ids"], done.json["failed"]) == (1, ["a"], 1)
    assert [finding["rule"] for finding in done.json["findings"]] == ["outside-root"]
    assert [row["name"] for row in empty.sql("SELECT name FROM cases")] == ["a"]
    assert list(empty.volumes.digests()) == []
    assert not any(str(tmp_path) in finding["path"] for finding in done.json["findings"])


def test_the_table_and_the_list_differ(empty, tmp_path):
    """A listed case that the table is silent about, and one it names that is not listed: both are said."""
    path, said = write(tmp_path, "a", "b"), table(tmp_path, a="liver", c="spleen")
    done = ingest_manifest(empty, path, stated(None, None, said), TRUTH)
    assert (done.ids, done.failed, rules(done)) == (("a",), 1, ["not-annotated", "not-listed"])
    assert [finding.case for finding in done.findings] == ["b", "c"]
    assert [row["name"] for row in empty.sql("SELECT name FROM cases ORDER BY name")] == ["a", "b"]
    stored = empty.sql("SELECT rule FROM findings ORDER BY id")
    assert [row["rule"] for row in stored] == ["not-annotated", "not-listed"]
    done = ingest_manifest(empty, path, stated(None, None, said), TRUTH._replace(add_cases=True))
    assert done.ids == ("c",)
    assert [row["name"] for row in empty.sql("SELECT name FROM cases ORDER BY name")] == ["a", "b", "c"]


@pytest.mark.parametrize("annotated", ["lever", "present", "nan", "liver@spleen", ""])
def test_a_wrong_statement_fails_its_case_alone(empty, tmp_path, annotated):
    """A structure that is not there, what only voxels could tell, or nothing: a finding, and no label of that case."""
    path, said = write(tmp_path, "a", "b"), table(tmp_path, a=annotated, b="liver")
    done = ingest_manifest(empty, path, stated(None, None, said), TRUTH)
    assert (done.ids, done.failed, rules(done)) == (("b",), 1, ["annotated-wrong"])
    assert [row["case"] for row in empty.sql('SELECT "case" FROM label_provenance')] == ["b"]


def test_a_case_keeps_its_split(empty, tmp_path):
    """A case that is there stays in its split, with a warning; two lists cannot both have a case."""
    assert ingest_images(empty, scan(tmp_path / "a_0000.nii.gz"), options=ImageOptions("test")).added == 1
    done = ingest_manifest(empty, write(tmp_path, "a"))
    assert rules(done) == ["labels-left-out", "split-kept"]
    assert empty.sql("SELECT split FROM cases") == [{"split": "test"}]


def test_one_patient_in_two_splits_is_said(empty, tmp_path):
    """A scan that turns out to be another split's patient is a warning that names both splits."""
    assert ingest_images(empty, scan(tmp_path / "a_0000.nii.gz", 1), options=ImageOptions("test")).added == 1
    path = write(tmp_path / "list", "b")
    scan(tmp_path / "list" / "imagesTr" / "b_0000.nii.gz", 1)
    done = ingest_manifest(empty, path)
    assert rules(done) == ["labels-left-out", "duplicate-image", "two-splits"]
    assert "test, train" in done.findings[-1].message


def test_dry_run_changes_nothing(empty, tmp_path):
    """`--dry-run` says what would come in, with the findings, and writes nothing."""
    path, said = write(tmp_path, "a_1", "a_3", numTraining=3), table(tmp_path, a_1="liver", a_3="tumor")
    scan(tmp_path / "imagesTr" / "a_1_0000.nii.gz")
    codes(tmp_path / "labelsTr" / "a_1.nii.gz", blocks(1))
    done = flaredb("ingest", "manifest", path, "--source", "flare23", "--kind", "ground-truth", "--annotated-from",
                   said, "--dry-run", workspace=empty.root)  # fmt: skip
    assert done.code == 0
    assert done.json["would"] == {
        "cases": ["a_1", "a_3"],
        "announced": ["a_3@flare23"],
        "images": ["a_1"],
        "labels": ["a_1@flare23"],
    }
    assert [finding["rule"] for finding in done.json["findings"]] == ["count-differs", "numbering-gap", "file-missing"]
    assert not empty.sql("SELECT * FROM cases")
    assert not empty.sql("SELECT * FROM sources")
    assert len(empty.sql("SELECT * FROM runs")) == 1


@pytest.mark.parametrize(
    "options",
    [
        ["--source", "s"],
        ["--source", "s", "--kind", "ground-truth"],
        ["--annotated", "liver"],
        ["--add-cases"],
        ["--source", "../s", "--kind", "ground-truth", "--annotated", "liver"],
    ],
)
def test_half_said_options_change_nothing(empty, tmp_path, options):
    """A source without a kind or without what is annotated is refused before anything is written."""
    done = flaredb("ingest", "manifest", write(tmp_path, "a"), *options, workspace=empty.root)
    assert done.code == 5, done.err
    assert not empty.sql("SELECT * FROM cases")
    assert not empty.sql("SELECT * FROM labels")


def test_a_human_source_takes_no_generated_labels(empty, tmp_path):
    """Kinds made by people and by models do not share a source; the whole import is refused."""
    ingest_manifest(empty, write(tmp_path, "a"), stated("liver", None, None), TRUTH)
    with pytest.raises(ConflictError, match="flare23"):
        ingest_manifest(
            empty, write(tmp_path, "b"), stated("liver", None, None), ManifestOptions(source="flare23", kind="pseudo")
        )
    assert [row["name"] for row in empty.sql("SELECT name FROM cases")] == ["a"]


def test_a_version_two_manifest_says_the_way(empty, tmp_path):
    """nnU-Net v2 without a list: exit 5, and the error names the command that helps."""
    path = tmp_path / "dataset.json"
    path.write_text(json.dumps({"channel_names": {"0": "CT"}, "numTraining": 50, "file_ending": ".nii.gz"}))
    done = flaredb("ingest", "manifest", path, workspace=empty.root)
    assert done.code == 5
    assert "flaredb ingest images" in done.json["error"]
    with pytest.raises(InvalidDataError, match="50"):
        ingest_manifest(empty, path)
