"""A snapshot as a file: what is read back is what a trainer gets from the catalogue."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from flaredb.catalog import cases, snapshots
from flaredb.errors import InvalidDataError, NotFoundError, UsageError
from flaredb.workflow.ingest.labels import LabelOptions
from flaredb.workflow.snapshot.create import snapshot_create, training_set
from flaredb.workflow.snapshot.file import snapshot_export
from flaredb.workflow.snapshot.read import read_training_set
from flaredb.workspace import Workspace
from tests.cohorts import add_case, add_label, blocks, flaredb

ENDINGS = ("json", "parquet")


@pytest.fixture
def rich(empty, tmp_path):
    """Labels of every sort: exhaustive, positive-only, supersets, human and external, several a case."""
    for seed, name in enumerate("abc"):
        add_case(empty, tmp_path, name, seed)
        add_label(empty, tmp_path / "1", name, blocks(1, 2, 4), "all", LabelOptions("f", "external", mapping="flare21"))
    add_label(empty, tmp_path / "2", "a", blocks(1, 14), "liver", LabelOptions("t", "ground-truth"), "tumor")
    add_label(empty, tmp_path / "3", "b", blocks(14), "tumor@liver", LabelOptions("t", "ground-truth"))
    return empty


def freeze(workspace: Workspace, task: str) -> str:
    (name,) = snapshot_create(workspace, task).ids
    return name


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("task", ["organ", "tumor", "all"])
def test_what_is_read_back_is_what_the_catalogue_gives(rich, tmp_path, task, ending):
    """The whole training set: cases, digests, code tables, modes, trust, structures, task."""
    name = freeze(rich, task)
    file = tmp_path / f"snapshot.{ending}"
    said = snapshot_export(rich, name, file)
    with rich.catalog.read() as connection:
        expected = training_set(rich, connection, name)
        items = snapshots.find(connection, name).items
    assert read_training_set(file) == expected
    assert (said["snapshot"], said["items"], said["cases"]) == (name, len(items), len(expected.cases))
    assert [path.name for path in tmp_path.glob("*snapshot*")] == [file.name]


def test_it_holds_on_a_cohort(workspace, tmp_path):
    """Phantoms with all kinds of annotation, both forms alike."""
    name = freeze(workspace, "all")
    read = []
    for ending in ENDINGS:
        snapshot_export(workspace, name, tmp_path / f"s.{ending}")
        read.append(read_training_set(tmp_path / f"s.{ending}"))
    with workspace.catalog.read() as connection:
        assert read == [training_set(workspace, connection, name)] * 2


@pytest.mark.parametrize("ending", ENDINGS)
def test_rows_are_complete(rich, tmp_path, ending):
    """Each row says case, patient, split, image, grid, label, volume, kind, role, structures, annotated and codes."""
    name = freeze(rich, "all")
    file = tmp_path / f"s.{ending}"
    snapshot_export(rich, name, file)
    rows = rows_of(file)
    with rich.catalog.read() as connection:
        items = snapshots.find(connection, name).items
        known = cases.by_names(connection, ["a", "b", "c"])
    assert len(rows) == len(items)
    for row, item in zip(rows, items, strict=True):
        case = known[item.case]
        assert row["grid"]["shape"] == list(case.grid.shape)
        assert row["grid"]["spacing"] == list(case.grid.spacing)
        assert row["grid"]["origin"] == list(case.grid.origin)
        plain = {key: row[key] for key in ("case", "patient", "split", "image", "label", "volume", "kind", "role")}
        label = item.label
        values = (case.name, case.patient, "train", case.image, label.name, label.volume, label.kind, item.role)
        assert tuple(plain.values()) == values
        assert tuple(row["structures"]) == item.structures
        assert set(row["annotated"]) == set(label.annotated)


def rows_of(file: Path) -> list[dict[str, Any]]:
    """The rows of a file, read without our code."""
    if file.suffix == ".json":
        return json.loads(file.read_text(encoding="utf-8"))["items"]
    import pyarrow.parquet

    nested = ("structures", "annotated", "grid")
    rows = pyarrow.parquet.read_table(file).to_pylist()
    return [{key: json.loads(value) if key in nested else value for key, value in row.items()} for row in rows]


def test_the_head_says_what_it_is(rich, tmp_path):
    """Digest, purpose, task, structures, policy and time, equal to what is shown; nothing absolute."""
    name = freeze(rich, "organ")
    snapshot_export(rich, name, tmp_path / "s.json")
    head = json.loads((tmp_path / "s.json").read_text(encoding="utf-8"))
    shown = flaredb("snapshot", "show", name, workspace=rich.root).json
    assert (head["snapshot"], head["digest"], head["policy"]) == (shown["id"], shown["digest"], shown["policy"])
    assert (head["purpose"], head["created"]) == ("train", shown["created"])
    assert head["task"] == {"name": "organ", "structures": list(rich.structures.organs)}
    assert [row["name"] for row in head["structures"]] == list(rich.structures.names)
    assert str(rich.root) not in (tmp_path / "s.json").read_text(encoding="utf-8")


def damage(text: str) -> list[str]:
    """A good file spoilt in many ways."""
    document = json.loads(text)
    without = [{key: value for key, value in document.items() if key != gone} for gone in document if gone in NEEDED]
    spoilt = [dict(document, items=[dict(document["items"][0], **change)]) for change in CHANGES]
    heads = [document | change for change in HEADS]
    return [text[: len(text) // 2], "", "[]", "1", '"text"', *map(json.dumps, [*without, *spoilt, *heads])]


NEEDED = ("snapshot", "digest", "task", "structures", "items")
CHANGES: tuple[dict[str, Any], ...] = (
    {"annotated": ["liver"]},
    {"annotated": {"liver": None}},
    {"structures": None},
    {"codes": "[codes"},
    {"codes": '[codes]\n1 = "lever"\n'},
    {"image": None},
    {"volume": "../../etc"},
    {"patient": ""},
    {"split": "validation"},
    {"kind": "truth"},
    {"role": "lost"},
    {"structures": ["liver", "gizzard"]},
    {"structures": []},
    {"grid": None},
    {"grid": {"shape": [1, 2]}},
)
HEADS: tuple[dict[str, Any], ...] = (
    {"version": 2},
    {"format": "other"},
    {"digest": "0" * 64},
    {"purpose": "reference"},
    {"items": []},
    {"task": {"name": "organ", "structures": ["gizzard"]}},
)


def test_an_item_that_was_changed_is_refused(rich, tmp_path):
    """A file whose items all look right but are not those that were written is not trained from."""
    file = tmp_path / "snapshot.json"
    snapshot_export(rich, freeze(rich, "all"), file)
    document = json.loads(file.read_text(encoding="utf-8"))
    document["items"][0]["patient"] += "x"
    file.write_text(json.dumps(document))
    with pytest.raises(InvalidDataError, match="changed since"):
        read_training_set(file)


def test_bad_json_is_refused(rich, tmp_path):
    """Whatever is wrong with a file, it is invalid data that names the file."""
    snapshot_export(rich, freeze(rich, "organ"), tmp_path / "good.json")
    for text in damage((tmp_path / "good.json").read_text(encoding="utf-8")):
        (tmp_path / "bad.json").write_text(text)
        with pytest.raises(InvalidDataError, match=r"bad\.json is not a snapshot"):
            read_training_set(tmp_path / "bad.json")
    (tmp_path / "bad.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InvalidDataError, match=r"bad\.json"):
        read_training_set(tmp_path / "bad.json")


def test_the_first_files_did_not_say_their_version(rich, tmp_path):
    """They are read as what they are."""
    snapshot_export(rich, freeze(rich, "organ"), tmp_path / "s.json")
    document = json.loads((tmp_path / "s.json").read_text(encoding="utf-8"))
    old = {key: value for key, value in document.items() if key not in ("format", "version")}
    (tmp_path / "old.json").write_text(json.dumps(old))
    assert read_training_set(tmp_path / "old.json") == read_training_set(tmp_path / "s.json")
    assert read_training_set(tmp_path / "old.json").digest == document["digest"]


def test_no_catalogue_is_loaded_to_read_one():
    """A host without one needs none of its libraries."""
    script = "import sys, flaredb.workflow.snapshot.read; print('sqlalchemy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_bad_parquet_is_refused(rich, tmp_path):
    """Cut, spoilt, foreign or empty."""
    import pyarrow
    import pyarrow.parquet

    snapshot_export(rich, freeze(rich, "organ"), tmp_path / "good.parquet")
    good = (tmp_path / "good.parquet").read_bytes()
    table = pyarrow.parquet.read_table(tmp_path / "good.parquet")
    pyarrow.parquet.write_table(table.replace_schema_metadata(None), tmp_path / "headless.parquet")
    foreign = pyarrow.table({"x": [1]}).replace_schema_metadata(table.schema.metadata)
    pyarrow.parquet.write_table(foreign, tmp_path / "foreign.parquet")
    for name, data in {"cut": good[: len(good) // 2], "tail": good[200:], "empty": b"", "text": b"PAR1"}.items():
        (tmp_path / f"{name}.parquet").write_bytes(data)
    for name in ("headless", "foreign", "cut", "tail", "empty", "text"):
        with pytest.raises(InvalidDataError, match=name):
            read_training_set(tmp_path / f"{name}.parquet")


def test_places_that_cannot_be(rich, tmp_path):
    """Another ending, a folder that is not there, a file that is not there; nothing is left behind."""
    name = freeze(rich, "organ")
    with pytest.raises(UsageError, match=r"FILE\.json"):
        snapshot_export(rich, name, tmp_path / "s.csv")
    with pytest.raises(NotFoundError, match="no such folder"):
        snapshot_export(rich, name, tmp_path / "nowhere" / "s.json")
    with pytest.raises(NotFoundError):
        snapshot_export(rich, "s-nothing", tmp_path / "s.json")
    with pytest.raises(NotFoundError):
        read_training_set(tmp_path / "s.json")
    assert not list(tmp_path.glob("*s.*"))


def test_without_the_extra_it_is_named(rich, tmp_path, monkeypatch):
    """Parquet without pyarrow: exit 2 and how to get it; JSON works."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    name = freeze(rich, "organ")
    done = flaredb("snapshot", "export", name, tmp_path / "s.parquet", workspace=rich.root)
    assert done.code == 2
    assert "flaredb[parquet]" in done.json["error"]
    done = flaredb("snapshot", "export", name, tmp_path / "s.json", workspace=rich.root)
    assert (done.code, done.json["file"]) == (0, "s.json")


def test_an_export_is_recorded(rich, tmp_path):
    """So that a purge can remind of it: which snapshot, to which file, nothing absolute."""
    name = freeze(rich, "organ")
    snapshot_export(rich, name, tmp_path / "s.json")
    row = flaredb("log", "-n", 1, workspace=rich.root).json[0]
    assert (row["command"], row["outcome"]) == ("snapshot export", "done")
    assert row["arguments"] == {"snapshot": name, "destination": "s.json"}
