"""The feed: the same stream whenever and wherever it is asked for, labels where their image is."""

from __future__ import annotations

import json
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
from torch.utils.data import DataLoader

from flaredb.errors import InvalidDataError
from flaredb.geometry import Grid
from flaredb.trainers.augment import Intensity
from flaredb.trainers.draws import read_draw
from flaredb.trainers.feed import Batch, Feed
from flaredb.trainers.resample import Frame
from flaredb.trainers.samples import CaseItem, LabelItem, TrainingSet
from flaredb.workflow.case.events import case_exclude, case_rename
from flaredb.workflow.snapshot.create import snapshot_create
from flaredb.workflow.snapshot.create import training_set as frozen
from tests.cohorts import tiny
from tests.trainers.builders import one_case, standard, store_at, training_set, trust

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
        f"print(digest(feed(Path({str(tmp_path)!r}), **EVERYTHING).batch(7)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == digest(feed(tmp_path, **EVERYTHING).batch(7))


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


def place_of(point: np.ndarray, frame: Frame) -> np.ndarray:
    """Where in the patch a native index is shown: the frame's map turned round, step by step."""
    at = np.full(3, 11.5)
    for _ in range(40):
        at = at + np.linalg.solve(frame.matrix, point - frame.locate(at[None])[0])
    return at


def test_a_planted_point_is_where_its_draw_says(tmp_path):
    """In 1,000 draws, turned, sized, flipped and deformed, a spot and its label are within a voxel of the place that
    the draw maps to them."""
    data, (point, _), _ = planted(tmp_path)
    settings = {"spacing": "4,4,4", "rotation": 40, "scale": 0.3, "mirror": "zyx", "foreground": 1}
    chances = {"rotate_chance": 0.6, "scale_chance": 0.6, "elastic_chance": 0.4, "noise": 0, "contrast": 0}
    made = Feed(data, store_at(tmp_path), tiny(patch="24,24,24", **settings, **chances), CPU)
    checked, kinds = 0, Counter()
    for step in range(1000):
        draw = made.draw(step, 0)
        at = place_of(point, draw.frame)
        if (at < 3).any() or (at > 20).any():
            continue
        image, allowed = made.make(draw)
        tumor = np.argwhere((allowed == 1 << 14).numpy())
        assert len(tumor)
        assert np.abs(tumor.mean(0) - at).max() <= 1
        bright = np.argwhere((image > image.max() / 2).numpy())
        assert np.abs(bright.mean(0) - at).max() <= 1
        checked += 1
        kinds.update(elastic=draw.elastic is not None, turned=any(draw.angles), flipped=any(draw.flips))
        kinds.update(plain=draw.frame.plain, sized=draw.scale != (1, 1, 1))
    assert checked >= 600
    assert min(kinds.values()) > 100


def test_outside_the_scan_everything_is_possible_and_it_is_air(tmp_path):
    """A patch that reaches beyond the scan is open there, and as dark as air; inside it is not open."""
    grid = Grid((6, 6, 6), (10.0, 10.0, 10.0))
    codes = np.ones(grid.shape, np.uint8)
    data = one_case(store_at(tmp_path), np.full(grid.shape, 100, np.int16), codes, grid, "liver", "tumor")
    made = Feed(data, store_at(tmp_path), tiny(rotation=0, scale=0, noise=0, contrast=0), CPU)
    for step in range(20):
        draw = made.draw(step, 0)
        image, allowed = made.make(draw)
        axes = [np.arange(16) - 7.5 + draw.centre[axis] for axis in range(3)]
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
    draw = draw._replace(centre=(7.5, 7.5, 7.5))
    plain, _ = made.make(draw._replace(intensity=Intensity()))
    np.testing.assert_allclose(plain[3, 3, :5], [-2.5, -2.0, 0.1, 2.0, 2.0], atol=1e-4)
    changed, _ = made.make(draw._replace(intensity=Intensity(gain=1.5, shift=-0.2)))
    np.testing.assert_allclose(changed, 1.5 * plain - 0.2, atol=1e-4)
    noisy, _ = made.make(draw._replace(intensity=Intensity(noise=0.3)))
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
    made = Feed(data, workspace.volumes, tiny(rotation=0, scale=0), CPU)
    for number, case in enumerate(data.cases):
        sets = workspace.label_sets(case.case)
        centre = np.asarray(sets.shape) // 2 - 0.5
        native = workspace.image(case.case).grid.spacing
        draw = made.draw(0, 0)._replace(case=number, centre=tuple(centre), native=native, spacing=native)
        _, allowed = made.make(draw)
        low = (centre - 7.5).astype(int)
        box = tuple(slice(max(0, start), start + 16) for start in low)
        inner = tuple(slice(max(0, -start), max(0, -start) + s) for start, s in zip(low, sets[box].shape, strict=True))
        np.testing.assert_array_equal(allowed.numpy()[inner], sets[box])


