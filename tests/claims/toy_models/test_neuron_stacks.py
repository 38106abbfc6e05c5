"""F33, F34 of Elhage et al. 2022, on trained models: how ten features are coded by five neurons.

Reference losses and counts were measured independently of this project (best of 128 seeds of 6,000
steps at 5e-3); the paper's words are of the best of 1,000.
"""

import numpy as np
import pytest

import figures
import sweeps
from figures.kit.compute import planned
from figures.toy_models.neuron_stacks import groups
from toymodels.measures.coding import coding

pytestmark = pytest.mark.claims


@pytest.fixture(scope="module")
def stacks():
    return figures.neuron_stacks.compute()


def drawn(stacks, p_active):
    """Return the weights of a density in the order of the stacks, and their code."""
    cell = stacks.sel(p_active=p_active)
    W = cell["W"].values[cell["order"].values]
    return W, coding(W)


LOSSES = {1.0: 0.00601, 0.75: 0.00788, 0.35: 0.0059, 0.15: 0.00268, 0.12: 0.00199}
LOSSES |= {0.06: 0.00082, 0.03: 0.00027}


@pytest.mark.parametrize(("p_active", "loss_per_feature"), LOSSES.items())
def test_the_best_loss_is_that_of_a_plain_loop_or_lower(stacks, p_active, loss_per_feature):
    """Within 4 %: one seed in 128 finds the best where features are sparse, and not every time."""
    found = float(stacks["loss"].sel(p_active=p_active)) / 10
    assert 0.9 * loss_per_feature < found < 1.04 * loss_per_feature


def test_neurons_of_one_feature_give_way_to_neurons_of_several(stacks):
    read = stacks["n_read"].values
    np.testing.assert_array_equal((read == 1).sum(1), [5, 5, 3, 2, 1, 0, 0])
    np.testing.assert_array_equal((read > 1).sum(1), [0, 0, 2, 3, 4, 5, 5])
    said = [groups(stacks.isel(p_active=i)) for i in range(5)]
    assert said == ["5 alone"] * 2 + ["3 alone, 3 in 2", "2 alone, 5 in 3", "1 alone, 6 in 4"]
    norm = np.linalg.norm(stacks["W"].values, axis=1)
    assert list((norm[5:] > 1).sum(1)) == [8, 10]


def test_three_features_in_two_neurons_have_three_codes_of_signs(stacks):
    _, found = drawn(stacks, 0.35)
    group = found.groups[-1]
    assert group.features == (3, 4, 5)
    assert set(found.signs(group)) == {(1, 1), (1, -1), (-1, 1)}


@pytest.mark.parametrize(
    ("p_active", "features", "n_neurons"), [(0.15, range(2, 7), 3), (0.12, range(1, 7), 4)]
)
def test_the_next_features_in_importance_are_those_that_share(
    stacks, p_active, features, n_neurons
):
    _, found = drawn(stacks, p_active)
    assert found.groups[-1].features == tuple(features)
    assert len(found.groups[-1].neurons) == n_neurons


def test_when_sparse_a_neurons_sign_splits_important_from_other_features(stacks):
    W, _ = drawn(stacks, 0.06)
    signs = np.sign(W[:, :8])
    assert any(np.all(s[:4] == -1) and np.all(s[4:] == 1) for s in (*signs, *-signs))


def test_most_seeds_find_the_best_when_dense_and_few_when_sparse(stacks):
    """Measured elsewhere: 81, 98, 9, 2, 1, 4 and 1 %, the best included."""
    share = stacks["share_of_seeds"].values
    assert share[0] > 0.4
    assert share[1] > 0.9
    assert 0.04 < share[2] < 0.4
    assert np.all(share[3:] < 0.08)


@pytest.mark.claims_full
def test_at_density_012_several_codes_are_as_good_among_a_thousand_seeds():
    """Evaluated on 8 million examples, the best of three codes were within 0.3 %."""
    given = ("grid.seed.range=1000", "grid.p_active=[0.12]")
    config = planned(figures.neuron_stacks.entry, "", given).config
    found = sweeps.run_sweep(config).squeeze("p_active")
    loss = found["loss_ranking"].values
    best = [coding(found["W"].values[i]) for i in np.flatnonzero(loss < 1.01 * np.nanmin(loss))]
    codes = {tuple(sorted((len(g.features), len(g.neurons)) for g in c.groups)) for c in best}
    assert {((1, 1), (1, 1), (5, 3)), ((1, 1), (6, 4)), ((8, 5),)} <= codes
