"""Closed forms against each other, against the simulation, and against enumeration."""

from itertools import combinations

import jax
import numpy as np
import pytest

from toymodels.circuits import theory
from toymodels.circuits.assignment import (
    balanced_overlap,
    overlap_probability,
    prime_steps,
    random_subsets,
    transversal,
)
from toymodels.circuits.examples import draw_embedding
from toymodels.circuits.interference import measure_interference, scalar_circuits
from toymodels.circuits.network import capped_network, dense_weights
from toymodels.circuits.simulation import simulate_rotations
from toymodels.errors import InputError


def test_the_overlap_constant_is_the_balanced_overlap_of_many_circuits():
    t = theory.overlap_constant(557, 250, 6)
    assert t == pytest.approx(1 / 250 - 1 / (6 * 557))
    # The mean of (e·e/S)² is p / S²; the published constant replaces T - 1 by T.
    assert t * 557 / 556 == pytest.approx(balanced_overlap(557, 250, 6) / 36, rel=1e-9)


@pytest.mark.parametrize(
    ("sizes", "n_active", "expected"),
    # Printed in the project's notes from an independent evaluation of the published formula.
    [
        ((300, 400), 1, [0, 0.0011, 0.0023, 0.0034]),
        ((300, 400), 2, [0.0175, 0.0463, 0.0752, 0.104]),
        ((200, 200), 1, [0, 0.0035, 0.0069, 0.0104]),
        ((500, 250), 2, [0.033, 0.133, 0.233, 0.334]),
        ((2000, 500), 4, [0.052, 0.309, 0.567, 0.824]),
    ],
)
def test_published_error_of_active_circuits(sizes, n_active, expected):
    n_circuits, n_copies = sizes
    t = theory.overlap_constant(n_circuits, n_copies, 6)
    found = theory.mse_active(np.arange(1, 5), t, n_circuits, n_active, theory.rotation_strength())
    np.testing.assert_allclose(found, expected, rtol=0.01, atol=6e-5)


def test_published_error_of_inactive_circuits_and_interference():
    t = theory.overlap_constant(1000, 500, 6)
    assert theory.mse_inactive(t, 3) == pytest.approx(3 * t)
    assert theory.interference(500, 250, 6) == pytest.approx(0.0103889, rel=1e-5)
    assert theory.rotation_strength(0.5) == (1, 4.5, 5.5)


