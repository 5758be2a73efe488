"""A source as it is shown: labels by structure, where they are current, and every decision with its reason."""

from __future__ import annotations

import pytest

from flaredb.errors import NotFoundError
from flaredb.workflow.ingest.labels import LabelOptions
from flaredb.workflow.label.sources import decide_label, decide_source, source_show, withdraw_label, withdraw_source
from flaredb.workflow.snapshot.create import snapshot_create
from tests.cohorts import add_case, add_label, blocks


@pytest.fixture
def two(empty, tmp_path):
    """Two cases with labels of p, one with truth."""
    for seed, name in enumerate("ab"):
        add_case(empty, tmp_path, name, seed)
        add_label(empty, tmp_path / "p", name, blocks(1, 3), "liver,spleen", LabelOptions("p", "external"))
    add_label(empty, tmp_path / "t", "a", blocks(1), "liver", LabelOptions("truth", "ground-truth"))
    return empty


def usage(workspace, name="p"):
    return [tuple(row.values()) for row in source_show(workspace, name)["structures"]]


def test_a_source_shows_its_use(two):
    """Labels, cases where it is current, snapshots: by structure, in the order of their values."""
    assert usage(two) == [("liver", 2, 1, 0), ("spleen", 2, 2, 0)]
    snapshot_create(two, "organ")
    assert usage(two) == [("liver", 2, 1, 1), ("spleen", 2, 2, 1)]
    withdraw_label(two, "b@p@1", "blurred", ["spleen"], yes=True)
    assert usage(two) == [("liver", 2, 1, 1), ("spleen", 2, 1, 1)]
    decide_label(two, "b@p@1", "restored", "not so bad")
    withdraw_source(two, "p", "licence", yes=True)  # the label that was restored by itself stays
    assert usage(two) == [("liver", 2, 1, 1), ("spleen", 2, 1, 1)]
    withdraw_label(two, "b@p@1", "licence", yes=True)
    assert usage(two) == [("liver", 2, 0, 1), ("spleen", 2, 0, 1)]


def test_a_source_shows_its_decisions(two):
    """Every event with its structures, reason and time, oldest first; one line a decision."""
    decide_source(two, "p", "revoked", "bad livers", ["liver"])
    withdraw_source(two, "p", "licence", yes=True)
    decide_source(two, "p", "restored", "licence found")
    shown = source_show(two, "p")
    assert (shown["name"], shown["kind"]) == ("p", "external")
    told = [(row["event"], row["why"], row["structures"]) for row in shown["decisions"]]
    every = list(two.structures.names)
    assert told == [
        ("accepted", "accepted at import", ["liver", "spleen"]),
        ("revoked", "bad livers", ["liver"]),
        ("withdrawn", "licence", every),
        ("restored", "licence found", every),
    ]
    operations = [row["operation"] for row in shown["decisions"]]
    assert operations == sorted(set(operations))


def test_withdrawing_says_how_many_labels(two):
    """Those that annotate what is withdrawn."""
    assert withdraw_source(two, "p", "x").would["withdraw"] == 2
    assert withdraw_source(two, "p", "x", ["aorta"]).would["withdraw"] == 0
    assert withdraw_label(two, "b@p@1", "x").would["withdraw"] == 1
    with pytest.raises(NotFoundError, match="truth"):
        source_show(two, "nobody")
