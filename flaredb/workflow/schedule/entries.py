"""The schedule: what `[[schedule]]` in flaredb.toml says, when it is due, and what becomes of what was missed.

Nothing here reads a clock or a database: moments come in, a plan comes out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from heapq import heappop, heappush
from itertools import takewhile
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from flaredb.errors import Finding, InvalidDataError

OCCURRENCE = "FLAREDB_OCCURRENCE"
"""In the environment of a scheduled command: the entry's name, and when it was due."""
CATCH_UP = ("latest", "skip")
LISTED = 100  # missed occurrences that get a row each; of more, the oldest of these says how many
_GRACE = 10  # minutes
_LEAST_GRACE = 1  # minutes: a resident process looks once in it
_NO_TURN = "nothing ran the schedule then, or another entry's command ran so long"
_KEYS = {"name", "cron", "command", "catch_up", "zone", "grace_minutes"}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_FAR = timedelta(hours=25)  # further than any clock was ever set back or forward
_HOUR_FIELD = 1


class Entry(NamedTuple):
    """One `[[schedule]]`: when (five cron fields on the wall clock of a zone), and which of flaredb's commands.

    `catch_up`: whether the latest of the missed occurrences runs late, or none. `grace`: how late is still on time.
    """

    name: str
    cron: str
    command: tuple[str, ...]
    catch_up: str = "latest"
    zone: str = "UTC"
    grace: timedelta = timedelta(minutes=_GRACE)


class Moment(NamedTuple):
    """When an entry is due, UTC. `note`: what a change of the clocks did to it; `runs`: false for a time's repeat."""

    due: datetime
    note: str = ""
    runs: bool = True


class Span(NamedTuple):
    """The last occurrence that ran: when it was due, and when it ended, None while it is not finished."""

    due: datetime
    ended: datetime | None


class Verdict(NamedTuple):
    """An occurrence that does not run: `missed`, `overlapped` or `repeated`, and why."""

    due: datetime
    state: str
    why: str


class Plan(NamedTuple):
    """What is to be done about an entry now: occurrences to note down, and the one to run."""

    noted: tuple[Verdict, ...] = ()
    run: Moment | None = None


def read_entries(settings: dict[str, Any]) -> tuple[Entry, ...]:
    """The entries of flaredb.toml; InvalidDataError with a finding for each thing that is wrong."""
    given = settings.get("schedule", [])
    if not isinstance(given, list) or not all(isinstance(each, dict) for each in given):
        raise InvalidDataError("flaredb.toml: write each entry of the schedule under a line [[schedule]]")
    findings = [_finding(place, each, message) for place, each in enumerate(given, 1) for message in _faults(each)]
    names = [each.get("name") for each in given]
    twice = sorted({str(name) for name in names if names.count(name) > 1 and name is not None})
    findings += [_finding(names.index(name) + 1, {"name": name}, "two entries have this name") for name in twice]
    if findings:
        first = f"{findings[0].path}: {findings[0].message}"
        raise InvalidDataError(f"flaredb.toml, {first}; correct it and look: flaredb schedule list", findings)
    return tuple(_entry(each) for each in given)


def moments(entry: Entry, after: datetime) -> Iterator[Moment]:
    """When an entry is due after a moment, in order, without end.

    An entry with `*` in its hours goes by elapsed time: what the clocks skip it leaves out, what they repeat it runs
    twice. Any other runs once for each time on the wall: where the clocks skip it, as they jump; where they repeat
    it, at the first.
    """
    zone = ZoneInfo(entry.zone)
    waiting: list[Moment] = []
    last = after
    for wall in CronSim(entry.cron, after.astimezone(zone).replace(tzinfo=None) - _FAR):
        reached = wall.replace(tzinfo=zone).astimezone(UTC)
        for moment in _on_the_clock(wall, zone, "*" in entry.cron.split()[_HOUR_FIELD]):
            heappush(waiting, moment)
        while waiting and waiting[0].due <= reached:
            moment = heappop(waiting)
            if moment.due > last:
                last = moment.due
                yield moment


def next_due(entry: Entry, after: datetime) -> datetime | None:
    """When an entry runs next; None for a date that never comes."""
    return next((moment.due for moment in moments(entry, after) if moment.runs), None)


def plan(entry: Entry, since: datetime, last: Span | None, now: datetime) -> Plan:
    """What to do at `now` about the occurrences after `since`, the last one that was noted or ran.

    One that came due while its predecessor ran is overlapped. Of the others the latest runs: on time, or late if the
    entry catches up; what lies before it was missed.
    """
    due = list(takewhile(lambda moment: moment.due <= now, moments(entry, since)))
    busy = [moment for moment in due if last and (last.ended is None or moment.due <= last.ended)]
    free = [moment for moment in due[len(busy) :] if moment.runs]
    chosen = free[-1] if free and (entry.catch_up == "latest" or now - free[-1].due <= entry.grace) else None
    noted = [_verdict(entry, moment, moment in busy, last, chosen) for moment in due if moment is not chosen]
    return Plan(tuple(_shortened(noted)), chosen)