def test_nothing_to_learn_is_refused(tmp_path):
    """A training set without cases is an error of its own."""
    store = store_at(tmp_path)
    with pytest.raises(InvalidDataError, match="no case"):
        Feed(replace(training_set(store), cases=()), store, tiny(), CPU)


EVERYTHING = {
    "rotate_chance": 0.5, "scale_chance": 0.5, "elastic_chance": 0.5, "mirror": "zyx",
    "blur_chance": 0.5, "gamma_chance": 0.5, "low_resolution_chance": 0.5,
}  # fmt: skip


def test_a_draw_survives_json(tmp_path):
    """Written down and read again a draw is the same, and makes the same patch bit for bit."""
    made, other = feed(tmp_path, **EVERYTHING), feed(tmp_path, seed=5)
    for step in range(12):
        draw = made.draw(step, 1)
        document = json.loads(json.dumps(draw.document()))
        assert read_draw(document) == draw
        image, allowed = made.make(draw)
        again, known = other.replay(document)
        assert torch.equal(image, again)
        assert torch.equal(allowed, known)


def test_a_draw_of_another_scan_is_refused(tmp_path):
    """What is no draw, or is of a scan that the training set lacks, is told so."""
    made = feed(tmp_path)
    document = made.draw(0, 0).document()
    with pytest.raises(InvalidDataError, match="has the scan ffff"):
        made.replay({**document, "image": "f" * 64})
    for broken in ({}, {**document, "elastic": 3}, {**document, "colour": 1}):
        with pytest.raises(InvalidDataError, match="does not describe a patch"):
            made.replay(broken)


def test_a_setting_changes_what_it_is_about(tmp_path):
    """Flips, deformation and intensities switched on change neither places nor turns."""
    plain, rich = feed(tmp_path), feed(tmp_path, mirror="zyx", elastic_chance=1, gamma_chance=1)
    for step in range(5):
        one, other = plain.draw(step, 0), rich.draw(step, 0)
        assert one.elastic is None
        assert other.elastic is not None
        changed = other._replace(elastic=None, flips=one.flips, intensity=one.intensity)
        assert changed == one
        assert other.intensity._replace(gamma=None) == one.intensity


def test_chances_and_ranges_hold(tmp_path):
    """Turns, sizes and flips come as often as asked, each as far as asked."""
    made = feed(tmp_path, rotate_chance=0.2, scale_chance=0.3, scale=0.3, scale_up=0.4, rotation=30, mirror="yx")
    draws = [made.draw(step, index) for step in range(300) for index in range(2)]
    turned = np.array([draw.angles for draw in draws if any(draw.angles)])
    sizes = np.array([draw.scale[0] for draw in draws if draw.scale != (1, 1, 1)])
    assert 0.14 < len(turned) / 600 < 0.26
    assert 0.24 < len(sizes) / 600 < 0.36
    assert 25 < np.abs(turned).max() <= 30
    assert (turned.min(0) < 0).all()
    assert 0.7 <= sizes.min() < 0.75
    assert 1.35 < sizes.max() <= 1.4
    flips = np.mean([draw.flips for draw in draws], axis=0)
    assert flips[0] == 0
    assert (np.abs(flips[1:] - 0.5) < 0.08).all()


def test_in_plane_slices_stay_slices(tmp_path):
    """Turned and sized within slices alone, by the same numbers as otherwise."""
    settings = {"rotate_chance": 0.7, "scale_chance": 0.7, "rotation": 180, "mirror": "zyx"}
    made, free = feed(tmp_path, in_plane="true", **settings), feed(tmp_path, **settings)
    draws = [made.draw(step, 0) for step in range(40)]
    assert all(draw.frame.level for draw in draws)
    assert {draw.frame.plain for draw in draws} == {True, False}
    for step, draw in enumerate(draws):
        other = free.draw(step, 0)
        assert draw.angles == (other.angles[0], 0, 0)
        assert draw.scale == (1, *other.scale[1:])


def test_names_and_order_change_nothing(tmp_path):
    """Cases renamed and in another order, as after a change of the catalogue: the same stream."""
    store = store_at(tmp_path)
    data = training_set(store)
    renamed = replace(data, cases=tuple(replace(case, case=f"x{i}") for i, case in enumerate(data.cases[::-1])))
    one, other = (Feed(cases, store, tiny(batch=2, **EVERYTHING), CPU) for cases in (data, renamed))
    for step in range(8):
        assert digest(one.batch(step)) == digest(other.batch(step))


