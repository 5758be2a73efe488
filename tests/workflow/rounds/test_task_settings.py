"""Settings of a task: read from flaredb.toml, refused by name where they cannot be, less than what a command says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from flaredb.catalog import rounds
from flaredb.errors import InvalidDataError, NotFoundError
from flaredb.workflow.rounds.advance import RoundOptions, advance, round_start
from flaredb.workflow.rounds.decide import reject
from flaredb.workflow.rounds.gate import GateRules
from flaredb.workflow.rounds.show import round_show
from flaredb.workflow.rounds.task_settings import Asked, round_options
from flaredb.workflow.snapshot.create import snapshot_show
from flaredb.workspace import CONFIG, Workspace
from tests.cohorts import flaredb, tiny

FULL = """
[task.organ]
preset = "tiny"
set = { steps = 7, channels = [4, 8, 16], patch = "16,16,16", stem = [1, 1, 1], lesion_prior = 0.05 }
warm = "latest"
where = "split = 'train'"
device = "cpu"
gate = { mode = "ask", gain = 0.02, floor = 0.4 }
predict = { mirror = "zx", engine = "torch", crop = true, postprocess = "largest liver", workers = 2 }

[task.organ.commands]
train = ["nnUNetv2_train", "{id}", "3d_fullres", "0"]
predict = [["one", "{images}"], ["two", "{predictions}", "{{kept}}"]]

[task.vessels]
structures = ["inferior_vena_cava", "aorta"]
"""


@contextmanager
def configured(workspace: Workspace, text: str) -> Iterator[Workspace]:
    """The workspace with these settings instead of any others of tasks."""
    path = workspace.root / CONFIG
    before = path.read_text(encoding="utf-8")
    path.write_text(before + text)
    try:
        with Workspace.open(workspace.root) as opened:
            yield opened
    finally:
        path.write_text(before)


def test_a_table_says_all_of_a_round(empty: Workspace) -> None:
    """Preset and changes, start, gate, prediction and commands are taken as they stand."""
    with configured(empty, FULL) as opened:
        found = round_options(opened, "organ")
    assert (found.settings.preset, found.settings.steps, found.settings.channels) == ("tiny", 7, (4, 8, 16))
    assert (found.warm, found.where, found.device, found.gate) == ("latest", "split = 'train'", "cpu", "ask")
    assert found.rules == GateRules(gain=0.02, floor=0.4)
    assert (found.predict.mirror, found.predict.crop, found.predict.workers) == ((0, 2), True, 2)
    assert found.predict.postprocess == "largest liver"
    assert found.commands.train == (("nnUNetv2_train", "{id}", "3d_fullres", "0"),)
    assert found.commands.predict == (("one", "{images}"), ("two", "{predictions}", "{{kept}}"))


def test_the_command_line_wins(empty: Workspace) -> None:
    """What is asked for takes the place of the table; another preset also of the changes to the table's."""
    with configured(empty, FULL) as opened:
        same = round_options(opened, "organ", Asked(changes={"steps": "9"}, gate="auto", device="auto", where="1 = 1"))
        other = round_options(opened, "organ", Asked(preset="small"))
    assert (same.settings.steps, same.settings.channels) == (9, (4, 8, 16))
    assert (same.gate, same.device, same.where) == ("auto", "auto", "1 = 1")
    assert other.settings.preset == "small"
    assert other.settings.channels != (4, 8, 16)


def test_without_a_table_it_is_as_it_comes(empty: Workspace) -> None:
    """A task that the file does not name has the defaults."""
    found = round_options(empty, "tumor")
    assert found == RoundOptions(found.settings)
    assert found.settings.preset == "small"


WRONG = {
    'presets = "tiny"': r"\[task.organ\]: no setting 'presets'; there are: structures preset",
    'preset = "tinny"': r"\[task.organ\] preset = 'tinny': one of: tiny small",
    "preset = 3": r"\[task.organ\] preset = 3: a text",
    "set = { steps = 0 }": r"\[task.organ\] set: training settings: steps",
    "set = { stepz = 1 }": r"\[task.organ\] set: .*stepz",
    'device = "gpu"': r"device = 'gpu': one of: auto cpu cuda",
    'structures = ["liver"]': r"\[task.organ\]: its structures are given",
    'gate = { mode = "maybe" }': r"\[task.organ.gate\] mode = 'maybe': one of: auto ask",
    "gate = { gain = 2 }": r"\[task.organ.gate\] gain = 2: a number from -1 to 1",
    "gate = { gains = 0.1 }": r"\[task.organ.gate\]: no setting 'gains'; there are: mode gain slack floor",
    "gate = 3": r"\[task.organ.gate\] is a table, not 3",
    'predict = { mirror = "xw" }': r"\[task.organ.predict\] mirror = 'xw': axes",
    'predict = { postprocess = "auto" }': r"postprocess = 'auto': a recipe",
    "predict = { crop = 1 }": r"crop = 1: true or false",
    "predict = { workers = 0 }": r"workers = 0: a number of processes",
    'commands = { train = "nnUNetv2_train 501" }': r"\[task.organ.commands\] train = .*a list of words",
    "commands = { train = [[]] }": r"\[task.organ.commands\] train = .*a list of words",
    'commands = { train = ["a", "{data}"] }': r"no placeholder \{data\}; there are: round task",
    'commands = { predict = ["a", "{images"] }': r"predict = .*a brace is written twice",
}


