"""Erasing cases from a catalogue, on either database: rows, mentions and what the files still hold."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from flaredb.catalog import acceptances, cases, labels, lineage, purge, replay, snapshots
from flaredb.catalog import tables as t
from flaredb.catalog.database import Catalog
from flaredb.catalog.schema import metadata
from flaredb.errors import Finding
from tests.families import three_rounds
from tests.postgres import Server


def blot(value: Any) -> Any:
    """Takes the case `a` out: the word, and its labels."""
    if isinstance(value, dict):
        return {blot(key): blot(item) for key, item in value.items()}
    if isinstance(value, list):
        return [blot(item) for item in value]
    return re.sub(r"\ba\b", "purged-1", value) if isinstance(value, str) else value


@pytest.fixture
def catalog(fresh: Catalog) -> Catalog:
    """Three rounds, and decisions, remarks and arguments that name the case `a`."""
    three_rounds(fresh)
    with fresh.run("test", {"case": "a", "nested": [{"a": "the case a"}]}) as run, run.write() as write:
        acceptances.record(
            write, ("source", labels.source_number(write.connection, "truth")), ["liver"], "accepted", ""
        )
        label = labels.find(write.connection, "a@truth@1")
        acceptances.record(write, ("label", label.id), ["liver"], "accepted", "a is fine")
        acceptances.record(write, ("label", label.id), ["liver"], "withdrawn", "or is a?")
        write.add_findings([Finding("info", "a", "rule", "of a"), Finding("info", "b", "rule", "b is like a", "a/b")])
    return fresh


def number(catalog: Catalog, name: str) -> int:
    with catalog.read() as connection:
        return cases.find(connection, name).id


def erase(catalog: Catalog, *names: str) -> purge.Doomed:
    """Purge cases."""
    wanted = [number(catalog, name) for name in names]
    with catalog.run("case purge", {"cases": wanted}) as run, run.write() as write:
        doom = purge.doomed(write.connection, wanted)
        purge.erase(write, doom, "consent", "ann", blot)
    return doom


def texts(catalog: Catalog) -> list[str]:
    """Every row of every table as text."""
    with catalog.read() as connection:
        return [str(tuple(row)) for table in metadata.sorted_tables for row in connection.execute(select(table))]


def test_no_row_speaks_of_a_purged_case(catalog: Catalog) -> None:
    """Neither its own rows nor the texts of others; the other findings stay, without the word."""
    assert [line for line in texts(catalog) if re.search(r"\ba\b", line)]
    doom = erase(catalog, "a")
    assert (doom.names, len(doom.labels)) == (("a",), 2)
    assert [line for line in texts(catalog) if re.search(r"\ba\b", line)] == []
    with catalog.read() as connection:
        (finding,) = connection.execute(select(t.findings)).all()
        assert (finding.case_name, finding.message, finding.path) == ("b", "b is like purged-1", "purged-1/b")
        arguments = connection.execute(select(t.runs.c.arguments).where(t.runs.c.command == "test")).scalars().all()
        assert {"case": "purged-1", "nested": [{"purged-1": "the case purged-1"}]} in arguments
        (tombstone,) = connection.execute(select(t.tombstones)).all()
        assert (tombstone.actor, tombstone.why, tombstone.labels) == ("ann", "consent", 2)


def test_the_others_are_what_they_were(catalog: Catalog) -> None:
    """Rows of other cases do not change, lineage goes round the gap, and the history can be told again."""
    with catalog.read() as connection:
        before = [label for label in labels.every(connection) if label.case != "a"]
        held = {row["name"]: snapshots.find(connection, row["name"]) for row in snapshots.every(connection)}
    erase(catalog, "a")
    with catalog.read() as connection:
        assert labels.every(connection) == before
        assert replay.compare(connection) == replay.Difference([], [], [])
        for name, old in held.items():
            new = snapshots.find(connection, name)
            assert new.digest == old.digest
            assert new.items == tuple(item for item in old.items if item.case != "a")
            assert snapshots.lost(connection, new.id) == len(old.items) - len(new.items)
        family = lineage.descendants(connection, [labels.find(connection, "b@external@1").id])
        assert len(family.models) == 3


def test_every_case_can_go(catalog: Catalog) -> None:
    """All at once: no case, label or patient is left, and the snapshots say how much they lost."""
    erase(catalog, "a", "b", "c")
    with catalog.read() as connection:
        for table in (t.cases, t.labels, t.patients, t.snapshot_items, t.label_structures, t.label_parents):
            assert connection.execute(select(table)).all() == [], table.name
        assert {row["lost"] for row in snapshots.every(connection)} == {1, 2}
        assert len(connection.execute(select(t.tombstones)).all()) == 3


def test_the_files_hold_nothing(catalog: Catalog, request: pytest.FixtureRequest) -> None:
    """After overwriting, the bytes of the database's files hold no text of the purged rows."""
    secret = "Wernher-Kowalski-Secret"
    with catalog.run("test", {}) as run, run.write() as write:
        values = {"file_name": f"{secret}.nii.gz", "centre": secret}
        write.connection.execute(t.cases.update().where(t.cases.c.name == "a").values(values))
    erase(catalog, "a")
    purge.overwrite(catalog)
    if catalog.on_sqlite:
        files = list(Path(str(catalog.url.database)).parent.glob("catalog.db*"))
    else:
        server: Server = request.getfixturevalue("postgres")
        server.sql("CHECKPOINT")
        (row,) = server.sql(f"SELECT oid FROM pg_database WHERE datname = '{catalog.url.database}'")
        files = [path for path in (server.folder / "data" / "base" / str(row[0])).iterdir() if path.is_file()]
    assert files
    assert [path.name for path in files if secret.encode() in path.read_bytes()] == []
