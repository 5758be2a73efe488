"""`flaredb train --dry-run`: what a training would take is said, and nothing is done."""

from __future__ import annotations

import pytest

from flaredb.cli.train import PRESETS as OFFERED
from flaredb.trainers.presets import PRESETS
from flaredb.workflow.snapshot.create import snapshot_create
from flaredb.workflow.snapshot.file import snapshot_export
from flaredb.workflow.train.plan import train_plan
from flaredb.workspace import Workspace
from tests.cohorts import flaredb, sets, tiny


def state(workspace: Workspace):
    """All that a training could change."""
    tables = ("snapshots", "snapshot_items", "models", "operations", "findings")
    rows = {name: workspace.sql(f"SELECT count(*) AS n FROM {name}") for name in tables}
    return rows, sorted(str(path) for path in workspace.root.rglob("*") if "catalog" not in path.name)


def test_a_plan_changes_nothing(workspace):
    """Steps are timed on what is current; no snapshot, model, operation or file comes of it."""
    before = state(workspace)
    made = train_plan(workspace, "organ", tiny(steps=50), timed=2)
    assert state(workspace) == before
    assert made.snapshot is None
    assert (made.task, made.structures) == ("organ", 13)
    assert made.estimate.timing is not None
    name = snapshot_create(workspace, "organ").ids[0]
    planned = train_plan(workspace, "organ", tiny(steps=50), name, timed=0)
    assert planned.snapshot == name
    assert planned.cases == made.cases > 0
    assert planned.estimate.parameters == made.estimate.parameters
    assert planned.estimate.timing is None


def test_the_command_says_what_it_takes(workspace, tmp_path):
    """--dry-run prints the plan as JSON and as a table, in a workspace and from a file without one."""
    place = workspace.root
    done = flaredb("train", "--task", "all", "--preset", "tiny", *sets(steps=7), "--dry-run", workspace=place)
    assert done.code == 0, done.err
    found = done.json["estimate"]
    assert (found["steps"], found["preset"], done.json["structures"]) == (7, "tiny", 14)
    assert found["memory"]["total"] > found["memory"]["activations"] > 0
    assert found["disk"]["most"] > found["disk"]["checkpoint"] > found["disk"]["model"] == 4 * found["parameters"]
    assert found["timing"]["timed"] == 10
    name = snapshot_create(workspace, "organ").ids[0]
    file = tmp_path / "s.json"
    snapshot_export(workspace, name, file)
    apart = ["--snapshot", file, "--volumes", workspace.volumes.root, "--dry-run", "--preset", "tiny", *sets()]
    again = flaredb("train", *apart)
    assert again.code == 0, again.err
    assert again.json["snapshot"] == name


def test_a_workspace_with_nothing_still_says_the_size(empty):
    """Before any scan is there the size of the network and its memory are said, and why no hours are."""
    done = flaredb("train", "--task", "organ", "--preset", "large", "--dry-run", workspace=empty.root)
    assert done.code == 0, done.err
    assert done.json["cases"] == 0
    assert done.json["estimate"]["parameters"] == pytest.approx(440e6, rel=0.02)
    assert done.json["estimate"]["timing"] is None
    assert "no case" in done.json["estimate"]["untimed"]


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (["--dry-run"], 2),
        (["--dry-run", "--resume", "m-1"], 2),
        (["--dry-run", "--task", "organ", "--snapshot", "s-nothing"], 3),
        (["--dry-run", "--task", "organ", "--from", "m-nothing"], 3),
        (["--dry-run", "--task", "organ", "--set", "patch=7,7,7"], 5),
        (["--dry-run", "--volumes", "somewhere"], 2),
    ],
)
def test_a_plan_that_cannot_be_is_refused(empty, wrong, code):
    """Wrong options, unknown snapshots and models, and settings that do not fit end with their exit codes."""
    assert flaredb("train", *wrong, workspace=empty.root).code == code


def test_every_preset_is_offered():
    """The command offers the presets that there are, without importing them."""
    assert list(OFFERED.choices) == list(PRESETS)
