"""Erasing a case: nothing of it can be found afterwards, and nothing else is another."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from flaredb.catalog import cases, labels, purge
from flaredb.errors import ConflictError, NotFoundError, UsageError
from flaredb.workflow.case.describe import case_describe
from flaredb.workflow.case.events import case_rename, case_same
from flaredb.workflow.export.choice import ExportOptions
from flaredb.workflow.export.nifti import export_nifti
from flaredb.workflow.ingest.labels import LabelOptions
from flaredb.workflow.integrity.backup import backup
from flaredb.workflow.integrity.fsck import fsck
from flaredb.workflow.integrity.gc import gc
from flaredb.workflow.integrity.purge import case_purge
from flaredb.workflow.label.sources import decide_label
from flaredb.workflow.provenance.current import label_current
from flaredb.workflow.provenance.taint import refuse_tainted
from flaredb.workflow.report import report
from flaredb.workflow.rounds.decide import promote
from flaredb.workflow.rounds.show import round_show
from flaredb.workflow.snapshot.create import snapshot_create, snapshot_show
from flaredb.workflow.snapshot.file import snapshot_export
from flaredb.workspace import Workspace
from tests.cohorts import add_case, add_label, blocks, content, flaredb

TRUTH = LabelOptions("flare23", "ground-truth")
VICTIM = "FLARE23_0001"


def words_of(workspace: Workspace, case: str) -> set[str]:
    """Names, file names, digests and labels of a case that no other case shares."""
    with workspace.catalog.read() as connection:
        known = cases.find(connection, case)
        own = labels.of_case(connection, known.name)
    rows = [
        row
        for table, key in (("cases", "id"), ("labels", "case_id"))
        for row in workspace.sql(f"SELECT * FROM {table} WHERE {key} = :id", id=known.id)
    ]
    columns = ("file_name", "file_sha256", "image", "voxels_digest", "volume")
    found = {str(row[name]) for row in rows for name in columns if row.get(name)}
    return found | {known.name, known.patient, *(label.name for label in own)}


def mentions(root: Path, words: set[str]) -> list[tuple[str, str]]:
    """(file, word) for every word that a file of the workspace holds or is named by."""
    found = []
    for path in sorted(root.rglob("*")):
        place = path.relative_to(root).as_posix()
        data = place.encode() + (path.read_bytes() if path.is_file() else b"")
        found += [(place, word) for word in sorted(words) if word.encode() in data]
    return found


def others(workspace: Workspace, case: str) -> dict[str, Any]:
    """What is said of every other case: rows, current labels, voxels."""
    said = content(workspace)
    current = [row for row in label_current(workspace) if row["case"] != case]
    volumes = {digest for digest in workspace.volumes.digests() if not workspace.volumes.verify(digest)}
    return {
        "cases": [row for row in said["cases"] if row["name"] != case],
        "labels": [row for row in said["labels"] if not row["label"].startswith(f"{case}@")],
        "current": current,
        "volumes": volumes,
    }


def erase(workspace: Workspace, case: str, why: str = "consent withdrawn") -> Any:
    """Purge a case."""
    return case_purge(workspace, case, why, yes=True)


@pytest.fixture
def shown(after_round: Workspace) -> Workspace:
    """A workspace with a finished round, decisions that name the case, and a page about it."""
    promote(after_round, "organ/1", f"{VICTIM} looks fine", ["liver"], force=True)
    decide_label(after_round, f"{VICTIM}@organ/1@1", "revoked", f"not {VICTIM}_0000.nii.gz")
    snapshot_create(after_round, "organ", f"\"case\" <> '{VICTIM}' OR split = 'train'", f"with {VICTIM}")
    page = report(after_round, after_round.root / "reports" / "report.html")
    page.write_text(page.read_text(encoding="utf-8") + f"<p>{VICTIM}</p>")
    (after_round.root / "notes.txt").write_text(f"{VICTIM}: look again\n")
    (after_round.root / "out" / VICTIM).mkdir(parents=True)
    (after_round.root / "out" / VICTIM / "seg.nii.gz").write_bytes(b"voxels")
    return after_round


def test_nothing_of_a_purged_case_is_found(shown):
    """After a round and a page, no file of the workspace holds a name, a file name or a digest of the case."""
    words = words_of(shown, VICTIM)
    assert len(words) > 10
    volumes = {digest for digest in words if shown.volumes.has(digest)}
    before = others(shown, VICTIM)
    assert {word for _, word in mentions(shown.root, words)} >= {word for word in words if "@flare" not in word}
    done = erase(shown, VICTIM, f"{VICTIM} asked")
    assert done.added == 1
    assert mentions(shown.root, words) == []
    after = others(shown, VICTIM)
    assert after["volumes"] == before["volumes"] - volumes
    assert {name: after[name] for name in ("cases", "labels", "current")} == {
        name: before[name] for name in ("cases", "labels", "current")
    }
    assert fsck(shown, voxels=True, history=True).problems == ()
    assert (shown.root / "notes.txt").read_text(encoding="utf-8") == f"{done.ids[0]}: look again\n"
    assert not (shown.root / "reports" / "report.html").exists()
    assert not (shown.root / "out" / VICTIM).exists()
    for word in words:
        with pytest.raises(NotFoundError), shown.catalog.read() as connection:
            cases.find(connection, word)


def test_snapshots_and_models_still_say_what_they_were(shown):
    """Digest, task and policy stay; items are fewer, how many were lost is told, and training from it is refused."""
    name = round_show(shown, "organ/1")["snapshot"]
    before, models = snapshot_show(shown, name), shown.sql("SELECT * FROM models")
    gone = next(item for item in before["items"] if item["case"] == VICTIM)
    erase(shown, VICTIM)
    after = snapshot_show(shown, name)
    same = ("id", "digest", "task", "purpose", "policy", "created")
    assert {key: after[key] for key in same} == {key: before[key] for key in same}
    assert after["items"] == [item for item in before["items"] if item["case"] != VICTIM]
    assert after["cases"] == before["cases"] - 1
    (listed,) = [row for row in flaredb("snapshot", "list", workspace=shown.root).json if row["name"] == name]
    assert (listed["lost"], listed["models"]) == (len(gone["labels"]), 1)
    assert shown.sql("SELECT * FROM models") == models
    with shown.catalog.read() as connection, pytest.raises(ConflictError, match="purged"):
        refuse_tainted(connection, name, None)
    with pytest.raises(ConflictError, match="purged"):
        snapshot_export(shown, name, shown.root / "s.json")


def test_without_yes_nothing_changes(shown, tmp_path):
    """What would go is said: cases, labels, what learnt from it, and the copies that people must delete."""
    export_nifti(shown, tmp_path / "nifti", ExportOptions(where=f"\"case\" = '{VICTIM}'"))
    shutil.copytree(tmp_path / "nifti", shown.root / "nifti")
    (shown.root / "backups").mkdir()
    backup(shown, shown.root / "backups" / "copy.db")
    files = {path: path.read_bytes() for path in shown.root.rglob("*") if path.is_file()}
    result = case_purge(shown, VICTIM, "consent withdrawn")
    assert result.operation is None
    assert result.would["cases"] == [VICTIM]
    with shown.catalog.read() as connection:
        assert result.would["labels"] == len(labels.of_case(connection, VICTIM))
    shown_round = round_show(shown, "organ/1")
    assert shown_round["snapshot"] in result.would["tainted"]["snapshots"]
    assert result.would["tainted"]["models"] == [shown_round["model"]]
    assert result.would["tainted"]["rounds"] == ["organ/1"]
    reminders = "\n".join(result.would["reminders"])
    assert "export nifti on 2" in reminders
    assert "nifti all" in reminders
    assert "backups/copy.db may hold it" in reminders
    assert {path: path.read_bytes() for path in shown.root.rglob("*") if path.is_file()} == files
    done = erase(shown, VICTIM)
    assert len(done.would["reminders"]) == len(result.would["reminders"])
    assert not (shown.root / "nifti" / "images" / f"{VICTIM}_0000.nii.gz").exists()
    assert VICTIM not in (shown.root / "nifti" / "manifest.json").read_text(encoding="utf-8")
    assert (shown.root / "backups" / "copy.db").exists()


def test_a_shared_volume_stays(empty, tmp_path):
    """Two cases of one scan with equal labels point at the same volumes; those of the other one stay."""
    for name in ("a", "b"):
        add_case(empty, tmp_path, name, 7)
        add_label(empty, tmp_path / "l", name, blocks(1), "liver", TRUTH)
    add_label(empty, tmp_path / "m", "a", blocks(1, 3), "spleen", TRUTH)
    before = others(empty, "a")
    erase(empty, "a")
    after = others(empty, "a")
    assert len(before["volumes"] - after["volumes"]) == 1
    assert {**after, "volumes": 0} == {**before, "volumes": 0}
    assert fsck(empty, voxels=True, history=True).problems == ()


NEIGHBOURS = ("FLARE23_00421", "FLARE23_0042_b", "FLARE23_0042-2", "FLARE23_0042.2", "xFLARE23_0042", "FLARE23_004")


def test_neighbouring_names_stay(empty, tmp_path):
    """Names that hold the name of the purged case are other names, and stay in texts, too."""
    for seed, name in enumerate(["FLARE23_0042", *NEIGHBOURS]):
        add_case(empty, tmp_path, name, seed)
        add_label(empty, tmp_path / "l", name, blocks(1), "liver", TRUTH)
    why = " ".join(["FLARE23_0042", "FLARE23_0042_0000.nii.gz", "FLARE23_0042@flare23@1", *NEIGHBOURS])
    (empty.root / "log.txt").write_text(why)
    decide_label(empty, "FLARE23_00421@flare23@1", "revoked", why)
    before = others(empty, "FLARE23_0042")
    (number,) = erase(empty, "FLARE23_0042").ids
    clean = " ".join([number, number, f"{number}@flare23@1", *NEIGHBOURS])
    assert [row["why"] for row in empty.sql("SELECT why FROM acceptances WHERE event = 'revoked'")] == [clean]
    assert (empty.root / "log.txt").read_text(encoding="utf-8") == clean
    after = others(empty, "FLARE23_0042")
    assert {**after, "volumes": 0} == {**before, "volumes": 0}
    assert set(NEIGHBOURS) == {row["name"] for row in after["cases"]}


@pytest.mark.parametrize("name", ["train", "liver", "1", "400", "done", "flare23", "ground-truth", "models"])
def test_a_case_named_like_something_else(empty, tmp_path, name):
    """A case that is called like a split, a structure, a number or a source takes nothing of those with it."""
    for seed, each in enumerate((name, "other")):
        add_case(empty, tmp_path, each, seed)
        add_label(empty, tmp_path / "l", each, blocks(1, 3), "liver,spleen", TRUTH)
    (empty.root / "models" / "m-1").mkdir(parents=True)
    (empty.root / "models" / "m-1" / "log.jsonl").write_text('{"step": 1, "loss": 400}\n')
    snapshot_create(empty, "organ")
    before = others(empty, name)
    erase(empty, name)
    after = others(empty, name)
    assert {**after, "volumes": 0} == {**before, "volumes": 0}
    assert json.loads((empty.root / "models" / "m-1" / "log.jsonl").read_text(encoding="utf-8")) == {
        "step": 1,
        "loss": 400,
    }
    assert fsck(empty, voxels=True, history=True).problems == ()
    assert [row["name"] for row in flaredb("case", "list", workspace=empty.root).json] == ["other"]
    for command in (("log",), ("snapshot", "list"), ("source", "list"), ("status",), ("label", "current")):
        assert flaredb(*command, workspace=empty.root).code == 0


def test_former_names_and_foreign_files_go_too(empty, tmp_path):
    """Aliases, a file named otherwise and with an umlaut, and mentions by another case of the same patient."""
    path = tmp_path / "Müller & Söhne.nii.gz"
    add_case(empty, tmp_path, "victim", 1)
    add_case(empty, tmp_path, "other", 2)
    (tmp_path / "victim_0000.nii.gz").rename(path)
    assert flaredb("ingest", "images", path, "--case", "third", workspace=empty.root).json["added"] == 1
    case_rename(empty, "victim", "anna", "a name")
    case_rename(empty, "anna", "bertha", "another name")
    case_same(empty, "other", "bertha", "seen bertha")
    words = {"victim", "anna", "bertha", "M\\u00fcller", "Müller", "Söhne"}
    assert {word for _, word in mentions(empty.root, words)} == words
    erase(empty, "anna")
    erase(empty, "third")
    assert mentions(empty.root, words) == []
    assert fsck(empty, history=True).problems == ()


def test_a_patient_is_purged_whole(empty, tmp_path):
    """By name as it was described, or by key: every case of the patient, and no other."""
    for seed, name in enumerate(("a", "b", "c")):
        add_case(empty, tmp_path, name, seed)
        add_label(empty, tmp_path / "l", name, blocks(1), "liver", TRUTH)
    (tmp_path / "t.csv").write_text("case,patient\na,Anna\nb,Anna\n")
    case_describe(empty, tmp_path / "t.csv")
    words = words_of(empty, "a") | words_of(empty, "b")
    words -= words_of(empty, "c")
    key = empty.patient_key("Anna")
    assert case_purge(empty, None, "x", patient=key).would["cases"] == ["a", "b"]
    assert case_purge(empty, None, "consent", patient="Anna", yes=True).added == 2
    assert [row["name"] for row in empty.sql("SELECT name FROM cases")] == ["c"]
    assert mentions(empty.root, {word for word in words if len(word) > 1} | {"Anna", key}) == []
    assert empty.sql("SELECT count(*) AS n FROM patients") == [{"n": 1}]
    with pytest.raises(NotFoundError):
        case_purge(empty, None, "x", patient="Anna")


def test_what_is_asked_must_be_one_thing(workspace):
    """A case or a patient, one of them, and one that is there."""
    with pytest.raises(UsageError):
        case_purge(workspace, None, "x")
    with pytest.raises(UsageError):
        case_purge(workspace, VICTIM, "x", patient="p")
    assert flaredb("case", "purge", "nobody", "--why", "x", workspace=workspace.root).code == 3
    assert flaredb("case", "purge", VICTIM, workspace=workspace.root).code == 2


def test_an_interrupted_purge_is_ended_by_the_same_command(shown, monkeypatch):
    """Killed before the rows go, the case is still there and can be purged; after that, `gc` ends it."""
    words = words_of(shown, VICTIM)
    for step in ("erase", "overwrite"):
        with monkeypatch.context() as patch:
            patch.setattr(purge, step, lambda *_: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                erase(shown, VICTIM)
        assert mentions(shown.root, words)
    with pytest.raises(NotFoundError):
        erase(shown, VICTIM)
    gc(shown, yes=True)
    assert mentions(shown.root, words) == []
    assert fsck(shown, voxels=True, history=True).problems == ()


def test_a_reader_in_the_way_is_named(workspace):
    """While another reads, the files still hold what it reads: that is said, with what to do."""
    words = words_of(workspace, VICTIM)
    with workspace.catalog.read() as connection:
        connection.exec_driver_sql("SELECT count(*) FROM cases").all()
        with pytest.raises(ConflictError, match="gc --yes"):
            erase(workspace, VICTIM)
    gc(workspace, yes=True)
    assert mentions(workspace.root, words) == []


def test_a_purged_case_can_come_back_and_go_again(workspace, files):
    """Imported anew it is a new case; its second purge leaves a second tombstone."""
    for _ in range(2):
        erase(workspace, VICTIM)
        for folder in ("imagesTr2200", "unlabeledTr1800"):
            flaredb("ingest", "images", files / folder, workspace=workspace.root)
        with workspace.catalog.read() as connection:
            assert cases.find(connection, VICTIM).image
    tombstones = workspace.sql("SELECT case_id, actor, why FROM tombstones")
    assert len({row["case_id"] for row in tombstones}) == 2
    assert {row["why"] for row in tombstones} == {"consent withdrawn"}
    assert fsck(workspace, history=True).problems == ()


def test_the_program_says_what_it_did(filled, tmp_path):
    """Without `--yes` exit 0 and `would`; with it ids and reminders, for people too."""
    root = tmp_path / "w"
    shutil.copytree(filled, root)
    asked = flaredb("case", "purge", VICTIM, "--why", "x", workspace=root)
    assert (asked.code, asked.json["operation"], asked.json["would"]["cases"]) == (0, None, [VICTIM])
    assert set(asked.json["would"]["tainted"]) == {"labels", "snapshots", "models", "rounds"}
    done = flaredb("case", "purge", VICTIM, "--why", "x", "--yes", workspace=root)
    assert (done.code, done.json["added"]) == (0, 1)
    assert done.json["would"]["reminders"]
    assert VICTIM not in done.out
