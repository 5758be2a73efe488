"""Reports that say "none" are labels: empty, exhaustive, without a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from flaredb.errors import ConflictError, InvalidDataError, NotFoundError
from flaredb.workflow.export.nifti import export_nifti
from flaredb.workflow.ingest.absent import ingest_absent
from flaredb.workflow.ingest.labels import LabelOptions
from flaredb.workflow.ingest.table import ingest_table
from flaredb.workflow.integrity.fsck import fsck
from flaredb.workflow.provenance.current import label_current
from tests.cohorts import SPACE, add_case, add_label, blocks, flaredb, rules

EXTERNAL = LabelOptions("aladdin5", "external")


def write(folder: Path, *lines: str) -> Path:
    """A table as a file."""
    path = folder / "none.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_a_report_becomes_an_empty_label(empty, tmp_path):
    """The label lies on the scan's grid, holds zeros, is of the kind tumor-only and wins; the date is the report's."""
    add_case(empty, tmp_path, "a")
    path = write(tmp_path, "case,date,annotator", "a,2024-05-07,Ada")
    done = flaredb("ingest", "absent", path, "--structures", "tumor", "--source", "reports", workspace=empty.root)
    assert (done.code, done.json["ids"], done.json["findings"]) == (0, ["a@reports@1"], [])
    label = empty.label("a@reports@1")
    assert label.grid == empty.image("a").grid
    assert not label.array.any()
    rows = empty.sql("SELECT kind, structure, annotated, voxels, annotator, accepted FROM label_provenance")
    assert [tuple(row.values()) for row in rows] == [("tumor-only", "tumor", "exhaustive", 0, "Ada", 1)]
    assert str(empty.sql("SELECT annotated_at FROM labels")[0]["annotated_at"]).startswith("2024-05-07")
    assert {row["structure"]: row["label"] for row in label_current(empty, "a")}["tumor"] == "a@reports@1"
    assert fsck(empty, voxels=True).problems == ()


def test_absent_structures_are_impossible_everywhere(empty, tmp_path):
    """With the report no voxel may be tumor, also where an external label drew one; organs stay open."""
    add_case(empty, tmp_path, "a")
    add_label(empty, tmp_path / "l", "a", blocks(14), "tumor", EXTERNAL)
    tumor, liver = 1 << 14, 1 << 1
    assert (empty.label_sets("a") & tumor).any()
    ingest_absent(empty, write(tmp_path, "case", "a"), ["tumor"], "reports")
    sets = empty.label_sets("a")
    assert not (sets & tumor).any()
    assert (sets & liver).all()


def test_organs_may_be_absent_too(empty, tmp_path):
    """A removed gallbladder is ground truth; with a lesion it is not tumor-only."""
    add_case(empty, tmp_path, "a")
    done = ingest_absent(empty, write(tmp_path, "case", "a"), ["tumor", "gallbladder"], "reports")
    assert done.added == 1
    assert {row["kind"] for row in empty.sql("SELECT kind FROM labels")} == {"ground-truth"}


def test_a_second_time_nothing_changes(empty, tmp_path):
    """The same report again, or standing twice, is unchanged."""
    add_case(empty, tmp_path, "a")
    path = write(tmp_path, "case", "a", "a")
    first = ingest_absent(empty, path, ["tumor"], "reports")
    assert (first.added, first.unchanged) == (1, 1)
    again = ingest_absent(empty, path, ["tumor"], "reports")
    assert (again.added, again.unchanged, again.failed) == (0, 2, 0)
    assert empty.sql("SELECT count(*) AS n FROM labels") == [{"n": 1}]


def test_cases_without_a_grid_fail_and_the_others_come_in(empty, tmp_path):
    """An unknown case, one without voxels and a bad date are findings with their row, exit 1."""
    add_case(empty, tmp_path, "a")
    (tmp_path / "cases.csv").write_text("case\nwaiting\n")
    ingest_table(empty, tmp_path / "cases.csv")
    path = write(tmp_path, "case,date", "unknown,", "waiting,", "a,yesterday", "a,", "../x,", "a,,surplus")
    done = flaredb("ingest", "absent", path, "--structures", "tumor", "--source", "reports", workspace=empty.root)
    assert (done.code, done.json["added"], done.json["failed"]) == (1, 1, 5)
    assert [(finding["case"], finding["rule"]) for finding in done.json["findings"]] == [
        ("unknown", "no-case"),
        ("waiting", "no-grid"),
        ("a", "bad-row"),
        (None, "no-case"),
        ("a", "bad-row"),
    ]
    assert "row 1" in done.json["findings"][0]["message"]
    assert [row["label"] for row in empty.sql("SELECT label FROM label_provenance")] == ["a@reports@1"]
    assert len(empty.sql("SELECT rule FROM findings")) == 5


def test_the_label_can_be_written_as_a_file(empty, tmp_path):
    """It goes out like any other label, laid out as its scan."""
    add_case(empty, tmp_path, "a")
    ingest_absent(empty, write(tmp_path, "case", "a"), ["tumor"], "reports")
    done = export_nifti(empty, tmp_path / "out")
    assert "labels/reports/1/a.nii.gz" in done.ids
    from flaredb.exchange.read import read_label

    written = read_label(tmp_path / "out" / "labels" / "reports" / "1" / "a.nii.gz")
    assert (written.space.shape, written.space.affine) == (SPACE.shape, SPACE.affine)
    assert np.count_nonzero(written.voxels) == 0


def test_what_cannot_be_is_refused(empty, tmp_path):
    """Unknown structures, none at all, another kind of source and a table without cases change nothing."""
    add_case(empty, tmp_path, "a")
    add_label(empty, tmp_path / "l", "a", blocks(14), "tumor", EXTERNAL)
    path = write(tmp_path, "case", "a")
    with pytest.raises(NotFoundError, match="lever"):
        ingest_absent(empty, path, ["lever"], "reports")
    with pytest.raises(InvalidDataError, match="--structures"):
        ingest_absent(empty, path, [], "reports")
    with pytest.raises(ConflictError, match="aladdin5"):
        ingest_absent(empty, path, ["tumor"], "aladdin5")
    with pytest.raises(InvalidDataError, match="needs the columns case"):
        ingest_absent(empty, write(tmp_path, "name", "a"), ["tumor"], "reports")
    assert empty.sql("SELECT count(*) AS n FROM labels") == [{"n": 1}]


def test_dry_run_changes_nothing(empty, tmp_path):
    """`--dry-run` names the labels that would come in and the rows that cannot."""
    add_case(empty, tmp_path, "a")
    done = ingest_absent(empty, write(tmp_path, "case", "a", "b"), ["tumor"], "reports", dry_run=True)
    assert (done.would, rules(done)) == ({"labels": ["a@reports"]}, ["no-case"])
    assert not empty.sql("SELECT * FROM labels")
    assert not empty.sql("SELECT * FROM sources")
