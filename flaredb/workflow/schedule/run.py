"""Runs what is due: one turn for cron, systemd timers and Slurm, or turn after turn until told to stop.

One process at a time takes turns, by a lease. Commands run one after another, each in a process of its own; every
step of theirs is a row before it is taken, so that whoever takes the next turn knows what a killed one left.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import FrameType
from typing import IO, NamedTuple, cast

from flaredb.catalog import schedules
from flaredb.catalog.schedules import Known, Occurrence
from flaredb.errors import ConflictError, Finding, FlareError, InvalidDataError, UnfinishedError
from flaredb.workflow.results import Result
from flaredb.workflow.schedule.entries import OCCURRENCE, Entry, Plan, Span, next_due, plan, read_entries, stamp
from flaredb.workspace import CONFIG, Workspace

Check = Callable[[Sequence[Entry]], None]
"""Raises a FlareError for entries whose commands cannot be."""

LEASE = "schedule"
LOOK = 60.0  # seconds after which a resident process looks at flaredb.toml and the clock again
_NAP = 0.5
_TRIES = 5  # a command that went on after a kill and is refused, because its former process still ends
_LAST_WORDS = 2.0  # seconds to wait for the output of a command that has ended


class Clock:
    """The machine's; another one may be given to everything here."""

    def now(self) -> datetime:
        """This moment, UTC."""
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


class Stopping:
    """SIGTERM and SIGINT end the command in hand, and nothing more is begun."""

    def __init__(self) -> None:
        self.signal: int | None = None
        self._child: subprocess.Popen[str] | None = None

    @contextmanager
    def on_signal(self) -> Iterator[Stopping]:
        """While the block runs, signals are taken so, and a closed terminal is survived."""
        if threading.current_thread() is not threading.main_thread():
            yield self  # only the main thread may say what a signal does
            return
        terminals = [number for number in (0, 1, 2) if os.isatty(number)]

        def hung_up(_number: int, _frame: FrameType | None) -> None:
            _without_terminal(terminals)

        answers = {signal.SIGTERM: self._asked, signal.SIGINT: self._asked, signal.SIGHUP: hung_up}
        before = {number: signal.signal(number, answer) for number, answer in answers.items()}
        try:
            yield self
        finally:
            for number, answer in before.items():
                signal.signal(number, answer)

    def wait(self, child: subprocess.Popen[str]) -> int:
        """The exit code of a command, which is told to end if this process is."""
        self._child = child
        if self.signal is not None:
            child.terminate()
        try:
            return child.wait()
        finally:
            self._child = None

    def _asked(self, number: int, _frame: FrameType | None) -> None:
        self.signal = number
        if self._child is not None:
            self._child.terminate()


class Job(NamedTuple):
    """An occurrence to run now."""

    entry: Entry
    schedule: int
    due: datetime
    note: str = ""
    goes_on: bool = False


class Done(NamedTuple):
    """What became of a command: its exit code, negative for a signal, the reason, and the operation that says so."""

    state: str
    exit_code: int
    why: str
    operation: int | None = None


def run_due(workspace: Workspace, entries: Sequence[Entry], clock: Clock | None = None) -> Result:
    """One turn: note what was missed, run what is due or has to go on, and return; at once where nothing is.

    ConflictError names who else takes turns.
    """
    clock = clock or Clock()
    if not _anything(workspace, entries, clock.now()):
        return Result(None)
    with workspace.lock(LEASE), Stopping().on_signal() as stopping:
        return _turn(workspace, entries, clock, stopping)


def stay(workspace: Workspace, check: Check, clock: Clock | None = None) -> None:
    """Turn after turn until SIGTERM or SIGINT. flaredb.toml is read again each time; `check` refuses what is wrong.

    UnfinishedError if a command was ended before its time; it goes on at the next turn.
    """
    clock = clock or Clock()
    entries = read_entries(workspace.settings)
    check(entries)
    unfinished: list[str] = []
    complaint = ""
    with workspace.lock(LEASE), Stopping().on_signal() as stopping:
        while stopping.signal is None:
            try:
                entries = _entries_now(workspace, check)
                complaint = ""
            except FlareError as error:
                if str(error) != complaint:
                    complaint = str(error)
                    workspace.reporter.say(f"the schedule stays as it was: {complaint}")
            if _anything(workspace, entries, clock.now()):
                done = _turn(workspace, entries, clock, stopping)
                unfinished = [f.message for f in done.findings if f.rule == "schedule-unfinished"]
            _sleep(entries, clock, stopping)
    if stopping.signal == signal.SIGINT:
        raise KeyboardInterrupt
    if unfinished:
        raise UnfinishedError("; ".join(unfinished))


