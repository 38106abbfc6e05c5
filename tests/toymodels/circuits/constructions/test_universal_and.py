"""The universal AND: exact cases, mean errors, superposed inputs, and the width it takes."""

import jax
import numpy as np
import pytest

from toymodels.circuits.constructions.universal_and import (
    basis_aligned,
    expected_and_bias,
    expected_noise,
    measure_and,
    neurons,
    neurons_needed,
    read_and,
    universal_and,
)
from toymodels.errors import InputError

KEY = jax.random.key(0)


def gate(m=60, n=80, s=20, r=0):
    return universal_and(KEY, m, n, s, r)


def on(m, *rows):
    features = np.zeros((m, len(rows)), np.float32)
    for i, row in enumerate(rows):
        features[list(row), i] = 1
    return features


def test_a_neuron_gives_one_less_than_its_features_that_are_on():
    layer, sets = gate(), [(), (3,), (3, 7), (3, 7, 20, 41)]
    wired = np.array([[np.sum(layer.wires[list(s)] == i) for s in sets] for i in range(80)])
    np.testing.assert_array_equal(neurons(layer, on(60, *sets)), np.maximum(wired - 1, 0))


def test_two_features_on_their_and_is_exactly_one():
    layer = gate()
    activations = neurons(layer, on(60, (3, 7)))
    read = read_and(layer, activations, np.array([[3, 7]]), np.array([[7, 3]]))
    np.testing.assert_array_equal(read, [[1, 1]])


def test_wired_everywhere_all_ands_are_the_count():
    layer = gate(m=10, n=6, s=6)
    found = measure_and(KEY, layer, n_active=4, n_samples=20)
    np.testing.assert_allclose(found.bias, [3, 3, 2])  # k - 1 = 3 for whomever asks
    np.testing.assert_allclose(found.worst, [3, 3, 2])
    assert found.unread == 0


def test_pairs_that_share_no_neuron_are_counted_and_left_out():
    layer = gate(m=60, n=80, s=3)
    found = measure_and(KEY, layer, n_active=2, n_samples=400)
    share = (77 * 76 * 75) / (80 * 79 * 78)  # no common one in two random threes of 80
    assert found.unread == pytest.approx(share, abs=0.03)
    assert found.mse[2] == 0


@pytest.mark.parametrize("n_active", [2, 3, 5])
def test_mean_errors_are_those_of_independent_wires(n_active):
    layer = gate(m=300, n=400, s=60)
    found = measure_and(KEY, layer, n_active=n_active, n_samples=800)
    expected = expected_and_bias(n_active, 60 / 400)
    np.testing.assert_allclose(found.bias, expected, rtol=0.08, atol=1e-6)


def test_superposed_inputs_add_the_expected_noise():
    m, n, s, r, z = 400, 300, 40, 250, 3
    layer, aligned = gate(m, n, s, r), gate(m, n, s, 0)
    np.testing.assert_allclose(np.linalg.norm(layer.directions, axis=0), 1, atol=1e-5)
    rng = np.random.default_rng(0)
    features = on(m, *(rng.choice(m, z, replace=False) for _ in range(400)))
    wires = np.zeros((n, m))
    np.put_along_axis(wires.T, layer.wires, 1, axis=1)
    seen = layer.directions.T @ (layer.directions @ features)
    noise = wires @ (seen - features)
    assert noise.var() == pytest.approx(expected_noise(m, n, s, r, z), rel=0.05)
    np.testing.assert_allclose(neurons(layer, features), np.maximum(wires @ seen - 1, 0), atol=1e-4)
    np.testing.assert_array_equal(layer.wires, aligned.wires)


def test_a_wider_layer_errs_less_and_sparser_inputs_err_less():
    wide, narrow = gate(100, 900, 120), gate(100, 225, 60)
    for z in (2, 4):
        found = [measure_and(KEY, g, n_active=z, n_samples=100).mse for g in (wide, narrow)]
        assert np.all(found[0] <= found[1])
    sparse, dense = (measure_and(KEY, wide, n_active=z, n_samples=100).mse for z in (2, 5))
    assert np.all(sparse < dense)


def test_neurons_needed_are_enough_and_not_many_more():
    wanted = {"n_active": 2, "n_samples": 60, "dimensions": basis_aligned}
    few = neurons_needed(KEY, 64, largest_rms=0.5, **wanted)
    many = neurons_needed(KEY, 64, largest_rms=0.25, **wanted)
    assert 16 < few < many < 512
    layer = universal_and(KEY, 64, many, round((16 * many) ** 0.5))
    found = measure_and(KEY, layer, n_active=2, n_samples=60)
    assert np.max(found.mse) <= 0.25**2


def test_what_the_universal_and_cannot_do_is_refused():
    for z in (1, 59):
        with pytest.raises(InputError, match="use 2 to 58"):
            measure_and(KEY, gate(), n_active=z, n_samples=3)
    with pytest.raises(InputError, match="n_samples = 0"):
        measure_and(KEY, gate(), n_active=2, n_samples=0)
    with pytest.raises(InputError, match="not reached with 128 neurons"):
        neurons_needed(KEY, 16, n_active=8, largest_rms=1e-3, n_samples=5)
    with pytest.raises(InputError, match="use 1 to 80"):
        gate(s=81)
