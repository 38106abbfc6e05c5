"""Rotations of m values: without clean-up those of the post, with one exact where it must be."""

import jax
import numpy as np
import pytest

from toymodels.circuits.constructions.discrete_rotations import DiscreteRotations
from toymodels.circuits.discrete import sign_circuit, switch
from toymodels.circuits.simulation import simulate_rotations
from toymodels.errors import InputError

KEY = jax.random.key(1)
SIZES = {"n_circuits": 24, "width": 120, "redundancy": 3, "n_layers": 6}


def errors(n_active=1, **given):
    made = DiscreteRotations.create(**SIZES | given)
    return made.simulate(KEY, made.draw(KEY), n_active, 60)


def test_any_angle_without_clean_up_is_the_simulation_of_the_post():
    plain = simulate_rotations(KEY, **SIZES, n_active=2, n_samples=60)
    found = errors(2, n_values=0)
    np.testing.assert_allclose(found.mse_x_active[:4], plain.mse_x_active[:4], rtol=1e-3, atol=1e-9)
    np.testing.assert_array_equal(found.overlap_probability, plain.overlap_probability)


def test_one_circuit_at_a_time_cleaned_in_every_layer_is_exact():
    """The next layer holds what the circuit sends and nothing else; without, it errs."""
    assert errors(n_values=4).mse_x_active[-1] > 0.1
    for given in ({"n_values": 4}, {"n_values": 0, "cleaning": switch}):
        found = errors(clean_every=1, **given)
        assert np.max(found.mse_x_active) < 1e-9
        assert not found.spurious.any()


def test_a_layer_after_a_clean_up_is_exact_again_where_nothing_is_mistaken():
    given = {"n_values": 4, "n_circuits": 16}
    rare, never = errors(clean_every=2, **given), errors(**given)
    np.testing.assert_array_equal(rare.mse_x_active[:3], never.mse_x_active[:3])
    assert rare.mse_x_active[3] < 1e-9 < 1e-3 < never.mse_x_active[3]


def test_sign_circuits_take_six_neurons():
    made = DiscreteRotations.create(**SIZES, small_circuit=sign_circuit)
    network = made.draw(KEY)
    assert (network.width, network.n_copies) == (120, 20)
    assert made.sizes() != DiscreteRotations.create(**SIZES).sizes()
    with pytest.raises(InputError, match=r"n_values = 8: .* tell 4 values"):
        DiscreteRotations.create(**SIZES, n_values=8, small_circuit=sign_circuit)
    with pytest.raises(InputError, match="width = 100 is not divisible by d = 6"):
        DiscreteRotations.create(**SIZES | {"width": 100}, small_circuit=sign_circuit)
    with pytest.raises(InputError, match="clean_every"):
        DiscreteRotations.create(**SIZES, clean_every=-1)
