"""A round through another program: export, its commands, its model and its predictions, each once, whatever happens."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from flaredb.catalog import models
from flaredb.errors import ConflictError, FlareError, InvalidDataError, NotFoundError, UsageError
from flaredb.workflow.commands import Workbench
from flaredb.workflow.integrity.purge import case_purge
from flaredb.workflow.integrity.usage import du
from flaredb.workflow.provenance.lineage import label_lineage
from flaredb.workflow.rounds.advance import RoundOptions, advance, round_start
from flaredb.workflow.rounds.ingest import ingest_round
from flaredb.workflow.rounds.show import round_show
from flaredb.workflow.rounds.task_settings import Asked, round_options
from flaredb.workflow.snapshot.create import snapshot_show
from flaredb.workspace import CONFIG, Workspace
from tests import other_program
from tests.cohorts import PROGRAM, flaredb, tiny


def configured(workspace: Workspace, text: str) -> Workspace:
    """The workspace opened again with more in its settings."""
    path = workspace.root / CONFIG
    path.write_text(path.read_text(encoding="utf-8") + text)
    return Workspace.open(workspace.root)


def started(workspace: Workspace, **more: list[list[str]]) -> Workspace:
    """With a round open whose task names the other program."""
    opened = configured(workspace, other_program.table(**more))
    round_start(opened, "organ", round_options(opened, "organ", Asked("tiny", gate="ask")))
    return opened


def state(workspace: Workspace) -> str:
    """Where the round is."""
    return str(round_show(workspace, "organ/1")["state"])


def logs(workspace: Workspace) -> dict[str, str]:
    """What the commands said."""
    return {
        path.name: path.read_text(encoding="utf-8") for path in (workspace.round_folder("organ/1") / "logs").iterdir()
    }


def test_a_round_runs_through_another_program(workspace: Workspace) -> None:
    """To the gate; its model knows the snapshot, its labels model and round, and all descends from people's labels."""
    with started(workspace) as opened:
        for _ in range(3):
            advance(opened, "organ/1")
        shown = round_show(opened, "organ/1")
        assert shown["state"] == "evaluated"
        assert set(shown["gate"]["structures"]) >= {"liver", "spleen"}
        with opened.catalog.read() as connection:
            model = models.find(connection, shown["model"])
            learnt = models.cases_of(connection, model.id)
        assert (model.origin, model.snapshot, model.task) == ("nnunet", shown["snapshot"], "organ")
        held = {item["case"] for item in snapshot_show(opened, model.snapshot)["items"]}
        assert set(learnt) == held
        rows = opened.sql("SELECT * FROM label_provenance WHERE source = 'organ/1'")
        assert {row["case"] for row in rows} == {row["name"] for row in opened.sql("SELECT name FROM cases")}
        assert {(row["model"], row["round"], row["accepted"]) for row in rows} == {(model.name, "organ/1", 0)}
        assert {row["annotated"] for row in rows if not row["voxels"]} == {"positive-only"}
        assert {row["annotated"] for row in rows if row["voxels"]} == {"exhaustive"}
        kinds = {node["type"] for node in label_lineage(opened, rows[0]["label"])["nodes"]}
        names = {node["name"] for node in label_lineage(opened, rows[0]["label"])["nodes"]}
        assert {"label", "model", "snapshot"} <= kinds
        assert any("@flare23@" in name for name in names)


def test_what_is_done_is_not_done_again(workspace: Workspace) -> None:
    """Where a command fails its log is named; mended, the same call goes on behind the commands that came through."""
    with started(workspace, predict=[other_program.words("fail", "out of memory")]) as opened:
        advance(opened, "organ/1")
        with pytest.raises(
            FlareError, match=r"ended with 3: out of memory; the log: rounds/organ-1/logs/predict-1.log"
        ):
            advance(opened, "organ/1")
        assert state(opened) == "trained"
        assert "first line" in logs(opened)["predict-1.log"]
        mended = other_program.commands()
        rewritten(opened, mended)
        before = (opened.round_folder("organ/1") / "nnUNet_results").stat().st_mtime_ns
        advance(opened, "organ/1")
        assert state(opened) == "predicted"
        assert (opened.round_folder("organ/1") / "nnUNet_results").stat().st_mtime_ns == before


def rewritten(workspace: Workspace, commands: dict[str, Any]) -> None:
    """Put other commands into the open round, as nobody can from outside."""
    (row,) = workspace.sql("SELECT id, settings FROM rounds")
    told = json.loads(row["settings"]) | {"commands": {**commands, "model": ""}}
    with workspace.catalog.writer() as connection:
        connection.exec_driver_sql("UPDATE rounds SET settings = ? WHERE id = ?", (json.dumps(told), row["id"]))


