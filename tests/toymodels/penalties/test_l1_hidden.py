"""The L1 penalty on hidden activations: its value, as an axis of a sweep, and what refuses it."""

import jax.numpy as jnp
import numpy as np
import pytest
from builders import make_table

from sweeps import run_sweep
from toymodels.errors import InputError
from toymodels.models import ReluAutoencoder
from toymodels.penalties.l1_hidden import L1Hidden

TABLE = make_table(steps=300, batch_size=32, p_active=0.5, learning_rate=0.03)


def test_it_is_the_mean_over_examples_of_the_sum_of_magnitudes():
    W, x = np.array([[1.0, -2.0], [0.5, 0.0]]), np.array([[1.0, 0.0], [1.0, 2.0]])
    model = ReluAutoencoder(W=jnp.asarray(W, jnp.float32), b=jnp.zeros(2))
    expected = 0.25 * np.abs(W @ x).sum(axis=0).mean()
    got = L1Hidden.create(0.25)(model, jnp.asarray(x, jnp.float32))
    assert float(got) == pytest.approx(expected, rel=1e-6)


@pytest.mark.claims  # compiles for many seconds
def test_an_axis_over_its_weight_is_one_program_and_dearer_activity_is_less():
    grid = {"penalties": {"l1_hidden": [0.0, 0.02, 10.0]}, "seed": [0]}
    ds = run_sweep(TABLE | {"grid": grid})
    assert ds.loss.dims == ("l1_hidden", "seed")
    activity = np.abs(ds.W.values).sum(axis=(-1, -2))[:, 0]
    assert activity[0] > activity[1] > 100 * activity[2]
    free = run_sweep(TABLE | {"grid": {"seed": [0]}})
    np.testing.assert_allclose(ds.loss[0], free.loss, rtol=1e-5)  # weight 0 changes nothing


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"penalties": {"l1_hidden": -1}}, r"penalties\.l1_hidden = -1"),
        ({"penalties": {"l1_hiden": 1}}, "Did you mean 'l1_hidden'"),
        ({"penalties": ["l1_hidden"]}, "weight is missing"),
        ({"penalties": {"l1_hidden": 0.1}, "estimator": "exact"}, "a penalty is a mean over"),
    ],
)
def test_what_it_cannot_be_is_refused(change, told):
    with pytest.raises(InputError, match=told):
        run_sweep(TABLE | change)
