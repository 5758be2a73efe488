"""What a training would take: counted by hand where that can be done, measured where it can be run."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from flaredb.errors import InvalidDataError
from flaredb.trainers.estimate import calculate, estimate
from flaredb.trainers.loop import Training
from flaredb.trainers.networks import build_network, build_optimiser
from flaredb.trainers.presets import load_config
from tests.cohorts import tiny
from tests.trainers.builders import store_at, training_set

CPU = torch.device("cpu")


def flops(config, classes):
    """FLOPs of one patch: twice the weights of each convolution for each place they are put, counted as it runs."""
    total = 0

    def count(module, given, out):
        nonlocal total
        places = given[0] if isinstance(module, torch.nn.ConvTranspose3d) else out
        total += 2 * places.shape[2:].numel() * module.weight.numel()

    network = build_network(config, classes).eval()
    for module in network.modules():
        if isinstance(module, (torch.nn.Conv3d, torch.nn.ConvTranspose3d)):
            module.register_forward_hook(count)
    network(torch.zeros((1, 1, *config.patch)))
    return total


@pytest.mark.parametrize("changes", [{"channels": "4,8,8", "blocks": "2", "batch": "3"}, {"stem": "2,2,2"}])
def test_flops_and_parameters_are_counted(changes):
    """A patch costs what its convolutions cost; a step three times that, less the gradient of the image."""
    config = tiny(**changes)
    made = calculate(config, 5, CPU)
    assert made.patch_flops == flops(config, 5)
    assert made.parameters == sum(p.numel() for p in build_network(config, 5).parameters())
    assert 2.5 < made.step_flops / (made.patch_flops * config.batch) < 3


def test_memory_and_disk_are_counted():
    """Weights, gradients and the optimiser's state are what torch has after a step; a wider batch keeps more."""
    for name, states in (("sgd", 1), ("adamw", 2)):
        config = tiny(optimiser=name, momentum=0.9)
        made = calculate(config, 5, CPU)
        network = build_network(config, 5)
        optimiser = build_optimiser(network, config)
        network(torch.zeros((1, 1, *config.patch))).sum().backward()
        optimiser.step()
        held = [v for state in optimiser.state.values() for v in state.values() if torch.is_tensor(v) and v.numel() > 1]
        assert sum(v.nbytes for v in held) == made.memory.optimiser
        assert made.memory.weights == made.memory.gradients == made.disk.model == 4 * made.parameters
        assert made.disk.checkpoint == (1 + states) * made.disk.model
        assert made.disk.most == 2 * made.disk.checkpoint + made.disk.model
    wider = calculate(replace(config, batch=2, validate_every=5), 5, CPU)
    assert wider.disk.most == made.disk.most + made.disk.model
    assert 1.7 < wider.memory.activations / made.memory.activations <= 2


def test_activations_are_those_that_are_kept():
    """What autograd keeps in a real forward pass is what was calculated: in float32 and, smaller, in bfloat16."""
    sizes = {}
    for bf16 in (False, True):
        config = tiny(bf16=bf16)
        network = build_network(config, 5).train()
        own = {p.untyped_storage().data_ptr() for p in network.parameters()}
        kept = {}

        def keep(tensor, own=own, kept=kept):
            storage = tensor.untyped_storage()
            if storage.data_ptr() not in own:
                kept[storage.data_ptr()] = storage.nbytes()
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(keep, lambda t: t), torch.autocast("cpu", enabled=bf16):
            alive = network(torch.zeros((1, 1, *config.patch)))
        sizes[bf16] = calculate(config, 5, CPU).memory.activations
        assert sizes[bf16] == pytest.approx(sum(kept.values()), rel=0.02)
        del alive
    assert sizes[True] < 0.8 * sizes[False]


def test_the_papers_network_needs_a_large_gpu():
    """`large` fits 80 GB, and a patch costs about as much as the paper says, in multiplications with an addition."""
    large = calculate(load_config("large"), 15, CPU)
    assert 16e9 < large.memory.total < 40e9
    assert 3.5e12 < large.patch_flops / 2 < 4.6e12


def test_steps_are_timed_and_nothing_stays(tmp_path):
    """Ten steps are made with the loop, hours follow from them, and not a file is left."""
    store = store_at(tmp_path)
    data = training_set(store)
    before = sorted(tmp_path.rglob("*"))
    run = Training(data, store, tiny(steps=100_000, checkpoint_every=1), tmp_path / "c", CPU)
    made = estimate(run, 3)
    assert made.timing is not None
    assert made.timing.timed == 3
    assert 0 < made.timing.seconds_a_step < 10
    assert made.timing.hours == pytest.approx(made.timing.seconds_a_step * 100_000 / 3600)
    assert (made.untimed, made.memory.measured) == ("", None)
    assert sorted(tmp_path.rglob("*")) == before
    short = estimate(run._replace(config=tiny(steps=1, schedule_steps=2)), 2)
    assert short.timing is not None
    assert short.timing.timed == 2
    assert short.timing.hours == pytest.approx(short.timing.seconds_a_step / 3600)


def test_what_cannot_be_timed_says_why(tmp_path):
    """No cases, no room and no wish: everything but the hours is said, and the reason."""
    store = store_at(tmp_path)
    data = training_set(store)
    run = Training(data, store, tiny(), tmp_path / "c", CPU)
    assert estimate(run, 0).untimed == "not asked for"
    nothing = estimate(run._replace(data=replace(data, cases=())))
    assert nothing.timing is None
    assert "no case" in nothing.untimed
    huge = estimate(run._replace(config=tiny(channels="4000,4000,4000", patch="256,256,256", batch=64)))
    assert "GB" in huge.untimed
    assert huge.timing is None
    with pytest.raises(InvalidDataError):
        estimate(run._replace(config=tiny(learning_rate=1e9, clip_gradient=1e9)), 20)
