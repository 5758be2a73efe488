"""The loop: validation changes nothing, the best is kept, it stops in good order, and a failed step is kept whole."""

from __future__ import annotations

import json
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch

from flaredb.errors import InvalidDataError, NotFoundError, UnfinishedError, UsageError
from flaredb.labels.labelset import Mode
from flaredb.phantom import ORGANS
from flaredb.trainers import board, checkpoint, ranks, wire
from flaredb.trainers.checkpoint import Best, Checkpoint
from flaredb.trainers.draws import read_draw
from flaredb.trainers.failure import step_file
from flaredb.trainers.feed import Feed
from flaredb.trainers.loop import Training, train
from flaredb.trainers.ranks import Team
from flaredb.trainers.replay import replay
from flaredb.trainers.stopping import Stop, seconds_of
from flaredb.trainers.validate import choose, decided, validate
from flaredb.volumes.reader import Volume
from tests.cohorts import tiny
from tests.trainers.builders import store_at, training_set

CPU = torch.device("cpu")


def run(folder: Path, **changes: object) -> Training:
    """A training of the tiny network, validated on two cases that it does not see and one that decides nothing."""
    store = store_at(folder)
    whole = training_set(store)
    held = choose(whole.cases, whole.task, 2)
    vague = [item for item in whole.cases if not decided(item, whole.task)]
    data = replace(whole, cases=tuple(c for c in whole.cases if c not in held), validation=(*held, *vague[:1]))
    return Training(data, store, tiny(**changes), folder / "checkpoints", CPU)


def loaded(made: Training) -> Checkpoint:
    """The last checkpoint."""
    found = checkpoint.load(made.folder)
    assert found is not None
    return found


def same(one: Checkpoint, other: Checkpoint) -> bool:
    """Bit for bit the same weights."""
    return all(torch.equal(one.weights[name], other.weights[name]) for name in one.weights)


def test_validation_changes_nothing(tmp_path):
    """With and without it, before and after a resume, the losses and weights are the same to the bit."""
    plain = run(tmp_path / "a", steps=6)
    whole = list(train(plain))
    watched = run(tmp_path / "b", steps=6, validate_every=2)
    assert list(train(watched._replace(config=replace(watched.config, steps=3, schedule_steps=6)))) == whole[:3]
    assert list(train(watched)) == whole
    assert same(loaded(plain), loaded(watched))
    assert [found["step"] for found in loaded(watched).validation] == [2, 3, 4, 6]


def test_the_best_is_kept_and_can_be_published(tmp_path):
    """The weights with the highest mean DSC stay, whatever comes after; `publish` says which become the model."""
    made = run(tmp_path, steps=4, validate_every=1)
    list(train(made))
    last = loaded(made)
    best = checkpoint.load_best(made.folder)
    assert best is not None
    means = {found["step"]: found["mean"] for found in last.validation}
    assert best.mean == max(means.values()) == means[best.steps]
    assert checkpoint.final_weights(made.folder, last, "last") is last.weights
    other = {name: value + 1 for name, value in last.weights.items()}
    checkpoint.save_best(made.folder, Best(2, 0.5, other))
    chosen = checkpoint.final_weights(made.folder, last, "best")
    assert all(torch.equal(chosen[name], other[name]) for name in other)
    with pytest.raises(InvalidDataError, match="validate_every"):
        tiny(publish="best")


class Oracle:
    """Predicts what it is told to, by the digest of the scan."""

    def __init__(self, answers: dict[str, np.ndarray]) -> None:
        self.answers = answers

    def predict(self, image: Volume) -> np.ndarray:
        return self.answers[image.digest]


def truths(made: Training) -> dict[str, np.ndarray]:
    """Scan → its label's codes, which are the classes of the task `organ` too, lesions apart."""
    return {item.image: made.volumes.open(item.labels[0].volume).read() for item in made.data.validation}


def test_validation_is_the_dsc_of_what_is_decided(tmp_path):
    """Against a plain count: only decided structures and voxels, and no merit for finding nothing where nothing is."""
    made = run(tmp_path)
    shifted = {image: np.roll(codes, 2, axis=2).astype(np.uint8) for image, codes in truths(made).items()}
    found = validate(Oracle(shifted), made.data, made.volumes, ranks.ALONE)
    scores: dict[str, list[float]] = {}
    for item in made.data.validation:
        codes, own = truths(made)[item.image], shifted[item.image]
        open_voxels = codes == 14  # a tumour lies in some organ: for organs alone nothing is decided there
        for number, name in enumerate(ORGANS, start=1):
            truth, guess = codes == number, (own == number) & ~open_voxels
            if name in decided(item, made.data.task) and truth.sum() + guess.sum():
                scores.setdefault(name, []).append(2 * (truth & guess).sum() / (truth.sum() + guess.sum()))
    assert len(scores) >= 5
    assert found["structures"] == pytest.approx({name: np.mean(own) for name, own in scores.items()})
    assert found["mean"] == pytest.approx(np.mean([np.mean(own) for own in scores.values()]))
    whole = validate(Oracle(truths(made)), made.data, made.volumes, ranks.ALONE)
    assert whole["mean"] == 1
    parts = [validate(Oracle(shifted), made.data, made.volumes, Half(rank)) for rank in (0, 1)]
    assert len(parts) == len(Half.tables) == 2
    assert sum(Half.tables).numpy() == pytest.approx(Half.whole(scores, made.data.task.structures))


