"""Cases and labels row by row: what comes in, and which rows are left out."""

from __future__ import annotations

from pathlib import Path

import pytest

from flaredb.errors import ConflictError, InvalidDataError
from flaredb.workflow.ingest.images import ImageOptions, ingest_images
from flaredb.workflow.ingest.table import TableOptions, ingest_table
from flaredb.workflow.integrity.fsck import fsck
from flaredb.workflow.provenance.current import label_current
from flaredb.workflow.status import status
from tests.builders import REAL_DATA
from tests.cohorts import blocks, codes, content, flaredb, rules, scan

ANNOTATED = REAL_DATA / "manifests" / "flare23_annotated.csv"
TRUTH = TableOptions("flare23", "ground-truth")


def write(folder: Path, *lines: str) -> Path:
    """A table as a file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "cases.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.skipif(not ANNOTATED.is_file(), reason="needs the manifests of the real data")
def test_the_table_of_flare23(empty):
    """It registers 2,200 cases and announces their labels; a second time all is unchanged."""
    common = ("ingest", "table", ANNOTATED, "--source", "flare23", "--kind", "ground-truth")
    done = flaredb(*common, workspace=empty.root)
    assert (done.code, done.json["added"], done.json["findings"]) == (0, 2200, [])
    found = status(empty)
    assert (found["cases"], found["labels"]) == (2200, 2200)
    assert [row["cases"] for row in found["patterns"]] == [888, 609, 453, 250]
    again = flaredb(*common, workspace=empty.root).json
    assert (again["added"], again["unchanged"], again["failed"]) == (0, 2200, 0)


def test_every_column_reaches_the_catalogue(empty, tmp_path):
    """Patient, split, centre, source, kind, modes, annotator and date come in; the patient as a hash."""
    path = write(
        tmp_path,
        "case,patient,source,kind,annotated,positive_only,annotator,date,split,centre",
        "a,Ann,readers,ground-truth,liver spleen,tumor,Ada,2024-05-07,test,north",
        "b,Ann,readers,ground-truth,tumor,,,,test,",
        "b,Ann,other,external,liver,,,,test,",
        "c,,,,,,,,,",
    )
    done = ingest_table(empty, path)
    assert (done.ids, done.findings) == (("a", "b", "c"), ())
    rows = empty.sql('SELECT "case", patient, split, centre FROM case_facts ORDER BY "case"')
    ann = empty.patient_key("Ann")
    assert [tuple(row.values()) for row in rows] == [
        ("a", ann, "test", "north"),
        ("b", ann, "test", None),
        ("c", empty.patient_key("c"), "train", None),
    ]
    rows = empty.sql("SELECT label, structure, annotated, kind, annotator FROM label_provenance ORDER BY 1, 2")
    assert [tuple(row.values()) for row in rows] == [
        ("a@readers@1", "liver", "exhaustive", "ground-truth", "Ada"),
        ("a@readers@1", "spleen", "exhaustive", "ground-truth", "Ada"),
        ("a@readers@1", "tumor", "positive-only", "ground-truth", "Ada"),
        ("b@other@1", "liver", "exhaustive", "external", ""),
        ("b@readers@1", "tumor", "exhaustive", "tumor-only", ""),
    ]
    dates = empty.sql("SELECT annotated_at FROM labels ORDER BY id")
    assert str(dates[0]["annotated_at"]).startswith("2024-05-07")
    assert b"Ann" not in (empty.root / "catalog.db").read_bytes()


def test_files_come_in(empty, tmp_path):
    """Paths are under the table's folder; a row's scan and label are imported, a second time all is unchanged."""
    scan(tmp_path / "t" / "ct" / "one_0000.nii.gz", 1)
    scan(tmp_path / "t" / "ct" / "two_0000.nii.gz", 2)
    codes(tmp_path / "t" / "seg" / "x.nii.gz", blocks(1))
    path = write(
        tmp_path / "t",
        "case,image,label,annotated,split",
        "a,ct/one_0000.nii.gz,seg/x.nii.gz,liver,validation",
        ",ct/two_0000.nii.gz,,,",
        "c,ct/three.nii.gz,seg/y.nii.gz,spleen,",
    )
    done = ingest_table(empty, path, TRUTH)
    assert (sorted(done.ids), done.failed) == (["a", "c", "two"], 0)
    assert rules(done) == ["file-missing", "file-missing"]
    rows = empty.sql('SELECT "case", split, slices IS NOT NULL AS voxels FROM case_facts ORDER BY "case"')
    assert [tuple(row.values()) for row in rows] == [("a", "validation", 1), ("c", "train", 0), ("two", "train", 1)]
    assert {row["label"] for row in label_current(empty, "a")} == {None, "a@flare23@1"}
    assert {row["label"] for row in label_current(empty, "c")} == {None}
    before = content(empty)
    again = ingest_table(empty, path, TRUTH)
    assert (again.added, again.unchanged, again.failed) == (0, 3, 0)
    assert content(empty) == before
    assert fsck(empty, voxels=True).problems == ()


def test_a_later_row_keeps_the_case_in_its_split(empty, tmp_path):
    """A row that says no split speaks of the case as the first row placed it, scan and all."""
    scan(tmp_path / "a.nii.gz")
    path = write(tmp_path, "case,image,source,annotated,split", "a,,s,liver,test", "a,a.nii.gz,r,spleen,")
    done = ingest_table(empty, path, TRUTH)
    assert (done.ids, done.findings) == (("a",), ())
    assert empty.sql("SELECT split, slices IS NOT NULL AS there FROM cases") == [{"split": "test", "there": 1}]


HEADER = "case,image,patient,source,kind,annotated,date,split"
BAD_ROWS = {
    "a,,,,,liver,,training": "bad-row",
    "a,,,,,liver,last week,": "bad-row",
    "a,,,,groundtruth,liver,,": "bad-row",
    "a,,,,,liver,,,spleen": "bad-row",
    "a b,,,,,liver,,": "bad-row",
    "../a,,,,,liver,,": "bad-row",
    ",,,,,liver,,": "bad-row",
    "x" * 129 + ",,,,,liver,,": "bad-row",
    "a,,,,,lever,,": "annotated-wrong",
    "a,,,,,nan,,": "annotated-wrong",
    "a,../secret.nii.gz,,,,liver,,": "outside-root",
    "a,/etc/passwd,,,,liver,,": "outside-root",
    "a,,Good,,,liver,,test": "two-splits",
    "good,,,other,,liver,,test": "two-splits",
    "good,,Bad,other,,liver,,": "two-splits",
    "a,,,other,pseudo,liver,,": None,
    "a,,,flare23,pseudo,liver,,": "source-refused",
    "a,,,../x,,liver,,": "source-refused",
}


@pytest.mark.parametrize(("row", "rule"), BAD_ROWS.items())
def test_a_bad_row_is_left_out_and_the_others_come_in(empty, tmp_path, row, rule):
    """A row that cannot be is a finding, exit 1; it brings in no label, and the good rows come in."""
    scan(tmp_path / "secret.nii.gz")
    path = write(tmp_path / "t", HEADER, "good,,Good,,,liver spleen,,", row, "better,,,,,tumor,,")
    done = flaredb("ingest", "table", path, "--source", "flare23", "--kind", "ground-truth", workspace=empty.root)
    assert [finding["rule"] for finding in done.json["findings"]] == ([rule] if rule else [])
    assert (done.code, done.json["failed"]) == ((1, 1) if rule else (0, 0))
    labelled = {row["case"] for row in empty.sql('SELECT "case" FROM label_provenance')}
    assert labelled == {"good", "better"} | (set() if rule else {"a"})
    assert len(empty.sql("SELECT * FROM labels WHERE volume IS NULL")) == (2 if rule else 3)
    stored = empty.sql("SELECT rule FROM findings")
    assert [row["rule"] for row in stored] == ([rule] if rule else [])


def test_rows_of_one_case(empty, tmp_path):
    """Equal rows are taken once; rows of one source that differ are all left out; two readers are two labels."""
    path = write(
        tmp_path,
        "case,annotated,annotator",
        "a,liver,Ada",
        "a,liver,Ada",
        "b,liver,Ada",
        "b,spleen,Ada",
        "c,liver,Ada",
        "c,spleen,Bob",
    )
    done = ingest_table(empty, path, TRUTH)
    assert (done.ids, done.failed) == (("a", "c"), 1)
    assert [(f.severity, f.case, f.rule) for f in done.findings] == [
        ("warning", "a", "duplicate-row"),
        ("error", "b", "duplicate-row"),
    ]
    rows = empty.sql("SELECT label, annotator, structure FROM label_provenance ORDER BY label")
    assert [tuple(row.values()) for row in rows] == [
        ("a@flare23@1", "Ada", "liver"),
        ("c@flare23@1", "Ada", "liver"),
        ("c@flare23@2", "Bob", "spleen"),
    ]


def test_a_label_needs_a_source_and_what_it_annotates(empty, tmp_path):
    """Rows that name a label and not who made it, or not what it annotates, fail; nothing is guessed."""
    codes(tmp_path / "a.nii.gz", blocks(1))
    path = write(tmp_path, "case,label,source,kind,annotated", "a,a.nii.gz,s,external,", "b,,,,liver", "c,,s,,liver")
    done = ingest_table(empty, path)
    assert (done.ids, done.failed, rules(done)) == ((), 3, ["bad-row"] * 3)
    assert [finding.case for finding in done.findings] == ["a", "b", "c"]
    assert not empty.sql("SELECT * FROM cases")


def test_what_is_there_is_kept(empty, tmp_path):
    """A known case keeps its split and its patient, with warnings that name the command that changes them."""
    ingest_images(empty, scan(tmp_path / "a_0000.nii.gz"), options=ImageOptions("test"))
    done = ingest_table(empty, write(tmp_path, "case,split,patient", "a,train,Ann"))
    assert (done.unchanged, rules(done)) == (1, ["split-kept", "patient-kept"])
    assert all("case describe" in finding.message for finding in done.findings)
    rows = empty.sql("SELECT split, patient FROM case_facts")
    assert rows == [{"split": "test", "patient": empty.patient_key("a")}]


def test_the_scan_of_a_registered_case_keeps_its_patient(empty, tmp_path):
    """The patient a table names stays when the scan arrives, even one with another patient's voxels."""
    ingest_table(empty, write(tmp_path, "case,patient", "a,Ann", "b,Bea"))
    for name in "ab":
        ingest_images(empty, scan(tmp_path / f"{name}_0000.nii.gz", 1))
    rows = empty.sql('SELECT patient FROM case_facts ORDER BY "case"')
    assert [row["patient"] for row in rows] == [empty.patient_key("Ann"), empty.patient_key("Bea")]


