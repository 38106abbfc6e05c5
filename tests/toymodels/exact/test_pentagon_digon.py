"""The two branches of five features in two dimensions: densities, names, shapes and refusals.

Their numbers are proven in `test_claims_pentagon`.
"""

import numpy as np
import pytest

from toymodels.errors import InputError
from toymodels.exact import expected_loss_float64
from toymodels.exact import pentagon_digon as both
from toymodels.exact.pentagon_digon import DIGONS, NEITHER, PENTAGON, branch_of, densities


def test_feature_5_alone_has_another_density():
    np.testing.assert_allclose(densities(0.05, 0.2), [0.05, 0.05, 0.05, 0.05, 0.01])
    each = densities(np.array([0.05, 0.1]), np.array([2.0, 0.5]))
    np.testing.assert_allclose(each[:, -1], [0.1, 0.05])
    np.testing.assert_allclose(each[:, :-1], [[0.05] * 4, [0.1] * 4])


def test_a_model_is_named_by_the_features_it_represents():
    sizes = np.array([[1, 1, 1, 1, 1], [1, 1, 1, 1, 0.1], [1, 0.2, 1, 1, 1], [0, 0, 0, 0, 0]])
    W = np.stack([0.6 * sizes, 0.8 * sizes], axis=1)
    assert branch_of(W).tolist() == [PENTAGON, DIGONS, NEITHER, NEITHER]


@pytest.fixture(scope="module")
def followed():
    return both.branches(0.05, np.array([1.0, 0.4, 0.2, 0.1]), np.array([1.0, 1.4, 2.0, 4.0]))


@pytest.mark.claims
def test_branches_are_joined_with_rising_density_and_end_in_nan(followed):
    np.testing.assert_array_equal(followed.relative_density, [0.1, 0.2, 0.4, 1, 1.4, 2, 4])
    alive = ~np.isnan(followed.loss)
    assert alive[PENTAGON].tolist() == [False] + [True] * 6  # it ends at 0.124
    assert alive[DIGONS, :5].all() and not alive[DIGONS, -1]
    for name in ("W", "b"):
        gone = np.isnan(getattr(followed, name)).reshape(2, 7, -1)
        np.testing.assert_array_equal(gone.all(-1), ~alive)
        np.testing.assert_array_equal(gone.any(-1), ~alive)


@pytest.mark.claims
def test_losses_are_those_of_the_weights(followed):
    for branch in (PENTAGON, DIGONS):
        W, b = followed.W[branch, 2], followed.b[branch, 2]
        exact = expected_loss_float64(W, b, densities(0.05, 0.4), 1.0)
        assert followed.loss[branch, 2] == pytest.approx(exact, rel=3e-5)


@pytest.mark.claims
def test_one_density_alone_has_the_thresholds_it_has_among_others():
    """So a caller may ask for one at a time, and store each."""
    t = np.geomspace(1, 0.1, 24)
    together, alone = (both.thresholds(np.array(p), t) for p in ((0.05, 0.1), (0.1,)))
    np.testing.assert_allclose(alone.crossing, together.crossing[1:], rtol=1e-5)
    np.testing.assert_allclose(alone.pentagon_end, together.pentagon_end[1:], rtol=5e-3)
    np.testing.assert_allclose(alone.slope, together.slope[1:], rtol=1e-3)


def test_an_end_point_is_on_a_branch_by_what_it_represents_and_by_its_loss():
    pentagon = np.ones((2, 5)) * [[1.0], [0.0]]
    digons = pentagon * [1, 1, 1, 1, 0]
    W = np.stack([pentagon, pentagon, digons, 0 * digons])
    ends = both.State(W, np.zeros((4, 5)), np.array([2.0, 2.1, 4.0, 2.0]))
    t = np.array([0.5, 1.0, 2.0])
    known = both.Branches(t, np.array([[1.0, 2.0, 3.0], [3.0, 4.0, np.nan]]), W, W)
    assert both.on_branch(ends, 1.0, known).tolist() == [PENTAGON, NEITHER, DIGONS, NEITHER]


def test_what_cannot_be_computed_is_refused_with_the_way_out():
    with pytest.raises(InputError, match=r"density of 1\.5.*\[0, 1\]"):
        densities(0.5, 3.0)
    with pytest.raises(InputError, match="multiple of 64, got 65"):
        both.random_ends(0.05, 0.4, 65, None)
    with pytest.raises(InputError, match="shape \\(2,\\) lead down and \\(1,\\) up"):
        both.branches(0.05, np.array([1.0, 0.5]), np.array([1.0]))
    with pytest.raises(InputError, match="66 models"):
        both.thresholds(np.full(33, 0.05), np.array([1.0, 0.5]))
