"""Score labels against references, as FLARE does it: DSC and NSD per structure, in the reference file's own axes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from flaredb.catalog import cases, current, labels, models, scores
from flaredb.catalog.database import Run
from flaredb.catalog.scores import NewScore
from flaredb.errors import InvalidDataError, NotFoundError
from flaredb.exchange.layouts import find_labels
from flaredb.exchange.read import read_label
from flaredb.labels.mappings import Mapping as Codes
from flaredb.labels.policy import HUMAN
from flaredb.metrics import PROTOCOLS, Protocol, Score, StructureRule, score_case, score_structure, summarise
from flaredb.workspace import Workspace

Pair = tuple[labels.Label, labels.Label, tuple[str, ...]]  # label, reference, structures


class Evaluation(NamedTuple):
    """Scores by case and structure, and their means."""

    protocol: str
    cases: list[dict[str, Any]]
    mean: Mapping[str, Any]
    organ_mean: Mapping[str, Any] | None
    tumor: Mapping[str, Any] | None
    tumor_present: Mapping[str, Any] | None


def evaluate(
    workspace: Workspace,
    source: str,
    against: str | None = None,
    protocol: str = "flare23",
    split: str = "validation",
) -> Evaluation:
    """Score a source's newest labels on a split; only structures the reference annotates exhaustively count.

    References are the current human labels, or the newest ones of the source `against`.
    """
    with workspace.catalog.read() as connection:
        wanted = {case.name for case in cases.every(connection, split) if not case.excluded}
        own = {label.case: label for label in labels.of_source(connection, source) if label.case in wanted}
        labels.source_number(connection, source)
        truth = _truth(workspace, connection, sorted(own), against)
    pairs = [(own[case], reference, names) for case, reference, names in truth]
    if not pairs:
        raise InvalidDataError(
            f"no {split} case has both a label of {source} and a reference; "
            "give another --split, or predict the split first: flaredb predict"
        )
    with workspace.run("evaluate", source=source, against=against, protocol=protocol, split=split) as run:
        scored = score_pairs(workspace, run, pairs, protocol)
    return summary(protocol, scored)


def score_pairs(workspace: Workspace, run: Run, pairs: Iterable[Pair], protocol: str) -> dict[str, dict[str, Score]]:
    """Case → structure → score; stored as rows, and read back where a pair was scored before."""
    if protocol not in PROTOCOLS:
        raise NotFoundError(f"no protocol {protocol!r}; there are: {' '.join(PROTOCOLS)}")
    found: dict[str, dict[str, Score]] = defaultdict(dict)
    listed = list(pairs)
    for label, reference, names in workspace.reporter.track(listed, "evaluating", len(listed)):
        with workspace.catalog.read() as connection:
            known = scores.of_pair(connection, label.id, reference.id, protocol)
        missing = [name for name in names if name not in known and _speaks(label, name)]
        fresh = score_pair(workspace, label, reference, missing, PROTOCOLS[protocol]) if missing else {}
        with run.write() as write:
            scores.add(write, protocol, list(_rows(label.id, reference.id, fresh)))
            for score in fresh.values():
                write.add_findings([f._replace(case=label.case) for f in score.findings])
        old = {n: Score(m["dsc"], m["nsd"], bool(m["present"])) for n, m in known.items() if n in names}
        found[label.case] |= old | fresh
    return dict(found)


def score_pair(
    workspace: Workspace, label: labels.Label, reference: labels.Label, names: Iterable[str], protocol: Protocol
) -> dict[str, Score]:
    """Scores of one label against one reference."""
    if label.volume is None or reference.volume is None or reference.space is None:
        raise InvalidDataError(f"{label.name} or {reference.name} has no voxels to compare")
    stored = workspace.volumes.open(reference.volume)
    truth = reference.space.from_lps(stored.read())
    own = reference.space.from_lps(workspace.volumes.open(label.volume).read())
    scored = {}
    for name in names:
        structure = workspace.structures[name]
        rule = StructureRule(structure.value, name, structure.nsd_tolerance_mm, structure.tubular)
        masks = _mask(truth, reference.codes, name), _mask(own, label.codes, name)
        scored[name] = score_structure(*masks, reference.space.pixdim, rule, protocol)
    return scored


def score_files(prediction: Path, reference: Path, protocol: str = "flare23") -> Evaluation:
    """Score plain files or folders of FLARE labels without a workspace; every reference must have a prediction."""
    rules = PROTOCOLS.get(protocol)
    if rules is None:
        raise NotFoundError(f"no protocol {protocol!r}; there are: {' '.join(PROTOCOLS)}")
    truths = {item.case: item.path for item in find_labels(reference).found}
    own = {item.case: item.path for item in find_labels(prediction).found}
    if reference.is_file() and prediction.is_file():
        own = dict.fromkeys(truths, prediction)
    missing = sorted(set(truths) - set(own))
    if missing or not truths:
        raise InvalidDataError(f"no prediction for {' '.join(missing[:5]) or 'anything'} in {prediction}")
    scored = {}
    for case, path in truths.items():
        truth, guess = read_label(path), read_label(own[case])
        arrays = truth.space.from_lps(truth.voxels), guess.space.from_lps(guess.voxels)
        scored[case] = score_case(*arrays, truth.space.pixdim, rules)
    return summary(protocol, scored)


def summary(protocol: str, scored: Mapping[str, Mapping[str, Score]]) -> Evaluation:
    """Scores and means as every verb prints them."""
    means = summarise(list(scored.values()))
    rows = [
        {"case": case, "structures": {name: {"dsc": s.dsc, "nsd": s.nsd} for name, s in by_name.items()}}
        for case, by_name in sorted(scored.items())
    ]
    return Evaluation(
        protocol,
        rows,
        means["mean"],
        means["organ_mean"],
        means["tumor"],
        means["tumor_present"],
    )


def _truth(
    workspace: Workspace, connection: Any, names: list[str], against: str | None
) -> list[tuple[str, labels.Label, tuple[str, ...]]]:
    """(case, reference, structures it annotates exhaustively and can tell apart)."""
    if against:
        newest = labels.of_source(connection, against)
        return [(label.case, label, _told_apart(label)) for label in newest if label.case in names]
    chosen: dict[tuple[str, int], list[str]] = defaultdict(list)
    for case, spoken in current.now(connection, names).items():
        for each in spoken:
            if each.winner and each.winner.kind in HUMAN:
                chosen[case, each.winner.number].append(each.structure)
    found = labels.by_ids(connection, [number for _, number in chosen])
    return [(case, found[number], tuple(structures)) for (case, number), structures in sorted(chosen.items())]


def _speaks(label: labels.Label, name: str) -> bool:
    """Whether a label has the structure as such; a superset cannot be scored as one of its members."""
    return name in label.annotated and len(label.codes.superset(name)) == 1


def _told_apart(label: labels.Label) -> tuple[str, ...]:
    return tuple(name for name, mode in label.annotated.items() if mode.exhaustive and _speaks(label, name))


def _mask(array: NDArray[Any], codes: Codes, name: str) -> NDArray[np.bool_]:
    own = codes.codes_of(name)
    return array == own[0] if len(own) == 1 else np.isin(array, own)


def _rows(label: int, reference: int, scored: dict[str, Score]) -> Iterable[NewScore]:
    for name, score in scored.items():
        for metric, value in (("dsc", score.dsc), ("nsd", score.nsd), ("present", float(score.present))):
            yield NewScore(label, reference, name, metric, value)


def source_of_model(workspace: Workspace, model: str) -> str:
    """The source of the labels a model made; NotFoundError if it made none."""
    with workspace.catalog.read() as connection:
        name = models.find(connection, model).name
    rows = workspace.sql("SELECT DISTINCT source FROM label_provenance WHERE model = :model", model=name)
    if not rows:
        raise NotFoundError(f"{name} has made no labels; flaredb predict --model {name}")
    return str(rows[-1]["source"])
