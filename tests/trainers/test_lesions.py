"""What is done for lesions: drawn more often, weighed more, and their absence where no label denies them."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from flaredb.errors import InvalidDataError, NotFoundError
from flaredb.trainers.config import Config, change, from_document
from flaredb.trainers.draws import Purpose, generator
from flaredb.trainers.feed import Feed
from flaredb.trainers.loop import Training, negative_classes, train
from flaredb.trainers.losses import label_set_loss, training_loss
from tests.cohorts import tiny
from tests.trainers.builders import store_at, training_set

SMOOTH = 1e-5
TUMOR = 2
EVERYTHING, DRAWN = 0b111, 0b100


def weight(config: Config, k: int, mask: int) -> float:
    """π of a class in a set; 0 where it is not asked for."""
    if k != TUMOR or mask in (DRAWN, EVERYTHING):
        return 1.0
    return config.lesion_prior if config.open_lesions == "prior" else 0.0


def shared(config: Config, p: list[float], mask: int) -> list[float]:
    """Probabilities at a voxel: without the tumour's where it is open and not asked for."""
    if config.open_lesions == "prior" or not mask & DRAWN or mask in (DRAWN, EVERYTHING):
        return p
    return [p[0] / (p[0] + p[1]), p[1] / (p[0] + p[1]), 0.0]


def brute(logits: Tensor, sets: Tensor, config: Config, negative: float) -> float:
    """The loss of classes background, organ, tumour as the formulas of `losses` read, voxel by voxel."""
    everywhere = logits.double().softmax(1).movedim(1, -1).reshape(-1, 3).tolist()
    masks = [int(mask) for mask in sets.reshape(-1)]
    voxels = [(p, shared(config, p, mask), mask) for p, mask in zip(everywhere, masks, strict=True)]
    cross_entropy = 0.0
    for p, own, mask in voxels:
        inside = sum(weight(config, k, mask) * own[k] for k in range(3) if mask >> k & 1)
        cross_entropy -= math.log(inside) * (config.lesion_voxels if mask == DRAWN else 1.0)
        if mask & DRAWN and mask != DRAWN:
            cross_entropy -= negative * math.log(1 - p[TUMOR])
    dice = 0.0
    for claimed in {mask for mask in masks if not mask & 1}:
        term = brute_dice(voxels, claimed, config, negative)
        dice += term * (config.lesion_dice if claimed == DRAWN else 1.0)
    return cross_entropy / len(masks) + dice / 2


def brute_dice(
    voxels: list[tuple[list[float], list[float], int]], claimed: int, config: Config, negative: float
) -> float:
    """The Dice loss of one claimed set."""
    members = [k for k in range(3) if claimed >> k & 1 and weight(config, k, claimed)]
    within = [own for _, own, mask in voxels if mask == claimed]
    total = sum(weight(config, k, claimed) * own[k] for own in within for k in members)
    denied = sum(own[k] for _, own, mask in voxels for k in members if not mask >> k & 1)
    open_to = [p for p, _, mask in voxels if TUMOR in members and mask & DRAWN and mask != DRAWN]
    outside = denied + negative * sum(p[TUMOR] for p in open_to)
    return 1 - (2 * total + SMOOTH) / (total + outside + len(within) + SMOOTH)


@given(
    seed=st.integers(0, 10_000),
    negative=st.sampled_from([0.0, 0.2, 1.0]),
    weight=st.sampled_from([1.0, 7.0, 0.5]),
    open_lesions=st.sampled_from(["unasked", "prior"]),
)
@settings(max_examples=60, deadline=None)
def test_the_loss_is_what_its_formula_says(seed, negative, weight, open_lesions):
    """Weights of a drawn lesion's Dice and of absence enter the loss as documented, whatever the sets."""
    generator = torch.Generator().manual_seed(seed)
    logits = 2 * torch.randn((2, 3, 2, 2, 3), generator=generator, dtype=torch.float64)
    sets = torch.randint(1, 8, (2, 2, 2, 3), generator=generator)
    config = Config(lesion_dice=weight, lesion_voxels=weight, open_lesions=open_lesions)
    found = training_loss(logits, sets, [TUMOR], config, negatives={TUMOR: negative} if negative else {})
    assert float(found) == pytest.approx(brute(logits, sets, config, negative), rel=1e-6)


