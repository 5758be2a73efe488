"""Training as people run it: killed, told to stop, out of time, in two processes, and where there is no catalogue."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import pytest
import torch

from flaredb.trainers.package import read_package
from flaredb.workflow.label.sources import withdraw_source
from flaredb.workflow.snapshot.file import snapshot_export
from flaredb.workspace import Workspace
from tests.cohorts import PROGRAM, Done, environment, flaredb, sets

ENVIRONMENT = {"env": environment(OMP_NUM_THREADS="1"), "timeout": 300}
DEVICE = ("--device", "cpu")


def train(*more: object, **changes: object) -> tuple[object, ...]:
    """A command that trains the tiny network."""
    return ("train", "--preset", "tiny", *sets(**changes), *DEVICE, *more)


class Prepared(NamedTuple):
    """A workspace, a snapshot of it as a file, and the digest of the weights after 60 steps at once."""

    root: Path
    file: Path
    snapshot: str
    digest: str


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory, filled: Path) -> Prepared:
    root = tmp_path_factory.mktemp("train") / "w"
    shutil.copytree(filled, root)
    made = flaredb(*train("--task", "organ", steps=60, checkpoint_every=30), workspace=root)
    assert made.code == 0, made.err
    with Workspace.open(root) as workspace:
        snapshot_export(workspace, made.json["snapshot"], root / "s.json")
    return Prepared(root, root / "s.json", made.json["snapshot"], digest(root, made.json["model"]))


def digest(root: Path, model: str) -> str:
    """Of a model's weights."""
    return str(flaredb("model", "show", model, workspace=root).json["checkpoint"])


def newest(root: Path) -> str:
    """The model registered last."""
    return str(flaredb("sql", "SELECT name FROM models ORDER BY id DESC LIMIT 1", workspace=root).json[0]["name"])


def started(root: Path, command: tuple[object, ...], steps: int) -> subprocess.Popen[str]:
    """A process that trains, once it has saved a checkpoint of so many steps."""
    known = set((root / "models").iterdir())
    words = [PROGRAM, "-w", root, *map(str, command)]
    running = subprocess.Popen(words, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT["env"])
    while running.poll() is None:
        own = [path for path in (root / "models").iterdir() if path not in known]
        if own and any((path / "checkpoints" / f"step-{steps:08d}").is_dir() for path in own):
            return running
        time.sleep(0.02)
    raise AssertionError(running.communicate()[1])


def test_killed_after_30_steps_it_ends_the_same(prepared):
    """kill -9 after 30 of 60 steps, and a resume by another process: the weights of 60 at once, bit for bit."""
    command = train("--task", "organ", "--snapshot", prepared.snapshot, steps=60, checkpoint_every=30)
    running = started(prepared.root, command, 30)
    running.kill()
    assert running.wait() == -signal.SIGKILL
    running.communicate()
    model = newest(prepared.root)
    done = flaredb("train", "--resume", model, *DEVICE, workspace=prepared.root)
    assert done.code == 0, done.err
    assert done.json["steps"] == 60
    assert digest(prepared.root, model) == prepared.digest


def test_told_to_stop_it_says_how_to_go_on(prepared):
    """SIGTERM: exit 75 after the step in hand; the command it names goes on and ends with the same bits."""
    command = train("--task", "organ", "--snapshot", prepared.snapshot, steps=60, checkpoint_every=5)
    running = started(prepared.root, command, 10)
    running.terminate()
    said = running.communicate(timeout=120)[1]
    assert running.returncode == 75, said
    words = shlex.split(said.rpartition("run me again: ")[2])
    assert words[0] == "flaredb"
    done = flaredb(*words[1:])
    assert done.code == 0, done.err
    assert digest(prepared.root, newest(prepared.root)) == prepared.digest


def test_a_time_limit_is_kept(prepared):
    """Out of time after the first step: exit 75; with time enough it ends; the words on the way are JSON too."""
    command = train("--task", "organ", "--snapshot", prepared.snapshot, "--time-limit", "0.0001", steps=3)
    out = flaredb(*command, workspace=prepared.root)
    assert out.code == 75
    assert "after step 1 of 3: the time limit" in out.json["error"]
    assert "--time-limit 0.0001" in out.json["error"]
    done = flaredb("train", "--resume", newest(prepared.root), *DEVICE, "--time-limit", "1:00", workspace=prepared.root)
    assert (done.code, done.json["steps"]) == (0, 3)
    assert flaredb(*command[:-2], "--time-limit", "soon", workspace=prepared.root).code == 2


