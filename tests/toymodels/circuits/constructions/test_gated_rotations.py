"""Gated networks: with nothing ruled out those of the post, bit for bit."""

import dataclasses

import jax
import numpy as np
import pytest

from toymodels.circuits.constructions.gated_rotations import GatedRotations
from toymodels.circuits.gates import WeightGate
from toymodels.circuits.simulation import simulate_rotations
from toymodels.errors import InputError

KEY = jax.random.key(2)
SIZES = {"n_circuits": 40, "width": 120, "redundancy": 3, "n_layers": 3}


def test_keeping_all_circuits_is_the_simulation_of_the_post():
    made = GatedRotations.create(**SIZES, share_kept=1.0)
    found = made.simulate(KEY, made.draw(KEY), 2, 50)
    plain = simulate_rotations(KEY, **SIZES, n_active=2, n_samples=50)
    for field in dataclasses.fields(plain):
        np.testing.assert_array_equal(getattr(found, field.name), getattr(plain, field.name))


def test_smaller_shares_keep_some_of_the_same_circuits():
    kept = [set(GatedRotations.create(**SIZES, share_kept=s).draw(KEY).kept) for s in (0.2, 0.5)]
    assert [len(each) for each in kept] == [8, 20]
    assert kept[0] < kept[1]


def test_a_gate_on_weights_errs_less():
    made = [
        GatedRotations.create(**SIZES, share_kept=0.2, **given)
        for given in ({}, {"gate": WeightGate.create()})
    ]
    plain, gated = (m.simulate(KEY, m.draw(KEY), 1, 80).mse_x_active for m in made)
    assert gated[-1] < 0.3 * plain[-1]


def test_more_active_than_kept_is_refused():
    made = GatedRotations.create(**SIZES, share_kept=0.05)
    with pytest.raises(InputError, match=r"n_active = 3 .* share_kept = 0\.05 of .* keeps 2"):
        made.simulate(KEY, made.draw(KEY), 3, 10)
    with pytest.raises(InputError, match="share_kept"):
        GatedRotations.create(**SIZES, share_kept=1.5)
