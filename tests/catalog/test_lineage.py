"""What descends from what: both directions agree with a plain search of the graph that the view shows."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flaredb.catalog import acceptances, labels, lineage, models, naming, snapshots
from flaredb.catalog.database import Catalog
from flaredb.workflow.provenance.taint import tainted
from tests.builders import new_catalog
from tests.families import Family, annotated, brute_taint, edges, flat, reached, three_rounds

STRUCTURES = ("liver", "spleen")
CASES = ("a", "b", "c")


@pytest.fixture
def catalog(fresh: Catalog) -> Catalog:
    """Three rounds, on either database."""
    three_rounds(fresh)
    return fresh


def of_labels(catalog: Catalog, hidden: dict[str, set[str]]) -> dict[str, list[str]]:
    """What the taint of labels' structures is said to be."""
    with catalog.read() as connection:
        numbers = {labels.find(connection, name).id: frozenset(names) for name, names in hidden.items()}
        return tainted(connection, numbers)


def of_source(catalog: Catalog, source: str, structures: set[str]) -> dict[str, set[str]]:
    """A source's labels with the structures of these that they annotate."""
    return {
        name: own & structures
        for name, own in annotated(catalog).items()
        if name.split("@")[1] == source and own & structures
    }


def test_a_truth_taints_all_that_learnt_from_it(catalog: Catalog) -> None:
    """Withdrawn liver of `truth`: every snapshot and model, and the rounds, but not the external label beside it."""
    found = of_labels(catalog, of_source(catalog, "truth", {"liver"}))
    assert found["labels"] == ["a@organ/2@1", "c@fused@1", "c@organ/1@1"]
    assert len(found["snapshots"]) == 4
    assert len(found["models"]) == 4
    assert found["rounds"] == ["organ/1", "organ/2", "organ/3"]


def test_a_structure_nobody_took_taints_nothing(catalog: Catalog) -> None:
    """The external liver was never in a snapshot; its spleen was, and what follows from it is tainted."""
    assert flat(of_labels(catalog, {"b@external@1": {"liver"}})) == set()
    found = of_labels(catalog, {"b@external@1": {"spleen"}})
    assert found["rounds"] == ["organ/1", "organ/2", "organ/3"]
    assert found["snapshots"] == ["s-000000000002", "s-000000000004"]
    assert len(found["models"]) == 3


@pytest.mark.parametrize("source", ["truth", "external", "organ/1", "fused", "organ/2"])
@pytest.mark.parametrize("structures", [{"liver"}, {"spleen"}, {"liver", "spleen"}], ids=sorted)
def test_taint_is_a_graph_search(catalog: Catalog, source: str, structures: set[str]) -> None:
    """The tainted set of a source's withdrawal is what a plain search over `lineage_edges` finds."""
    hidden = of_source(catalog, source, structures)
    assert flat(of_labels(catalog, hidden)) == brute_taint(catalog, hidden)


def test_withdrawn_labels_are_known(catalog: Catalog) -> None:
    """By a source's or a label's withdrawal, by structure; the narrower restoration wins."""
    with catalog.read() as connection:
        assert lineage.withdrawn(connection) == {}
    act(catalog, "truth", "withdrawn", ["liver"])
    act(catalog, "b@external@1", "withdrawn", ["spleen"])
    act(catalog, "a@truth@1", "restored", ["liver"])
    assert hidden_now(catalog) == {
        "b@truth@1": {"liver"},
        "c@truth@1": {"liver"},
        "b@external@1": {"spleen"},
    }
    act(catalog, "truth", "restored", ["liver"])
    assert hidden_now(catalog) == {"b@external@1": {"spleen"}}


def act(catalog: Catalog, name: str, event: Any, structures: list[str]) -> None:
    with catalog.run("test", {}) as run, run.write() as write:
        if "@" in name:
            target: Any = ("label", labels.find(write.connection, name).id)
        else:
            target = ("source", labels.source_number(write.connection, name))
        acceptances.record(write, target, structures, event, "because")


def hidden_now(catalog: Catalog) -> dict[str, set[str]]:
    with catalog.read() as connection:
        found = lineage.withdrawn(connection)
        names = naming.label_names(connection, found)
    return {names[number]: set(structures) for number, structures in found.items()}


