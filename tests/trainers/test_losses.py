"""The label-set loss against plain implementations: complete labels, brute force, limits, gradients."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from monai.losses import DiceCELoss
from torch import Tensor

from flaredb.errors import InvalidDataError
from flaredb.trainers import set_sums
from flaredb.trainers.config import Config
from flaredb.trainers.losses import label_set_loss, training_loss

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


def brute(logits: Tensor, sets: Tensor, lesions: tuple[int, ...], prior: float | None) -> float:
    """The loss as its formula reads: cross-entropy, and Dice over a constant."""
    cross_entropy, dice, _ = brute_terms(logits, sets, lesions, prior)
    return cross_entropy + dice / (logits.shape[1] - 1)


def brute_dice(logits: Tensor, sets: Tensor, prior: float) -> tuple[float, int]:
    """The sum of the Dice losses, the last class being the lesion, and how many there are."""
    return brute_terms(logits, sets, (logits.shape[1] - 1,), prior)[1:]


def brute_terms(
    logits: Tensor, sets: Tensor, lesions: tuple[int, ...], prior: float | None
) -> tuple[float, float, int]:
    """Cross-entropy, sum of Dice losses and their number, voxel by voxel and set by set, in Python floats."""
    classes = logits.shape[1]
    voxels = logits.double().movedim(1, -1).reshape(-1, classes).tolist()
    masks = [int(m) for m in sets.reshape(-1)]
    everything = (1 << classes) - 1

    def open_lesion(k: int, mask: int) -> bool:
        knows_the_site = mask != everything and any(mask >> j & 1 for j in range(classes) if j not in lesions)
        return k in lesions and bool(mask >> k & 1) and knows_the_site

    def weight(k: int, mask: int) -> float:
        return (prior or 0.0) if open_lesion(k, mask) else 1.0

    probabilities = []
    for scores, mask in zip(voxels, masks, strict=True):
        top = max(scores)
        exponentials = [
            0.0 if prior is None and open_lesion(k, mask) else math.exp(s - top) for k, s in enumerate(scores)
        ]
        probabilities.append([e / sum(exponentials) for e in exponentials])
    inside = [
        sum(weight(k, m) * p[k] for k in range(classes) if m >> k & 1)
        for p, m in zip(probabilities, masks, strict=True)
    ]
    cross_entropy = sum(-math.log(i) for i in inside) / len(inside)
    dice = 0.0
    all_claimed = {m for m in masks if not m & 1}
    for claimed in all_claimed:
        total = sum(i for i, m in zip(inside, masks, strict=True) if m == claimed)
        number = sum(m == claimed for m in masks)
        outside = sum(
            p[k]
            for k in range(classes)
            if claimed >> k & 1 and not (prior is None and open_lesion(k, claimed))
            for p, m in zip(probabilities, masks, strict=True)
            if not m >> k & 1
        )
        dice += 1 - (2 * total + SMOOTH) / (total + outside + number + SMOOTH)
    return cross_entropy, dice, len(all_claimed)


@given(classes=st.integers(2, 15), seed=st.integers(0, 10_000))
@settings(max_examples=40, deadline=None)
def test_complete_labels_give_the_plain_loss(classes, seed):
    """With one class a voxel the loss is cross-entropy plus batch Dice, to 1e-6, lesions or not."""
    logits, wanted = random_logits(classes, seed), random_classes(classes, seed)
    for lesions, prior in itertools.product(((), (classes - 1,)), (None, 0.05)):
        loss = label_set_loss(logits, 1 << wanted, lesions, prior)
        assert float(loss) == pytest.approx(plain(logits, wanted), rel=1e-6, abs=1e-6)


@given(classes=st.integers(2, 5), seed=st.integers(0, 10_000), prior=st.sampled_from([None, 0.05, 0.5, 1.0]))
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
        for lesions, prior in itertools.product(((), (2,), (1, 2)), (None, 0.05)):
            loss = float(label_set_loss(logits, sets, lesions, prior))
            assert loss == pytest.approx(brute(logits, sets, lesions, prior), rel=1e-5, abs=1e-6)


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


@pytest.fixture
def one_slice_slabs(monkeypatch):
    """Every slab is as thin as can be, so that the sums run over many."""
    monkeypatch.setitem(set_sums._SLAB, "cpu", 1)


def test_complete_labels_give_monais_loss(one_slice_slabs):
    """With every structure present the loss is MONAI's DiceCELoss: softmax, without background, batch Dice, equal
    smoothing above and below, mean over classes and voxels; value and gradient, in double."""
    generator = torch.Generator().manual_seed(0)
    logits = (3 * torch.randn((2, 6, 4, 5, 3), generator=generator, dtype=torch.float64)).requires_grad_()
    classes = torch.randint(0, 6, (2, 4, 5, 3), generator=generator)
    assert len(classes.unique()) == 6
    rival = DiceCELoss(
        include_background=False, to_onehot_y=True, softmax=True, batch=True, smooth_nr=SMOOTH, smooth_dr=SMOOTH
    )
    theirs = rival(logits, classes[:, None])
    (their_gradient,) = torch.autograd.grad(theirs, logits)
    ours = label_set_loss(logits, 1 << classes, [5], 0.05)
    (our_gradient,) = torch.autograd.grad(ours, logits)
    assert float(ours.detach()) == pytest.approx(float(theirs.detach()), rel=1e-9)
    assert torch.allclose(our_gradient, their_gradient, rtol=1e-6, atol=1e-10)


def test_complete_labels_give_the_plain_loss_in_double():
    """In double the plain form is met to 1e-12, structures that are absent included."""
    logits, wanted = random_logits(7, 1).double(), random_classes(7, 1) // 2
    loss = label_set_loss(logits, 1 << wanted, [6], 0.05)
    assert loss.dtype == torch.float64
    assert float(loss) == pytest.approx(plain(logits, wanted), abs=1e-12)


@pytest.mark.parametrize("form", ["batch", "batch-mean", "sample-mean"])
def test_gradients_are_those_of_the_loss(form, one_slice_slabs):
    """In double the gradient is the numerical one: any sets, every Dice form, one resolution and two."""
    config = Config(dice_form=form, lesion_prior=0.3)
    for seed, classes in enumerate((2, 3, 5)):
        fine = random_logits(classes, seed, 1.0)[:, :, :2, :1, :2].double().requires_grad_()
        coarse = random_logits(classes, seed + 9, 1.0)[:, :, :1, :1, :2].double().requires_grad_()
        sets = random_sets(classes, seed)[:, :2, :1, :2]
        assert torch.autograd.gradcheck(
            lambda one, two, sets=sets, last=classes - 1: training_loss((one, two), sets, [last], config),
            (fine, coarse),
        )


def test_slabs_change_nothing(monkeypatch):
    """The loss and its gradient are the same in one slab and in many."""
    found = []
    for size in (1, 10**9):
        monkeypatch.setitem(set_sums._SLAB, "cpu", size)
        logits = random_logits(5, 2).requires_grad_()
        loss = label_set_loss(logits, random_sets(5, 2), [4], 0.05)
        loss.backward()
        found.append((loss.detach(), logits.grad))
    assert torch.allclose(found[0][0], found[1][0], rtol=1e-6)
    assert torch.allclose(found[0][1], found[1][1], atol=1e-7)


def test_a_sample_alone_weighs_as_the_form_says():
    """The batch's mean and the samples' mean are what they say, and differ from each other and from the constant."""
    logits, sets = random_logits(4, 3), random_sets(4, 3)
    cross_entropy = brute(logits, sets, (3,), 0.05) - brute_dice(logits, sets, 0.05)[0] / 3
    total, count = brute_dice(logits, sets, 0.05)
    by_sample = [brute_dice(logits[i : i + 1], sets[i : i + 1], 0.05) for i in range(2)]
    expected = {
        "batch": total / 3,
        "batch-mean": total / count,
        "sample-mean": sum(part / number for part, number in by_sample) / 2,
    }
    assert len({round(value, 4) for value in expected.values()}) == 3
    for form, dice in expected.items():
        loss = float(label_set_loss(logits, sets, [3], 0.05, form))
        assert loss == pytest.approx(cross_entropy + dice, rel=1e-5)


@given(classes=st.integers(3, 6), seed=st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_the_order_of_classes_does_not_matter(classes, seed):
    """Structures may be numbered in any order: the loss is the same."""
    logits, sets = random_logits(classes, seed), random_sets(classes, seed)
    order = [0, *(1 + torch.randperm(classes - 1, generator=torch.Generator().manual_seed(seed))).tolist()]
    renamed = sum(((sets >> old) & 1) << new for new, old in enumerate(order))
    first = label_set_loss(logits, sets, [classes - 1], 0.05)
    again = label_set_loss(logits[:, order], renamed, [order.index(classes - 1)], 0.05)
    assert float(first) == pytest.approx(float(again), rel=1e-5, abs=1e-6)


def test_more_classes_than_a_table_holds():
    """With 20 classes the sets are found another way; the formula holds, and a wide mask is not cut off."""
    logits, sets = random_logits(20, 4), random_sets(20, 4)
    assert float(label_set_loss(logits, sets, [19], 0.05)) == pytest.approx(brute(logits, sets, (19,), 0.05), rel=1e-5)


@pytest.mark.parametrize("mask", [0, 0b1000, 1 << 20])
def test_sets_that_cannot_be_are_refused(mask):
    """A voxel that allows nothing, or a class that the network does not have, is an error and not a loss."""
    sets = random_sets(3, 0)
    sets[0, 0, 0, 0] = mask
    with pytest.raises(InvalidDataError, match="allowed classes"):
        label_set_loss(random_logits(3, 0), sets, [], 1.0)


def test_nothing_claimed_teaches_absence_alone():
    """A batch in which no structure is claimed has no Dice term: the loss is the cross-entropy of what is denied."""
    logits = random_logits(4, 6)
    probability = logits.double().softmax(1)
    background = label_set_loss(logits, torch.full(SHAPE, 0b0001), [3], 0.05)
    assert float(background) == pytest.approx(-float(probability[:, 0].log().mean()), rel=1e-5)
    no_tumor = label_set_loss(logits, torch.full(SHAPE, 0b0111), [3], 0.05)
    assert float(no_tumor) == pytest.approx(-float((1 - probability[:, 3]).log().mean()), rel=1e-4)


def test_a_positive_only_structure_is_never_denied():
    """Where a structure is drawn it is taught; elsewhere, all being open, its logits get no gradient at all."""
    logits = random_logits(4, 8).requires_grad_()
    sets = torch.full(SHAPE, 0b1111)
    sets[0, 1] = 0b0100
    label_set_loss(logits, sets, [3], 0.05).backward()
    drawn = logits.grad[0, :, 1]
    assert (drawn[2] < 0).all()
    assert (drawn[[0, 1, 3]] > 0).all()
    logits.grad[0, :, 1] = 0
    assert not logits.grad.any()


def test_bfloat16_changes_the_loss_little():
    """Inside autocast and for bfloat16 logits the loss is computed in float32: only the logits are rounded."""
    logits, sets = random_logits(5, 12), random_sets(5, 12)
    exact = float(label_set_loss(logits.bfloat16().float(), sets, [4], 0.05))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = label_set_loss(logits.bfloat16(), sets, [4], 0.05)
        huge = (1e4 * random_logits(5, 12, 1.0).sign()).bfloat16().requires_grad_()
        far = training_loss((huge, huge[:, :, :1]), sets, [4], Config())
        far.backward()
    assert loss.dtype == torch.float32
    assert float(loss) == pytest.approx(exact, rel=1e-6)
    assert torch.isfinite(far)
    assert torch.isfinite(huge.grad).all()


def test_a_broken_network_is_not_hidden():
    """One logit that is not a number makes the loss one that is not."""
    logits = random_logits(3, 0)
    logits[0, 1, 0, 0, 0] = torch.nan
    assert torch.isnan(label_set_loss(logits, random_sets(3, 0), [], 1.0))


def test_nothing_of_the_size_of_the_logits_is_kept():
    """For the way back the loss keeps the logits themselves and smaller things."""
    logits = random_logits(6, 1).requires_grad_()
    kept = []

    def keep(tensor):
        kept.append(tensor)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        label_set_loss(logits, random_sets(6, 1) & 0b11 | 1, [5], 0.05)
    large = [tensor for tensor in kept if tensor.numel() >= logits.numel() // 2]
    assert [tensor.data_ptr() for tensor in large] == [logits.data_ptr()]


def test_a_coarse_level_is_asked_by_every_fine_voxel():
    """The loss of a coarser level is that of its logits repeated onto the fine voxels."""
    for seed in range(4):
        sets, coarse = random_sets(5, seed), random_logits(5, seed)[:, :, :1, :, :2]
        repeated = coarse.repeat_interleave(3, 2).repeat_interleave(2, 4)
        one = float(label_set_loss(coarse, sets, [4], 0.05))
        assert one == pytest.approx(float(label_set_loss(repeated, sets, [4], 0.05)), rel=1e-6)


def test_a_coarse_voxel_claims_no_more_than_its_fine_ones():
    """A coarse voxel over liver and spleen is pulled to both alike, over open voxels to nothing, and never to a class
    that only the overlap of two sets has."""
    coarse = torch.zeros((1, 4, 1, 1, 2), requires_grad=True)
    sets = torch.tensor([0b0010, 0b0100, 0b1111, 0b1111]).reshape(1, 1, 1, 4)
    label_set_loss(coarse, sets, [3], 0.05).backward()
    mixed, open_ = coarse.grad[0, :, 0, 0].T
    assert float(mixed[1]) == pytest.approx(float(mixed[2]))
    assert mixed[1] < 0 < mixed[0]
    assert not open_.any()
    coarse.grad = None
    overlap = torch.tensor([0b1010, 0b1100, 0b1111, 0b1111]).reshape(1, 1, 1, 4)  # both may be the lesion
    label_set_loss(coarse, overlap, [3], 0.05).backward()
    assert coarse.grad[0, 3, 0, 0, 0] > 0
    assert coarse.grad[0, 1, 0, 0, 0] < 0


def test_levels_weigh_half_of_the_one_before():
    """Three levels weigh 4/7, 2/7 and 1/7; one level alone is the plain loss."""
    sets = random_sets(3, 1)
    levels = (random_logits(3, 1), random_logits(3, 2)[:, :, :, :, :2], random_logits(3, 3)[:, :, :1, :1, :1])
    config = Config(lesion_dice=1.0)
    single = [float(label_set_loss(level, sets, [2])) for level in levels]
    expected = (4 * single[0] + 2 * single[1] + single[2]) / 7
    assert float(training_loss(levels, sets, [2], config)) == pytest.approx(expected, rel=1e-6)
    assert float(training_loss(levels[0], sets, [2], config)) == pytest.approx(single[0], rel=1e-6)
    assert float(training_loss(levels[:1], sets, [2], config)) == pytest.approx(single[0], rel=1e-6)
    with pytest.raises(InvalidDataError, match="do not divide"):
        training_loss((levels[0], random_logits(3, 2)[:, :, :2]), sets, [2], config)


def settled(organs: int, prior: float | None) -> list[float]:
    """Class probabilities after training on voxels that look alike and belong to as many organs, lesions unknown."""
    lesion = organs + 1
    shared = torch.zeros((1, organs + 2, 1, 1, 1), dtype=torch.float64, requires_grad=True)
    sets = torch.tensor([1 << organ | 1 << lesion for organ in range(1, organs + 1)]).reshape(1, 1, 1, organs)
    optimiser = torch.optim.Adam([shared], lr=0.5)
    for _ in range(50):
        optimiser.zero_grad()
        label_set_loss(shared.expand(-1, -1, 1, 1, organs), sets, [lesion], prior).backward()
        optimiser.step()
    return shared.detach().flatten().softmax(0).tolist()


@pytest.mark.parametrize("organs", [2, 4, 13])
def test_the_lesion_takes_over_above_one_in_n(organs):
    """While n organs look alike, the lesion is a better guess than any of them as soon as its prior is above 1 / n: at
    1 it takes all, at the default nothing, for every organ of FLARE23 at once."""
    assert settled(organs, 1.0)[-1] > 0.95
    assert settled(organs, 2 / organs)[-1] > 0.95
    assert settled(organs, 0.5 / organs)[-1] < 0.02
    for kept in (settled(organs, Config().lesion_prior), settled(organs, 0.0)):
        assert kept[-1] < 0.02
        assert kept[1:-1] == pytest.approx([1 / organs] * organs, abs=0.03)


@pytest.mark.parametrize("organs", [2, 4, 13])
def test_a_lesion_that_is_not_asked_gains_and_loses_nothing(organs):
    """Where lesions are open they keep the logit they had, and the others settle among themselves."""
    shares = settled(organs, None)
    sites = [share / (1 - shares[-1]) for share in shares[1:-1]]
    assert sites == pytest.approx([1 / organs] * organs, abs=0.03)
    logits = torch.zeros((1, 3, 1, 1, 1), requires_grad=True)
    label_set_loss(logits, torch.full((1, 1, 1, 1), 0b110), [2]).backward()
    assert logits.grad is not None
    background, organ, lesion = logits.grad.flatten().tolist()
    assert organ < 0 < background
    assert lesion == 0


@pytest.mark.parametrize("prior", [None, 0.05])
def test_gradient_is_the_slope(prior):
    """The gradient of the loss is the slope of the formula, by central differences in double."""
    logits, sets = random_logits(3, 7, 1.0), random_sets(3, 7)
    leaf = logits.clone().requires_grad_()
    label_set_loss(leaf, sets, [2], prior).backward()
    assert leaf.grad is not None
    for place in [(0, 0, 0, 0, 0), (1, 2, 2, 1, 3), (0, 1, 1, 0, 2), (1, 0, 0, 1, 1)]:
        up, down = logits.double().clone(), logits.double().clone()
        up[place] += 1e-5
        down[place] -= 1e-5
        slope = (brute(up, sets, (2,), prior) - brute(down, sets, (2,), prior)) / 2e-5
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
