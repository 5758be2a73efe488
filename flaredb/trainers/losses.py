"""The label-set loss: cross-entropy and Dice when a voxel may be one of several classes.

Cross-entropy (Shi et al., Medical Image Analysis 2021): with allowed classes S, logits z and prior π,
logsumexp(z) - logsumexp over S of (z + log π), the mean over all voxels. Where everything is possible nothing is
learnt.

Where a label knows something of the site and nothing of lesions, a plain sum would make the lesion the class of any
organ. So lesions are not asked there: they leave S, and the probabilities are shared among the other classes. What is
learnt is the site given that it is no lesion, and nothing for or against one. With a `lesion_prior` the lesion stays
instead, with that π; every other π is 1.

Dice, for each claimed set A (an S without background): with P = Σ over S of π p, I the sum of P where the set is A, n
the number of such voxels, and N the sum over j in A of p_j where j is not allowed,
Dice_A = 1 - (2 I + s) / (I + N + n + s), s = 1e-5. A structure that no voxel of the batch claims has no Dice term (the
cross-entropy denies it); so s decides nothing but keeps the gradient of a claim of one voxel finite.
How the terms of a batch are put together is `dice_form`:
- `batch`: their sum over the number of the task's structures, claimed or not: a case that knows one structure does not
  weigh as much as one that knows thirteen;
- `batch-mean`: their mean;
- `sample-mean`: sets of each sample apart, their mean, and the mean over the samples.
With complete labels both terms are the plain ones. Beside organs the term of a drawn lesion counts `lesion_dice` times;
its voxels count `lesion_voxels` times in the cross-entropy.

Negatives: a structure that no label denies anywhere would be painted everywhere. With a weight w for it, every voxel
whose set leaves it open counts as its absence, too, at that weight: w · -log(1 - p) in the cross-entropy, and w of its
mass there as not allowed in N.

Deep supervision: each coarser level is asked by every fine voxel that lies in a coarse one, with the fine voxel's own
set. No set is brought down, because no coarse set says what the fine ones do: the nearest one claims for all what one
voxel knows, the intersection claims what none does, and the union forgets thin structures.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import torch
from torch import Tensor

from flaredb.errors import InvalidDataError
from flaredb.trainers.config import Config
from flaredb.trainers.ranks import ALONE, Team
from flaredb.trainers.set_sums import Sets, sum_over_sets

_SMOOTH = 1e-5
_FLOOR = 1e-30  # a prior of 0: no class but a forbidden one is further away, and the loss stays finite
_TABLE = 16  # classes up to which the sets are found by a table of all there could be, not by sorting


class Weights(NamedTuple):
    """What else the loss is told: how Dice terms are put together, the weight of a drawn lesion's term and of its
    voxels in the cross-entropy, the classes that are lesions, and class → weight of its absence where left open."""

    dice_form: str = "batch"
    lesion_dice: float = 1.0
    lesion_voxels: float = 1.0
    lesions: tuple[int, ...] = ()
    negatives: Mapping[int, float] = MappingProxyType({})


def training_loss(
    outputs: Tensor | tuple[Tensor, ...],
    allowed: Tensor,
    lesions: Sequence[int],
    config: Config,
    team: Team = ALONE,
    negatives: Mapping[int, float] = MappingProxyType({}),
) -> Tensor:
    """The loss of a step: one resolution, or several, finest first, weighted 1, 1/2, 1/4 … and normalised.

    `outputs`: logits (batch, classes, z, y, x) of each level; `allowed`: (batch, z, y, x) at the finest. The coarsest
    levels of a network, whose weight nnU-Net sets to 0, have no logits here (`deep_supervision` counts those that do).
    `negatives`: class → weight of its absence where it is left open.

    With several processes each has its part of the batch. The sums that Dice is made of are taken over all of them, and
    the mean of the losses over the processes, and of the gradients, is that of one process with the whole batch.
    """
    levels = (outputs,) if isinstance(outputs, Tensor) else outputs
    with torch.autocast(allowed.device.type, enabled=False):
        parted = ALONE if config.dice_form == "sample-mean" else team  # samples are not parted
        prior = config.lesion_prior if config.open_lesions == "prior" else None
        sets = find_sets(allowed, levels[0].shape[1], lesions, prior, config.dice_form, parted)
        alone = levels[0].shape[1] == 1 + len(lesions)
        heavy = 1.0 if alone else config.lesion_dice
        weights = Weights(config.dice_form, heavy, config.lesion_voxels, tuple(lesions), negatives)
        losses = [_loss(logits, sets, weights, parted) * 0.5**level for level, logits in enumerate(levels)]
    return torch.stack(losses).sum() / (2 - 0.5 ** (len(levels) - 1))


def label_set_loss(
    logits: Tensor,
    allowed: Tensor,
    lesions: Sequence[int],
    lesion_prior: float | None = None,
    dice_form: str = "batch",
) -> Tensor:
    """Cross-entropy plus Dice at one resolution; float32, float64 for logits that are.

    `logits`: (batch, classes, z, y, x). `allowed`: integers (batch, z, y, x), bit k set where class k is possible.
    `lesions`: the classes that are lesions; `lesion_prior`: None where they are not asked for where they are open.
    InvalidDataError for an empty set or a class the logits do not have.
    """
    with torch.autocast(logits.device.type, enabled=False):
        return _loss(logits, find_sets(allowed, logits.shape[1], lesions, lesion_prior, dice_form), Weights(dice_form))


def find_sets(
    allowed: Tensor,
    classes: int,
    lesions: Sequence[int],
    lesion_prior: float | None,
    dice_form: str,
    team: Team = ALONE,
) -> Sets:
    """The sets that occur in a batch, the same on all of a team: few, so that all but two sums works on them."""
    own, place = _distinct(allowed, classes)
    masks = team.union(own)
    place = place if len(own) == len(masks) else torch.searchsorted(masks, own)[place.long()]
    bits = torch.arange(classes, device=allowed.device)
    of_set = (masks[:, None] >> bits) & 1 == 1
    if masks[0] == 0 or int(masks[-1]) >> classes:
        raise InvalidDataError(f"allowed classes: a voxel has none, or one beyond the network's {classes}")
    unasked = _open_lesions(of_set, lesions) if lesion_prior is None else torch.zeros_like(of_set)
    prior = _log_prior(of_set, lesions, 1.0 if lesion_prior is None else lesion_prior)
    of_set = of_set & ~unasked
    log_prior = torch.where(of_set, prior, -torch.inf)
    group = torch.zeros_like(masks)
    if dice_form == "sample-mean":
        samples = len(allowed)
        group = torch.arange(samples, device=allowed.device).repeat_interleave(len(masks))
        place = place + len(masks) * torch.arange(samples, device=allowed.device).reshape(-1, 1, 1, 1)
        of_set, log_prior, unasked = (each.repeat(samples, 1) for each in (of_set, log_prior, unasked))
    number = team.total(torch.bincount(place.flatten(), minlength=len(of_set)))
    alike = torch.ones(len(of_set), device=allowed.device)
    hidden = unasked if bool(unasked.any()) else None
    return Sets(place.to(torch.int32), of_set, log_prior, number, group, alike, hidden)


def _distinct(allowed: Tensor, classes: int) -> tuple[Tensor, Tensor]:
    """The masks that occur, ascending, and which of them each voxel has."""
    if classes > _TABLE or int(allowed.max()) >> _TABLE:
        masks, place = torch.unique(allowed, return_inverse=True)
        return masks.long(), place
    seen = torch.zeros(1 << _TABLE, dtype=torch.bool, device=allowed.device)
    seen.index_fill_(0, allowed.flatten().long(), True)
    rank = seen.cumsum(0, dtype=torch.int32) - 1
    return seen.nonzero()[:, 0], rank[allowed.long()]


def _open_lesions(of_set: Tensor, lesions: Sequence[int]) -> Tensor:
    """(sets, classes): the lesions in sets that know something of the site: that hold a site, and not everything."""
    lesion = torch.zeros(of_set.shape[1], dtype=torch.bool, device=of_set.device)
    lesion[list(lesions)] = True
    undecided = (of_set & ~lesion).any(1) & ~of_set.all(1)
    return of_set & lesion & undecided[:, None]


def _log_prior(of_set: Tensor, lesions: Sequence[int], lesion_prior: float) -> Tensor:
    """log π of each class in each set: 0, or the lesion's where it is open."""
    prior = torch.zeros(of_set.shape, dtype=torch.float64, device=of_set.device)
    return prior.masked_fill(_open_lesions(of_set, lesions), math.log(max(lesion_prior, _FLOOR)))


