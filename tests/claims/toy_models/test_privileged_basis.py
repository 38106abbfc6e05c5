"""F32 of Elhage et al. 2022 and its remarks on hidden biases, on trained models."""

import numpy as np
import pytest

import figures
from sweeps import run_sweep
from toymodels.measures.privilege import haar_participation_ratio

pytestmark = pytest.mark.claims


@pytest.fixture(scope="module")
def bases():
    return figures.privileged_basis.compute()


def reads(bases, model, p_active):
    return bases["participation_ratio"].sel(model=model, p_active=p_active).values


def test_a_neuron_with_a_relu_reads_one_feature_when_dense(bases):
    assert reads(bases, "hidden_relu", 0.75).mean() == pytest.approx(1, abs=0.02)
    assert reads(bases, "hidden_relu", 0.75).max() < 1.2
    assert np.quantile(reads(bases, "hidden_relu", 0.5), 0.75) < 1.05
    assert not bases["like_rotated"].sel(model="hidden_relu", p_active=[0.75, 0.5]).any()


def test_without_a_relu_it_reads_as_many_as_by_chance(bases):
    """Where dense. Adam treats weights one by one: when sparse it spreads them over neurons."""
    linear = bases.sel(model="relu", p_active=0.75)
    n, chance = linear.sizes["seed"], float(linear["mean_ratio_rotated"])
    assert int(linear["like_rotated"].sum()) >= n - 3  # 95 % each: 4 or more are 1 in 1,000
    assert float(linear["mean_ratio_low"]) < chance < float(linear["mean_ratio_high"])
    exact = [float(haar_participation_ratio(W)) for W in linear["W"].values]
    np.testing.assert_allclose(exact, 7 / 3, rtol=0.02)  # five features of a dimension each
    harmonic = 1 / (1 / linear["participation_ratio_rotated"]).mean(("rotation", "hidden"))
    np.testing.assert_allclose(harmonic, exact, rtol=0.05)


def test_when_sparse_it_is_adam_that_makes_it_read_more_than_chance(bases):
    """Plain descent keeps rotations: what starts at random stays as random."""
    adam = bases.sel(model="relu", p_active=0.1)
    assert float(adam["mean_ratio_low"]) > float(adam["mean_ratio_rotated"])
    table = {"name": "sgd", "model": "relu", "n_features": 10, "n_hidden": 5, "optimizer": "sgd"}
    table |= {"steps": 2000, "batch_size": 512, "learning_rate": 0.5, "p_active": 0.1}
    table |= {"importance": {"law": "geometric", "ratio": 0.75}, "measures": ["privilege"]}
    found = run_sweep(table | {"grid": {"seed": {"range": 32}}})
    ratio = found["participation_ratio"].mean("hidden")
    rotated = found["participation_ratio_rotated"].mean(("rotation", "hidden"))
    excess = (ratio - rotated).values
    assert abs(excess.mean()) < 2.5 * excess.std(ddof=1) / np.sqrt(excess.size)


def test_neurons_with_a_bias_are_above_0_on_most_data_and_as_good_as_linear(bases):
    on = bases["all_on"].sel(model="hidden_relu_biased", p_active=[0.75, 0.5, 0.3, 0.1, 0.03])
    assert np.all(on.median("seed") > 0.85)
    assert np.all(bases["all_on"].sel(model="hidden_relu", p_active=[0.1, 0.03]) < 0.3)
    least = bases["loss"].min("seed").sel(p_active=[0.75, 0.3, 0.1])
    linear, plain, biased = (
        least.sel(model=name).values for name in ("relu", "hidden_relu", "hidden_relu_biased")
    )
    np.testing.assert_allclose(biased, linear, rtol=0.05)
    assert np.all(plain[1:] > 1.2 * linear[1:])


@pytest.mark.parametrize(("n_features", "n_hidden"), [(5, 5), (20, 10)])
def test_neurons_align_at_other_sizes_as_well(n_features, n_hidden):
    """The paper does not state n and m."""
    table = {"name": "sizes", "model": "hidden_relu", "n_features": n_features}
    table |= {"n_hidden": n_hidden, "importance": {"law": "geometric", "ratio": 0.75}}
    table |= {"steps": 2000, "batch_size": 512, "learning_rate": 0.02, "p_active": 0.5}
    found = run_sweep(table | {"measures": ["privilege"], "grid": {"seed": {"range": 8}}})
    ratio = found["participation_ratio"].values
    assert np.median(ratio) < 1.05
    assert ratio.mean() < 0.5 * found["participation_ratio_rotated"].values.mean()
