"""`label lineage`: from a label, snapshot, model or source, up and down, as the view's edges go."""

from __future__ import annotations

import re
from typing import Any

import pytest

from flaredb.errors import NotFoundError
from flaredb.workflow.provenance.lineage import as_dot, label_lineage
from flaredb.workflow.rounds.show import round_show
from flaredb.workspace import Workspace
from tests.builders import add_case, add_label
from tests.cohorts import flaredb
from tests.families import annotated, edges, reached, three_rounds


@pytest.fixture
def family(empty: Workspace) -> Workspace:
    """A workspace with three rounds that descend from each other."""
    three_rounds(empty.catalog)
    return empty


def nodes(found: dict[str, Any], *types: str) -> set[str]:
    """Names of the nodes of some types."""
    return {node["name"] for node in found["nodes"] if node["type"] in types}


def everything(workspace: Workspace) -> list[tuple[str, set[str]]]:
    """What can be asked for: a name, and the nodes it stands for."""
    every = set(annotated(workspace.catalog))
    names = every.union(*edges(workspace.catalog))
    own = [(source, {n for n in every if source_of(n) == source}) for source in sorted(set(map(source_of, every)))]
    return [(name, {name}) for name in sorted(names)] + own


def source_of(label: str) -> str:
    return label.split("@")[1]


@pytest.mark.parametrize("down", [False, True], ids=["up", "down"])
def test_it_is_a_graph_search(family, down):
    """From everything there is: nodes are those a plain search reaches, edges those of the view among them."""
    pairs = edges(family.catalog)
    ways = pairs if down else [(b, a) for a, b in pairs]
    asked = everything(family)
    assert len(asked) > 15
    for name, start in asked:
        found = label_lineage(family, name, down)
        there = reached(ways, start)
        assert nodes(found, "label", "snapshot", "model") == there, name
        assert nodes(found, "source") == {label.split("@")[1] for label in there if "@" in label}
        drawn = {(a, b) for a, b in found["edges"] if a not in nodes(found, "source")}
        assert drawn == {(a, b) for a, b in pairs if {a, b} <= there}
        of_sources = {(a, b) for a, b in found["edges"] if a in nodes(found, "source")}
        assert of_sources == {(label.split("@")[1], label) for label in there if "@" in label}


def test_nodes_and_edges_are_said_once(family):
    """No node and no edge twice; every edge's ends are nodes; ids are names."""
    for name, _ in everything(family):
        found = label_lineage(family, name)
        ids = [(node["id"], node["type"]) for node in found["nodes"]]
        assert len(set(ids)) == len(ids)
        assert len({tuple(edge) for edge in found["edges"]}) == len(found["edges"])
        assert {end for edge in found["edges"] for end in edge} <= {identity for identity, _ in ids}
        assert all(node["id"] == node["name"] for node in found["nodes"])


def test_a_label_without_relatives_is_alone(family):
    """Itself and its source."""
    with family.run("test") as run, run.write() as write:
        add_case(write, "alone")
        add_label(write, "nobody", "alone")
    for down in (False, True):
        found = label_lineage(family, "alone@nobody", down)
        assert [node["name"] for node in found["nodes"]] == ["alone@nobody@1", "nobody"]
        assert found["edges"] == [["nobody", "alone@nobody@1"]]


def test_a_source_may_look_like_a_model(family):
    """Sources named `m-…` or `s-…` are found as what they are."""
    with family.run("test") as run, run.write() as write:
        add_case(write, "alone")
        for source in ("m-net", "s-team"):
            add_label(write, source, "alone")
    for source in ("m-net", "s-team"):
        assert nodes(label_lineage(family, source), "label") == {f"alone@{source}@1"}


@pytest.mark.parametrize("name", ["nobody", "a@nobody@1", "s-nothing", "m-nothing", "latest:tumor", "", "x@truth"])
def test_what_is_not_there_is_not_found(family, name):
    """Exit 3, whatever it looks like."""
    with pytest.raises(NotFoundError):
        label_lineage(family, name)
    assert flaredb("label", "lineage", name, workspace=family.root).code == 3


def test_the_drawing_has_one_node_a_source(family):
    """Labels of one source are one box that says how many; every edge goes between boxes."""
    text = as_dot(label_lineage(family, "s-000000000002", down=True))
    assert text.startswith("digraph")
    boxes = re.findall(r'^  "([^"]+)" \[label="([^"]+)"\];$', text, re.MULTILINE)
    assert len(dict(boxes)) == len(boxes)
    assert dict(boxes)["organ/1"] == "organ/1\\n1 labels"
    arrows = re.findall(r'^  "([^"]+)" -> "([^"]+)";$', text, re.MULTILINE)
    assert arrows
    assert {end for arrow in arrows for end in arrow} <= set(dict(boxes))
    assert len(text.splitlines()) == 3 + len(boxes) + len(arrows)


def test_a_real_round(judged):
    """The prediction of a round comes from its model, that from its snapshot, that from people's labels."""
    with Workspace.open(judged) as workspace:
        turn = round_show(workspace, "organ/1")
        found = label_lineage(workspace, "FLARE23Ts_0001@organ/1")
        assert nodes(found, "model") == {turn["model"]}
        assert nodes(found, "snapshot") == {turn["snapshot"]}
        assert nodes(found, "source") == {"organ/1", "flare23", "flare21"}
        assert [turn["model"], "FLARE23Ts_0001@organ/1@1"] in found["edges"]
        assert label_lineage(workspace, "latest:organ") == label_lineage(workspace, turn["model"])


def test_the_program_draws(judged):
    """As a document, as Graphviz text, and as a table."""
    done = flaredb("label", "lineage", "flare21", "--down", workspace=judged)
    assert (done.code, set(done.json)) == (0, {"nodes", "edges"})
    assert {node["type"] for node in done.json["nodes"]} == {"label", "model", "snapshot", "source"}
    drawn = flaredb("label", "lineage", "flare21", "--down", "--dot", workspace=judged)
    assert (drawn.code, drawn.out.startswith("digraph lineage {")) == (0, True)
