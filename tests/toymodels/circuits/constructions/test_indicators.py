"""Circuits with several indicators, each alone."""

import jax
import numpy as np
import pytest

from toymodels.circuits.constructions.indicators import (
    active_with_indicators,
    circuit_with_indicators,
)
from toymodels.circuits.small_circuits import rotation_circuit, run_circuits
from toymodels.errors import InputError

ANGLES = np.array([0.3, 2.0, -1.0])


def test_one_indicator_is_the_circuit_of_the_post():
    for gain, dead_zone in ((2.0, 0.25), (4.0, 0.375)):
        found = circuit_with_indicators(ANGLES, (1.0,), 0.7, gain, dead_zone)
        expected = rotation_circuit(ANGLES, 0.7, gain)
        for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
            np.testing.assert_allclose(a, b, atol=1e-6)


@pytest.mark.parametrize(("shares", "gain", "dead_zone"), [((0.2, 0.3, 0.5), 2.0, 0.4)])
def test_all_indicators_of_an_active_circuit_stay_on_and_its_vector_turns(shares, gain, dead_zone):
    circuits = circuit_with_indicators(ANGLES, shares, 1.0, gain, dead_zone)
    states = active_with_indicators(np.random.default_rng(0), (3,), len(shares))
    values = run_circuits(circuits, np.arange(3), states, 4)  # [5, 3, 3]
    np.testing.assert_allclose(values[:, :, 0], 1, atol=1e-6)
    turned = np.angle(values[1:, :, 1] + 1j * values[1:, :, 2])
    turned -= np.angle(values[:-1, :, 1] + 1j * values[:-1, :, 2])
    np.testing.assert_allclose(np.exp(1j * turned), np.exp(1j * ANGLES)[None] + 0 * turned, 1e-5)


def test_the_step_is_zero_up_to_its_dead_zone_and_goes_by_the_mean_of_indicators():
    circuits = circuit_with_indicators(ANGLES[:1], (0.25, 0.75), 1.0, 2.0, 0.4)
    alpha = np.array([[0.0, 0.53], [0.0, 0.54], [1.0, 0.8], [0.8, 1.0]])  # of both indicators
    state = np.zeros((4, 6), np.float32)
    state[:, 0], state[:, 4] = alpha.T
    found = run_circuits(circuits, np.zeros(4, int), state, 1)[1, :, 0]
    mean = alpha @ [0.25, 0.75]
    np.testing.assert_allclose(found, np.clip(2 * (mean - 0.4), 0, 1), atol=1e-6)


def test_what_is_no_mean_and_no_step_is_refused():
    with pytest.raises(InputError, match="sum of 1"):
        circuit_with_indicators(ANGLES, (0.5, 0.6))
    with pytest.raises(InputError, match=r"dead_zone <= 0\.5"):
        circuit_with_indicators(ANGLES, (1.0,), 1.0, 2.0, 0.51)
    with pytest.raises(InputError, match="dead_zone"):
        circuit_with_indicators(ANGLES, (1.0,), 1.0, 2.0, -0.1)
