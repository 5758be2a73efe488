"""Whose a case is, which split it belongs to, where it comes from: set from a table, within limits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flaredb.errors import InvalidDataError, NotFoundError
from flaredb.workflow.case.describe import _apart, _Change, case_describe
from flaredb.workflow.case.events import case_rename
from flaredb.workflow.ingest.absent import ingest_absent
from flaredb.workflow.ingest.table import TableOptions, ingest_table
from flaredb.workflow.snapshot.create import snapshot_create
from tests.cohorts import rules


def write(folder: Path, *lines: str) -> Path:
    """A table as a file."""
    folder.mkdir(exist_ok=True)
    path = folder / "facts.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def register(workspace: Any, folder: Path, **splits: str) -> None:
    """Cases without voxels, by split."""
    ingest_table(workspace, write(folder, "case,split", *(f"{case},{split}" for case, split in splits.items())))


def facts(workspace: Any, *columns: str) -> list[tuple[Any, ...]]:
    """Columns of every case, by name."""
    rows = workspace.sql(f"SELECT {', '.join(columns)} FROM cases ORDER BY name")
    return [tuple(row.values()) for row in rows]


def test_facts_are_set_and_recorded(empty, tmp_path):
    """Every column is stored, patients as hashes; empty cells change nothing; each change leaves an event."""
    register(empty, tmp_path, a="train", b="train", c="train")
    path = write(
        tmp_path,
        "case,patient,split,source_dataset,licence,centre",
        "a,Ann,test,FLARE23,CC BY 4.0,north",
        "b,,,MSD,,",
        "c,,train,,,",
    )
    done = case_describe(empty, path)
    assert (done.ids, done.added, done.unchanged, done.findings) == (("a", "b"), 2, 1, ())
    assert facts(empty, "split", "source_dataset", "licence", "centre") == [
        ("test", "FLARE23", "CC BY 4.0", "north"),
        ("train", "MSD", None, None),
        ("train", None, None, None),
    ]
    patients = empty.sql('SELECT patient FROM case_facts ORDER BY "case"')
    assert [row["patient"] for row in patients] == [empty.patient_key(name) for name in ("Ann", "b", "c")]
    assert b"Ann" not in (empty.root / "catalog.db").read_bytes()
    events = empty.sql("SELECT event, why FROM case_events ORDER BY id")
    assert [tuple(row.values()) for row in events] == [("described", "facts.csv says so")] * 2
    again = case_describe(empty, path)
    assert (again.added, again.unchanged, again.failed) == (0, 3, 0)
    assert len(empty.sql("SELECT * FROM case_events")) == 2


@pytest.mark.parametrize(
    ("row", "case", "rule"),
    [
        ("unknown,Ann,,", "unknown", "no-case"),
        ("../x,Ann,,", None, "no-case"),
        (",Ann,,", None, "no-case"),
        ("b,,never,", "b", "bad-row"),
        ("b,,,,more", "b", "bad-row"),
        ("a,,test,", "a", "duplicate-row"),
        ("b,Cleo,,", "b", "two-splits"),
    ],
)
def test_a_bad_row_is_left_out(empty, tmp_path, row, case, rule):
    """A row that cannot be is a finding with its rule; the other rows count."""
    register(empty, tmp_path, a="train", b="train", c="test")
    case_describe(empty, write(tmp_path, "case,patient", "c,Cleo"))
    done = case_describe(empty, write(tmp_path, "case,patient,split,licence", "a,Ann,,CC0", row))
    assert [(finding.case, finding.rule) for finding in done.findings] == [(case, rule)]
    assert (done.ids, done.failed) == (("a",), 1)
    assert facts(empty, "split", "licence") == [("train", "CC0"), ("train", None), ("test", None)]
    assert [row["rule"] for row in empty.sql("SELECT rule FROM findings")] == [rule]


def test_rows_that_contradict_each_other_are_both_left_out(empty, tmp_path):
    """Two rows that put one new patient into two splits are findings both, in whatever order they stand."""
    register(empty, tmp_path, a="train", b="train", c="train")
    rows = ["a,Ann,", "b,Ann,test", "c,,test"]
    for order in (rows, rows[::-1]):
        done = case_describe(empty, write(tmp_path, "case,patient,split", *order), dry_run=True)
        assert sorted((finding.case, finding.rule) for finding in done.findings) == [
            ("a", "two-splits"),
            ("b", "two-splits"),
        ]
        assert done.would == {"cases": ["c"]}


def test_a_patient_moves_as_a_whole(empty, tmp_path):
    """All cases of a patient change split together; one of them alone does not."""
    register(empty, tmp_path, a="train", b="train")
    case_describe(empty, write(tmp_path, "case,patient", "a,Ann", "b,Ann"))
    alone = case_describe(empty, write(tmp_path, "case,split", "a,test"))
    assert (alone.failed, rules(alone)) == (1, ["two-splits"])
    both = case_describe(empty, write(tmp_path, "case,split", "a,test", "b,test"))
    assert (both.added, both.failed) == (2, 0)
    assert facts(empty, "split") == [("test",), ("test",)]


def test_a_split_that_was_used_stays(workspace, tmp_path):
    """A case of a snapshot keeps its split, with a finding; its other facts and other cases can change."""
    snapshot_create(workspace, "organ")
    (used,) = workspace.sql(
        "SELECT c.name FROM snapshot_items i JOIN cases c ON c.id = i.case_id ORDER BY c.name LIMIT 1"
    )
    register(workspace, tmp_path, unused="train")
    path = write(tmp_path, "case,split", f"{used['name']},test", "unused,test")
    done = case_describe(workspace, path)
    assert [(finding.case, finding.rule) for finding in done.findings] == [(used["name"], "split-in-use")]
    assert done.ids == ("unused",)
    same = case_describe(workspace, write(tmp_path, "case,split,licence", f"{used['name']},train,CC0"))
    assert (same.added, same.failed) == (1, 0)


def test_an_old_name_finds_the_case(empty, tmp_path):
    """After a case was renamed, lists that use its old name speak of it and make no second one."""
    register(empty, tmp_path, old="train")
    case_rename(empty, "old", "new", "as its data set names it")
    again = ingest_table(empty, write(tmp_path, "case,annotated", "old,liver"), TableOptions("s", "external"))
    assert again.ids == ("new",)
    assert case_describe(empty, write(tmp_path, "case,split", "old,test")).ids == ("new",)
    twice = case_describe(empty, write(tmp_path, "case,split", "old,test", "new,train"))
    assert rules(twice) == ["duplicate-row"]
    assert rules(ingest_absent(empty, write(tmp_path, "case", "old"), ["tumor"], "r")) == ["no-grid"]
    assert facts(empty, "name", "split") == [("new", "test")]
    assert [row["label"] for row in empty.sql("SELECT label FROM label_provenance")] == ["new@s@1"]


def test_dry_run_changes_nothing(empty, tmp_path):
    """It names the cases that would change and the findings."""
    register(empty, tmp_path, a="train", b="train")
    done = case_describe(empty, write(tmp_path, "case,split", "a,test", "b,train", "c,test"), dry_run=True)
    assert (done.would, rules(done)) == ({"cases": ["a"]}, ["no-case"])
    assert facts(empty, "split") == [("train",), ("train",)]


def test_a_table_that_says_nothing_is_refused(empty, tmp_path):
    """Without the file, without cases or without a column to set there is nothing to do."""
    with pytest.raises(NotFoundError):
        case_describe(empty, tmp_path / "no.csv")
    for header in ("case,name", "patient,split"):
        with pytest.raises(InvalidDataError, match="column"):
            case_describe(empty, write(tmp_path, header, "a,b"))


SPLITS = st.sampled_from(["train", "test"])
PATIENTS = st.sampled_from(["p", "q", "r"])


@settings(max_examples=200)
@given(
    stored=st.lists(PATIENTS, min_size=1, max_size=6),
    splits=st.fixed_dictionaries(dict.fromkeys("pqr", SPLITS)),
    wanted=st.lists(st.tuples(st.none() | PATIENTS, st.none() | SPLITS), min_size=6, max_size=6),
)
def test_no_patient_ever_lands_in_two_splits(stored, splits, wanted):
    """Where no patient was in two splits before, none is after, whatever rows ask; rows that change nothing stay."""
    before = {number: (patient, splits[patient]) for number, patient in enumerate(stored)}
    changes = []
    for number, (patient, split) in before.items():
        asked = {"patient": wanted[number][0], "split": wanted[number][1]}
        now = {"patient": patient, "split": split}
        facts = {key: new for key, new in asked.items() if new and new != now[key]}
        changes.append(_Change(number, str(number), (patient, split), facts))
    refused = _apart(changes, before)
    after = before | {c.id: (c.patient, c.split) for c in changes if c.case not in refused}
    assert all(len({split for patient, split in after.values() if patient == p}) <= 1 for p in "pqr")
    assert not {c.case for c in changes if not c.facts} & set(refused)
