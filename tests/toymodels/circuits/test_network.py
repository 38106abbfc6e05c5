"""The large network: weights from the formula written out, and the layers without them."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from toymodels.circuits.assignment import prime_steps, transversal
from toymodels.circuits.base import Circuit, Inputs, Network
from toymodels.circuits.examples import draw_embedding, draw_subsets
from toymodels.circuits.forward import (
    ideal_gating,
    plan,
    relu_gating,
    run_layers,
    used_neurons,
)
from toymodels.circuits.network import (
    balanced_network,
    capped_network,
    dense_network,
    dense_weights,
    inhibition_over_all_pairs,
    inhibition_over_ordered_pairs,
    split_network,
)
from toymodels.circuits.small_circuits import active_rotations, rotation_circuit, step_circuits
from toymodels.errors import InputError

T, N, S, L = 40, 30, 3, 3
CONSTRUCTIONS = [capped_network, balanced_network, split_network]
RNG = np.random.default_rng(0)
ANGLES = RNG.uniform(0, 2 * np.pi, T)


def embedding(assignment=prime_steps, n_circuits=T, n_layers=L):
    return draw_embedding(jax.random.key(0), assignment, n_circuits, N, S, n_layers)


def vectors(held):
    """Return the 0/1 vectors e_t `[T, N]` of one layer."""
    e = np.zeros((len(held), N))
    np.put_along_axis(e, held, 1, axis=1)
    return e


def rotation_matrix(angle, b=1.0):
    """w_t of the post, 4 × 4, written out, and its mean over angles."""
    c, s = np.cos(angle), np.sin(angle)
    R = np.array([[c, -s], [s, c]])
    shared = np.array([[2, -2, 0, 0], [2, -2, 0, 0], [1 + b, -1 - b, 0, 0], [1 + b, -1 - b, 0, 0]])
    own = np.zeros((4, 4))
    own[2:, 2:] = R
    own[2:, 0], own[2:, 1] = -R.sum(1), R.sum(1)  # minus R 1 α
    return shared, own


def weights_as_published(construction, held):
    """W of layer 2, as one reads it: three loops over circuits."""
    into, out_of = vectors(held[1]), vectors(held[0])
    p = S * (T * S / N - 1) / (T - 1)
    c = 0 if construction is capped_network else p / ((S - p) * S)
    u = (1 / S + c) * into - c
    own_u = (1 / S) * into if construction is split_network else u
    if construction is capped_network:
        linked = sum(np.outer(a, b) for a, b in zip(into, out_of, strict=True)) > 0
        cross = [into[t] @ linked @ out_of[u] for u in range(T) for t in range(u)]
        U, P = sum(cross), S**2 * T * (T - 1) / 2
        background = np.where(linked, 1 / S, -U / (P - U) / S)
    else:
        background = sum(np.outer(a, b) for a, b in zip(u, out_of, strict=True))
    W = np.kron(rotation_matrix(0.0)[0], background)
    for t, angle in enumerate(ANGLES):
        W += np.kron(rotation_matrix(angle)[1], np.outer(own_u[t], out_of[t]))
    return W


@pytest.mark.parametrize("construction", CONSTRUCTIONS)
def test_weights_are_the_published_formula(construction):
    held = embedding()
    network = construction(rotation_circuit(ANGLES), held, N)
    expected = weights_as_published(construction, held)
    np.testing.assert_allclose(dense_weights(network, 2), expected, atol=2e-6)


def test_inhibition_makes_circuits_read_nothing_of_each_other_on_average():
    held = embedding()
    for balance, pairs in (
        (inhibition_over_all_pairs, ~np.eye(T, dtype=bool)),
        (inhibition_over_ordered_pairs, np.triu(np.ones((T, T), bool), 1)),
    ):
        network = capped_network(rotation_circuit(ANGLES), held, N, balance=balance)
        heard = vectors(held[1]) @ np.asarray(network.background[0], float) @ vectors(held[0]).T
        np.testing.assert_allclose(np.diag(heard) / S, 1, atol=1e-6)  # of itself, all
        np.testing.assert_allclose(heard[pairs].mean(), 0, atol=1e-6)


def test_inhibition_is_summed_over_blocks_of_circuits(monkeypatch):
    whole = capped_network(rotation_circuit(ANGLES), embedding(), N).inhibition
    monkeypatch.setattr("toymodels.circuits.network._ROWS", 7)
    np.testing.assert_allclose(
        capped_network(rotation_circuit(ANGLES), embedding(), N).inhibition, whole, rtol=1e-12
    )


def test_inhibition_is_multiplied():
    networks = [
        capped_network(rotation_circuit(ANGLES), embedding(), N, times) for times in (0, 1, 3)
    ]
    off = [float(np.min(n.background[0])) for n in networks]
    np.testing.assert_allclose(off, [0, -networks[1].inhibition[0], -networks[2].inhibition[0]])
    np.testing.assert_allclose(networks[2].inhibition, 3 * networks[1].inhibition)
    np.testing.assert_array_equal(networks[0].inhibition, 0)


def test_balanced_offset_cancels_the_mean_overlap_of_a_balanced_list():
    held = transversal(49, 21, S)[None]
    network = balanced_network(step_circuits(49), held, 21)
    e = np.zeros((49, 21))
    np.put_along_axis(e, held[0], 1, axis=1)
    u = (1 / S + network.offset_readout) * e - network.offset_readout
    heard = u @ e.T
    np.testing.assert_allclose(np.diag(heard), 1, atol=1e-9)
    np.testing.assert_allclose(heard[~np.eye(49, dtype=bool)].mean(), 0, atol=1e-9)


def examples(n_active=2, n_examples=25, seed=1):
    rng = np.random.default_rng(seed)
    active = draw_subsets(rng, T, n_active, n_examples)
    return Inputs(active, active_rotations(rng, active.shape))


def received(held, inputs):
    """What layer 1 receives, `[D]` for each example, from w_t written out."""
    pre = np.zeros((len(inputs.active), 4 * N))
    e = vectors(held[0])
    for row, circuits, states in zip(pre, inputs.active, inputs.states, strict=True):
        for t, state in zip(circuits, states, strict=True):
            row[:] += np.kron(sum(rotation_matrix(ANGLES[t])) @ state, e[t])
    return pre


@pytest.mark.parametrize("n_active", [1, 3])
@pytest.mark.parametrize("construction", CONSTRUCTIONS)
def test_layers_without_dense_weights_equal_the_dense_mlp(construction, n_active):
    held, inputs = embedding(), examples(n_active)
    network = construction(rotation_circuit(ANGLES), held, N)
    dense = jax.vmap(dense_network(network))(jnp.asarray(received(held, inputs), jnp.float32))
    for number, layer in enumerate(run_layers(plan(network), inputs)):
        flat = np.moveaxis(layer.activations, (1, 0), (0, 1)).reshape(4 * N, -1).T
        np.testing.assert_allclose(flat, dense[:, number], atol=2e-5)
        copies = flat.reshape(-1, 4, N)
        c = network.offset_readout
        a = np.einsum("tn,bin->bti", (1 / S + c) * vectors(held[number]) - c, copies)
        alpha = a[..., 0] - a[..., 1]
        x = a[..., 2:] - alpha[..., None]
        read = np.moveaxis(layer.values, -1, 0)
        np.testing.assert_allclose(read[..., 0], alpha, atol=2e-5)
        np.testing.assert_allclose(read[..., 1:], x, atol=2e-5)


def test_ideal_gating_masks_instead_of_cutting():
    held, inputs = embedding(), examples()
    network = capped_network(rotation_circuit(ANGLES), held, N)
    A = received(held, inputs).reshape(-1, 4, N)
    beta = np.array([-0.5, -1.5, -1, -1])[:, None]
    for number, layer in enumerate(run_layers(plan(network), inputs, ideal_gating)):
        if number:
            W = dense_weights(network, number + 1).astype(float)
            A = (A.reshape(-1, 4 * N) @ W.T).reshape(-1, 4, N)
        used = np.stack([vectors(held[number])[rows].any(axis=0) for rows in inputs.active])
        A = (A + beta) * used[:, None, :]
        np.testing.assert_array_equal(used_neurons(network, inputs.active, number), used.T)
        np.testing.assert_allclose(
            np.moveaxis(layer.activations, -1, 0), A.swapaxes(1, 2), atol=1e-4
        )


@pytest.mark.parametrize("gating", [relu_gating, ideal_gating])
def test_relabelling_circuits_changes_nothing(gating):
    held, inputs = embedding(), examples()
    order = np.random.default_rng(3).permutation(T)
    make = partial(capped_network, balance=inhibition_over_all_pairs)
    one = make(rotation_circuit(ANGLES), held, N)
    other = make(rotation_circuit(ANGLES[order]), held[:, order], N)
    renamed = inputs._replace(active=np.argsort(order)[inputs.active])
    for a, b in zip(
        run_layers(plan(one), inputs, gating), run_layers(plan(other), renamed, gating), strict=True
    ):
        np.testing.assert_allclose(b.values, a.values[order], atol=1e-4)
        np.testing.assert_allclose(b.activations, a.activations, atol=1e-4)


def test_permuting_neurons_changes_no_reading():
    held, inputs = embedding(), examples()
    rng = np.random.default_rng(4)
    moved = np.stack([rng.permutation(N)[layer] for layer in held]).astype(np.int32)
    one, other = (capped_network(rotation_circuit(ANGLES), e, N) for e in (held, moved))
    for a, b in zip(run_layers(plan(one), inputs), run_layers(plan(other), inputs), strict=True):
        np.testing.assert_allclose(b.values, a.values, atol=1e-4)


def test_stages_of_circuits_take_turns_in_the_large_network():
    """x -> 2 x, then x -> x / 2, and so on, beside the same network written out."""
    weights = np.array([2.0, 0.5], np.float32).reshape(1, 2, 1, 1) * np.ones((T, 1, 1, 1))
    circuits = Circuit(
        weights.astype(np.float32),
        np.zeros((2, 1, 1), np.float32),
        np.eye(1, dtype=np.float32),
        np.zeros((2, 1), np.float32),
        (("value", 1),),
    )
    network = capped_network(circuits, embedding(n_layers=4), N)
    inputs = Inputs(np.array([[5]]), np.ones((1, 1, 1), np.float32))
    read = [float(layer.values[5, 0, 0]) for layer in run_layers(plan(network), inputs)]
    np.testing.assert_allclose(read[:1], 2, atol=1e-5)
    dense = dense_network(network)
    start = np.zeros(N, np.float32)
    start[network.embedding[0][5]] = 2
    for number, activations in enumerate(dense(jnp.asarray(start))):
        held = network.embedding[number][5]
        assert read[number] == pytest.approx(float(np.mean(activations[held])), abs=1e-4)


def test_a_network_has_the_same_leaves_eagerly_under_jit_and_under_vmap():
    circuits = rotation_circuit(ANGLES)

    def make(s):
        return Network(circuits, s, (s, s), s, s, s, s, n_copies=3)

    eager, jitted = make(jnp.float32(0.5)), jax.jit(make)(jnp.float32(0.5))
    mapped = jax.vmap(make)(jnp.full(2, 0.5, jnp.float32))
    assert jax.tree.structure(eager) == jax.tree.structure(jitted) == jax.tree.structure(mapped)


def test_an_assignment_that_does_not_fit_is_refused():
    with pytest.raises(InputError, match=r"39 circuits.*for 40"):
        capped_network(rotation_circuit(ANGLES[1:]), embedding(), N)
    with pytest.raises(InputError, match="n_copies = 20 copies of each neuron: use 0 to 19"):
        split_network(rotation_circuit(ANGLES), embedding(), 20)


@pytest.mark.parametrize("construction", [balanced_network, split_network])
def test_circuits_that_share_everything_cannot_be_balanced(construction):
    everywhere = np.broadcast_to(np.arange(S, dtype=np.int32), (L, T, S))
    with pytest.raises(InputError, match=r"redundancy = 3 gives .*use at most 2"):
        construction(rotation_circuit(ANGLES), everywhere, S)


def test_a_dense_network_too_large_to_hold_is_refused(monkeypatch):
    monkeypatch.setattr("toymodels.circuits.network.LARGEST_DENSE", 2**16)
    network = capped_network(rotation_circuit(ANGLES), embedding(), N)
    with pytest.raises(InputError, match=r"width 120 and 3 layers takes"):
        dense_network(network)
