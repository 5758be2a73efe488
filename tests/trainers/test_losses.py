"""The label-set loss against plain implementations: complete labels, brute force, limits, gradients."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from flaredb.trainers.losses import label_set_loss

SMOOTH = 1e-5
SHAPE = (2, 3, 2, 4)  # batch, z, y, x


def random_logits(classes: int, seed: int, scale: float = 3.0) -> Tensor:
    """Logits (batch, classes, z, y, x)."""
    generator = torch.Generator().manual_seed(seed)
    return scale * torch.randn((SHAPE[0], classes, *SHAPE[1:]), generator=generator)


def random_sets(classes: int, seed: int) -> Tensor:
    """Any non-empty sets."""
    generator = torch.Generator().manual_seed(seed + 1)
    return torch.randint(1, 1 << classes, SHAPE, generator=generator)


def random_classes(classes: int, seed: int) -> Tensor:
    """One class a voxel."""
    generator = torch.Generator().manual_seed(seed + 2)
    return torch.randint(0, classes, SHAPE, generator=generator)


def plain(logits: Tensor, classes: Tensor) -> float:
    """Cross-entropy plus batch Dice over the present structures, divided by the number of all structures."""
    cross_entropy = torch.nn.functional.cross_entropy(logits.double(), classes)
    probability = logits.double().softmax(1)
    count = logits.shape[1]
    dice = 0.0
    for k in range(1, count):
        mask = (classes == k).double()
        if mask.sum() == 0:
            continue
        p = probability[:, k]
        dice += 1 - float((2 * (p * mask).sum() + SMOOTH) / (p.sum() + mask.sum() + SMOOTH))
    return float(cross_entropy) + dice / (count - 1)


def brute(logits: Tensor, sets: Tensor, lesions: tuple[int, ...], prior: float) -> float:
    """The loss as its formula reads, voxel by voxel and set by set, in Python floats."""
    classes = logits.shape[1]
    voxels = logits.double().movedim(1, -1).reshape(-1, classes).tolist()
    masks = [int(m) for m in sets.reshape(-1)]
    everything = (1 << classes) - 1

    def weight(k: int, mask: int) -> float:
        several = bin(mask).count("1") > 1 and mask != everything
        return prior if k in lesions and several else 1.0

    probabilities = []
    for scores in voxels:
        top = max(scores)
        exponentials = [math.exp(s - top) for s in scores]
        probabilities.append([e / sum(exponentials) for e in exponentials])
    inside = [
        sum(weight(k, m) * p[k] for k in range(classes) if m >> k & 1)
        for p, m in zip(probabilities, masks, strict=True)
    ]
    cross_entropy = sum(-math.log(i) for i in inside) / len(inside)
    dice = 0.0
    for claimed in {m for m in masks if not m & 1}:
        total = sum(i for i, m in zip(inside, masks, strict=True) if m == claimed)
        number = sum(m == claimed for m in masks)
        outside = sum(
            p[k]
            for k in range(classes)
            if claimed >> k & 1
            for p, m in zip(probabilities, masks, strict=True)
            if not m >> k & 1
        )
        dice += 1 - (2 * total + SMOOTH) / (total + outside + number + SMOOTH)
    return cross_entropy + dice / (classes - 1)


@given(classes=st.integers(2, 15), seed=st.integers(0, 10_000))
@settings(max_examples=40, deadline=None)
def test_complete_labels_give_the_plain_loss(classes, seed):
    """With one class a voxel the loss is cross-entropy plus batch Dice, to 1e-6, lesions or not."""
    logits, wanted = random_logits(classes, seed), random_classes(classes, seed)
    for lesions in ((), (classes - 1,)):
        loss = label_set_loss(logits, 1 << wanted, lesions, 0.05)
        assert float(loss) == pytest.approx(plain(logits, wanted), rel=1e-6, abs=1e-6)


@given(classes=st.integers(2, 5), seed=st.integers(0, 10_000), prior=st.sampled_from([0.05, 0.5, 1.0]))
@settings(max_examples=60, deadline=None)
def test_any_sets_give_what_the_formula_says(classes, seed, prior):
    """With random sets the loss equals the formula read voxel by voxel."""
    logits, sets = random_logits(classes, seed), random_sets(classes, seed)
    lesions = (classes - 1,)
    loss = float(label_set_loss(logits, sets, lesions, prior))
    assert loss == pytest.approx(brute(logits, sets, lesions, prior), rel=1e-5, abs=1e-6)


def test_every_small_set_agrees_with_brute_force():
    """For three classes every pair of sets over two voxels gives the formula's value."""
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn((1, 3, 1, 1, 2), generator=generator)
    for pair in itertools.product(range(1, 8), repeat=2):
        sets = torch.tensor(pair).reshape(1, 1, 1, 2)
        for lesions in ((), (2,)):
            loss = float(label_set_loss(logits, sets, lesions, 0.05))
            assert loss == pytest.approx(brute(logits, sets, lesions, 0.05), rel=1e-5, abs=1e-6)


