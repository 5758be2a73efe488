"""Bad rounds do no harm: the gate keeps them out, structure by structure, and names the cases that show why."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from flaredb.catalog import cases, rounds
from flaredb.catalog import tables as t
from flaredb.workflow.label.sources import withdraw_source
from flaredb.workflow.provenance.current import label_current
from flaredb.workflow.provenance.lineage import label_lineage
from flaredb.workflow.rounds.decide import reject, rollback
from flaredb.workflow.rounds.gate_report import gate_report
from flaredb.workflow.snapshot.create import snapshot_show
from flaredb.workspace import Workspace
from tests.cohorts import flaredb, process
from tests.planted import TUMOR, Codes, cohort, collapsed, exact, planted, rough, swapped

KIDNEYS = ("right_kidney", "left_kidney")


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace after a first joint round that drew everything a voxel off, and was promoted; not to be changed."""
    root = tmp_path_factory.mktemp("planted") / "workspace"
    cohort(root)
    with Workspace.open(root) as workspace:
        shown = planted(workspace, root.parent, "all", rough)
    assert shown["state"] == "promoted"
    assert {"tumor", *KIDNEYS} <= promoted(shown)
    return root


@pytest.fixture
def workspace(started: Path, tmp_path: Path) -> Iterator[Workspace]:
    """A copy of it."""
    shutil.copytree(started, tmp_path / "workspace")
    with Workspace.open(tmp_path / "workspace") as opened:
        yield opened


def promoted(shown: dict[str, Any]) -> set[str]:
    """The structures that a round's gate passed."""
    return {name for name, row in shown["gate"]["structures"].items() if row["decision"] == "promote"}


def current(workspace: Workspace, *structures: str) -> dict[tuple[str, str], str]:
    """(case, structure) → the current label, of some structures or all."""
    rows = label_current(workspace)
    return {(r["case"], r["structure"]): r["label"] for r in rows if not structures or r["structure"] in structures}


def rough_but_swapped(truth: Codes) -> Codes:
    return swapped(rough(truth))


def rough_but_collapsed(truth: Codes) -> Codes:
    return collapsed(rough(truth))


def test_swapped_kidneys_reject_a_round_that_is_no_better(workspace, tmp_path):
    """Nothing else changed: rejected, everything current as before, and every reference is named with both figures."""
    before = current(workspace)
    shown = planted(workspace, tmp_path, "all", rough_but_swapped)
    assert (shown["state"], promoted(shown)) == ("rejected", set())
    assert current(workspace) == before
    for kidney in KIDNEYS:
        row = shown["gate"]["structures"][kidney]
        assert row["decision"] == "keep"
        assert {each["case"] for each in row["moved"]} == {f"FLARE23Ts_{n:04d}" for n in range(1, 5)}
        assert all(each["challenger"] < 0.2 < each["champion"] for each in row["moved"])
        (reason,) = [line for line in shown["gate"]["reasons"] if line.startswith(f"{kidney}: keep")]
        assert f"worst {min(row['moved'], key=lambda each: each['change'])['case']}" in reason


def test_swapped_kidneys_are_left_out_of_a_better_round(workspace, tmp_path):
    """The other structures are promoted; current labels of the kidneys stay what they were."""
    before = current(workspace)
    shown = planted(workspace, tmp_path, "all", swapped)
    assert shown["state"] == "promoted"
    assert promoted(shown) >= {"liver", "spleen", "tumor"}
    assert not promoted(shown) & set(KIDNEYS)
    assert current(workspace, *KIDNEYS) == {key: label for key, label in before.items() if key[1] in KIDNEYS}
    assert "all/2" in {label.split("@")[1] for label in current(workspace, "liver").values() if label}


def test_a_collapse_on_the_tumour_is_seen(workspace, tmp_path):
    """A model that finds no tumour any more is kept out of it; the report names the cases that have one."""
    before = current(workspace)
    shown = planted(workspace, tmp_path, "all", rough_but_collapsed)
    assert shown["state"] == "rejected"
    assert current(workspace) == before
    row = shown["gate"]["structures"]["tumor"]
    assert row["decision"] == "keep"
    assert row["moved"]
    assert all(each["challenger"] == 0.0 < each["champion"] for each in row["moved"])
    better = planted(workspace, tmp_path, "all", collapsed)
    assert better["state"] == "promoted"
    assert "tumor" not in promoted(better)
    assert current(workspace, "tumor") == {key: label for key, label in before.items() if key[1] == "tumor"}


