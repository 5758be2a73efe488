"""How fast is "what is current?" at FLARE23's size: 4,000 cases × 40 label versions × 14 structures.

Makes a catalogue on SQLite, and on PostgreSQL if a URL of an empty database is given, and asks it: everything at once,
one case, after a promotion of 4,000 × 13, after withdrawing 4,000 labels, and while withdrawn and superseded versions
pile up from 40 to 200 a case. The rival is what one would write without the log: the policy as a window query.

    python benchmarks/current_label.py [--cases 4000] [--postgresql postgresql:///empty]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select, text

from flaredb.catalog import acceptances, current, labels, policy_sql
from flaredb.catalog import tables as t
from flaredb.catalog.database import Catalog, Write
from flaredb.catalog.derived import candidates, current_history
from flaredb.labels.labelset import Mode
from flaredb.labels.mappings import identity
from flaredb.labels.structures import FLARE23
from flaredb.workflow.status import status
from flaredb.workspace import CATALOG, Workspace

VERSIONS = 40
ORGANS = FLARE23.organs
EVERY = {name: Mode() for name in FLARE23.names}


def timed(work: Callable[[], Any], times: int = 1) -> float:
    """Median seconds of some runs."""
    spent = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        spent.append(time.perf_counter() - start)
    return statistics.median(spent)


def fill(catalog: Catalog, cases: int) -> None:
    """Cases; ground truth for 2,200 of 4,000; the other versions from sources accepted one after the other."""
    with catalog.run("import", {}) as run, run.write() as write:
        mapping = labels.mapping_number(write, identity(FLARE23))
        patients = [{"id": n, "key": f"p{n}"} for n in range(1, cases + 1)]
        write.connection.execute(insert(t.patients), patients)
        rows = [
            {"id": n, "name": f"FLARE23_{n:04}", "patient_id": n, "split": "train", "operation_id": write.operation}
            for n in range(1, cases + 1)
        ]
        write.connection.execute(insert(t.cases), rows)
    for version in range(VERSIONS):
        with catalog.run("import", {}) as run, run.write() as write:
            kind = "ground-truth" if version == 0 else "pseudo"
            source = labels.ensure_source(write, f"source{version}", kind)
            numbers = range(1, cases * 11 // 20 + 1) if version == 0 else range(1, cases + 1)
            add_version(write, source, kind, 1, list(numbers), mapping)
            accept = "accepted at import" if version == 0 else "accepted"
            acceptances.record(write, ("source", source), FLARE23.names, "accepted", accept)


def add_version(write: Write, source: int, kind: str, revision: int, cases: list[int], mapping: int) -> None:
    """A label of a source for every case, in bulk: how it comes in is not what is measured."""
    connection = write.connection
    at = datetime(2023, 1, 1, tzinfo=UTC) + timedelta(days=revision)
    facts = {"source_id": source, "revision": revision, "annotated_at": at}
    connection.execute(
        insert(t.labels),
        [
            {"case_id": case, "kind": kind, "annotator": "", "volume": f"{source}-{revision}-{case}",
             "mapping_id": mapping, "operation_id": write.operation, **facts}
            for case in cases
        ],
    )  # fmt: skip
    own = select(t.labels.c.id, t.labels.c.case_id).where(t.labels.c.source_id == source)
    made = connection.execute(own.where(t.labels.c.revision == revision)).all()
    values = [structure.value for structure in FLARE23.structures]
    connection.execute(
        insert(t.label_structures),
        [
            {"label_id": label, "structure": value, "mode": "exhaustive", "within": "", "superset": False,
             "voxels": 1}
            for label, _ in made
            for value in values
        ],
    )  # fmt: skip
    bits = sum(1 << value for value in values)
    connection.execute(
        insert(candidates),
        [
            {"case_id": case, "label_id": label, "human": kind == "ground-truth", "strong": bits, "weak": 0, **facts}
            for label, case in made
        ],
    )
    write.touched.update(cases)


def read_all(catalog: Catalog) -> int:
    """Every winner, raw rows."""
    h = current_history.c
    with catalog.read() as connection:
        query = select(h.case_id, h.structure, h.label_id).where(h.to_operation.is_(None), h.place == 0)
        return len(connection.execute(query).all())


def row(
    what: str, mine: float, target: float, rival: float | None = None, rival_name: str | None = None
) -> dict[str, Any]:
    """A line of the report, told at once."""
    print(f"{what}: {mine:.4f} s", file=sys.stderr)
    ratio = round(rival / mine, 2) if rival else None
    return {"claim": what, "flaredb": round(mine, 5), "rival": rival and round(rival, 5), "rival_name": rival_name,
            "unit": "s", "ratio": ratio, "target": target, "met": mine <= target}  # fmt: skip


def read_one(catalog: Catalog) -> None:
    """Winners and contributors of one case."""
    with catalog.read() as connection:
        current.now(connection, ["FLARE23_0042"])


def measure(catalog: Catalog, cases: int, name: str) -> Iterator[dict[str, Any]]:
    """The claims on one database, with the window query beside."""
    with catalog.read() as connection:
        window = policy_sql.compiled(connection)

    def ask_window(where: str = "WHERE 1 = 1") -> int:
        with catalog.read() as connection:
            return len(connection.execute(text(window.replace("WHERE l.volume IS NOT NULL", where))).all())

    what = f"{name}: current label of {cases} × 14 over {cases * VERSIONS} labels"
    yield row(what, timed(lambda: read_all(catalog), 5), 0.15, timed(ask_window), "window query")
    rival = timed(lambda: ask_window("WHERE l.case_id = 42"), 5)
    yield row(f"{name}: current labels of one case", timed(lambda: read_one(catalog), 21), 0.002, rival, "window query")

    def promote() -> None:
        with catalog.run("promote", {}) as run, run.write() as write:
            source = labels.source_number(write.connection, "source5")
            acceptances.record(write, ("source", source), ORGANS, "accepted", "again")

    def withdraw() -> None:
        with catalog.run("withdraw", {}) as run, run.write() as write:
            source = labels.source_number(write.connection, "source5")
            numbers = write.connection.execute(select(t.labels.c.id).where(t.labels.c.source_id == source)).scalars()
            acceptances.record_labels(write, dict.fromkeys(numbers, FLARE23.names), "withdrawn", "for the benchmark")

    yield row(f"{name}: promotion of {cases} × 13", timed(promote), 5.0)
    yield row(f"{name}: what one import adds", adds(catalog), 0.010)
    yield row(f"{name}: withdrawing {cases} labels", timed(withdraw), 5.0)


def measure_pile(catalog: Catalog, cases: int, name: str, most: int) -> Iterator[dict[str, Any]]:
    """The reads again while versions pile up, half of them withdrawn and half superseded."""
    before = timed(lambda: read_all(catalog), 5)
    for versions in range(2 * VERSIONS, most + 1, VERSIONS):
        pile_up(catalog, cases, versions)
        later = timed(lambda: read_all(catalog), 5)
        yield row(f"{name}: all again with {versions} versions a case", later, 0.15, before, f"at {VERSIONS} versions")
        yield row(f"{name}: one case with {versions} versions", timed(lambda: read_one(catalog), 21), 0.002)
    yield row(f"{name}: what one import adds at {most} versions", adds(catalog), 0.010)


def measure_status(workspace: Workspace, name: str) -> Iterator[dict[str, Any]]:
    """`status`: as a command with its bytecode, as it is installed, and in process."""
    command = [sys.executable, "-m", "flaredb", "-w", str(workspace.root), "--json", "status"]
    compiled = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(workspace.root / "bytecode")}

    def ask() -> None:
        subprocess.run(command, check=True, capture_output=True, env={**os.environ, **compiled})

    ask()
    yield row(f"{name}: status as a command", timed(ask, 9), 0.8)
    yield row(f"{name}: status in process", timed(lambda: status(workspace), 9), 0.1)


def adds(catalog: Catalog) -> float:
    """Seconds that keeping the log adds to an import: the median with it less the median without."""
    return timed(lambda: add_one(catalog), 21) - timed(lambda: add_one(catalog, keep=False), 21)


def add_one(catalog: Catalog, keep: bool = True) -> None:
    """A correction of one case comes in; `keep` the log, or leave it as it is."""
    with catalog.run("import", {}) as run, run.write() as write:
        labels.ensure_source(write, "corrections", "ground-truth")
        presence = {name: labels.Presence(1, None) for name in EVERY}
        label = labels.NewLabel(
            "FLARE23_0001", "corrections", "ground-truth", f"{time.time_ns():064}", identity(FLARE23), EVERY, presence,
            {}, datetime.now(UTC),
        )  # fmt: skip
        labels.add(write, label)
        acceptances.accept_at_import(write, labels.source_number(write.connection, "corrections"), FLARE23.names)
        if not keep:
            write.touched.clear()


def pile_up(catalog: Catalog, cases: int, versions: int) -> None:
    """Forty more versions a case: twenty revisions that the next supersedes, twenty that are withdrawn."""
    everyone = list(range(1, cases + 1))
    with catalog.run("import", {}) as run, run.write() as write:
        mapping = labels.mapping_number(write, identity(FLARE23))
        source = labels.source_number(write.connection, "source7")
        for step in range(20):
            add_version(write, source, "pseudo", versions + step, everyone, mapping)
    for step in range(20):
        with catalog.run("import", {}) as run, run.write() as write:
            source = labels.ensure_source(write, f"withdrawn{versions}-{step}", "pseudo")
            add_version(write, source, "pseudo", 1, everyone, mapping)
            acceptances.record(write, ("source", source), FLARE23.names, "withdrawn", "for the benchmark")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=4000)
    parser.add_argument("--most", type=int, default=200, help="versions a case that pile up in the end")
    parser.add_argument("--postgresql", help="URL of an empty database to measure beside")
    arguments = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        urls = {"SQLite": CATALOG}
        urls |= {"PostgreSQL": arguments.postgresql} if arguments.postgresql else {}
        for name, url in urls.items():
            root = Path(folder) / name
            with Workspace.create(root, catalog=url) as workspace:
                fill(workspace.catalog, arguments.cases)
                rows += measure(workspace.catalog, arguments.cases, name)
                rows += measure_status(workspace, f"{name}, {VERSIONS} versions")
                if arguments.most > VERSIONS:
                    rows += measure_pile(workspace.catalog, arguments.cases, name, arguments.most)
                    rows += measure_status(workspace, f"{name}, {arguments.most} versions")
    machine = {"cpus": os.cpu_count(), "platform": platform.platform(), "python": platform.python_version()}
    print(json.dumps({"benchmark": "current_label", "machine": machine, "rows": rows}))


if __name__ == "__main__":
    main()
