"""The made-up patient as a table: which shapes, where, how bright. Millimetres in (z, y, x), HU by contrast phase.

Origin: in front of the spine at the level of the first lumbar vertebra; z to the head, y to the back, x to the
patient's left, as in LPS. The order is the order of painting: what comes later lies on top.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
"""Any floats; points are (3, n): z, y, x of the anatomy, mm."""

STRUCTURES = (
    "background", "liver", "right_kidney", "spleen", "pancreas", "aorta", "inferior_vena_cava",
    "right_adrenal_gland", "left_adrenal_gland", "gallbladder", "esophagus", "stomach", "duodenum", "left_kidney",
    "tumor",
)  # fmt: skip
"""FLARE23's structures; the index is the value in a label."""

ORGANS = STRUCTURES[1:14]
"""The thirteen organs, values 1 to 13."""

FIVE = ("liver", "right_kidney", "left_kidney", "spleen", "pancreas")
"""The organs of FLARE23's five-organ annotations."""

Row = tuple[float, ...]
Phases = tuple[float, float, float]


class Part(NamedTuple):
    """One shape of the body.

    `rows` of a tube are (z, y, x, radius) along its axis, of a blob (z, y, x, rz, ry, rx) of the ellipsoids it is
    melted from. `hu` is native, arterial, portal venous. The rest has the healthy default: nothing special.
    """

    name: str
    kind: Literal["tube", "blob"]
    hu: Phases
    rows: tuple[Row, ...]
    squash: tuple[float, float, float] = (1.0, 1.0, 1.0)
    """Factors on a tube's radius along z, y, x."""
    fat: float = 0.0
    """Thickness of the fat that keeps the neighbours away."""
    wall: float = 0.0
    """Thickness of the wall of a hollow part, which then has contents; 0 is solid."""
    rind: float = 0.0
    """How much darker than its rim the inside is in the arterial phase, HU (kidney cortex, spleen)."""
    group: str = ""
    """Parts of a group move and scale together."""
    jitter: float = 3.5
    """Standard deviation of the position, mm."""
    wander: float = 2.0
    """Standard deviation of each row's own position, mm."""
    confined: bool = True
    """Whether it stays below the diaphragm and inside the abdominal wall."""
    inside: bool = False
    """Belongs to whatever it is painted on, such as the veins of the liver."""


class Shape(NamedTuple):
    """A part as this patient has it: rows after variation (tubes refined), HU, contents."""

    part: Part
    rows: Floats
    value: int
    hu: float
    rind: float
    contents: float
    air_above: float
    """A hollow part holds air where it rises this share of its radius above its axis."""


MUSCLE: Phases = (50, 55, 60)
BLOOD: Phases = (42, 240, 165)
VEIN: Phases = (40, 95, 160)
GUT: Phases = (38, 60, 70)

