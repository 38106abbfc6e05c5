"""Groups of small neurons: the post's network where there is one, and weights written out."""

import jax
import numpy as np
import pytest

from toymodels.circuits.assignment import transversal
from toymodels.circuits.base import Inputs
from toymodels.circuits.constructions.grouped import (
    Group,
    grouped_network,
    run_grouped,
    simulate_grouped,
)
from toymodels.circuits.examples import draw_embedding
from toymodels.circuits.network import capped_network, inhibition_over_all_pairs
from toymodels.circuits.simulation import simulate_network
from toymodels.circuits.small_circuits import active_rotations, rotation_circuit
from toymodels.errors import InputError

T, L = 40, 3
KEY = jax.random.key(1)
CIRCUITS = rotation_circuit(np.random.default_rng(0).uniform(0, 2 * np.pi, T))


def embedding(n_copies, redundancy, key=KEY):
    return draw_embedding(key, transversal, T, n_copies, redundancy, L)


@pytest.mark.parametrize("groups", [[(0, 1, 2, 3)], [(3, 1), (0,), (2,)]])
def test_groups_that_share_everything_are_the_network_of_the_post(groups):
    held = embedding(30, 3)
    apart = grouped_network(CIRCUITS, [Group(held, own, 30) for own in groups], 1.3)
    whole = capped_network(CIRCUITS, held, 30, 1.3, inhibition_over_all_pairs)
    found = simulate_grouped(KEY, apart, active_rotations, n_active=2, n_samples=60)
    expected = simulate_network(KEY, whole, n_active=2, n_samples=60)
    assert apart.width == whole.width
    for name in ("mse_x_active", "mse_x_inactive", "mse_on_active", "mse_on_inactive", "spurious"):
        np.testing.assert_allclose(
            getattr(found, name), getattr(expected, name), rtol=1e-4, atol=1e-9, err_msg=name
        )


def vectors(held, n_copies):
    e = np.zeros((T, n_copies))
    np.put_along_axis(e, held, 1, axis=1)
    return e


def weights_written_out(groups, layer):
    """W between two layers by groups, each `[d_h, N_h, d_g, N_g]`, as one reads the formula."""
    shared = CIRCUITS.shared[0] @ CIRCUITS.decode
    own = (CIRCUITS.weights[:, 0] - CIRCUITS.shared[0]) @ CIRCUITS.decode
    blocks = []
    for into in groups:
        e, blocks_of = vectors(into.embedding[layer], into.n_copies), []
        for source in groups:
            u = vectors(source.embedding[layer - 1], source.n_copies)
            S = source.embedding.shape[2]
            linked = (e.T @ u) > 0
            pairs = ~np.eye(T, dtype=bool)
            heard = (e @ linked @ u.T)[pairs].sum()  # pairs of neurons of two circuits, linked
            total = pairs.sum() * S * into.embedding.shape[2]
            background = np.where(linked, 1 / S, -heard / (total - heard) / S)
            np.testing.assert_allclose((e @ background @ u.T)[pairs].mean(), 0, atol=1e-9)
            of = np.ix_(into.neurons, source.neurons)
            W = np.einsum("ij,nm->injm", shared[of], background)
            each = own[:, into.neurons][:, :, source.neurons]
            blocks_of.append(W + np.einsum("tij,tn,tm->injm", each, e, u) / S)
        blocks.append(blocks_of)
    return blocks


def test_layers_are_those_of_the_weights_written_out():
    groups = [Group(embedding(30, 3), (2, 3), 30)]
    groups.append(Group(embedding(42, 2, jax.random.key(7)), (0, 1), 42))
    rng = np.random.default_rng(3)
    inputs = Inputs(np.array([[1, 5], [7, 2]]), active_rotations(rng, (2, 2)))
    layers = list(run_grouped(grouped_network(CIRCUITS, groups), inputs))
    for b, (active, states) in enumerate(zip(*inputs, strict=True)):
        pre = []
        for g in groups:
            pushed = np.einsum("zij,zj->zi", CIRCUITS.weights[active, 0] @ CIRCUITS.decode, states)
            e = vectors(g.embedding[0], g.n_copies)[active]
            pre.append(np.einsum("zi,zn->in", pushed[:, g.neurons], e))
        for layer in range(L):
            bias = [CIRCUITS.bias[0][list(g.neurons), None] for g in groups]
            A = [np.maximum(p + beta, 0) for p, beta in zip(pre, bias, strict=True)]
            state = np.zeros((T, 4))
            for g, of_group in zip(groups, A, strict=True):
                e = vectors(g.embedding[layer], g.n_copies)
                state[:, list(g.neurons)] = e @ of_group.T / g.embedding.shape[2]
            read = state @ CIRCUITS.decode.T
            np.testing.assert_allclose(layers[layer][:, :, b], read, atol=1e-4)
            if layer + 1 < L:
                W = weights_written_out(groups, layer + 1)
                pre = [
                    sum(np.einsum("injm,jm->in", w, a) for w, a in zip(row, A, strict=True))
                    for row in W
                ]


def test_groups_that_do_not_fit_are_refused():
    held = embedding(30, 3)
    with pytest.raises(InputError, match="each of the neurons 0 to 3"):
        grouped_network(CIRCUITS, [Group(held, (0, 1, 2), 30)])
    with pytest.raises(InputError, match="layers"):
        grouped_network(CIRCUITS, [Group(held, (0, 1), 30), Group(held[1:], (2, 3), 30)])
    with pytest.raises(InputError, match="copies"):
        grouped_network(CIRCUITS, [Group(held, (0, 1, 2, 3), 20)])