def _verdict(entry: Entry, moment: Moment, busy: bool, last: Span | None, chosen: Moment | None) -> Verdict:
    if not moment.runs:
        return Verdict(moment.due, "repeated", moment.note)
    if busy and last:
        return Verdict(moment.due, "overlapped", f"the occurrence of {stamp(last.due)} was not finished then")
    if chosen:
        return Verdict(moment.due, "missed", f"{_NO_TURN}; made up for by that of {stamp(chosen.due)}")
    return Verdict(moment.due, "missed", f"{_NO_TURN}; catch_up is {entry.catch_up}")


def _shortened(noted: list[Verdict]) -> list[Verdict]:
    """The newest of very many, so that a clock that was a year behind does not fill the catalogue."""
    left = len(noted) - LISTED
    if left <= 0:
        return noted
    first = noted[left]
    why = f"{first.why}; so were {left} before it, from {stamp(noted[0].due)}"
    return [first._replace(why=why), *noted[left + 1 :]]


def stamp(moment: datetime) -> str:
    """A moment as people read it."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _on_the_clock(wall: datetime, zone: tzinfo, elapsed: bool) -> list[Moment]:
    """The moments at which a wall clock shows a time, as an entry's kind takes them."""
    first, second = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first == second:
        return [Moment(first)]
    time = f"{wall:%H:%M} on {wall:%Y-%m-%d}"
    if first.astimezone(zone).replace(tzinfo=None) != wall:
        if elapsed:
            return []
        return [Moment(_jump(second, first, zone), f"{time} does not exist, the clocks go forward: it runs as they do")]
    if elapsed:
        return [Moment(first), Moment(second)]
    note = f"{time} comes twice, the clocks go back: it runs at the first"
    return [Moment(first, note), Moment(second, note, runs=False)]


def _jump(before: datetime, after: datetime, zone: tzinfo) -> datetime:
    """The moment between two at which the zone's clocks change, to the minute."""
    offset = before.astimezone(zone).utcoffset()
    while after - before > timedelta(minutes=1):
        middle = before + timedelta(minutes=(after - before) // timedelta(minutes=2))
        if middle.astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after


def _entry(given: dict[str, Any]) -> Entry:
    grace = timedelta(minutes=given.get("grace_minutes", _GRACE))
    kept = {key: given[key] for key in ("catch_up", "zone") if key in given}
    return Entry(given["name"], " ".join(given["cron"].split()), tuple(given["command"]), grace=grace, **kept)


def _finding(place: int, given: dict[str, Any], message: str) -> Finding:
    return Finding("error", None, "schedule", message, f"schedule {given.get('name') or f'number {place}'}")


def _faults(given: dict[str, Any]) -> Iterator[str]:
    """What is wrong with an entry, in words."""
    name = given.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        yield 'give it a name of letters, digits, points and dashes: name = "nightly"'
    for key in sorted(set(given) - _KEYS):
        yield f"there is no setting {key}; there are: {' '.join(sorted(_KEYS))}"
    yield from _faults_of_time(given.get("cron"), given.get("zone", "UTC"))
    if given.get("catch_up", CATCH_UP[0]) not in CATCH_UP:
        yield f"catch_up is one of {' '.join(CATCH_UP)}, not {given['catch_up']!r}"
    grace = given.get("grace_minutes", _GRACE)
    if isinstance(grace, bool) or not isinstance(grace, int | float) or not _LEAST_GRACE <= grace <= 7 * 24 * 60:
        yield "grace_minutes is a number of minutes, from 1 to a week; cron and Slurm look every 5"
    yield from _faults_of_command(given.get("command"))


def _faults_of_time(cron: Any, zone: Any) -> Iterator[str]:
    try:
        if not isinstance(cron, str):
            raise CronSimError("no text")
        CronSim(cron, datetime(2024, 1, 1))
    except CronSimError as error:
        yield f'cron = {cron!r}: {error}; five fields, minute hour day month weekday, such as "0 22 * * MON-FRI"'
    try:
        if not isinstance(zone, str):
            raise ZoneInfoNotFoundError(zone)
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        yield f'there is no time zone {zone!r}; it is named as in "Europe/Berlin"'


def _faults_of_command(command: Any) -> Iterator[str]:
    if not isinstance(command, list) or not command or not all(isinstance(word, str) and word for word in command):
        yield 'give the command as a list of words: command = ["loop", "--task", "organ", "--rounds", "1"]'
    elif command[0] == "flaredb" or command[0].startswith("-"):
        yield f"the command begins with the verb, not with {command[0]}: {' '.join(_verb_first(command))}"
    elif command[0] in ("schedule", "serve"):
        yield f"{command[0]} cannot be scheduled: it would not end"


def _verb_first(command: Sequence[str]) -> list[str]:
    rest = list(command)
    while len(rest) > 1 and (rest[0] == "flaredb" or rest[0].startswith("-")):
        rest = rest[1:]
    return rest
