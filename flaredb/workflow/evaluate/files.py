"""Score plain label files, without a workspace, as FLARE does; what cannot be scored is said and counted."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import NamedTuple

from flaredb.errors import Finding, InvalidDataError
from flaredb.exchange.layouts import find_labels
from flaredb.exchange.read import read_label
from flaredb.metrics import Protocol, Score, score_case
from flaredb.progress import Reporter
from flaredb.workflow.evaluate.labels import Evaluation, find_protocol, summary
from flaredb.workflow.executors import in_order

Outcome = tuple[dict[str, Score] | None, list[Finding]]
"""Scores by structure, None where there are none, and what is remarked."""


class FilePair(NamedTuple):
    """A reference and the prediction of the same case."""

    case: str
    reference: Path
    prediction: Path


class ScoreOptions(NamedTuple):
    """How to score: the protocol, what else is measured (`metrics.MEASURES`), and how much is done at once."""

    protocol: str = "flare23"
    measures: tuple[str, ...] = ()
    workers: int = 1


def score_files(
    prediction: Path,
    reference: Path,
    options: ScoreOptions = ScoreOptions(),  # noqa: B008  frozen
    reporter: Reporter = Reporter(),  # noqa: B008  has no state
) -> Evaluation:
    """Score a file against a file, or a folder against a folder, where files of one case bear the same name.

    nnU-Net's `_0000` at the end of a name is passed over. A missing prediction, another shape and an unreadable file
    are error findings and counted in `failed`; the means are over the other cases. Predictions of no reference are
    passed over with a finding. Raises InvalidDataError if nothing at all can be scored.
    """
    protocol = find_protocol(options.protocol, options.measures)
    pairs, findings = _pairs(prediction, reference)
    threads = max(1, options.workers // max(1, len(pairs)))
    work: Callable[[FilePair], Outcome] = partial(_score, protocol=protocol, threads=threads)
    done = in_order(work, pairs, options.workers)
    scored: dict[str, dict[str, Score]] = {}
    for pair, future in reporter.track(done, "scoring", len(pairs)):
        case, said = _result(pair, future)
        findings += said
        if case is not None:
            scored[pair.case] = case
    failed = len({finding.case for finding in findings if finding.severity == "error"})
    if not scored:
        first = next((f.message for f in findings if f.severity == "error"), "there are no references")
        raise InvalidDataError(f"nothing could be scored: {first}", findings)
    return summary(protocol.name, scored)._replace(failed=failed, findings=tuple(findings))


def _pairs(prediction: Path, reference: Path) -> tuple[list[FilePair], list[Finding]]:
    """Cases that both have, by name; of two files the names do not matter."""
    truths, guesses = find_labels(reference), find_labels(prediction)
    own = {item.case: item.path for item in truths.found}
    other = {item.case: item.path for item in guesses.found}
    if reference.is_file() and prediction.is_file():
        other = dict.fromkeys(own, prediction)
    findings = [f for f in (*truths.findings, *guesses.findings) if f.severity != "info" and f.rule != "nothing-found"]
    for case in sorted(own.keys() - other.keys()):
        message = f"no prediction; {prediction.name} has none of that name"
        findings.append(Finding("error", case, "missing-prediction", message, own[case].name))
    findings += [
        Finding("warning", case, "no-reference", "no reference; not scored", other[case].name)
        for case in sorted(other.keys() - own.keys())
    ]
    return [FilePair(case, own[case], other[case]) for case in sorted(own.keys() & other.keys())], findings


def _score(pair: FilePair, protocol: Protocol, threads: int) -> Outcome:
    """Scores of one case, voxel by voxel as the two files are stored."""
    truth, guess = read_label(pair.reference), read_label(pair.prediction)
    arrays = truth.space.from_lps(truth.voxels), guess.space.from_lps(guess.voxels)
    scores = score_case(*arrays, truth.space.pixdim, protocol, threads=threads)
    findings = [finding for score in scores.values() for finding in score.findings]
    ways = truth.space.orientation, guess.space.orientation
    if ways[0] != ways[1]:
        message = (
            f"stored as {ways[1]}, the reference as {ways[0]}; FLARE compares voxels as stored, and so it was done"
        )
        findings.append(Finding("warning", None, "other-orientation", message))
    return scores, findings


def _result(pair: FilePair, future: Future[Outcome]) -> Outcome:
    """The scores and what is remarked on them, or why there are none."""
    try:
        scores, findings = future.result()
    except InvalidDataError as error:
        scores, findings = None, list(error.findings) or [Finding("error", None, "not-scored", str(error))]
    return scores, [f._replace(case=pair.case, path=f.path or pair.prediction.name) for f in findings]
