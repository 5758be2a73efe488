"""Findings are acknowledged, never deleted."""

from __future__ import annotations

from flaredb.catalog import history
from flaredb.workflow.results import Result
from flaredb.workspace import Workspace


def finding_ack(workspace: Workspace, number: int, why: str) -> Result:
    """Record that a finding was seen to, and why it may stand."""
    with workspace.run("finding ack", finding=number, why=why) as run, run.write() as write:
        history.acknowledge(write, number, why)
    return Result(write.operation, (str(number),), added=1)
