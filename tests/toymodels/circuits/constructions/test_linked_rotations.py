"""Rotation circuits that lead to each other: what is intended, what small circuits do, errors."""

import jax
import numpy as np
import pytest

from toymodels.circuits import simulate_rotations, transversal
from toymodels.circuits.constructions.linked_rotations import (
    CUT,
    LinkedRotations,
    expected_error,
)
from toymodels.circuits.theory import mse_active, overlap_constant, rotation_strength
from toymodels.errors import InputError
from toymodels.fields import fields_of

KEY = jax.random.key(3)
SIZES = {"n_circuits": 30, "width": 120, "redundancy": 3, "assignment": transversal}


def measured(n_active=1, n_samples=60, **how):
    made = LinkedRotations.create(**{**SIZES, "n_layers": 3, **how})
    return made.simulate(KEY, made.draw(KEY), n_active, n_samples)


def test_circuits_that_keep_to_themselves_err_like_those_of_the_post():
    """Other angles and examples, the same assignment: the same up to chance, exact in layer 1."""
    own = measured(graph="own", n_samples=600)
    post = simulate_rotations(KEY, **SIZES, n_active=1, n_layers=3, n_samples=600)
    np.testing.assert_allclose(own.overlap_probability, post.overlap_probability)
    np.testing.assert_allclose(own.mse_on_inactive[:2], post.mse_on_inactive[:2], rtol=1e-5)
    np.testing.assert_allclose(own.mse_x_active[2], post.mse_x_active[2], rtol=0.3)
    np.testing.assert_allclose(own.link_density, post.link_density, rtol=0.05)


def test_expected_error_is_the_published_one_with_one_connection_a_circuit():
    t = overlap_constant(500, 250, 6)
    published = mse_active([1, 2, 4], t, 500, 1, rotation_strength())
    np.testing.assert_allclose(expected_error([1, 2, 4], t, 500), published)
    with pytest.raises(InputError, match="connections"):
        expected_error(2, t, 0)


def test_the_share_that_the_cut_leaves_is_its_integral():
    held, fed = np.meshgrid(*2 * [np.cos(np.linspace(0, 2 * np.pi, 400, endpoint=False))])
    kept = np.mean((np.maximum(held + fed, -1) - held) ** 2) / np.mean(fed**2)
    np.testing.assert_allclose(CUT, kept, atol=5e-4)
    t = 0.01
    more = expected_error(3, t, 100, [1, 2, 1], [1, 1, 2]) - expected_error(3, t, 100)
    np.testing.assert_allclose(more, [0, 2 * t, 2 * CUT * t])


def test_a_network_without_connections_has_its_input_layer_alone():
    found = measured(n_layers=1)
    assert fields_of(found)["mse_x_active"].dims == ("layer",)
    np.testing.assert_allclose(found.mse_x_active, 0, atol=1e-9)
