"""Hidden states for those who train dictionaries on them."""

import jax
import numpy as np
import pytest
from builders import make_run

from sweeps.plan import TrainedModel
from toymodels.errors import InputError
from toymodels.features import Independent
from toymodels.interop import activations
from toymodels.models import ReluAutoencoder

MODEL = ReluAutoencoder(W=np.array([[1.0, -1, 0], [0, 0, 2]]), b=np.zeros(3))
KEY = jax.random.key(0)


def test_each_example_comes_with_its_hidden_state():
    trained = TrainedModel(make_run(p_active=[0.0, 0.5, 1.0]), MODEL)
    batches = list(activations(trained, KEY, 250, batch_size=100))
    assert [x.shape for x, _ in batches] == [(100, 3), (100, 3), (50, 3)]
    x, h = (np.concatenate(parts) for parts in zip(*batches, strict=True))
    np.testing.assert_allclose(h, x @ np.asarray(MODEL.W).T, rtol=1e-6)
    active = np.mean(x > 0, axis=0)
    assert active[0] == 0
    assert active[1] == pytest.approx(0.5, abs=0.12)
    assert active[2] > 0.99
    assert len(np.unique(x[:, 2])) == 250  # batches are drawn apart


def test_a_model_alone_needs_a_world():
    ((x, h),) = activations(MODEL, KEY, 5, features=Independent.create(1.0, 3))
    assert (x.shape, h.shape) == ((5, 3), (5, 2))
    with pytest.raises(InputError, match="say which world"):
        next(activations(MODEL, KEY, 5))
    with pytest.raises(InputError, match="n = 0"):
        next(activations(MODEL, KEY, 0, features=Independent.create(1.0, 3)))
