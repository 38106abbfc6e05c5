"""One active circuit without error, among N² of them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from toymodels.circuits.base import Circuit
from toymodels.circuits.constructions.block_structured import block_structured, run_block_structured
from toymodels.circuits.small_circuits import (
    rotation_circuit,
    rotation_states,
    run_circuit,
)
from toymodels.errors import InputError

ANGLES = np.random.default_rng(0).uniform(0, 2 * np.pi, 25)


def test_every_one_of_n_squared_circuits_runs_without_error():
    circuits = rotation_circuit(ANGLES)
    network = block_structured(circuits, largest_activation=4.0)
    assert network.forth.shape == (5 * 6, 5 * 6)  # N (d + 2)
    x = np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=-1)
    states = jnp.asarray(rotation_states(x))
    runs = jax.vmap(lambda t, s: run_block_structured(network, t, s, 5))(jnp.arange(25), states)
    alone = jax.vmap(lambda c, s: run_circuit(c, s, 5), in_axes=(circuits.axes, 0))(
        circuits, states
    )
    np.testing.assert_allclose(runs, alone, atol=1e-5)


def test_after_each_small_layer_only_one_block_is_left():
    network = block_structured(rotation_circuit(ANGLES), largest_activation=4.0)
    state = network.write(13, jnp.asarray(rotation_states(np.array([0.6, -0.8]))))
    for layer, block in ((1, 13 % 5), (2, 13 // 5), (3, 13 % 5)):
        state = network(state, layer)
        memory = state[:20].reshape(5, 4)
        assert np.all(np.delete(memory, block, axis=0) == 0)
        np.testing.assert_allclose(network.read(13, state, layer), memory[block])
        np.testing.assert_array_equal(np.flatnonzero(state[20:]), [13 // 5, 5 + 13 % 5])


def test_blocks_need_no_assumption_on_biases():
    """Circuits that switch on by themselves: a positive bias, cleared wherever it is not wanted."""
    rng = np.random.default_rng(1)
    weights = rng.uniform(0, 0.5, (9, 1, 2, 2)).astype(np.float32)
    bias = np.array([[0.3, 0.7]], np.float32)
    circuits = Circuit(weights, weights.mean(0), np.eye(2, dtype=np.float32), bias, (("v", 2),))
    network = block_structured(circuits, largest_activation=3.0)
    start = jnp.array([1.0, 0.5])
    for t in range(9):
        alone = run_circuit(circuits.replace(weights=weights[t]), start, 4)
        np.testing.assert_allclose(run_block_structured(network, t, start, 4), alone, atol=1e-5)


def test_circuits_that_do_not_fill_the_blocks_are_refused():
    with pytest.raises(InputError, match="16 or 25"):
        block_structured(rotation_circuit(ANGLES[:24]), 4.0)
    two = Circuit(np.ones((4, 2, 1, 1)), np.ones((2, 1, 1)), np.eye(1), np.ones((2, 1)), ())
    with pytest.raises(InputError, match="one stage"):
        block_structured(two, 4.0)
