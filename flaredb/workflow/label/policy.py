"""The policy: what is in force, what another would change, and putting it in force."""

from __future__ import annotations

import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

from flaredb.catalog import current, labels, policies
from flaredb.catalog.standing import policy_in_force
from flaredb.errors import InvalidDataError, NotFoundError
from flaredb.labels.policy import Policy
from flaredb.workflow.provenance.moments import moment
from flaredb.workflow.results import Result
from flaredb.workspace import Workspace

_SETTINGS = {"sources", "thresholds", "require_score"}


def policy_show(workspace: Workspace, as_of: str | None = None) -> dict[str, Any]:
    """The policy in force, now or at a moment of the past, and all that ever were."""
    with workspace.catalog.read() as connection:
        _, policy = policy_in_force(connection, moment(connection, as_of))
        history = policies.every(connection)
    return {**_document(policy), "digest": policy.digest, "history": history}


def policy_diff(workspace: Workspace, path: Path) -> dict[str, Any]:
    """How many winners a policy would change, by structure, from which source to which."""
    policy = read_policy(workspace, path)
    with workspace.catalog.read() as connection:
        _, now = policy_in_force(connection)
        changes = current.would_change(connection, policy)
    moves = Counter((structure, before, after) for structure, before, after in changes)
    return {
        "same": policy.digest == now.digest,
        "changed": len(changes),
        "moves": [
            {"structure": structure, "from": before, "to": after, "cases": count}
            for (structure, before, after), count in sorted(moves.items(), key=lambda item: (-item[1], str(item[0])))
        ],
    }


def policy_apply(workspace: Workspace, path: Path, why: str) -> Result:
    """Put a policy in force; `unchanged` if it is already."""
    policy = read_policy(workspace, path)
    with workspace.run("policy apply", policy=_document(policy), why=why) as run, run.write() as write:
        _, now = policy_in_force(write.connection)
        if policy.digest == now.digest:
            return Result(write.operation, unchanged=1)
        policies.apply(write, policy, why)
    return Result(write.operation, (policy.digest[:12],), added=1)


def read_policy(workspace: Workspace, path: Path) -> Policy:
    """A policy from its TOML form: `sources`, `[thresholds]` by structure (`"*"` for all), `require_score`."""
    if not path.is_file():
        raise NotFoundError(f"{path}: no such file")
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidDataError(f"{path.name}: {error}") from error
    if unknown := set(given) - _SETTINGS:
        raise InvalidDataError(
            f"{path.name}: unknown {' '.join(sorted(unknown))}; known: {' '.join(sorted(_SETTINGS))}"
        )
    thresholds = _thresholds(workspace, path, given.get("thresholds", {}))
    sources, require = given.get("sources", []), given.get("require_score", False)
    if not isinstance(require, bool) or not isinstance(sources, list) or len(set(map(str, sources))) != len(sources):
        raise InvalidDataError(f"{path.name}: sources is a list of different names, require_score true or false")
    with workspace.catalog.read() as connection:
        for name in sources:
            labels.source_number(connection, str(name))
    return Policy(tuple(map(str, sources)), thresholds, require)


def _thresholds(workspace: Workspace, path: Path, given: Any) -> dict[str, float]:
    if not isinstance(given, dict):
        raise InvalidDataError(f"{path.name}: thresholds is a table such as thresholds = {{liver = 0.8}}")
    workspace.structures.check(name for name in given if name != "*")
    for name, value in given.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
            raise InvalidDataError(f"{path.name}: threshold of {name} is {value!r}; it lies between 0 and 1")
    return {name: float(value) for name, value in given.items()}


def _document(policy: Policy) -> dict[str, Any]:
    return {
        "sources": list(policy.sources),
        "thresholds": policy.thresholds,
        "require_score": policy.require_score,
    }
