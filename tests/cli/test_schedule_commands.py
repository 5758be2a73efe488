"""The schedule's commands as people and other programs call them."""

from __future__ import annotations

import configparser
import json
import os
import shlex
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from flaredb.catalog import schedules
from flaredb.workspace import CONFIG, Workspace
from tests.cohorts import flaredb, sets

NIGHTLY = {"name": "nightly", "cron": "0 22 * * *", "command": ["loop", "--task", "organ", "--rounds", "1"]}


def write(root: Path, *entries: dict[str, Any], more: str = "") -> None:
    """Put entries into flaredb.toml."""
    lines = ["", more]
    for entry in entries:
        lines += ["[[schedule]]", *(f"{key} = {json.dumps(value)}" for key, value in entry.items())]
    with (root / CONFIG).open("a", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


def met(workspace: Workspace, entry: dict[str, Any], ago: timedelta) -> None:
    """An entry that counts since some time ago."""
    with workspace.run("test") as run, run.write() as made:
        since = datetime.now(UTC) - ago
        schedules.meet(made, entry["name"], entry["cron"], "UTC", entry["command"], since)


def test_the_schedule_is_listed(empty: Workspace) -> None:
    """What each entry says, when it is due next, and what became of it last."""
    assert flaredb("schedule", "list", workspace=empty.root).json == []
    write(empty.root, NIGHTLY)
    (row,) = flaredb("schedule", "list", workspace=empty.root).json
    assert (row["name"], row["cron"], row["zone"], row["catch_up"]) == ("nightly", "0 22 * * *", "UTC", "latest")
    assert row["command"] == NIGHTLY["command"]
    assert datetime.now(UTC) < datetime.fromisoformat(row["next"]) <= datetime.now(UTC) + timedelta(days=1)
    assert (row["last"], row["state"], row["overdue"], row["missed"]) == (None, None, None, 0)


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["lop", "--task", "organ"], "No such command 'lop'"),
        (["loop", "--task", "organ", "--rouns", "1"], "No such option"),
        (["loop"], "Missing option '--task'"),
        (["round"], "group of commands"),
        (["loop", "--help"], "only prints help"),
    ],
)
def test_a_command_that_cannot_be_is_refused(empty: Workspace, command: list[str], said: str) -> None:
    """By everything that reads the schedule, before anything runs; `doctor` has it among the problems."""
    write(empty.root, NIGHTLY | {"command": command})
    for verb in (("schedule", "list"), ("schedule", "run"), ("round", "advance", "--due")):
        done = flaredb(*verb, workspace=empty.root)
        assert done.code == 5, done
        assert said in done.json["findings"][0]["message"]
    doctor = flaredb("doctor", workspace=empty.root)
    assert doctor.code == 6
    assert any(said in problem for problem in doctor.json["problems"])


def test_what_is_wrong_is_told_by_doctor_and_status(empty: Workspace) -> None:
    """Settings that cannot be read stop neither of them."""
    write(empty.root, NIGHTLY | {"cron": "every night"}, more='[events]\ncommand = "mail"')
    doctor = flaredb("doctor", workspace=empty.root)
    assert doctor.code == 6
    assert sum("flaredb.toml" in problem for problem in doctor.json["problems"]) == 2
    status = flaredb("status", workspace=empty.root)
    assert status.code == 0
    assert any("every night" in problem for problem in status.json["problems"])


def test_a_schedule_that_nobody_runs_is_told(empty: Workspace) -> None:
    """An occurrence that waits, and nobody takes turns: doctor and status name it and the way out."""
    write(empty.root, NIGHTLY)
    met(empty, NIGHTLY, timedelta(days=2))
    for verb in ("doctor", "status"):
        (problem,) = flaredb(verb, workspace=empty.root).json["problems"]
        assert "schedule print --systemd" in problem
    with empty.lock("schedule"):
        assert flaredb("doctor", workspace=empty.root).json["problems"] == []
    (row,) = flaredb("status", workspace=empty.root).json["schedule"]
    assert (row["name"], row["state"]) == ("nightly", None)


