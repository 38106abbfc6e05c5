"""The absolute-value model: its formula, its freedom of scale, and that two neurons do one |x|."""

import jax
import jax.numpy as jnp
import numpy as np

from toymodels.estimators import Sampled, best_estimator
from toymodels.features import Independent, SignedUniform
from toymodels.models.absolute_value import AbsoluteValueModel
from toymodels.tasks import Reconstruction

X = np.linspace(-1, 1, 21, dtype=np.float32)[None]


def test_a_neuron_for_each_sign_computes_the_absolute_value():
    model = AbsoluteValueModel(
        W=jnp.array([[1.0], [-1.0]]), V=jnp.array([[1.0, 1.0]]), b=jnp.zeros(1)
    )
    np.testing.assert_allclose(model(jnp.asarray(X)), np.abs(X), atol=1e-7)


def test_rescaling_a_neuron_changes_nothing():
    model = AbsoluteValueModel.init(jax.random.key(0), 3, 4, 0.8)
    a = jnp.array([0.1, 1.0, 2.0, 30.0])
    other = model.replace(W=model.W * a[:, None], V=model.V / a[None])
    x = jax.random.normal(jax.random.key(1), (3, 9))
    np.testing.assert_allclose(model(x), other(x), rtol=1e-5)


def test_closed_forms_of_the_untied_autoencoder_are_not_used():
    task = Reconstruction.create(Independent.create(0.5, 3, SignedUniform()))
    assert isinstance(best_estimator(task, AbsoluteValueModel), Sampled)
    plain = Reconstruction.create(Independent.create(0.5, 3))
    assert isinstance(best_estimator(plain, AbsoluteValueModel), Sampled)
