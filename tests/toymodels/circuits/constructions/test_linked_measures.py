"""What circuits should hold by logic alone, and what the small circuits make of it."""

import jax
import numpy as np
import pytest

from toymodels.circuits import transversal
from toymodels.circuits.constructions.linked_rotations import LinkedRotations

KEY = jax.random.key(3)
SIZES = {"n_circuits": 30, "width": 120, "redundancy": 3, "assignment": transversal}


def measured(n_active=1, n_samples=60, **how):
    made = LinkedRotations.create(**{**SIZES, "n_layers": 3, **how})
    return made.simulate(KEY, made.draw(KEY), n_active, n_samples)


@pytest.mark.parametrize("graph", ["routed", "merging", "feeding", "elsewhere", "starting"])
def test_small_circuits_alone_hand_over_without_error(graph):
    twice = graph == "starting"
    found = measured(graph=graph, in_degree=2, n_layers=2 if twice else 3)
    np.testing.assert_allclose(found.mse_x_alone, 0, atol=1e-9)
    np.testing.assert_allclose(found.active, [1, 1, 2] if twice else 1)
    assert found.connections[2] == 30 * (1 if graph in ("routed", "merging") else 2)


def test_gates_switch_as_they_should_and_or_of_two_vectors_fails_in_the_small_circuit_itself():
    both, either = (measured(graph=g, n_active=2, n_layers=2) for g in ("both", "either"))
    assert both.active[2] == 1 and 2.8 < either.active[2] <= 3
    assert both.mse_x_alone[2] < 1e-9
    # One of three is started twice: its vector stands (1 + b) = 2 too high in both components.
    assert either.mse_x_alone[2] > 2
    one = measured(graph="both", n_layers=2)
    assert one.active[2] == 0 and np.isnan(one.mse_x_active[2]) and np.isnan(one.dropped[2])