def test_a_torn_prediction_is_made_again(workspace: Workspace) -> None:
    """Half a file, left by a program that was killed, is not taken for a prediction."""
    half = other_program.words("half", "{predictions}")
    with started(workspace, predict=[half, other_program.words("fail", "killed")]) as opened:
        advance(opened, "organ/1")
        with pytest.raises(FlareError, match="killed"):
            advance(opened, "organ/1")
        torn = opened.round_folder("organ/1") / "predictions" / "FLARE23_0001.nii.gz"
        assert torn.stat().st_size < 100
        rewritten(opened, {"train": [], "predict": [other_program.words("fail", "again")]})
        with pytest.raises(FlareError, match="again"):
            advance(opened, "organ/1")
        assert not torn.exists()


def test_a_purge_takes_what_was_handed_over(workspace: Workspace) -> None:
    """No scan or label of a purged case stays in a round's folder; it is refused while a program works there."""
    with started(workspace, predict=[other_program.words("fail", "stopped")]) as opened:
        advance(opened, "organ/1")
        with pytest.raises(FlareError, match="stopped"):
            advance(opened, "organ/1")
        folder = opened.round_folder("organ/1")
        assert [row["source"] for row in du(opened) if row["what"] == "round-work" and row["bytes"]] == ["organ-1"]
        assert list(folder.rglob("FLARE23_0001*"))
        bench = Workbench(opened.root, folder, {}, "", opened.reporter)
        with bench, pytest.raises(ConflictError, match="still runs"):
            case_purge(opened, "FLARE23_0001", "consent withdrawn", yes=True)
        assert opened.image("FLARE23_0001").array.size
        case_purge(opened, "FLARE23_0001", "consent withdrawn", yes=True)
        assert not list(opened.root.rglob("*FLARE23_0001*"))


def test_a_missing_program_or_model_is_told(workspace: Workspace) -> None:
    """A program that is not there, and training that leaves nothing, end the step with what to do; nothing moves."""
    with configured(workspace, '\n[task.organ.commands]\ntrain = ["no-such-program"]\n') as opened:
        round_start(opened, "organ", round_options(opened, "organ"))
        with pytest.raises(UsageError, match="no-such-program: no such program"):
            advance(opened, "organ/1")
        rewritten(opened, {"train": [["true"]], "predict": []})
        with pytest.raises(ConflictError, match="there are: none"):
            advance(opened, "organ/1")
        assert state(opened) == "open"


@pytest.mark.parametrize("place", ["{results}/{name}", "nnUNet_results/{name}"])
def test_the_model_is_the_one_that_is_named(workspace: Workspace, place: str) -> None:
    """Where training leaves two, the settings say which; a relative folder lies in that of the round."""
    twice = other_program.words("train", "{dataset}", "{results}/other")
    named = f'model = "{place}/{other_program.TRAINER}"\n'
    with configured(workspace, other_program.table(train=[twice]) + named) as opened:
        round_start(opened, "organ", round_options(opened, "organ"))
        advance(opened, "organ/1")
        assert state(opened) == "trained"
        assert len(list((opened.round_folder("organ/1") / "nnUNet_results").rglob("plans.json"))) == 2


def test_two_models_unnamed_are_told(workspace: Workspace) -> None:
    """Nothing is imported by chance."""
    twice = other_program.words("train", "{dataset}", "{results}/other")
    with started(workspace, train=[twice]) as opened:
        with pytest.raises(ConflictError, match=r"other.*name it: model = "):
            advance(opened, "organ/1")
        assert state(opened) == "open"


def test_a_model_trained_by_hand(workspace: Workspace, tmp_path: Path) -> None:
    """`round advance --model` gives an open round a model; predictions made by hand are its own; then the gate."""
    round_start(workspace, "organ", RoundOptions(tiny(), gate="ask"))
    folder = workspace.round_folder("organ/1")
    assert not folder.exists()
    made = flaredb(
        "export",
        "nnunet",
        tmp_path / "out",
        "--snapshot",
        round_show(workspace, "organ/1")["snapshot"],
        workspace=workspace.root,
    )
    assert made.code == 0
    (dataset,) = (tmp_path / "out").iterdir()
    results = tmp_path / "results"
    other_program.main("train", [str(dataset), str(results)])
    trainer = results / dataset.name / other_program.TRAINER
    done = flaredb("model", "import", trainer, workspace=workspace.root)
    (name,) = done.json["ids"]
    with pytest.raises(ConflictError, match=r"learnt the task|nothing tells which cases"):
        advance(workspace, "organ/1", name)
    snapshot = round_show(workspace, "organ/1")["snapshot"]
    assert flaredb("model", "import", trainer, "--snapshot", snapshot, workspace=workspace.root).code == 0
    assert flaredb("round", "advance", "organ/1", "--model", name, workspace=workspace.root).code == 0
    assert state(workspace) == "trained"
    told = flaredb("round", "advance", "organ/1", workspace=workspace.root)
    assert told.code == 4
    assert "ingest labels DIR --round organ/1" in told.err
    assert flaredb("export", "nifti", tmp_path / "scans", workspace=workspace.root).code == 0
    other_program.main("predict", [str(tmp_path / "scans" / "images"), str(tmp_path / "p"), str(trainer)])
    brought = flaredb(
        "ingest", "labels", tmp_path / "p", "--round", "organ/1", "--model", name, workspace=workspace.root
    )
    assert (brought.code, brought.json["failed"]) == (0, 0), brought.err
    again = flaredb("ingest", "labels", tmp_path / "p", "--round", "organ/1", workspace=workspace.root)
    assert (again.code, again.json["added"], again.json["unchanged"]) == (0, 0, brought.json["added"])
    for wanted in ("predicted", "evaluated"):
        assert flaredb("round", "advance", "organ/1", workspace=workspace.root).code == 0
        assert state(workspace) == wanted
    with pytest.raises(ConflictError, match="predictions are complete"):
        ingest_round(workspace, tmp_path / "p", "organ/1")


