"""Settings of a task, as `[task.NAME]` in `flaredb.toml` has them; an error names file, key and what is allowed.

[task.organ]
structures = ["liver", "spleen"]   # of a task of one's own; the others have theirs
preset = "small"
set = { steps = 4000 }
warm = "latest"                    # a model, latest:TASK, latest (none in the first round), none
where = "spacing_z_mm <= 5"
device = "auto"
gate = { mode = "ask", gain = 0.01 }
reliability = "4%"                 # a promotion drops the worst; or a least value, 0.6; or "flare22"
predict = { mirror = "zyx", engine = "openvino" }
[task.organ.commands]              # train and predict with another program
train = [["nnUNetv2_train", "{id}", "3d_fullres", "0", "--c"]]
predict = [["nnUNetv2_predict", "-i", "{images}", "-o", "{predictions}"]]
"""

from __future__ import annotations

import string
from collections.abc import Mapping
from typing import Any, NamedTuple

from flaredb.errors import InvalidDataError, NotFoundError
from flaredb.trainers.engines import ENGINES, PRECISIONS
from flaredb.trainers.presets import PRESETS, load_config
from flaredb.workflow.commands import Argv, Commands
from flaredb.workflow.predict.plan import PredictOptions
from flaredb.workflow.rounds.advance import RoundOptions
from flaredb.workflow.rounds.gate import GateRules
from flaredb.workflow.rounds.promotion_filter import read_filter
from flaredb.workspace import Workspace

PLACES = (
    "round", "task", "number", "snapshot", "file", "id", "name", "folder", "dataset", "preprocessed", "results",
    "images", "predictions", "model",
)  # fmt: skip
DEVICES = ("auto", "cpu", "cuda")
MODES = ("auto", "ask")


class TaskSettings(NamedTuple):
    """What a task's table says; None or empty where it is silent."""

    preset: str | None = None
    changes: Mapping[str, str] = {}
    warm: str | None = None
    where: str | None = None
    device: str | None = None
    mode: str | None = None
    rules: GateRules = GateRules()
    predict: PredictOptions = PredictOptions()
    commands: Commands = Commands()
    reliability: str = ""


def task_settings(workspace: Workspace, task: str) -> TaskSettings:
    """The settings of a task; NotFoundError if there is none of that name, InvalidDataError for what cannot be."""
    workspace.task(task)
    table = _Table(f"[task.{task}]", workspace.settings.get("task", {}).get(task, {}))
    table.known("structures", "preset", "set", "warm", "where", "device", "gate", "predict", "commands", "reliability")
    gate = table.inner("gate")
    gate.known("mode", *GateRules._fields)
    found = TaskSettings(
        preset=table.choice("preset", tuple(PRESETS)),
        changes={key: _text(value) for key, value in table.inner("set").values.items()},
        warm=table.text("warm"),
        where=table.text("where"),
        device=table.choice("device", DEVICES),
        mode=gate.choice("mode", MODES),
        rules=GateRules(**{name: gate.number(name, own) for name, own in GateRules()._asdict().items()}),
        predict=_predict(table.inner("predict")),
        commands=_commands(table.inner("commands")),
        reliability=_reliability(table),
    )
    try:
        load_config(found.preset or "small", dict(found.changes))
    except (InvalidDataError, NotFoundError) as error:
        raise InvalidDataError(f"{table.where} set: {error}") from error
    return found


class _Table:
    """A table of the file, and how it is called in messages."""

    def __init__(self, name: str, values: Any) -> None:
        self.where = f"flaredb.toml, {name}"
        if not isinstance(values, dict):
            raise InvalidDataError(f"{self.where} is a table, not {values!r}")
        self.name, self.values = name, values

    def known(self, *names: str) -> None:
        """InvalidDataError for a key that is none of these."""
        for key in self.values:
            if key not in names:
                raise InvalidDataError(f"{self.where}: no setting {key!r}; there are: {' '.join(names)}")

    def inner(self, key: str) -> _Table:
        """A table in this one; an empty one if it is not there."""
        return _Table(f"{self.name[:-1]}.{key}]", self.values.get(key, {}))

    def text(self, key: str) -> str | None:
        """A text that is not empty."""
        value = self.values.get(key)
        if value is not None and (not isinstance(value, str) or not value):
            raise self.wrong(key, "a text")
        return value

    def choice(self, key: str, allowed: tuple[str, ...]) -> str | None:
        """One of some words."""
        value = self.text(key)
        if value is not None and value not in allowed:
            raise self.wrong(key, f"one of: {' '.join(allowed)}")
        return value

    def number(self, key: str, otherwise: float) -> float:
        """A number from -1 to 1."""
        value = self.values.get(key, otherwise)
        if isinstance(value, bool) or not isinstance(value, int | float) or not -1 <= value <= 1:
            raise self.wrong(key, "a number from -1 to 1")
        return float(value)

    def yes(self, key: str) -> bool:
        """True or false."""
        value = self.values.get(key, False)
        if not isinstance(value, bool):
            raise self.wrong(key, "true or false")
        return value

    def wrong(self, key: str, wanted: str) -> InvalidDataError:
        """The error for a value that cannot be."""
        return InvalidDataError(f"{self.where} {key} = {self.values[key]!r}: {wanted}")


