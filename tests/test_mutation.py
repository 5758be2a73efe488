"""A few damaged inputs of every kind; `python -m tests.mutation` tries hundreds."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mutation.trial import faults_of, run

COUNT, SEED = 54, 7


def test_damaged_inputs_are_refused_in_words(tmp_path: Path) -> None:
    """None crashes, hangs, takes much memory or leaves anything behind; whole inputs come in; what is there stays."""
    trial = run(tmp_path / "trial", COUNT, SEED)
    assert not trial.problems, str(trial)
    assert sum(trial.codes.values()) == COUNT
    assert trial.peak_mib < 1024
    assert sum(n for code, n in trial.codes.items() if code) > COUNT // 2


@pytest.mark.parametrize(
    ("note", "said"),
    [
        (None, "died"),
        ({"code": 70, "out": '{"error": "x"}', "err": "a fault", "staged": 0}, "exit code 70"),
        ({"code": 5, "out": '{"error": "x"}', "err": "Traceback (most recent", "staged": 0}, "traceback"),
        ({"code": 5, "out": '{"error": "x"}', "err": "no", "staged": 1}, "staging"),
        ({"code": 5, "out": '{"error": "x"}', "err": "", "staged": 0}, "without a word"),
        ({"code": 0, "out": "", "err": "", "staged": 0}, "no document"),
        ({"code": 0, "out": '{"failed": 1, "findings": []}', "err": "", "staged": 0}, "exit code 0 with 1 failed"),
        ({"code": 1, "out": '{"failed": 1, "findings": []}', "err": "x", "staged": 0}, "no finding says why"),
    ],
)
def test_the_trial_sees_each_fault(note: dict | None, said: str) -> None:
    """A planted fault of every kind is told."""
    assert said in " ".join(faults_of(note))
