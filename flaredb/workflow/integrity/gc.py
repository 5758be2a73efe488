"""Remove what nobody points at, in two steps, so that nothing is gone that somebody still meant to use.

First a volume is moved to the trash; once it has been there for the age floor, and still nobody points at it, it is
removed. What a living process put or touched is left alone, whatever the floor; what somebody points at again, such as
a catalogue restored from a backup, comes back.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from flaredb.catalog import purge
from flaredb.catalog.holdings import pointed_at
from flaredb.volumes.store import VolumeStore
from flaredb.workflow.results import Result
from flaredb.workspace import Workspace

AGE_FLOOR_S = 3600.0


class Plan(NamedTuple):
    """Digests to move to the trash, to bring back, to remove from the trash and from quarantine; staged files."""

    trash: list[str]
    bring_back: list[str]
    remove: list[str]
    quarantined: list[str]
    staged: list[str]

    def would(self) -> dict[str, Any]:
        """What would be done; what would not is left out, but for what is always asked about."""
        said = self._asdict()
        return {key: said[key] for key in said if said[key] or key in ("trash", "remove", "staged")}


def gc(workspace: Workspace, yes: bool = False, age_floor_s: float = AGE_FLOOR_S) -> Result:
    """Move volumes nobody points at to the trash, and remove what is there, both if older than the age floor.

    Staged files of processes that ended go as well, and damaged volumes that were set aside and are there again or not
    needed any more. Without `yes` only say which.
    """
    store = workspace.volumes
    before = store.settled(age_floor_s)  # first: who begins later touches what he needs after this moment
    listed = list(store.digests())
    if not yes:
        with workspace.catalog.read() as connection:
            return Result(None, would=_plan(store, listed, pointed_at(connection), before, age_floor_s).would())
    with workspace.run("gc", age=age_floor_s) as run:
        with run.write() as write:  # nothing can be entered while the write lock is held
            wanted = pointed_at(write.connection)
            plan = _plan(store, listed, wanted, before, age_floor_s)
            moved = [digest for digest in plan.trash if store.discard(digest, before)]
            for digest in plan.bring_back:
                store.bring_back(digest)
            purged = purge.any_tombstone(write.connection)
        again = _plan(store, [], wanted, before, age_floor_s)
        for digest in workspace.reporter.track(again.remove, "trash", len(again.remove)):
            store.empty("trash", digest)
        for digest in again.quarantined:
            store.empty("quarantine", digest)
        staged = store.clear_staging(before)
    if purged:  # an interrupted purge may have left what the rows held in the database's files
        purge.overwrite(workspace.catalog)
    gone = sorted({*moved, *again.remove, *again.quarantined})
    return Result(write.operation, tuple(gone), added=len(gone) + staged)


def _plan(store: VolumeStore, listed: list[str], wanted: set[str], before: float, age_floor_s: float) -> Plan:
    thrown, aside = store.trashed(), store.quarantined()
    long_ago = store.pins.now() - age_floor_s
    back = [digest for digest in thrown if digest in wanted and not store.has(digest)]
    return Plan(
        trash=[d for d in listed if d not in wanted and (store.touched(d) or before) < before],
        bring_back=back,
        remove=[digest for digest, since in thrown.items() if since <= long_ago and digest not in back],
        quarantined=[d for d, since in aside.items() if since <= long_ago and (d not in wanted or store.has(d))],
        staged=[place.name for place in store.stale(before)],
    )
