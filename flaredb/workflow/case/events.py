"""What people say of a case: keep it out of use, rename it, it is the same patient as another, or is not."""

from __future__ import annotations

from flaredb.catalog import case_events, cases
from flaredb.errors import InvalidDataError, UsageError
from flaredb.exchange.casenames import is_case_name
from flaredb.workflow.results import Result
from flaredb.workspace import Workspace


def case_exclude(workspace: Workspace, name: str, why: str) -> Result:
    """Keep a case out of use: it has no current labels and goes into no snapshot."""
    return _set_excluded(workspace, name, True, why)


def case_include(workspace: Workspace, name: str, why: str) -> Result:
    """Take an excluded case back."""
    return _set_excluded(workspace, name, False, why)


def case_rename(workspace: Workspace, old: str, new: str, why: str) -> Result:
    """Give a case another name; the old one goes on finding it and its labels."""
    if not is_case_name(new):
        raise InvalidDataError(f"{new!r} cannot be the name of a case: letters, digits, '.', '_', '-' and '+'")
    with workspace.run("case rename", case=old, name=new, why=why) as run, run.write() as write:
        case = cases.find(write.connection, old)
        if case.name == new:
            return Result(write.operation, unchanged=1)
        case_events.rename(write, case, new, why)
    return Result(write.operation, (new,), added=1)


def case_same(workspace: Workspace, first: str, second: str, why: str) -> Result:
    """Two cases are of one patient; ConflictError if that patient would be in two splits."""
    with workspace.run("case same", cases=[first, second], why=why) as run, run.write() as write:
        done = case_events.join(write, cases.find(write.connection, first), cases.find(write.connection, second), why)
    return Result(write.operation, (first, second) if done else (), added=int(done), unchanged=int(not done))


def case_distinct(workspace: Workspace, first: str, second: str, why: str) -> Result:
    """The second case is of a patient of its own, whatever its voxels say."""
    with workspace.run("case distinct", cases=[first, second], why=why) as run, run.write() as write:
        one, other = cases.find(write.connection, first), cases.find(write.connection, second)
        if one.id == other.id:
            raise UsageError(f"{first} and {second} are one case")
        key = workspace.patient_key(f"{other.name} since {write.operation}")
        done = case_events.part(write, one, other, key, why)
    return Result(write.operation, (second,) if done else (), added=int(done), unchanged=int(not done))


def _set_excluded(workspace: Workspace, name: str, excluded: bool, why: str) -> Result:
    verb = "case exclude" if excluded else "case include"
    with workspace.run(verb, case=name, why=why) as run, run.write() as write:
        case = cases.find(write.connection, name)
        done = case_events.set_excluded(write, case, excluded, why)
    return Result(write.operation, (case.name,) if done else (), added=int(done), unchanged=int(not done))
