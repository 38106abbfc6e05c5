"""Error correction in numbers: copies, a larger share, their null, and a wider dead zone."""

import jax
import numpy as np
import pytest

from toymodels.circuits.constructions.copies import Copies, Echoes, Merged

pytestmark = pytest.mark.claims

SIZES = {"n_circuits": 360, "width": 960, "n_layers": 5, "redundancy": 2}


def errors(design, n_active=1, seeds=5, **sizes):
    """Return the logarithm of `mse_x_active` in the last layer, one for each network."""
    one, found = design.create(**SIZES | sizes), []
    for seed in range(seeds):
        key = jax.random.key(seed)
        found.append(one.simulate(key, one.draw(key), n_active, 360).mse_x_active[-1])
    return np.log(found)


@pytest.mark.parametrize("n_indicators", [3, 4])
def test_copies_err_as_a_larger_share_does(n_indicators):
    copies = errors(Copies, n_indicators=n_indicators)
    share = errors(Merged, n_indicators=n_indicators)
    assert abs(np.mean(copies - share)) < np.log(1.3)


def test_copies_on_the_same_neurons_correct_nothing():
    apart, same = (errors(design, n_indicators=2) for design in (Copies, Echoes))
    assert np.all(same > apart + np.log(3))


def test_two_indicators_help_where_one_circuit_is_active_and_not_where_two_are():
    one, two = errors(Copies, redundancy=3), errors(Copies, n_indicators=2)
    assert np.all(two < one)
    one, two = (errors(Copies, n_active=2, n_indicators=m, n_circuits=150) for m in (1, 2))
    assert np.mean(two) > np.mean(one)


def test_a_wider_dead_zone_costs_no_neuron_and_helps_more():
    post = errors(Copies, redundancy=3)
    wide = errors(Copies, redundancy=3, dead_zone=0.4)
    copies = errors(Copies, n_indicators=2)
    assert np.all(wide < post - np.log(2))
    assert np.mean(wide) < np.mean(copies)
