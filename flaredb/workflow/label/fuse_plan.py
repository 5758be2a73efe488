"""What is fused of what: the labels of a case that take part, each in its structures; and the recipe of a source."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from flaredb.catalog import fusing, labels, lineage, rounds
from flaredb.catalog.database import Connection
from flaredb.catalog.labels import Label
from flaredb.errors import ConflictError, InvalidDataError
from flaredb.labels.fuse import METHODS, Method, Part, Weights
from flaredb.labels.policy import HUMAN
from flaredb.workflow.evaluate.leaks import unfair

PROTOCOL = "flare23"


class Recipe(NamedTuple):
    """How a fused source's labels are made; it stays what it was when the source was."""

    method: Method
    sources: tuple[str, ...]
    structures: tuple[str, ...]
    weights: Weights | None = None

    @property
    def text(self) -> str:
        """As it is kept with the source."""
        told = {"fused": self.method, "sources": self.sources, "structures": self.structures}
        return json.dumps(told | ({"weights": self.weights} if self.weights else {}))

    @classmethod
    def from_text(cls, text: str | None) -> Recipe | None:
        """Read what `text` wrote; None for a source that was made in another way."""
        told = json.loads(text) if text and text.startswith("{") else {}
        if "fused" not in told:
            return None
        return cls(told["fused"], tuple(told["sources"]), tuple(told["structures"]), told.get("weights"))


class Taking(NamedTuple):
    """The labels of a case that take part, in which structures, and the fused label there is, made of which."""

    case: str
    parts: tuple[tuple[Label, frozenset[str]], ...]
    last: Label | None
    made_of: frozenset[int]
    touched: bool
    """Whether something of a part was withdrawn or rejected, which its number does not tell."""

    @property
    def up_to_date(self) -> bool:
        """Whether the label there is was made of just these."""
        names = {name for _, own in self.parts for name in own}
        same = self.made_of == {label.id for label, _ in self.parts}
        return self.last is not None and same and set(self.last.annotated) == names and not self.touched


def find_recipe(connection: Connection, name: str, asked: Recipe) -> Recipe:
    """The recipe to follow: the one the source was made by, if it is what is asked for; else the new one.

    ConflictError if the source was made in another way, belongs to a round, or would descend from itself.
    """
    if asked.method not in METHODS:
        raise InvalidDataError(f"method {asked.method!r}; one of: {' '.join(METHODS)}")
    if len(asked.sources) < 2:
        raise InvalidDataError("one source cannot be fused; name two or more: --sources A,B")
    rounds.refuse_source(connection, name)
    for source in asked.sources:
        labels.source_number(connection, source)
        _refuse_circle(connection, name, source, (source,))
    if not labels.has_source(connection, name):
        return asked
    known = Recipe.from_text(labels.recipe_of(connection, name))
    if known is None or known._replace(weights=None) != asked:
        told = f"fused by {known.method} of {' '.join(known.sources)}" if known else "not made by label fuse"
        raise ConflictError(f"source {name} was {told}; give these labels another name with --as")
    return known


def _refuse_circle(connection: Connection, name: str, source: str, way: tuple[str, ...]) -> None:
    """ConflictError if a source is fused of the one that is to be fused."""
    if source == name:
        raise ConflictError(f"{name} would be fused of itself: {' of '.join([name, *way])}; choose another --as")
    made = Recipe.from_text(labels.recipe_of(connection, source))
    for other in made.sources if made else ():
        _refuse_circle(connection, name, other, (*way, other))


def find_parts(connection: Connection, name: str, recipe: Recipe, names: Iterable[str]) -> list[Taking]:
    """What takes part in each case of which two or more sources have a label.

    Of each source it is, structure by structure, the newest label that speaks about it, is not withdrawn and was not
    rejected by name.
    """
    wanted = set(names)
    hidden: dict[int, frozenset[str]] = defaultdict(frozenset)
    for listed in (lineage.withdrawn(connection), fusing.refused(connection)):
        for number, structures in listed.items():
            hidden[number] |= structures
    parts: dict[str, list[tuple[Label, frozenset[str]]]] = defaultdict(list)
    touched: set[str] = set()
    for source in recipe.sources:
        by_case: dict[str, list[Label]] = defaultdict(list)
        for label in labels.of_source(connection, source, newest=False):
            if label.case in wanted and label.volume:
                by_case[label.case].append(label)
        for case, own in by_case.items():
            parts[case] += _newest(own, frozenset(recipe.structures), hidden)
            touched |= {case} if any(label.id in hidden for label in own) else set()
    several = {case: own for case, own in parts.items() if len({label.source for label, _ in own}) > 1}
    last = {label.case: label for label in labels.of_source(connection, name)}
    made_of = fusing.parents(connection, [label.id for label in last.values()])
    return [
        Taking(case, tuple(own), old := last.get(case), made_of.get(old.id if old else 0, frozenset()), case in touched)
        for case, own in sorted(several.items())
    ]


