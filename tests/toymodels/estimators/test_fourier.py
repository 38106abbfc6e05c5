"""The Fourier estimator against samples, quadrature and its own number of terms."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from toymodels.errors import InputError
from toymodels.estimators import Fourier, Quadrature, Sampled, Stratified, require
from toymodels.features import Independent, OneActive
from toymodels.models import LinearAutoencoder, ReluAutoencoder, UntiedAutoencoder
from toymodels.tasks import Reconstruction

KEY = jax.random.key(5)


def total(estimator, task, model, u):
    return jnp.sum(estimator.loss_per_output(task, model, u))


slope_too = jax.value_and_grad(total, argnums=2)
value_and_slope = jax.jit(slope_too, static_argnums=0)
values_and_slopes = jax.jit(jax.vmap(slope_too, in_axes=(None, None, None, 0)), static_argnums=0)


@pytest.mark.claims
@pytest.mark.parametrize("p", [0.02, 0.3])
def test_many_features_agree_with_both_kinds_of_samples(p):
    features = Independent.create(p, 24)
    model = ReluAutoencoder.init(jax.random.key(1), 24, 6, 0.3)
    model = model.replace(b=jnp.linspace(-0.2, 0.1, 24))
    task = Reconstruction.create(features, 1.0, 24)
    exact, its_slope = value_and_slope(Fourier(), task, model, None)
    for estimator in (Stratified(), Sampled()):
        u = jax.vmap(lambda k, e=estimator: e.draw(task, k, 1024))(jax.random.split(KEY, 64))
        sampled, slope = values_and_slopes(estimator, task, model, u)
        assert abs(sampled.mean() - exact) < 4 * sampled.std() / 8
        for one, many in zip(jax.tree.leaves(its_slope), jax.tree.leaves(slope), strict=True):
            z = (many.mean(0) - one) / (many.std(0) / 8)
            assert 0.7 < np.sqrt(np.mean(z**2)) < 1.4  # 168 numbers, correlated


@pytest.mark.parametrize(
    "kind", [ReluAutoencoder, pytest.param(UntiedAutoencoder, marks=pytest.mark.claims)]
)
def test_both_ways_without_samples_agree(kind):
    features = Independent.create([0.1, 0.5, 0.9], 3)
    task = Reconstruction.create(features, [1.0, 0.5, 2.0], 3)
    model = kind.init(KEY, 3, 2, 0.7).replace(b=jnp.array([0.1, -0.2, 0.0]))
    series, quadrature = (
        jax.jit(e.loss_per_output)(task, model, jnp.zeros((0, 1)))
        for e in (Fourier(), Quadrature())
    )
    np.testing.assert_allclose(series, quadrature, rtol=2e-4)
    assert float(Fourier().baseline(task, None)) == pytest.approx(1.0 * (0.1 + 0.25 + 1.8) / 3)


@pytest.mark.parametrize("terms", [0, 5000])
def test_a_number_of_terms_that_is_none_is_refused(terms):
    with pytest.raises(InputError, match=f"terms = {terms}"):
        Fourier(terms)


@pytest.mark.parametrize(
    ("features", "model", "told"),
    [
        (OneActive(3), ReluAutoencoder, r'OneActive.*estimator = "sampled"'),
        (Independent.create(0.1, 3), LinearAutoencoder, "LinearAutoencoder"),
    ],
)
def test_what_has_no_series_is_refused(features, model, told):
    with pytest.raises(InputError, match=told):
        require(Fourier(), Reconstruction.create(features, 1.0, 3), model)
