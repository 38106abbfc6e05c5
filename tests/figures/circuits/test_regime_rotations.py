"""The noise test of circuits, on networks built by hand."""

import jax
import numpy as np

from figures.circuits.regime_rotations import circuit_errors
from toymodels.models.circuit_start import RotationNetwork
from toymodels.tasks.circuits import RotationTask


def test_circuits_with_neurons_of_their_own_are_exact_and_hear_noise_of_none():
    task = RotationTask.create(n_circuits=4, n_layers=2, room=6)
    start = RotationNetwork.start(n_circuits=4, width=16, n_layers=2, redundancy=1, room=6)
    found = circuit_errors(task, start.draw(jax.random.key(0)), np.array([0.0, 0.5]), 16)
    assert found.shape == (2, 4)
    np.testing.assert_allclose(found, 0, atol=1e-10)