def test_a_model_is_not_given_where_it_cannot_be(after_round: Workspace) -> None:
    """Not to a round that has its model, nor one of another task, nor one that is not there."""
    model = round_show(after_round, "organ/1")["model"]
    with pytest.raises(ConflictError, match="an open round"):
        advance(after_round, "organ/1", model)
    round_start(after_round, "tumor", RoundOptions(tiny()))
    with pytest.raises(ConflictError, match="learnt the task organ"):
        advance(after_round, "tumor/1", model)
    with pytest.raises(NotFoundError):
        advance(after_round, "tumor/1", "m-none")
    with pytest.raises(ConflictError, match="no trained model yet"):
        ingest_round(after_round, Path(), "tumor/1")
    assert round_show(after_round, "tumor/1")["state"] == "open"


def test_a_snapshot_that_it_was_not_trained_from_is_refused(workspace: Workspace, tmp_path: Path) -> None:
    """References are nobody's training set."""
    round_start(workspace, "organ", RoundOptions(tiny()))
    shown = round_show(workspace, "organ/1")
    flaredb("export", "nnunet", tmp_path / "out", "--snapshot", shown["snapshot"], workspace=workspace.root)
    (dataset,) = (tmp_path / "out").iterdir()
    other_program.main("train", [str(dataset), str(tmp_path / "results")])
    trainer = tmp_path / "results" / dataset.name / other_program.TRAINER
    done = flaredb("model", "import", trainer, "--snapshot", shown["reference"], workspace=workspace.root)
    assert done.code == InvalidDataError.exit_code
    assert workspace.sql("SELECT * FROM models") == []


def test_a_program_outlives_a_killed_advance(workspace: Workspace, tmp_path: Path) -> None:
    """kill -9 leaves the program at work: another advance exits 4 and names it, and goes on once it has ended."""
    go = tmp_path / "go"
    with started(workspace, train=[other_program.words("wait", str(go))]) as opened:
        first = subprocess.Popen([PROGRAM, "-w", opened.root, "-q", "round", "advance", "organ/1"])
        lock = opened.round_folder("organ/1") / ".lock"
        number = waited_for(lambda: lock.exists() and lock.read_text(encoding="utf-8").strip())
        second = flaredb("round", "advance", "organ/1", workspace=opened.root)
        assert second.code == 4
        assert f"process {first.pid} on" in second.err
        os.kill(first.pid, signal.SIGKILL)
        first.wait()
        third = flaredb("round", "advance", "organ/1", workspace=opened.root)
        assert third.code == 4
        assert f"process {number}" in third.err
        go.touch()
        waited_for(lambda: not Path(f"/proc/{number}").exists())
        assert flaredb("round", "advance", "organ/1", workspace=opened.root).code == 0
        assert state(opened) == "trained"


def test_a_program_ends_with_its_round(workspace: Workspace, tmp_path: Path) -> None:
    """SIGTERM ends the program too, with exit code 75: run me again."""
    with started(workspace, train=[other_program.words("wait", str(tmp_path / "never"))]) as opened:
        first = subprocess.Popen([PROGRAM, "-w", opened.root, "-q", "round", "advance", "organ/1"])
        lock = opened.round_folder("organ/1") / ".lock"
        number = waited_for(lambda: lock.exists() and lock.read_text(encoding="utf-8").strip())
        first.terminate()
        assert first.wait(300) == 75
        assert not Path(f"/proc/{number}").exists()
        assert state(opened) == "open"


def waited_for(what: Any, seconds: float = 300) -> Any:
    """The first true answer."""
    until = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < until
        time.sleep(0.02)
    return found