def test_validation_cases_are_frozen_and_not_learnt_from(prepared):
    """The reference snapshot is recorded with the model; no case of it is learnt from; the best is published."""
    more = {"steps": 4, "validate_every": 2, "publish": "best"}
    done = flaredb(*train("--task", "organ", "--snapshot", prepared.snapshot, **more), workspace=prepared.root)
    assert done.code == 0, done.err
    assert [found["step"] for found in done.json["validation"]] == [2, 4]
    assert 0 <= done.json["waiting"] <= 1
    reference = flaredb("model", "show", done.json["model"], workspace=prepared.root).json["config"]
    shown = flaredb("snapshot", "show", reference["validation_snapshot"], workspace=prepared.root).json
    assert shown["purpose"] == "reference"
    learnt = flaredb("snapshot", "show", prepared.snapshot, workspace=prepared.root).json["items"]
    assert not {item["case"] for item in shown["items"]} & {item["case"] for item in learnt}
    wrong = train("--task", "organ", validate_every=2, validation_snapshot=prepared.snapshot)
    assert flaredb(*wrong, workspace=prepared.root).code == 5


def test_a_snapshot_is_for_what_it_was_made(prepared):
    """No model learns from references, or from a snapshot of another task; told before anything is registered."""
    flaredb(*train("--task", "organ", steps=2, validate_every=2), workspace=prepared.root)
    kept = flaredb("model", "list", workspace=prepared.root).json
    reference = next(
        each["name"]
        for each in flaredb("snapshot", "list", workspace=prepared.root).json
        if each["purpose"] == "reference"
    )
    for task, snapshot, said in (("organ", reference, "references"), ("tumor", prepared.snapshot, "give --task organ")):
        for more in ((), ("--dry-run",)):
            refused = flaredb(*train("--task", task, "--snapshot", snapshot, steps=2), *more, workspace=prepared.root)
            assert refused.code == 5
            assert said in refused.err
    assert flaredb("model", "list", workspace=prepared.root).json == kept


def test_a_withdrawal_is_seen_when_training_goes_on(prepared, tmp_path):
    """An unfinished model whose labels were withdrawn is refused as a new one would be, in a round too."""
    root = shutil.copytree(prepared.root, tmp_path / "w")
    command = train("--task", "organ", "--snapshot", prepared.snapshot, "--time-limit", "0.0001", steps=3)
    assert flaredb(*command, workspace=root).code == 75
    model = newest(root)
    with Workspace.open(root) as workspace:
        withdraw_source(workspace, "flare23", "licence", None, yes=True)
    again = flaredb("train", "--resume", model, *DEVICE, workspace=root)
    assert again.code == 4
    assert "withdrawn" in again.json["error"]
    assert flaredb(*command, workspace=root).code == 4
    assert flaredb("train", "--resume", model, *DEVICE, "--tainted", workspace=root).code == 0


def test_a_purge_takes_the_pictures_of_training(prepared, tmp_path):
    """What TensorBoard shows of a patient goes with the patient; the model stays."""
    root = shutil.copytree(prepared.root, tmp_path / "w")
    model = root / "models" / flaredb("model", "list", workspace=root).json[0]["name"]
    assert list((model / "board").iterdir())
    learnt = flaredb("snapshot", "show", prepared.snapshot, workspace=root).json["items"][0]["case"]
    assert flaredb("case", "purge", learnt, "--why", "consent", "--yes", workspace=root).code == 0
    assert not (model / "board").exists()
    assert (model / "weights.safetensors").is_file()


def apart(prepared: Prepared, out: Path, *more: object, **changes: object) -> Done:
    """Train from the snapshot's file alone."""
    places = ("--snapshot", prepared.file, "--volumes", prepared.root / "volumes", "--out", out)
    return flaredb(*train(*places, *more, **changes))


def test_without_a_catalogue(prepared, tmp_path):
    """A snapshot file and volumes give the same weights as the catalogue; the same command goes on, and then changes
    nothing; another one is refused.
    """
    out = tmp_path / "out"
    stopped = apart(prepared, out, "--time-limit", "0.0001", steps=4)
    assert stopped.code == 75
    assert "run me again: flaredb" in stopped.json["error"]
    done = apart(prepared, out, steps=4)
    assert (done.code, done.json["unchanged"], done.json["steps"]) == (0, False, 4)
    package = read_package(out)
    assert (package.name, package.snapshot) == (done.json["model"], prepared.snapshot)
    here = flaredb(*train("--task", "organ", "--snapshot", prepared.snapshot, steps=4), workspace=prepared.root)
    assert here.json["losses"] == done.json["losses"]
    assert digest(prepared.root, here.json["model"]) == package.weights_sha256
    assert apart(prepared, out, steps=4).json["unchanged"] is True
    assert apart(prepared, out, steps=5).code == 4
    warm = apart(prepared, tmp_path / "warm", "--from", out, steps=1)
    assert warm.code == 0, warm.err
    assert read_package(tmp_path / "warm").parent == package.name


WRONG = [
    (2, {"--out": None}, "--volumes DIR and --out DIR"),
    (3, {"--volumes": "nowhere"}, "no such folder"),
    (3, {"--snapshot": "nothing.json"}, "no such file"),
    (6, {"--volumes": "."}, "are not in"),
    (4, {"--out": "full"}, "not empty"),
    (5, {"--set": "validate_every=1 publish=best"}, "no cases to validate on"),
]