@pytest.mark.parametrize("line", WRONG)
def test_what_cannot_be_is_named(empty: Workspace, line: str) -> None:
    """The error names file, table, key, and what is allowed; nothing is started."""
    with (
        configured(empty, f"\n[task.organ]\n{line}\n") as opened,
        pytest.raises(InvalidDataError, match=r"flaredb.toml, " + ".*" + WRONG[line]),
    ):
        round_options(opened, "organ")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('[task.Big]\nstructures = ["liver"]', "small letters"),
        ("[task.mine]\nstructures = []", "must list some of: liver"),
        ('[task.mine]\nstructures = ["lever"]', "must list some of: liver"),
        ('[task.mine]\npreset = "tiny"', "must list some of: liver"),
        ("task = 3", "are tables"),
    ],
)
def test_tasks_that_cannot_be(empty: Workspace, text: str, why: str) -> None:
    """A task of one's own has a plain name and structures of the workspace."""
    path = empty.root / CONFIG
    path.write_text(
        f"{text}\n{path.read_text(encoding='utf-8')}"
        if text.startswith("task =")
        else f"{path.read_text(encoding='utf-8')}\n{text}\n"
    )
    with Workspace.open(empty.root) as opened, pytest.raises(InvalidDataError, match=why):
        opened.task("mine")


def test_a_task_of_ones_own_runs_a_round(workspace: Workspace) -> None:
    """It learns, predicts and is judged on its structures alone, and what was in force is kept with the round."""
    with configured(workspace, FULL) as opened:
        own = RoundOptions(tiny(steps=2), gate="ask", device="cpu", rules=GateRules(floor=0.9))
        assert round_start(opened, "vessels", own).ids == ("vessels/1",)
        for _ in range(3):
            advance(opened, "vessels/1")
        shown = round_show(opened, "vessels/1")
        assert set(shown["gate"]["structures"]) == {"aorta", "inferior_vena_cava"}
        labels = [row for item in snapshot_show(opened, shown["snapshot"])["items"] for row in item["labels"]]
        assert {"aorta", "inferior_vena_cava"} <= {name for row in labels for name in row["structures"]}
        rows = opened.sql("SELECT DISTINCT structure FROM label_provenance WHERE source = 'vessels/1'")
        assert {row["structure"] for row in rows} == {"aorta", "inferior_vena_cava"}
        (row,) = opened.sql("SELECT settings FROM rounds")
        assert '"floor": 0.9' in row["settings"]
    with pytest.raises(NotFoundError, match=r"organ tumor all; one of your own: \[task.vessels\]"):
        workspace.task("vessels")


def test_latest_is_the_tasks_newest_model(after_round: Workspace) -> None:
    """`latest` names the model once there is one; `none` asks for a start from scratch whatever the table says."""
    with configured(after_round, '\n[task.organ]\nwarm = "latest"\n') as opened:
        model = round_show(opened, "organ/1")["model"]
        reject(opened, "organ/1", "only to look")
        for asked, warm in ((Asked(), model), (Asked(warm="none"), None)):
            name = round_start(opened, "organ", round_options(opened, "organ", asked)).ids[0]
            with opened.catalog.read() as connection:
                assert rounds.find(connection, name).settings["warm"] == warm
            reject(opened, name, "only to look")


def test_the_program_reads_the_table(workspace: Workspace) -> None:
    """`round start` takes the table's settings, a wrong one ends with 5 and starts nothing."""
    with configured(workspace, '\n[task.organ]\npreset = "tinny"\n'):
        done = flaredb("round", "start", "--task", "organ", workspace=workspace.root)
        assert done.code == 5
        assert "[task.organ] preset" in done.err
    assert workspace.sql("SELECT * FROM rounds") == []
    with configured(workspace, '\n[task.organ]\npreset = "tiny"\ngate = { mode = "ask" }\n'):
        assert flaredb("round", "start", "--task", "organ", "--set", "steps=5", workspace=workspace.root).code == 0
    with workspace.catalog.read() as connection:
        from flaredb.catalog import rounds

        told = rounds.find(connection, "organ/1").settings
    assert (told["config"]["preset"], told["config"]["steps"], told["gate"]) == ("tiny", 5, "ask")
    assert flaredb("round", "start", "--task", "bones", workspace=workspace.root).code == 3
