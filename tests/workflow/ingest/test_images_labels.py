"""What comes in, what is refused and said about it, and what a second import changes."""

from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pytest

from flaredb.errors import InvalidDataError
from flaredb.workflow.export.nifti import export_nifti
from flaredb.workflow.ingest.annotated import stated
from flaredb.workflow.ingest.images import ingest_images
from flaredb.workflow.ingest.labels import LabelOptions, ingest_labels
from flaredb.workflow.integrity.fsck import fsck
from flaredb.workflow.provenance.current import label_current
from flaredb.workspace import Workspace
from tests.cohorts import SPACE, add_case, add_label, blocks, codes, content, fill, flaredb, rules, scan

TRUTH = LabelOptions("flare23", "ground-truth")
OTHER = LabelOptions("aladdin5", "external")
SHAPE = SPACE.shape


def winners(workspace: Workspace, case: str) -> dict[str, str]:
    """Structure → current label, where there is one."""
    return {row["structure"]: row["label"] for row in label_current(workspace, case) if row["label"]}


def nifti(path: Path, array: np.ndarray) -> Path:
    """A file with nibabel, for what our own writer would not write."""
    nibabel.save(nibabel.Nifti1Image(array, SPACE.matrix), path)
    return path


def test_a_cohort_comes_in_whole(workspace, files):
    """Every scan and label of the cohort is there, with the splits and annotated structures that were stated."""
    assert fsck(workspace, voxels=True).problems == ()
    splits = workspace.sql("SELECT split, count(*) AS n FROM cases GROUP BY split ORDER BY split")
    assert {row["split"]: row["n"] for row in splits} == {"train": 8, "validation": 2, "test": 1}
    kinds = workspace.sql("SELECT kind, count(DISTINCT label) AS n FROM label_provenance GROUP BY kind")
    assert {row["kind"]: row["n"] for row in kinds} == {"ground-truth": 3 + 3, "tumor-only": 2, "external": 10}


def test_a_second_import_changes_nothing(workspace, files):
    """Importing the cohort again leaves cases, labels and volumes as they are, and says so."""
    before, volumes = content(workspace), set(workspace.volumes.digests())
    fill(workspace, files)
    again = ingest_images(workspace, files / "imagesTr2200")
    assert (again.added, again.unchanged, again.failed, again.findings) == (0, 5, 0, ())
    assert content(workspace) == before
    assert set(workspace.volumes.digests()) == volumes


def test_labels_without_annotated_are_refused(workspace, files):
    """Nothing is read and nothing changes when nobody says what is annotated; the error names the options, exit 5."""
    before = content(workspace)
    labels = ("ingest", "labels", files / "labelsTr2200", "--source", "new", "--kind", "external")
    done = flaredb(*labels, workspace=workspace.root)
    assert done.code == 5
    assert "--annotated" in done.json["error"]
    assert "--annotated-from" in done.json["error"]
    assert content(workspace) == before
    assert not workspace.sql("SELECT * FROM sources WHERE name = 'new'")


def test_a_case_missing_from_the_table_is_refused(workspace, files, tmp_path):
    """A table that leaves a case out stops the import before anything is stored, and names the case."""
    (tmp_path / "some.csv").write_text("case,annotated\nFLARE23_0001,liver\n")
    with pytest.raises(InvalidDataError, match="nobody says what FLARE23"):
        ingest_labels(workspace, files / "labelsTr2200", stated(None, None, tmp_path / "some.csv"), OTHER)
    assert not workspace.sql("SELECT * FROM sources WHERE name = 'aladdin5'")


BAD_IMAGES = {
    "truncated": "",
    "empty": "",
    "four-d": "",
    "nan": "not-finite",
    "huge": "hu-out-of-range",
    "half": "hu-not-integer",
}


