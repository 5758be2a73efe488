"""What people's changes and words come to: which structures become ground truth, which labels are refused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from flaredb.catalog.reviews import NOT_LOOKED_AT, Item
from flaredb.errors import Finding
from flaredb.labels.structures import StructureSet
from flaredb.workflow.review.drawn import Drawn
from flaredb.workflow.review.reviewed import Codes
from flaredb.workflow.review.verdicts import FINE, UNUSABLE, Said

CORRECTED = "corrected"
_COMPLETED, _FLAGGED = "completed", "flagged"


class Judgement(NamedTuple):
    """Structures that become ground truth, structures whose labels are unusable, verdicts by structure, remarks."""

    truth: tuple[str, ...]
    unusable: tuple[str, ...]
    verdicts: dict[str, str]
    findings: tuple[Finding, ...]


class _Look(NamedTuple):
    """A structure as shown and as it came back; `painted_over` counts voxels that it lost to other organs alone."""

    structure: str
    said: str | None
    by_name: bool
    shown: bool
    changed: bool
    painted_over: int
    drawn: bool
    named: bool
    touched: bool


def judge(
    case: str, items: Sequence[Item], shown: Codes, drawn: Drawn | None, said: Said, space: StructureSet
) -> Judgement:
    """Hold what came back against what was shown; `drawn` is None for a file that nobody touched.

    What was changed, or is said to be fine, becomes ground truth. What is not there becomes so only where a row, or
    the mark `completed` on an empty segment, names the structure: absence is stated, never guessed.
    """
    truth: list[str] = []
    unusable: list[str] = []
    verdicts: dict[str, str] = {}
    findings: list[Finding] = []
    asked = {item.structure: item for item in items}
    for look in _looks(list(asked), shown, drawn, said, space):
        verdict, remark = _verdict(look, asked[look.structure])
        if verdict:
            verdicts[look.structure] = verdict
        if verdict in (FINE, CORRECTED):
            truth.append(look.structure)
        if verdict == UNUSABLE:
            unusable.append(look.structure)
        if remark:
            findings.append(Finding("info" if remark[0] == "painted-over" else "warning", case, *remark))
    for name in space.names:
        if name not in asked and (extra := _extra(name, drawn, said, space)):
            if isinstance(extra, Finding):
                findings.append(extra._replace(case=case))
            else:
                truth.append(name)
    findings += [Finding("info", case, "review-comment", comment) for comment in said.comments]
    return Judgement(space.check(truth), tuple(unusable), verdicts, tuple(findings))


def _looks(names: list[str], shown: Codes, drawn: Drawn | None, said: Said, space: StructureSet) -> list[_Look]:
    moves = _moves(shown, drawn.codes if drawn else shown, len(space.names) + 2)
    lesions = [space[name].value for name in space.lesions]
    looks = []
    for name in names:
        value, mark = space[name].value, drawn.marks.get(name, "") if drawn else ""
        marked = {_COMPLETED: FINE, _FLAGGED: _FLAGGED}.get(mark)
        changed, lost = _change(moves, value, lesions)
        looks.append(
            _Look(
                name,
                said.of(name) or marked,
                name in said.named or (marked == FINE and said.overall is None),
                shown=bool(moves[value].any()),
                changed=changed,
                painted_over=0 if changed else lost,
                drawn=bool(moves[:, value].any()),
                named=drawn is None or name in drawn.named,
                touched=drawn is not None,
            )
        )
    return looks


def _moves(before: Codes, after: Codes, size: int) -> NDArray[np.int64]:
    """How many voxels went from which code (row) to which (column); plane by plane, to stay small."""
    found = np.zeros(size * size, np.int64)
    for first, second in zip(before, after, strict=True):
        found += np.bincount((first.astype(np.int32) * size + second).ravel(), minlength=size * size)
    return found.reshape(size, size)


def _change(moves: NDArray[np.int64], value: int, lesions: Sequence[int]) -> tuple[bool, int]:
    """Whether a structure was drawn on or erased from; and how many voxels others took from it.

    To paint one organ over another is a statement about the first alone, and a lesion lies in an organ: voxels that
    pass between the two are the lesion's.
    """
    gained, lost = moves[:, value].copy(), moves[value].copy()
    gained[value] = lost[value] = 0
    if value in lesions:
        return bool(gained.any() or lost.any()), 0
    gained[lesions] = lost[lesions] = 0
    return bool(gained.any() or lost[0]), int(lost.sum())


def _verdict(look: _Look, item: Item) -> tuple[str | None, tuple[str, str] | None]:
    """The verdict on a structure, or None for none; and a remark as rule and message."""
    name = look.structure
    if look.said == UNUSABLE:
        message = f"{name} was changed and called unusable: the change was not taken"
        return UNUSABLE, ("changed-unusable", message) if look.changed else None
    if look.said in (NOT_LOOKED_AT, _FLAGGED):
        word = "marked as flagged" if look.said == _FLAGGED else "called not looked at"
        remark = ("changed-not-looked-at", f"{name} was changed and {word}: the change was not taken")
        return (NOT_LOOKED_AT if look.said == NOT_LOOKED_AT else None), remark if look.changed else None
    if not look.drawn and not (look.said == FINE and look.by_name):
        return None, _absence(look)
    if look.changed:
        return CORRECTED, None
    if look.said == FINE:
        return FINE, None
    if look.painted_over:
        message = f"{name} lost {look.painted_over} voxels to what was painted over it, and was not drawn on itself: "
        return None, ("painted-over", message + "nothing was taken of it; say fine in verdicts.csv if it is right now")
    if look.touched and item.verdict == CORRECTED:
        message = f"{name} is again as it was shown; the correction taken before stays current (flaredb label reject)"
        return None, ("correction-undone", message)
    return None, None


def _absence(look: _Look) -> tuple[str, str] | None:
    """What to say of a structure of which nothing is drawn and nobody said that it is absent."""
    state = "is empty" if look.named else "is missing"
    how = f"if it is absent, say so in verdicts.csv: fine, with {look.structure} under structures"
    if look.shown:
        return "segment-missing", f"{look.structure} was shown and {state}; nothing was taken of it; {how}"
    if look.said == FINE:
        return "segment-missing", f"{look.structure} {state}; nothing was taken of it; {how}"
    return None


def _extra(name: str, drawn: Drawn | None, said: Said, space: StructureSet) -> Finding | bool:
    """Whether a structure that was not to be looked at becomes ground truth, or a remark on it."""
    there = bool(drawn and (drawn.codes == space[name].value).any())
    verdict = said.named.get(name)
    if verdict == FINE and there:
        return True
    if verdict:
        message = f"{name} is not in the review of this case, so it cannot be called {verdict}; draw it to add it"
        return Finding("warning", None, "not-in-review", message)
    if there:
        message = f"{name} was drawn and not asked for: not taken; to add it, say fine of it by name in verdicts.csv"
        return Finding("warning", None, "not-in-review", message)
    return False
