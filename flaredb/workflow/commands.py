"""Run another program's commands in a folder: without a shell, each once, with a log, and never two runs at a time."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from flaredb.errors import ConflictError, FlareError, UnfinishedError, UsageError
from flaredb.progress import Reporter
from flaredb.trainers.stopping import Stop

Argv = tuple[str, ...]
_POLL_S = 0.2
_GRACE_S = 30  # for a program that was asked to end


class Commands(NamedTuple):
    """Commands of another program, each a list of words with placeholders, run in order.

    `model`: where the trained model will be; empty to look for it under `{results}`.
    """

    train: tuple[Argv, ...] = ()
    predict: tuple[Argv, ...] = ()
    model: str = ""

    @classmethod
    def of(cls, document: Mapping[str, object] | None) -> Commands:
        """Read what `_asdict` wrote, through JSON or not."""
        told = document or {}
        listed = {key: tuple(tuple(argv) for argv in told.get(key, ())) for key in ("train", "predict")}  # type: ignore[attr-defined]
        return cls(**listed, model=str(told.get("model", "")))


def clear(root: Path) -> None:
    """Remove all that other programs worked on for rounds; ConflictError while one of them is at work.

    What is lost is made again where a round still needs it.
    """
    for folder in sorted((root / "rounds").glob("*/")):
        with Workbench(root, folder, {}, "the same command again", Reporter()):
            shutil.rmtree(folder)


class Workbench:
    """A folder where commands run, one holder at a time; the lock lasts as long as any of its programs does."""

    def __init__(self, root: Path, folder: Path, places: Mapping[str, str], again: str, reporter: Reporter) -> None:
        """`root`: the workspace; `places`: what placeholders stand for; `again`: the command that goes on."""
        self.root, self.folder, self.places, self.again, self.reporter = root, folder, places, again, reporter
        self._lock = -1

    def __enter__(self) -> Self:
        """ConflictError if a program that an earlier, killed call started is still at work here."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._lock = os.open(self.folder / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(self._lock, 32, 0).decode().strip() or "unknown"
            os.close(self._lock)
            raise ConflictError(
                f"{self.folder.name}: a command that was started before still runs (process {holder}); wait for it, "
                f"or end it, then: {self.again}"
            ) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._lock)

    def filled(self, text: str) -> str:
        """A word with its placeholders replaced."""
        return text.format_map(self.places)

    def run(self, stage: str, commands: tuple[Argv, ...], given: str = "") -> None:
        """Run commands one after the other, but those that came to their end before; `given`: what else they work on.

        FlareError names the log of a command that fails, UsageError a program that is not there; UnfinishedError if
        it was told to stop.
        """
        for number, argv in enumerate(commands, start=1):
            words = [self.filled(word) for word in argv]
            mark = self.folder / "done" / f"{stage}-{number}.json"
            told = json.dumps({"command": argv, "given": given})
            if mark.exists() and mark.read_text(encoding="utf-8") == told:
                continue
            self._run(words, self.folder / "logs" / f"{stage}-{number}.log")
            mark.parent.mkdir(exist_ok=True)
            part = mark.with_suffix(".part")
            part.write_text(told, encoding="utf-8")
            part.replace(mark)

    def forget(self, stage: str) -> None:
        """Take the stage's commands for not done."""
        for mark in self.folder.glob(f"done/{stage}-*.json"):
            mark.unlink()

    def _run(self, words: list[str], log: Path) -> None:
        shown = str(log.relative_to(self.root))
        log.parent.mkdir(exist_ok=True)
        self.reporter.say(f"{' '.join(words)[:300]}; log: {shown}")
        with log.open("ab") as out:
            code = self._call([self._program(words[0]), *words[1:]], out.fileno())
        if code:
            last = log.read_bytes()[-4000:].decode(errors="replace").strip().splitlines()
            raise FlareError(
                f"{Path(words[0]).name} ended with {code}: {last[-1][:300] if last else 'it said nothing'}; the log: "
                f"{shown}; once that is mended: {self.again}"
            )

    def _call(self, words: list[str], out: int) -> int:
        """A program to its end; its exit code. SIGTERM is passed on, and ends in an UnfinishedError."""
        own = {f"nnUNet_{name}": str(self.folder / f"nnUNet_{name}") for name in ("raw", "preprocessed", "results")}
        with Stop().on_signal() as stop:
            process = subprocess.Popen(  # noqa: S603  the owner of the workspace says what runs
                words, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=self.folder,
                env={**os.environ, **own}, pass_fds=(self._lock,),
            )  # fmt: skip
            os.pwrite(self._lock, f"{process.pid:<31}\n".encode(), 0)
            try:
                while (code := _waited(process, _POLL_S)) is None:
                    if stop.reason:
                        raise UnfinishedError(f"{stop.reason}; nothing is lost; run me again: {self.again}")
            except BaseException:
                process.terminate()
                if _waited(process, _GRACE_S) is None:
                    process.kill()
                    process.wait()
                raise
        return code

    def _program(self, name: str) -> str:
        """Where a program is; one that is named by a relative path is looked for in the workspace."""
        given = str(self.root / name) if os.sep in name else name
        found = shutil.which(given)
        if found is None:
            raise UsageError(
                f"{name}: no such program; the round keeps the commands it was started with: put the program "
                "there, or reject the round, mend flaredb.toml and start another"
            )
        return found


def _waited(process: subprocess.Popen[bytes], seconds: float) -> int | None:
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        return None
