"""Tables give what combining and projecting gives."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flaredb.errors import InvalidDataError
from flaredb.labels.combine import combine
from flaredb.labels.lookup import build_lookup
from flaredb.labels.structures import FLARE23, StructureSet
from flaredb.labels.tasks import Task, find_task, project
from tests.builders import mapping, modes, trust
from tests.strategies import label_lists, random_codes, seeds, spaces, subsets

SILENT = HealthCheck.too_slow, HealthCheck.data_too_large


@settings(max_examples=150, deadline=None, suppress_health_check=SILENT)
@given(st.data(), spaces, seeds)
def test_a_lookup_is_combine_and_project(data: st.DataObject, space: StructureSet, seed: int) -> None:
    """On any labels, split into entries or not, the table's classes are those of the rules."""
    trusted = data.draw(label_lists(space, most=3))
    task = Task("drawn", space.check(data.draw(subsets(space.names, least=1))))
    codes = random_codes(trusted, seed, 300)
    part = data.draw(subsets(trusted[0].structures))
    if part and part != trusted[0].structures:
        rest = trusted[0].structures - part
        halves = [trusted[0]._replace(structures=s, won=trusted[0].won & s) for s in (part, rest)]
        entries = [halves[0], *trusted[1:], halves[1]]
    else:
        entries = trusted
    lookup = build_lookup(space, task, entries)
    by_name = {trust.label: own for trust, own in zip(trusted, codes, strict=True)}
    assert set(lookup.names) == set(by_name)
    expected = project(space, task, combine(space, list(zip(trusted, codes, strict=True))).sets)
    np.testing.assert_array_equal(lookup.look_up([by_name[name] for name in lookup.names]), expected)


# Fails for uint8: np.minimum(uint8 codes, 514) overflows in Lookup.look_up.
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32])
def test_codes_of_every_stored_type_look_up(dtype: type) -> None:
    """A mapping may reach further than the type in which a label is stored."""
    task = find_task(FLARE23, "organ")
    lookup = build_lookup(FLARE23, task, [trust(modes("liver"), mapping({1: "liver"}, top=513))])
    background, liver = lookup.look_up([np.array([0, 1], dtype)])
    assert liver == 0b10
    assert background == 2**14 - 1 - 0b10


def test_too_many_combinations_are_refused() -> None:
    """Seven complete labels of one case would need 16⁷ entries."""
    labels = [trust(modes(*FLARE23.names), label=f"case@source{i}@1") for i in range(7)]
    with pytest.raises(InvalidDataError, match="fewer labels"):
        build_lookup(FLARE23, find_task(FLARE23, "all"), labels)
