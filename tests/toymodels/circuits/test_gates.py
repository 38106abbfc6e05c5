"""Gates that rule circuits out, on networks small enough to count neurons in."""

import jax
import numpy as np
import pytest

from toymodels.circuits.examples import draw_blocks
from toymodels.circuits.forward import plan, relu_gating, run_layers
from toymodels.circuits.gates import (
    BlindGate,
    ExclusiveGate,
    NoGate,
    ShareGate,
    WeightGate,
    network_of,
    ruled_out_shares,
)
from toymodels.circuits.simulation import rotation_network
from toymodels.circuits.small_circuits import active_rotations
from toymodels.errors import InputError

KEY = jax.random.key(3)
KEPT = np.arange(0, 40, 4)
NETWORK = rotation_network(KEY, n_circuits=40, width=120, redundancy=3, n_layers=4)


def values_of(network, active, gate=None, strength=1.0):
    """Values `[L, T, f, B]` of a network with one circuit active in each example."""
    few = network_of(NETWORK, KEPT, 1.0)
    (inputs,) = draw_blocks(KEY, few, active_rotations, 1, 10)
    prepared, between = (gate or NoGate()).apply(plan(network), KEPT, strength)
    inputs = inputs._replace(active=active[inputs.active])
    return np.stack([layer.values for layer in run_layers(prepared, inputs, relu_gating, between)])


def test_a_gate_on_weights_before_layer_2_leaves_the_network_of_the_kept_circuits():
    gated = values_of(NETWORK, KEPT, WeightGate.create())
    alone = values_of(network_of(NETWORK, KEPT, 1.0), np.arange(10))
    np.testing.assert_allclose(gated[:, KEPT], alone, atol=1e-5)
    assert np.abs(values_of(NETWORK, KEPT)[:, KEPT] - alone).max() > 0.1  # not without a gate


def test_a_late_gate_leaves_the_layers_before_it_alone():
    without = values_of(NETWORK, KEPT)
    for gate in (WeightGate.create(gate_from=4), ShareGate.create(gate_from=4)):
        gated = values_of(NETWORK, KEPT, gate)
        np.testing.assert_array_equal(gated[:3], without[:3])
        assert np.any(gated[3] != without[3])


def test_gates_of_no_strength_do_nothing():
    without = values_of(NETWORK, KEPT)
    for make in (ExclusiveGate, ShareGate, BlindGate):
        np.testing.assert_array_equal(
            values_of(NETWORK, KEPT, make.create(gate_strength=0.0)), without
        )


def test_shares_are_counted_neuron_by_neuron():
    for shares, held in zip(ruled_out_shares(plan(NETWORK), KEPT), NETWORK.embedding, strict=True):
        for neuron in range(30):
            users = np.flatnonzero((held == neuron).any(axis=1))
            out = np.mean(~np.isin(users, KEPT)) if users.size else 0
            assert shares[neuron] == pytest.approx(out)


def test_exclusive_neurons_fall_silent_and_others_receive_what_they_did():
    shares = ruled_out_shares(plan(NETWORK), KEPT)
    _, between = ExclusiveGate.create(gate_strength=50.0).apply(plan(NETWORK), KEPT, 1.0)
    for layer in range(2, 5):
        taken = -between.inhibit(layer, np.zeros((30, 4, 1), np.float32))[..., 0]
        np.testing.assert_array_equal(
            taken, 50.0 * np.repeat(shares[layer - 1] == 1, 4).reshape(30, 4)
        )


def test_the_blind_gate_takes_as_much_in_all_and_vectors_keep_what_they_get():
    taken = []
    for make in (ShareGate, BlindGate):
        _, between = make.create(gate_strength=0.4).apply(plan(NETWORK), KEPT, 1.0)
        taken.append(-between.inhibit(2, np.zeros((30, 4, 1), np.float32))[..., 0])
    assert not np.any(np.array(taken)[:, :, 2:])
    by_share, blind = (each[:, 0] for each in taken)
    assert by_share.sum() == pytest.approx(blind.sum(), rel=1e-5)
    assert np.ptp(blind) == 0 < np.ptp(by_share)


def test_impossible_gates_are_refused():
    with pytest.raises(InputError, match="gate_strength"):
        ShareGate.create(gate_strength=-1.0)
    with pytest.raises(InputError, match="gate_from"):
        WeightGate.create(gate_from=1)
