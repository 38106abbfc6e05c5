"""Shares of the large network for indicators and vector: sizes, and the post's as one of them."""

import jax
import numpy as np
import pytest

from toymodels.circuits.assignment import transversal
from toymodels.circuits.constructions.storage import Private, Untied
from toymodels.circuits.simulation import rotation_network
from toymodels.errors import InputError

KEY = jax.random.key(5)
SIZES = {"n_circuits": 40, "width": 120, "n_layers": 2, "redundancy": 2, "redundancy_on": 2}


@pytest.mark.parametrize("design", [Private, Untied])
@pytest.mark.parametrize("share_on", [0.5, 0.61])
def test_all_of_the_width_is_given_out_and_the_indicators_have_their_share(design, share_on):
    one = design.create(**SIZES, share_on=share_on)
    network = one.draw(KEY)
    assert network.width == 120
    held = sum(g.n_copies * len(set(g.neurons) - {2, 3}) for g in network.groups)
    assert held == pytest.approx(120 * share_on, abs=2)


def test_half_of_the_neurons_with_shared_copies_is_the_network_of_the_post():
    mine = Private.create(**SIZES).draw(KEY)
    post = rotation_network(
        KEY, n_circuits=40, width=120, redundancy=2, n_layers=2, assignment=transversal
    )
    np.testing.assert_array_equal(mine.groups[0].embedding, post.embedding)
    np.testing.assert_array_equal(mine.circuits.weights, post.circuits.weights)
    assert len(mine.groups) == 1


def test_indicator_and_vector_have_independent_assignments_where_untied():
    vector, indicator = (g.embedding for g in Untied.create(**SIZES).draw(KEY).groups)
    assert all(np.mean(vector[layer] == indicator[layer]) < 0.5 for layer in (0, 1))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"share_on": 0.4}, "0.5 or more"),
        ({"share_on": 1.0}, "between 0 and 1"),
        ({"share_on": 1.2}, "share_on"),
        ({"width": 121}, "even width"),
        ({"share_on": 0.6, "redundancy_on": 30}, "redundancy"),
        ({"n_circuits": 5000}, "n_circuits"),
    ],
)
def test_what_does_not_fit_is_refused(changed, said):
    with pytest.raises(InputError, match=said):
        Private.create(**SIZES | changed)
