"""`flaredb train --dry-run`: what a training would take."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from flaredb.cli.options import App, settings


def show_plan(app: App, options: dict[str, Any]) -> None:
    """Print the plan of `train` with these options; nothing is written."""
    from flaredb.trainers.presets import load_config
    from flaredb.workflow.train.plan import train_plan, train_plan_apart

    if options["resume"] or options["replay"] is not None:
        raise click.UsageError("--dry-run plans a new training: no --resume, --replay")
    config = load_config(options["preset"] or "small", settings(options["pairs"]))
    if options["volumes"] or options["out"]:
        if not (options["snapshot"] and options["volumes"]) or options["task"]:
            raise click.UsageError("without a catalogue give --snapshot FILE and --volumes DIR, and no --task")
        plan = train_plan_apart(Path(options["snapshot"]), options["volumes"], config, options["device"])
    elif options["task"]:
        with app.open() as workspace:
            given = options["snapshot"], options["warm"], options["device"]
            plan = train_plan(workspace, options["task"], config, *given)
    else:
        raise click.UsageError("give --task")
    document = plan.document()
    app.document(document, lambda: app.rows(_rows(document)))


def _rows(plan: dict[str, Any]) -> list[dict[str, str]]:
    """The plan line by line, as people read it."""
    found = plan["estimate"]
    memory, disk, timing = found["memory"], found["disk"], found["timing"]
    of = ("weights", "gradients", "optimiser", "activations", "working")
    parts = ", ".join(f"{name} {_gigabytes(memory[name])}" for name in of)
    lines = {
        "learns from": f"{plan['cases']} cases, {plan['structures']} structures ({plan['task']})",
        "parameters": f"{found['parameters'] / 1e6:.2f} million",
        "forward pass of a patch": f"{found['patch_flops'] / 1e12:.3g} TFLOP ({'×'.join(map(str, found['patch']))})",
        "training step": f"{found['step_flops'] / 1e12:.3g} TFLOP, {found['batch']} patches",
        "memory, calculated": f"{_gigabytes(memory['total'])}: {parts}",
        "disk": f"{_gigabytes(disk.most)} at most: a checkpoint {_gigabytes(disk.checkpoint)}, "
        f"the model {_gigabytes(disk.model)}",
    }
    if memory["measured"] is not None:
        lines["memory, measured"] = f"{_gigabytes(memory['measured'])} on {found['device']}"
    if timing:
        lines["time"] = (
            f"{timing.hours:.3g} hours for {found['steps']} steps of {timing.seconds_a_step:.3g} s on "
            f"{found['device']}, the mean of {timing.timed}"
        )
    else:
        lines["time"] = f"not known, no step was timed: {found['untimed']}"
    return [{"what": name, "value": value} for name, value in lines.items()]


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:.3g} GB"
