"""The label-set loss: cross-entropy and Dice when a voxel may be one of several classes.

Cross-entropy (Shi et al., Medical Image Analysis 2021): with allowed classes S, logits z and prior π,
logsumexp(z) - logsumexp over S of (z + log π). The prior is 1, except for a lesion where the label knows something of
the site and nothing of lesions: there it is `lesion_prior`, or the lesion would become the class of any organ.

Dice, for each claimed set A (an S without background): with P = Σ over S of π p, I the sum of P where the set is A, n
the number of such voxels, and N the sum over j in A of p_j where j is not allowed, Dice_A = 1 - 2 I / (I + N + n).
Summed over the claimed sets of a batch and divided by the number of the task's structures, whether claimed or not: a
case that knows one structure does not weigh as much as one that knows thirteen. With complete labels both are the plain
ones; a structure absent from the batch has no Dice term.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

_SMOOTH = 1e-5


def label_set_loss(logits: Tensor, allowed: Tensor, lesions: Sequence[int], lesion_prior: float) -> Tensor:
    """Cross-entropy plus Dice.

    `logits`: (batch, classes, z, y, x). `allowed`: integers (batch, z, y, x), bit k set where class k is possible.
    `lesions`: the classes that are lesions.
    """
    scores = logits.float().movedim(1, 0).flatten(1)  # (classes, voxels)
    sets = allowed.reshape(-1)
    bits = torch.arange(len(scores), device=sets.device)
    claimed, place = torch.unique(sets, return_inverse=True)
    of_set = (claimed >> bits[:, None]) & 1 == 1  # (classes, sets): a batch has few sets, so the rest works on them
    log_prior = _log_prior(of_set, lesions, lesion_prior)
    log_weight = torch.where(of_set, log_prior, -torch.inf)[:, place]  # (classes, voxels)
    log_probability = scores.log_softmax(0)
    inside = (log_probability + log_weight).logsumexp(0)  # log of P = Σ over S of π p
    dice = _dice(log_probability.exp(), inside.exp(), of_set, place)
    return dice - inside.mean()


def _log_prior(of_set: Tensor, lesions: Sequence[int], lesion_prior: float) -> Tensor:
    """log π of each class in each set: 0, or the lesion's where the set is neither one class nor everything."""
    several = (of_set.sum(0) > 1) & ~of_set.all(0)
    prior = torch.zeros(of_set.shape, device=of_set.device)
    floor = torch.tensor(max(lesion_prior, 1e-30)).log()
    for lesion in lesions:
        prior[lesion] = torch.where(several, floor, 0.0)
    return prior


def _dice(probability: Tensor, inside: Tensor, of_set: Tensor, place: Tensor) -> Tensor:
    """Sum of the claimed sets' Dice losses over the number of structures.

    `probability`: (classes, voxels); `inside`: P of each voxel; `of_set`: (classes, sets); `place`: set of each voxel.
    """
    sets = of_set.shape[1]
    number = torch.bincount(place, minlength=sets)
    total = torch.zeros(sets, device=inside.device).index_add(0, place, inside)
    forbidden = (probability * ~of_set[:, place]).sum(1)  # mass of each class where it is not allowed
    outside = forbidden @ of_set.float()
    loss = 1 - (2 * total + _SMOOTH) / (total + outside + number + _SMOOTH)
    summed: Tensor = (loss * ~of_set[0]).sum()  # sets without background
    return summed / (len(probability) - 1)
