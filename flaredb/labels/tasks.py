"""Tasks: the structures a model learns, and what is left of a label set when only those matter."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from flaredb.errors import NotFoundError
from flaredb.labels.labelset import Sets
from flaredb.labels.structures import StructureSet


class Task(NamedTuple):
    """A name and the structures to learn, in order of value. Class 0 is everything else, class i structures[i-1]."""

    name: str
    structures: tuple[str, ...]


def find_task(space: StructureSet, name: str) -> Task:
    """`organ`, `tumor` (the lesions) or `all`."""
    known = {"organ": space.organs, "tumor": space.lesions, "all": space.names}
    if name not in known:
        raise NotFoundError(f"no task {name!r}; there are: {' '.join(known)}")
    return Task(name, space.check(known[name]))


def class_states(space: StructureSet, task: Task) -> tuple[int, ...]:
    """For each class of the task, the states that project to it.

    A lesion of the task is its own class; otherwise the lesion is dropped and the site counts, if the task has it.
    """
    lesions = [lesion for lesion in space.lesions if lesion in task.structures]
    others = [lesion for lesion in space.all_lesions if lesion not in lesions]
    rest = [site for site in space.all_sites if site not in task.structures]
    classes = [space.states(rest, others)]
    for name in task.structures:
        own = space.states(space.all_sites, [name]) if name in lesions else space.states([name], others)
        classes.append(own)
    return tuple(classes)


def project(space: StructureSet, task: Task, sets: Sets) -> NDArray[np.unsignedinteger[Any]]:
    """Label sets as the task sees them: bit k set where class k is possible. Same shape and dtype."""
    projected = np.zeros_like(sets)
    for index, states in enumerate(class_states(space, task)):
        possible = (sets & space.dtype.type(states)) != 0
        projected |= possible.astype(space.dtype) << space.dtype.type(index)
    return projected
