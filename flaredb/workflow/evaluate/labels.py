"""Score labels against references, as FLARE does it: DSC and NSD per structure, in the reference file's own axes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from flaredb.catalog import cases, current, labels, models, scores
from flaredb.catalog.database import Connection, Run
from flaredb.catalog.scores import NewScore
from flaredb.errors import ConflictError, Finding, InvalidDataError, NotFoundError
from flaredb.labels.mappings import Mapping as Codes
from flaredb.labels.policy import HUMAN
from flaredb.metrics import MEASURES, PROTOCOLS, Protocol, Score, StructureRule, score_case, summarise
from flaredb.workflow.evaluate.leaks import learnt_from, shortened, tell
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
    failed: int = 0
    findings: tuple[Finding, ...] = ()


def evaluate(
    workspace: Workspace,
    source: str,
    against: str | None = None,
    protocol: str = "flare23",
    split: str = "validation",
    measures: Sequence[str] = (),
) -> Evaluation:
    """Score a source's newest labels on a split; only structures the reference annotates exhaustively count.

    References are the current human labels, or the newest ones of the source `against`. `measures`: what else is
    measured, of `metrics.MEASURES`. Intervals resample patients. Of a split that judges, cases that the models behind
    the labels learnt from are left out, with a finding; ConflictError if that is all of them. References that the
    source has not labelled are an error finding with their names, and counted in `failed`.
    """
    with workspace.catalog.read() as connection:
        wanted = {case.name: case.patient for case in cases.every(connection, split) if not case.excluded}
        labels.source_number(connection, source)
        made = labels.of_source(connection, source)
        own = {label.case: label for label in made if label.case in wanted}
        every = find_references(workspace, connection, sorted(wanted), against)
        truth = [reference for reference in every if reference[0] in own]
        learnt = learnt_from(connection, [own[case] for case, *_ in truth])
    pairs = [(own[case], reference, names) for case, reference, names in truth]
    if not pairs:
        raise InvalidDataError(
            f"no {split} case has both a label of {source} and a reference; "
            "give another --split, or predict the split first: flaredb predict"
        )
    judged = pairs if split == "train" else [pair for pair in pairs if pair[0].case not in learnt.cases]
    if not judged:
        raise ConflictError(f"the models behind {source} learnt from all these cases, which cannot judge them")
    spoken = {name for label in made for name in label.annotated}
    missing = sorted({case for case, _, names in every if case not in own and spoken.intersection(names)})
    told = tell(learnt, source, left_out=len(judged) < len(pairs)) + _without(missing, source)
    with workspace.run("evaluate", source=source, against=against, protocol=protocol, split=split) as run:
        with run.write() as write:
            write.add_findings(told)
        scored = score_pairs(workspace, run, judged, protocol, measures)
    return summary(protocol, scored, wanted)._replace(failed=len(missing), findings=told)


def _without(missing: Sequence[str], source: str) -> tuple[Finding, ...]:
    """A finding that names the references which a source has not labelled."""
    if not missing:
        return ()
    message = (
        f"{len(missing)} references have no label of {source} and are not in the means: {shortened(missing)}; "
        f"to label them: flaredb predict --model ID --as {source}, or flaredb ingest labels"
    )
    return (Finding("error", None, "missing-prediction", message),)


def score_pairs(
    workspace: Workspace, run: Run, pairs: Iterable[Pair], protocol: str, measures: Sequence[str] = ()
) -> dict[str, dict[str, Score]]:
    """Case → structure → score; stored as rows, and read back where a pair was scored before."""
    rules = find_protocol(protocol, measures)
    found: dict[str, dict[str, Score]] = defaultdict(dict)
    listed = list(pairs)
    for label, reference, names in workspace.reporter.track(listed, "evaluating", len(listed)):
        with workspace.catalog.read() as connection:
            known = scores.of_pair(connection, label.id, reference.id, protocol)
        missing = [name for name in names if (measures or name not in known) and _speaks(label, name)]
        fresh = score_pair(workspace, label, reference, missing, rules) if missing else {}
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
    """Scores of one label against one reference, in the axes of the reference's file."""
    if label.volume is None or reference.volume is None or reference.space is None:
        raise InvalidDataError(f"{label.name} or {reference.name} has no voxels to compare")
    structures = [workspace.structures[name] for name in names]
    rules = [StructureRule(s.value, s.name, s.nsd_tolerance_mm, s.tubular, s.kind == "lesion") for s in structures]
    arrays = [
        reference.space.from_lps(_valued(workspace.volumes.open(volume).read(), own.codes, rules))
        for own, volume in ((reference, reference.volume), (label, label.volume))
    ]
    return score_case(arrays[0], arrays[1], reference.space.pixdim, protocol, rules)


def find_protocol(name: str, measures: Sequence[str] = ()) -> Protocol:
    """A protocol that also measures something; NotFoundError if there is no such protocol or measure."""
    if name not in PROTOCOLS:
        raise NotFoundError(f"no protocol {name!r}; there are: {' '.join(PROTOCOLS)}")
    unknown = sorted(set(measures) - set(MEASURES))
    if unknown:
        raise NotFoundError(f"no metric {unknown[0]!r}; on request there are: {' '.join(MEASURES)}")
    return replace(PROTOCOLS[name], measures=tuple(measures))


def summary(
    protocol: str, scored: Mapping[str, Mapping[str, Score]], patients: Mapping[str, str] | None = None
) -> Evaluation:
    """Scores and means as every verb prints them; `patients` are those of the cases, else each is another's."""
    owners = None if patients is None else [patients[case] for case in scored]
    means = summarise(list(scored.values()), patients=owners)
    rows = [
        {"case": case, "structures": {name: {"dsc": s.dsc, "nsd": s.nsd, **s.more} for name, s in by_name.items()}}
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


def find_references(
    workspace: Workspace, connection: Connection, names: list[str], against: str | None
) -> list[tuple[str, labels.Label, tuple[str, ...]]]:
    """References of cases: the current human labels, or the newest ones of the source `against`.

    (case, reference, structures it annotates exhaustively and can tell apart)."""
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


def _valued(codes: NDArray[Any], meaning: Codes, rules: Sequence[StructureRule]) -> NDArray[Any]:
    """A label's codes (z, y, x) as the values of the structures they mean; what is none of the rules' stays unclear."""
    if all(meaning.codes_of(rule.name) == [rule.value] for rule in rules):
        return codes
    table = np.zeros(max(meaning.table, default=0) + 2, np.uint8)  # the last entry is for every code beyond
    for rule in rules:
        table[meaning.codes_of(rule.name)] = rule.value
    values = np.empty(codes.shape, np.uint8)
    for place, plane in enumerate(codes):  # one at a time, because an index takes eight bytes a voxel
        values[place] = np.take(table, plane, mode="clip")
    return values


def _rows(label: int, reference: int, scored: dict[str, Score]) -> Iterable[NewScore]:
    for name, score in scored.items():
        figures = {"dsc": score.dsc, "nsd": score.nsd, "present": float(score.present), **score.more}
        for metric, value in figures.items():
            if value is not None:
                yield NewScore(label, reference, name, metric, value)


def source_of_model(workspace: Workspace, model: str) -> str:
    """The source of the labels a model made; NotFoundError if it made none."""
    with workspace.catalog.read() as connection:
        name = models.find(connection, model).name
    rows = workspace.sql("SELECT DISTINCT source FROM label_provenance WHERE model = :model", model=name)
    if not rows:
        raise NotFoundError(f"{name} has made no labels; flaredb predict --model {name}")
    return str(rows[-1]["source"])