@pytest.mark.parametrize(("code", "changes", "said"), WRONG, ids=[said for _, _, said in WRONG])
def test_what_cannot_be_trained_apart_is_refused(prepared, tmp_path, monkeypatch, code, changes, said):
    """A clear error with the way on, and nothing written."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "other").touch()
    before = sorted(tmp_path.rglob("*"))
    places = {"--snapshot": prepared.file, "--volumes": prepared.root / "volumes", "--out": tmp_path / "new"}
    pairs = str(changes.get("--set", "")).split()
    places |= {name: value for name, value in changes.items() if name != "--set"}
    words = [word for name, value in places.items() if value is not None for word in (name, value)]
    done = flaredb(*train(*words, *(word for pair in pairs for word in ("--set", pair))))
    assert done.code == code, done.err
    assert said in done.json["error"]
    assert [path for path in sorted(tmp_path.rglob("*")) if path.name != ".lock"] == before


def test_two_processes_train_together(prepared, tmp_path):
    """torchrun with two gloo processes, each with half of every batch, computes what one would, up to rounding."""
    places = ("--snapshot", prepared.file, "--volumes", prepared.root / "volumes", "--out", tmp_path / "two")
    command = train(*places, steps=3, batch=2, bf16="false")
    done = torchrun("--json", *command)
    assert done.code == 0, done.err
    one = apart(prepared, tmp_path / "one", steps=3, batch=2, bf16="false").json
    assert json.loads(done.out)["losses"] == pytest.approx(one["losses"], rel=1e-4)
    weights = [read_package(tmp_path / name).weights for name in ("one", "two")]
    for name, value in weights[0].items():
        assert torch.allclose(value, weights[1][name], atol=2e-3), name
    again = torchrun("--json", *command)  # nothing is left to train, and nobody waits for it
    assert (again.code, json.loads(again.out)["unchanged"]) == (0, True), again.err


def test_the_first_process_alone_looks_and_plans(prepared, monkeypatch):
    """`--replay` and `--dry-run` need no help: the others end at once, without a word."""
    model = newest(prepared.root)
    for name, value in {
        "RANK": "1",
        "WORLD_SIZE": "2",
        "LOCAL_RANK": "1",
        "MASTER_ADDR": "x",
        "MASTER_PORT": "1",
    }.items():
        monkeypatch.setenv(name, value)
    for words in (("--resume", model, "--replay", 1), ("--task", "organ", "--dry-run")):
        done = flaredb("train", *words, *DEVICE, workspace=prepared.root)
        assert (done.code, done.out) == (0, "")


@pytest.mark.parametrize("idle", [("--preset", "tiny"), ("--snapshot", "s-1"), ("--from", "m-1"), ("--task", "organ")])
def test_no_option_is_passed_over(prepared, idle):
    """A model that is gone on with has its data, settings and start: an option about them is refused by name."""
    done = flaredb("train", "--resume", newest(prepared.root), *idle, workspace=prepared.root)
    assert done.code == 2
    assert f"leave out {idle[0]}" in done.err


def test_an_uneven_batch_is_refused(prepared, monkeypatch):
    """Before anything is registered, or the others are waited for."""
    started_by_torchrun = {"RANK": "0", "WORLD_SIZE": "2", "LOCAL_RANK": "0", "MASTER_ADDR": "x", "MASTER_PORT": "1"}
    for name, value in started_by_torchrun.items():
        monkeypatch.setenv(name, value)
    before = newest(prepared.root)
    done = flaredb(*train("--task", "organ", steps=3, batch=3), workspace=prepared.root)
    assert done.code == 5
    assert "cannot be divided over 2" in done.json["error"]
    assert newest(prepared.root) == before


def torchrun(*command: object) -> Done:
    """The program in two processes."""
    words = ["--nproc-per-node", "2", "--master-port", str(29500 + os.getpid() % 2000), "-m", "flaredb"]
    run = [Path(sys.executable).with_name("torchrun"), *words, *map(str, command)]
    ran = subprocess.run(run, capture_output=True, text=True, **ENVIRONMENT)
    return Done(ran.returncode, ran.stdout, ran.stderr)


def test_a_failed_step_is_looked_at_from_the_command_line(prepared):
    """`--replay` says what each patch of a step comes to, and changes nothing."""
    model = newest(prepared.root)
    before = flaredb("model", "show", model, workspace=prepared.root).json
    found = flaredb("train", "--resume", model, "--replay", 1, *DEVICE, workspace=prepared.root)
    assert found.code == 0, found.err
    assert [patch["finite"] for patch in found.json["patches"]] == [True] * before["config"]["batch"]
    assert flaredb("model", "show", model, workspace=prepared.root).json == before
    assert flaredb("train", "--replay", 1, workspace=prepared.root).code == 2
    assert flaredb("train", "--resume", model, "--replay", 99, workspace=prepared.root).code == 5
