"""The whole loop on a made-up cohort: scans and labels in, rounds, a control, held-out scores, a report.

What is done, for how many steps and from which seed is fixed in `plan.py`. An interrupted demo goes on where it was.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from flaredb.catalog import labels, models, rounds
from flaredb.errors import ConflictError, NotFoundError
from flaredb.labels.tasks import find_task
from flaredb.phantom import Cohort
from flaredb.progress import Reporter
from flaredb.trainers.config import change
from flaredb.trainers.presets import load_config
from flaredb.workflow.demo import plan
from flaredb.workflow.demo.cohort import EXTERNAL, FOLDERS, TABLE, write_cohort
from flaredb.workflow.evaluate.labels import Evaluation, evaluate
from flaredb.workflow.ingest.annotated import stated
from flaredb.workflow.ingest.images import ImageOptions, ingest_images
from flaredb.workflow.ingest.labels import LabelOptions, ingest_labels
from flaredb.workflow.predict.cases import predict
from flaredb.workflow.report import report
from flaredb.workflow.rounds.advance import RoundOptions, round_start, run_to_end
from flaredb.workflow.rounds.show import round_show
from flaredb.workflow.train.model import train
from flaredb.workspace import CONFIG, Workspace

CONTROL = "control/organ"
HELD_OUT = "test"


class Demo(NamedTuple):
    """What the demo came to: a row a round, the control, what the gain is made of, and where to look."""

    rounds: list[dict[str, Any]]
    control: dict[str, Any]
    gain: dict[str, float]
    conclusion: str
    workspace: str
    report: str


def demo(folder: Path, seed: int = 0, reporter: Reporter | None = None, actor: str | None = None) -> Demo:
    """Run the demo in a new folder, or go on with one that was interrupted."""
    reporter = reporter or Reporter()
    cohort, home = folder / "cohort", folder / "workspace"
    if folder.exists() and any(folder.iterdir()) and not cohort.exists():
        raise ConflictError(f"{folder} is not empty and holds no demo; give another folder")
    write_cohort(cohort, Cohort(seed=seed), reporter)
    workspace = Workspace.open(home) if (home / CONFIG).exists() else Workspace.create(home)
    with workspace:
        workspace.reporter, workspace.actor = reporter, actor
        _ingest(workspace, cohort)
        played = [_play(workspace, turn, number, seed) for turn, number in _numbered()]
        rows = [_row(workspace, name, evaluate(workspace, name, split=HELD_OUT)) for name in played]
        control = _control(workspace, seed)
        gain, conclusion = _gain(rows, control)
        page = report(workspace, folder / "report.html", "flaredb demo", rows, control, conclusion)
    return Demo(rows, control, gain, conclusion, home.as_posix(), page.as_posix())


def _ingest(workspace: Workspace, cohort: Path) -> None:
    """Scans of every split, human labels as stated in the tables, and the external source with FLARE21's codes."""
    for name in ("imagesTr2200", "unlabeledTr1800"):
        ingest_images(workspace, cohort / name, options=ImageOptions("train", source_dataset="FLARE23 phantom"))
    table = stated(None, None, cohort / TABLE)
    human = LabelOptions("flare23", "ground-truth")
    for split, folders in FOLDERS.items():
        ingest_images(workspace, cohort / folders.images, options=ImageOptions(split))
        ingest_labels(workspace, cohort / folders.labels, table, human)
    ingest_labels(workspace, cohort / "labelsTr2200", table, human)
    external = LabelOptions("flare21", "external", mapping="flare21")
    ingest_labels(workspace, cohort / EXTERNAL, stated("all", None, None), external)


def _numbered() -> list[tuple[plan.Turn, int]]:
    """The plan's turns, each with its number within its task."""
    count: dict[str, int] = {}
    numbered = []
    for turn in plan.TURNS:
        count[turn.task] = count.get(turn.task, 0) + 1
        numbered.append((turn, count[turn.task]))
    return numbered


def _play(workspace: Workspace, turn: plan.Turn, number: int, seed: int) -> str:
    """Run a round to its end, unless it is closed already."""
    name = f"{turn.task}/{number}"
    try:
        with workspace.catalog.read() as connection:
            rounds.find(connection, name)
    except NotFoundError:
        settings = change(load_config("tiny"), {"steps": str(turn.steps), "seed": str(seed)})
        warm = f"latest:{turn.warm}" if turn.warm else None
        round_start(workspace, turn.task, RoundOptions(settings, warm))
    run_to_end(workspace, name)
    return name


def _row(workspace: Workspace, name: str, scores: Evaluation) -> dict[str, Any]:
    shown = round_show(workspace, name)
    gate = shown["gate"]["structures"]
    passed = [structure for structure, row in gate.items() if row["decision"] == "promote"]
    with workspace.catalog.read() as connection:
        made = labels.of_source(connection, name)
    return {
        "round": name,
        "task": shown["task"],
        "state": shown["state"],
        **_figures(workspace, shown["task"], scores),
        "accepted": sum(structure in label.annotated for label in made for structure in passed),
        "decision": f"{len(passed)} of {len(gate)} structures promoted: {' '.join(passed) or 'none'}",
        "structures": scores.mean,
    }


def _figures(workspace: Workspace, task: str, scores: Evaluation) -> dict[str, Any]:
    """Means that the task has; a task without organs has no organ mean."""
    learned = find_task(workspace.structures, task).structures
    organs = any(workspace.structures[name].kind == "organ" for name in learned)
    return {
        "organ_mean": scores.organ_mean if organs else None,
        "tumor": scores.tumor,
        "tumor_present": scores.tumor_present,
    }


def _control(workspace: Workspace, seed: int) -> dict[str, Any]:
    """Go on from the first organ model without pseudo labels, as long as the second round did."""
    with workspace.catalog.read() as connection:
        first = rounds.find(connection, "organ/1")
        known = {source["name"] for source in labels.sources(connection)}
        trained = [m for m in models.every(connection) if m.snapshot == first.snapshot and m.parent == first.model]
    finished = next((model.name for model in trained if model.state == "trained"), None)
    if CONTROL not in known or finished is None:
        settings = change(load_config("tiny"), {"steps": str(plan.CONTROL.steps), "seed": str(seed)})
        finished = finished or train(workspace, "organ", settings, first.snapshot, first.model).model
    predict(workspace, finished, f"split = '{HELD_OUT}'", CONTROL)
    scores = evaluate(workspace, CONTROL, split=HELD_OUT)
    return {"round": "control", "task": "organ", **_figures(workspace, "organ", scores), "structures": scores.mean}


def _gain(rows: list[dict[str, Any]], control: dict[str, Any]) -> tuple[dict[str, float], str]:
    """How much the last organ round gained over the first, and how much of it more training alone gains."""
    turns = [row["organ_mean"]["dsc"] for row in rows if row["task"] == "organ"]
    total = turns[-1] - turns[0]
    training = control["organ_mean"]["dsc"] - turns[0]
    gain = {"total": round(total, 4), "training": round(training, 4), "pseudo_labels": round(total - training, 4)}
    conclusion = (
        f"On the held-out cases the last organ round scores {total:+.3f} DSC against the first. As many steps without "
        f"pseudo labels give {training:+.3f}; so {gain['training']:+.3f} is training and {gain['pseudo_labels']:+.3f} "
        "is pseudo labels."
    )
    return gain, conclusion
