"""What a promotion asks of each label's reliability: a least value, or that a share of the labels, the worst, is left.

A share becomes a threshold when it is asked for, one a structure, and the threshold is what is kept: importing a case
never changes another case's labels.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from flaredb.catalog import reliabilities
from flaredb.catalog.database import Connection
from flaredb.errors import InvalidDataError
from flaredb.labels.policy import Demand
from flaredb.labels.reliability import COMBINED, WHOLE, threshold_of_share

_ALLOWED = "a least reliability such as 0.6, a share to drop such as 4%, or a preset: "


class Filter(NamedTuple):
    """A measure of reliability, and the least value that counts or the share, in [0, 1], to be dropped."""

    measure: str
    least: float | None = None
    share: float | None = None

    @property
    def told(self) -> str:
        """In words."""
        what = f"at least {self.least:g}" if self.share is None else f"the worst {self.share:.4g} dropped"
        return f"{self.measure}, {what}"


# The winner of FLARE22 left out 77 of 2,000 cases, those whose whole map changed most between rounds; the published
# code (github.com/Ziyan-Huang/FLARE22, select.ipynb) sorts by u and states no threshold: the share is what can be kept.
PRESETS = {"flare22": Filter(WHOLE, share=77 / 2000)}


def read_filter(text: str | None) -> Filter | None:
    """From `0.6`, `4%` or a preset's name; None from nothing. InvalidDataError for anything else."""
    if not text:
        return None
    if text in PRESETS:
        return PRESETS[text]
    try:
        value = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        value = -1
    if not 0 <= value <= 1 or (text.endswith("%") and value == 1):
        raise InvalidDataError(f"reliability {text!r}: {_ALLOWED}{' '.join(PRESETS)}")
    return Filter(COMBINED, share=value) if text.endswith("%") else Filter(COMBINED, least=value)


def one_filter(min_reliability: str | None, drop_worst: str | None, preset: str | None) -> Filter | None:
    """What the options of a promotion ask; InvalidDataError for two of them, or for what one cannot be."""
    given = [text for text in (min_reliability, drop_worst, preset) if text is not None]
    if len(given) > 1:
        raise InvalidDataError("ask for a least reliability, for a share to drop, or for a preset: not for two of them")
    if drop_worst is not None and not drop_worst.endswith("%"):
        raise InvalidDataError(f"--drop-worst {drop_worst!r}: a share such as 4%")
    if min_reliability is not None and (min_reliability.endswith("%") or min_reliability in PRESETS):
        raise InvalidDataError(f"--min-reliability {min_reliability!r}: a number from 0 to 1, such as 0.6")
    if preset is not None and preset not in PRESETS:
        raise InvalidDataError(f"no filter {preset!r}; there are: {' '.join(PRESETS)}")
    return read_filter(given[0]) if given else None


def demands(connection: Connection, source: str, structures: Sequence[str], asked: Filter) -> dict[str, Demand]:
    """Structure → what is asked of the source's labels; InvalidDataError if none of them has such a figure.

    What a label leaves empty has no say in a share: it is positive-only, and teaches nothing anyway.
    """
    values: dict[str, list[float]] = defaultdict(list)
    by_label: dict[int, float] = {}
    for row in reliabilities.figures(connection, source):
        if row.metric == asked.measure:
            values[row.structure].append(row.value)
            by_label[row.label_id] = row.value
    if not by_label:
        after = "; it compares rounds, and there is none before" if asked.measure == WHOLE else ""
        raise InvalidDataError(
            f"no label of {source} has a figure for {asked.measure}{after}; flaredb label reliability --source {source}"
        )
    found = {}
    for name in structures:
        told = list(by_label.values()) if asked.measure == WHOLE else values[name]
        least = asked.least if asked.share is None else threshold_of_share(told, asked.share)
        if least:
            found[name] = Demand(asked.measure, least)
    return found


def round_demands(
    connection: Connection, source: str, structures: Sequence[str], asked: Filter | None, setting: str | None
) -> tuple[dict[str, Demand], str]:
    """What is asked of a round's labels, and that in words for the event; `asked` takes the place of its `setting`.

    A setting that compares rounds asks nothing of a round that has none before it: a task's first could never pass.
    """
    wanted = asked or read_filter(setting)
    if wanted is None:
        return {}, ""
    first = all(row.metric != WHOLE for row in reliabilities.figures(connection, source))
    if asked is None and wanted.measure == WHOLE and first:
        return {}, f"; nothing asked of each label: {WHOLE} compares rounds, and there is none before"
    found = demands(connection, source, structures, wanted)
    return found, f"; asked of each label: {told(found)}" if found else ""


def told(asked: dict[str, Demand]) -> str:
    """The thresholds in words, for the event."""
    return ", ".join(f"{name} {demand.measure} >= {demand.threshold:.3f}" for name, demand in asked.items())
