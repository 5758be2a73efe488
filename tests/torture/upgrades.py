"""kill -9 during `flaredb upgrade`: the catalogue is the old one or the new one, and upgrading again completes it."""

from __future__ import annotations

import os
import random
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import inspect

from flaredb.catalog import backup
from flaredb.catalog.database import Catalog
from flaredb.cli import main
from flaredb.errors import FlareError
from tests.catalog.test_upgrade import rows
from tests.torture.audit import check_file
from tests.torture.kills import forked, wait_for
from tests.torture.places import Place
from tests.torture.processes import Notes

Content = tuple[str, list[str], dict[str, list[dict[str, Any]]]]


class Interrupted(NamedTuple):
    """How many upgrades were killed before they ended, how many left the old and the new catalogue, what is wrong."""

    kills: int
    old: int
    new: int
    problems: list[str]

    def __str__(self) -> str:
        return (
            f"{self.old + self.new} upgrades, {self.kills} of them killed before they ended: {self.old} left the old "
            f"catalogue and {self.new} the new one; {len(self.problems)} errors"
        )


def torture(place: Place, kills: int, seed: int) -> Interrupted:
    """Kill upgrades at moments spread over an undisturbed one, the last ones just after it."""
    rng = random.Random(f"{seed} upgrades")
    url, root = place.old()
    before = content(url)
    _, seconds = _run(root)
    after = content(url)
    ended, left, problems = [], [], []
    for number in range(kills):
        moment = 1.1 * seconds * (number + rng.random()) / kills
        url, root = place.old()
        code, _ = _run(root, moment)
        place.settle(url)
        found = content(url)
        ended.append(code)
        left.append("new" if found == after else "old")
        said = [] if code in (0, -9) else [f"it ended with {code}"]
        if found not in (before, after):
            said.append(f"it is neither the old nor the new catalogue: {found[0]}, {found[1]}")
        said += _again(place, url, root, after)
        problems += [f"killed after {moment:.3f} s: {what}" for what in said]
    return Interrupted(ended.count(-9), left.count("old"), left.count("new"), problems)


def content(url: str) -> Content:
    """State, views, and every row of every table; but not who held a lock."""
    catalog = Catalog(url)
    with catalog.read() as connection:
        views = sorted(inspect(connection).get_view_names())
    found = {name: listed for name, listed in rows(catalog).items() if name != "leases"}
    state = catalog.schema_state()
    catalog.close()
    return state, views, found


def _again(place: Place, url: str, root: Path, after: Content) -> list[str]:
    """What is wrong after another, undisturbed upgrade; the copies of the old catalogue are whole, too."""
    problems = []
    code, _ = _run(root)
    place.settle(url)
    if code != 0 or content(url) != after:
        problems.append(f"the next upgrade ended with {code} and did not complete it")
    if url.startswith("sqlite"):
        problems += check_file(str(root / "catalog.db"))
    for copy in (root / "backups").glob("before-*.db"):
        try:
            backup.check(copy)
        except FlareError as error:
            problems.append(f"the copy {copy.name} is no good: {error}")
    return problems


def _run(root: Path, kill_after: float | None = None) -> tuple[int | None, float]:
    """Upgrade a workspace in another process, and kill it so long after it began; its exit code and duration."""
    notes = root / "notes.jsonl"
    notes.unlink(missing_ok=True)
    process = forked().Process(target=_upgrade, args=(root, notes))
    process.start()
    wait_for(process, notes)
    begun = time.monotonic()
    process.join(kill_after)
    process.kill()
    process.join()
    return process.exitcode, time.monotonic() - begun


def _upgrade(root: Path, notes: Path) -> None:
    silent = os.open(os.devnull, os.O_RDWR)
    os.dup2(silent, 1)
    os.dup2(silent, 2)
    sys.argv = ["flaredb", "-w", str(root), "upgrade"]
    Notes(notes).add(begins="upgrade")
    main()
