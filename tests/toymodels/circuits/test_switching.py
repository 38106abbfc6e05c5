"""The mean field of neurons that switch on, against the simulation and what was measured."""

import json

import jax
import numpy as np
import pytest
from builders import DATA

from toymodels.circuits.simulation import simulate_rotations
from toymodels.circuits.switching import Links, share_on, switching_points
from toymodels.circuits.theory import spurious_switching

REFERENCE = json.loads((DATA / "circuits_reference.json").read_text())


def test_mean_field_of_one_active_circuit_is_the_known_one():
    links = Links(n_copies=250, redundancy=6, density=0.2757, inhibition=0.0720)
    known = spurious_switching(250, 6, 0.2757, 0.0720)
    found = share_on(links, 1)
    u = 6 / 250
    np.testing.assert_allclose(found[0], u)
    assert found[1, 0] == pytest.approx(u + (1 - u) * float(known.probability))
    np.testing.assert_allclose(switching_points(2, 1), [0.25, 0.75, 0.5, 0.5])


def test_mean_field_is_near_the_measured_shares():
    """Layer 2 within 10 % in every block, layer 3 within 25 %, where noise feeds on itself."""
    found = share_on(Links(n_copies=250, redundancy=6, density=0.2757, inhibition=0.0720), 1)
    measured = np.array(REFERENCE["fraction_on_z1"]["value"])
    np.testing.assert_allclose(found[1], measured[1], rtol=0.1)
    np.testing.assert_allclose(found[2], measured[2], rtol=0.25)


def test_mean_field_of_two_active_circuits_follows_the_simulation():
    sizes = {"n_circuits": 557, "width": 1000, "redundancy": 6, "n_layers": 2}
    run = simulate_rotations(jax.random.key(0), **sizes, n_active=2, n_samples=557)
    links = Links(250, 6, float(run.link_density[2]), float(run.inhibition_strength[2]))
    found, measured = share_on(links, 2), run.fraction_on[1:]
    np.testing.assert_allclose(found[0], measured[0], rtol=0.01)
    np.testing.assert_allclose(found[1], measured[1], rtol=0.2)
    assert found[1, 0] == pytest.approx(measured[1, 0], rel=0.05)
