"""A made-up cohort shaped like FLARE23: for the demo, the tests and the benchmarks. Arrays only, no files.

    cohort = Cohort(seed=0)              # 40 training, 8 validation, 12 test cases
    case = make_case(cohort, 3)          # image, truth, what was annotated, another group's labels

The same seed and index give the same case, bit for bit, in any order and any process.
"""

from flaredb.phantom.anatomy import FIVE, ORGANS, STRUCTURES
from flaredb.phantom.cohort import ANNOTATED, Cohort, Pattern, PhantomCase, Split, make_case

__all__ = [
    "ANNOTATED",
    "FIVE",
    "ORGANS",
    "STRUCTURES",
    "Cohort",
    "Pattern",
    "PhantomCase",
    "Split",
    "make_case",
]
