"""Tasks of circuits: which are active, what they hold, and how their errors are weighed."""

import jax
import numpy as np
import pytest

from toymodels.errors import InputError
from toymodels.tasks.circuits import RotationTask, angles_of

UNIFORMS = jax.random.uniform(jax.random.key(1), (6, 20_000))


def test_active_circuits_are_different_and_each_as_likely():
    task = RotationTask.create(n_circuits=7, n_active=3, room=9)
    on = np.asarray(task.from_uniforms(UNIFORMS)[0]).reshape(3, 9, -1)[0]
    np.testing.assert_array_equal(on.sum(axis=0), 3)
    assert on.max() == 1
    np.testing.assert_allclose(on[:7].mean(axis=1), 3 / 7, atol=0.015)
    assert not on[7:].any()
    pairs = on[:7] @ on[:7].T / on.shape[1]
    np.testing.assert_allclose(pairs[~np.eye(7, dtype=bool)], 3 * 2 / (7 * 6), atol=0.015)


def test_vectors_turn_by_their_angle_in_every_layer():
    task = RotationTask.create(n_circuits=5, n_active=2, n_layers=3)
    given, wanted = (np.asarray(a).reshape(3, 5, -1) for a in task.from_uniforms(UNIFORMS[:4]))
    turned = (given[1] + 1j * given[2]) * np.exp(3j * angles_of(5))[:, None]
    np.testing.assert_allclose(wanted[1] + 1j * wanted[2], turned, atol=1e-5)
    np.testing.assert_allclose(np.hypot(given[1], given[2]), given[0], atol=1e-5)


@pytest.mark.parametrize(("balance", "exponent"), [(0.0, 2.0), (1.0, 2.0), (0.3, 4.0)])
def test_the_loss_weighs_classes_as_its_formula_says(balance, exponent):
    how = {"class_balance": balance, "exponent": exponent, "inactive_weight": 0.5}
    task = RotationTask.create(n_circuits=7, n_active=2, room=9, room_active=3, **how)
    _, target = task.from_uniforms(UNIFORMS[:, :50])
    output = target + jax.random.normal(jax.random.key(2), target.shape)
    error = np.asarray(abs(output - target) ** exponent).reshape(3, 9, 50).sum(axis=0)[:7]
    on = np.asarray(target).reshape(3, 9, 50)[0, :7] > 0.5
    by_class = (error * on).sum(axis=0) / 2 + 0.5 * (error * ~on).sum(axis=0) / 5
    expected = (1 - balance) * error.mean(axis=0) + balance * by_class
    np.testing.assert_allclose(task.error(output, target).sum(axis=0), expected, rtol=1e-5)


def test_too_many_active_or_too_little_room_is_refused():
    with pytest.raises(InputError, match="n_active = 8"):
        RotationTask.create(n_circuits=7, n_active=8)
    with pytest.raises(InputError, match="room = 6 does not hold n_circuits = 7"):
        RotationTask.create(n_circuits=7, room=6)