def bad_images(folder: Path) -> None:
    whole = scan(folder / "truncated.nii.gz").read_bytes()
    (folder / "truncated.nii.gz").write_bytes(whole[: len(whole) // 2])
    (folder / "empty.nii.gz").write_bytes(b"")
    nifti(folder / "four-d.nii.gz", np.zeros((*SHAPE, 3), np.int16))
    nifti(folder / "nan.nii.gz", np.full(SHAPE, np.nan, np.float32))
    nifti(folder / "huge.nii.gz", np.full(SHAPE, 70_000, np.int32))
    nifti(folder / "half.nii.gz", np.full(SHAPE, 0.5, np.float32))


def test_bad_scans_are_findings_and_good_ones_come_in(empty, tmp_path):
    """Each damaged or senseless scan is one error with its case and file; the good ones come in, exit 1, no remains."""
    folder = tmp_path / "images"
    folder.mkdir()
    bad_images(folder)
    scan(folder / "good_0000.nii.gz", 1)
    scan(folder / "sub" / "fine.nii.gz", 2)
    done = flaredb("ingest", "images", folder, workspace=empty.root)
    assert done.code == 1
    assert (done.json["added"], done.json["failed"]) == (2, len(BAD_IMAGES))
    assert done.json["ids"] == ["fine", "good"]
    found = {finding["case"]: finding for finding in done.json["findings"]}
    assert set(found) == set(BAD_IMAGES)
    for case, finding in found.items():
        assert finding["severity"] == "error"
        assert finding["path"] == f"{case}.nii.gz"
        assert BAD_IMAGES[case] in finding["rule"]
    assert [row["name"] for row in empty.sql("SELECT name FROM cases ORDER BY name")] == ["fine", "good"]
    check = fsck(empty, voxels=True)
    assert (check.checked, check.problems) == (2, ())
    stored = flaredb("finding", "list", workspace=empty.root).json
    assert sorted(row["case"] for row in stored) == sorted(BAD_IMAGES)


def test_bad_labels_are_findings_and_good_ones_come_in(empty, tmp_path):
    """A label of another shape, place or kind of value is an error of its own; the good one comes in."""
    for number, name in enumerate(("good", "shape", "moved", "minus", "half", "four-d", "cut", "empty", "huge")):
        add_case(empty, tmp_path / "images", name, number)
    folder = tmp_path / "labels"
    codes(folder / "good.nii.gz", blocks(1, 2))
    moved = SPACE.matrix.copy()
    moved[2, 3] += 1
    nibabel.save(nibabel.Nifti1Image(np.zeros((6, 5, 3), np.uint8), moved), folder / "shape.nii.gz")
    moved = SPACE.matrix.copy()
    moved[2, 3] += 3
    nibabel.save(nibabel.Nifti1Image(np.zeros(SHAPE, np.uint8), moved), folder / "moved.nii.gz")
    nifti(folder / "minus.nii.gz", np.full(SHAPE, -1, np.int16))
    nifti(folder / "half.nii.gz", np.full(SHAPE, 0.5, np.float32))
    nifti(folder / "four-d.nii.gz", np.zeros((*SHAPE, 2), np.uint8))
    nifti(folder / "huge.nii.gz", np.full(SHAPE, 2.0**40, np.float64))
    (folder / "cut.nii.gz").write_bytes((folder / "good.nii.gz").read_bytes()[:60])
    (folder / "empty.nii.gz").write_bytes(b"")
    codes(folder / "nobody.nii.gz", 0)
    common = ("--source", "flare23", "--kind", "ground-truth", "--annotated", "liver,right_kidney")
    done = flaredb("ingest", "labels", folder, *common, workspace=empty.root)
    assert done.code == 1
    assert (done.json["ids"], done.json["added"], done.json["failed"]) == (["good@flare23@1"], 1, 9)
    found = {finding["case"]: finding["rule"] for finding in done.json["findings"]}
    assert found | {"cut": "", "empty": "", "four-d": ""} == {
        "shape": "shape-mismatch",
        "moved": "geometry-mismatch",
        "minus": "label-negative",
        "half": "label-not-integer",
        "huge": "label-out-of-range",
        "nobody": "no-case",
        "cut": "",
        "empty": "",
        "four-d": "",
    }
    assert {finding["path"] for finding in done.json["findings"]} == {f"{case}.nii.gz" for case in found}
    assert not empty.sql("SELECT name FROM cases WHERE name = 'nobody'")
    assert fsck(empty, voxels=True).problems == ()


def test_codes_out_of_the_mappings_range_are_a_finding(empty, tmp_path):
    """A code the mapping does not reach is remarked, kept, and says nothing of its voxels."""
    add_case(empty, tmp_path, "a")
    done = add_label(empty, tmp_path / "l", "a", blocks(1, 99), "liver", TRUTH)
    assert (done.added, done.failed, rules(done)) == (1, 0, ["code-out-of-range"])
    assert "99" in done.findings[0].message
    sets = empty.label_sets("a")
    assert (sets[:, :, 0] == (1 << 1 | 1 << 14)).all()
    assert (sets[:, :, 1] == (1 << 15) - 1).all()
    assert (sets[:, :, 2] == (1 << 15) - 1 - (1 << 1)).all()


def test_two_files_of_one_name_are_findings(empty, tmp_path):
    """Of two files that name one case neither is taken, and both are named."""
    scan(tmp_path / "x" / "a.nii.gz", 1)
    scan(tmp_path / "y" / "a_0000.nii.gz", 2)
    scan(tmp_path / "y" / "b.nii.gz", 3)
    done = flaredb("ingest", "images", tmp_path / "x" / "..", workspace=empty.root)
    assert (done.code, done.json["ids"], done.json["failed"]) == (1, ["b"], 2)
    assert [finding["rule"] for finding in done.json["findings"]] == ["duplicate-name"] * 2


@pytest.mark.parametrize("name", ["../evil", "a/b", "..", "", "a b", ".hidden", "x" * 129])
def test_a_case_name_cannot_leave_its_folder(empty, tmp_path, name):
    """A name that could not be a file's name is refused as a finding, and nothing is stored."""
    done = flaredb("ingest", "images", scan(tmp_path / "a.nii.gz"), "--case", name, workspace=empty.root)
    assert done.code == 1
    assert [finding["rule"] for finding in done.json["findings"]] == ["bad-name"]
    assert list(empty.volumes.digests()) == []


@pytest.mark.parametrize("source", ["../../evil", "/tmp/evil", "a@b", "", "..", "a b\n"])
def test_a_source_name_cannot_leave_its_folder(empty, tmp_path, source):
    """A source's name goes into paths and label names, so one with `..`, `@`, a leading `/` or nothing is refused."""
    add_case(empty, tmp_path, "a")
    path = codes(tmp_path / "l" / "a.nii.gz", 1)
    with pytest.raises(InvalidDataError):
        ingest_labels(empty, path, stated("liver", None, None), TRUTH._replace(source=source))
    assert not empty.sql("SELECT * FROM sources")


def test_another_image_under_a_known_name_is_refused(empty, tmp_path):
    """A scan that differs from the case's own is a finding, and the first one stays."""
    add_case(empty, tmp_path / "one", "a", 1)
    before = content(empty)
    done = ingest_images(empty, scan(tmp_path / "two" / "a_0000.nii.gz", 2))
    assert (done.added, done.failed, rules(done)) == (0, 1, ["image-differs"])
    assert content(empty) == before


def test_the_same_voxels_in_another_file_are_unchanged(empty, tmp_path):
    """Recompressed or renamed within its case, a scan is the same scan."""
    add_case(empty, tmp_path / "one", "a", 1)
    array = nibabel.load(tmp_path / "one" / "a_0000.nii.gz")
    nibabel.save(nibabel.Nifti1Image(np.asarray(array.dataobj), array.affine), tmp_path / "a.nii")
    done = ingest_images(empty, tmp_path / "a.nii")
    assert (done.added, done.unchanged, done.failed) == (0, 1, 0)


def test_a_copied_scan_is_one_patient(empty, tmp_path):
    """Two cases of the same voxels count as one patient, with a finding."""
    add_case(empty, tmp_path, "a", 1)
    done = ingest_images(empty, scan(tmp_path / "b.nii.gz", 1))
    assert (done.added, rules(done)) == (1, ["duplicate-image"])
    patients = empty.sql("SELECT DISTINCT patient FROM case_facts")
    assert len(patients) == 1


def test_dry_run_changes_nothing(empty, tmp_path):
    """`--dry-run` lists the cases that would come in and stores nothing."""
    scan(tmp_path / "a.nii.gz")
    done = flaredb("ingest", "images", tmp_path / "a.nii.gz", "--dry-run", workspace=empty.root)
    assert (done.code, done.json["would"]["cases"]) == (0, ["a"])
    assert not empty.sql("SELECT * FROM cases")


def test_an_older_file_never_becomes_the_newest(empty, tmp_path):
    """Importing the first revision's file after the second changes nothing: the second stays current."""
    add_case(empty, tmp_path, "a")
    first = add_label(empty, tmp_path / "1", "a", blocks(1), "liver", TRUTH)
    second = add_label(empty, tmp_path / "2", "a", blocks(0, 1), "liver", TRUTH)
    assert (first.ids, second.ids) == (("a@flare23@1",), ("a@flare23@2",))
    again = add_label(empty, tmp_path / "1", "a", blocks(1), "liver", TRUTH)
    assert (again.added, again.unchanged) == (0, 1)
    assert winners(empty, "a") == {"liver": "a@flare23@2"}


def test_corrected_annotated_is_a_new_revision_of_the_same_voxels(empty, tmp_path):
    """Stating other structures for the same file makes a revision that shares the volume and supersedes its own."""
    add_case(empty, tmp_path, "a")
    add_label(empty, tmp_path / "l", "a", blocks(1, 2, 3), "liver,right_kidney", TRUTH)
    done = add_label(empty, tmp_path / "l", "a", blocks(1, 2, 3), "right_kidney,spleen", TRUTH)
    assert done.ids == ("a@flare23@2",)
    assert len({row["volume"] for row in empty.sql("SELECT volume FROM labels")}) == 1
    assert winners(empty, "a") == {
        "liver": "a@flare23@1",
        "right_kidney": "a@flare23@2",
        "spleen": "a@flare23@2",
    }


@pytest.mark.parametrize(("annotated", "kind"), [("tumor", "tumor-only"), ("liver,tumor", "ground-truth")])
def test_tumor_only_is_derived(empty, tmp_path, annotated, kind):
    """Ground truth that annotates lesions alone is of the kind tumor-only; with an organ it is not."""
    add_case(empty, tmp_path, "a")
    add_label(empty, tmp_path / "l", "a", blocks(14), annotated, TRUTH)
    assert {row["kind"] for row in empty.sql("SELECT kind FROM labels")} == {kind}


def test_an_external_tumor_label_stays_external(empty, tmp_path):
    """Only ground truth becomes tumor-only."""
    add_case(empty, tmp_path, "a")
    add_label(empty, tmp_path / "l", "a", blocks(14), "tumor", OTHER)
    assert [row["kind"] for row in empty.sql("SELECT kind FROM labels")] == ["external"]


def test_the_table_says_kind_annotator_and_date(empty, tmp_path):
    """A table's columns reach the catalogue, and the newest date wins whatever came in last."""
    for name in "ab":
        add_case(empty, tmp_path, name, ord(name))
    table = tmp_path / "annotated.csv"
    table.write_text(
        "case,annotated,positive_only,kind,annotator,date\n"
        "a,liver spleen,tumor,ground-truth,Ada,2024-05-07\n"
        "b,liver,,pseudo,,\n"
    )
    folder = tmp_path / "l"
    codes(folder / "a.nii.gz", blocks(1, 3))
    codes(folder / "b.nii.gz", blocks(1))
    done = ingest_labels(empty, folder, stated(None, None, table), TRUTH)
    assert done.added == 2
    rows = empty.sql('SELECT "case", structure, annotated, kind, annotator FROM label_provenance ORDER BY 1, 2')
    assert [tuple(row.values()) for row in rows] == [
        ("a", "liver", "exhaustive", "ground-truth", "Ada"),
        ("a", "spleen", "exhaustive", "ground-truth", "Ada"),
        ("a", "tumor", "positive-only", "ground-truth", "Ada"),
        ("b", "liver", "exhaustive", "pseudo", ""),
    ]
    older = tmp_path / "older.csv"
    older.write_text("case,annotated,date\na,liver,2020-01-01\n")
    codes(tmp_path / "o" / "a.nii.gz", blocks(0, 1))
    later = LabelOptions("second-reader", "ground-truth")
    assert ingest_labels(empty, tmp_path / "o", stated(None, None, older), later).added == 1
    assert winners(empty, "a")["liver"] == "a@flare23@1"


@pytest.mark.parametrize(
    "text",
    [
        "case,annotated,kind\na,liver,groundtruth\n",
        "case,annotated,date\na,liver,last week\n",
        "case,annotated\na,lever\n",
        "name,annotated\na,liver\n",
        "",
    ],
)
def test_a_wrong_table_is_refused(empty, tmp_path, text):
    """A typo in the table's kind, date, structure or header is an error that stores no label."""
    add_case(empty, tmp_path, "a")
    (tmp_path / "t.csv").write_text(text)
    path = codes(tmp_path / "l" / "a.nii.gz", 1)
    common = ("ingest", "labels", path, "--source", "s", "--kind", "ground-truth")
    done = flaredb(*common, "--annotated-from", tmp_path / "t.csv", workspace=empty.root)
    assert done.code in (1, 3, 5), done.err
    assert not empty.sql("SELECT * FROM labels")


def test_many_absences_are_a_finding(empty, tmp_path):
    """More than two annotated structures that a case lacks are remarked; two are not."""
    for name in "ab":
        add_case(empty, tmp_path, name, ord(name))
    done = add_label(empty, tmp_path / "l", "a", blocks(1), "all", OTHER)
    assert rules(done) == ["annotated-absent"]
    assert "13" in done.findings[0].message
    done = add_label(empty, tmp_path / "l", "b", blocks(0, 1), "liver,spleen,gallbladder", OTHER)
    assert (done.added, rules(done)) == (1, [])


def test_annotated_present_is_a_finding(empty, tmp_path):
    """Taking what is present for what is annotated is done on request, and remarked."""
    add_case(empty, tmp_path, "a")
    done = add_label(empty, tmp_path / "l", "a", blocks(1, 3), "present", OTHER)
    assert (done.added, rules(done)) == (1, ["annotated-present"])
    assert set(winners(empty, "a")) == {"liver", "spleen"}


@pytest.mark.parametrize(("annotated", "array"), [("present", 0), ("", 1)])
def test_a_label_that_speaks_about_nothing_is_no_fault(empty, tmp_path, annotated, array):
    """An empty label under `present`, or an empty list of structures, is refused or a finding, not a crash."""
    add_case(empty, tmp_path, "a")
    path = codes(tmp_path / "l" / "a.nii.gz", array)
    common = ("ingest", "labels", path, "--source", "s", "--kind", "external", "--annotated", annotated)
    done = flaredb(*common, workspace=empty.root)
    assert done.code in (0, 1, 5), done.err
    assert winners(empty, "a") == {}


def test_a_structure_beyond_the_mapping_is_refused(empty, tmp_path):
    """A mapping limits what may be annotated."""
    add_case(empty, tmp_path, "a")
    with pytest.raises(InvalidDataError, match="flare21 has no code for it"):
        add_label(empty, tmp_path / "l", "a", 1, "duodenum", OTHER._replace(mapping="flare21"))


def test_a_label_can_bring_its_grid(empty, tmp_path):
    """With `--grid-from-label` a label makes its case, which waits for its scan and takes it when it comes."""
    options = TRUTH._replace(grid_from_label=True)
    assert add_label(empty, tmp_path / "l", "a", blocks(1), "liver", options).added == 1
    assert winners(empty, "a") == {"liver": "a@flare23@1"}
    assert fsck(empty).problems == ()
    exported = export_nifti(empty, tmp_path / "out")
    assert exported.ids == ("labels/flare23/1/a.nii.gz",)
    assert ingest_images(empty, scan(tmp_path / "a.nii.gz")).added == 1
    assert empty.image("a").array.shape == SPACE.grid.shape


def test_a_scan_that_does_not_fit_its_waiting_label_is_refused(empty, tmp_path):
    """A case whose grid came from a label takes no scan of another shape."""
    options = TRUTH._replace(grid_from_label=True)
    add_label(empty, tmp_path / "l", "a", blocks(1), "liver", options)
    nifti(tmp_path / "a.nii.gz", np.zeros((7, 5, 4), np.int16))
    done = ingest_images(empty, tmp_path / "a.nii.gz")
    assert (done.added, done.failed) == (0, 1)
    assert empty.label_sets("a").shape == SPACE.grid.shape


def test_labels_not_accepted_do_not_count(empty, tmp_path):
    """`--not-accepted` keeps the labels and lets none of them win."""
    add_case(empty, tmp_path, "a")
    done = add_label(empty, tmp_path / "l", "a", blocks(1), "liver", OTHER._replace(accepted=False))
    assert done.added == 1
    assert winners(empty, "a") == {}
    explained = flaredb("label", "explain", "a", workspace=empty.root).json
    assert [c["outcome"] for row in explained for c in row["candidates"]] == ["not-accepted"]


def test_originals_are_never_touched(empty, tmp_path):
    """Importing changes no byte and no time of the files."""
    add_case(empty, tmp_path, "a")
    path = codes(tmp_path / "l" / "a.nii.gz", 1)
    before = (path.read_bytes(), path.stat().st_mtime_ns)
    ingest_labels(empty, path, stated("liver", None, None), TRUTH)
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before
