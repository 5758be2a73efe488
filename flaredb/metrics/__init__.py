"""How well a segmentation agrees with a reference: DSC, NSD and the FLARE protocols."""

from flaredb.metrics.bootstrap import mean_interval
from flaredb.metrics.measures import MEASURES
from flaredb.metrics.overlap import dice
from flaredb.metrics.protocol import (
    PROTOCOLS,
    Protocol,
    Score,
    StructureRule,
    score_case,
    score_structure,
)
from flaredb.metrics.summary import Summary, summarise
from flaredb.metrics.surface import surface_dice

__all__ = [
    "MEASURES",
    "PROTOCOLS",
    "Protocol",
    "Score",
    "StructureRule",
    "Summary",
    "dice",
    "mean_interval",
    "score_case",
    "score_structure",
    "summarise",
    "surface_dice",
]