PARTS: tuple[Part, ...] = (
    # Muscles and heart
    Part("psoas", "tube", MUSCLE, ((5, 52, -30, 7), (-40, 52, -38, 15), (-120, 40, -52, 20)), confined=False, jitter=1),
    Part("psoas", "tube", MUSCLE, ((5, 52, 30, 7), (-40, 52, 38, 15), (-120, 40, 52, 20)), confined=False, jitter=1),
    Part("quadratus", "tube", MUSCLE, ((0, 70, -60, 8), (-120, 66, -76, 12)), confined=False, jitter=1),
    Part("quadratus", "tube", MUSCLE, ((0, 70, 60, 8), (-120, 66, 76, 12)), confined=False, jitter=1),
    Part("crus", "tube", MUSCLE, ((75, 26, -14, 4), (30, 30, -17, 6), (-25, 42, -13, 4)), confined=False, wander=1),
    Part("crus", "tube", MUSCLE, ((75, 26, 24, 4), (30, 28, 24, 6), (-25, 42, 14, 4)), confined=False, wander=1),
    Part("heart", "blob", (42, 200, 150), ((152, -34, 18, 50, 48, 60), (142, -46, 50, 32, 32, 36)), confined=False),
    # Bowel: looks like duodenum and stomach, and is neither
    Part("colon", "tube", GUT, ((-125, -8, -88, 22), (-75, -2, -94, 22), (-48, -22, -88, 19), (-52, -58, -55, 17),
        (-62, -66, -5, 17), (-48, -62, 50, 16), (-8, -38, 92, 16), (18, -14, 102, 14), (-15, 8, 106, 13),
        (-70, 18, 102, 13), (-125, 6, 92, 13)), wall=3, wander=6),
    Part("jejunum", "tube", GUT, ((-28, -25, 52, 11), (-38, -48, 30, 12), (-50, -30, 68, 12), (-72, -40, 45, 12),
        (-72, -12, 72, 12), (-92, -30, 66, 12), (-100, -52, 32, 12)), wall=3, wander=7),
    Part("ileum", "tube", GUT, ((-88, -54, 20, 11), (-80, -34, -8, 11), (-92, -58, -28, 11), (-84, -30, -46, 11),
        (-106, -40, -14, 11), (-112, -58, 8, 12), (-116, -24, 24, 12)), wall=3, wander=7),
    Part("ileum", "tube", GUT, ((-108, -66, -50, 12), (-88, -74, -24, 11), (-100, -74, 14, 12), (-84, -76, 44, 11),
        (-110, -60, 62, 12)), wall=3, wander=7),
    Part("mesenteric vessel", "tube", VEIN, ((-30, -20, 4, 4), (-70, -30, 22, 3), (-90, -40, 50, 1.5)), wander=3),
    Part("mesenteric vessel", "tube", VEIN, ((-30, -20, 2, 4), (-76, -28, -14, 3), (-96, -40, -30, 1.5)), wander=3),
    # Upper abdomen
    Part("stomach", "tube", (40, 62, 72), ((84, 18, 56, 25), (66, 0, 66, 32), (38, -30, 68, 28), (10, -50, 56, 24),
        (-10, -54, 26, 20), (-8, -54, 0, 16), (2, -46, -20, 11)), fat=2, wall=5, jitter=4, wander=4),
    Part("spleen", "tube", (48, 135, 116), ((88, 54, 60, 20), (68, 44, 88, 30), (40, 24, 102, 29), (18, 2, 107, 18)),
        squash=(1.25, 1, 1), fat=1.5, rind=15, jitter=4, wander=3),
    Part("liver", "blob", (58, 78, 108), ((52, 0, -70, 66, 75, 60), (4, 0, -94, 58, 54, 34), (56, -42, -8, 36, 32, 52),
        (62, -52, 30, 20, 20, 40), (38, 8, -16, 24, 14, 14)), jitter=4, wander=3),
    Part("portal branch", "tube", VEIN, ((24, -12, -22, 6), (34, -12, -46, 6), (44, -2, -78, 4), (40, 14, -100, 2)),
        group="liver", inside=True),
    Part("portal branch", "tube", VEIN, ((34, -12, -40, 5), (56, -30, -14, 4), (60, -44, 14, 2)),
        group="liver", inside=True),
    Part("hepatic vein", "tube", VEIN, ((92, 10, -28, 6), (74, 14, -62, 5), (48, 22, -96, 3)),
        group="liver", inside=True),
    Part("hepatic vein", "tube", VEIN, ((92, 8, -28, 6), (76, -22, -46, 5), (50, -44, -58, 3)),
        group="liver", inside=True),
    Part("hepatic vein", "tube", VEIN, ((92, 6, -24, 5), (78, -22, -8, 4), (66, -44, 6, 3)),
        group="liver", inside=True),
    Part("gallbladder", "tube", (10, 11, 12), ((14, -30, -42, 5), (0, -42, -50, 11), (-16, -54, -56, 15),
        (-24, -60, -58, 13)), fat=1.5, jitter=4, wander=2, group="gallbladder"),
    # Behind the peritoneum
    Part("perirenal fat", "blob", (-105, -105, -105), ((-18, 50, -60, 58, 28, 33), (42, 48, -32, 38, 24, 26)),
        group="right_kidney"),
    Part("right_kidney", "tube", (32, 185, 172), ((14, 46, -50, 20), (-8, 42, -58, 25), (-34, 38, -64, 26),
        (-58, 34, -68, 20)), squash=(1.1, 0.95, 1.05), fat=5, rind=55, jitter=4, group="right_kidney"),
    Part("right sinus", "tube", (-70, -60, -50), ((-10, 34, -42, 6), (-24, 36, -48, 10), (-40, 33, -50, 6)),
        wander=1, group="right_kidney"),
    Part("left_kidney", "tube", (32, 185, 172), ((28, 48, 50, 20), (6, 44, 59, 25), (-20, 40, 65, 26),
        (-46, 36, 69, 20)), squash=(1.1, 0.95, 1.05), fat=5, rind=55, jitter=4, group="left_kidney"),
    Part("left sinus", "tube", (-70, -60, -50), ((4, 36, 43, 6), (-10, 38, 49, 10), (-26, 35, 51, 6)),
        wander=1, group="left_kidney"),
    Part("renal vein", "tube", VEIN, ((-20, 36, -48, 4), (-18, 26, -22, 5)), wander=1),
    Part("renal vein", "tube", VEIN, ((-6, 36, 48, 4), (-4, 12, 18, 4), (-6, 14, -18, 5)), wander=1),
    Part("duodenum", "tube", (36, 58, 66), ((6, -40, -28, 12), (2, -26, -44, 12), (-16, -8, -50, 12),
        (-44, 0, -48, 12), (-60, 2, -30, 12), (-60, 4, 0, 10), (-52, 0, 26, 11), (-36, -14, 38, 10)),
        fat=1, wall=4, jitter=3, wander=3, group="head"),
    Part("pancreas", "tube", (42, 105, 88), ((-34, -10, -26, 12), (-14, -14, -25, 16), (2, -26, -6, 10),
        (12, -30, 16, 10), (16, -14, 42, 11), (22, 8, 64, 11), (26, 24, 78, 9)), squash=(1.25, 1, 1), fat=1.5,
        jitter=3, wander=2.5, group="head"),
    Part("splenic vein", "tube", VEIN, ((2, -8, -10, 5), (12, -16, 18, 5), (17, -2, 42, 4), (25, 20, 64, 4),
        (34, 32, 84, 3)), group="head"),
    Part("portal vein", "tube", VEIN, ((-60, -20, 0, 5), (-14, -14, -5, 6), (4, -10, -12, 7), (26, -12, -26, 7)),
        group="head"),
    Part("superior mesenteric artery", "tube", BLOOD, ((6, 12, 5, 4), (-10, -8, 6, 4), (-70, -18, 10, 4)), jitter=1),
    Part("inferior_vena_cava", "tube", VEIN, ((150, -2, -24, 11), (104, 6, -25, 12), (70, 12, -25, 12),
        (20, 17, -22, 12), (-30, 23, -20, 12), (-100, 28, -15, 11)), squash=(1, 0.95, 1.1), fat=0.5, jitter=2.5,
        wander=2, confined=False),
    Part("aorta", "tube", BLOOD, ((165, 36, 18, 13), (100, 30, 14, 12), (40, 22, 8, 11), (-20, 24, 7, 10),
        (-94, 24, 5, 9)), fat=2, jitter=2.5, wander=2, confined=False),
    Part("iliac artery", "tube", BLOOD, ((-100, 25, 4, 7), (-150, 24, 34, 6)), wander=1, confined=False),
    Part("iliac artery", "tube", BLOOD, ((-100, 25, 4, 7), (-150, 24, -30, 6)), wander=1, confined=False),
    Part("right_adrenal_gland", "tube", (30, 82, 76), ((34, 48, -43, 4.5), (44, 42, -35, 5.5), (57, 33, -29, 4.5)),
        squash=(1.3, 1, 1), fat=2.5, jitter=2.5, wander=1.5),
    Part("left_adrenal_gland", "tube", (30, 82, 76), ((28, 24, 30, 4), (40, 18, 33, 5.5), (38, 32, 42, 4.5),
        (26, 38, 44, 4)), squash=(1.4, 1, 1), fat=2.5, jitter=2.5, wander=1.5),
    Part("esophagus", "tube", (40, 52, 58), ((165, 18, 8, 9), (120, 14, 10, 10), (96, 8, 18, 10), (80, 6, 34, 10)),
        squash=(1, 0.85, 1.1), fat=1, jitter=2, confined=False),
)  # fmt: skip

HOSTS = {
    "liver": (0.42, 35.0), "right_kidney": (0.11, 24.0), "left_kidney": (0.11, 24.0), "pancreas": (0.14, 20.0),
    "spleen": (0.07, 24.0), "colon": (0.09, 20.0), "lung": (0.06, 20.0),
}  # fmt: skip
"""Where tumours grow: how often, and the largest radius in mm."""