def _loss(logits: Tensor, sets: Sets, weights: Weights, team: Team = ALONE) -> Tensor:
    """Cross-entropy plus Dice of logits at the sets' resolution or coarser."""
    if any(fine % coarse for fine, coarse in zip(sets.place.shape, (len(logits), *logits.shape[2:]), strict=True)):
        raise InvalidDataError(f"logits {tuple(logits.shape)} do not divide labels of {tuple(sets.place.shape)}")
    counted = sets.weight
    for lesion in weights.lesions:
        drawn = sets.allowed[:, lesion] & (sets.allowed.sum(1) == 1)
        counted = counted.masked_fill(drawn, weights.lesion_voxels)
    log_inside, mass = sum_over_sets(logits, sets._replace(weight=counted))
    denied = (~sets.allowed).to(mass.dtype)
    for structure, weight in weights.negatives.items():
        undecided, absent = _left_open(sets, structure)
        log_absent, in_all = sum_over_sets(logits, absent)
        log_inside = log_inside + weight * log_absent
        mass = torch.where(undecided, in_all, mass)
        denied = denied.masked_fill(undecided, weight)
    terms = _dice(team.total(mass), sets, denied)
    for lesion in weights.lesions:
        drawn = sets.allowed[:, lesion] & (sets.allowed.sum(1) == 1)
        terms = torch.where(drawn, weights.lesion_dice * terms, terms)
    dice = _together(terms, sets, weights.dice_form, logits.shape[1] - 1)
    loss = dice - log_inside / sets.place.numel()
    return loss.to(torch.float64 if logits.dtype == torch.float64 else torch.float32)


