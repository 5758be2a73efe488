"""The feed: the same stream whenever and wherever it is asked for, labels where their image is."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from dataclasses import replace
from hashlib import sha256
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch

from flaredb.errors import InvalidDataError
from flaredb.geometry import Grid
from flaredb.trainers.feed import Batch, Feed
from flaredb.trainers.samples import TrainingSet
from flaredb.workflow.snapshot import snapshot_create
from flaredb.workflow.snapshot import training_set as frozen
from tests.cohorts import tiny
from tests.trainers.builders import one_case, standard, store_at, training_set

CPU = torch.device("cpu")


def feed(folder: Path, start: int = 0, **changes: object) -> Feed:
    """The feed of the tiny training set."""
    store = store_at(folder)
    return Feed(training_set(store), store, tiny(batch=2, **changes), CPU, start)


def digest(batch: Batch) -> str:
    """What is in a batch, in 64 letters."""
    return sha256(batch.image.numpy().tobytes() + batch.allowed.numpy().tobytes()).hexdigest()


def test_a_batch_has_the_promised_shape(tmp_path):
    """Images (batch, 1, z, y, x) float32, normalised; sets (batch, z, y, x) int64, never empty."""
    batch = feed(tmp_path).batch(0)
    assert batch.image.shape == (2, 1, 16, 16, 16)
    assert batch.image.dtype == torch.float32
    assert batch.allowed.shape == (2, 16, 16, 16)
    assert batch.allowed.dtype == torch.int64
    assert int(batch.allowed.min()) >= 1
    assert int(batch.allowed.max()) < 1 << 14
    assert torch.isfinite(batch.image).all()
    assert len(batch.draws) == 2


def test_a_step_is_a_function_of_its_number(tmp_path):
    """Asked in any order, by another feed or with another start, a step's batch is bit for bit the same."""
    one, other = feed(tmp_path), feed(tmp_path, start=3)
    wanted = [digest(one.batch(step)) for step in range(6)]
    assert [digest(other.batch(step)) for step in (5, 0, 3)] == [wanted[5], wanted[0], wanted[3]]
    assert [digest(batch) for batch in islice(iter(one), 6)] == wanted
    assert [digest(batch) for batch in islice(iter(other), 3)] == wanted[3:]
    assert len(set(wanted)) == 6


