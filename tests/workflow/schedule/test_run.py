"""Turns of the schedule: what runs and what does not is a row, one process takes turns, and a dead one is replaced."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import NullPool, create_engine, text

from flaredb.catalog import schedules
from flaredb.errors import Finding, UnfinishedError
from flaredb.workflow.schedule.entries import Entry
from flaredb.workflow.schedule.run import Clock, run_due, stay
from flaredb.workspace import CONFIG, Workspace
from tests.cohorts import flaredb, process
from tests.postgres import Server

WORDS = ("words",)
HOURLY = Entry("look", "0 * * * *", WORDS)
START = datetime(2026, 11, 2, 10, 30, tzinfo=UTC)
# Takes minutes while the catalogue holds no finding, and no time once it holds one.
SLOW = (
    "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < "
    "(SELECT CASE WHEN count(*) = 0 THEN 1000000000000 ELSE 10 END FROM findings)) SELECT count(*) AS n FROM c"
)
FEW_SECONDS = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 9000000) SELECT count(*) FROM c"


class Told(Clock):
    """A clock that stands still, or moves on whenever it is read; a sleep may last longer than was asked."""

    def __init__(self, at: datetime = START, tick: timedelta = timedelta(0), nap: timedelta = timedelta(0)) -> None:
        self.at = at
        self.tick = tick
        self.nap = nap

    def now(self) -> datetime:
        self.at += self.tick
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += max(timedelta(seconds=seconds), self.nap)


@pytest.fixture(params=["sqlite", "postgresql"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """An empty workspace on either database."""
    server: Server | None = request.getfixturevalue("postgres") if request.param == "postgresql" else None
    options = {"catalog": server.database()} if server else {}
    Workspace.create(tmp_path / "w", **options).close()
    return tmp_path / "w"


def log(workspace: Workspace) -> list[dict[str, Any]]:
    return workspace.sql("SELECT * FROM schedule_log ORDER BY due, schedule")


def states(workspace: Workspace) -> list[tuple[str, str]]:
    """(hour of the day, state) of every occurrence."""
    return [(str(row["due"])[11:16], row["state"]) for row in log(workspace)]


def meet(workspace: Workspace, *entries: Entry, at: datetime = START) -> None:
    """The first turn, at which entries begin to count."""
    assert run_due(workspace, entries, Told(at)).ids == ()


def write(root: Path, *entries: dict[str, Any], more: str = "") -> None:
    """Put entries into flaredb.toml."""
    lines = ["", more]
    for entry in entries:
        lines += ["[[schedule]]", *(f"{key} = {json.dumps(value)}" for key, value in entry.items())]
    with (root / CONFIG).open("a", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


@contextmanager
def kept_waiting(workspace: Workspace) -> Iterator[None]:
    """While the block runs, a query of the findings does not end on PostgreSQL: their table is locked."""
    if workspace.catalog.on_sqlite:
        yield
        return
    engine = create_engine(workspace.catalog.url, poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text("LOCK TABLE finding_log IN ACCESS EXCLUSIVE MODE"))
        yield


def waiting(root: Path, command: Sequence[str]) -> None:
    """An entry of every minute that was met some minutes ago, so that it is due now."""
    entry = {"name": "slow", "cron": "* * * * *", "command": list(command)}
    write(root, entry)
    with Workspace.open(root) as workspace, workspace.run("test") as run, run.write() as made:
        since = datetime.now(UTC) - timedelta(minutes=3)
        schedules.meet(made, "slow", "* * * * *", "UTC", command, since)


def remark(workspace: Workspace) -> None:
    """The finding that makes slow commands quick."""
    with workspace.run("test") as run, run.write() as made:
        made.add_findings([Finding("info", None, "test", "go on")])


def until(workspace: Workspace, state: str) -> dict[str, Any]:
    """Wait for an occurrence in a state."""
    for _ in range(600):
        found = [row for row in log(workspace) if row["state"] == state]
        if found:
            return found[-1]
        time.sleep(0.1)
    raise AssertionError(f"nothing is {state}: {log(workspace)}")


def started(workspace: Workspace, scheduler: int) -> int:
    """The process of the command that a scheduler runs, once it runs."""
    until(workspace, "running")
    for _ in range(200):
        found = Path(f"/proc/{scheduler}/task/{scheduler}/children").read_text(encoding="utf-8").split()
        if found:
            return int(found[0])
        time.sleep(0.05)
    raise AssertionError("it has no child")


def gone(number: int) -> bool:
    """Whether a process ends within some seconds; a dead one that nobody has buried counts."""
    for _ in range(200):
        try:
            if Path(f"/proc/{number}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] == "Z":
                return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.05)
    return False


@contextmanager
def resident(root: Path, **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    """`schedule run` in a process of its own, killed in the end with what it started."""
    ran = subprocess.Popen([sys.executable, "-m", "flaredb", "-w", root, "schedule", "run"], **options)
    try:
        yield ran
    finally:
        if ran.returncode is None:
            ran.kill()
            ran.communicate()


def test_a_turn_runs_what_is_due(root: Path) -> None:
    """A new entry counts from its first turn; at its time it runs once, however often one looks."""
    with Workspace.open(root) as workspace:
        meet(workspace, HOURLY)
        assert log(workspace) == []
        done = run_due(workspace, [HOURLY], Told(START.replace(hour=11, minute=0)))
        assert (done.ids, done.added, done.failed) == (("look 2026-11-02 11:00 UTC",), 1, 0)
        assert run_due(workspace, [HOURLY], Told(START.replace(hour=11, minute=5))) == (None, (), 0, 0, 0, (), None)
        (row,) = log(workspace)
        assert (row["state"], row["exit_code"], row["attempts"], row["why"]) == ("done", 0, 1, "")
        assert row["started"] is not None
        assert row["ended"] is not None


def test_a_machine_asleep_over_three_catches_up_once(root: Path) -> None:
    """By default the latest of three runs, late; the others are rows that say which makes up for them."""
    with Workspace.open(root) as workspace:
        meet(workspace, HOURLY)
        assert run_due(workspace, [HOURLY], Told(START + timedelta(hours=3))).added == 1
        assert states(workspace) == [("11:00", "missed"), ("12:00", "missed"), ("13:00", "done")]
        missed, _, ran = log(workspace)
        assert "2026-11-02 13:00 UTC" in missed["why"]
        assert ran["why"] == "begun 30 min late"


def test_skip_runs_none_of_three(empty: Workspace) -> None:
    """Three rows say what was missed, and the next hour runs."""
    entry = HOURLY._replace(catch_up="skip")
    meet(empty, entry)
    assert run_due(empty, [entry], Told(START + timedelta(hours=3))).ids == ()
    assert states(empty) == [("11:00", "missed"), ("12:00", "missed"), ("13:00", "missed")]
    assert all("catch_up is skip" in row["why"] for row in log(empty))
    assert run_due(empty, [entry], Told(START + timedelta(hours=3, minutes=31))).added == 1


def test_clocks_that_change_are_rows(empty: Workspace) -> None:
    """A time that does not exist runs as the clocks jump; of one that comes twice the second is a row of its own."""
    entry, other = (Entry(name, "30 2 * * *", WORDS, zone="Europe/Berlin") for name in ("spring", "autumn"))
    spring, autumn = datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 10, 24, 12, tzinfo=UTC)
    meet(empty, entry, at=spring)
    run_due(empty, [entry], Told(datetime(2026, 3, 29, 1, 0, tzinfo=UTC)))
    (jumped,) = log(empty)
    assert (str(jumped["due"])[:16], jumped["state"]) == ("2026-03-29T01:00", "done")
    assert "does not exist" in jumped["why"]
    meet(empty, other, at=autumn)
    for hour in (0, 1):
        run_due(empty, [other], Told(datetime(2026, 10, 25, hour, 30, tzinfo=UTC)))
    _, once, again = log(empty)
    assert (str(once["due"])[:16], once["state"]) == ("2026-10-25T00:30", "done")
    assert (str(again["due"])[:16], again["state"]) == ("2026-10-25T01:30", "repeated")
    assert "comes twice" in once["why"]
    assert "comes twice" in again["why"]


def test_what_comes_due_during_a_run_is_overlapped(empty: Workspace) -> None:
    """A command that takes over an hour of the clock: the hours within are rows, and are not made up for."""
    meet(empty, HOURLY)
    run_due(empty, [HOURLY], Told(START.replace(hour=11, minute=0), tick=timedelta(minutes=12)))
    clock = Told(START.replace(hour=14, minute=0))
    run_due(empty, [HOURLY], clock)
    found = dict(states(empty))
    assert found["11:00"] == "done"
    assert found["12:00"] == "overlapped"
    assert found["14:00"] == "done"
    assert "11:00 UTC was not finished" in log(empty)[1]["why"]


def test_a_failure_is_a_row_and_holds_nothing_up(empty: Workspace) -> None:
    """Exit code and last words are kept, the next entry runs, and the next occurrence is tried as ever."""
    wrong = Entry("wrong", "0 * * * *", ("case", "show", "nobody"))
    meet(empty, wrong, HOURLY)
    done = run_due(empty, [wrong, HOURLY], Told(START.replace(hour=11, minute=0)))
    assert (done.added, done.failed) == (1, 1)
    assert [finding.rule for finding in done.findings] == ["schedule-failed"]
    right, failed = log(empty)
    assert (right["state"], failed["state"], failed["exit_code"]) == ("done", "failed", 3)
    assert "nobody" in failed["why"]
    assert "nobody" in done.findings[0].message
    assert run_due(empty, [wrong, HOURLY], Told(START.replace(hour=12, minute=0))).added == 1


def test_a_command_runs_in_the_workspace_and_knows_when_it_was_due(empty: Workspace) -> None:
    """A nightly copy has a name of its own each time, beside the catalogue; who asked is who did it."""
    empty.actor = "lead"
    entry = HOURLY._replace(command=("backup", "copy-{due}.db"))
    meet(empty, entry)
    assert run_due(empty, [entry], Told(START.replace(hour=11, minute=0))).failed == 0
    assert (empty.root / "copy-2026-11-02T1100.db").is_file()
    assert {row["actor"] for row in empty.sql("SELECT actor FROM run_log WHERE command = 'schedule'")} == {"lead"}


def test_a_changed_entry_counts_from_its_change(empty: Workspace) -> None:
    """What it would have been due before is not made up for; what the old one left unfinished is closed."""
    meet(empty, HOURLY)
    with empty.run("test") as run, run.write() as made:
        (known,) = schedules.known(made.connection).values()
        schedules.begin(made, known.id, START.replace(hour=11, minute=0), START, "")
    changed = HOURLY._replace(cron="*/5 * * * *")
    assert run_due(empty, [changed], Told(START + timedelta(hours=5))).ids == ()
    (row,) = log(empty)
    assert row["state"] == "failed"
    assert "changed or taken out" in row["why"]


def test_an_entry_taken_out_and_put_back_counts_from_its_return(empty: Workspace) -> None:
    """Nothing was missed while it was not there."""
    meet(empty, HOURLY)
    run_due(empty, [], Told(START + timedelta(hours=1)))
    run_due(empty, [], Told(START + timedelta(hours=2)))
    assert len(empty.sql("SELECT * FROM run_log WHERE command = 'schedule'")) == 2
    assert run_due(empty, [HOURLY], Told(START + timedelta(days=60))).ids == ()
    assert log(empty) == []
    assert run_due(empty, [HOURLY], Told(START + timedelta(days=60, hours=1))).added == 1


def test_what_a_killed_scheduler_left_goes_on(empty: Workspace) -> None:
    """A row that says `running` while nobody holds the lease is gone on with, before anything newer."""
    meet(empty, HOURLY)
    with empty.run("test") as run, run.write() as made:
        (known,) = schedules.known(made.connection).values()
        schedules.begin(made, known.id, START.replace(hour=11, minute=0), START, "")
    assert run_due(empty, [HOURLY], Told(START + timedelta(hours=2))).added == 1
    assert states(empty) == [("11:00", "done"), ("12:00", "overlapped")]
    assert log(empty)[0]["attempts"] == 2


def test_one_acts_and_the_other_names_it(root: Path) -> None:
    """Beside a resident scheduler a cron job exits 4 and says which process has it; so does a second resident.

    kill -9: what it ran ends with it, and the next turn takes over and completes the same occurrence.
    """
    with Workspace.open(root) as workspace:
        query = SLOW if workspace.catalog.on_sqlite else "SELECT count(*) AS n FROM findings"
        waiting(root, ["sql", query])
        with kept_waiting(workspace), resident(root, stderr=subprocess.DEVNULL) as first:
            child = started(workspace, first.pid)
            for command in (("round", "advance", "--due"), ("schedule", "run")):
                beside = process("-w", root, *command)
                assert beside.code == 4, beside
                assert f"process {first.pid} on" in beside.err
            first.kill()
            first.wait()
            assert gone(child)
        remark(workspace)
        after = process("-w", root, "round", "advance", "--due")
        assert after.code == 0, after
        rows = [row for row in log(workspace) if row["attempts"]]
        assert [(row["state"], row["attempts"]) for row in rows] == [("done", 2)]


def test_sigterm_ends_in_good_order(empty: Workspace) -> None:
    """The command in hand is ended, its occurrence goes on at the next turn, and exit code 75 says so."""
    waiting(empty.root, ["sql", SLOW])
    with resident(empty.root, stderr=subprocess.PIPE) as staying:
        child = started(empty, staying.pid)
        staying.terminate()
        said = staying.communicate(timeout=60)[1]
        assert staying.returncode == 75
        assert b"round advance --due" in said
    assert gone(child)
    assert until(empty, "unfinished")["why"].endswith("the schedule was stopped; it goes on")
    remark(empty)
    assert process("-w", empty.root, "round", "advance", "--due").code == 0
    assert until(empty, "done")["attempts"] == 2


def test_it_survives_its_terminal(empty: Workspace) -> None:
    """A terminal that is closed in the middle of a command ends neither the command nor the scheduler."""
    waiting(empty.root, ["sql", FEW_SECONDS])
    number, terminal = pty.fork()
    if number == 0:
        program = [sys.executable, "-m", "flaredb", "-w", str(empty.root), "schedule", "run"]
        os.execv(sys.executable, program)
    try:
        until(empty, "running")
        os.close(terminal)
        assert until(empty, "done")["exit_code"] == 0
        assert os.waitpid(number, os.WNOHANG) == (0, 0)
        os.kill(number, signal.SIGTERM)
        assert os.waitstatus_to_exitcode(os.waitpid(number, 0)[1]) == 0
    finally:
        if not gone_already(number):
            os.kill(number, signal.SIGKILL)


def gone_already(number: int) -> bool:
    return not Path(f"/proc/{number}").exists()


class Ending(Told):
    """A clock that asks this process to end when a moment is reached, as a service manager does."""

    def __init__(self, end: datetime, **options: Any) -> None:
        super().__init__(**options)
        self.end = end

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        if self.at >= self.end:
            os.kill(os.getpid(), signal.SIGTERM)


def test_a_resident_sleeps_until_the_next_and_sees_changes(empty: Workspace) -> None:
    """Three hours on an injected clock, with an entry added to flaredb.toml on the way, and a broken file ignored."""
    write(empty.root, {"name": "look", "cron": "0 * * * *", "command": ["words"]})
    seen: list[int] = []

    def check(entries: Sequence[Entry]) -> None:
        seen.append(len(entries))
        if len(seen) == 3:
            write(empty.root, {"name": "half", "cron": "30 * * * *", "command": ["words"]})
        if len(seen) == 5:
            write(empty.root, {"name": "half", "cron": "wrong", "command": ["words"]})

    with Workspace.open(empty.root) as workspace:
        stay(workspace, check, Ending(START + timedelta(hours=3), nap=timedelta(minutes=1)))
    assert [(hour, state) for hour, state in states(empty) if hour.endswith(":00")] == [
        ("11:00", "done"),
        ("12:00", "done"),
        ("13:00", "done"),
    ]
    assert [hour for hour, _ in states(empty) if hour.endswith(":30")] == ["11:30", "12:30"]
    assert seen[:4] == [1, 1, 1, 2]
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_a_machine_asleep_under_a_resident(empty: Workspace) -> None:
    """Its clock leaps over three occurrences in one nap: one is made up for."""
    write(empty.root, {"name": "look", "cron": "0 * * * *", "command": ["words"]})
    with Workspace.open(empty.root) as workspace:
        stay(workspace, lambda _: None, Ending(START + timedelta(hours=4), nap=timedelta(hours=3)))
    assert states(empty)[:3] == [("11:00", "missed"), ("12:00", "missed"), ("13:00", "done")]


def test_a_command_that_says_75_goes_on(workspace: Workspace) -> None:
    """A training that reaches its time limit is unfinished; the program says so with its own exit code."""
    settings = ["channels=4,8,16", "patch=16,16,16", "stem=1,1,1", "spacing=10,10,10", "batch=1", "steps=100000"]
    sets = [word for pair in settings for word in ("--set", pair)]
    command = ["train", "--task", "organ", "--preset", "tiny", "--device", "cpu", "--time-limit", "0.01", *sets]
    waiting(workspace.root, command)
    done = flaredb("round", "advance", "--due", workspace=workspace.root)
    assert done.code == UnfinishedError.exit_code, done
    assert until(workspace, "unfinished")["exit_code"] == UnfinishedError.exit_code
