"""When an entry of the schedule is due, whatever the clocks do, and what becomes of what was missed."""

from __future__ import annotations

import itertools
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flaredb.errors import InvalidDataError
from flaredb.workflow.schedule.entries import LISTED, Entry, Moment, Span, moments, next_due, plan, read_entries

NIGHTLY = Entry("nightly", "0 22 * * *", ("loop", "--task", "organ"))
BERLIN = NIGHTLY._replace(cron="30 2 * * *", zone="Europe/Berlin")
GOOD = {"name": "nightly", "cron": "0 22 * * *", "command": ["loop", "--task", "organ"]}
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia"]


def at(day: int, hour: int, minute: int = 0, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


def first(entry: Entry, after: datetime, count: int) -> list[Moment]:
    return list(itertools.islice(moments(entry, after), count))


def test_the_next_comes_strictly_after() -> None:
    """At the very moment of an occurrence the next is a day later; a time in a zone is that zone's."""
    assert next_due(NIGHTLY, at(1, 21)) == at(1, 22)
    assert next_due(NIGHTLY, at(1, 22)) == at(2, 22)
    assert next_due(NIGHTLY._replace(zone="Europe/Berlin"), at(1, 12)) == at(1, 21)


def test_a_time_that_does_not_exist_runs_as_the_clocks_jump() -> None:
    """02:30 in Berlin on 29 March 2026: at 03:00, which is 01:00 UTC, and it says so; the day after as ever."""
    jumped, after = first(BERLIN, at(28, 12, month=3), 2)
    assert jumped.due == at(29, 1, month=3)
    assert jumped.runs
    assert "02:30 on 2026-03-29 does not exist" in jumped.note
    assert after == Moment(at(30, 0, 30, month=3))


def test_times_that_do_not_exist_are_one_occurrence() -> None:
    """Three times within the hour that is skipped, and the one at which it ends, run once between them."""
    entry = BERLIN._replace(cron="0,20,40 2,3 * * *")
    assert [moment.due for moment in first(entry, at(29, 0, month=3), 4)] == [
        at(29, 1, month=3),
        at(29, 1, 20, month=3),
        at(29, 1, 40, month=3),
        at(30, 0, month=3),
    ]


def test_a_time_that_exists_twice_runs_at_the_first() -> None:
    """02:30 in Berlin on 25 October 2026, first in summer time; the second is named, and does not run."""
    ran, repeated, after = first(BERLIN, at(24, 12, month=10), 3)
    assert (ran.due, ran.runs) == (at(25, 0, 30, month=10), True)
    assert (repeated.due, repeated.runs) == (at(25, 1, 30, month=10), False)
    assert "02:30 on 2026-10-25 comes twice" in repeated.note
    assert after == Moment(at(26, 1, 30, month=10))
    assert next_due(BERLIN, at(25, 1, month=10)) == at(26, 1, 30, month=10)


@pytest.mark.parametrize(("day", "month"), [(29, 3), (25, 10)])
def test_an_entry_that_counts_hours_goes_by_elapsed_time(day: int, month: int) -> None:
    """Every half hour, on the days when the clocks change, too: no gap and no haste."""
    entry = BERLIN._replace(cron="*/30 * * * *")
    dues = [moment.due for moment in first(entry, at(day - 1, 22, month=month), 12)]
    assert {after - before for before, after in itertools.pairwise(dues)} == {timedelta(minutes=30)}


@settings(max_examples=60, deadline=None)
@given(
    zone=st.sampled_from(ZONES),
    hours=st.sampled_from(["*", "*/2", "2", "1,2,3", "0-4", "23"]),
    minute=st.sampled_from(["0", "30", "15,45"]),
    start=st.datetimes(datetime(2024, 1, 1), datetime(2026, 12, 1)),
    step=st.integers(1, 6),
)
def test_where_one_begins_to_look_changes_nothing(
    zone: str, hours: str, minute: str, start: datetime, step: int
) -> None:
    """The moments increase, and those after any of them are the rest of the same list."""
    entry = Entry("e", f"{minute} {hours} * * *", ("status",), zone=zone)
    found = first(entry, start.replace(tzinfo=UTC), 12)
    assert all(before.due < after.due for before, after in itertools.pairwise(found))
    assert first(entry, found[step].due, 11 - step) == found[step + 1 :]


def test_a_date_that_never_comes_is_said() -> None:
    """A cron text of which no day exists is refused, rather than waited for."""
    with pytest.raises(InvalidDataError, match="cron"):
        read_entries({"schedule": [GOOD | {"cron": "0 0 31 2 *"}]})


def test_nothing_is_due_before_its_time() -> None:
    """From the last occurrence to the moment before the next, there is nothing to do."""
    assert plan(NIGHTLY, at(1, 22), None, at(2, 21, 59)) == ((), None)


def test_an_occurrence_runs_at_its_time() -> None:
    """On time there is one to run and nothing to note."""
    assert plan(NIGHTLY, at(1, 22), Span(at(1, 22), at(1, 23)), at(2, 22)) == ((), Moment(at(2, 22)))


def test_three_nights_asleep_are_caught_up_once() -> None:
    """`latest`: the last of the three runs, late; the two before it are missed, and say for which."""
    noted, run = plan(NIGHTLY, at(1, 22), None, at(5, 8))
    assert run == Moment(at(4, 22))
    assert [(verdict.due, verdict.state) for verdict in noted] == [(at(2, 22), "missed"), (at(3, 22), "missed")]
    assert all("2026-11-04 22:00 UTC" in verdict.why for verdict in noted)


def test_skip_catches_nothing_up() -> None:
    """`skip`: all three are missed; within the grace one still runs."""
    entry = NIGHTLY._replace(catch_up="skip")
    noted, run = plan(entry, at(1, 22), None, at(5, 8))
    assert run is None
    assert [(verdict.due.day, verdict.state) for verdict in noted] == [(2, "missed"), (3, "missed"), (4, "missed")]
    assert plan(entry, at(1, 22), None, at(2, 22, 10)).run == Moment(at(2, 22))
    assert plan(entry, at(1, 22), None, at(2, 22, 11)).run is None


def test_what_came_due_during_a_run_is_overlapped() -> None:
    """Not run, and not caught up, whichever way the entry catches up; what came after the end runs."""
    entry = NIGHTLY._replace(cron="0 * * * *")
    noted, run = plan(entry, at(1, 10), Span(at(1, 10), at(1, 12, 30)), at(1, 13))
    assert [(verdict.due, verdict.state) for verdict in noted] == [(at(1, 11), "overlapped"), (at(1, 12), "overlapped")]
    assert run == Moment(at(1, 13))
    noted, run = plan(entry, at(1, 10), Span(at(1, 10), None), at(1, 12))
    assert [verdict.state for verdict in noted] == ["overlapped", "overlapped"]
    assert run is None


def test_a_repeated_time_is_noted_and_does_not_run() -> None:
    """After the first 02:30 ran, the second is a row with the reason."""
    noted, run = plan(BERLIN, at(25, 0, 30, month=10), None, at(25, 2, month=10))
    assert run is None
    assert [(verdict.due, verdict.state) for verdict in noted] == [(at(25, 1, 30, month=10), "repeated")]
    assert "comes twice" in noted[0].why


def test_very_many_missed_occurrences_are_told_shortly() -> None:
    """A minute's entry, asleep for ten hours: the newest get rows, the oldest of these counts the others."""
    noted, run = plan(NIGHTLY._replace(cron="* * * * *"), at(1, 0), None, at(1, 10))
    assert run == Moment(at(1, 10))
    assert len(noted) == LISTED
    assert f"{599 - LISTED} before it, from 2026-11-01 00:01 UTC" in noted[0].why
    assert "before it" not in noted[1].why


def test_entries_are_read() -> None:
    """What is left out has its default."""
    (entry,) = read_entries({"schedule": [GOOD]})
    assert entry == NIGHTLY
    (entry,) = read_entries(
        {
            "schedule": [
                GOOD | {"zone": "Europe/Berlin", "catch_up": "skip", "grace_minutes": 90, "cron": " 0  22 * * * "}
            ]
        }
    )
    assert entry == NIGHTLY._replace(zone="Europe/Berlin", catch_up="skip", grace=timedelta(minutes=90))
    assert read_entries({}) == ()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": None}, "give it a name"),
        ({"name": "../x"}, "give it a name"),
        ({"cron": "0 25 * * *"}, "five fields"),
        ({"cron": "@daily"}, "five fields"),
        ({"cron": 5}, "five fields"),
        ({"zone": "Berlin"}, "no time zone 'Berlin'"),
        ({"zone": "../etc"}, "no time zone"),
        ({"zone": 1}, "no time zone"),
        ({"catch_up": "all"}, "one of latest skip"),
        ({"grace_minutes": 0}, "from 1"),
        ({"grace_minutes": "9"}, "number of minutes"),
        ({"command": "loop --task organ"}, "list of words"),
        ({"command": []}, "list of words"),
        ({"command": ["flaredb", "--json", "loop"]}, "begins with the verb, not with flaredb: loop"),
        ({"command": ["schedule", "run"]}, "would not end"),
        ({"when": "22:00"}, "no setting when"),
    ],
)
def test_a_wrong_entry_is_refused(change: dict[str, Any], said: str) -> None:
    """The error names the entry and the rule, and every fault is a finding."""
    wrong = {key: value for key, value in (GOOD | change).items() if value is not None}
    with pytest.raises(InvalidDataError, match=re.escape(said)) as caught:
        read_entries({"schedule": [GOOD | {"name": "other"}, wrong]})
    assert [finding.rule for finding in caught.value.findings] == ["schedule"]


def test_all_that_is_wrong_is_listed() -> None:
    """Two entries of one name, one of them with two faults."""
    with pytest.raises(InvalidDataError) as caught:
        read_entries({"schedule": [GOOD, GOOD | {"cron": "x", "zone": "y"}]})
    assert len(caught.value.findings) == 3
    with pytest.raises(InvalidDataError, match=r"\[\[schedule\]\]"):
        read_entries({"schedule": GOOD})