def test_another_process_makes_the_same_batch(tmp_path):
    """A fresh interpreter draws and resamples the same bytes."""
    code = (
        "import torch; torch.set_num_threads(1)\n"
        "from tests.trainers.test_feed import *\n"
        f"print(digest(feed(Path({str(tmp_path)!r})).batch(7)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == digest(feed(tmp_path).batch(7))


def test_seeds_and_patches_differ(tmp_path):
    """Another seed gives another stream, and the patches of a batch differ."""
    assert digest(feed(tmp_path).batch(0)) != digest(feed(tmp_path, seed=1).batch(0))
    batch = feed(tmp_path).batch(1)
    assert not torch.equal(batch.image[0], batch.image[1])


def planted(folder: Path) -> tuple[TrainingSet, tuple[np.ndarray, np.ndarray], Grid]:
    """A case of uneven spacing with a bright block of 3 × 3 × 3 voxels, labelled tumour, off the centre."""
    grid = Grid((21, 30, 26), (5.0, 3.0, 4.0))
    image = np.full(grid.shape, -900, np.int16)
    codes = np.zeros(grid.shape, np.uint8)
    block = (slice(6, 9), slice(17, 20), slice(10, 13))
    image[block], codes[block] = 200, 14
    return one_case(store_at(folder), image, codes, grid, "tumor"), (np.array([7.0, 18.0, 11.0]), image), grid


def test_a_planted_point_is_where_its_frame_says(tmp_path):
    """Over some hundred draws label and bright spot lie within a voxel of where the frame maps the point."""
    data, (point, _), _ = planted(tmp_path)
    config = tiny(patch="24,24,24", spacing="4,4,4", noise=0, contrast=0, rotation=40, scale=0.3, foreground=0.5)
    made = Feed(data, store_at(tmp_path), config, CPU)
    checked = 0
    for step in range(200):
        draw = made.draw(step, 0)
        image, allowed = made.make(draw)
        at = np.linalg.solve(draw.frame.matrix, point - draw.frame.centre) + (np.asarray(draw.frame.patch) - 1) / 2
        if (at < 2.5).any() or (at > 20.5).any():
            continue
        tumor = np.argwhere((allowed == 1 << 14).numpy())
        assert len(tumor)
        assert np.abs(tumor.mean(0) - at).max() <= 1
        bright = np.argwhere((image > image.max() / 2).numpy())
        assert np.abs(bright.mean(0) - at).max() <= 1
        checked += 1
    assert checked >= 60


def test_outside_the_scan_everything_is_possible_and_it_is_air(tmp_path):
    """A patch that reaches beyond the scan is open there, and as dark as air; inside it is not open."""
    grid = Grid((6, 6, 6), (10.0, 10.0, 10.0))
    codes = np.ones(grid.shape, np.uint8)
    data = one_case(store_at(tmp_path), np.full(grid.shape, 100, np.int16), codes, grid, "liver", "tumor")
    made = Feed(data, store_at(tmp_path), tiny(rotation=0, scale=0, noise=0, contrast=0), CPU)
    for step in range(20):
        draw = made.draw(step, 0)
        image, allowed = made.make(draw)
        axes = [np.arange(16) - 7.5 + draw.frame.centre[axis] for axis in range(3)]
        place = np.stack(np.meshgrid(*axes, indexing="ij"))
        inside = ((place > -0.5) & (place < 5.5)).all(0)
        assert (allowed.numpy()[inside] == 1 << 1).all()
        assert (allowed.numpy()[~inside] == (1 << 15) - 1).all()
        beyond = ((place < -1) | (place > 6)).any(0)
        np.testing.assert_allclose(image.numpy()[beyond], standard(-3000, made.config), atol=1e-5)
        deep = ((place >= 0) & (place <= 5)).all(0)
        np.testing.assert_allclose(image.numpy()[deep], standard(100, made.config), atol=1e-4)


def test_values_are_clipped_and_scaled(tmp_path):
    """HU become standard scores between the configured limits; what is drawn changes them as drawn."""
    grid = Grid((16, 16, 5), (10.0, 10.0, 10.0))
    image = np.zeros(grid.shape, np.int16)
    image[:, :] = (-2000, -150, 60, 280, 3000)
    data = one_case(store_at(tmp_path), image, np.zeros(grid.shape, np.uint8), grid, "liver")
    config = tiny(rotation=0, scale=0, hu_low=-200, hu_high=250, hu_mean=50, hu_std=100)
    made = Feed(data, store_at(tmp_path), config, CPU)
    draw = made.draw(0, 0)
    frame = draw.frame._replace(centre=np.array([7.5, 7.5, 7.5]))
    plain, _ = made.make(draw._replace(frame=frame, gain=1.0, shift=0.0, noise=0.0))
    np.testing.assert_allclose(plain[3, 3, :5], [-2.5, -2.0, 0.1, 2.0, 2.0], atol=1e-4)
    changed, _ = made.make(draw._replace(frame=frame, gain=1.5, shift=-0.2, noise=0.0))
    np.testing.assert_allclose(changed, 1.5 * plain - 0.2, atol=1e-4)
    noisy, _ = made.make(draw._replace(frame=frame, gain=1.0, shift=0.0, noise=0.3))
    assert 0.27 < float((noisy - plain).std()) < 0.33


def test_foreground_is_drawn_as_often_as_asked(tmp_path):
    """With a share of 1 every patch holds a structure of the task, and every structure that is there gets its turn."""
    store = store_at(tmp_path)
    data = training_set(store)
    made = Feed(data, store, tiny(foreground=1.0, rotation=0, scale=0), CPU)
    seen = set()
    for step in range(150):
        _, allowed = made.make(made.draw(step, 0))
        drawn = {int(mask) for mask in np.unique(allowed)} & {1 << k for k in range(1, 14)}
        assert drawn
        seen |= drawn
    held = {int(c) for case in data.cases for c in np.unique(store.open(case.labels[0].volume).read())} - {0, 14}
    assert seen == {1 << code for code in held}


def test_an_untrusted_structure_is_not_foreground(tmp_path):
    """A structure that a label draws but is not trusted in stays open, and no patch is drawn for its sake."""
    grid = Grid((60, 8, 8), (10.0, 10.0, 10.0))
    codes = np.zeros(grid.shape, np.uint8)
    codes[:2], codes[50:] = 1, 3
    data = one_case(store_at(tmp_path), np.zeros(grid.shape, np.int16), codes, grid, "liver")
    made = Feed(data, store_at(tmp_path), tiny(foreground=1.0, rotation=0, scale=0), CPU)
    for step in range(30):
        _, allowed = made.make(made.draw(step, 0))
        masks = {int(mask) for mask in np.unique(allowed)}
        assert (1 << 1 | 1 << 14) in masks
        assert 1 << 3 not in masks


def test_patterns_get_equal_turns(tmp_path):
    """Patches without regard to structures are spread over the patterns of annotation, not over the cases."""
    store = store_at(tmp_path)
    data = training_set(store, "all")
    made = Feed(data, store, tiny(foreground=0.0), CPU)
    drawn = Counter(data.cases[made.draw(step, 0).case].labels[0].trust.structures for step in range(400))
    assert len(drawn) == len({case.labels[0].trust.structures for case in data.cases}) > 2
    assert max(drawn.values()) < 1.6 * min(drawn.values())


def test_labels_combine_as_in_the_catalogue(tmp_path, workspace):
    """Without a turn, at the scan's own spacing, a patch's sets are the workspace's label sets."""
    (name,) = snapshot_create(workspace, "all").ids
    with workspace.catalog.read() as connection:
        data = frozen(workspace, connection, name)
    config = tiny(rotation=0, scale=0)
    made = Feed(data, workspace.volumes, config, CPU)
    for number, case in enumerate(data.cases):
        sets = workspace.label_sets(case.case)
        draw = made.draw(0, 0)
        centre = np.asarray(sets.shape) // 2 - 0.5
        matrix = np.diag(10.0 / np.asarray(workspace.image(case.case).grid.spacing))
        frame = draw.frame._replace(centre=centre, matrix=matrix)
        _, allowed = made.make(draw._replace(case=number, frame=frame))
        low = (centre - 7.5).astype(int)
        box = tuple(slice(max(0, start), start + 16) for start in low)
        inner = tuple(slice(max(0, -start), max(0, -start) + s) for start, s in zip(low, sets[box].shape, strict=True))
        np.testing.assert_array_equal(allowed.numpy()[inner], sets[box])


def test_nothing_to_learn_is_refused(tmp_path):
    """A training set without cases is an error of its own."""
    store = store_at(tmp_path)
    with pytest.raises(InvalidDataError, match="no case"):
        Feed(replace(training_set(store), cases=()), store, tiny(), CPU)
