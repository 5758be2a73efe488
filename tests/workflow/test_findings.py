"""Findings stay; acknowledging one says why it may stand."""

from __future__ import annotations

import pytest

from flaredb.errors import Finding, NotFoundError
from flaredb.workflow.findings import finding_ack
from tests.cohorts import flaredb


@pytest.fixture
def found(empty):
    """A workspace with three findings."""
    with empty.run("test") as run, run.write() as write:
        write.add_findings([Finding("error", "a", "one", "first"), Finding("warning", None, "two", "second", "x/y")])
        write.add_findings([Finding("info", "b", "three", "third")])
    return empty


def test_an_acknowledged_finding_stays(found):
    """With the reason; the listing of open ones goes without it."""
    number = flaredb("finding", "list", workspace=found.root).json[0]["id"]
    done = finding_ack(found, number, "the list is wrong, the files are right")
    assert (done.ids, done.added) == ((str(number),), 1)
    rows = flaredb("finding", "list", workspace=found.root).json
    assert [row["acknowledged"] for row in rows] == ["the list is wrong, the files are right", None, None]
    left = flaredb("finding", "list", "--open", workspace=found.root).json
    assert [row["rule"] for row in left] == ["two", "three"]
    assert [row["severity"] for row in rows] == ["error", "warning", "info"]
    assert rows[1]["path"] == "x/y"


def test_the_last_reason_is_shown(found):
    """Acknowledged twice, the newer reason counts; both are kept."""
    for why in ("once", "twice"):
        assert flaredb("finding", "ack", 1, "--why", why, workspace=found.root).code == 0
    assert flaredb("finding", "list", workspace=found.root).json[0]["acknowledged"] == "twice"
    assert len(found.sql("SELECT * FROM finding_events")) == 2


def test_what_is_not_there_cannot_be_acknowledged(found):
    """Exit 3; without a reason, or with no number, exit 2."""
    with pytest.raises(NotFoundError, match="flaredb finding list"):
        finding_ack(found, 99, "x")
    assert flaredb("finding", "ack", 99, "--why", "x", workspace=found.root).code == 3
    assert flaredb("finding", "ack", 1, workspace=found.root).code == 2
    assert flaredb("finding", "ack", "one", "--why", "x", workspace=found.root).code == 2
    assert found.sql("SELECT * FROM finding_events") == []
