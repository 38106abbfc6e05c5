"""Circuits that a softmax calls, against the step of one circuit alone."""

import jax
import numpy as np
import pytest

from toymodels.circuits.constructions.attended_rotations import AttendedRotations
from toymodels.errors import InputError

KEY = jax.random.key(4)
SIZES = {"n_circuits": 30, "width": 120, "redundancy": 3, "n_layers": 3}


def run(n_active=1, **given):
    made = AttendedRotations.create(**SIZES, **given)
    return made.simulate(KEY, made.draw(KEY), n_active, 200)


def evidence(made, n_active=1):
    """The called circuits' evidence `[n, z]`, and all evidence."""
    blocks = list(made.draw_inputs(KEY, made.draw(KEY), n_active, 200))
    decode = np.array([1, -1, 0, 0])
    every = np.concatenate([block.states @ decode for block in blocks])
    return every[:, :n_active], every


def test_alone_a_circuit_survives_exactly_where_its_evidence_exceeds_one_half():
    """The step keeps the side of 1/2 in every layer; the network's input is that evidence."""
    made = AttendedRotations.create(**SIZES, n_tokens=6, temperature=2.5)
    called, every = evidence(made)
    found = made.simulate(KEY, made.draw(KEY), 1, 200)
    share = np.mean(called > 0.5)
    assert 0.1 < share < 0.9
    np.testing.assert_allclose(found.survived_alone, share)
    np.testing.assert_allclose(found.survived[0], share)
    np.testing.assert_allclose(found.spurious_alone, np.mean((every[:, 1:] > 0.5).sum(1)) / 29)


def test_weights_of_a_head_sum_to_one():
    made = AttendedRotations.create(**SIZES, n_tokens=7, n_calling=3, temperature=0.7)
    _, every = evidence(made, 2)
    assert every.shape == (200, 2 * made.n_named)
    np.testing.assert_allclose(every.sum(axis=1), 2, atol=1e-4)


def test_broad_attention_counts_the_tokens_that_agree():
    """Evidence is n_calling / n: 4 of 6 pass, 2 of 6 do not."""
    assert run(n_tokens=6, n_calling=4, temperature=1e6).survived_alone.all()
    assert not run(n_tokens=6, n_calling=2, temperature=1e6).survived_alone.any()


def test_one_token_switches_its_circuit_on_whatever_the_temperature():
    found = run(n_tokens=1, temperature=50.0)
    assert found.survived[0] == found.survived_alone[-1] == found.survived[1] == 1
    assert not found.spurious_alone.any()


def test_more_calls_than_circuits_are_refused():
    made = AttendedRotations.create(**SIZES, n_tokens=20)
    with pytest.raises(InputError, match=r"n_active = 2 heads .* n_tokens = 20 .* n_circuits = 30"):
        made.simulate(KEY, made.draw(KEY), 2, 10)
    with pytest.raises(InputError, match="n_calling"):
        run(n_tokens=3, n_calling=4)
    with pytest.raises(InputError, match="temperature"):
        run(temperature=0.0)