class Half(Team):
    """One of two ranks that keeps what it would add up with the other."""

    tables: ClassVar[list[torch.Tensor]] = []

    def __new__(cls, rank: int) -> Half:
        return super().__new__(cls, rank, 2)

    def gather(self, table: torch.Tensor) -> torch.Tensor:
        self.tables.append(table.clone())
        return table

    @staticmethod
    def whole(scores: dict[str, list[float]], names: tuple[str, ...]) -> np.ndarray:
        return np.array([[sum(scores.get(name, [])), len(scores.get(name, []))] for name in names])


def test_cases_to_validate_on_cover_structures(tmp_path):
    """Chosen where least was decided so far, the same ones whatever the order; none whose truth decides nothing."""
    store = store_at(tmp_path)
    data = training_set(store, "all", cases=8)
    chosen = choose(data.cases, data.task, 3)
    assert chosen == choose(data.cases[::-1], data.task, 3)
    assert len({item.case for item in chosen}) == 3
    most = max(len(decided(item, data.task)) for item in data.cases)
    assert len(decided(chosen[0], data.task)) == most
    covered = frozenset().union(*(decided(item, data.task) for item in chosen))
    assert covered == frozenset().union(*(decided(item, data.task) for item in data.cases))
    label = chosen[0].labels[0]
    vague = {name: Mode(exhaustive=False) for name in label.trust.annotated}
    unsure = replace(chosen[0], labels=(replace(label, trust=label.trust._replace(annotated=vague)),))
    assert choose([unsure], data.task, 3) == ()


def test_it_stops_in_good_order_and_goes_on(tmp_path):
    """Asked to stop, or out of time, it ends after the step in hand with a checkpoint; the rest gives the same bits."""
    whole = run(tmp_path / "a", steps=5)
    losses = list(train(whole))
    stop = Stop()
    made = run(tmp_path / "b", steps=5, validate_every=2)._replace(stop=stop)
    steps = train(made)
    assert [next(steps)] == losses[:1]
    with stop.on_signal():
        os.kill(os.getpid(), signal.SIGTERM)
    assert next(steps) == losses[1]
    with pytest.raises(UnfinishedError, match="after step 2 of 5"):
        next(steps)
    assert loaded(made).steps == 2
    with pytest.raises(UnfinishedError, match="time limit"):
        list(train(made._replace(stop=Stop(0))))
    assert loaded(made).steps == 3
    assert list(train(made._replace(stop=Stop(1e6)))) == losses
    assert same(loaded(whole), loaded(made))
    assert [found["step"] for found in loaded(made).validation] == [2, 4, 5]


def test_the_last_step_is_not_given_up(tmp_path):
    """Asked to stop at the last step, training is done."""
    assert len(list(train(run(tmp_path, steps=1)._replace(stop=Stop(0))))) == 1


def test_durations():
    """Hours and minutes, or minutes; nothing else."""
    assert [seconds_of(text) for text in ("23:30", "0:05", "90", "1.5", "100:00")] == [84600, 300, 5400, 90, 360000]
    for text in ("", "0", "0:00", "23:60", "1:-5", "-3", "nan", "inf", "1e3", "soon", "1:2:3"):
        with pytest.raises(UsageError, match="hours and minutes"):
            seconds_of(text)


def test_a_step_that_fails_can_be_repeated(tmp_path):
    """Its draws and the weights it failed with are kept; the checkpoint stays; a replay says which patch it was."""
    made = run(tmp_path, steps=4, batch=2)
    list(train(made._replace(config=replace(made.config, steps=2, schedule_steps=4))))
    good = loaded(made)
    poisoned = {name: torch.full_like(value, torch.nan) for name, value in good.weights.items()}
    checkpoint.save(made.folder, good._replace(weights=poisoned))
    with pytest.raises(InvalidDataError, match=r"at step 2.*--replay 2"):
        list(train(made))
    document = json.loads((made.folder / step_file(2)).read_text(encoding="utf-8"))
    feed = Feed(made.data, made.volumes, made.config, CPU)
    assert [read_draw(draw) for draw in document["draws"]] == [feed.draw(2, index) for index in range(2)]
    assert (document["step"], len(document["draws"])) == (2, 2)
    assert loaded(made).steps == 2
    checkpoint.save(made.folder, good)
    found = replay(made, 2)
    json.dumps(found, allow_nan=False)
    assert [patch["finite"] for patch in found["patches"]] == [False, False]
    healthy = replay(made, 3)
    assert (healthy["weights_of_step"], [patch["finite"] for patch in healthy["patches"]]) == (2, [True, True])
    with pytest.raises(InvalidDataError, match="0 to 3"):
        replay(made, 4)
    with pytest.raises(NotFoundError):
        replay(made._replace(folder=tmp_path / "nothing"), 1)


