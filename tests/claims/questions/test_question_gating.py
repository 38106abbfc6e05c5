"""What gates on neurons save, and which circuits attention switches on, on networks that are run.

Against the network of the kept circuits alone: the prediction is a load x T_eff / T.
"""

import functools

import jax
import numpy as np
import pytest

from toymodels.circuits.constructions.attended_rotations import AttendedRotations
from toymodels.circuits.constructions.gated_rotations import GatedRotations
from toymodels.circuits.gates import BlindGate, ExclusiveGate, NoGate, ShareGate, WeightGate

pytestmark = pytest.mark.claims

SIZES = {"n_circuits": 400, "width": 1000, "redundancy": 4}
GATES = {
    "none": NoGate(),
    "exclusive": ExclusiveGate.create(gate_strength=100.0),
    "by_share": ShareGate.create(),
    "blind": BlindGate.create(),
    "without": WeightGate.create(),
    "from_3": WeightGate.create(gate_from=3),
    "from_5": WeightGate.create(gate_from=5),
}


@functools.cache
def errors(name):
    """Error of x in layers 0 to 5, `[6]`, with a quarter of the circuits kept; four networks."""
    runs = []
    for seed in range(4):
        key = jax.random.key(seed)
        made = GatedRotations.create(**SIZES, share_kept=0.25, gate=GATES[name])
        runs.append(made.simulate(key, made.draw(key), 1, 200).mse_x_active)
    return np.exp(np.mean(np.log(np.maximum(runs, 1e-9)), axis=0))


def test_gates_on_neurons_fall_short_of_a_network_without_the_others():
    """Measured on eight networks: 16 times and 4.2 times its error in layer 5."""
    assert errors("without")[5] < errors("none")[5] / 10
    assert errors("exclusive")[5] / errors("without")[5] > 8
    assert 2.5 < errors("by_share")[5] / errors("without")[5] < 6


def test_what_a_gate_knows_of_circuits_is_worth_nothing_beside_its_inhibition():
    """Shares of ruled-out circuits against the same inhibition of all indicators: a raised step."""
    assert errors("by_share")[5] / errors("blind")[5] == pytest.approx(1.06, abs=0.1)


def test_no_gate_on_neurons_reaches_the_error_that_layer_2_starts_with():
    """It is of ruled-out circuits' own weights, read from layer 1."""
    for name in ("exclusive", "by_share", "from_3"):
        assert errors(name)[2] == pytest.approx(errors("none")[2], rel=0.01)
    assert errors("without")[2] < errors("none")[2] / 3


def test_a_gate_must_come_before_layer_2():
    """From layer 3 on it errs 2.9 times as much, in layer 5 alone 16 times."""
    assert 2 < errors("from_3")[5] / errors("without")[5] < 4
    assert errors("from_5")[5] / errors("without")[5] > 8


def attended(**given):
    key = jax.random.key(0)
    made = AttendedRotations.create(**SIZES, **given)
    return made.simulate(key, made.draw(key), 1, 400)


def test_called_circuits_survive_where_their_evidence_alone_does():
    for n_tokens, temperature in ((3, 4.5), (10, 1.4), (50, 0.65)):
        found = attended(n_tokens=n_tokens, temperature=temperature)
        alone = found.survived_alone[-1]
        assert 0.6 < alone < 0.9
        np.testing.assert_allclose(found.survived, alone, atol=0.03)


def test_broad_attention_ends_in_the_dead_zone_unless_its_tokens_agree():
    broad = attended(n_tokens=50, temperature=7.0)
    assert not broad.survived.any()
    assert not broad.spurious.any()
    agreeing = attended(n_tokens=50, n_calling=30, temperature=7.0)
    assert agreeing.survived.all()
