"""The asymmetric motif is found where it was built in, and nowhere else."""

import numpy as np
import pytest

from toymodels.errors import InputError
from toymodels.measures.asymmetric import Motif, asymmetric_motifs

# The circuit of Elhage et al. 2022: neuron 0 holds both features, neuron 1 is on with feature 0.
W = np.array([[2.0, -0.5], [1.0, 0.0]])
V = np.array([[0.5, 0.0], [2.0, -4.0]])


def test_the_circuit_of_the_paper_is_one():
    (found,) = asymmetric_motifs(W, V)
    assert found == Motif(0, strong=0, weak=1, inhibitor=1, ratio=4, interference=4, inhibition=-4)


def test_no_rescaling_sign_or_order_of_neurons_and_features_changes_it():
    a = np.array([0.1, 30.0])
    assert asymmetric_motifs(a[:, None] * W, V / a) == asymmetric_motifs(W, V)
    turned = Motif(1, 1, 0, 0, 4, 4, -4)
    assert asymmetric_motifs(W[::-1, ::-1], V[::-1, ::-1]) == [turned]
    flipped = W * [-1, 1]
    with_sign = asymmetric_motifs(flipped, V * [[-1, 1], [1, 1]])
    assert not with_sign  # what is written has another sign than what is read
    assert asymmetric_motifs(np.abs(W), V) == asymmetric_motifs(W * [1, -1], V)


@pytest.mark.parametrize(
    ("entry", "value", "what"),
    [
        (("W", 0, 1), -1.1, "the weights are too much alike"),
        (("V", 0, 0), 0.2, "the stronger feature is not given back"),
        (("V", 1, 0), 3.0, "nor the weaker"),
        (("V", 1, 1), 0.0, "nothing inhibits"),
        (("V", 1, 1), -1.9, "less than half of the interference is undone"),
        (("W", 1, 0), -1.0, "the second neuron is on when the first is off"),
    ],
)
def test_each_part_of_the_rule_is_needed(entry, value, what):
    weights = {"W": W.copy(), "V": V.copy()}
    weights[entry[0]][entry[1:]] = value
    assert not asymmetric_motifs(**weights), what


def test_of_several_neurons_the_strongest_inhibits_and_limits_may_be_others():
    more_W, more_V = np.vstack([W, [3.0, 0.0]]), np.hstack([V, [[0.0], [-1.0]]])
    (found,) = asymmetric_motifs(more_W, more_V)
    assert (found.inhibitor, found.inhibition) == (1, -4)
    assert not asymmetric_motifs(W, V, ratio=4)
    assert not asymmetric_motifs(W, V, cancelled=1.1)
    assert not asymmetric_motifs(W, 1.1 * V, tolerance=0.05)
    assert not asymmetric_motifs(W[:1], V[:, :1])


def test_weights_of_one_layer_belong_together():
    with pytest.raises(InputError, match=r"W has shape \(2, 2\) and V \(2, 1\)"):
        asymmetric_motifs(W, V[:, :1])