@pytest.mark.parametrize("assignment", [prime_steps, transversal])
def test_first_layer_of_one_active_circuit_is_overlap_by_redundancy_squared(assignment):
    held = assignment(300, 250, 5)
    p = overlap_probability(held, 250)
    found = theory.first_layer(held, 250, 1)
    np.testing.assert_allclose(found, [0, p / 25, p / 25], rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("bias", [0.0, 1.0, 2.5])
def test_first_layer_of_two_active_circuits(bias):
    held = prime_steps(300, 250, 5)
    p = overlap_probability(held, 250)
    found = theory.first_layer(held, 250, 2, bias)
    assert found.mse_x_active == pytest.approx((1 + 2 * (1 + bias) ** 2) * p / 25, rel=1e-9)


@pytest.mark.parametrize("n_active", [1, 2, 3, 4])
def test_first_layer_is_the_mean_over_all_sets_of_active_circuits(n_active):
    """Enumerated with the law of a neuron: α = 1, x of j circuits with random directions."""
    held, n, b = prime_steps(7, 16, 3), 16, 0.7
    e = np.zeros((7, n))
    np.put_along_axis(e, held, 1, axis=1)
    active, on, x = [], [], []
    for chosen in combinations(range(7), n_active):
        j = e[list(chosen)].sum(axis=0)
        common = np.where(j > 0, (j - 1) * (1 + b), 0)
        for t in range(7):
            mine = held[t]
            # The vectors add up with random directions: one term of length (copies shared) each.
            sources = [u for u in chosen if u != t]
            shared = np.array([e[u][mine].sum() for u in sources])
            if t in chosen:
                active.append((np.sum(shared**2) + 2 * ((1 + b) * shared.sum()) ** 2) / 9)
            else:
                on.append(np.mean(j[mine] > 0) ** 2)
                x.append((np.sum(shared**2) + 2 * common[mine].sum() ** 2) / 9)
    expected = [np.mean(active), np.mean(x), np.mean(on)]
    found = theory.first_layer(held, n, n_active, b)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("n_active", [1, 2, 5])
def test_first_layer_agrees_with_the_simulation(n_active):
    found = simulate_rotations(
        jax.random.key(2),
        n_circuits=150,
        width=400,
        redundancy=4,
        n_active=n_active,
        n_layers=1,
        n_samples=6000,
        bias=0.5,
    )
    exact = theory.first_layer(prime_steps(150, 100, 4), 100, n_active, 0.5)
    for name, value in exact._asdict().items():
        assert getattr(found, name)[1] == pytest.approx(value, rel=0.04, abs=1e-12), name


def test_first_layer_refuses_what_it_does_not_cover():
    with pytest.raises(InputError, match="more than one neuron"):
        theory.first_layer(random_subsets(300, 50, 6), 50, 1)
    for n_active in (0, 20):
        with pytest.raises(InputError, match="use 1 to 19"):
            theory.first_layer(prime_steps(20, 50, 3), 50, n_active)


@pytest.mark.parametrize(
    ("n_active", "expected"),
    [(1, (0, 1 / 6, 1 / 6)), (2, (0.638, 0.8047, 2 / 6)), (3, (1.276, 1.443, 3 / 6))],
)
def test_first_layer_worst_cases(n_active, expected):
    np.testing.assert_allclose(theory.first_layer_worst(n_active, 6), expected, rtol=5e-4)


def test_expected_density_and_inhibition_are_near_those_of_a_network():
    held = draw_embedding(jax.random.key(0), prime_steps, 557, 250, 6, 3)
    network = capped_network(scalar_circuits(np.zeros(557), 1.0), held, 250)
    q = theory.expected_link_density(557, 250, 6)
    assert q == pytest.approx(0.2745, abs=2e-4)
    np.testing.assert_allclose(network.link_density, q, rtol=0.01)
    ratio = network.inhibition / theory.expected_inhibition(network.link_density, 6)
    assert np.all((ratio > 1.08) & (ratio < 1.18))


@pytest.mark.parametrize(
    ("x", "threshold", "probability"), [(0.0089, 3, 0.21), (0.004, 3, 0.035), (0.002, 2, None)]
)
def test_neurons_switch_on_from_a_whole_number_of_links(x, threshold, probability):
    q = theory.expected_link_density(x * 250**2, 250, 6)
    found = theory.spurious_switching(250, 6, q, 1.12 * theory.expected_inhibition(q, 6))
    assert found.threshold == threshold
    if probability is not None:
        assert found.probability == pytest.approx(probability, rel=0.02)


def test_noise_of_switched_neurons_grows_with_the_square_root_of_the_width():
    copies = np.array([250, 500, 1000])
    q = theory.expected_link_density(0.004 * copies**2, copies, 6)
    found = theory.spurious_switching(copies, 6, q, 1.12 * theory.expected_inhibition(q, 6))
    np.testing.assert_allclose(np.sqrt(found.noise_variance), [0.078, 0.110, 0.155], rtol=0.01)


def test_the_mean_field_is_what_a_random_network_does():
    """Draw the links of one unused neuron, and of a reader of N such neurons, by hand."""
    rng, q, chi, gain, S, N = np.random.default_rng(0), 0.2, 0.05, 3.0, 5, 20_000
    links = rng.random((200_000, S)) < q
    heard = np.where(links, 1 / S, -chi).sum(axis=1)
    on = np.clip(gain * heard - (gain - 1) / 2, 0, 1)
    found = theory.spurious_switching(N, S, q, chi, gain)
    assert found.probability == pytest.approx(np.mean(on > 0), rel=0.05)
    assert found.on_squared == pytest.approx(np.mean(on**2), rel=0.05)
    assert np.min(links.sum(axis=1)[on > 0]) == found.threshold
    weights = np.where(rng.random((1000, N)) < q, 1 / S, -chi)
    noise = weights @ on[:N]  # of one set of neurons, heard by many
    assert noise.var() == pytest.approx(float(found.noise_variance), rel=0.15)


@pytest.mark.parametrize(("own", "shared"), [(0, 1.0), (1, 0.0), (1, 1.0)])
def test_interference_is_the_formula_written_out(own, shared):
    held = draw_embedding(jax.random.key(1), prime_steps, 50, 30, 3, 2)
    own = own * np.random.default_rng(0).choice([-1, 1], 50)
    network = capped_network(scalar_circuits(own, shared), held, 30)
    e = np.zeros((2, 50, 30))
    for layer in range(2):
        np.put_along_axis(e[layer], held[layer], 1, axis=1)
    heard = e[1] @ dense_weights(network, 2).astype(float) @ e[0].T / 3
    heard -= (e[0] @ e[0].T / 3) * (own + shared)[:, None]
    pairs = np.triu(np.ones((50, 50), bool), 1)
    assert measure_interference(network) == pytest.approx(np.mean(heard[pairs] ** 2), rel=1e-4)
