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

_MOVED = 5  # cases named per structure
_WEAK, _FAIR = (5, 0.1), (15, 0.05)  # fewer patients, or a wider interval, are weak or only fair evidence


class GateRules(NamedTuple):
    """What a structure must reach: `gain` of the mean figure, `slack` of its interval's lower bound, `floor` of DSC."""

    gain: float = 0.005
    slack: float = -0.01
    floor: float = 0.3


class Contest(NamedTuple):
    """One structure: scores of champion and challenger by case, and who is accepted before all champions, unmeasured.

    `champions`: source → on how many references its label is the champion. `used_before`: how many gates have decided
    on this structure of any of these references already.
    """

    structure: str
    champion_name: str | None
    champion: Mapping[str, Score]
    challenger: Mapping[str, Score]
    unmeasured: str | None = None
    champions: Mapping[str, int] = {}
    used_before: int = 0


def judge(contests: list[Contest], patients: Mapping[str, str], rules: GateRules = GateRules()) -> dict[str, Any]:  # noqa: B008  frozen
    """The gate's report without its context: figures, interval, evidence, moved cases, decision of every structure."""
    rows = {contest.structure: _judge(contest, patients, rules) for contest in contests}
    return {
        "passed": any(row["decision"] == "promote" for row in rows.values()),
        "structures": rows,
        "reasons": [_told(name, row) for name, row in rows.items()],
    }


def evidence(patients: int, interval: list[float] | None) -> str:
    """How much a decision rests on, in words: by the number of patients and the width of the interval."""
    if patients == 0:
        return "none"
    width = interval[1] - interval[0] if interval else 0.0
    grades = {"weak": _WEAK, "fair": _FAIR}
    grade = next((name for name, (few, wide) in grades.items() if patients < few or width > wide), "good")
    shown = f"{patients} patient{'s' if patients > 1 else ''}"
    return f"{grade}: {shown}, interval {width:.3f} wide" if interval else f"{grade}: {shown}"


def _judge(contest: Contest, patients: Mapping[str, str], rules: GateRules) -> dict[str, Any]:
    """A row of the report. Means are over the paired cases; the challenger's over all its own if none is paired."""
    paired = sorted(contest.champion.keys() & contest.challenger.keys())
    ours = {case: _figure(contest.challenger[case]) for case in paired or sorted(contest.challenger)}
    theirs = {case: _figure(contest.champion[case]) for case in paired}
    differences = np.array([ours[case] - theirs[case] for case in paired])
    interval = _interval(differences, [patients[case] for case in paired]) if paired else None
    floor = _mean([s.dsc for s in contest.challenger.values() if s.present])
    decision, reason = _decide(contest, floor, differences, interval, rules)
    return {
        "champion_source": contest.champion_name,
        "champion_sources": dict(contest.champions),
        "champion": _mean(list(theirs.values())),
        "challenger": _mean(list(ours.values())),
        "challenger_dsc_present": floor,
        "cases": len(contest.challenger),
        "paired": len(paired),
        "champion_only": len(contest.champion) - len(paired),
        "challenger_only": len(contest.challenger) - len(paired),
        "difference": float(differences.mean()) if paired else None,
        "interval": interval,
        "evidence": evidence(len({patients[case] for case in ours}), interval),
        "used_before": contest.used_before,
        "moved": _moved(ours, theirs),
        "decision": decision,
        "reason": reason,
    }


def _decide(
    contest: Contest,
    floor: float | None,
    differences: np.ndarray[Any, Any],
    interval: list[float] | None,
    rules: GateRules,
) -> tuple[str, str]:
    if not contest.challenger:
        return "keep", "no reference can judge it"
    if floor is None or floor < rules.floor:
        low = "no reference has it" if floor is None else f"DSC {floor:.3f} where present is below the floor"
        shown = low if floor is None else f"{low} {rules.floor:g}"
        return ("keep" if contest.champion_name or contest.unmeasured else "reject"), shown
    if contest.unmeasured:
        told = "is accepted and has no label on the references that could be compared; promote by hand to replace it"
        return "keep", f"{contest.unmeasured} {told}"
    if interval is None:
        return "promote", f"nothing accepted to compare with; DSC {floor:.3f} where present reaches the floor"
    gain, low_end = float(differences.mean()), interval[0]
    shown = f"{gain:+.3f} [{interval[0]:+.3f}, {interval[1]:+.3f}] against {contest.champion_name}"
    return ("promote" if gain >= rules.gain and low_end >= rules.slack else "keep"), shown


def _moved(ours: Mapping[str, float], theirs: Mapping[str, float]) -> list[dict[str, Any]]:
    """The cases that moved most, whichever way, with both figures; without a champion the challenger's lowest."""
    rows: list[dict[str, Any]] = [
        {
            "case": case,
            "champion": theirs.get(case),
            "challenger": figure,
            "change": figure - theirs[case] if case in theirs else None,
        }
        for case, figure in sorted(ours.items())
    ]
    if not theirs:
        return sorted(rows, key=lambda row: row["challenger"])[:_MOVED]
    moved = [row for row in rows if row["change"]]
    return sorted(moved, key=lambda row: -abs(row["change"]))[:_MOVED]


def _told(name: str, row: Mapping[str, Any]) -> str:
    """The decision on a structure as a sentence; one that is not promoted names the case that shows why."""
    shown = f"{name}: {row['decision']}, {row['reason']}"
    worst = min(row["moved"], key=lambda own: own["challenger"] - (own["champion"] or 0), default=None)
    if row["decision"] == "promote" or worst is None:
        return shown
    before = "" if worst["champion"] is None else f"{worst['champion']:.3f} to "
    return f"{shown}; worst {worst['case']}: {before}{worst['challenger']:.3f}"


def _figure(score: Score) -> float:
    return (score.dsc + score.nsd) / 2


def _mean(values: list[float]) -> float | None:
    return float(np.mean(values)) if values else None


def _interval(differences: np.ndarray[Any, Any], patients: list[str]) -> list[float]:
    """90 % bootstrap interval of the mean difference over patients; of a single one the difference itself."""
    mean = float(differences.mean())
    return list(mean_interval(differences.tolist(), patients, level=0.9) or (mean, mean))