def _left_open(sets: Sets, structure: int) -> tuple[Tensor, Sets]:
    """Where (sets, classes) a structure is left open, and the same places where these sets say that it is absent, and
    the others say nothing."""
    possible = sets.allowed if sets.unasked is None else sets.allowed | sets.unasked
    undecided = torch.zeros_like(possible)
    undecided[:, structure] = possible[:, structure] & (possible.sum(1) > 1)
    log_prior = torch.zeros_like(sets.log_prior).masked_fill(undecided, -torch.inf)
    return undecided, sets._replace(allowed=~undecided, log_prior=log_prior, unasked=None)


def _dice(mass: Tensor, sets: Sets, denied: Tensor) -> Tensor:
    """The Dice loss of each set. (sets, classes) are `mass`, the sum of p_j over the voxels of each set, and `denied`,
    the share of it that counts as not allowed."""
    inside = (mass * sets.log_prior.exp()).sum(1)
    elsewhere = torch.zeros_like(mass).index_add(0, sets.group, mass * denied)[sets.group]
    outside = (elsewhere * sets.allowed).sum(1)
    return 1 - (2 * inside + _SMOOTH) / (inside + outside + sets.number + _SMOOTH)


def _together(dice: Tensor, sets: Sets, dice_form: str, structures: int) -> Tensor:
    """One number of the claimed sets' Dice losses; a set that no voxel of its sample has claims nothing."""
    claimed = ~sets.allowed[:, 0] & (sets.number > 0)
    terms = torch.where(claimed, dice, 0.0)
    if dice_form == "batch":
        return terms.sum() / structures
    samples = len(sets.place) if dice_form == "sample-mean" else 1
    summed = terms.new_zeros(samples).index_add(0, sets.group, terms)
    counted = terms.new_zeros(samples).index_add(0, sets.group, claimed.to(terms.dtype))
    return (summed / counted.clamp(min=1)).mean()
