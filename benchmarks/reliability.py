"""Does the reliability of a generated label tell how good it is? Spearman's ρ of every measure with the real DSC.

Rounds of a small network on a made-up cohort whose truth is known everywhere: three of the organ task, two of the
tumour task, on one seed or several. Counted are the training cases and structures that nobody annotated, and all of the
test cases; what a label misses is counted too (reliability of an empty structure against a DSC of 0, or of 1 where the
truth is empty as well). ρ within a structure is the mean over structures that have at least eight cases; the pooled
one, over everything, mostly tells easy organs from hard ones.

    python benchmarks/reliability.py --seeds 0,1,2 --steps 400
    python benchmarks/reliability.py --training 8 --test 2 --steps 4    # seconds: does it work?

With --filter the effect of dropping the least reliable 4 % is measured as well: the last organ round again, for the
same steps, from labels promoted with and without it.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from rivals.beside import finish
from scipy.stats import spearmanr

from flaredb.labels.reliability import COMBINED, PARTS, Overlap
from flaredb.phantom import STRUCTURES, Cohort, make_case
from flaredb.progress import Reporter
from flaredb.trainers.config import change
from flaredb.trainers.presets import load_config
from flaredb.workflow.demo.cohort import EXTERNAL, FOLDERS, TABLE, write_cohort
from flaredb.workflow.evaluate.labels import evaluate
from flaredb.workflow.ingest.annotated import stated
from flaredb.workflow.ingest.images import ImageOptions, ingest_images
from flaredb.workflow.ingest.labels import LabelOptions, ingest_labels
from flaredb.workflow.label.reliability import label_reliability
from flaredb.workflow.predict.cases import predict
from flaredb.workflow.rounds.advance import RoundOptions, round_start, run_to_end
from flaredb.workflow.train.model import train
from flaredb.workspace import Workspace

TARGET = 0.6
ENOUGH = 8  # cases of a structure; of fewer ρ says nothing
SHARE = 0.04  # dropped by the filter


def fill(workspace: Workspace, files: Path) -> None:
    """Import scans, human labels and the external source."""
    table, human = stated(None, None, files / TABLE), LabelOptions("flare23", "ground-truth")
    for name in ("imagesTr2200", "unlabeledTr1800"):
        if (files / name).exists():
            ingest_images(workspace, files / name)
    ingest_labels(workspace, files / "labelsTr2200", table, human)
    for split, folders in FOLDERS.items():
        ingest_images(workspace, files / folders.images, options=ImageOptions(split))
        ingest_labels(workspace, files / folders.labels, table, human)
    external = LabelOptions("flare21", "external", mapping="flare21")
    ingest_labels(workspace, files / EXTERNAL, stated("all", None, None), external)


def play(workspace: Workspace, seed: int, turns: str, steps: int, preset: list[str]) -> list[str]:
    """The rounds of one cohort; what they are called."""
    names = []
    for task, count in (turn.split(":") for turn in turns.split(",")):
        for number in range(int(count)):
            settings = change(load_config("tiny"), dict(s.split("=") for s in preset))
            settings = change(settings, {"steps": str(steps), "seed": str(seed)})
            options = RoundOptions(settings, f"latest:{task}" if number else None)
            names.append(round_start(workspace, task, options).ids[0])
            run_to_end(workspace, names[-1])
            label_reliability(workspace, names[-1])
            print(f"seed {seed}: {names[-1]}", file=sys.stderr)
    return names


def collect(workspace: Workspace, cohort: Cohort, names: list[str]) -> list[dict[str, Any]]:
    """One row a round, case and structure: its measures and its real DSC."""
    figures: dict[tuple[str, str, str], dict[str, float]] = defaultdict(dict)
    for row in workspace.sql('SELECT "case", source, structure, metric, value FROM label_reliability'):
        figures[row["source"], row["case"], row["structure"]][row["metric"]] = row["value"]
    labels = workspace.sql("SELECT DISTINCT label, source, \"case\" FROM label_provenance WHERE kind = 'pseudo'")
    places = {name: index for index, name in enumerate(cohort.names)}
    rows = []
    for label in labels:
        if label["source"] not in names:
            continue
        case = make_case(cohort, places[label["case"]])
        known = set(case.annotated) if case.split != "test" else set()
        overlap = Overlap.of(workspace.label(label["label"]).array.astype(np.uint8), case.truth, len(STRUCTURES))
        for value, structure in enumerate(STRUCTURES):
            found = figures.get((label["source"], label["case"], structure))
            if found and structure not in known and case.split != "validation":
                drawn = int(overlap.first[value])
                rows.append(
                    {"seed": cohort.seed, "round": label["source"], "case": label["case"], "structure": structure,
                     "dsc": overlap.dice(value), "drawn": drawn, **found}
                )  # fmt: skip
    return rows


def correlations(rows: list[dict[str, Any]], measure: str) -> dict[str, Any]:
    """ρ of a measure with DSC: mean within (seed, round, structure), pooled; how many values."""
    told = [row for row in rows if measure in row]
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = defaultdict(list)
    for row in told:
        groups[row["seed"], row["round"], row["structure"]].append(row)
    within = defaultdict(list)
    for (_, _, structure), own in groups.items():
        rho = _rho(own, measure)
        if len(own) >= ENOUGH and rho is not None:
            within[structure].append(rho)
    means = {structure: float(np.mean(found)) for structure, found in within.items()}
    pooled = _rho(told, measure)
    return {
        "within": float(np.mean(list(means.values()))) if means else None,
        "pooled": pooled,
        "values": len(told),
        "structures": {name: round(rho, 3) for name, rho in sorted(means.items())},
    }


def _rho(rows: list[dict[str, Any]], measure: str) -> float | None:
    """Spearman's ρ; a measure that is the same everywhere tells nothing (0), a DSC that is cannot be told (None)."""
    truth, told = [row["dsc"] for row in rows], [row[measure] for row in rows]
    if len(set(truth)) < 2:
        return None
    return float(spearmanr(told, truth).statistic) if len(set(told)) > 1 else 0.0


