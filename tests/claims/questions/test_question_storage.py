"""Storage of indicators and vector in numbers: values measured apart, and what the figure says.

Reference: a separate implementation (T = 400, D = 1000, layer 5, best of a few redundancies): 0.186
and 0.699 for z = 1 and 2 at an equal split, 0.179 and 0.706 at a share of 0.6.
"""

import jax
import numpy as np
import pytest

from toymodels.circuits.assignment import overlap_probability
from toymodels.circuits.constructions.storage import Private, Untied

pytestmark = pytest.mark.claims

SIZES = {"n_circuits": 400, "width": 1000, "n_layers": 5}


def errors(design, n_active, seeds=4, n_samples=400, **sizes):
    """Return `mse_x_active` by layer, mean over networks."""
    one, found = design.create(**SIZES | sizes), []
    for seed in range(seeds):
        key = jax.random.key(seed)
        found.append(one.simulate(key, one.draw(key), n_active, n_samples).mse_x_active)
    return np.mean(found, axis=0)


@pytest.mark.parametrize(
    ("share_on", "best", "n_active", "reference"),
    [
        (0.4, (3, 4), 1, 0.46),
        (0.5, (3, 5), 1, 0.186),
        (0.6, (3, 5), 1, 0.179),
        (0.7, (3, 5), 1, 0.214),
        (0.5, (3, 4), 2, 0.699),
        (0.6, (3, 5), 2, 0.706),
    ],
)
def test_errors_of_untied_networks_are_those_measured_apart(share_on, best, n_active, reference):
    vector, indicator = best
    found = errors(Untied, n_active, share_on=share_on, redundancy=vector, redundancy_on=indicator)
    assert found[-1] == pytest.approx(reference, rel=0.15)


@pytest.mark.parametrize("design", [Untied, Private])
def test_first_layer_hears_what_the_overlaps_of_each_group_say(design):
    """With one active circuit every neuron it shares with another holds its own value."""
    one = design.create(**SIZES, share_on=0.6, redundancy=4, redundancy_on=2)
    key = jax.random.key(0)
    network = one.draw(key)
    found = one.simulate(key, network, 1, 400)  # every circuit once
    assert found.mse_x_active[1] < 1e-12
    assert found.mse_on_active[1] < 1e-12
    S = [g.embedding.shape[2] for g in network.groups]
    p = [overlap_probability(g.embedding[0], g.n_copies) for g in network.groups]
    heard = [a / s for a, s in zip(p, S, strict=True)]  # mean of what leaks
    squared = [a / s**2 for a, s in zip(p, S, strict=True)]  # mean of its square
    if design is Untied:
        expected_on = squared[1]
        expected_x = 3 * squared[0] + 2 * squared[1] - 4 * heard[0] * heard[1]
    else:
        w = S[0] / sum(S)
        both = 2 * w * (1 - w) * heard[0] * heard[1]
        expected_on = w**2 * squared[0] + (1 - w) ** 2 * squared[1] + both
        expected_x = squared[0]
    np.testing.assert_allclose(found.mse_on_inactive[1], expected_on, rtol=0.03)
    np.testing.assert_allclose(found.mse_x_inactive[1], expected_x, rtol=0.08)


def test_a_shared_assignment_cancels_what_an_untied_one_does_not():
    shared = errors(Private, 1, share_on=0.5, redundancy=4)
    apart = errors(Untied, 1, share_on=0.5, redundancy=4, redundancy_on=4)
    assert shared[2] < 0.4 * apart[2]


def test_private_indicators_help_deep_networks_and_cost_shallow_ones():
    more = {"share_on": 0.7, "redundancy": 2, "redundancy_on": 4}
    deep = {"n_circuits": 380}
    post, private = errors(Private, 1, redundancy=3, **deep), errors(Private, 1, **more, **deep)
    assert private[5] < 0.8 * post[5]
    assert private[3] > 1.2 * post[3]
    post, private = errors(Private, 2, redundancy=3), errors(Private, 2, **more)
    assert private[3] > post[3]
