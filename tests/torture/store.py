"""kill -9 over imports, gc and exports, often two at once, and a disk that is full.

What a command that ended had reported is there; what was interrupted completes when it is run again; afterwards no
volume is damaged, missing or pointed at by nobody.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from flaredb.catalog.holdings import pointed_at
from flaredb.cli import main
from flaredb.exchange.write import write_nifti
from flaredb.geometry import FileSpace
from flaredb.volumes.store import VolumeStore
from flaredb.workspace import Workspace
from tests.torture.kills import forked, wait_for
from tests.torture.processes import Notes

SPACE = FileSpace((48, 40, 36), (-2.0, 0, 0, 9, 0, -2.0, 0, 8, 0, 0, 3.0, -7, 0, 0, 0, 1), "int16", (2.0, 2.0, 3.0))
_SCANS, _PARTS, _SOURCES = 12, 4, ("first", "second")
_A_WORKSPACE = 12  # turns; then another one, so that there is always something to import
_HARMLESS = {"orphan-volume", "stale-staging"}


class Killed(NamedTuple):
    """How many commands were killed before they ended, by what they did; how many ended; what is wrong."""

    kills: dict[str, int]
    ended: int
    checked: int
    problems: list[str]

    def __str__(self) -> str:
        told = ", ".join(f"{number} {what}" for what, number in sorted(self.kills.items()))
        return (
            f"{sum(self.kills.values())} commands killed ({told}), {self.ended} ended before; "
            f"{self.checked} reported things looked for again; {len(self.problems)} errors"
        )


class Command(NamedTuple):
    """A command as typed."""

    words: tuple[str, ...]

    @property
    def what(self) -> str:
        return self.words[0]


class Outcome(NamedTuple):
    """What a process came to: its exit code, and the JSON it printed if it ended."""

    code: int
    said: dict[str, Any]


def torture(folder: Path, kills: int, seed: int) -> Killed:
    """Kill commands at random moments until so many died, and look after each turn and at the end of each workspace."""
    rng = random.Random(f"{seed} store")
    files = make_files(folder / "files", seed)
    seconds = _durations(folder / "timed", files)
    died: dict[str, int] = {"ingest": 0, "gc": 0, "export": 0}
    ended, checked, problems = 0, 0, []
    for number in count():
        turn = Turn(folder / f"store-{number}", files, rng, seconds)
        for _ in range(_A_WORKSPACE):
            if sum(died.values()) >= kills:
                break
            for command, outcome in turn.take():
                if outcome.code == -9:
                    died[command.what] += 1
                ended += outcome.code != -9
        turn.finish()
        checked += turn.checked
        problems += [f"store {number}: {what}" for what in turn.problems]
        if sum(died.values()) >= kills:
            return Killed(died, ended, checked, problems)
    raise AssertionError("unreachable")


class Turn:
    """A workspace that is tortured, and what its commands have reported."""

    def __init__(
        self,
        folder: Path,
        files: Path,
        rng: random.Random,
        seconds: dict[str, float],
        disk: Path | None = None,
        whole: bool = False,
    ) -> None:
        """`disk`: where the volumes are, else in the workspace; `whole`: the workspace is there, too."""
        self.folder, self.files, self.rng, self.seconds = folder, files, rng, seconds
        self.root = (disk if disk and whole else folder) / "workspace"
        self.volumes = (disk or self.root) / "volumes"
        self.problems: list[str] = []
        self.reported: set[str] = set()
        self.exports: list[Path] = []
        self.wanted: list[Command] = []
        self.checked = 0
        folder.mkdir(parents=True, exist_ok=True)
        Workspace.create(self.root, volumes=str(self.volumes) if disk else "volumes").close()

    def take(self) -> Iterator[tuple[Command, Outcome]]:
        """One or two commands at once, each killed at a random moment; then a look at what is there."""
        self._litter()
        begun = [self._begin(command) for command in self._draw()]
        for command, process, file, moment in sorted(begun, key=lambda one: one[3]):
            outcome = self._kill(command, process, file, moment)
            self._note(command, outcome)
            yield command, outcome
        self._look()

    def finish(self) -> None:
        """All commands again, undisturbed; then nothing may be missing, damaged, or left over."""
        for command in self.wanted:
            outcome = self.run(command)
            if outcome.code != 0 or outcome.said.get("failed"):
                self.problems.append(f"{command.words} again: {outcome}")
            self._note(command, outcome)
        self.run(Command(("gc", "--yes", "--age", "0")))
        done = self.run(Command(("fsck", "--voxels", "--history")))
        if done.code != 0 or done.said.get("problems"):
            self.problems.append(f"fsck --voxels: {done}")
        store = VolumeStore(self.volumes)
        with Workspace.open(self.root) as workspace, workspace.catalog.read() as connection:
            if extra := set(store.digests()) ^ pointed_at(connection):
                self.problems.append(f"unreferenced or missing after gc: {sorted(extra)}")
        if left := [*store.staged(), *store.trashed(), *store.quarantined()]:
            self.problems.append(f"left over: {left}")
        self._reported()

    def run(self, command: Command) -> Outcome:
        """A command to its end."""
        _, process, file, _ = self._begin(command)
        process.join()
        return _outcome(process, file)

    def _draw(self) -> list[Command]:
        part = self.rng.randrange(_PARTS)
        drawn = self.rng.choices(["images", "labels", "export", "gc"], [3, 4, 5, 1])
        if self.rng.random() < 0.3:
            drawn.append("gc")
        return [self._command(what, part) for what in drawn]

    def _command(self, what: str, part: int) -> Command:
        if what == "gc":
            return Command(("gc", "--yes", "--age", "0"))
        if what == "export":
            destination = self.folder / f"export-{len(self.exports)}"
            self.exports.append(destination)
            return Command(("export", "nifti", str(destination)))
        if what == "images":
            made = Command(("ingest", "images", str(self.files / "images" / str(part))))
        else:
            source = self.rng.choice(_SOURCES)
            options = ("--source", source, "--kind", "external", "--annotated", "all", "--grid-from-label")
            made = Command(("ingest", "labels", str(self.files / source / str(part)), *options))
        if made not in self.wanted:
            self.wanted.append(made)
        return made

    def _litter(self) -> None:
        """Volumes that nobody points at, so that gc has something to do; some are what is imported next."""
        store = VolumeStore(self.volumes)
        shape = SPACE.grid.shape
        for _ in range(self.rng.randrange(4)):
            store.put_label(_codes(self.rng.randrange(2 * _SCANS * len(_SOURCES)), shape), SPACE.grid)

    def _begin(self, command: Command) -> tuple[Command, ForkServerProcess, Path, float]:
        file = self.folder / f"{command.what}-{time.monotonic_ns()}.jsonl"
        process = forked().Process(target=_run, args=(self.root, command.words, file))
        process.start()
        wait_for(process, file)
        moment = time.monotonic() + self.rng.uniform(0, 1.1) * self.seconds.get(command.what, 0.0)
        return command, process, file, moment

    def _kill(self, command: Command, process: ForkServerProcess, file: Path, moment: float) -> Outcome:
        process.join(max(0.0, moment - time.monotonic()))
        process.kill()
        process.join()
        outcome = _outcome(process, file)
        nothing_yet = command.what == "export" and "nothing to export" in outcome.said.get("error", "")
        if outcome.code not in (0, -9) and not nothing_yet:
            self.problems.append(f"{command.words} ended with {outcome}")
        return outcome

    def _note(self, command: Command, outcome: Outcome) -> None:
        if outcome.code == 0 and command.what == "ingest":
            self.reported |= set(outcome.said["ids"])

    def _look(self) -> None:
        """Whatever was killed: no row without its volume, every exported file whole, all that was reported there."""
        done = self.run(Command(("fsck",)))
        kinds = {problem["kind"] for problem in done.said.get("problems", [{"kind": f"exit {done.code}"}])}
        if kinds - _HARMLESS:
            self.problems.append(f"fsck after a kill: {done}")
        for destination in self.exports[-1:]:
            for file in destination.rglob("*.nii.gz"):
                with gzip.open(file) as stream:
                    stream.read()  # raises where the file is not whole
            if (destination / "manifest.json").exists():
                listed = json.loads((destination / "manifest.json").read_text(encoding="utf-8"))
                items = listed if isinstance(listed, list) else listed["files"]
                if lost := [item["file"] for item in items if not (destination / item["file"]).exists()]:
                    self.problems.append(f"the manifest lists what is not there: {lost}")
        self._reported()

    def _reported(self) -> None:
        with Workspace.open(self.root) as workspace:
            there = {row["name"] for row in workspace.sql("SELECT name FROM cases")}
            there |= {row["label"] for row in workspace.sql("SELECT DISTINCT label FROM label_provenance")}
        self.checked += len(self.reported)
        if lost := self.reported - there:
            self.problems.append(f"reported and lost: {sorted(lost)}")


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """A disk of its own in memory, for those who may mount one; PermissionError for the others."""
    folder.mkdir(parents=True)
    if not shutil.which("mount"):
        raise PermissionError("there is no mount to make a small disk with")
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], capture_output=True)
    if done.returncode:
        raise PermissionError("only root can mount a small disk")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def full_disk(folder: Path, seed: int) -> list[str]:
    """A disk that is full in the middle of an import, of the volumes alone and of the catalogue too: what is wrong.

    The command says so and ends with 1 or 6; nothing is half-written; with more room the same command completes.
    """
    problems = []
    for number, whole in enumerate((False, True)):
        with small_disk(folder / f"disk-{number}", "4m") as disk:
            own = folder / f"full-{number}"
            turn = Turn(own, make_files(own / "files", seed), random.Random(seed), {}, disk, whole)
            problems += [f"{'everything' if whole else 'volumes'} on a full disk: {what}" for what in _fill(turn, disk)]
    return problems


def _fill(turn: Turn, disk: Path) -> Iterator[str]:
    """Imports, during one of which the disk fills; with room again, all that was asked for is there in the end."""
    first, *others = [turn._command(what, part) for part in range(_PARTS) for what in ("images", "labels")]
    turn._note(first, turn.run(first))
    outcome = next((outcome for command in others if (outcome := _amid(turn, command, disk)).code), Outcome(0, {}))
    if outcome.code not in (1, 6):
        yield f"the import ended with {outcome}"
    if not any(said in json.dumps(outcome.said) for said in ("does not fit on the disk", "is full")):
        yield f"it does not say that the disk is full: {outcome}"
    turn._look()
    turn.finish()
    yield from turn.problems


def _amid(turn: Turn, command: Command, disk: Path) -> Outcome:
    """A command as soon as whose first volume is staged the disk is full, until it ends."""
    _, process, file, _ = turn._begin(command)
    while process.exitcode is None and not list((turn.volumes / "staging").glob("*")):
        time.sleep(0.0005)
    with contextlib.suppress(OSError), (disk / "filler").open("wb", buffering=0) as filler:
        while True:
            filler.write(bytes(1 << 16))
    process.join()
    (disk / "filler").unlink()
    return _outcome(process, file)


def make_files(folder: Path, seed: int) -> Path:
    """Scans and two sources' labels, in parts."""
    generator = np.random.default_rng(seed)
    codes = FileSpace(SPACE.shape, SPACE.affine, "uint8", SPACE.pixdim)
    for number in range(_SCANS):
        place = Path(str(number % _PARTS))
        for name in ("images", *_SOURCES):
            (folder / name / place).mkdir(parents=True, exist_ok=True)
        voxels = generator.integers(-900, 1200, SPACE.grid.shape).astype(np.int16)
        write_nifti(folder / "images" / place / f"case{number:02}_0000.nii.gz", voxels, SPACE)
        for offset, source in enumerate(_SOURCES):
            made = _codes(number * len(_SOURCES) + offset, SPACE.grid.shape)
            write_nifti(folder / source / place / f"case{number:02}.nii.gz", made, codes)
    return folder


