"""Checkpoints, settings and the loop: what is kept, what is refused, and that it learns."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

import pytest
import torch

from flaredb.errors import FlareError, InvalidDataError, NotFoundError, StorageError
from flaredb.phantom import ORGANS, Cohort, make_case
from flaredb.trainers import checkpoint
from flaredb.trainers.checkpoint import Checkpoint
from flaredb.trainers.config import change, from_document
from flaredb.trainers.loop import Training, load_matching, train
from flaredb.trainers.networks import build_network
from flaredb.trainers.presets import PRESETS, load_config
from tests.cohorts import NETWORK, tiny
from tests.trainers.builders import one_case, store_at, training_set

CPU = torch.device("cpu")


def stage(steps: int, value: float = 1.0) -> Checkpoint:
    """A checkpoint with little in it."""
    state = {"state": {0: {"step": torch.tensor(float(steps))}}, "param_groups": [{"lr": 0.1, "params": [0]}]}
    return Checkpoint(steps, [0.5] * steps, {"w": torch.full((3, 2), value)}, state)


def run(folder: Path, **changes: object) -> Training:
    """A training of the tiny network on the tiny set."""
    store = store_at(folder)
    return Training(training_set(store), store, tiny(**changes), folder / "checkpoints", CPU)


def test_a_checkpoint_comes_back(tmp_path):
    """Steps, losses, weights and the optimiser's state are read as written, and only the last one is kept."""
    assert checkpoint.load(tmp_path / "c") is None
    for steps in (3, 12):
        checkpoint.save(tmp_path / "c", stage(steps, steps))
    found = checkpoint.load(tmp_path / "c")
    assert found is not None
    assert (found.steps, found.losses) == (12, [0.5] * 12)
    assert torch.equal(found.weights["w"], torch.full((3, 2), 12.0))
    assert found.optimiser["param_groups"][0]["lr"] == 0.1
    assert len(list((tmp_path / "c").iterdir())) == 1


def test_a_half_written_checkpoint_is_passed_over(tmp_path):
    """What a killed process left behind is not a checkpoint, and the next one clears it away."""
    checkpoint.save(tmp_path / "c", stage(3))
    half = tmp_path / "c" / "step-00000009.part"
    half.mkdir()
    (half / "progress.json").write_text("{")
    found = checkpoint.load(tmp_path / "c")
    assert found is not None
    assert found.steps == 3
    checkpoint.save(tmp_path / "c", stage(9))
    assert [path.name for path in (tmp_path / "c").iterdir()] == ["step-00000009"]


def test_a_damaged_checkpoint_is_said(tmp_path):
    """A checkpoint with a broken file is an error of storage that names it, not of Python."""
    for file in ("progress.json", "weights.safetensors", "optimiser.pt"):
        checkpoint.save(tmp_path / file, stage(3))
        (tmp_path / file / "step-00000003" / file).write_bytes(b"nonsense")
        with pytest.raises(StorageError, match="step-00000003"):
            checkpoint.load(tmp_path / file)


def test_no_pickle_is_loaded(tmp_path):
    """An optimiser state that would run code is refused."""
    checkpoint.save(tmp_path / "c", stage(3))
    marker = tmp_path / "ran"

    class Evil:
        def __reduce__(self):
            return os.system, (f"touch {marker}",)

    torch.save({"state": Evil()}, tmp_path / "c" / "step-00000003" / "optimiser.pt")
    with pytest.raises(StorageError, match="damaged"):
        checkpoint.load(tmp_path / "c")
    assert not marker.exists()


def test_weights_are_published_whole(tmp_path):
    """Published weights come back, equal weights have equal digests, and missing ones are said."""
    weights = {"w": torch.arange(6.0).reshape(2, 3)}
    with pytest.raises(StorageError, match="no weights"):
        checkpoint.published(tmp_path)
    first = checkpoint.publish(tmp_path, weights)
    assert torch.equal(checkpoint.published(tmp_path)["w"], weights["w"])
    assert checkpoint.publish(tmp_path, weights) == first


