"""Trying inputs in processes of their own, and what must be true of each and after all."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from tests.cohorts import Done, environment, flaredb
from tests.mutation.inputs import CASE, Input, make

LONGEST = 60.0  # seconds for an input; reading a GiB of zeros takes some six
ROOM_MIB = 768  # of address space beyond what the loaded program takes
CODES = {0, 1, 2, 3, 4, 5}


class Trial(NamedTuple):
    """What became of the inputs: how many were refused or taken by kind, exit codes, rules, and what went wrong."""

    seed: int
    kinds: Counter[str]
    codes: Counter[int]
    rules: Counter[str]
    slowest: float
    peak_mib: float
    problems: list[str]

    def __str__(self) -> str:
        total = sum(self.codes.values())
        lines = [
            f"seed {self.seed}: {total} inputs, slowest {self.slowest:.1f} s, most memory {self.peak_mib:.0f} MiB, "
            f"{len(self.problems)} problems",
            "kinds: " + ", ".join(f"{kind} {n}" for kind, n in sorted(self.kinds.items())),
            "exit codes: " + ", ".join(f"{code} {n}" for code, n in sorted(self.codes.items())),
            "findings: " + ", ".join(f"{rule} {n}" for rule, n in self.rules.most_common()),
        ]
        return "\n".join([*lines, *self.problems])


def run(folder: Path, count: int, seed: int) -> Trial:
    """Make inputs and try them on a workspace with one whole case."""
    root, files = folder / "workspace", folder / "files"
    files.mkdir(parents=True)
    inputs = list(make(files, count, Random(seed)))
    problems = _prepare(root, files)
    before = _listing(folder)
    notes = _notes(folder, root, inputs)
    told = {note["number"]: note for note in notes if "code" in note}
    for number, each in enumerate(inputs):
        name = f"{number} {each.kind} ({each.damage}): flaredb {' '.join(each.command)[:300]}"
        problems += [f"{name}: {wrong}" for wrong in faults_of(told.get(number), each.least)]
    after = _listing(folder)
    problems += [
        f"{path} was {'changed' if path in after else 'removed'}" for path in before if after.get(path) != before[path]
    ]
    problems += [f"{path} appeared" for path in after.keys() - before.keys()]
    checked = flaredb("fsck", "--voxels", workspace=root)
    problems += [] if checked.code == 0 and not checked.json["problems"] else [f"fsck: {checked.out} {checked.err}"]
    found = [f["rule"] for note in told.values() for f in _document(note).get("findings", [])]
    return Trial(
        seed,
        Counter(each.kind for each in inputs),
        Counter(note["code"] for note in told.values()),
        Counter(found),
        max((note["seconds"] for note in told.values()), default=0.0),
        max((note["peak_mib"] for note in told.values()), default=0.0),
        problems,
    )


def _prepare(root: Path, files: Path) -> list[str]:
    """A workspace with a whole case; whatever does not come in undamaged is a problem of the trial."""
    whole = files / "whole"
    done: list[Done] = [flaredb("init", root)]
    for name in (f"{CASE}_0000.nii.gz", "b.mha", "c.mhd", "b.nrrd", "series"):
        case = CASE if name.startswith(CASE) else name.replace(".", "-")
        done.append(flaredb("ingest", "images", whole / name, "--case", case, workspace=root))
    return [f"whole: {each.out}{each.err}" for each in done if each.code]


def _notes(folder: Path, root: Path, inputs: list[Input]) -> list[dict[str, Any]]:
    """What the workers noted; one that dies or hangs is replaced and goes on after the input that stopped it."""
    listed, notes = folder / "inputs.jsonl", folder / "notes.jsonl"
    notes.touch()
    begin = 0
    while begin < len(inputs):
        rest = [json.dumps([number, each.command]) for number, each in enumerate(inputs) if number >= begin]
        listed.write_text("\n".join(rest))
        command = [sys.executable, "-m", "tests.mutation.worker", str(root), str(listed), str(notes), str(ROOM_MIB)]
        with (folder / "errors.txt").open("wb") as errors:
            worker = subprocess.Popen(command, cwd=folder, stdout=errors, stderr=errors, env=_environment())
            _watch(worker, notes)
        read = [json.loads(line) for line in notes.read_text(encoding="utf-8").splitlines()]
        begun = [note["number"] for note in read]
        if len(read) % 2 or not begun or begun[-1] < begin:  # the last one never ended, or none began
            said = (folder / "errors.txt").read_text(errors="replace")[-2000:]
            stopped = begun[-1] if begun and begun[-1] >= begin else begin
            died = {"number": stopped, "died": f"ended with {worker.returncode}: {said}"}
            with notes.open("a") as out:
                out.write("".join(json.dumps(died) + "\n" for _ in range(1 if len(read) % 2 else 2)))
            begin = stopped + 1
        else:
            begin = begun[-1] + 1
    return [json.loads(line) for line in notes.read_text(encoding="utf-8").splitlines()]


def _watch(worker: subprocess.Popen[bytes], notes: Path) -> None:
    """Wait for a worker as long as it goes on noting."""
    size, since = notes.stat().st_size, time.monotonic()
    while worker.poll() is None:
        time.sleep(0.1)
        if notes.stat().st_size != size:
            size, since = notes.stat().st_size, time.monotonic()
        elif time.monotonic() - since > LONGEST:
            worker.kill()
            worker.wait()


def _environment() -> dict[str, str]:
    return environment(PYTHONPATH=str(Path(__file__).parents[2]))


def faults_of(note: dict[str, Any] | None, least: int = 0) -> list[str]:
    """What must not be of one input: death, a code that means a fault, a traceback, no document, remains."""
    if note is None:
        return ["the process died or hung"]
    wrong = [] if note["code"] in CODES else [f"exit code {note['code']}: {note['err'][:600]}"]
    wrong += ["a traceback"] if "Traceback" in note["err"] + note["out"] else []
    wrong += ["something is left in staging"] if note["staged"] else []
    document = _document(note)
    errors = [f for f in document.get("findings", []) if f["severity"] == "error"]
    if document.get("added", 0) + document.get("unchanged", 0) < least:
        wrong.append(f"whole files did not come in: {note['out'][:600]}")
    if not document:
        wrong.append(f"no document on stdout: {note['out'][:200]!r}")
    elif "error" not in document and note["code"] != (1 if document["failed"] else 0):
        wrong.append(f"exit code {note['code']} with {document['failed']} failed")
    elif document.get("failed") and not errors:
        wrong.append("something failed and no finding says why")
    elif not note["err"].strip() and "error" in document:
        wrong.append("refused without a word on stderr")
    return wrong


def _document(note: dict[str, Any]) -> dict[str, Any]:
    try:
        read = json.loads(note["out"])
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}


def _listing(folder: Path) -> dict[str, tuple[int, int]]:
    """Every file but those of the workspace and the trial's own: size and time."""
    found = {}
    for path in sorted(folder.rglob("*")):
        place = path.relative_to(folder)
        if place.parts[0] == "files":
            facts = path.lstat()
            found[place.as_posix()] = (facts.st_size, facts.st_mtime_ns if not path.is_dir() else 0)
    return found