def test_unknown_columns_are_said(empty, tmp_path):
    """A column that is not read is a warning that names it; without any that names cases the table is refused."""
    done = ingest_table(empty, write(tmp_path, "case,anotated", "a,liver"), TRUTH)
    assert (done.ids, rules(done)) == (("a",), ["unknown-column"])
    assert "anotated" in done.findings[0].message
    assert not empty.sql("SELECT * FROM labels")
    with pytest.raises(InvalidDataError, match="needs a column case or image"):
        ingest_table(empty, write(tmp_path, "name,annotated", "a,liver"), TRUTH)


def test_the_only_source_refused_changes_nothing(empty, tmp_path):
    """A source that holds labels by people takes none by models: the import is refused as a whole."""
    ingest_table(empty, write(tmp_path, "case,annotated", "a,liver"), TRUTH)
    with pytest.raises(ConflictError, match="flare23"):
        ingest_table(empty, write(tmp_path, "case,annotated", "b,liver"), TableOptions("flare23", "pseudo"))
    assert [row["name"] for row in empty.sql("SELECT name FROM cases")] == ["a"]


def test_dry_run_changes_nothing(empty, tmp_path):
    """`--dry-run` says what would come in, with the findings, and writes nothing."""
    path = write(tmp_path, "case,annotated,split", "a,liver,test", "b,spleen,never")
    common = ("ingest", "table", path, "--source", "s", "--kind", "external", "--dry-run")
    done = flaredb(*common, workspace=empty.root)
    assert done.code == 0
    assert done.json["would"] == {"cases": ["a"], "announced": ["a@s"], "images": [], "labels": []}
    assert [finding["rule"] for finding in done.json["findings"]] == ["bad-row"]
    assert not empty.sql("SELECT * FROM cases")
    assert not empty.sql("SELECT * FROM sources")