def effect(workspace: Workspace, seed: int, steps: int, preset: list[str]) -> dict[str, float]:
    """Held-out organ DSC of a model trained from what round 2 promoted, with and without its worst labels."""
    from flaredb.workflow.rounds.decide import promote, rollback
    from flaredb.workflow.rounds.promotion_filter import Filter

    settings = change(load_config("tiny"), dict(s.split("=") for s in preset))
    settings = change(settings, {"steps": str(steps), "seed": str(seed)})
    organs = [name for name in STRUCTURES if name not in ("background", "tumor")]
    found = {}
    for name, asked in (("all", None), ("filtered", Filter(COMBINED, share=SHARE))):
        state = workspace.sql("SELECT state FROM round_summary WHERE round = 'organ/2'")[0]["state"]
        if state == "promoted":
            rollback(workspace, "organ/2", "measured with and without the filter", cascade=True)
        promote(workspace, "organ/2", "measured with and without the filter", organs, force=True, asked=asked)
        first = workspace.sql("SELECT model FROM round_summary WHERE round = 'organ/2'")[0]["model"]
        model = train(workspace, "organ", settings, None, first).model
        predict(workspace, model, "split = 'test'", f"effect/{name}")
        found[name] = evaluate(workspace, f"effect/{name}", split="test").organ_mean["dsc"]
    return found


def main() -> None:
    """Play, collect, correlate, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", default="0")
    parser.add_argument("--training", type=int, default=40)
    parser.add_argument("--test", type=int, default=12)
    parser.add_argument("--rounds", default="organ:3,tumor:2", help="of each task")
    parser.add_argument("--steps", type=int, default=400, help="of every round")
    parser.add_argument("--set", dest="preset", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--raw", type=Path, help="also write every value there, as JSON lines")
    parser.add_argument("--filter", action="store_true", help="also measure the filter's effect on the next round")
    asked = parser.parse_args()
    rows: list[dict[str, Any]] = []
    effects = []
    for seed in map(int, asked.seeds.split(",")):
        cohort = Cohort(seed=seed, training=asked.training, validation=8, test=asked.test)
        with tempfile.TemporaryDirectory() as folder:
            write_cohort(Path(folder) / "files", cohort, Reporter())
            with Workspace.create(Path(folder) / "workspace") as workspace:
                fill(workspace, Path(folder) / "files")
                names = play(workspace, seed, asked.rounds, asked.steps, asked.preset)
                rows += collect(workspace, cohort, names)
                if asked.raw:
                    asked.raw.write_text("".join(json.dumps(row) + "\n" for row in rows))
                if asked.filter:
                    effects.append({"seed": seed, **effect(workspace, seed, asked.steps, asked.preset)})
    compared = [row for row in rows if row["round"].endswith(("/2", "/3"))]  # a first round has nothing to agree with
    found = {measure: correlations(compared, measure) for measure in (*PARTS, COMBINED)}
    claims = [
        {"claim": f"Spearman's ρ of {measure} with DSC, within structures", "flaredb": told["within"],
         "rival": found["whole_agreement"]["within"], "rival_name": "FLARE22's winner: agreement of the whole map",
         "unit": "ρ", "ratio": None, "target": TARGET if measure == COMBINED else None,
         "met": told["within"] is not None and told["within"] >= TARGET if measure == COMBINED else None}
        for measure, told in found.items()
    ]  # fmt: skip
    finish("reliability", claims, measures=found, filter=effects, steps=asked.steps, seeds=asked.seeds)


if __name__ == "__main__":
    main()