def test_a_changed_catalogue_changes_nothing(tmp_path, workspace):
    """After withdrawals, renames and new labels a snapshot gives the patches it gave."""
    (name,) = snapshot_create(workspace, "all").ids

    def stream() -> list[str]:
        with workspace.catalog.read() as connection:
            data = frozen(workspace, connection, name)
        made = Feed(data, workspace.volumes, tiny(batch=2, **EVERYTHING), CPU)
        return [digest(made.batch(step)) for step in range(6)]

    before = stream()
    with workspace.catalog.read() as connection:
        first, *_, last = [case.case for case in frozen(workspace, connection, name).cases]
    case_rename(workspace, first, "zzz", why="a test")
    case_exclude(workspace, last, why="a test")
    assert stream() == before


def test_ranks_share_the_stream(tmp_path):
    """What two ranks make of a step is, together, what one makes; ranks that do not divide a batch are refused."""
    store = store_at(tmp_path)
    data, config = training_set(store), tiny(batch=4)
    whole = Feed(data, store, config, CPU)
    parts = [Feed(data, store, config, CPU, start=1, rank=rank, ranks=2) for rank in range(2)]
    for step, (first, second) in enumerate(zip(*(islice(iter(part), 3) for part in parts), strict=True), start=1):
        batch = whole.batch(step)
        assert torch.equal(batch.image[0::2], first.image)
        assert torch.equal(batch.image[1::2], second.image)
        assert torch.equal(batch.allowed[0::2], first.allowed)
        assert batch.draws[1::2] == second.draws
    with pytest.raises(InvalidDataError, match="cannot be shared by 3 ranks"):
        Feed(data, store, config, CPU, rank=0, ranks=3)
    with pytest.raises(InvalidDataError, match="count from 0"):
        Feed(data, store, config, CPU, rank=2, ranks=2)


def test_a_data_loader_takes_it(tmp_path):
    """In torch's own DataLoader the stream is the same; worker processes are refused with a reason."""
    made = feed(tmp_path)
    loaded = list(islice(DataLoader(made, batch_size=None), 2))
    assert [digest(batch) for batch in loaded] == [digest(made.batch(step)) for step in range(2)]
    with pytest.raises(InvalidDataError, match="num_workers=0"):
        next(iter(DataLoader(feed(tmp_path), batch_size=None, num_workers=1)))


def test_reads_are_under_way_before_they_are_needed(tmp_path):
    """With the first batch the reads of the next ones have been asked for, and no more than those."""
    made = feed(tmp_path, ahead=3)
    asked = []
    one = made._asked
    made._asked = lambda draw: asked.append(draw) or one(draw)
    steps = made._fetched(0)
    next(steps)
    assert asked == [made.draw(step, index) for step in range(4) for index in range(2)]
    next(steps)
    assert len(asked) == 2 * 5


def test_fetch_and_finish_are_make(tmp_path):
    """The host's part and the device's part, one after the other; scans travel as they are stored."""
    made = feed(tmp_path, **EVERYTHING)
    draw = made.draw(0, 0)
    fetched = made.fetch(draw)
    assert fetched.image.dtype == torch.int16
    assert [codes.dtype for codes in fetched.codes] == [torch.uint8]
    box = fetched.cut.image
    np.testing.assert_array_equal(fetched.image, made.volumes.open(draw.image).read(box))
    image, allowed = made.finish(fetched)
    again, known = made.make(draw)
    assert torch.equal(image, again)
    assert torch.equal(allowed, known)


def test_patterns_by_cases(tmp_path):
    """With a power of 1 patterns are drawn as they have cases; shares add up to 1 and are what is drawn."""
    store = store_at(tmp_path)
    data = training_set(store, "all")
    equal, by_cases = (Feed(data, store, tiny(foreground=0.0, patterns=power), CPU) for power in (0, 1))
    assert {pattern.share for pattern in equal.patterns()} == {1 / len(equal.patterns())}
    for pattern in by_cases.patterns():
        assert pattern.share == pytest.approx(len(pattern.cases) / len(data.cases))
    drawn = Counter(by_cases.draw(step, 0).case for step in range(500))
    assert set(drawn) == set(range(len(data.cases)))
    for pattern in by_cases.patterns():
        assert sum(drawn[case] for case in pattern.cases) / 500 == pytest.approx(pattern.share, abs=0.08)


