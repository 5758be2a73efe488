"""Catalogues of labels, snapshots and models that descend from each other, made without voxels or training."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import count
from typing import Any

from flaredb.catalog import labels, models, rounds, snapshots
from flaredb.catalog.database import Catalog, Write
from flaredb.catalog.models import NewModel
from flaredb.catalog.snapshots import NewItem, NewSnapshot
from tests.builders import add_case, add_label, modes

Edge = tuple[str, str]


class Family:
    """Adds labels, snapshots, models and rounds in one open transaction; names are handed back."""

    def __init__(self, write: Write) -> None:
        self.write = write
        self._numbers = count(1)
        self._labels: dict[str, int] = {}
        self._cases: dict[str, int] = {}

    def case(self, name: str, split: str = "train") -> str:
        """A case without voxels, made if new."""
        if name not in self._cases:
            self._cases[name] = add_case(self.write, name, split)
        return name

    def label(
        self,
        case: str,
        source: str,
        annotated: Iterable[str] = ("liver",),
        model: str | None = None,
        parents: Iterable[str] = (),
    ) -> str:
        """A label; of a model, or of other labels, or else drawn by a person."""
        kind = "pseudo" if model else "fused" if parents else "ground-truth"
        made, name = add_label(
            self.write,
            source,
            self.case(case),
            modes(*annotated),
            kind=kind,
            model=model,
            parents=tuple(self._labels[parent] for parent in parents),
        )
        self._labels[name] = made
        return name

    def snapshot(self, held: Mapping[str, Iterable[str]], purpose: str = "train") -> str:
        """A snapshot of labels, each for some structures."""
        digest = f"{next(self._numbers):012x}".ljust(64, "0")
        task = snapshots.task_number(self.write, "organ", ("liver", "spleen"), "digest of organ")
        items = tuple(
            NewItem(self._cases[label.split("@")[0]], self._labels[label], "won", tuple(structures))
            for label, structures in held.items()
        )
        new = NewSnapshot(digest, purpose, task, 1, items)
        assert snapshots.add(self.write, new)
        return new.name

    def model(self, snapshot: str, parent: str | None = None) -> str:
        """A trained model."""
        name = f"m-{next(self._numbers):012x}"
        models.add(self.write, NewModel(name, snapshot, parent, {}, 0, "0", {}))
        models.finish(self.write, name, 1, "0" * 64)
        return name

    def round(self, task: str, snapshot: str, reference: str, model: str | None = None, warm: str | None = None) -> str:
        """A rejected round."""
        name = rounds.add(self.write, task, snapshot, reference, {"warm": warm})
        turn = rounds.find(self.write.connection, name)
        if model:
            rounds.set_model(self.write, turn.id, model)
        rounds.move(self.write, turn, "rejected", "so that the next can start")
        return name


def three_rounds(catalog: Catalog) -> None:
    """A human source and an external one, three rounds each trained on the last one's labels, and one apart.

    a, b, c have truth of the liver; b an external spleen. organ/1 learns from a and b, organ/2 from c with the labels
    of organ/1, organ/3 starts from the model of organ/2; `apart` learns from c alone.
    """
    with catalog.run("test", {}) as run, run.write() as write:
        family = Family(write)
        truth = {name: family.label(name, "truth", ["liver"]) for name in "abc"}
        spleen = family.label("b", "external", ["liver", "spleen"])
        reference = family.snapshot({truth["c"]: ["liver"]}, "reference")
        first = family.model(family.snapshot({truth["a"]: ["liver"], spleen: ["spleen"]}))
        family.round("organ", "s-000000000002", reference, first)
        ours = family.label("c", "organ/1", ["spleen"], model=first)
        fused = family.label("c", "fused", ["spleen"], parents=[ours, truth["c"]])
        family.snapshot({truth["c"]: ["liver"], fused: ["spleen"]})
        second = family.model("s-000000000004")
        family.round("organ", "s-000000000004", reference, second)
        family.label("a", "organ/2", ["spleen"], model=second)
        fresh = family.snapshot({truth["c"]: ["liver"]})
        family.round("organ", fresh, reference, family.model(fresh, second), second)
        family.model(fresh)


def edges(catalog: Catalog) -> list[Edge]:
    """What the view `lineage_edges` says, from what was used to what was made of it."""
    with catalog.read() as connection:
        rows = connection.exec_driver_sql('SELECT "from", "to" FROM lineage_edges').all()
    return [(row[0], row[1]) for row in rows]


def taken(catalog: Catalog) -> dict[Edge, set[str]]:
    """(label, snapshot) → the structures that the snapshot took from the label."""
    with catalog.read() as connection:
        names = [row["name"] for row in snapshots.every(connection)]
        found = {name: snapshots.find(connection, name).items for name in names}
    taken: dict[Edge, set[str]] = defaultdict(set)
    for name, items in found.items():
        for item in items:
            taken[item.label.name, name] |= set(item.structures)
    return taken


def reached(pairs: Iterable[Edge], start: Iterable[str]) -> set[str]:
    """Everything that can be reached along edges, the start included: a plain search."""
    after: dict[str, set[str]] = defaultdict(set)
    for a, b in pairs:
        after[a].add(b)
    found, left = set[str](), set(start)
    while left:
        node = left.pop()
        found.add(node)
        left |= after[node] - found
    return found


def brute_taint(catalog: Catalog, hidden: Mapping[str, set[str]]) -> set[str]:
    """What descends from labels' structures: a first step only over what was taken, then over every edge."""
    everything, held = edges(catalog), taken(catalog)
    first = {b for a, b in everything if a in hidden and ((a, b) not in held or held[a, b] & hidden[a])}
    return reached(everything, first) - set(hidden)


def annotated(catalog: Catalog) -> dict[str, set[str]]:
    """Label → the structures it annotates."""
    with catalog.read() as connection:
        return {label.name: set(label.annotated) for label in labels.every(connection)}


def flat(tainted: Mapping[str, Any]) -> set[str]:
    """Names of tainted labels, snapshots and models."""
    return {*tainted["labels"], *tainted["snapshots"], *tainted["models"]}
