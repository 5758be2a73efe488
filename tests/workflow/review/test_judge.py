"""What people's changes and words come to, held against a plain account of it."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from flaredb.catalog.reviews import Item
from flaredb.labels.structures import FLARE23
from flaredb.workflow.review.drawn import Drawn
from flaredb.workflow.review.judge import judge
from flaredb.workflow.review.verdicts import VERDICTS, Said

ASKED = ("liver", "spleen", "pancreas", "tumor")
VALUES = (0, *(FLARE23[name].value for name in ASKED), FLARE23["stomach"].value, len(FLARE23.names) + 1)
MAPS = arrays(np.uint8, (1, 2, 3), elements=st.sampled_from(VALUES))
WORDS = st.none() | st.sampled_from(VERDICTS)


def items(verdict: str | None = None) -> list[Item]:
    return [Item(n, 1, "a", name, None, None, verdict, None) for n, name in enumerate(ASKED)]


def drawn(codes: np.ndarray) -> Drawn:
    return Drawn(codes, "", frozenset(ASKED), {})


def drawn_on(name: str, before: int, after: int) -> bool:
    """Whether a voxel that was shown as one and came back as the other is a change of the structure."""
    value, lesion = FLARE23[name].value, FLARE23["tumor"].value
    if before == after or value not in (before, after):
        return False
    return name == "tumor" or (lesion not in (before, after) and (after == value or after == 0))


@given(MAPS, MAPS, WORDS, st.dictionaries(st.sampled_from(ASKED), st.sampled_from(VERDICTS)))
def test_truth_is_what_was_changed_or_called_fine(before, after, overall, named):
    """Never what was called unusable or not looked at, or was painted over; what is not there only if named as fine."""
    shown = np.where(before > 14, 0, before)
    found = judge("a", items(), shown, drawn(after), Said(overall, named), FLARE23)
    for name in ASKED:
        value = FLARE23[name].value
        said = named.get(name, overall)
        changed = any(drawn_on(name, int(b), int(a)) for b, a in zip(shown.flat, after.flat, strict=True))
        wanted = said == "fine" or (said is None and changed)
        if not (after == value).any():
            wanted = wanted and named.get(name) == "fine"
        assert (name in found.truth) == wanted
        assert (name in found.unusable) == (said == "unusable")
    assert set(found.truth) <= set(ASKED)


@given(MAPS, WORDS)
def test_an_untouched_file_changes_nothing_by_itself(before, overall):
    """It says what the words say, and no more."""
    shown = np.where(before > 14, 0, before)
    found = judge("a", items(), shown, None, Said(overall), FLARE23)
    there = {name for name in ASKED if (shown == FLARE23[name].value).any()}
    assert set(found.truth) == (there if overall == "fine" else set())
    assert "corrected" not in found.verdicts.values()


@given(MAPS)
def test_a_structure_that_was_not_asked_for_wants_a_word(before):
    """Drawn without a word it is a remark; called fine by name it is truth; called fine and not there, a remark."""
    shown = np.zeros_like(before)
    there = bool((before == FLARE23["stomach"].value).any())
    silent = judge("a", items(), shown, drawn(before), Said(), FLARE23)
    assert "stomach" not in silent.truth
    assert ("not-in-review" in [finding.rule for finding in silent.findings]) == there
    spoken = judge("a", items(), shown, drawn(before), Said(named={"stomach": "fine"}), FLARE23)
    assert ("stomach" in spoken.truth) == there
    assert ("not-in-review" in [finding.rule for finding in spoken.findings]) == (not there)