def test_the_report_says_how_much_it_rests_on(workspace, tmp_path):
    """References, patients, how often they have decided, the rules, and means over the cases of the difference."""
    shown = planted(workspace, tmp_path, "all", exact)
    gate = shown["gate"]
    assert (gate["references"], gate["used_before"], gate["unpredicted"]) == (4, 1, [])
    assert gate["descend"] == {"champion": [], "challenger": []}
    assert gate["blind"] == []
    assert gate["rules"] == {"gain": 0.005, "slack": -0.01, "floor": 0.3, "mode": "auto"}
    compared = [row for row in gate["structures"].values() if row["champion_sources"]]
    assert len(compared) > 10
    for row in compared:
        assert row["evidence"].startswith("weak: 4 patients, interval")
        assert sum(row["champion_sources"].values()) == 4
        assert row["champion_source"] in ("all/1", "flare21")
        assert row["challenger"] - row["champion"] == pytest.approx(row["difference"])
    third = planted(workspace, tmp_path, "organ", exact)
    assert third["gate"]["used_before"] == 2
    assert {row["used_before"] for row in third["gate"]["structures"].values()} == {2}
    assert flaredb("round", "show", "all/2", workspace=workspace.root).json["gate"] == gate
    text = process("-w", workspace.root, "round", "show", "all/2")
    assert text.code == 0
    assert "gate on 4 cases, which had decided 1 time before" in text.out
    assert all(reason in text.out for reason in gate["reasons"])
    worst = gate["structures"]["tumor"]["moved"][0]
    assert f"{worst['case']} {worst['champion']:.2f}→{worst['challenger']:.2f}" in text.out


def test_a_reference_that_a_model_learnt_from_judges_nobody(workspace, tmp_path):
    """Two cases found to be one patient: that reference is left out on the side that learnt from it, and said."""
    planted(workspace, tmp_path, "all", exact, gate="ask")
    with workspace.catalog.read() as connection:
        turn = rounds.find(connection, "all/2")
    (learnt, *_) = [item["case"] for item in snapshot_show(workspace, turn.snapshot)["items"]]
    with workspace.run("test") as run:
        with run.write() as write:
            both = t.cases.c.name.in_([learnt, "FLARE23Ts_0002"])
            one = cases.patient_id(write, "one")
            write.connection.execute(t.cases.update().where(both).values(patient_id=one))
        report, findings = gate_report(workspace, run, turn)
    assert report["descend"]["challenger"] == ["FLARE23Ts_0002"]
    assert report["descend"]["champion"] == ["FLARE23Ts_0002"]
    assert {finding.rule for finding in findings} == {"learnt-from"}
    assert all(finding.message in report["reasons"] for finding in findings)
    for row in report["structures"].values():
        assert "FLARE23Ts_0002" not in {each["case"] for each in row["moved"]}
        assert row["cases"] == 3


def test_rounds_are_undone_and_time_travels(workspace, tmp_path):
    """After a rollback all is as before the promotion; as of the operation between, it is what it was then."""
    before = current(workspace)
    shown = planted(workspace, tmp_path, "all", exact)
    between = current(workspace)
    assert between != before
    promotion = shown["events"][-1]["operation"]
    rollback(workspace, "all/2", "to try")
    assert current(workspace) == before
    rows = label_current(workspace, as_of=str(promotion))
    assert {(row["case"], row["structure"]): row["label"] for row in rows} == between


def test_from_the_joint_model_down_to_people(workspace, tmp_path):
    """Organ, tumour and joint rounds: every prediction descends from people's labels and the external source.

    Withdrawing the external source names every model, round, snapshot and label that descends from it.
    """
    organ = planted(workspace, tmp_path, "organ", rough)
    tumor = planted(workspace, tmp_path, "tumor", exact)
    joint = planted(workspace, tmp_path, "all", exact)
    label = "FLARE23_0001@all/2"
    found = label_lineage(workspace, label)
    nodes = {kind: {n["name"] for n in found["nodes"] if n["type"] == kind} for kind in ("source", "model", "snapshot")}
    assert joint["model"] in nodes["model"]
    assert joint["snapshot"] in nodes["snapshot"]
    assert {"flare23", "flare21"} <= nodes["source"]
    made = {after for _, after in found["edges"]}
    assert {before for before, _ in found["edges"]} - made == nodes["source"]
    used = {before.split("@")[1] for before, after in found["edges"] if after == joint["snapshot"]}
    assert used == {"flare23", "flare21", "organ/1", "tumor/1", "all/1"} & used
    assert "flare23" in used
    shown = withdraw_source(workspace, "flare21", "their licence ended")
    assert shown.would is not None
    tainted = shown.would["tainted"]
    turns = {turn["round"]: turn for turn in (organ, tumor, joint)}
    reached = label_lineage(workspace, "flare21", down=True)
    assert set(tainted["models"]) == {n["name"] for n in reached["nodes"] if n["type"] == "model"}
    assert {turns[name]["model"] for name in ("organ/1", "all/2")} <= set(tainted["models"])
    assert {"all/1", "all/2", "organ/1"} <= set(tainted["rounds"])
    assert {f"FLARE23_0001@{name}@1" for name in ("organ/1", "all/2")} <= set(tainted["labels"])
    assert workspace.sql("SELECT count(*) AS n FROM withdrawals") == [{"n": 0}]
    withdraw_source(workspace, "flare21", "their licence ended", yes=True)
    kept = {label.split("@")[1] for label in current(workspace).values() if label}
    assert "flare21" not in kept


def test_a_rejected_round_leaves_no_trace_in_what_is_current(workspace, tmp_path):
    """A round that people reject at the gate is closed with their reason."""
    before = current(workspace)
    planted(workspace, tmp_path, "all", lambda truth: np.where(truth == TUMOR, 0, truth), gate="ask")
    reject(workspace, "all/2", "no tumours")
    assert current(workspace) == before
    assert flaredb("round", "show", "all/2", workspace=workspace.root).json["events"][-1]["why"] == "no tumours"
