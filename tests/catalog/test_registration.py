"""Many cases and announced labels at once; what is said of cases later. On both databases."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import event
from sqlalchemy.exc import IntegrityError

from flaredb.catalog import cases, labels
from flaredb.catalog.case_events import describe
from flaredb.catalog.database import Catalog, Write
from flaredb.catalog.labels import NewLabel, Presence
from flaredb.catalog.registration import NewCase, add_cases, announce, described
from flaredb.labels.mappings import identity
from flaredb.labels.structures import FLARE23
from tests.builders import add_label, modes

FACTS = {"source_dataset": "FLARE23", "centre": None}


def new_cases(write: Write, *names: str) -> None:
    """Cases of a patient each."""
    add_cases(write, [NewCase(name, f"patient of {name}", "train", FACTS) for name in names])


def new_label(case: str, *names: str, source: str = "truth") -> NewLabel:
    """A label without voxels."""
    absent = dict.fromkeys(names, Presence(0, None))
    moment = datetime(2023, 1, 1, tzinfo=UTC)
    return NewLabel(case, source, "ground-truth", None, identity(FLARE23), modes(*names), absent, {}, moment)


def test_announced_labels_read_like_any_other(fresh: Catalog) -> None:
    """Each is the next revision of its source, with the structures it annotates, and no candidate for anything."""
    with fresh.run("test", {}) as run:
        with run.write() as write:
            new_cases(write, "a", "b")
            add_label(write, case="a")
        with run.write() as write:
            announce(write, [new_label("a", "liver", "spleen"), new_label("b", "tumor"), new_label("a", "tumor")])
            announce(write, [new_label("b", "liver")])
    with fresh.read() as connection:
        found = {label.name: (set(label.annotated), label.volume) for label in labels.every(connection)}
    assert found == {
        "a@truth@1": ({"liver"}, "0" * 64),
        "a@truth@2": ({"liver", "spleen"}, None),
        "a@truth@3": ({"tumor"}, None),
        "b@truth@1": ({"tumor"}, None),
        "b@truth@2": ({"liver"}, None),
    }


def test_one_patient_may_have_many_cases(fresh: Catalog) -> None:
    """Patients are made once, whether they are new or there already."""
    with fresh.run("test", {}) as run, run.write() as write:
        add_cases(write, [NewCase("a", "one", "train", FACTS), NewCase("b", "one", "train", FACTS)])
        add_cases(write, [NewCase("c", "one", "train", FACTS), NewCase("d", "two", "test", FACTS)])
        add_cases(write, [])
    with fresh.read() as connection:
        assert [(case.name, case.patient, case.split) for case in cases.every(connection)] == [
            ("a", "one", "train"),
            ("b", "one", "train"),
            ("c", "one", "train"),
            ("d", "two", "test"),
        ]


def test_a_name_that_is_taken_adds_none(fresh: Catalog) -> None:
    """All of the cases come in or none."""
    with fresh.run("test", {}) as run:
        with run.write() as write:
            new_cases(write, "a")
        with pytest.raises(IntegrityError), run.write() as write:
            new_cases(write, "b", "a")
    with fresh.read() as connection:
        assert [case.name for case in cases.every(connection)] == ["a"]


def test_statements_do_not_grow_with_the_cases(fresh: Catalog) -> None:
    """Announcing a hundred labels takes as many statements as announcing one."""
    counts = []
    with fresh.run("test", {}) as run:
        for number, many in enumerate((1, 100)):
            with run.write() as write:
                add_label(write, case=first(write, number))
                seen: list[str] = []
                event.listen(write.connection, "before_cursor_execute", lambda *given, seen=seen: seen.append(given[2]))
                names = [f"case{number}-{index}" for index in range(many)]
                new_cases(write, *names)
                announce(write, [new_label(name, "liver", "spleen") for name in names])
                counts.append(len(seen))
    assert counts[0] == counts[1] > 5


def first(write: Write, number: int) -> str:
    """A case to begin with, so that source and mapping are there."""
    new_cases(write, f"first{number}")
    return f"first{number}"


def test_describing_leaves_an_event(fresh: Catalog) -> None:
    """Columns and patient are set, and nothing else; the event says what was said."""
    with fresh.run("test", {}) as run, run.write() as write:
        new_cases(write, "a", "b")
        (number,) = (case.id for case in cases.every(write.connection) if case.name == "a")
        describe(write, number, {"patient": "key", "licence": "CC0"}, "because")
    with fresh.read() as connection:
        rows = {row["patient"]: (row["licence"], row["source_dataset"]) for row in described(connection).values()}
        events = connection.exec_driver_sql("SELECT case_id, event, detail, why FROM case_events").all()
    assert rows == {"key": ("CC0", "FLARE23"), "patient of b": (None, "FLARE23")}
    assert [tuple(row) for row in events] == [(number, "described", "patient key, licence CC0", "because")]
