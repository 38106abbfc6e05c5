"""Circuits in random directions: growth of energy against its expectation."""

import jax
import numpy as np
import pytest

from toymodels.circuits.constructions.random_embedding import (
    expected_errors,
    linear,
    linear_rotations,
    relu,
    simulate_random_embedding,
    unit_vectors,
)
from toymodels.circuits.small_circuits import active_rotations, rotation_circuit
from toymodels.errors import InputError

KEY = jax.random.key(0)


def test_linear_circuits_err_as_expected_and_worse_with_depth():
    """Energy grows by 1 + (T-1) d/D in each layer: 3 here, at 1.33 circuits per dimension."""
    sizes = {"width": 60, "n_active": 2, "n_layers": 4}
    runs = [
        simulate_random_embedding(
            jax.random.key(seed),
            linear_rotations(np.linspace(0, 6, 61)),
            unit_vectors,
            n_samples=200,
            **sizes,
        )
        for seed in range(6)
    ]
    exact = expected_errors(61, 60, 2, 2, 4)
    np.testing.assert_allclose(exact.energy, 2 * 3.0 ** np.arange(5))
    for name in ("mse_active", "mse_inactive", "energy"):
        ours = np.mean([getattr(run, name) for run in runs], axis=0)
        np.testing.assert_allclose(ours, getattr(exact, name), rtol=0.12)


def test_circuits_that_suppress_noise_keep_it_from_growing():
    angles = np.linspace(0, 6, 150)
    kept, grown = (
        simulate_random_embedding(
            KEY,
            rotation_circuit(angles),
            active_rotations,
            width=800,
            n_active=1,
            n_layers=4,
            n_samples=60,
            activation=activation,
        )
        for activation in (relu, linear)
    )
    assert np.all(kept.mse_inactive < 2 * kept.mse_inactive[0])
    assert grown.mse_inactive[4] > 20 * kept.mse_inactive[4]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"width": 1}, "use >= 2"),
        ({"n_active": 61}, "use 1 to 60"),
        ({"n_samples": 0}, "n_samples = 0"),
    ],
)
def test_embeddings_that_are_not_possible_are_refused(wrong, message):
    sizes = {"width": 60, "n_active": 2, "n_layers": 1, "n_samples": 3} | wrong
    with pytest.raises(InputError, match=message):
        simulate_random_embedding(
            KEY, linear_rotations(np.linspace(0, 6, 61)), unit_vectors, **sizes
        )
