"""Small circuits alone, and what a circuit must satisfy to be held in superposition."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from toymodels.circuits.assumptions import (
    absorbed_noise,
    check_circuits,
    check_load,
    custom_circuits,
    noise_growth,
)
from toymodels.circuits.base import Circuit
from toymodels.circuits.small_circuits import (
    rotation_circuit,
    rotation_circuit_one_indicator,
    rotation_states,
    rotation_states_one_indicator,
    run_circuit,
    run_circuits,
    step_circuits,
    step_states,
)
from toymodels.errors import InputError

ANGLES = np.array([0.3, 2.0, 4.5])
FEW = {"n_active": 1, "n_copies": 20}


def turned(x, angle, times):
    c, s = np.cos(times * angle), np.sin(times * angle)
    return np.array([c * x[0] - s * x[1], s * x[0] + c * x[1]])


@pytest.mark.parametrize("gain", [1.0, 2.0, 3.5])
@pytest.mark.parametrize("bias", [0.0, 0.4, 1.0, 2.0])
@pytest.mark.parametrize("angle", ANGLES)
def test_an_active_circuit_rotates_and_stays_on(angle, bias, gain):
    circuit, x = rotation_circuit(angle, bias, gain), np.array([0.6, -0.8])
    states = run_circuit(circuit, rotation_states(x, gain), 6)
    values = np.asarray(states @ circuit.decode.T)
    np.testing.assert_allclose(values[:, 0], 1, atol=1e-5)
    for layer in range(7):
        np.testing.assert_allclose(values[layer, 1:], turned(x, angle, layer), atol=1e-5)
    np.testing.assert_allclose(states[6, :2], [(gain + 1) / 2, (gain - 1) / 2], atol=1e-5)


def test_a_circuit_with_one_indicator_rotates_as_well():
    x = np.array([0.6, -0.8])
    circuit = rotation_circuit_one_indicator(0.3)
    values = run_circuit(circuit, rotation_states_one_indicator(x), 3) @ circuit.decode.T
    np.testing.assert_allclose(values[3], [1, *turned(x, 0.3, 3)], atol=1e-5)


@pytest.mark.parametrize(
    "circuit", [rotation_circuit(0.3), rotation_circuit_one_indicator(0.3)], ids=["d4", "d3"]
)
def test_an_inactive_circuit_stays_zero_exactly(circuit):
    assert not np.any(run_circuit(circuit, np.zeros(circuit.bias.shape[-1]), 4))


@pytest.mark.parametrize("gain", [1.0, 2.0, 4.0])
def test_the_indicator_is_a_step_with_dead_zones(gain):
    """Figure 3 of the post: the difference of two ReLUs is clip(kα - (k-1)/2, 0, 1)."""
    alpha = np.linspace(-0.1, 1.1, 61, dtype=np.float32)
    circuits = step_circuits(1, gain)
    after = run_circuits(circuits, np.zeros(61, int), np.stack([alpha, 0 * alpha], -1), 1)[1, :, 0]
    np.testing.assert_allclose(after, np.clip(gain * alpha - (gain - 1) / 2, 0, 1), atol=1e-6)
    dead = (gain - 1) / (2 * gain)
    assert np.all(after[alpha < dead] == 0)
    np.testing.assert_allclose(after[alpha > 1 - dead], 1, atol=1e-6)


def test_noise_on_one_indicator_doubles_in_each_layer():
    state = rotation_states_one_indicator(np.array([0.6, -0.8]))
    circuit = rotation_circuit_one_indicator(0.3)
    wrong = run_circuit(circuit, state + np.array([0.01, 0.01, 0.01]), 4)
    clean = run_circuit(circuit, state, 4)
    np.testing.assert_allclose((wrong - clean)[:, 0], 0.01 * 2.0 ** np.arange(5), rtol=1e-3)


def test_many_circuits_are_one_circuit_mapped():
    circuits = rotation_circuit(ANGLES)
    x = np.array([[0.6, -0.8], [0.0, 1.0], [-1.0, 0.0]])
    states = rotation_states(x)
    mapped = jax.vmap(lambda c, s: run_circuit(c, s, 4), in_axes=(circuits.axes, 0))(
        circuits, states
    )
    for t, angle in enumerate(ANGLES):
        alone = run_circuit(rotation_circuit(angle), states[t], 4)
        np.testing.assert_allclose(mapped[t], alone, atol=1e-6)
    on_host = run_circuits(circuits, np.arange(3), states, 4)  # [L+1, T, f]
    np.testing.assert_allclose(np.moveaxis(on_host, 0, 1), mapped @ circuits.decode.T, atol=1e-5)


def test_step_circuits_keep_a_boolean():
    circuits = step_circuits(5)
    values = run_circuits(circuits, np.arange(5), step_states((5,)), 3)
    np.testing.assert_array_equal(values, np.ones((4, 5, 1)))


def test_stages_take_turns():
    weights = np.array([[[1.0]], [[2.0]]], np.float32)  # two stages, d = f = 1
    circuit = Circuit(weights, weights, np.eye(1), np.zeros((2, 1), np.float32), (("value", 1),))
    np.testing.assert_array_equal(run_circuit(circuit, jnp.ones(1), 4)[:, 0], [1, 1, 2, 2, 4])


def test_a_circuit_has_the_same_leaves_eagerly_under_jit_and_under_vmap():
    def make(s):
        return Circuit(s * jnp.ones((1, 2, 2)), s * jnp.ones(2), s, s, (("value", 2),))

    eager, jitted = make(jnp.float32(0.5)), jax.jit(make)(jnp.float32(0.5))
    mapped = jax.vmap(make)(jnp.full(2, 0.5, jnp.float32))
    assert jax.tree.structure(eager) == jax.tree.structure(jitted) == jax.tree.structure(mapped)
    jax.tree.map(lambda m, e: np.testing.assert_array_equal(m[1], e), mapped, eager)


@pytest.mark.parametrize("make", [rotation_circuit, rotation_circuit_one_indicator])
def test_a_negative_bias_is_refused(make):
    with pytest.raises(InputError, match=r"bias = -0\.1"):
        make(0.3, -0.1)


def test_a_gain_below_one_is_refused():
    with pytest.raises(InputError, match=r"gain >= 1"):
        step_circuits(2, 0.5)


def test_absorbed_noise_is_absorbed_and_a_little_more_is_not():
    circuit = rotation_circuit(ANGLES)
    epsilon = absorbed_noise(circuit)
    assert 0.1 < epsilon <= 0.125  # the indicator alone: β/Σ|w| = ½/4
    reach = circuit.weights[:, 0] @ circuit.decode
    worst = np.sign(reach).reshape(-1, 4)  # the noise that pushes one neuron hardest
    for factor, swallowed in ((0.999, True), (1.001, False)):
        after = [
            run_circuits(circuit, np.full(len(worst), t), factor * epsilon * worst, 1)[1]
            for t in range(3)
        ]
        assert (not np.any(after)) == swallowed


def test_rotations_pass_all_five_and_one_indicator_amplifies():
    x = np.tile([0.6, -0.8], (3, 1))
    found = check_circuits(rotation_circuit(ANGLES), rotation_states(x), noise=0.1, tolerance=1e-3)
    assert found.growth == pytest.approx(1, abs=1e-5)
    one = rotation_circuit_one_indicator(ANGLES)
    # α doubles each layer and feeds x: its noise after 8 layers against that after one.
    assert noise_growth(one, rotation_states_one_indicator(x)) > 2**6
    with pytest.raises(InputError, match="do not amplify noise"):
        check_circuits(one, rotation_states_one_indicator(x), noise=0.1, tolerance=1e-3)


def swaps(n_circuits=2, bias=0.0, gain=1.0):
    """Circuits of width 2 that swap their two neurons, with their active states."""
    weights = np.tile(gain * np.array([[0, 1], [1, 0]]), (n_circuits, 1, 1, 1))
    return weights, np.full((n_circuits, 1, 2), bias), np.ones((n_circuits, 2))


def test_a_circuit_of_ones_own_runs_as_its_mlp():
    weights, biases, states = swaps(n_circuits=3, bias=-0.5)
    states = states * np.array([4.0, 6.0])
    circuits = custom_circuits(weights, biases, states, **FEW)
    values = run_circuits(circuits, np.arange(3), states, 2)
    np.testing.assert_allclose(values[1], np.tile([5.5, 3.5], (3, 1)))
    np.testing.assert_allclose(values[2], np.tile([3.0, 5.0], (3, 1)))


def test_rotations_given_as_plain_matrices_are_the_same_circuits():
    made = rotation_circuit(ANGLES)
    states = rotation_states(np.tile([0.6, -0.8], (3, 1)))
    plain = custom_circuits(made.weights @ made.decode, made.bias, states, **FEW)
    given = custom_circuits(made.weights, made.bias, states, decode=made.decode, **FEW)
    ours = run_circuits(made, np.arange(3), states, 4)
    np.testing.assert_allclose(run_circuits(given, np.arange(3), states, 4), ours, atol=1e-5)
    raw = run_circuits(plain, np.arange(3), states, 4)
    np.testing.assert_allclose(raw @ made.decode.T, ours, atol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "more", "message"),
    [
        (swaps(bias=-0.1), {"n_active": 3}, "few circuits are active.*n_active <= 2"),
        (swaps(bias=0.0), {}, "absorb small noise.*at most 0 "),
        (swaps(bias=-0.1), {"noise": 0.2}, r"absorb small noise.*at most 0\.1 "),
        (swaps(bias=0.1), {}, r"hold zero.*0\.1"),
        (swaps(bias=-0.1, gain=1.5), {}, "do not amplify noise"),
    ],
)
def test_the_assumption_that_fails_is_named(arguments, more, message):
    with pytest.raises(InputError, match=message):
        custom_circuits(*arguments, **(FEW | more))


def test_unequal_biases_are_named():
    weights, biases, states = swaps(bias=-0.1)
    biases[1] -= 0.1
    with pytest.raises(InputError, match=r"same biases\. Circuit 1 differs"):
        custom_circuits(weights, biases, states, **FEW)


@pytest.mark.parametrize("index", range(3))
def test_shapes_that_do_not_fit_are_refused(index):
    arguments = list(swaps(bias=-0.1))
    arguments[index] = arguments[index][:, :1] if index == 0 else arguments[index][..., :1]
    if index == 0:
        arguments[0] = arguments[0][0]
    with pytest.raises(InputError, match=r"weights|biases|states"):
        custom_circuits(*arguments, **FEW)


def test_load_is_one_in_ten_at_most():
    check_load(25, 250)
    with pytest.raises(InputError, match="n_active <= 25"):
        check_load(26, 250)