def test_open_voxels_cost_nothing():
    """Where everything is possible the loss and its gradient are zero, whatever the lesion prior."""
    logits = random_logits(5, 3).requires_grad_()
    loss = label_set_loss(logits, torch.full(SHAPE, 0b11111), [4], 0.05)
    loss.backward()
    assert float(loss.detach()) == pytest.approx(0, abs=1e-6)
    assert logits.grad is not None
    assert float(logits.grad.abs().max()) < 1e-6


def test_open_voxels_have_no_gradient_among_others():
    """Open voxels beside decided ones get no gradient from either term."""
    logits = random_logits(4, 5).requires_grad_()
    sets = 1 << random_classes(4, 5)
    sets[1] = 0b1111
    label_set_loss(logits, sets, [], 1.0).backward()
    assert logits.grad is not None
    assert float(logits.grad[1].abs().max()) < 1e-7
    assert float(logits.grad[0].abs().max()) > 1e-4


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("size", [1e2, 6e4])
def test_extreme_logits_stay_finite(dtype, size):
    """Logits as large as the type allows, for and against the label, give a finite loss and gradient."""
    for seed in range(4):
        logits = (size * random_logits(5, seed, 1.0).sign()).to(dtype).requires_grad_()
        for sets in (random_sets(5, seed), 1 << random_classes(5, seed)):
            for prior in (0.0, 0.05, 1.0):
                logits.grad = None
                loss = label_set_loss(logits, sets, [4], prior)
                loss.backward()
                assert torch.isfinite(loss)
                assert torch.isfinite(logits.grad).all()


def test_gradient_is_the_slope():
    """The gradient of the loss is the slope of the formula, by central differences in double."""
    logits, sets = random_logits(3, 7, 1.0), random_sets(3, 7)
    leaf = logits.clone().requires_grad_()
    label_set_loss(leaf, sets, [2], 0.05).backward()
    assert leaf.grad is not None
    for place in [(0, 0, 0, 0, 0), (1, 2, 2, 1, 3), (0, 1, 1, 0, 2), (1, 0, 0, 1, 1)]:
        up, down = logits.double().clone(), logits.double().clone()
        up[place] += 1e-5
        down[place] -= 1e-5
        slope = (brute(up, sets, (2,), 0.05) - brute(down, sets, (2,), 0.05)) / 2e-5
        assert float(leaf.grad[place]) == pytest.approx(slope, rel=1e-3, abs=1e-6)


def test_the_lesion_prior_keeps_organs_learning():
    """Under {organ, lesion} a small prior pulls the organ up more than the lesion, and a prior of 0 only the organ."""
    sets = torch.full((1, 1, 1, 1), 0b110)  # organ 1 or lesion 2
    pull = {}
    for prior in (0.0, 0.05, 1.0):
        logits = torch.zeros((1, 3, 1, 1, 1), requires_grad=True)
        label_set_loss(logits, sets, [2], prior).backward()
        assert logits.grad is not None
        pull[prior] = [-float(g) for g in logits.grad.reshape(-1)]
    assert pull[1.0][1] == pytest.approx(pull[1.0][2])
    assert pull[0.05][1] > 5 * max(pull[0.05][2], 0)
    assert pull[0.05][2] < pull[1.0][2]
    assert pull[0.0][1] > 0 > pull[0.0][2]


def test_a_drawn_lesion_has_no_prior():
    """A voxel that is the lesion, or may be anything, is weighed without prior."""
    logits = random_logits(3, 1)
    for mask in (0b100, 0b111):
        sets = torch.full(SHAPE, mask)
        assert float(label_set_loss(logits, sets, [2], 0.05)) == pytest.approx(
            float(label_set_loss(logits, sets, [2], 1.0))
        )


def test_a_case_that_knows_little_weighs_little():
    """The Dice of one claimed structure counts one part in all structures, not whole."""
    for classes in (3, 14):
        logits = torch.zeros((1, classes, 1, 1, 4))
        logits[:, 0] = 40.0
        sets = torch.tensor([2, 1, 1, 1]).reshape(1, 1, 1, 4)
        cross_entropy = 40.0 / 4
        assert float(label_set_loss(logits, sets, [], 1.0)) == pytest.approx(
            cross_entropy + 1 / (classes - 1), rel=1e-4
        )


def test_a_perfect_answer_costs_nothing():
    """Certain and right is zero."""
    wanted = random_classes(4, 9)
    logits = torch.nn.functional.one_hot(wanted, 4).movedim(-1, 1).float() * 60
    assert float(label_set_loss(logits, 1 << wanted, [3], 0.05)) == pytest.approx(0, abs=1e-5)


def test_more_knowledge_never_costs_less_cross_entropy():
    """Allowing one class more never raises the cross-entropy of background-only knowledge."""
    logits = random_logits(4, 11)
    tight = float(label_set_loss(logits, torch.full(SHAPE, 0b0001), [], 1.0))
    loose = float(label_set_loss(logits, torch.full(SHAPE, 0b0011), [], 1.0))
    assert loose < tight
