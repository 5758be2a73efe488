"""Who meets whom at the gate: on each reference, the round against the generated label accepted now, by structure."""

from __future__ import annotations

from collections import Counter, defaultdict

from flaredb.catalog import acceptances, current, labels, lineage, rounds, snapshots
from flaredb.catalog.database import Connection, Run
from flaredb.catalog.rounds import Round
from flaredb.labels.policy import Voice
from flaredb.metrics import Score
from flaredb.workflow.evaluate.labels import score_pairs
from flaredb.workflow.evaluate.leaks import learnt_from
from flaredb.workflow.rounds.gate import Contest
from flaredb.workflow.snapshot.create import references
from flaredb.workspace import Workspace

PROTOCOL = "flare23"


class Arena:
    """Who meets whom: for each reference and structure the challenger's label, and the generated one accepted now.

    A label whose model learnt from the reference's patient meets nobody: it would win by memory. `descend`: side → the
    references left out for that; `drawn_from`: side → references that people made of labels of its sources or of what
    their models learnt from; `blind`: models of which nothing tells all they learnt from; `unpredicted`: references
    without a label of the round.
    """

    def __init__(self, workspace: Workspace, connection: Connection, turn: Round, frozen: snapshots.Snapshot) -> None:
        self.workspace = workspace
        self.turn = turn
        self.task = frozen.structures
        self.references = [
            (case, label, tuple(name for name in names if name in self.task))
            for case, label, names in references(frozen)
        ]
        own = labels.of_source(connection, turn.name)
        judges = sorted({case for case, _, _ in self.references})
        self.challengers = {label.case: label for label in own if label.case in judges}
        self.unpredicted = [case for case in judges if case not in self.challengers]
        self.champions = self._champions(connection)
        numbers = {number for number, _ in self.champions.values()}
        self.known = labels.by_ids(connection, numbers)
        self.blind: set[str] = set()
        self.descend = {
            "champion": self._learnt(connection, list(self.known.values())),
            "challenger": self._learnt(connection, list(self.challengers.values())),
        }
        self._leave_out()
        self.drawn_from = self._drawn_from(connection)
        self.unmeasured = self._unmeasured(connection)
        self.used_before = rounds.decided_before(connection, turn, frozen.structures)

    def contests(self, run: Run) -> list[Contest]:
        """Score both sides and pair them by structure."""
        ours = [(self.challengers[c], ref, names) for c, ref, names in self.references if c in self.challengers]
        theirs = [
            (self.known[self.champions[case, name][0]], ref, (name,))
            for case, ref, names in self.references
            for name in names
            if (case, name) in self.champions
        ]
        challenger = score_pairs(self.workspace, run, ours, PROTOCOL)
        champion = score_pairs(self.workspace, run, theirs, PROTOCOL)
        return [self._contest(name, champion, challenger) for name in self.task]

    def _learnt(self, connection: Connection, judged: list[labels.Label]) -> set[tuple[str, str]]:
        """(source, case) of the labels whose models learnt from the very case or its patient."""
        by_source: dict[str, list[labels.Label]] = defaultdict(list)
        for label in judged:
            by_source[label.source].append(label)
        found = set()
        for source, own in by_source.items():
            learnt = learnt_from(connection, own)
            self.blind |= {*learnt.blind, *learnt.elsewhere}
            found |= {(source, label.case) for label in own if label.case in learnt.cases}
        return found

    def _drawn_from(self, connection: Connection) -> dict[str, set[str]]:
        """Side → the cases whose reference descends from a label of the side's model, or of one it started from."""
        sides = {"champion": list(self.known.values()), "challenger": list(self.challengers.values())}
        found: dict[str, set[str]] = {}
        behind = {case: lineage.makers(connection, [reference.id]) for case, reference, _ in self.references}
        for side, own in sides.items():
            models = lineage.warm_starts(connection, lineage.makers(connection, [label.id for label in own]))
            found[side] = {case for case, made in behind.items() if made & models}
        return found

    def _leave_out(self) -> None:
        """Take labels that would win by memory off both sides."""
        champions = self.descend["champion"]
        self.champions = {key: one for key, one in self.champions.items() if (one[1], key[0]) not in champions}
        own = {case for _, case in self.descend["challenger"]}
        self.challengers = {case: label for case, label in self.challengers.items() if case not in own}

    def _contest(
        self, name: str, champion: dict[str, dict[str, Score]], challenger: dict[str, dict[str, Score]]
    ) -> Contest:
        sources = Counter(source for (_, structure), (_, source) in self.champions.items() if structure == name)
        best = sources.most_common(1)[0][0] if sources else None
        return Contest(
            name,
            best,
            {case: by_name[name] for case, by_name in champion.items() if name in by_name},
            {case: by_name[name] for case, by_name in challenger.items() if name in by_name},
            self.unmeasured.get(name),
            dict(sources.most_common()),
            self.used_before[name],
        )

    def _champions(self, connection: Connection) -> dict[tuple[str, str], tuple[int, str]]:
        """(case, structure) → number and source of the label that would be current if no person had drawn one."""
        found = {}
        for key, decision in self._generated(connection, {case for case, _, _ in self.references}).items():
            found[key] = (decision.number, decision.source)
        return found

    def _unmeasured(self, connection: Connection) -> dict[str, str]:
        """Structure → a source that is current for it somewhere, meets nobody here, and was accepted after all who do.

        The round would take its place without having been compared with it.
        """
        since = acceptances.accepted_since(connection)
        met: dict[str, set[str]] = defaultdict(set)
        for (_, structure), (_, source) in self.champions.items():
            met[structure].add(source)
        found: dict[str, tuple[int, str]] = {}
        for (_, structure), winner in self._generated(connection, None).items():
            own = (since.get((winner.source, structure), 0), winner.source)
            others = [since.get((source, structure), 0) for source in met[structure]]
            if winner.source not in met[structure] and own[0] >= max(others, default=-1):
                found[structure] = max(found.get(structure, own), own)
        return {structure: source for structure, (_, source) in found.items()}

    def _generated(self, connection: Connection, names: set[str] | None) -> dict[tuple[str, str], Voice]:
        own = labels.source_number(connection, self.turn.name)
        first = current.without(connection, names, lambda row: row.human or row.source == own)
        return {key: voice for key, voice in first.items() if key[1] in self.task}