# A step adds a label of a person, of a model or of labels; a snapshot; or a model, perhaps from another.
steps = st.lists(
    st.tuples(
        st.sampled_from(["human", "human", "pseudo", "fused", "snapshot", "snapshot", "model", "model"]),
        st.sampled_from(CASES),
        st.lists(st.tuples(st.integers(0, 30), st.frozensets(st.sampled_from(STRUCTURES), min_size=1)), max_size=4),
        st.booleans(),
    ),
    max_size=24,
)


def grow(catalog: Catalog, drawn: Any) -> dict[str, list[str]]:
    """A family as drawn; the names of what was made, by kind."""
    made: dict[str, list[str]] = {"label": [], "snapshot": [], "model": []}

    def pick(kind: str, number: int) -> str | None:
        return made[kind][number % len(made[kind])] if made[kind] else None

    with catalog.run("test", {}) as run, run.write() as write:
        family = Family(write)
        for kind, case, picks, warm in drawn:
            first = picks[0][0] if picks else 0
            if kind == "human":
                made["label"].append(family.label(case, "truth", STRUCTURES))
            elif kind == "pseudo" and made["model"]:
                made["label"].append(family.label(case, "pseudo", STRUCTURES, model=pick("model", first)))
            elif kind == "fused" and made["label"]:
                parents = {pick("label", number) or "" for number, _ in picks or [(0, None)]}
                made["label"].append(family.label(case, "fused", STRUCTURES, parents=sorted(parents)))
            elif kind == "snapshot" and made["label"]:
                held = {pick("label", number) or "": sorted(names) for number, names in picks}
                made["snapshot"].append(family.snapshot(held))
            elif kind == "model" and made["snapshot"]:
                parent = pick("model", first) if warm else None
                made["model"].append(family.model(pick("snapshot", first) or "", parent))
    return made


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Makes fresh catalogues on SQLite."""
    template = tmp_path_factory.mktemp("template")
    new_catalog(template).close()
    data = (template / "catalog.db").read_bytes()

    def make() -> Catalog:
        folder = tmp_path_factory.mktemp("drawn")
        (folder / "catalog.db").write_bytes(data)
        return Catalog(f"sqlite:///{folder}/catalog.db")

    return make


@settings(max_examples=60, deadline=None)
@given(
    drawn=steps, hidden=st.lists(st.tuples(st.integers(0, 30), st.frozensets(st.sampled_from(STRUCTURES), min_size=1)))
)
def test_any_family_is_searched_rightly(plain: Any, drawn: Any, hidden: Any) -> None:
    """Down by structure, and up, from any labels of any small family, as the plain search finds them."""
    catalog = plain()
    made = grow(catalog, drawn)
    try:
        if made["label"]:
            wanted = {made["label"][number % len(made["label"])]: set(names) for number, names in hidden}
            assert flat(of_labels(catalog, wanted)) == brute_taint(catalog, wanted)
            back = [(b, a) for a, b in edges(catalog)]
            assert up(catalog, labels=list(wanted)) == reached(back, wanted)
        if made["model"]:
            back = [(b, a) for a, b in edges(catalog)]
            assert up(catalog, models=made["model"][-1:]) == reached(back, made["model"][-1:])
    finally:
        catalog.close()


def up(catalog: Catalog, labels: list[str] | None = None, models: list[str] | None = None) -> set[str]:
    """Names of all that some labels or models were made of, themselves included."""
    with catalog.read() as connection:
        family = lineage.ancestors(connection, numbers(connection, labels or []), numbers(connection, models or []))
        return named(connection, family)


def numbers(connection: Any, names: list[str]) -> list[int]:
    find = {True: labels.find, False: models.find}
    return [find["@" in name](connection, name).id for name in names]


def named(connection: Any, family: lineage.Family) -> set[str]:
    return {
        *naming.labels(connection, family.labels),
        *naming.snapshots(connection, family.snapshots),
        *naming.models(connection, family.models),
    }


def test_people_of_a_snapshot(catalog: Catalog) -> None:
    """Patients whose cases a snapshot holds; scans are told by their voxels where they are there."""
    with catalog.read() as connection:
        found = snapshots.find(connection, "s-000000000002")
        assert snapshots.people(connection, [found.id]) == {"patient of a", "patient of b"}
        assert snapshots.people(connection, []) == set()
