"""The tree of errors: what a handler may catch, and the exit code of each."""

import inspect

import pytest

from flaredb import errors
from flaredb.errors import (
    ConflictError,
    Finding,
    FlareError,
    InvalidDataError,
    NeedsPeopleError,
    NotFoundError,
    StorageError,
    UnfinishedError,
    UsageError,
)

TREE = {
    FlareError: (Exception, 1),
    UsageError: (FlareError, 2),
    NotFoundError: (LookupError, 3),
    ConflictError: (FlareError, 4),
    NeedsPeopleError: (ConflictError, 4),
    InvalidDataError: (ValueError, 5),
    StorageError: (FlareError, 6),
    UnfinishedError: (FlareError, 75),
}


@pytest.mark.parametrize("kind", TREE, ids=lambda kind: kind.__name__)
def test_each_error_has_its_place_and_exit_code(kind: type[FlareError]) -> None:
    """Every error is a FlareError, and a built-in one where a caller would expect that."""
    parent, code = TREE[kind]
    assert issubclass(kind, FlareError)
    assert issubclass(kind, parent)
    assert kind.exit_code == code


def test_there_are_no_other_errors() -> None:
    """The tree is whole, and the module's docstring draws it."""
    found = {kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, Exception)}
    assert found == set(TREE)
    assert all(kind.__name__ in (errors.__doc__ or "") for kind in TREE)


def test_invalid_data_carries_its_findings() -> None:
    """As a tuple, none by default; the message is the text."""
    finding = Finding("error", "case1", "rule", "message")
    assert InvalidDataError("no", [finding]).findings == (finding,)
    assert InvalidDataError("no").findings == ()
    assert str(InvalidDataError("no", [finding])) == "no"


def test_a_finding_is_a_value() -> None:
    """Equal by content; the path is optional."""
    assert Finding("info", None, "rule", "message") == Finding("info", None, "rule", "message", None)