KILLED = """
import sys, torch
from pathlib import Path
from flaredb.trainers import checkpoint
from tests.trainers.test_training import stage
for steps in range(1, 100000):
    checkpoint.save(Path(sys.argv[1]), stage(steps, steps))
    print(steps, flush=True)
"""


def test_killed_while_saving_the_last_whole_one_stays(tmp_path):
    """kill -9 at any moment leaves a checkpoint at least as new as the last that was reported saved."""
    for number in range(2):
        folder = tmp_path / str(number)
        running = subprocess.Popen([sys.executable, "-c", KILLED, folder], stdout=subprocess.PIPE, text=True)
        assert running.stdout is not None
        assert running.stdout.readline() == "1\n"
        time.sleep(0.02 + 0.013 * number)
        running.send_signal(signal.SIGKILL)
        said = [1, *(int(line) for line in running.stdout.read().split("\n")[:-1])]
        running.wait()
        running.stdout.close()
        found = checkpoint.load(folder)
        assert found is not None
        assert found.steps >= said[-1]
        assert float(found.weights["w"][0, 0]) == found.steps
        assert len(found.losses) == found.steps


def test_training_goes_on_where_it_was(tmp_path):
    """Three steps, then six from the checkpoint: the losses of six at once, the first three from the record."""
    whole = list(train(run(tmp_path / "a", steps=6)))
    first = list(train(run(tmp_path / "b", steps=3, schedule_steps=6)))
    assert first == whole[:3]
    assert list(train(run(tmp_path / "b", steps=6))) == whole
    one = checkpoint.load(tmp_path / "a" / "checkpoints")
    other = checkpoint.load(tmp_path / "b" / "checkpoints")
    assert one is not None
    assert other is not None
    assert all(torch.equal(one.weights[name], other.weights[name]) for name in one.weights)


def test_training_broken_off_goes_on(tmp_path):
    """Broken off between checkpoints, training repeats the steps since the last and ends the same."""
    whole = list(train(run(tmp_path / "a", steps=7, checkpoint_every=2)))
    steps = train(run(tmp_path / "b", steps=7, checkpoint_every=2))
    assert [next(steps) for _ in range(5)] == whole[:5]
    steps.close()
    found = checkpoint.load(tmp_path / "b" / "checkpoints")
    assert found is not None
    assert found.steps == 4
    assert list(train(run(tmp_path / "b", steps=7, checkpoint_every=2))) == whole


def test_it_learns_one_case(tmp_path):
    """On one phantom case the loss falls by a fifth in sixty steps."""
    case = make_case(Cohort(seed=0, training=0, validation=1, test=0, spacing=(10.0, 10.0, 10.0)), 0)
    data = one_case(store_at(tmp_path), case.image, case.truth, case.grid, *ORGANS, "tumor")
    settings = tiny(steps=60, batch=2, rotation=0, scale=0, patch="24,32,32", learning_rate=1e-2, bf16="false")
    losses = list(train(Training(data, store_at(tmp_path), settings, tmp_path / "c", CPU)))
    assert sum(losses[-10:]) < 0.8 * sum(losses[:10])


def test_warm_start_takes_what_fits():
    """From an organ model a tumour model takes every layer but the last; another network is refused."""
    organ, tumor = build_network(tiny(), 14), build_network(tiny(seed=1), 2)
    before = {name: value.clone() for name, value in tumor.state_dict().items()}
    load_matching(tumor, organ.state_dict())
    for name, value in tumor.state_dict().items():
        theirs = organ.state_dict()[name]
        assert torch.equal(value, theirs if theirs.shape == value.shape else before[name])
    with pytest.raises(InvalidDataError, match="no layer fits"):
        load_matching(tumor, {"something": torch.zeros(1)})


