"""What the figure of estimators measures, by a second way and against scaling."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import xarray as xr

from figures import estimators
from toymodels.exact.strata import StratifiedReconstruction
from toymodels.features import Independent
from toymodels.losses import loss
from toymodels.models import ReluAutoencoder
from toymodels.tasks import Reconstruction, draw_noise

KEY = jax.random.key(3)


def variance(kind, p, n_features=2, n_batches=32, batch_size=64):
    task = kind.create(Independent.create(p, n_features), 1.0, n_features)
    model = ReluAutoencoder.init(jax.random.key(1), n_features, 1, 0.7)
    return estimators._variance(task, model, KEY, n_batches, batch_size)


def test_variance_is_that_of_gradients_taken_one_by_one():
    task = Reconstruction.create(Independent.create(0.5, 2), 1.0, 2)
    model = ReluAutoencoder.init(jax.random.key(1), 2, 1, 0.7)
    slopes = []
    slope_of = jax.jit(jax.grad(loss, argnums=1))
    for key in jax.random.split(KEY, 32):
        slope = slope_of(task, model, draw_noise(task, key, 64))
        slopes.append(np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(slope)]))
    wanted = np.var(slopes, axis=0, ddof=1).sum()
    np.testing.assert_allclose(variance(Reconstruction, 0.5)[1], wanted, rtol=1e-4)


def test_where_all_features_are_active_strata_change_nothing():
    plain, split = (variance(k, 1.0)[1] for k in (Reconstruction, StratifiedReconstruction))
    np.testing.assert_allclose(plain, split, rtol=1e-5)


def test_ratios_are_means_of_logarithms_over_seeds():
    sizes = {"stage": 1, "estimator": 2, "size": 1, "p_active": 1, "seed": 3}
    noise = np.array([[1.0, 10.0, 100.0], [1.0, 1.0, 1.0]]).reshape(1, 2, 1, 1, 3)
    result = xr.Dataset(
        {
            "gradient_variance": (tuple(sizes), noise),
            "seconds_per_step": (("estimator", "size"), [[1.0], [2.0]]),
            "diverged": (("size", "p_active", "seed"), np.zeros((1, 1, 3), int)),
        },
        {"estimator": ["sampled", "stratified"]},
    )
    found = estimators._compare(result)
    np.testing.assert_allclose(found.variance_ratio, 10.0)
    np.testing.assert_allclose(found.efficiency, 5.0)
    assert found.efficiency_low < 5 < found.efficiency_high


@pytest.mark.claims
def test_the_ratio_grows_with_the_third_power_of_rarity():
    ratio = [
        variance(Reconstruction, p, 5, 512, 1024)[1]
        / variance(StratifiedReconstruction, p, 5, 512, 1024)[1]
        for p in (0.002, 0.02)
    ]
    assert 300 < ratio[0] / ratio[1] < 3000
    assert ratio[1] > 100
    assert bool(jnp.isfinite(ratio[0]))
