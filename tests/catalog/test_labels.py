"""Labels: immutable versions, and their standing as candidates."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

import pytest
from sqlalchemy.exc import IntegrityError

from flaredb.catalog import acceptances, current, explain, labels, replay
from flaredb.catalog import tables as t
from flaredb.catalog.database import Catalog, Write
from flaredb.errors import NotFoundError
from flaredb.labels.mappings import load_mapping
from flaredb.labels.policy import Candidate
from flaredb.labels.structures import FLARE23
from tests.builders import KIDNEYS, add_case, add_label, modes

Event = Literal["accepted", "revoked", "withdrawn", "restored"]


@pytest.fixture
def catalog(fresh: Catalog) -> Catalog:
    """A catalogue with one case and one label of its liver and spleen."""
    with fresh.run("test", {}) as run, run.write() as write:
        add_case(write)
        add_label(write, annotated=modes("liver", "spleen"))
    return fresh


def act(catalog: Catalog, who: str, event: Event, structure: str = "liver") -> int:
    """An event on the label (row 1) or on its source; its operation."""
    with catalog.run("test", {}) as run, run.write() as write:
        acceptances.record(write, ("label" if who == "label" else "source", 1), [structure], event, "because")
        return write.operation


def liver(catalog: Catalog, structure: str = "liver") -> Candidate:
    """The label's standing for a structure."""
    with catalog.read() as connection:
        (found,) = explain.of_case(connection, "case1")[structure]
    return found


def at_import(catalog: Catalog) -> int:
    with catalog.run("test", {}) as run, run.write() as write:
        acceptances.accept_at_import(write, 1, ["liver", "spleen"])
        return write.operation


def test_a_label_nobody_accepted_is_not_accepted(catalog: Catalog) -> None:
    """Being there is not being current."""
    assert liver(catalog).accepted is None


def test_acceptance_at_import_is_time_zero(catalog: Catalog) -> None:
    """So that any promotion comes later."""
    at_import(catalog)
    assert liver(catalog).accepted == 0
    assert liver(catalog, "spleen").accepted == 0


def test_a_source_is_accepted_by_structure(catalog: Catalog) -> None:
    """The operation of the acceptance is its time; other structures are not touched."""
    operation = act(catalog, "source", "accepted")
    assert liver(catalog).accepted == operation
    assert liver(catalog, "spleen").accepted is None


def test_the_last_event_counts(catalog: Catalog) -> None:
    """Accepted, revoked, accepted again: as of the last."""
    act(catalog, "source", "accepted")
    act(catalog, "source", "revoked")
    assert liver(catalog).accepted is None
    assert liver(catalog).accepted != act(catalog, "source", "accepted")
    assert liver(catalog).accepted is not None


@pytest.mark.parametrize("label_first", [True, False])
def test_the_labels_own_event_is_narrower_than_its_sources(catalog: Catalog, label_first: bool) -> None:
    """A label that was revoked itself stays so when its source is accepted, before or after; and the other way."""
    steps: list[tuple[str, Event]] = [("label", "revoked"), ("source", "accepted")]
    for who, event in steps if label_first else reversed(steps):
        act(catalog, who, event)
    assert liver(catalog).accepted is None
    operation = act(catalog, "label", "accepted")
    act(catalog, "source", "revoked")
    assert liver(catalog).accepted == operation


def test_withdrawals_stand_as_acceptances_do(catalog: Catalog) -> None:
    """Source withdrawn, label restored; by structure; the label's own event is the narrower one."""
    act(catalog, "source", "withdrawn")
    assert liver(catalog).withdrawn
    assert not liver(catalog, "spleen").withdrawn
    act(catalog, "label", "restored")
    assert not liver(catalog).withdrawn
    act(catalog, "source", "restored")
    act(catalog, "label", "withdrawn")
    assert liver(catalog).withdrawn


def test_import_does_not_undo_a_decision(catalog: Catalog) -> None:
    """A source that was revoked for a structure is not accepted again by importing more of it."""
    act(catalog, "source", "revoked")
    at_import(catalog)
    assert liver(catalog).accepted is None
    assert liver(catalog, "spleen").accepted == 0


def test_the_view_says_the_same(catalog: Catalog) -> None:
    """`label_provenance` shows acceptance and withdrawal as the candidates have them."""
    act(catalog, "source", "accepted")
    act(catalog, "label", "withdrawn")
    act(catalog, "label", "revoked", "spleen")
    with catalog.read() as connection:
        query = "SELECT structure, accepted, withdrawn FROM label_provenance ORDER BY structure"
        rows = connection.exec_driver_sql(query).all()
        found = explain.of_case(connection, "case1")
    for structure, accepted, withdrawn in rows:
        (standing,) = found[structure]
        assert (bool(accepted), bool(withdrawn)) == (standing.accepted is not None, standing.withdrawn)


