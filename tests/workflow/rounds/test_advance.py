"""Rounds on a tiny cohort: one state at a time, judged, promoted, undone; never against ground truth."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from flaredb.catalog import cases, labels, models, rounds, snapshots
from flaredb.errors import ConflictError, InvalidDataError, NotFoundError
from flaredb.workflow.ingest.labels import LabelOptions
from flaredb.workflow.integrity.fsck import fsck
from flaredb.workflow.predict.cases import predict
from flaredb.workflow.provenance.current import label_current
from flaredb.workflow.rounds.advance import RoundOptions, advance, round_start, run_to_end
from flaredb.workflow.rounds.decide import promote, reject, rollback
from flaredb.workflow.rounds.gate import GateRules
from flaredb.workflow.rounds.loop import loop
from flaredb.workflow.rounds.show import round_show
from flaredb.workflow.snapshot.create import snapshot_show
from flaredb.workflow.status import status
from flaredb.workspace import Workspace
from tests.cohorts import add_case, add_label, blocks, tiny

OPTIONS = RoundOptions(tiny(steps=3, learning_rate=1e-6), device="cpu")  # predicts a bit of everything
FLOORLESS = GateRules(floor=-1.0)


def current(workspace: Workspace) -> dict[tuple[str, str], dict[str, Any]]:
    """(case, structure) → its row, where there is a current label."""
    return {(row["case"], row["structure"]): row for row in label_current(workspace) if row["label"]}


def made(workspace: Workspace, source: str) -> list[labels.Label]:
    """The newest labels of a source."""
    with workspace.catalog.read() as connection:
        return labels.of_source(connection, source)


def promoted(workspace: Workspace, name: str = "organ/1") -> None:
    """Promote by hand what the tiny network cannot win."""
    promote(workspace, name, "for the test", workspace.structures.organs, force=True)


def test_a_round_goes_one_state_at_a_time(workspace):
    """Open, trained, predicted, evaluated, then rejected by an untrained network; a closed round goes no further."""
    before = current(workspace)
    assert round_start(workspace, "organ", OPTIONS).ids == ("organ/1",)
    states = [round_show(workspace, "organ/1")["state"]]
    for _ in range(4):
        advance(workspace, "organ/1")
        states.append(round_show(workspace, "organ/1")["state"])
    assert states == ["open", "trained", "predicted", "evaluated", "rejected"]
    shown = round_show(workspace, "organ/1")
    assert [event["state"] for event in shown["events"]] == states
    assert shown["gate"]["passed"] is False
    assert shown["gate"]["references"] == 2
    assert shown["gate"]["used_before"] == 0
    for row in shown["gate"]["structures"].values():
        assert {"champion", "challenger", "difference", "interval", "decision"} <= set(row)
    assert current(workspace) == before
    with pytest.raises(ConflictError, match="rejected"):
        advance(workspace, "organ/1")
    assert fsck(workspace, voxels=True).problems == ()


def test_a_round_that_passes_the_gate_is_promoted(workspace):
    """What the gate passes is accepted and becomes current where nobody drew the structure."""
    round_start(workspace, "organ", OPTIONS._replace(rules=FLOORLESS))
    assert run_to_end(workspace, "organ/1").state == "promoted"
    report = round_show(workspace, "organ/1")["gate"]
    passed = {name for name, row in report["structures"].items() if row["decision"] == "promote"}
    assert report["passed"]
    assert passed
    sources = {structure for (_, structure), row in current(workspace).items() if row["source"] == "organ/1"}
    assert sources
    assert sources <= passed


def test_one_open_round_a_task(workspace):
    """A second start while a round is open is refused and names it; another task may start."""
    round_start(workspace, "organ", OPTIONS)
    with pytest.raises(ConflictError, match="organ/1"):
        round_start(workspace, "organ", OPTIONS)
    assert round_start(workspace, "tumor", OPTIONS).ids == ("tumor/1",)
    assert [row["round"] for row in status(workspace)["rounds"]] == ["organ/1", "tumor/1"]
    reject(workspace, "organ/1", "another network")
    assert round_start(workspace, "organ", OPTIONS).ids == ("organ/2",)


def test_a_failed_start_leaves_nothing(empty, tmp_path):
    """Without references a round does not start, and no snapshot and no moved case remain."""
    add_case(empty, tmp_path, "a")
    add_label(empty, tmp_path / "l", "a", blocks(1), "liver", LabelOptions("flare23", "ground-truth"))
    with pytest.raises(InvalidDataError, match="no validation case"):
        round_start(empty, "organ", OPTIONS)
    assert not empty.sql("SELECT * FROM snapshots")
    assert not empty.sql("SELECT * FROM cases WHERE split != 'train'")


def test_unknown_rounds_and_tasks(workspace):
    """What is not there is not found, and the error says what is."""
    for wrong in ("organ/1", "organ", "organ/x", "/", ""):
        with pytest.raises(NotFoundError, match="round"):
            round_show(workspace, wrong)
    with pytest.raises(NotFoundError, match="organ tumor all"):
        round_start(workspace, "bones", OPTIONS)


def test_ask_waits_for_people(after_round):
    """With `--ask` an evaluated round waits, and says with what to go on."""
    assert round_show(after_round, "organ/1")["state"] == "evaluated"
    with pytest.raises(ConflictError, match="promote or reject"):
        advance(after_round, "organ/1")


def test_promotion_by_hand(after_round):
    """What the gate did not pass needs `--force`; then it is current, with the reason kept."""
    with pytest.raises(ConflictError, match="--force"):
        promote(after_round, "organ/1", "looks fine")
    with pytest.raises(ConflictError, match="the gate did not pass liver"):
        promote(after_round, "organ/1", "looks fine", ["liver"])
    assert round_show(after_round, "organ/1")["state"] == "evaluated"
    assert not [row for row in current(after_round).values() if row["source"] == "organ/1"]
    promote(after_round, "organ/1", "looks fine", ["liver"], force=True)
    shown = round_show(after_round, "organ/1")
    assert shown["state"] == "promoted"
    assert "looks fine" in shown["events"][-1]["why"]
    assert {s for (_, s), row in current(after_round).items() if row["source"] == "organ/1"} <= {"liver"}


def test_promotion_of_an_unknown_structure_is_refused(after_round):
    """A structure that does not exist is not promoted, even by force."""
    with pytest.raises(NotFoundError, match="lever"):
        promote(after_round, "organ/1", "typo", ["lever"], force=True)
    assert round_show(after_round, "organ/1")["state"] == "evaluated"


def test_rejection(after_round):
    """A rejected round is closed, changes nothing that is current, and cannot be rejected twice."""
    before = current(after_round)
    reject(after_round, "organ/1", "kidneys swapped")
    assert round_show(after_round, "organ/1")["state"] == "rejected"
    assert current(after_round) == before
    with pytest.raises(ConflictError, match="rejected already"):
        reject(after_round, "organ/1", "again")


def test_rollback_gives_back_what_was_current(after_round):
    """After a rollback the labels current before are current again; only a promoted round can be rolled back."""
    before = current(after_round)
    with pytest.raises(ConflictError, match="only a promoted round"):
        rollback(after_round, "organ/1", "not yet")
    promoted(after_round)
    assert current(after_round) != before
    done = rollback(after_round, "organ/1", "kidneys swapped")
    assert done.ids == ("organ/1",)
    assert round_show(after_round, "organ/1")["state"] == "rolled-back"
    assert current(after_round) == before
    promote(after_round, "organ/1", "it was fine", ["liver"], force=True)
    assert round_show(after_round, "organ/1")["state"] == "promoted"


def test_rollback_lists_later_rounds_first(after_round):
    """A later round trained on the promoted labels is named before anything changes; `--cascade` undoes both."""
    before = current(after_round)
    promoted(after_round)
    between = current(after_round)
    round_start(after_round, "organ", OPTIONS._replace(gate="ask"))
    run_to_end(after_round, "organ/2")
    trained_on = snapshot_show(after_round, round_show(after_round, "organ/2")["snapshot"])["items"]
    assert any("@organ/1@" in row["label"] for item in trained_on for row in item["labels"])
    promoted(after_round, "organ/2")
    assert {row["source"] for row in current(after_round).values()} >= {"organ/2"}
    after = current(after_round)
    done = rollback(after_round, "organ/1", "kidneys swapped")
    assert done.operation is None
    told = {"rollback": ["organ/1"], "trained on it": ["organ/2"], "made of it": [], "then": "--cascade"}
    assert done.would == told
    assert current(after_round) == after
    assert after != between
    assert set(rollback(after_round, "organ/1", "kidneys swapped", cascade=True).ids) == {"organ/1", "organ/2"}
    assert current(after_round) == before
    assert {row["state"] for row in status(after_round)["rounds"]} == {"rolled-back"}


def test_a_cascade_closes_an_open_round(after_round):
    """An open round that trained on what is rolled back does not go on to promote what it learned from it."""
    promoted(after_round)
    round_start(after_round, "organ", OPTIONS)
    advance(after_round, "organ/2")
    rollback(after_round, "organ/1", "kidneys swapped", cascade=True)
    assert round_show(after_round, "organ/2")["state"] in ("rejected", "rolled-back")


def test_pseudo_labels_never_displace_ground_truth(after_round):
    """Whatever is promoted by force, every structure that people annotated keeps their label."""
    human = {
        key: row["label"] for key, row in current(after_round).items() if row["kind"] in ("ground-truth", "tumor-only")
    }
    promoted(after_round)
    later = current(after_round)
    assert {key: later[key]["label"] for key in human} == human
    sources = {row["source"] for key, row in later.items() if key not in human}
    assert "organ/1" in sources
    assert sources <= {"organ/1", "flare21"}


def test_what_a_prediction_leaves_empty_is_positive_only(after_round):
    """A structure that a prediction does not hold is positive-only in that case, one that it holds is exhaustive."""
    rows = after_round.sql("SELECT annotated, voxels FROM label_provenance WHERE source = 'organ/1'")
    assert len(rows) == 11 * 13
    assert {row["annotated"] for row in rows if row["voxels"] == 0} == {"positive-only"}
    assert {row["annotated"] for row in rows if row["voxels"]} <= {"exhaustive"}


def test_predictions_know_their_origin(after_round):
    """Every prediction names model and round, is not accepted, and lies on its scan."""
    rows = after_round.sql(
        "SELECT DISTINCT label, kind, round, model, accepted FROM label_provenance WHERE round = 'organ/1'"
    )
    model = round_show(after_round, "organ/1")["model"]
    assert len(rows) == 11
    assert {(row["kind"], row["model"], row["accepted"]) for row in rows} == {("pseudo", model, 0)}
    for label in made(after_round, "organ/1"):
        assert after_round.label(label.name).grid == after_round.image(label.case).grid


def test_a_fifth_is_held_out_where_nobody_is(empty, tmp_path):
    """Without validation cases a fifth of the annotated cases of each kind is set aside, once, with a finding."""
    truth = LabelOptions("flare23", "ground-truth")
    for number in range(10):
        add_case(empty, tmp_path, f"c{number}", number)
        add_label(empty, tmp_path / "l", f"c{number}", blocks(1), "liver" if number < 5 else "spleen", truth)
    done = round_start(empty, "organ", OPTIONS)
    assert [finding.rule for finding in done.findings] == ["set-aside"]
    held_out = [row["name"] for row in empty.sql("SELECT name FROM cases WHERE split = 'validation' ORDER BY name")]
    assert len(held_out) == 2
    assert held_out[0] < "c5" <= held_out[1]
    shown = round_show(empty, "organ/1")
    trained = {item["case"] for item in snapshot_show(empty, shown["snapshot"])["items"]}
    judged = {item["case"] for item in snapshot_show(empty, shown["reference"])["items"]}
    assert judged == set(held_out)
    assert len(trained) == 8
    assert not trained & judged
    reject(empty, "organ/1", "again")
    assert round_start(empty, "organ", OPTIONS).findings == ()
    assert round_show(empty, "organ/2")["reference"] == shown["reference"]


def test_held_out_cases_stay_whole_patients(empty, tmp_path):
    """Two scans of one patient are set aside together."""
    truth = LabelOptions("flare23", "ground-truth")
    for number in range(10):
        add_case(empty, tmp_path, f"c{number}", number // 2)
        add_label(empty, tmp_path / "l", f"c{number}", blocks(1), "liver", truth)
    round_start(empty, "organ", OPTIONS)
    rows = empty.sql("SELECT patient, count(DISTINCT split) AS n, min(split) AS split FROM case_facts GROUP BY patient")
    assert {row["n"] for row in rows} == {1}
    assert 1 <= sum(row["split"] == "validation" for row in rows) <= 2


def test_a_loop_runs_rounds_and_goes_on(workspace):
    """Two rounds are run one after the other; asked again with an open round, that one is finished first."""
    done = loop(workspace, "tumor", OPTIONS._replace(settings=tiny(steps=2)), 2)
    assert [row["round"] for row in done] == ["tumor/1", "tumor/2"]
    assert all(row["state"] in ("promoted", "rejected") for row in done)
    round_start(workspace, "tumor", OPTIONS)
    (row,) = loop(workspace, "tumor", OPTIONS._replace(settings=tiny(steps=2)), 1)
    assert row["round"] == "tumor/3"
    assert round_show(workspace, "tumor/2")["gate"]["used_before"] == 1


def test_a_round_starts_from_a_model(after_round):
    """`--from latest:organ` is resolved once and kept as the model's name, the new model's parent."""
    first = round_show(after_round, "organ/1")["model"]
    reject(after_round, "organ/1", "go on")
    round_start(after_round, "all", OPTIONS._replace(warm="latest:organ"))
    advance(after_round, "all/1")
    model = round_show(after_round, "all/1")["model"]
    with after_round.catalog.read() as connection:
        assert models.find(connection, model).parent == first


def test_a_moved_workspace_goes_on(after_round, tmp_path):
    """A round waiting in a workspace can be promoted after the folder has moved."""
    after_round.close()
    moved = tmp_path / "elsewhere" / "new name"
    moved.parent.mkdir()
    shutil.move(after_round.root, moved)
    with Workspace.open(moved) as workspace:
        promoted(workspace)
        assert fsck(workspace, voxels=True).problems == ()
    assert str(tmp_path).encode() not in database(moved)


def database(root: Path) -> bytes:
    """All bytes of a catalogue, its log included."""
    return b"".join(file.read_bytes() for file in root.glob("catalog.db*"))


def test_a_round_is_advanced_by_one_process_at_a_time(after_round):
    """While one works on a round, another is told who holds it."""
    with after_round.lock("round organ/1"), pytest.raises(ConflictError, match="process"):
        advance(after_round, "organ/1")


def test_a_source_of_a_round_takes_no_other_labels(after_round):
    """Predictions of another model cannot slip in under a round's name, past its gate."""
    with pytest.raises(ConflictError, match="belongs to the round"):
        predict(after_round, "latest:organ", source="organ/1")


def test_a_model_that_learnt_from_the_judges_starts_no_round(after_round):
    """A round cannot start from weights that have seen the patients it is judged on."""
    with after_round.catalog.read() as connection:
        seen = next(case.name for case in cases.every(connection, "train"))
        turn = rounds.find(connection, "organ/1")
        learnt = {item.case for item in snapshots.find(connection, turn.snapshot).items}
    moved = seen if seen in learnt else sorted(learnt)[0]
    with after_round.run("test") as run, run.write() as write:
        cases.set_facts(write, moved, {"split": "validation"})
    reject(after_round, "organ/1", "to start another")
    with pytest.raises(ConflictError, match="would judge"):
        round_start(after_round, "organ", OPTIONS._replace(warm=turn.model))
