"""Rounds: snapshot, train, predict, evaluate, promote or reject. Every step can be entered again after a crash."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import NamedTuple

from flaredb.catalog import cases, labels, models, rounds
from flaredb.catalog.database import Connection, Run
from flaredb.catalog.rounds import Round
from flaredb.errors import ConflictError, InvalidDataError, NeedsPeopleError, NotFoundError
from flaredb.trainers import config
from flaredb.trainers.config import Config
from flaredb.workflow.commands import Commands
from flaredb.workflow.label.reliability import score_labels
from flaredb.workflow.predict.cases import PredictOptions, predict_cases
from flaredb.workflow.provenance.taint import refuse_tainted
from flaredb.workflow.results import Result
from flaredb.workflow.rounds.ancestry import refuse_leak
from flaredb.workflow.rounds.decide import accept
from flaredb.workflow.rounds.events import announced
from flaredb.workflow.rounds.gate import GateRules
from flaredb.workflow.rounds.gate_report import gate_report
from flaredb.workflow.rounds.outside import predict_outside, train_outside, unlabelled
from flaredb.workflow.rounds.promotion_filter import read_filter
from flaredb.workflow.rounds.set_aside import set_aside
from flaredb.workflow.rounds.show import round_show
from flaredb.workflow.snapshot.create import freeze
from flaredb.workflow.train.model import continue_training, register
from flaredb.workflow.train.process import TrainOptions
from flaredb.workspace import Workspace

ENOUGH = 0.99  # share of the cases that must be predicted before a round goes on


class RoundOptions(NamedTuple):
    """Settings of a round: how to train, which model to start from, who decides at the gate.

    `warm`: a model, `latest:TASK`, `latest` (the task's newest when the round starts; none before that), or `none`.
    `tainted`: learn even from what descends from labels that are withdrawn now. `predict`: how it predicts, but for
    the device. `commands`: train, and predict, with another program. `reliability`: what a promotion asks of each
    label, as `promotion_filter.read_filter` reads it.
    """

    settings: Config
    warm: str | None = None
    gate: str = "auto"
    where: str | None = None
    device: str = "auto"
    tainted: bool = False
    rules: GateRules = GateRules()
    predict: PredictOptions = PredictOptions()
    commands: Commands = Commands()
    reliability: str = ""


def round_start(workspace: Workspace, task: str, options: RoundOptions) -> Result:
    """Open a round: freeze what it trains from and the references it will be judged on."""
    workspace.task(task)
    read_filter(options.reliability)
    arguments = {"task": task, "warm": options.warm, "settings": asdict(options.settings)}
    with workspace.run("round start", **arguments) as run, run.write() as write:
        findings = set_aside(workspace, write, task)
        reference = freeze(workspace, write, task, "reference").name
        snapshot = freeze(workspace, write, task, "train", options.where).name
        warm = _warm(write.connection, task, options.warm)
        refuse_leak(write.connection, snapshot, warm, reference)
        if not options.tainted:
            refuse_tainted(write.connection, snapshot, warm)
        settings = {
            "config": asdict(options.settings),
            "warm": warm,
            "gate": options.gate,
            "device": options.device,
            "tainted": options.tainted,
            "where": options.where,
            "rules": options.rules._asdict(),
            "predict": options.predict._asdict(),
            "commands": options.commands._asdict(),
            "reliability": options.reliability,
        }
        name = rounds.add(write, task, snapshot, reference, settings)
        write.add_findings(findings)
    return Result(write.operation, (name,), added=1, findings=tuple(findings))


def _warm(connection: Connection, task: str, asked: str | None) -> str | None:
    """The model that a round starts from; `latest` is the task's newest, and none where it has none yet."""
    if not asked or asked == "none":
        return None
    if asked != "latest":
        return models.find(connection, asked).name
    try:
        return models.find(connection, f"latest:{task}").name
    except NotFoundError:
        return None


@announced(failures=True)
def advance(workspace: Workspace, name: str, model: str | None = None) -> Result:
    """Take a round exactly one state further. `model`: an open round predicts with this one, trained by hand.

    ConflictError if the round is closed, another process works on it, or the model may not be judged by its references.
    """
    turn = _unclosed(workspace, name)
    with workspace.lock(f"round {turn.name}"):
        turn = _unclosed(workspace, turn.name)  # another may have worked on it until now
        step = {"open": _train, "trained": _predict, "predicted": _evaluate, "evaluated": _close}[turn.state]
        with workspace.run("round advance", round=turn.name, state=turn.state, model=model) as run:
            return _adopt(workspace, run, turn, model) if model else step(workspace, run, turn)


def _unclosed(workspace: Workspace, name: str) -> Round:
    with workspace.catalog.read() as connection:
        turn = rounds.find(connection, name)
    if turn.closed:
        raise ConflictError(f"round {turn.name} is {turn.state}; start another: flaredb round start --task {turn.task}")
    return turn


def run_to_end(workspace: Workspace, name: str) -> Round:
    """Advance until the round is closed or waits for people."""
    while True:
        with workspace.catalog.read() as connection:
            turn = rounds.find(connection, name)
        if turn.closed or (turn.state == "evaluated" and turn.settings["gate"] == "ask"):
            return turn
        workspace.reporter.say(f"round {turn.name}: {turn.state}")
        advance(workspace, name)


def _adopt(workspace: Workspace, run: Run, turn: Round, name: str) -> Result:
    """Let a round predict with a model that was trained by hand."""
    if turn.state != "open":
        raise ConflictError(f"round {turn.name} is {turn.state} with {turn.model}; a model is given to an open round")
    with run.write() as write:
        model = models.find(write.connection, name)
        if model.task != turn.task:
            raise ConflictError(f"{model.name} learnt the task {model.task}, and {turn.name} is of {turn.task}")
        if model.state != "trained":
            raise ConflictError(f"{model.name} is not trained to the end; flaredb train --resume {model.name}")
        if not model.snapshot and not models.cases_of(write.connection, model.id):
            raise ConflictError(
                f"nothing tells which cases {model.name} learnt from, so that nobody could judge it; tell: "
                "flaredb model import DIR --snapshot ID, or --splits splits_final.json"
            )
        refuse_leak(write.connection, turn.snapshot, model.name, turn.reference)
        if not turn.settings.get("tainted"):
            refuse_tainted(write.connection, turn.snapshot, model.name, "give another model")
        rounds.set_model(write, turn.id, model.name)
        told = f"given {model.name}, trained from {model.snapshot or 'elsewhere'}"
        rounds.move(write, turn, "trained", told)
    return Result(write.operation, (model.name,), added=1)


def _train(workspace: Workspace, run: Run, turn: Round) -> Result:
    commands = Commands.of(turn.settings.get("commands"))
    with run.write() as write:
        model = turn.model
        trained = model is not None and models.find(write.connection, model).state == "trained"
        if not trained and not turn.settings.get("tainted"):
            way_on = f"flaredb round reject {turn.name} --why …, and start another"
            refuse_tainted(write.connection, turn.snapshot, turn.settings["warm"], way_on)
        if model is None and not commands.train:
            settings = config.from_document(turn.settings["config"])
            if settings.validate_every:
                settings = replace(settings, validation_snapshot=turn.reference)
            model = register(workspace, write, turn.snapshot, settings, turn.settings["warm"])
            rounds.set_model(write, turn.id, model)
    if model is None:
        model = train_outside(workspace, turn, commands)
        with run.write() as write:
            rounds.set_model(write, turn.id, model)
    elif not trained:
        again = f"flaredb round advance {turn.name}"
        continue_training(workspace, run, model, TrainOptions(turn.settings["device"], again=again))
    with run.write() as write:
        rounds.move(write, turn, "trained", f"trained {model}")
    return Result(write.operation, (model,), added=1)


def _predict(workspace: Workspace, run: Run, turn: Round) -> Result:
    """Predict every case that has an image."""
    with workspace.catalog.read() as connection:
        model = models.find(connection, turn.model or "")
        names = [case.name for case in cases.every(connection) if case.image and not case.excluded]
    result = _predictions(workspace, run, turn, model, names)
    if result.failed > (1 - ENOUGH) * len(names):
        raise InvalidDataError(f"{result.failed} of {len(names)} cases could not be predicted", result.findings)
    score_labels(workspace, run, turn.name)
    with run.write() as write:
        rounds.set_source(write, turn.id, labels.source_number(write.connection, turn.name))
        rounds.move(write, turn, "predicted", f"{len(names) - result.failed} cases predicted")
    return result._replace(operation=write.operation)


def _predictions(workspace: Workspace, run: Run, turn: Round, model: models.Model, names: list[str]) -> Result:
    """By flaredb, or by the program that trained the model, or by hand."""
    commands = Commands.of(turn.settings.get("commands"))
    if model.origin != models.FOREIGN:
        told = dict(turn.settings.get("predict") or {}) | {"device": turn.settings["device"]}
        told["mirror"] = tuple(told.get("mirror", ()))
        return predict_cases(workspace, run, model, turn.name, names, PredictOptions(**told))
    if commands.predict:
        return predict_outside(workspace, turn, model, commands, names)
    missing = unlabelled(workspace, turn, model, names)
    if len(missing) > (1 - ENOUGH) * len(names):
        raise NeedsPeopleError(
            f"{len(missing)} of {len(names)} cases have no prediction of {model.name}, which another program makes; "
            f"then: flaredb ingest labels DIR --round {turn.name}"
        )
    return Result(None, unchanged=len(names) - len(missing), failed=len(missing))


def _evaluate(workspace: Workspace, run: Run, turn: Round) -> Result:
    """Score champion and challenger on the frozen references, and judge."""
    report, findings = gate_report(workspace, run, turn)
    with run.write() as write:
        rounds.move(write, turn, "evaluated", "judged on the references", report)
        write.add_findings(findings)
    return Result(write.operation, (turn.name,), added=1, findings=findings)


def _close(workspace: Workspace, run: Run, turn: Round) -> Result:
    """Act on the gate's report."""
    if turn.settings["gate"] == "ask":
        raise ConflictError(
            f"round {turn.name} waits for a decision: flaredb round promote or reject {turn.name} --why …"
        )
    report = round_show(workspace, turn.name)["gate"]
    passed = [name for name, row in report["structures"].items() if row["decision"] == "promote"]
    with run.write() as write:
        if passed:
            accept(workspace, write, turn, passed, "the gate passed them")
        else:
            rounds.move(write, turn, "rejected", "the gate passed nothing")
    return Result(write.operation, (turn.name,), added=len(passed))
