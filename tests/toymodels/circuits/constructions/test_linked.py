"""Circuits that lead to each other, against the plain network, a written-out one, and by hand."""

from dataclasses import replace

import numpy as np
import pytest

from toymodels.circuits import capped_network, rotation_circuit, step_circuits, transversal
from toymodels.circuits.assignment import shuffled_layers
from toymodels.circuits.base import Inputs
from toymodels.circuits.constructions.linked import (
    Connections,
    as_matrices,
    linked_network,
    run_alone,
    run_linked,
)
from toymodels.circuits.forward import plan, run_layers
from toymodels.circuits.network import inhibition_over_all_pairs
from toymodels.circuits.small_circuits import active_rotations
from toymodels.errors import InputError

T, N, S, L = 20, 30, 3, 3
RNG = np.random.default_rng(0)
CIRCUITS = rotation_circuit(RNG.uniform(0, 6, T))
EMBEDDING = shuffled_layers(RNG, transversal(T, N, S), L)
EVERY = np.arange(T)


def connections(source, target, own=None, starts=None):
    n = len(source)
    own = np.zeros((n, 4, 3), np.float32) if own is None else own
    return Connections(source, target, own, np.ones(n, bool) if starts is None else starts)


def run(network, values, how=run_linked):
    matrices = tuple(as_matrices(c, network.n_circuits) for c in network.connections)
    return np.array(list(how(network, matrices, values)))


def values_of(active, states):
    values = np.zeros((T, 3, len(active)), np.float32)
    values[active, :, np.arange(len(active))[:, None]] = states @ CIRCUITS.decode.T
    return values


def test_circuits_that_lead_to_themselves_are_the_capped_network():
    own = CIRCUITS.weights[:, 0] - CIRCUITS.shared[0]
    linked = linked_network(CIRCUITS, EMBEDDING, N, (connections(EVERY, EVERY, own),) * (L - 1))
    plain = capped_network(CIRCUITS, EMBEDDING, N, balance=inhibition_over_all_pairs)
    for ours, theirs in zip(linked.background, plain.background, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)
    np.testing.assert_allclose(linked.inhibition, plain.inhibition)
    np.testing.assert_allclose(linked.link_density, plain.link_density)
    active = RNG.permuted(np.tile(EVERY, (8, 1)), axis=1)[:, :2]
    inputs = Inputs(active, active_rotations(RNG, active.shape))
    layers = np.array([layer.values for layer in run_layers(plan(plain), inputs)])
    np.testing.assert_allclose(run(linked, values_of(*inputs)), layers, atol=2e-6)


def test_a_permutation_only_renames_the_circuits_of_a_layer():
    """Routed by π, with the targets' neurons renamed by it, the same weights come out."""
    own = CIRCUITS.weights[:, 0] - CIRCUITS.shared[0]
    order = RNG.permutation(T)
    renamed = EMBEDDING[:2].copy()
    renamed[1, order] = EMBEDDING[1]
    routed = linked_network(CIRCUITS, renamed, N, (connections(EVERY, order, own),))
    plain = linked_network(CIRCUITS, EMBEDDING[:2], N, (connections(EVERY, EVERY, own),))
    np.testing.assert_array_equal(routed.background, plain.background)
    values = values_of(EVERY[:, None], active_rotations(RNG, (T, 1)))
    np.testing.assert_allclose(run(routed, values)[1][order], run(plain, values)[1], atol=1e-6)