def test_an_event_is_about_a_label_or_a_source(catalog: Catalog) -> None:
    """Not both and not neither; the database holds it."""
    facts = {"structure": 1, "event": "accepted", "why": "x", "operation_id": 1}
    for parties in ({}, {"source_id": 1, "label_id": 1}):
        with catalog.writer() as connection, pytest.raises(IntegrityError, match="either"):
            connection.execute(t.acceptances.insert().values(facts | parties))


def test_an_announced_label_is_no_candidate(catalog: Catalog) -> None:
    """Without voxels there is nothing to be current."""
    with catalog.run("test", {}) as run, run.write() as write:
        add_label(write, "announced", annotated=modes("aorta"), volume=None)
    with catalog.read() as connection:
        assert "aorta" not in explain.of_case(connection, "case1")


def test_candidates_know_what_they_are(catalog: Catalog) -> None:
    """Mode and superset come from what was stated and from the mapping."""
    with catalog.run("test", {}) as run, run.write() as write:
        flare21 = load_mapping("flare21", FLARE23)
        add_label(write, "flare21", annotated=modes(*KIDNEYS, positive=["pancreas"]), codes=flare21)
    with catalog.read() as connection:
        found = explain.of_case(connection, "case1")
        assert explain.of_case(connection, "case2") == {}
    (kidney,), (pancreas,) = found["left_kidney"], found["pancreas"]
    assert (kidney.superset, kidney.exhaustive, kidney.label) == (True, True, "case1@flare21@1")
    assert (pancreas.superset, pancreas.exhaustive) == (False, False)


def test_revisions_count_up_by_case_and_source(catalog: Catalog) -> None:
    """A second label of a source is its next revision, another source begins at 1."""
    with catalog.run("test", {}) as run, run.write() as write:
        assert add_label(write)[1] == "case1@truth@2"
        assert add_label(write, "other")[1] == "case1@other@1"


def test_a_label_comes_back(catalog: Catalog) -> None:
    """By its full name, or the newest by case and source, with all that was stated."""
    stated = modes("liver", positive=["spleen"], within={"tumor": ("liver", "pancreas")})
    with catalog.run("test", {}) as run, run.write() as write:
        add_label(write, annotated=stated, annotator="ann")
    with catalog.read() as connection:
        newest, first = labels.find(connection, "case1@truth"), labels.find(connection, "case1@truth@1")
    assert newest.annotated == stated
    assert (newest.name, newest.annotator, first.name) == ("case1@truth@2", "ann", "case1@truth@1")


# Fails for the long number: OverflowError from sqlite3.
@pytest.mark.parametrize(
    "name", ["case1@truth@9", "case1@other", "case2@truth@1", "", "case1@truth@x", f"case1@truth@{10**25}"]
)
def test_an_unknown_label_is_not_found(catalog: Catalog, name: str) -> None:
    """The error says what there is, whatever was asked."""
    with catalog.read() as connection, pytest.raises(NotFoundError, match=r"flaredb label list|case1@truth@1"):
        labels.find(connection, name)


def test_an_unknown_source_is_not_found(catalog: Catalog) -> None:
    """The error lists the sources."""
    with catalog.read() as connection, pytest.raises(NotFoundError, match="there are: truth"):
        labels.source_number(connection, "nobody")


def test_a_mapping_is_stored_once(catalog: Catalog) -> None:
    """Equal mappings share a row, different ones do not."""

    def numbers(write: Write) -> list[int]:
        names = ["identity", "flare21", "identity", "kits19"]
        return [labels.mapping_number(write, load_mapping(name, FLARE23)) for name in names]

    with catalog.run("test", {}) as run, run.write() as write:
        identity, flare21, again, kits = numbers(write)
    assert identity == again
    assert len({identity, flare21, kits}) == 3


@pytest.mark.parametrize("pairs", [[("b", "c"), ("a", "b")], [("a", "b"), ("b", "c")]])
def test_superseding_through_a_source_without_labels(catalog: Catalog, pairs: list[tuple[str, str]]) -> None:
    """A case that has no label of the source in between is decided anew too."""
    with catalog.run("test", {}) as run, run.write() as write:
        add_case(write, "case2")
        for day, source in enumerate("ac", 1):
            add_label(write, source, "case2", annotated_at=datetime(2023, 1, day, tzinfo=UTC))
            acceptances.accept_at_import(write, labels.source_number(write.connection, source), ["liver"])
        labels.ensure_source(write, "b", "ground-truth")
    for newer, older in pairs:
        with catalog.run("test", {}) as run, run.write() as write:
            labels.set_supersedes(write, labels.source_number(write.connection, newer), older)
    with catalog.read() as connection:
        assert replay.compare(connection) == ([], [], [])
        assert current.now(connection, ["case2"])["case2"][0].winner.source == "a"