def test_a_seed_makes_the_network():
    """Equal seeds give equal weights, others do not, and logits have the size of the image."""
    one, same, other = (build_network(tiny(seed=seed), 3) for seed in (0, 0, 1))
    pairs = zip(one.state_dict().values(), same.state_dict().values(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
    assert any(
        not torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    )
    strided = build_network(tiny(stem="2,2,2", patch="16,16,24"), 5)
    assert strided(torch.zeros((2, 1, 16, 16, 24))).shape == (2, 5, 16, 16, 24)


def test_settings_come_from_text():
    """Values are read as what they stand for, and everything survives a round trip as a document."""
    settings = load_config("tiny", {"patch": "16,32,48", "bf16": "false", "learning_rate": "1e-3", "steps": "7"})
    assert (settings.patch, settings.bf16, settings.learning_rate, settings.steps) == ((16, 32, 48), False, 1e-3, 7)
    assert settings.horizon == 7
    assert change(settings, {"schedule_steps": "9"}).horizon == 9
    assert from_document(asdict(settings)) == settings
    for name, preset in PRESETS.items():
        assert change(preset, {}) == preset
        assert preset.preset == name


WRONG = [
    {"nothing": "1"},
    {"steps": "many"},
    {"steps": "0"},
    {"steps": "1.5"},
    {"batch": "0"},
    {"spacing": "0,1,1"},
    {"spacing": "1,1"},
    {"spacing": "nan,1,1"},
    {"spacing": "inf,1,1"},
    {"patch": "16,16"},
    {"patch": "16,16,16,16"},
    {"patch": "15,16,16"},
    {"patch": "0,16,16"},
    {"patch": "-16,16,16"},
    {"patch": ""},
    {"stem": "0,1,1"},
    {"stem": "1,1"},
    {"channels": "8,16"},
    {"channels": "0,8,16"},
    {"channels": "a,b,c"},
    {"bf16": "maybe"},
    {"learning_rate": "nan"},
    {"learning_rate": "-1"},
    {"checkpoint_every": "0"},
    {"seed": "-1"},
    {"overlap": "1"},
    {"overlap": "-1"},
    {"foreground": "2"},
    {"open_lesions": "prior", "lesion_prior": "-0.5"},
    {"open_lesions": "never"},
    {"lesion_prior": "0.3"},
    {"schedule_steps": "-3"},
    {"schedule_steps": "2", "steps": "4"},
    {"hu_std": "0"},
    {"hu_low": "300"},
    {"scale": "1.5"},
    {"preset": "small"},
]


@pytest.mark.parametrize("settings", WRONG, ids=[" ".join(f"{k}={v}" for k, v in s.items()) for s in WRONG])
def test_wrong_settings_are_refused(settings):
    """A setting that cannot work is refused before anything starts, by a message that names it."""
    with pytest.raises(InvalidDataError) as error:
        load_config("tiny", NETWORK | settings)
    assert any(key in str(error.value) for key in settings)


def test_an_unknown_preset_is_not_found():
    """The presets there are are listed."""
    with pytest.raises(NotFoundError, match="tiny small"):
        load_config("enormous")


def test_resuming_with_another_network_is_refused(tmp_path):
    """A checkpoint does not fit a network of other channels: an error that says so, not a fault."""
    list(train(run(tmp_path, steps=2)))
    with pytest.raises(FlareError):
        list(train(run(tmp_path, steps=4, channels="8,16,32")))


def test_a_loss_that_is_not_finite_stops(tmp_path):
    """Training does not go on from NaN: it stops with the step and a way on."""
    made = run(tmp_path, steps=2)
    broken = {name: torch.full_like(v, torch.nan) for name, v in build_network(made.config, 14).state_dict().items()}
    with pytest.raises(InvalidDataError, match="step 0"):
        list(train(made._replace(warm=broken)))
    assert checkpoint.load(made.folder) is None


def test_tasks_have_their_classes(tmp_path):
    """Organ, tumour and all train networks of as many classes as they have structures, and one."""
    for task, classes in (("organ", 14), ("tumor", 2), ("all", 15)):
        store = store_at(tmp_path / task)
        data = training_set(store, task)
        list(train(Training(data, store, tiny(steps=1), tmp_path / task / "c", CPU)))
        found = checkpoint.load(tmp_path / task / "c")
        assert found is not None
        assert max(len(value) for name, value in found.weights.items() if "output_block" in name) == classes
