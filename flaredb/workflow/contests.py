"""Who meets whom at the gate: on each reference, the round against the generated label accepted now, by structure."""

from __future__ import annotations

from collections import Counter

from flaredb.catalog import current, labels, snapshots
from flaredb.catalog.database import Connection, Run
from flaredb.catalog.rounds import Round
from flaredb.labels.policy import Voice
from flaredb.labels.tasks import find_task
from flaredb.metrics import Score
from flaredb.workflow.evaluate import score_pairs
from flaredb.workflow.gate import Contest
from flaredb.workflow.leaks import unfair
from flaredb.workflow.snapshot import references
from flaredb.workspace import Workspace

PROTOCOL = "flare23"


class Arena:
    """Who meets whom: for each reference and structure the challenger's label, and the generated one accepted now.

    A label whose model learnt from the reference's patient meets nobody: it would win by memory.
    """

    def __init__(self, workspace: Workspace, connection: Connection, turn: Round, frozen: snapshots.Snapshot) -> None:
        self.workspace = workspace
        self.turn = turn
        self.task = find_task(workspace.structures, turn.task).structures
        self.references = [
            (case, label, tuple(name for name in names if name in self.task))
            for case, label, names in references(frozen)
        ]
        own = labels.of_source(connection, turn.name)
        self.challengers = {label.case: label for label in own}
        self.champions = self._champions(connection)
        numbers = {number for number, _ in self.champions.values()}
        self.known = labels.by_ids(connection, numbers)
        spoilt = unfair(connection, self.known.values())
        self.champions = {key: value for key, value in self.champions.items() if value[0] not in spoilt}
        self.unmeasured = self._accepted_anywhere(connection)

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
        )

    def _champions(self, connection: Connection) -> dict[tuple[str, str], tuple[int, str]]:
        """(case, structure) → number and source of the label that would be current if no person had drawn one."""
        found = {}
        for key, decision in self._generated(connection, {case for case, _, _ in self.references}).items():
            found[key] = (decision.number, decision.source)
        return found

    def _accepted_anywhere(self, connection: Connection) -> dict[str, str]:
        """Structure → a generated source that is accepted for it somewhere."""
        return {structure: winner.source for (_, structure), winner in self._generated(connection, None).items()}

    def _generated(self, connection: Connection, names: set[str] | None) -> dict[tuple[str, str], Voice]:
        own = labels.source_number(connection, self.turn.name)
        first = current.without(connection, names, lambda row: row.human or row.source == own)
        return {key: voice for key, voice in first.items() if key[1] in self.task}