def test_an_older_checkpoint_is_read(tmp_path):
    """One written before validation and times were recorded has none of them."""
    made = run(tmp_path, steps=4)
    whole = list(train(made))
    list(train(run(tmp_path / "b", steps=2, schedule_steps=4)))
    place = tmp_path / "b" / "checkpoints" / "step-00000002" / "progress.json"
    place.write_text(json.dumps({"steps": 2, "losses": whole[:2]}))
    assert list(train(run(tmp_path / "b", steps=4))) == whole


def test_waiting_is_measured(tmp_path):
    """Some of the time, and not more than all of it, goes into waiting for data; a resumed run adds to it."""
    made = run(tmp_path, steps=4)
    list(train(made._replace(config=replace(made.config, steps=2, schedule_steps=4))))
    half = loaded(made)
    assert 0 < half.waited < half.seconds
    list(train(made))
    assert loaded(made).seconds > half.seconds
    assert loaded(made).waited > half.waited


def test_tensorboard_has_numbers_and_pictures(tmp_path):
    """Loss, rate, waiting, validation and a picture; after a resume nothing is there twice."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    made = run(tmp_path, steps=4, validate_every=2, picture_every=2, checkpoint_every=2)._replace(board=tmp_path / "b")
    steps = train(made)
    losses = [next(steps) for _ in range(3)]
    steps.close()
    losses = list(train(made))
    read = EventAccumulator(str(tmp_path / "b")).Reload()
    assert {"loss", "learning rate", "gradient", "steps a second", "waiting", "validation/mean"} <= set(
        read.Tags()["scalars"]
    )
    assert [event.step for event in read.Scalars("loss")] == [1, 2, 3, 4]
    assert [event.value for event in read.Scalars("loss")] == pytest.approx(losses)
    assert [event.step for event in read.Scalars("validation/mean")] == [2, 4]
    (first, *_) = read.Images("patch")
    assert (first.width, first.height) == (48, 16)


def test_a_picture_shows_what_is_known_and_predicted():
    """Side by side: the scan from black to white, known classes and predictions in the same colours, grey if open."""
    scan = np.array([[0.0, 1.0]], np.float32)
    strip = board.side_by_side(scan, np.array([[2, 3]]), np.array([[1, 0]]), 2)
    assert strip.shape == (1, 6, 3)
    assert strip[0, :2].tolist() == [[0, 0, 0], [255, 255, 255]]
    assert strip[0, 2].tolist() == strip[0, 4].tolist() != [0, 0, 0]
    assert strip[0, 5].tolist() == [0, 0, 0]
    assert len(set(strip[0, 3].tolist())) == 1


def test_without_tensorboard_nothing_is_written(tmp_path, monkeypatch):
    """Training works, and is told how to get it."""
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    assert "flaredb[tensorboard]" in (board.missing() or "")
    list(train(run(tmp_path, steps=1)._replace(board=tmp_path / "b")))
    assert not (tmp_path / "b").exists()


def test_a_training_set_goes_over_the_wire(tmp_path):
    """What rank 0 tells the others is what it has."""
    made = run(tmp_path)
    assert wire.from_text(wire.to_text(made.data)) == made.data


def test_a_batch_is_divided_evenly():
    """Or refused, before anything starts."""
    Team(0, 2).check(4)
    with pytest.raises(InvalidDataError, match="3 cannot be divided over 2"):
        Team(1, 2).check(3)


def test_nobody_is_expected_without_torchrun(monkeypatch):
    """One process, unless torchrun's whole environment says otherwise."""
    monkeypatch.setenv("WORLD_SIZE", "4")
    monkeypatch.delenv("RANK", raising=False)
    assert ranks.expected() == ranks.ALONE
    for name, value in (("RANK", "3"), ("LOCAL_RANK", "1"), ("MASTER_ADDR", "here"), ("MASTER_PORT", "1")):
        monkeypatch.setenv(name, value)
    assert ranks.expected() == Team(3, 4)
    assert not ranks.expected().leads
