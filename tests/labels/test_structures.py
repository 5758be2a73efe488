"""Structure sets: FLARE23's, and which sets there may be."""

import numpy as np
import pytest
from hypothesis import given

from flaredb.errors import InvalidDataError, NotFoundError
from flaredb.labels.structures import FLARE23, Structure, StructureSet
from flaredb.metrics import PROTOCOLS
from tests.builders import TWO_LESIONS, pairs
from tests.strategies import spaces, subsets


def test_flare23_is_what_the_challenge_scores() -> None:
    """Values, names, tolerances and tubes of the workspace's default are those of FLARE23's own evaluation."""
    scored = [(rule.value, rule.name, rule.tolerance_mm, rule.tubular) for rule in PROTOCOLS["flare23"].structures]
    assert [(s.value, s.name, s.nsd_tolerance_mm, s.tubular) for s in FLARE23.structures] == scored


def test_flare23_has_28_states_in_32_bits() -> None:
    """Fourteen sites with and without tumour."""
    assert FLARE23.open == 2**28 - 1
    assert FLARE23.dtype == np.uint32
    assert len(pairs(FLARE23, FLARE23.open)) == 28


@given(spaces.flatmap(lambda space: subsets(space.all_sites[1:]).map(lambda sites: (space, sites))))
def test_states_are_the_pairs_asked_for(drawn: tuple[StructureSet, frozenset[str]]) -> None:
    """A mask of sites and lesions holds exactly their product."""
    space, sites = drawn
    states = space.states([None, *sites], space.lesions)
    assert pairs(space, states) == {(site, lesion) for site in [None, *sites] for lesion in space.lesions}


def test_richer_sets_take_64_bits() -> None:
    """Twelve sites with three lesions are 48 states."""
    organs = [Structure(i, f"organ{i}") for i in range(1, 12)]
    lesions = [Structure(i, f"lesion{i}", kind="lesion") for i in range(12, 15)]
    rich = StructureSet((*organs, *lesions))
    assert rich.dtype == np.uint64
    assert rich.open == 2**48 - 1


@pytest.mark.parametrize(
    "structures",
    [
        (Structure(1, "liver"), Structure(3, "spleen")),
        (Structure(1, "liver"), Structure(2, "liver")),
        tuple(Structure(i, f"organ{i}") for i in range(1, 65)),
    ],
    ids=["gap", "same name", "too many states"],
)
def test_sets_that_cannot_be_are_refused(structures: tuple[Structure, ...]) -> None:
    """Gaps in the values, equal names and more than 64 states are invalid."""
    with pytest.raises(InvalidDataError):
        StructureSet(structures)


def test_names_are_checked_and_put_in_order() -> None:
    """Unknown names are not found, with the names there are; known ones come in order of value, once."""
    assert TWO_LESIONS.check(["cyst", "liver", "cyst"]) == ("liver", "cyst")
    with pytest.raises(NotFoundError, match=r"'heart'.*liver"):
        TWO_LESIONS.check(["heart"])
