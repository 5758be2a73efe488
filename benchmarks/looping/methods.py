"""The loop, and what people do instead with as many optimiser steps in all; each gives a model for the test cases.

loop        flaredb: three rounds for organs, two for tumours, each judged at the gate structure by structure; then a
            joint model from what people drew and what was promoted, in two rounds.
control     one label-set model from what people drew, trained for all the steps: what training alone gives.
supervised  the complete cases of each task alone: a network for organs and one for tumours (`partial/methods.py`).
folders     the paper's recipe: teachers label every scan, agreement or background, truth overlaid, a student; no gate.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from partial import methods
from partial.chosen import CHOSEN
from partial.methods import Bench, Model
from partial.plan import PRESET, SHARED

from flaredb.catalog import rounds
from flaredb.errors import NotFoundError
from flaredb.trainers import checkpoint
from flaredb.trainers.config import Config, change
from flaredb.trainers.predict import Predictor
from flaredb.trainers.presets import load_config
from flaredb.workflow.demo.plan import Turn
from flaredb.workflow.evaluate.labels import evaluate
from flaredb.workflow.rounds.advance import RoundOptions, round_start, run_to_end
from flaredb.workflow.rounds.show import round_show
from flaredb.workspace import Workspace
from looping.chosen import SETTINGS, TURNS
from looping.cohort import volumes
from looping.plan import STEPS


class Site(NamedTuple):
    """Where a method works: the seed's workspace, a folder of its own, and what is changed of the settings."""

    workspace: Workspace
    folder: Path
    seed: int
    changes: Mapping[str, str]
    share: float
    """Of all steps; 1 but in a smoke run."""

    def config(self, steps: int, own: Mapping[str, str]) -> Config:
        """The configuration for so many steps."""
        taken = max(2, round(steps * self.share))
        settings = {**SHARED, **own, **self.changes, "seed": str(self.seed), "steps": str(taken)}
        return load_config(PRESET, settings)

    def bench(self, everything: bool, own: Mapping[str, str]) -> Bench:
        """The same cases without the catalogue; all of them, or the annotated ones."""
        found = volumes(self.workspace)
        config = self.config(STEPS, own)
        return Bench(found.all if everything else found.annotated, config, self.folder, torch.device("cpu"))


class Played(NamedTuple):
    """A model, and a row a round where there are rounds."""

    model: Model
    rounds: list[dict[str, Any]]


def loop(site: Site) -> Played:
    """flaredb's rounds, then the joint model's network."""
    count: dict[str, int] = {}
    rows = []
    for turn in TURNS:
        count[turn.task] = count.get(turn.task, 0) + 1
        rows.append(_play(site, turn, f"{turn.task}/{count[turn.task]}"))
    last = rows[-1]["model"]
    weights = checkpoint.published(site.workspace.model_folder(last))
    return Played(Predictor(site.config(1, {}), weights, 15, torch.device("cpu")).predict, rows)


def _play(site: Site, turn: Turn, name: str) -> dict[str, Any]:
    """A round to its end, unless it is closed already, and its figures on the test cases."""
    try:
        with site.workspace.catalog.read() as connection:
            rounds.find(connection, name)
    except NotFoundError:
        settings = site.config(turn.steps, {**CHOSEN["label-sets"], **SETTINGS.get(turn.task, {})})
        warm = f"latest:{turn.warm}" if turn.warm else None
        round_start(site.workspace, turn.task, RoundOptions(settings, warm, device="cpu"))
    run_to_end(site.workspace, name)
    shown, scores = round_show(site.workspace, name), evaluate(site.workspace, name, split="test")
    passed = [structure for structure, row in shown["gate"]["structures"].items() if row["decision"] == "promote"]
    return {"round": name, "state": shown["state"], "model": shown["model"], "promoted": passed,
            "organs": scores.organ_mean, "tumor": scores.tumor, "tumor_present": scores.tumor_present}  # fmt: skip


def _alone(method: Callable[[Bench], Model], everything: bool, own: Mapping[str, str]) -> Callable[[Site], Played]:
    def play(site: Site) -> Played:
        bench = site.bench(everything, own)
        bench = bench._replace(config=change(bench.config, {"checkpoint_every": str(bench.config.steps)}))
        return Played(method(bench), [])

    return play


METHODS: Mapping[str, Callable[[Site], Played]] = {
    "loop": loop,
    "control": _alone(methods.label_sets, False, CHOSEN["label-sets"]),
    "supervised": _alone(methods.complete, False, {}),
    "folders": _alone(methods.merge, True, {}),
}
