"""Snapshots, rounds and scores: frozen, one open round a task, nothing overwritten."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from flaredb.catalog import rounds, scores, snapshots
from flaredb.catalog import tables as t
from flaredb.catalog.database import Catalog, Write
from flaredb.catalog.scores import NewScore
from flaredb.catalog.snapshots import NewItem, NewSnapshot
from flaredb.errors import ConflictError, NotFoundError
from tests.builders import add_case, add_label

SNAPSHOT = "s-" + "a" * 12


def snapshot(write: Write, digest: str = "a" * 64, task: str = "organ") -> NewSnapshot:
    """A snapshot of the only label, not stored yet."""
    number = snapshots.task_number(write, task, ("liver",), f"digest of {task}")
    return NewSnapshot(digest, "train", number, 1, (NewItem(1, 1, "won", ("liver",)),))


@pytest.fixture
def catalog(fresh: Catalog) -> Catalog:
    """A catalogue with a case, a label and a snapshot of it."""
    with fresh.run("test", {}) as run, run.write() as write:
        add_case(write)
        add_label(write)
        assert snapshots.add(write, snapshot(write))
    return fresh


def start(catalog: Catalog, task: str = "organ") -> rounds.Round:
    """Open a round of a task."""
    with catalog.run("test", {}) as run, run.write() as write:
        name = rounds.add(write, task, SNAPSHOT, SNAPSHOT, {"steps": 3})
    with catalog.read() as connection:
        return rounds.find(connection, name)


def move(catalog: Catalog, turn: rounds.Round, state: str) -> None:
    with catalog.run("test", {}) as run, run.write() as write:
        rounds.move(write, turn, state, "because")


def test_equal_content_is_one_snapshot(catalog: Catalog) -> None:
    """Adding it again stores nothing, also under another title."""
    with catalog.run("test", {}) as run, run.write() as write:
        assert not snapshots.add(write, snapshot(write)._replace(title="again"))
        assert snapshots.add(write, snapshot(write, "b" * 64))
    with catalog.read() as connection:
        assert [found["name"] for found in snapshots.every(connection)] == [SNAPSHOT, "s-" + "b" * 12]
        assert len(connection.execute(select(t.snapshot_items)).all()) == 2


def test_the_database_holds_that_digests_differ(catalog: Catalog) -> None:
    """Whoever writes, two snapshots of one digest cannot be."""
    with catalog.writer() as connection:
        row = connection.execute(select(t.snapshots)).one()._mapping
        copy = {name: value for name, value in row.items() if name != "id"} | {"name": "s-other"}
        with pytest.raises(IntegrityError, match="digest"):
            connection.execute(t.snapshots.insert().values(copy))


def test_a_snapshot_comes_back_by_the_beginning_of_its_name(catalog: Catalog) -> None:
    """With its items; an ambiguous or unknown name is not found."""
    with catalog.run("test", {}) as run, run.write() as write:
        snapshots.add(write, snapshot(write, "b" * 64))
    with catalog.read() as connection:
        found = snapshots.find(connection, "s-aaa")
        for wrong in ("s-", "s-c", "%", "s_a"):
            with pytest.raises(NotFoundError, match="the latest: s-b"):
                snapshots.find(connection, wrong)
    assert found.cases == ("case1",)
    assert [(item.label.name, item.role, item.structures) for item in found.items] == [
        ("case1@truth@1", "won", ("liver",))
    ]


def test_one_open_round_a_task(catalog: Catalog) -> None:
    """A second start is a conflict that names the open round; another task may have its own."""
    start(catalog)
    with pytest.raises(ConflictError, match="organ/1"):
        start(catalog)
    assert start(catalog, "tumor").name == "tumor/1"


def test_the_database_holds_that_one_round_is_open(catalog: Catalog) -> None:
    """Whoever writes: a second open row fails, a closed one does not."""
    start(catalog)
    with catalog.writer() as connection:
        first = connection.execute(select(t.rounds)).one()._mapping
        copy = {name: value for name, value in first.items() if name != "id"}
        for number, state in enumerate(t.CLOSED_STATES, start=7):
            connection.execute(t.rounds.insert().values(copy | {"state": state, "number": number}))
        for number, state in enumerate(set(t.ROUND_STATES) - set(t.CLOSED_STATES), start=20):
            with pytest.raises(IntegrityError, match=r"rounds\.task|uq_rounds_open"), connection.begin_nested():
                connection.execute(t.rounds.insert().values(copy | {"state": state, "number": number}))


def test_rounds_count_up(catalog: Catalog) -> None:
    """The next round opens when the last is closed."""
    move(catalog, start(catalog), "rejected")
    assert start(catalog).name == "organ/2"
    with catalog.read() as connection:
        assert [turn.name for turn in rounds.open_rounds(connection)] == ["organ/2"]
        assert rounds.find(connection, "latest:organ").number == 2


def test_a_round_moves_from_the_state_it_was_read_in(catalog: Catalog) -> None:
    """Who looked before somebody else moved it gets a conflict, and writes no event."""
    stale = start(catalog)
    move(catalog, stale, "trained")
    with pytest.raises(ConflictError, match="no longer open"):
        move(catalog, stale, "rejected")
    with catalog.read() as connection:
        turn = rounds.find(connection, "organ/1")
        assert turn.state == "trained"
        assert [event.state for event in rounds.events(connection, turn)] == ["open", "trained"]


# Fails for the long number: OverflowError from sqlite3.
@pytest.mark.parametrize("name", ["organ/2", "organ", "organ/x", "latest:tumor", "", f"organ/{10**25}"])
def test_an_unknown_round_is_not_found(catalog: Catalog, name: str) -> None:
    """The error lists the rounds there are, whatever was asked."""
    start(catalog)
    with catalog.read() as connection, pytest.raises(NotFoundError, match="organ/1"):
        rounds.find(connection, name)


def test_a_score_is_never_overwritten(catalog: Catalog) -> None:
    """The first value stays; another metric is added beside it."""
    score = NewScore(1, 1, "liver", "dsc", 0.9)
    with catalog.run("test", {}) as run, run.write() as write:
        assert scores.add(write, "flare23", [score]) == 1
        assert scores.add(write, "flare23", [score._replace(value=0.1), score._replace(metric="nsd")]) == 1
    with catalog.read() as connection:
        assert scores.of_pair(connection, 1, 1, "flare23") == {"liver": {"dsc": 0.9, "nsd": 0.9}}


@pytest.mark.parametrize(
    ("table", "column"),
    [(t.cases, "split"), (t.labels, "kind"), (t.rounds, "state"), (t.snapshots, "purpose"), (t.findings, "severity")],
    ids=lambda value: getattr(value, "name", value),
)
def test_states_are_those_of_the_list(catalog: Catalog, table: t.Table, column: str) -> None:
    """The database refuses a word that is not in the column's list."""
    start(catalog)
    with catalog.run("test", {}) as run, run.write() as write:
        write.connection.execute(
            t.findings.insert().values(severity="info", rule="r", message="m", operation_id=write.operation)
        )
    with pytest.raises(IntegrityError, match=r"CHECK|violates check"), catalog.writer() as connection:
        connection.execute(table.update().values({column: "nonsense"}))