def _newest(
    own: Sequence[Label], asked: frozenset[str], hidden: Mapping[int, frozenset[str]]
) -> list[tuple[Label, frozenset[str]]]:
    """A source's labels of a case, newest first, each in the structures for which it is the newest."""
    taken: set[str] = set()
    found = []
    for label in sorted(own, key=lambda label: (-label.revision, -label.id)):
        mine = frozenset(label.annotated) - hidden.get(label.id, frozenset()) - taken
        mine = mine & asked if asked else mine
        if mine:
            found.append((label, mine))
            taken |= mine
    return found


def as_part(label: Label, names: frozenset[str]) -> Part:
    """A label as it takes part."""
    return Part(label.source, label.codes, {n: label.annotated[n] for n in names}, label.kind in HUMAN)


def find_weights(connection: Connection, name: str, recipe: Recipe, taking: Sequence[Taking]) -> Weights:
    """Source → structure → mean DSC on training cases, where several sources speak about a structure.

    Those the source was made with, if it was; else as measured now: never on a case that judges a round, nor on one
    that a source's model learnt from; people weigh 1. InvalidDataError says what must be measured first, and where no
    cases are set aside yet: the first round would take them from those measured here.
    """
    needed = _to_weigh(taking)
    if recipe.weights:
        lacking = [f"{source} {structure}" for source, structure in needed if structure not in recipe.weights[source]]
        if lacking:
            raise ConflictError(
                f"the labels of {name} were weighted without {', '.join(lacking)}; give these another name with --as"
            )
        return recipe.weights
    if needed and not fusing.has_judges(connection):
        raise InvalidDataError(
            "weights would be measured on cases that judge rounds later: none is set aside yet; put annotated cases "
            "into the validation split (flaredb case describe), or start a round first, which sets a fifth aside"
        )
    weights = _measured(connection, recipe)
    missing: dict[str, list[str]] = defaultdict(list)
    for source, structure in needed:
        if structure not in weights[source]:
            missing[source].append(structure)
    if missing:
        listed = "; ".join(f"{source}: {' '.join(names)}" for source, names in missing.items())
        again = " and ".join(f"flaredb evaluate --source {source} --split train" for source in missing)
        raise InvalidDataError(
            f"no DSC is known, on training cases whose truth people drew and no model learnt from, of {listed}; "
            f"measure it: {again}; or fuse by another --method"
        )
    kept: dict[str, dict[str, float]] = {source: {} for source in recipe.sources}
    for source, structure in needed:
        kept[source][structure] = weights[source][structure]
    return kept


def _to_weigh(taking: Sequence[Taking]) -> list[tuple[str, str]]:
    """Source and structure, where several sources speak about it and it is not people who do."""
    speak: dict[str, set[str]] = defaultdict(set)
    people: set[str] = set()
    for case in taking:
        for label, names in case.parts:
            if label.kind in HUMAN:
                people.add(label.source)
            for name in names:
                speak[name].add(label.source)
    return sorted((s, name) for name, sources in speak.items() if len(sources) > 1 for s in sources - people)


def _measured(connection: Connection, recipe: Recipe) -> dict[str, dict[str, float]]:
    """Mean DSC by source and structure; of a case's labels of one source the one scored last counts."""
    found = fusing.measured(connection, recipe.sources, PROTOCOL)
    spoilt = unfair(connection, labels.by_ids(connection, {row.label for row in found}).values())
    latest = {(row.source, row.structure, row.case): row.dsc for row in found if row.label not in spoilt}
    values: dict[str, dict[str, list[float]]] = {source: defaultdict(list) for source in recipe.sources}
    for (source, structure, _), dsc in latest.items():
        values[source][structure].append(dsc)
    return {s: {name: round(float(np.mean(own)), 4) for name, own in by.items()} for s, by in values.items()}


def planned(name: str, recipe: Recipe, taking: Sequence[Taking], short: int) -> dict[str, Any]:
    """What would be made: counts by source and structure."""
    todo = [case for case in taking if not case.up_to_date]
    structures = Counter(n for case in todo for n in {n for _, names in case.parts for n in names})
    return {
        "source": name,
        "method": recipe.method,
        "labels": len(todo),
        "revisions": sum(case.last is not None for case in todo),
        "unchanged": len(taking) - len(todo),
        "cases_short": short,
        "structures": dict(sorted(structures.items())),
        "parents": dict(sorted(Counter(label.source for case in todo for label, _ in case.parts).items())),
        "weights": recipe.weights,
    }