def test_nothing_is_due_at_once(empty: Workspace) -> None:
    """Without a schedule and without a round, and with a schedule whose time has not come, beside a scheduler, too."""
    done = flaredb("round", "advance", "--due", workspace=empty.root)
    assert (done.code, done.json["added"]) == (0, 0)
    assert "nothing is due" in done.err
    write(empty.root, NIGHTLY)
    assert flaredb("round", "advance", "--due", workspace=empty.root).code == 0
    with empty.lock("schedule"):
        done = flaredb("round", "advance", "--due", workspace=empty.root)
    assert done.code == 0
    assert "next is nightly" in done.err
    assert flaredb("round", "advance", "organ/1", "--due", workspace=empty.root).code == 2


def test_open_rounds_go_on_without_a_schedule(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """One state further each turn; with a schedule, that alone says when, and what it runs takes the open rounds."""
    options = ["--task", "organ", "--preset", "tiny", "--device", "cpu", *sets(steps=1)]
    assert flaredb("round", "start", *options, workspace=workspace.root).code == 0

    def state() -> str:
        return str(flaredb("round", "show", "organ/1", workspace=workspace.root).json["state"])

    assert flaredb("round", "advance", "--due", workspace=workspace.root).code == 0
    assert state() == "trained"
    write(workspace.root, NIGHTLY)
    assert flaredb("round", "advance", "--due", workspace=workspace.root).code == 0
    assert state() == "trained"
    monkeypatch.setenv("FLAREDB_OCCURRENCE", "nightly 2026-11-02 22:00 UTC")
    monkeypatch.setattr("flaredb.cli.schedule.end_with_scheduler", lambda: None)  # this process has none
    assert flaredb("round", "advance", "--due", workspace=workspace.root).code == 0
    assert state() == "predicted"


def test_a_round_that_waits_for_people_is_left_alone(after_round: Workspace) -> None:
    """Nothing is due while the only open round waits at its gate."""
    done = flaredb("round", "advance", "--due", workspace=after_round.root)
    assert (done.code, done.json["ids"]) == (0, [])
    assert "nothing is due" in done.err


def printed(root: Path, form: str) -> str:
    return str(flaredb("schedule", "print", f"--{form}", workspace=root).json["text"])


def test_the_unit_starts_the_resident(empty: Workspace) -> None:
    """It is a file that systemd can read, and its command is this program's on this workspace."""
    unit = configparser.ConfigParser(interpolation=None, strict=True)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string(printed(empty.root, "systemd"))
    words = [sys.executable, "-m", "flaredb", "-w", str(empty.root), "schedule", "run"]
    assert shlex.split(unit["Service"]["ExecStart"]) == words
    assert unit["Service"]["SuccessExitStatus"] == "75"


def test_the_line_for_cron_takes_a_turn(empty: Workspace) -> None:
    """Run by a shell as cron does, it is silent when nothing is due, or another process has the schedule, and makes
    mail of a failure.
    """
    entry = NIGHTLY | {"command": ["case", "show", "nobody"], "cron": "* * * * *"}
    write(empty.root, entry)
    line = printed(empty.root, "cron").splitlines()[-1]
    assert line.startswith("*/5 * * * * ")
    command = line.removeprefix("*/5 * * * * ")

    def mail() -> str:
        return subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, check=True).stdout

    assert mail() == ""
    met(empty, entry, timedelta(minutes=2))
    with empty.lock("schedule"):
        assert mail() == ""
    assert "nobody" in mail()


def test_the_job_for_slurm_queues_itself_and_takes_a_turn(empty: Workspace, tmp_path: Path) -> None:
    """Its first act is to queue itself behind its own end; then it is this program."""
    script = tmp_path / "flaredb.sbatch"
    script.write_text(printed(empty.root, "slurm"))
    queue = tmp_path / "bin" / "sbatch"
    queue.parent.mkdir()
    queue.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/queued\n')
    queue.chmod(0o755)
    environment = os.environ | {"PATH": f"{queue.parent}:{os.environ['PATH']}", "SLURM_JOB_ID": "17"}
    done = subprocess.run(["/bin/bash", script], capture_output=True, text=True, env=environment)
    assert (done.returncode, "nothing is due" in done.stderr) == (0, True)
    queued = (tmp_path / "queued").read_text(encoding="utf-8").split()
    assert queued == ["--dependency=afterany:17", str(empty.root / "flaredb.sbatch")]


def test_one_form_is_asked_for(empty: Workspace) -> None:
    """Without one the options are named."""
    done = flaredb("schedule", "print", workspace=empty.root)
    assert done.code == 2
    assert "--systemd" in done.json["error"]
