"""Several indicators in each small circuit, on neurons of their own or on the same."""

import jax
import numpy as np
import pytest

from toymodels.circuits.constructions.copies import Copies, Echoes, Merged
from toymodels.errors import InputError

KEY = jax.random.key(2)
SIZES = {"n_circuits": 30, "width": 144, "n_layers": 3, "redundancy": 2}


def errors(design, n_indicators):
    one = design.create(**SIZES, n_indicators=n_indicators)
    return one.simulate(KEY, one.draw(KEY), 1, 30)


def test_two_copies_are_a_larger_share_with_as_many_neurons():
    for a, b in zip(*(jax.tree.leaves(errors(d, 2)) for d in (Copies, Merged)), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("design", [Copies, Merged, Echoes])
@pytest.mark.parametrize("n_indicators", [1, 2, 3])
def test_the_width_is_the_same_and_indicators_have_m_times_as_many_neurons(design, n_indicators):
    network = design.create(**SIZES, n_indicators=n_indicators).draw(KEY)
    assert network.width == 144
    n = 144 // (2 * n_indicators + 2)
    held = sum(g.n_copies * len(set(g.neurons) - {2, 3}) for g in network.groups)
    assert held == 2 * n * n_indicators


def test_copies_on_the_same_neurons_are_one_indicator_in_a_narrower_network():
    """Their mean is each of them: nothing is corrected, and width is spent."""
    narrow = Copies.create(**SIZES | {"width": 96})
    echoes = Echoes.create(**SIZES, n_indicators=2)
    found, expected = (d.simulate(KEY, d.draw(KEY), 1, 30) for d in (echoes, narrow))
    for name in ("mse_x_active", "mse_x_inactive", "mse_on_inactive"):
        np.testing.assert_allclose(
            getattr(found, name), getattr(expected, name), rtol=1e-3, atol=1e-9
        )


def test_a_width_that_does_not_divide_is_refused():
    with pytest.raises(InputError, match="not divisible by d = 8"):
        Copies.create(**SIZES | {"width": 100}, n_indicators=3)
