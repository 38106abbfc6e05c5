"""A penalty on hidden activations removes superposition, at the price of the loss: in the text.

The paper states neither model nor coefficient, and gives no number: what we measured stands here.
"""

import numpy as np
import pytest

import figures

pytestmark = pytest.mark.claims


@pytest.fixture(scope="module")
def models():
    given = ("zip.world.model=['relu', 'hidden_relu']", "zip.world.p_active=[0.05, 0.05]")
    given += ("zip.penalty.penalties.l1_hidden=[0.0, 0.02, 0.05, 0.12, 0, 0, 0]",)
    given += ("zip.penalty.penalties.l2_hidden=[0.0, 0, 0, 0, 0.06, 0.2, 0.3]",)
    return figures.l1_removes_superposition.compute(overrides=(*given, "grid.seed.range=3"))


def mean(models, name, world=0):
    return models[name].isel(world=world).mean("seed").values


@pytest.mark.parametrize("world", [0, 1])
def test_l1_leaves_no_more_features_than_dimensions(models, world):
    held = mean(models, "n_represented", world)
    assert held[0] > 6.5
    assert np.all(np.diff(held[:4]) <= 0)
    assert held[3] <= 5
    assert np.all(models["removed_at"].sel(way="l1").isel(world=world) < 0.13)


def test_that_costs_all_that_superposition_had_gained(models):
    loss = mean(models, "relative_loss")
    assert loss[0] < 0.4  # of what five dedicated features leave
    assert np.all(np.diff(loss[:4]) > 0)
    at = models["loss_there"].sel(way="l1").isel(world=0).mean()
    assert float(at) == pytest.approx(1, abs=0.2)


def test_l2_does_it_as_well_at_a_higher_loss(models):
    assert mean(models, "n_represented")[-1] <= 5
    l1, l2 = models["loss_there"].isel(world=0).mean("seed").values
    assert l2 > l1


def test_l1_alone_turns_features_to_neurons(models):
    neurons = mean(models, "neurons")
    np.testing.assert_allclose(neurons[1:4], 1, atol=0.05)
    assert np.all(neurons[[0, 4, 5, 6]] > 0.8 * float(models["neurons_null"]))
