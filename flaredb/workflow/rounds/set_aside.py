"""Cases for the gate where nobody has set any aside: a stratified, patient-grouped fifth, once, for good."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from flaredb.catalog import cases, current
from flaredb.catalog.database import Write
from flaredb.errors import Finding
from flaredb.labels.policy import HUMAN
from flaredb.workspace import Workspace

HELD_OUT = 0.2  # share of annotated cases set aside where there are no validation cases


def set_aside(workspace: Workspace, write: Write, task: str) -> list[Finding]:
    """Where no validation case has human truth for the task, move a stratified fifth of the annotated ones there."""
    structures = set(workspace.task(task).structures)
    every = {case.name: case for case in cases.every(write.connection)}
    human: dict[str, frozenset[str]] = {}
    for name, spoken in current.now(write.connection).items():
        won = frozenset(c.structure for c in spoken if c.winner and c.winner.kind in HUMAN)
        if won & structures and every[name].image:
            human[name] = won
    if any(every[name].split == "validation" for name in human):
        return []
    strata: dict[frozenset[str], list[str]] = defaultdict(list)
    for name in sorted(human):
        if every[name].split == "train":
            strata[human[name]].append(name)
    moved = _stratified_fifth(every, strata)
    names = [name for name, case in every.items() if case.patient in moved and case.split == "train"]
    for name in names:
        cases.set_facts(write, name, {"split": "validation"})
    if not names:
        return []
    message = f"{len(names)} cases were set aside for the gate: {' '.join(names[:8])}"
    return [Finding("info", None, "set-aside", message)]


def _stratified_fifth(every: dict[str, cases.Case], strata: dict[frozenset[str], list[str]]) -> set[str]:
    """Patients of a fifth of the listed cases, at least one case, each stratum giving its share."""
    random = np.random.default_rng(0)
    ranked = []
    for _, members in sorted(strata.items(), key=lambda item: sorted(item[0])):
        order = random.permutation(len(members))
        ranked += [((rank + 0.5) / len(members), members[place]) for rank, place in enumerate(order)]
    count = max(1, round(HELD_OUT * len(ranked))) if len(ranked) > 1 else 0
    return {every[name].patient for _, name in sorted(ranked)[:count]}