def test_a_network_of_any_connections_is_the_sum_that_defines_it():
    """The weights written out from the definition, entry by entry, as an ordinary MLP."""
    source, target = np.array([0, 0, 3, 5]), np.array([1, 2, 2, 5])
    own = RNG.normal(size=(4, 4, 3)).astype(np.float32)
    starts = np.array([True, False, True, True])
    network = linked_network(
        CIRCUITS, EMBEDDING[:2], N, (connections(source, target, own, starts),), inhibition=0.7
    )
    background = np.full((N, N), -network.inhibition[0])
    weights = np.zeros((4, N, 4, N))
    for t, u, weight, start in zip(source, target, own, starts, strict=True):
        for m in EMBEDDING[0, t]:
            for n in EMBEDDING[1, u]:
                weights[:, n, :, m] += weight @ CIRCUITS.decode / S
                background[n, m] = 1 / S if start else background[n, m]
    weights += np.einsum("ij,nm->injm", CIRCUITS.shared[0] @ CIRCUITS.decode, background)
    plain = capped_network(CIRCUITS, EMBEDDING[:2], N)
    inputs = Inputs(np.array([[0, 3]]), active_rotations(np.random.default_rng(1), (1, 2)))
    values = values_of(*inputs)
    first = next(run_layers(plan(plain), inputs)).activations[..., 0].T.ravel()  # [4 N]
    bias = np.repeat(CIRCUITS.bias[0], N)
    second = np.maximum(weights.reshape(4 * N, 4 * N) @ first + bias, 0).reshape(4, N)
    read = CIRCUITS.decode @ second[:, EMBEDDING[1]].mean(axis=-1)  # [3, T]
    np.testing.assert_allclose(run(network, values)[1, :, :, 0].T, read, atol=1e-5)


@pytest.mark.parametrize(("needed", "on"), [(1, [0, 1, 1, 1]), (2, [0, 0, 0, 1])])
def test_gates_of_two_circuits_by_hand(needed, on):
    """Circuits 0 and 1 lead to 2, which share no neurons: OR and AND of all four inputs."""
    circuits = step_circuits(3)
    embedding = np.array([[[0], [1], [2]], [[2], [0], [1]]], np.int32)
    link = Connections(np.array([0, 1]), np.array([2, 2]), np.zeros((2, 2, 1)), np.ones(2, bool))
    network = linked_network(circuits, embedding, 3, (link,), needed=needed)
    values = np.array([[[0, 1, 0, 1]], [[0, 0, 1, 1]], [[0, 0, 0, 0]]], np.float32)
    for how in (run_linked, run_alone):
        np.testing.assert_array_equal(run(network, values, how)[1, :, 0], [[0] * 4, [0] * 4, on])
    assert network.inhibition[0] == 0  # every pair that could be active is linked


def test_inhibition_balances_circuits_that_may_be_active_alone():
    """Circuits that nothing starts are left out of the mean, as targets and then as sources."""
    half = EVERY[: T // 2]
    merging = connections(EVERY, EVERY // 2)
    network = linked_network(CIRCUITS, EMBEDDING, N, (merging, connections(half, half)))
    heard = [
        np.array([[w[np.ix_(into, out)].sum() for out in before] for into in after])
        for w, before, after in zip(network.background, EMBEDDING, EMBEDDING[1:], strict=False)
    ]
    unconnected = heard[0][half][EVERY[None] // 2 != half[:, None]], heard[1][:10, :10]
    np.testing.assert_allclose(np.mean(unconnected[0]), 0, atol=1e-5)
    np.testing.assert_allclose(np.mean(unconnected[1][~np.eye(10, dtype=bool)]), 0, atol=1e-5)


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"source": np.array([0, 20])}, "0 to 20.*use 0 to 19"),
        ({"source": np.array([0, 0]), "target": np.array([1, 1])}, "twice"),
        ({"own": np.zeros((2, 4, 4))}, "own weights of shape"),
        ({"starts": np.ones(3, bool)}, "starts"),
    ],
)
def test_connections_that_cannot_be_are_refused(changes, match):
    given = {"source": EVERY[:2], "target": EVERY[:2], **changes}
    with pytest.raises(InputError, match=match):
        linked_network(CIRCUITS, EMBEDDING[:2], N, (connections(**given),))


def test_a_network_needs_connections_into_all_layers_but_the_first():
    with pytest.raises(InputError, match="into 1 layers"):
        linked_network(CIRCUITS, EMBEDDING, N, (connections(EVERY, EVERY),))
    stages = replace(CIRCUITS, bias=np.zeros((2, 4), np.float32))
    with pytest.raises(InputError, match="one stage"):
        linked_network(stages, EMBEDDING[:1], N, ())
