"""The gate: a round's predictions against what is accepted now, structure by structure, on frozen references.

The figure is the mean of DSC and NSD, paired by case. A structure is promoted when the mean difference is at least
`gain` and the lower bound of the 90 % bootstrap interval (resampling patients) at least `slack`; where nothing
accepted can be compared, when the round reaches the floor. Nothing below its floor (mean DSC over the references that
have the structure) is promoted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from flaredb.metrics import Score, mean_interval

GAIN = 0.005
SLACK = -0.01
FLOOR = 0.3


class Contest(NamedTuple):
    """One structure: scores of champion and challenger by case, and whether somebody unmeasured is accepted."""

    structure: str
    champion_name: str | None
    champion: Mapping[str, Score]
    challenger: Mapping[str, Score]
    unmeasured: str | None = None


def judge(contests: list[Contest], patients: Mapping[str, str]) -> dict[str, Any]:
    """The gate's report without its context: figures, interval, decision and reason of every structure."""
    rows = {contest.structure: _judge(contest, patients) for contest in contests}
    return {
        "passed": any(row["decision"] == "promote" for row in rows.values()),
        "structures": rows,
        "reasons": [f"{name}: {row['decision']}, {row['reason']}" for name, row in rows.items()],
    }


def _judge(contest: Contest, patients: Mapping[str, str]) -> dict[str, Any]:
    cases = sorted(contest.champion.keys() & contest.challenger.keys())
    differences = np.array([_figure(contest.challenger[c]) - _figure(contest.champion[c]) for c in cases])
    interval = _interval(differences, [patients[case] for case in cases]) if cases else None
    floor = _mean([s.dsc for s in contest.challenger.values() if s.present])
    decision, reason = _decide(contest, floor, differences, interval)
    return {
        "champion_source": contest.champion_name,
        "champion": _mean([_figure(s) for s in contest.champion.values()]),
        "challenger": _mean([_figure(s) for s in contest.challenger.values()]),
        "challenger_dsc_present": floor,
        "cases": len(contest.challenger),
        "paired": len(cases),
        "difference": float(differences.mean()) if cases else None,
        "interval": interval,
        "decision": decision,
        "reason": reason,
    }


def _decide(
    contest: Contest, floor: float | None, differences: np.ndarray[Any, Any], interval: list[float] | None
) -> tuple[str, str]:
    if not contest.challenger:
        return "keep", "no reference annotates it"
    if floor is None or floor < FLOOR:
        shown = "no reference has it" if floor is None else f"DSC {floor:.3f} where present is below the floor {FLOOR}"
        return ("keep" if contest.champion_name else "reject"), shown
    if contest.unmeasured and not len(differences):
        return (
            "keep",
            f"{contest.unmeasured} is accepted and has no label on the references; promote by hand to replace it",
        )
    if interval is None:
        return "promote", f"nothing accepted to compare with; DSC {floor:.3f} where present reaches the floor"
    gain, low = float(differences.mean()), interval[0]
    shown = f"{gain:+.3f} [{interval[0]:+.3f}, {interval[1]:+.3f}] against {contest.champion_name}"
    return ("promote" if gain >= GAIN and low >= SLACK else "keep"), shown


def _figure(score: Score) -> float:
    return (score.dsc + score.nsd) / 2


def _mean(values: list[float]) -> float | None:
    return float(np.mean(values)) if values else None


def _interval(differences: np.ndarray[Any, Any], patients: list[str]) -> list[float]:
    """90 % bootstrap interval of the mean difference over patients; of a single one the difference itself."""
    mean = float(differences.mean())
    return list(mean_interval(differences.tolist(), patients, level=0.9) or (mean, mean))