def _entries_now(workspace: Workspace, check: Check) -> tuple[Entry, ...]:
    try:
        settings = tomllib.loads((workspace.root / CONFIG).read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise InvalidDataError(f"{CONFIG}: {error}") from error
    entries = read_entries(settings)
    check(entries)
    return entries


def _sleep(entries: Sequence[Entry], clock: Clock, stopping: Stopping) -> None:
    """Until the next entry is due, or for a while; in naps, for a machine's own sleep stops no wall clock."""
    now = clock.now()
    until = min([now + timedelta(seconds=LOOK), *(due for entry in entries if (due := next_due(entry, now)))])
    while stopping.signal is None and clock.now() < until:
        clock.sleep(min(_NAP, max((until - clock.now()).total_seconds(), 0.0)))


def _anything(workspace: Workspace, entries: Sequence[Entry], now: datetime) -> bool:
    """Whether a turn would do anything."""
    with workspace.catalog.read() as connection:
        known = schedules.known(connection)
        left = schedules.open_occurrences(connection)
    changed = any(_is_new(entry, known) for entry in entries) or bool(_taken_out(entries, known))
    return bool(left) or changed or bool(_plans(workspace, entries, now))


def _turn(workspace: Workspace, entries: Sequence[Entry], clock: Clock, stopping: Stopping) -> Result:
    _settle(workspace, entries, clock.now())
    done: list[tuple[Job, Done]] = []
    for entry, planned in _plans(workspace, entries, clock.now()):
        job = _prepare(workspace, entry, planned)
        if job is not None and stopping.signal is None:
            done.append((job, _run(workspace, job, clock, stopping)))
    names = tuple(f"{job.entry.name} {stamp(job.due)}" for job, _ in done)
    findings = [finding for job, each in done for finding in _remark(job, each)]
    failed = sum(each.state != "done" for _, each in done)
    return Result(done[-1][1].operation if done else None, names, len(done) - failed, 0, failed, tuple(findings))


def _settle(workspace: Workspace, entries: Sequence[Entry], now: datetime) -> None:
    """Meet new and changed entries, part with others; what a killed process left goes on, unless its entry is gone."""
    with workspace.catalog.read() as connection:
        known = schedules.known(connection)
        left = schedules.open_occurrences(connection)
    new = [entry for entry in entries if _is_new(entry, known)]
    kept = {known[entry.name].id for entry in entries if entry.name in known and entry not in new}
    killed = [each for each in left if each.schedule_id in kept and each.state == "running"]
    gone = [each for each in left if each.schedule_id not in kept]
    out = _taken_out(entries, known)
    if not new and not killed and not gone and not out:
        return
    with workspace.run("schedule", met=[entry.name for entry in new], parted=out) as run, run.write() as write:
        for name in out:
            schedules.part(write, name, now)
        for entry in new:
            schedules.meet(write, entry.name, entry.cron, entry.zone, entry.command, now)
        for each in killed:
            schedules.end(write, each.id, "unfinished", now, None, "what ran it was killed; it goes on")
        for each in gone:
            why = "it was not finished, and its entry was changed or taken out of flaredb.toml"
            schedules.end(write, each.id, "failed", now, each.exit_code, why)


def _plans(workspace: Workspace, entries: Sequence[Entry], now: datetime) -> list[tuple[Entry, Plan]]:
    """The entries about which something is to be done, the one due first coming first."""
    with workspace.catalog.read() as connection:
        known = schedules.known(connection)
        seen = schedules.last(connection)
        ran = schedules.last_run(connection)
    found = []
    for entry in entries:
        if _is_new(entry, known):
            continue
        own = known[entry.name]
        last = ran.get(own.id)
        since = max([own.since, *([seen[own.id].due] if own.id in seen else [])])
        planned = plan(entry, since, span(last), now)
        if last and last.state in schedules.OPEN:
            planned = planned._replace(run=None)
        if planned.noted or planned.run or (last and last.state in schedules.OPEN):
            found.append((planned.run.due if planned.run else now, entry, planned))
    return [(entry, planned) for _, entry, planned in sorted(found, key=lambda each: each[0])]


def _prepare(workspace: Workspace, entry: Entry, planned: Plan) -> Job | None:
    """Note down what does not run; the occurrence that does, an unfinished one before a new one."""
    with workspace.catalog.read() as connection:
        own = schedules.known(connection)[entry.name]
        last = schedules.last_run(connection).get(own.id)
    if planned.noted:
        with workspace.run("schedule", entry=entry.name) as run, run.write() as write:
            for verdict in planned.noted:
                schedules.note(write, own.id, verdict.due, verdict.state, verdict.why)
    if last and last.state in schedules.OPEN:
        return Job(entry, own.id, last.due, goes_on=True)
    return Job(entry, own.id, planned.run.due, planned.run.note) if planned.run else None


def _run(workspace: Workspace, job: Job, clock: Clock, stopping: Stopping) -> Done:
    """Run a command as an occurrence, from its row to its end."""
    name, due = job.entry.name, stamp(job.due)
    with workspace.run("schedule", entry=name, due=due, command=list(job.entry.command)) as run:
        late = clock.now() - job.due
        said = [job.note, f"begun {_words(late)} late" if late > job.entry.grace and not job.goes_on else ""]
        with run.write() as write:
            number, attempt = schedules.begin(write, job.schedule, job.due, clock.now(), _sentence(said))
        workspace.reporter.say(f"schedule {name} of {due}: flaredb {' '.join(job.entry.command)}")
        try:
            done = _judged(*_execute(workspace, job, stopping), attempt, stopping)
        except OSError as error:
            done = Done("failed", 70, f"it could not be started: {error}")
        with run.write() as write:
            code = done.exit_code if done.exit_code >= 0 else None
            schedules.end(write, number, done.state, clock.now(), code, _sentence([*said, done.why]))
    return done._replace(operation=write.operation)


def _sentence(parts: Sequence[str]) -> str:
    return "; ".join(part for part in parts if part)


def _execute(workspace: Workspace, job: Job, stopping: Stopping) -> tuple[int, str]:
    """Run flaredb with the entry's words, in the workspace's folder; its exit code and its last line."""
    by = ["--by", workspace.actor] if workspace.actor else []
    words = [word.replace("{due}", f"{job.due:%Y-%m-%dT%H%M}") for word in job.entry.command]
    command = [sys.executable, "-m", "flaredb", "-w", str(workspace.root), *by, *words]
    said: list[str] = []
    process = subprocess.Popen(  # noqa: S603  (the words are the owner's own settings, and go to flaredb alone)
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="backslashreplace",
        cwd=workspace.root,
        env={**os.environ, OCCURRENCE: f"{job.entry.name} {stamp(job.due)}"},
        start_new_session=True,  # Ctrl-C is for this process, which passes it on
    )

    pipe = cast("IO[str]", process.stdout)

    def pass_on() -> None:
        with pipe:
            for line in pipe:
                said[:] = [line.strip() or (said[0] if said else "")]
                workspace.reporter.say(line.rstrip("\n"))

    reader = threading.Thread(target=pass_on, daemon=True)
    reader.start()
    code = stopping.wait(process)
    reader.join(_LAST_WORDS)
    return code, said[0] if said else ""


def _judged(code: int, said: str, attempt: int, stopping: Stopping) -> Done:
    if code == 0:
        return Done("done", code, "")
    if code == UnfinishedError.exit_code:
        return Done("unfinished", code, said)
    if stopping.signal is not None:
        return Done("unfinished", code, "the schedule was stopped; it goes on")
    if code == ConflictError.exit_code and 1 < attempt <= _TRIES:
        return Done("unfinished", code, said)
    return Done("failed", code, said if code >= 0 else f"killed by signal {-code}: {said}".rstrip(": "))


def _remark(job: Job, done: Done) -> list[Finding]:
    """What has to be said of a command that is not done."""
    if done.state == "done":
        return []
    about = f"{job.entry.name} of {stamp(job.due)}"
    if done.state == "unfinished":
        said = f"{about} is not finished; the next turn goes on: flaredb round advance --due"
        return [Finding("info", None, "schedule-unfinished", said)]
    ended = f"ended with exit code {done.exit_code}" if done.exit_code >= 0 else "was killed"
    return [Finding("error", None, "schedule-failed", f"{about} {ended}: {done.why or 'it said nothing'}")]


def _is_new(entry: Entry, known: dict[str, Known]) -> bool:
    own = known.get(entry.name)
    return own is None or (own.cron, own.zone, own.argv) != (entry.cron, entry.zone, entry.command)


def _taken_out(entries: Sequence[Entry], known: dict[str, Known]) -> list[str]:
    """Names of entries that flaredb.toml has no longer."""
    return sorted(set(known) - {entry.name for entry in entries})


def span(last: Occurrence | None) -> Span | None:
    """When the last occurrence that ran was due, and when it ended."""
    return Span(last.due, last.ended if last.state not in schedules.OPEN else None) if last else None


def _words(late: timedelta) -> str:
    minutes = int(late / timedelta(minutes=1))
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"


def _without_terminal(terminals: Sequence[int]) -> None:
    """The terminal is gone: say nothing more to it, and go on."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in terminals:
        os.dup2(nowhere, number)
    os.close(nowhere)