def _codes(number: int, shape: tuple[int, int, int]) -> np.ndarray:
    """Label number so-and-so: blocks of codes that differ from any other's."""
    codes = np.zeros(shape, np.uint8)
    codes[number % shape[0] :, number // 3 % shape[1] :] = 1 + number % 13
    codes[0, 0, number % shape[2]] = 3
    return codes


def _durations(folder: Path, files: Path) -> dict[str, float]:
    """How long each command takes undisturbed."""
    turn = Turn(folder, files, random.Random(0), {})
    found = {}
    for what in ("images", "labels", "export", "gc"):
        command = turn._command(what, 0)
        turn._litter()
        begun = time.monotonic()
        turn.run(command)
        found[command.what] = time.monotonic() - begun
    return found


def _run(root: Path, words: tuple[str, ...], notes: Path) -> None:
    """In another process: the command, its output into a file beside its notes."""
    out = os.open(notes.with_suffix(".out"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(out, 1)
    os.dup2(os.open(notes.with_suffix(".err"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
    sys.argv = ["flaredb", "-w", str(root), "--json", *words]
    Notes(notes).add(begins=words[0])
    main()


def _outcome(process: ForkServerProcess, notes: Path) -> Outcome:
    text = notes.with_suffix(".out").read_text(encoding="utf-8") if process.exitcode != -9 else ""
    if process.exitcode not in (0, -9, None):
        error = notes.with_suffix(".err").read_text(encoding="utf-8")[-500:]
        return Outcome(process.exitcode or 0, {**(json.loads(text) if text else {}), "stderr": error})
    return Outcome(process.exitcode or 0, json.loads(text) if text else {})