def _predict(table: _Table) -> PredictOptions:
    table.known("engine", "precision", "mirror", "crop", "skip_air", "postprocess", "workers")
    own = PredictOptions()
    mirror = table.text("mirror") or ""
    if len(set(mirror) & set("zyx")) != len(mirror):
        raise table.wrong("mirror", "axes, such as zyx")
    workers = table.values.get("workers", own.workers)
    if isinstance(workers, bool) or not isinstance(workers, int) or workers < 1:
        raise table.wrong("workers", "a number of processes")
    recipe = table.text("postprocess") or own.postprocess
    if recipe == "auto":
        raise table.wrong("postprocess", "a recipe; auto would choose by the cases that judge the round")
    return PredictOptions(
        mirror=tuple(sorted("zyx".index(axis) for axis in mirror)),
        engine=table.choice("engine", ENGINES) or own.engine,
        precision=table.choice("precision", PRECISIONS) or own.precision,
        crop=table.yes("crop"),
        skip_air=table.yes("skip_air"),
        postprocess=recipe,
        workers=workers,
    )


def _reliability(table: _Table) -> str:
    value = table.values.get("reliability", "")
    try:
        read_filter(str(value))
    except InvalidDataError as error:
        raise InvalidDataError(f"{table.where}: {error}") from error
    return str(value)


def _commands(table: _Table) -> Commands:
    table.known("train", "predict", "model")
    return Commands(_argvs(table, "train"), _argvs(table, "predict"), table.text("model") or "")


def _argvs(table: _Table, key: str) -> tuple[Argv, ...]:
    """One command as a list of words, or several as a list of lists."""
    value = table.values.get(key, [])
    listed = [value] if isinstance(value, list) and value and isinstance(value[0], str) else value
    if not isinstance(listed, list) or not all(_is_argv(each) for each in listed):
        raise table.wrong(key, 'a list of words, such as ["nnUNetv2_train", "{id}", …], or a list of such lists')
    for word in (word for argv in listed for word in argv):
        try:
            fields = {field for _, field, _, _ in string.Formatter().parse(word) if field is not None}
        except ValueError as error:
            raise table.wrong(key, f"{word!r}: {error}; a brace is written twice") from error
        if unknown := fields - set(PLACES):
            raise table.wrong(key, f"no placeholder {{{sorted(unknown)[0]}}}; there are: {' '.join(PLACES)}")
    return tuple(tuple(argv) for argv in listed)


def _is_argv(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(word, str) and word for word in value)


def _text(value: Any) -> str:
    """A value of TOML as `--set` has it."""
    if isinstance(value, list):
        return ",".join(_text(part) for part in value)
    return str(value).lower() if isinstance(value, bool) else str(value)


class Asked(NamedTuple):
    """What a command line says of a round; None where it is silent, and the task's table decides."""

    preset: str | None = None
    changes: Mapping[str, str] = {}
    warm: str | None = None
    where: str | None = None
    device: str | None = None
    gate: str | None = None
    tainted: bool = False
    reliability: str | None = None


def round_options(workspace: Workspace, task: str, asked: Asked = Asked()) -> RoundOptions:  # noqa: B008  frozen
    """A round's options: what was asked for, else what the task's table says, else what comes with flaredb.

    A preset that is asked for takes the place of the table's preset with its changes; single changes come on top.
    """
    own = task_settings(workspace, task)
    kept = own.changes if asked.preset is None else {}
    return RoundOptions(
        settings=load_config(asked.preset or own.preset or "small", {**kept, **asked.changes}),
        warm=asked.warm or own.warm,
        gate=asked.gate or own.mode or "auto",
        where=asked.where or own.where,
        device=asked.device or own.device or "auto",
        tainted=asked.tainted,
        rules=own.rules,
        predict=own.predict,
        commands=own.commands,
        reliability=own.reliability if asked.reliability is None else asked.reliability,
    )
