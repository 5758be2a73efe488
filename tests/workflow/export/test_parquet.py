"""The catalogue's tables as Parquet: what they hold is what the views say."""

from __future__ import annotations

import json

import pyarrow.parquet as parquet
import pytest

from flaredb.catalog import cases
from flaredb.errors import ConflictError, NotFoundError
from flaredb.workflow.export.choice import ExportOptions
from flaredb.workflow.export.parquet import export_parquet
from flaredb.workflow.snapshot.create import snapshot_create
from flaredb.workflow.snapshot.read import read_training_set


def rows(path):
    return parquet.read_table(path).to_pylist()


def test_tables_hold_what_the_views_say(workspace, tmp_path):
    """Cases, provenance and current labels are the views' rows; a label is one row with its codes and its type."""
    done = export_parquet(workspace, tmp_path / "out")
    assert sorted(done.ids) == ["cases.parquet", "current.parquet", "labels.parquet", "provenance.parquet"]
    for name, view in (("cases", "case_facts"), ("current", "current_labels"), ("provenance", "label_provenance")):
        held = [{k: v for k, v in row.items() if k != "created"} for row in rows(tmp_path / "out" / f"{name}.parquet")]
        said = [{k: v for k, v in row.items() if k != "created"} for row in workspace.sql(f"SELECT * FROM {view}")]
        assert sorted(held, key=str) == sorted(said, key=str)
    listed = rows(tmp_path / "out" / "labels.parquet")
    assert {row["label"] for row in listed} == {r["label"] for r in workspace.sql("SELECT label FROM label_provenance")}
    assert all(len(row["volume"]) == 64 and row["file_dtype"] for row in listed)
    assert json.loads(next(r for r in listed if r["source"] == "flare21")["codes"])["codes"]["2"] == [
        "left_kidney", "right_kidney",
    ]  # fmt: skip
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text(encoding="utf-8"))
    assert {row["file"] for row in manifest["files"]} == set(done.ids)


def test_only_what_is_asked_for(workspace, tmp_path):
    """`--labels`, `--where` and `--snapshot` choose rows and add the snapshot as trainers take it."""
    name = snapshot_create(workspace, "organ").ids[0]
    options = ExportOptions("flare21", where="split = 'validation'", snapshot=name)
    export_parquet(workspace, tmp_path / "out", options)
    assert {row["source"] for row in rows(tmp_path / "out" / "provenance.parquet")} == {"flare21"}
    assert {row["split"] for row in rows(tmp_path / "out" / "cases.parquet")} == {"validation"}
    assert read_training_set(tmp_path / "out" / "snapshot.parquet").snapshot == name
    export_parquet(workspace, tmp_path / "current", ExportOptions("current"))
    assert {row["label"] for row in rows(tmp_path / "current" / "labels.parquet")} >= {
        row["label"] for row in workspace.sql("SELECT label FROM current_labels")
    }
    with pytest.raises(NotFoundError, match="flare21 flare23"):
        export_parquet(workspace, tmp_path / "none", ExportOptions("nobody"))


def test_tables_are_replaced_only_when_told(workspace, tmp_path):
    """Again without a change all is unchanged; after one the tables are named and left, unless told to overwrite."""
    export_parquet(workspace, tmp_path / "out")
    assert export_parquet(workspace, tmp_path / "out")[2:4] == (0, 4)
    before = {path: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    case = workspace.sql('SELECT "case" FROM case_facts')[0]["case"]
    with workspace.run("test") as run, run.write() as write:
        cases.set_facts(write, case, {"licence": "CC0"})
    with pytest.raises(ConflictError, match=r"cases\.parquet; --overwrite"):
        export_parquet(workspace, tmp_path / "out")
    assert {path: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before
    assert export_parquet(workspace, tmp_path / "out", ExportOptions(overwrite=True)).ids == ("cases.parquet",)