def test_a_lesion_without_organs_beside_it_weighs_one():
    """The weight is against organs: a network of tumours alone learns the same whatever it is."""
    logits = torch.randn((1, 2, 2, 3, 4), generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    sets = torch.tensor([1, 2]).repeat(12).reshape(1, 2, 3, 4)
    plain, heavy = (training_loss(logits, sets, [1], Config(lesion_dice=weight)) for weight in (1.0, 7.0))
    assert plain == heavy == label_set_loss(logits, sets, [1])


def chance_of_a_tumor(negatives: dict[int, float]) -> float:
    """What a network that sees no image comes to believe where a tumour is drawn in one voxel of ten, all else open."""
    sets = torch.full((1, 1, 5, 10), EVERYTHING)
    sets[..., 0] = DRAWN
    logits = torch.zeros(3, requires_grad=True)
    optimiser = torch.optim.Adam([logits], 0.1)
    for _ in range(400):
        spread = logits[None, :, None, None, None].expand(1, 3, 1, 5, 10)
        loss = training_loss(spread, sets, [TUMOR], Config(lesion_dice=0.0), negatives=negatives)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return float(logits.detach().softmax(0)[TUMOR])


def test_a_tumor_that_nobody_denies_is_painted_everywhere_without_negatives():
    """Positive-only tumours alone teach "tumour" everywhere; with absence at weight w, n / (n + w m) of the places."""
    assert chance_of_a_tumor({}) > 0.99
    for weight in (0.2, 1.0):
        assert chance_of_a_tumor({TUMOR: weight}) == pytest.approx(1 / (1 + 9 * weight), abs=0.01)


def test_negatives_are_told_by_name():
    """`negatives.tumor=0.2` survives JSON, means the tumour's class, and a task without tumours passes it over."""
    config = change(Config(), {"negatives.tumor": "0.2"})
    assert config.negatives == "tumor=0.2"
    assert from_document({**config.__dict__}).negative_weights == {"tumor": 0.2}
    assert change(Config(), {"negatives": "tumor=0.2"}) == config


@pytest.mark.parametrize("text", ["much", "2", "-0.1", "nan"])
def test_an_impossible_weight_is_refused(text):
    """A weight is a number from 0 to 1."""
    with pytest.raises(InvalidDataError, match="negatives"):
        change(Config(), {"negatives.tumor": text})


def test_a_structure_that_there_is_not_is_refused(tmp_path):
    """A misspelt structure among the negatives stops the training before its first step."""
    store = store_at(tmp_path)
    data = training_set(store, "all")
    assert negative_classes(data, Config(negatives="tumor=0.2")) == {14: 0.2}
    assert negative_classes(training_set(store, "organ"), Config(negatives="tumor=0.2")) == {}
    run = Training(data, store, tiny(negatives="tumour=0.2"), tmp_path / "c", torch.device("cpu"))
    with pytest.raises(NotFoundError, match="tumour"):
        next(train(run))


def test_lesions_are_drawn_in_their_share(tmp_path):
    """Of the patches drawn for a structure the asked share is drawn around a lesion, whatever their number."""
    store = store_at(tmp_path)
    config = replace(tiny(batch=1), foreground=1.0, patch=(8, 8, 8))
    data = training_set(store, "all", cases=8)
    for share, expected in ((0.0, None), (0.5, 0.5), (1.0, 1.0)):
        feed = Feed(data, store, replace(config, lesion_share=share), torch.device("cpu"))
        kinds = len(feed._balance.foreground)
        drawn = [feed._balance._any_structure(generator(0, Purpose.PLACE, step, 0)) for step in range(2000)]
        found = sum(name == "tumor" for name in drawn) / len(drawn)
        assert found == pytest.approx(1 / kinds if expected is None else expected, abs=0.04)
        assert set(drawn) == (set(feed._balance.foreground) if share < 1 else {"tumor"})