def test_a_case_that_says_nothing_is_never_drawn(tmp_path):
    """A case whose labels say nothing about the task is left out; with no other there is nothing to learn from."""
    store = store_at(tmp_path)
    grid = Grid((6, 6, 6), (10.0, 10.0, 10.0))
    codes = np.ones(grid.shape, np.uint8)
    silent = one_case(store, np.full(grid.shape, 50, np.int16), codes, grid, "tumor")
    data = training_set(store)
    mixed = replace(data, cases=(*silent.cases, *data.cases))
    made = Feed(mixed, store, tiny(foreground=0.3), CPU)
    assert 0 not in {made.draw(step, 0).case for step in range(60)}
    with pytest.raises(InvalidDataError, match="no case with anything decided"):
        Feed(replace(mixed, cases=silent.cases), store, tiny(), CPU)


@pytest.mark.parametrize("foreground", [0.0, 1.0])
def test_patches_stay_within_the_scan_as_far_as_asked(tmp_path, foreground):
    """No more of a patch lies beyond the scan than may, also around foreground; a short scan is wholly in it."""
    grid = Grid((60, 40, 9), (10.0, 10.0, 10.0))
    codes = np.zeros(grid.shape, np.uint8)
    codes[-1], codes[:, 0] = 1, 1
    data = one_case(store_at(tmp_path), np.zeros(grid.shape, np.int16), codes, grid, "liver")
    reach = {}
    for beyond in (0.0, 0.25, 1.0):
        made = Feed(data, store_at(tmp_path), tiny(foreground=foreground, beyond=beyond, rotation=0, scale=0), CPU)
        centres = np.array([made.draw(step, 0).centre for step in range(300)])
        edges = [*(centres[:, :2].min(0) - 7.5), *(centres[:, :2].max(0) + 7.5 - (59, 39))]
        reach[beyond] = max(-edges[0], -edges[1], edges[2], edges[3]) / 16
        if beyond == 0:
            assert (centres[:, 2] - 8 <= -0.5).all()
            assert (centres[:, 2] + 8 >= 8.5).all()
    assert reach[0.0] <= 1e-9
    assert 0.2 < reach[0.25] <= 0.25 + 1e-9
    assert reach[1.0] > 0.4


@pytest.mark.parametrize("shape", [(1, 20, 20), (3, 2, 40), (40, 1, 1)])
def test_scans_smaller_than_a_patch(tmp_path, shape):
    """Slices, rows and columns by themselves: inside is what it was, all else is open air."""
    grid = Grid(shape, (8.0, 2.0, 2.0))
    data = one_case(store_at(tmp_path), np.full(shape, 100, np.int16), np.ones(shape, np.uint8), grid, "liver", "tumor")
    config = tiny(spacing="4,4,4", rotation=30, noise=0, contrast=0, mirror="zyx", elastic_chance=0.5)
    made = Feed(data, store_at(tmp_path), config, CPU)
    for step in range(20):
        image, allowed = made.make(made.draw(step, 0))
        held = allowed == 1 << 1
        assert (held | (allowed == (1 << 15) - 1)).all()
        np.testing.assert_allclose(image[held], standard(100, config), atol=1e-4)
        np.testing.assert_allclose(image[~held], standard(-3000, config), atol=1e-4)


def test_wide_codes_and_several_labels_agree_with_the_tables(tmp_path):
    """Codes beyond a byte, beyond their mapping, and labels that split what they annotate: one answer."""
    store = store_at(tmp_path)
    grid = Grid((16, 16, 16), (10.0, 10.0, 10.0))
    codes = np.random.default_rng(0).integers(0, 3, grid.shape).astype(np.uint16)
    whole = one_case(store, np.zeros(grid.shape, np.int16), codes, grid, "liver", "right_kidney")
    wide = codes.copy()
    wide[codes == 0] = 999  # beyond the mapping: says nothing
    image = whole.cases[0].image
    volumes = [store.put_label(codes, grid).volume, store.put_label(wide, grid).volume]
    trusts = [trust("a@t@1", "liver"), trust("a@u@1", "right_kidney")]
    labels = tuple(LabelItem(volume, each) for volume, each in zip(volumes, trusts, strict=True))
    split = replace(whole, cases=(CaseItem("a", image, labels),))
    config = tiny(rotation=0, scale=0)
    one, two = (Feed(data, store, config, CPU) for data in (whole, split))
    draw = one.draw(0, 0)._replace(centre=(7.5, 7.5, 7.5))
    plain, both = one.make(draw)[1].numpy(), two.make(draw)[1].numpy()
    np.testing.assert_array_equal(plain[codes > 0], both[codes > 0])
    assert (plain[codes == 0] & ~both[codes == 0] == 0).all()
    assert (both[codes == 0] & (1 << 1) == 0).all()  # the first label still denies the liver
    assert (both[codes == 0] & (1 << 2) == 1 << 2).all()  # nobody denies the kidney
