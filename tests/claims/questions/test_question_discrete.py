"""How long discrete and continuous vectors last in networks that are run, and what holds them."""

import functools

import jax
import numpy as np
import pytest

from toymodels.circuits.constructions.discrete_rotations import DiscreteRotations
from toymodels.circuits.discrete import sign_circuit, switch

pytestmark = pytest.mark.claims

N_LAYERS = 32
WAYS = {
    "continuous": {"n_values": 0},
    "four values": {"n_values": 4},
    "indicators": {"n_values": 0, "clean_every": 1, "cleaning": switch},
    "cleaned": {"n_values": 4, "clean_every": 1},
    "every second": {"n_values": 4, "clean_every": 2},
    "eight values": {"n_values": 8, "clean_every": 1},
    "signs": {"n_values": 4, "small_circuit": sign_circuit},
}


@functools.cache
def error(name, n_circuits):
    """Error of x by layer `[33]`, two circuits active; mean of three networks."""
    sizes = {"n_circuits": n_circuits, "width": 996, "redundancy": 4, "n_layers": N_LAYERS}
    made, runs = DiscreteRotations.create(**sizes, **WAYS[name]), []
    for seed in range(3):
        key = jax.random.key(seed)
        runs.append(made.simulate(key, made.draw(key), 2, 200).mse_x_active)
    return np.mean(runs, axis=0)


def growth(name, n_circuits):
    """Growth of the error by layer, from layer 2 on."""
    return np.polyfit(np.arange(2, N_LAYERS + 1), error(name, n_circuits)[2:], 1)[0]


@pytest.mark.parametrize("n_circuits", [75, 400])
def test_continuous_errors_add_up_even_with_ideal_indicators(n_circuits):
    """At 75 circuits, which fit side by side, and at 400, of which 249 do."""
    assert error("continuous", n_circuits)[-1] > 0.2
    assert growth("indicators", n_circuits) > 0.004


def test_few_values_alone_put_nothing_right():
    assert growth("four values", 75) == pytest.approx(growth("continuous", 75), rel=0.25)


@pytest.mark.parametrize("n_circuits", [75, 400])
def test_four_values_cleaned_in_every_layer_stay_as_after_one(n_circuits):
    assert abs(growth("cleaned", n_circuits)) < 0.001
    assert error("cleaned", n_circuits)[1:].max() < 0.15


def test_circuits_that_clean_their_own_signs_hold_at_light_load_only():
    """At 75 circuits flat below 0.01; at 150 their copies are too few: indicators are lost."""
    assert abs(growth("signs", 75)) < 3e-4
    assert error("signs", 75).max() < 0.02
    assert error("signs", 150)[4] < error("continuous", 150)[4] / 4
    assert error("signs", 150)[-1] > 0.5


def test_cleaning_every_second_layer_or_eight_values_is_not_enough_at_150_circuits():
    """One layer moves x by more than π/8, and spurious circuits that pass 1/2 are written anew."""
    for name in ("every second", "eight values"):
        assert growth(name, 150) > 0.01
    assert abs(growth("every second", 75)) < 0.002
