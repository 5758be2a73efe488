"""What a task sees of a label set."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flaredb.errors import NotFoundError
from flaredb.labels.structures import FLARE23, StructureSet
from flaredb.labels.tasks import Task, class_states, find_task, project
from tests.builders import TWO_LESIONS, pairs
from tests.strategies import spaces, subsets


def classes(task: str, sites: list, lesions: list) -> set[int]:
    """Classes a FLARE23 task sees in one label set."""
    sets = np.array([FLARE23.states(sites, lesions)], FLARE23.dtype)
    (mask,) = project(FLARE23, find_task(FLARE23, task), sets)
    return {k for k in range(32) if int(mask) >> k & 1}


def test_the_organ_task_drops_the_lesion() -> None:
    """(liver, tumor) is liver."""
    assert classes("organ", ["liver"], ["tumor"]) == {1}
    assert classes("organ", ["liver"], [None, "tumor"]) == {1}


def test_a_tumor_of_unknown_site_is_open_to_the_organ_task() -> None:
    """Where only the tumour is known every organ and background stay possible."""
    assert classes("organ", FLARE23.all_sites, ["tumor"]) == set(range(14))


def test_the_tumor_task_drops_the_site() -> None:
    """Liver without tumour is class 0, with tumour class 1, and both where nobody looked."""
    assert classes("tumor", ["liver"], [None]) == {0}
    assert classes("tumor", ["liver", None], ["tumor"]) == {1}
    assert classes("tumor", ["liver"], [None, "tumor"]) == {0, 1}


def test_the_task_all_uses_the_class() -> None:
    """The lesion is the class if there is one, else the site."""
    assert classes("all", ["liver"], [None]) == {1}
    assert classes("all", ["liver"], ["tumor"]) == {14}
    assert classes("all", [None, "spleen"], [None, "tumor"]) == {0, 3, 14}


@given(spaces.flatmap(lambda space: subsets(space.names, least=1).map(lambda names: (space, names))))
def test_every_state_is_one_class(drawn: tuple[StructureSet, frozenset[str]]) -> None:
    """The classes of any task share no state and together hold all: no voxel is in two classes or in none."""
    space, names = drawn
    states = class_states(space, Task("drawn", space.check(names)))
    assert len(states) == len(names) + 1
    assert sum(states) == space.open
    for i, own in enumerate(states):
        assert not any(own & other for other in states[i + 1 :])


@given(spaces, st.data())
def test_projection_is_the_literal_one(space: StructureSet, data: st.DataObject) -> None:
    """A class is possible exactly if some possible state has it."""
    task = Task("drawn", space.check(data.draw(subsets(space.names, least=1))))
    label_set = data.draw(st.integers(1, space.open))
    literal = set()
    for site, lesion in pairs(space, label_set):
        name = lesion if lesion in task.structures else site
        literal.add(task.structures.index(name) + 1 if name in task.structures else 0)
    (mask,) = project(space, task, np.array([label_set], space.dtype))
    assert {k for k in range(64) if int(mask) >> k & 1} == literal


def test_tasks_by_name() -> None:
    """`organ`, `tumor` and `all` exist; another is not found."""
    assert find_task(TWO_LESIONS, "tumor").structures == ("tumor", "cyst")
    assert find_task(TWO_LESIONS, "organ").structures == ("liver", "right_kidney", "left_kidney")
    with pytest.raises(NotFoundError, match="organ tumor all"):
        find_task(TWO_LESIONS, "bones")
